"""More calls than can be served: those answered in time, against the most that a closed loop gets out of the same server

An open-loop client sends GetCaller at once, twice and three times the rate of the peak, each call with a deadline. What the
queue of the workers can't serve in time is refused at once, so that the rest is.
"""

import json
import re
import subprocess
from contextlib import ExitStack

from figures import Figure
from latchkey_test import Deployment, PrivatePostgres, Stage, program, stubs
from validation import framed

_PATH = "/latchkey.v1.TokenService/GetCaller"
_CLIENTS, _CONNECTIONS, _WARM_UP_S = 64, 16, 1
_DEADLINES_MS = (100, 1000)
_TIMES = (1, 2, 3)
_GOAL = 1.25  # at least 80 % of the peak


def run(world):
    seconds = 2 if world.quick else 5
    body = world.file("overload.body", framed(stubs.messages("latchkey/v1/token.proto").GetCallerRequest()))
    with ExitStack() as stack:
        postgres = stack.enter_context(PrivatePostgres())
        deployment = stack.enter_context(Deployment(postgres))
        company = stack.enter_context(Stage(deployment))
        deployment.server.stop()
        server = stack.enter_context(deployment.beside("latchkey-token", workers=_CONNECTIONS, log_level="warning",
                                                       database_pool_size=_CONNECTIONS + 2))
        _peak(server, company, body)
        samples = {}
        for _ in world.rounds(3):
            peak = _peak(server, company, body)
            for deadline_ms in _DEADLINES_MS:
                for times in _TIMES:
                    good = _overload(server, company, body, peak * times, seconds, deadline_ms)
                    samples.setdefault((deadline_ms, times), []).append((1e6 / good, 1e6 / peak))
    return [Figure("overload", f"{times} times the peak, {deadline_ms} ms", [ours for ours, _ in pairs],
                   [peer for _, peer in pairs], "its own peak", "us/call", _GOAL if times > 1 else None)
            for (deadline_ms, times), pairs in samples.items()]


def _peak(server, company, body):
    """Calls a second of so many clients that wait for each answer."""
    command = ["h2load", "-D", "3", "-c", str(_CLIENTS), "-m", "1", "-d", str(body),
               "-H", "content-type: application/grpc", "-H", "te: trailers", "-H", "user-agent: grpc-bench",
               "-H", f"authorization: Bearer {company.secret}", f"http://{server.address}{_PATH}"]
    said = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
    return float(re.search(r"finished in [\d.]+m?s, ([\d.]+) req/s", said)[1])


def _overload(server, company, body, rate, seconds, deadline_ms):
    """Calls a second that were answered in time."""
    port = server.address.rsplit(":", 1)[1]
    done = subprocess.run([program("tests/bench-open-loop"), port, _PATH, body, f"{rate:.0f}", str(seconds),
                           str(_WARM_UP_S), str(_CONNECTIONS), str(deadline_ms), f"Bearer {company.secret}"],
                          capture_output=True, text=True, timeout=60, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"the client failed: {done.stderr}")
    return max(1, json.loads(done.stdout)["in_time_per_s"])
