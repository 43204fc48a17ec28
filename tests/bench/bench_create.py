"""CreateAccessToken by 64 clients at once, against pgbench running the same SQL on as many connections

Eight companies, so that commits share the disk. The statements, their parameters and their pipelines are taken from one
call's own traffic: pgbench does what the server does, but for gRPC. Every commit reaches the disk on both sides.
"""

import re
import subprocess
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

from figures import Figure
from latchkey_test import Client, Deployment, PrivatePostgres, Stage, contract, stubs
from latchkey_test.tap import Tap, trips_of_last_call
from same_sql import Script
from validation import framed

_COMPANIES, _CLIENTS, _CONNECTIONS = 8, 64, 16
_GOAL = 1.25  # at least 0.8 of pgbench's calls a second
_PATH = "/latchkey.v1.TokenService/CreateAccessToken"


def run(world):
    calls = 1600 if world.quick else 16000
    request = stubs.messages("latchkey/v1/token.proto").CreateAccessTokenRequest(
        label="of a bench", permissions=["charges.create"])
    body = world.file("create.body", framed(request))
    with ExitStack() as stack:
        postgres = stack.enter_context(PrivatePostgres(fsync="on", full_page_writes="on", max_wal_size="4GB"))
        deployment = stack.enter_context(Deployment(postgres))
        companies = [stack.enter_context(Stage(deployment)) for _ in range(_COMPANIES)]
        deployment.server.stop()
        peers = [_Peer(world, deployment, company, request, calls, number) for number, company in enumerate(companies)]
        # Of its connections two are for looking on.
        server = stack.enter_context(deployment.beside("latchkey-token", workers=_CONNECTIONS, log_level="warning",
                                                       database_pool_size=_CONNECTIONS + 2))
        ours = lambda: _check(deployment, calls, lambda: _together(companies, lambda it: _drive(server, it, body, calls)))
        peer = lambda run: _check(deployment, calls, lambda: _together(peers, lambda it: it.drive(run)))
        ours()
        rounds = [(ours(), peer("abcdef"[number])) for number in world.rounds(6)]
    return [Figure("create", f"{_CLIENTS} clients, {_CONNECTIONS} connections", [1e6 / ours for ours, _ in rounds],
                   [1e6 / peer for _, peer in rounds], "pgbench", "us/call", _GOAL)]


class _Peer:
    """pgbench for one company."""

    def __init__(self, world, deployment, company, request, calls, number):
        self._first = number * 10000000
        self._url = deployment.url
        self._calls = calls // _COMPANIES
        self._script = _learn(deployment, company, request)
        self._file = world.file(f"{company.company_id}.sql", "\n".join(self._script.lines).encode())

    def drive(self, run):
        return self._script.run(self._file, self._url, run, self._first, _CONNECTIONS // _COMPANIES, self._calls)


def _learn(deployment, company, request):
    """What one call does, once its connection has prepared it."""
    method = next(method for method in contract.served_methods() if method.path == _PATH)
    with Tap(deployment.url) as tap, deployment.beside("latchkey-token", database_url=tap.url, workers=1) as server, \
            Client(server.address, company.secret) as client:
        client.call(method, request)
        tap.take()
        client.call(method, request)
        trips = trips_of_last_call(tap.take())
    statements = {statement.name: statement for trip in trips for statement in trip.statements}
    return Script(trips, {statements[name].values[0] for name in ("token_insert", "token_insert_secret")})


def _drive(server, company, body, calls):
    """Calls a second for one company."""
    command = ["h2load", "-n", str(calls // _COMPANIES), "-c", str(_CLIENTS // _COMPANIES), "-m", "1", "-d", str(body),
               "-H", "content-type: application/grpc", "-H", "te: trailers", "-H", "user-agent: grpc-bench",
               "-H", f"authorization: Bearer {company.secret}", f"http://{server.address}{_PATH}"]
    said = subprocess.run(command, capture_output=True, text=True, check=True, timeout=300).stdout
    return float(re.search(r"finished in [\d.]+m?s, ([\d.]+) req/s", said)[1])


def _together(whom, drive):
    """Calls a second of all of them at once."""
    with ThreadPoolExecutor(len(whom)) as pool:
        return sum(pool.map(drive, whom))


def _check(deployment, calls, measure):
    """What is measured, if so many tokens were made: a benchmark of refusals would be one of something else."""
    count = lambda: deployment.execute("SELECT count(*) FROM latchkey.token")[0][0]
    before = count()
    found = measure()
    if count() != before + calls:
        raise RuntimeError(f"{count() - before} tokens were made, not {calls}")
    return found
