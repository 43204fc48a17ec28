"""DeactivateAccessToken, confirmed by two validators, against the bare commit of the same statement

The clock runs from before the call is sent: `confirmed` until it is answered, which it is when every validator has applied
it; `refused` until the last validator has refused the token. PostgreSQL reaches the disk on every commit. The peer is the
same UPDATE, triggers and all, by psycopg2 on one connection.
"""

import json
import os
import subprocess
import time
from statistics import quantiles

from figures import Figure
from latchkey_test import Deployment, PrivatePostgres, Server, program
from world import database_of

_GOAL = 10.0
_INSERT = """
INSERT INTO latchkey.token (token_id, company_id, kind, channels, label)
SELECT gen_random_uuid(), company_id, 'a', 1, 'raw' FROM latchkey.company, generate_series(1, %s) WHERE is_demo
RETURNING token_id::text
"""
_STATEMENT = """
UPDATE latchkey.token t SET deactivated_at = now(), deactivate_reason = 1, deactivate_note = ''
 WHERE t.token_id = %s AND t.deactivated_at IS NULL
"""


def run(world):
    each = 40 if world.quick else 200
    with PrivatePostgres(fsync="on", full_page_writes="on") as postgres, Deployment(postgres) as deployment, \
            Server("latchkey-validator", database_url=deployment.url) as second:
        rounds = [(_revoke(deployment, second, each), _commit(deployment, each)) for _ in world.rounds(5)]
    return [Figure("revoke", f"{what}, {name}", [_percentile(revoked[what + "_us"], percent) for revoked, _ in rounds],
                   [_percentile(committed, percent) for _, committed in rounds], f"COMMIT, {name}", "us",
                   _GOAL if what == "confirmed" else None)
            for what in ("confirmed", "refused") for name, percent in (("p50", 50), ("p99", 99))]


def _percentile(numbers, percent):
    return quantiles(numbers, n=100, method="inclusive")[percent - 1]


def _revoke(deployment, second, count):
    """confirmed_us and refused_us of so many deactivations, one after the other."""
    environment = {**os.environ, "LATCHKEY_TOKEN": deployment.secrets["LATCHKEY_TOKEN"]}
    validators = f"{deployment.server.address},{second.address}"
    done = subprocess.run([program("tests/grpcpp-revocations"), deployment.server.address, validators, str(count), "1"],
                          capture_output=True, text=True, env=environment, timeout=300, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"revocations failed: {done.stdout}{done.stderr}")
    found = json.loads(done.stdout)
    if found["acknowledged"] != count or found["unconfirmed"]:
        raise RuntimeError(f"not every revocation was confirmed: {done.stdout}")
    return found


def _commit(deployment, count):
    """Microseconds of so many bare statements, each a transaction."""
    connection = deployment.postgres.connect(database_of(deployment.url))
    try:
        with connection.cursor() as cursor:
            cursor.execute(_INSERT, (count,))
            return [_time(cursor, token_id) for (token_id,) in cursor.fetchall()]
    finally:
        connection.close()


def _time(cursor, token_id):
    started = time.monotonic_ns()
    cursor.execute(_STATEMENT, (token_id,))
    return (time.monotonic_ns() - started) / 1000
