"""The last page of a long list against its first: a list costs by the page, however long it is

Every list whose rows one company can have by the million. Counted are the blocks that PostgreSQL looks at for the statements
of the call, so that the figures are the same on every machine.
"""

from contextlib import closing, contextmanager

from figures import Figure
from latchkey_test import Client, Deployment, Stage, contract, uuid_of_id
from latchkey_test.pg_values import send_again
from latchkey_test.tap import Tap, trips_of_last_call
from world import database_of

_GOAL = 1.5
_EXPLAIN = "EXPLAIN (ANALYZE, BUFFERS, TIMING off, SUMMARY off, FORMAT JSON)"
_ID = "lpad(to_hex(n), 32, '0')::uuid"
# List -> what fills it. {company}, {member}: of the stage.
_ROWS = {
    "ListAccessTokens": f"""
        INSERT INTO latchkey.token (token_id, company_id, member_id, kind, channels, label)
        SELECT {_ID}, '{{company}}', '{{member}}', 'a', 1, 'of a bench' FROM generate_series(1, {{rows}}) AS n""",
    "ListWhitelistEntries": f"""
        INSERT INTO latchkey.whitelist_entry (entry_id, list_id, company_id, address, cidr)
        SELECT {_ID}, w.live_list_id, w.company_id, host('10.0.0.0'::inet + n), ('10.0.0.0'::inet + n)::cidr
          FROM latchkey.whitelist w, generate_series(1, {{rows}}) AS n WHERE w.company_id = '{{company}}'""",
    "ListMembers": f"""
        INSERT INTO latchkey.member (member_id, company_id, email)
        SELECT {_ID}, '{{company}}', n || '@example.com' FROM generate_series(1, {{rows}}) AS n""",
    "ListInvitations": f"""
        INSERT INTO latchkey.invitation (invitation_id, company_id, email, expires_at, created_by)
        SELECT {_ID}, '{{company}}', n || '@example.net', now() + interval '3 days', ''
          FROM generate_series(1, {{rows}}) AS n""",
    "ListRecentAuthentications": f"""
        INSERT INTO latchkey.token (token_id, company_id, member_id, kind, channels, expires_at)
        SELECT ('1' || lpad(to_hex(n), 31, '0'))::uuid, '{{company}}', '{{member}}', 'l', 2, now() + interval '3 hours'
          FROM generate_series(1, {{rows}}) AS n""",
}


def run(world):
    rows = 100000 if world.quick else 1000000
    served = {method.name: method for method in contract.served_methods()}
    with Deployment(world.postgres(), log_level="warning") as deployment, Stage(deployment) as stage:
        for statement in _ROWS.values():
            deployment.execute(statement.format(company=uuid_of_id(stage.company_id), rows=rows,
                                                member=uuid_of_id(stage.member_id)))
        deployment.execute("VACUUM ANALYZE")
        methods = [served[name] for name in _ROWS]
        last = {method.name: _find_last(stage.administrator, method) for method in methods}
        with Tap(deployment.url) as tap, _beginning(deployment.beside(database_url=tap.url, workers=1)) as server:
            with closing(Client(server.address, stage.secret)) as client:
                return [_measure(deployment, stage, tap, client, method, last[method.name], rows) for method in methods]


@contextmanager
def _beginning(server):
    """Its validator may still be loading: nobody asks it."""
    server.start(ready=False)
    try:
        yield server
    finally:
        server.kill()
        server.remove()


def _measure(deployment, stage, tap, client, method, last_token, rows):
    blocks = [_count_blocks(deployment, stage, tap, lambda: client.call(
        method, method.request(page_size=100, page_token=token), wait_for_ready=True)) for token in (last_token, "")]
    return Figure("pages", f"{method.name}, the last of {rows} rows", blocks[:1], blocks[1:], "first page", "blocks", _GOAL)


def _find_last(client, method):
    """The token of the last page."""
    token = ""
    while True:
        page = client.call(method, method.request(page_size=1000, page_token=token))
        if not page.next_page_token:
            return token
        token = page.next_page_token


def _count_blocks(deployment, stage, tap, call):
    """What the statements of the call's work look at."""
    tap.take()
    call()
    statements = [statement for trip in trips_of_last_call(tap.take())[1:-1] for statement in trip.statements
                  if statement.sql.startswith(("SELECT", "WITH")) and statement.name != "settings"]
    with closing(deployment.postgres.connect(database_of(deployment.url))) as connection, connection.cursor() as cursor:
        def execute(sql, parameters=None):
            cursor.execute(sql, parameters)
            return cursor.fetchall() if cursor.description else []

        execute("SET ROLE latchkey_app")
        execute("SELECT set_config('latchkey.company', %s, false)", (uuid_of_id(stage.company_id),))
        plans = [send_again(execute, statement, _EXPLAIN)[0][0][0]["Plan"] for statement in statements]
    return sum(plan["Shared Hit Blocks"] + plan["Shared Read Blocks"] for plan in plans)
