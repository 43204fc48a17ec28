"""More calls than can be served: those answered in time, against the most that a closed loop gets out of the same server

An open-loop client on a core of its own sends GetCaller, which works in the database, and Validate, which is answered on the
loop, with TLS as well, at once, twice and three times the rate of the peak, each call with a deadline. What can't be served in
time is refused at once, so that the rest is, and where that is not enough connections are sent away. They come again as those
of gRPC clients do, and calls that find none have not been answered.
"""

import json
import subprocess
from contextlib import ExitStack
from pathlib import Path

import grpc
from figures import Figure
from latchkey_test import Deployment, PrivatePostgres, Stage, program, stubs
from latchkey_test.authority import Authority
from pinned import CLIENT_CORE, SERVER_CORE, on_core
from validation import PATH, TOKENS, check_admits, framed, question

_WARM_UP_S = 2  # clients that were sent away have come again once
_DEADLINES_MS = (100, 1000)
_TIMES = (1, 2, 3)
_GOAL = 1.25  # at least 80 % of the peak


class _Target:
    """What is asked of a server, over so many connections; the peak is that of so many calls under way on each."""

    def __init__(self, name, server, path, body, connections, under_way, authorization=""):
        self.name, self.server = name, server
        self._port = ("tls:" if "tls_key" in server.settings else "") + server.address.rsplit(":", 1)[1]
        self._path, self._body, self._authorization = path, body, authorization
        self._connections, self._under_way = connections, under_way

    def peak(self):
        return self._ask(f"x{self._under_way}", 2, 60000)

    def overload(self, rate, seconds, deadline_ms):
        return self._ask(f"{rate:.0f}", seconds, deadline_ms)

    def _ask(self, rate, seconds, deadline_ms):
        """Calls a second that were answered in time."""
        with on_core(CLIENT_CORE):
            done = subprocess.run([program("tests/bench-open-loop"), self._port, self._path, self._body, rate, str(seconds),
                                   str(_WARM_UP_S), str(self._connections), str(deadline_ms), self._authorization],
                                  capture_output=True, text=True, timeout=60, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"the client failed: {done.stderr}")
        return max(1, json.loads(done.stdout)["in_time_per_s"])


def run(world):
    return _measure(world, _validate) + _measure(world, _validate_over_tls) + _measure(world, _get_caller)


def _get_caller(world, stack):
    body = world.file("get-caller.body", framed(stubs.messages("latchkey/v1/token.proto").GetCallerRequest()))
    with on_core(SERVER_CORE):
        postgres = stack.enter_context(PrivatePostgres())
        deployment = stack.enter_context(Deployment(postgres))
        company = stack.enter_context(Stage(deployment))
        deployment.server.stop()
        server = stack.enter_context(deployment.beside("latchkey-token", workers=16, log_level="warning",
                                                       database_pool_size=18))
    return _Target("GetCaller", server, "/latchkey.v1.TokenService/GetCaller", body, 16, 4, f"Bearer {company.secret}")


def _validate(world, stack):
    return _start_validator("Validate", world, stack)


def _validate_over_tls(world, stack):
    authority = stack.enter_context(Authority())
    issued = authority.issue("server", ["IP:127.0.0.1"])
    tls = grpc.ssl_channel_credentials(Path(authority.certificate).read_bytes())
    return _start_validator("Validate over TLS", world, stack, tls, tls_certificate=issued.certificate, tls_key=issued.key)


def _start_validator(name, world, stack, tls=None, **settings):
    filled = world.filled(TOKENS)
    body = world.file("overload.body", framed(question(filled.data, filled.data.secrets[0])))
    with on_core(SERVER_CORE):
        server = stack.enter_context(filled.validator(**settings))
    check_admits(server, filled.data, tls)
    return _Target(name, server, PATH, body, 32, 8)


def _measure(world, start):
    seconds = 2 if world.quick else 5
    samples = {}
    with ExitStack() as stack:
        target = start(world, stack)
        target.peak()
        for _ in world.rounds(3):
            peak = target.peak()
            for deadline_ms in _DEADLINES_MS:
                for times in _TIMES:
                    good = target.overload(peak * times, seconds, deadline_ms)
                    samples.setdefault((deadline_ms, times), []).append((1e6 / good, 1e6 / peak))
    return [Figure("overload", f"{target.name}, {times} times the peak, {deadline_ms} ms", [ours for ours, _ in pairs],
                   [peer for _, peer in pairs], "its own peak", "us/call", _GOAL if times > 1 else None)
            for (deadline_ms, times), pairs in samples.items()]
