"""The client bench-open-loop, on the client's core: calls at an even rate, or a closed loop, with other questions in turn."""

import json
import subprocess

from latchkey_test import program
from pinned import CLIENT_CORE, CONNECTIONS, cpu_ns, on_core

_WARM_UP_S = 0.3


def ask(server, path, bodies, rate, seconds, connections=CONNECTIONS, may_fail=False):
    """What it prints (open_loop.c). `rate` is of calls a second, or xN: N under way on each connection."""
    port = server.address.rsplit(":", 1)[1]
    with on_core(CLIENT_CORE):
        done = subprocess.run([program("tests/bench-open-loop"), port, path, bodies, str(rate), str(seconds), str(_WARM_UP_S),
                               str(connections)], capture_output=True, text=True, timeout=seconds + 60, check=False)
    if not done.stdout or (done.returncode != 0 and not may_fail):
        raise RuntimeError(f"not every call was answered: {done.stdout}{done.stderr}")
    return json.loads(done.stdout)


def cpu_ns_per_call(server, path, bodies, streams, seconds):
    """In a closed loop; CPU-ns of the server for each."""
    before = cpu_ns(server.pid)
    found = ask(server, path, bodies, f"x{streams}", seconds)
    return (cpu_ns(server.pid) - before) / found["sent"]


def capacity(server, path, bodies):
    """Calls a second that its core can answer."""
    return ask(server, path, bodies, "x100", 2)["in_time_per_s"]
