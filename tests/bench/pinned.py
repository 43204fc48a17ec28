"""Who runs where, and what it costs: the server measured on one core, whoever drives it on another.

CPU time is read from the process's own clock, so that other work on the machine, which only makes a server wait, hardly
moves a figure; wall-clock figures say in their spread what it did.
"""

import contextlib
import os
import re
import subprocess
import time
from pathlib import Path

from latchkey_test import program

_CORES = sorted(os.sched_getaffinity(0))
SERVER_CORE, CLIENT_CORE = _CORES[0], _CORES[-1]
CONNECTIONS = 8
# Before a command: ahead of all other work on its core, where this user may have that.
_AHEAD = ["chrt", "--fifo", "10"]
FIRST = _AHEAD if subprocess.run([*_AHEAD, "true"], stderr=subprocess.DEVNULL, check=False).returncode == 0 else []


@contextlib.contextmanager
def on_core(core):
    """Processes started inside run on that core."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def cpu_ns(pid):
    """The CPU time of another process, threads that have ended included (/proc/PID/task loses those)."""
    return time.clock_gettime_ns((~pid << 3) | 2)


def thread_cpu_ns(pid):
    """The CPU time of each thread that another process has now, by its id."""
    return {task.name: int((task / "schedstat").read_text(encoding="ascii").split()[0])
            for task in Path(f"/proc/{pid}/task").iterdir()}


def resident_bytes(pid):
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return int(re.search(r"^VmRSS:\s+(\d+) kB$", status, re.MULTILINE)[1]) * 1024


class Yardstick:
    """A program of tests/, or at a path, that says "listening ADDRESS", on the server's core. `with Yardstick("bench-limit") as it:`"""

    def __init__(self, name, *arguments):
        self._command = [str(name) if isinstance(name, Path) else program(f"tests/{name}"), *arguments]

    def __enter__(self):
        with on_core(SERVER_CORE):
            self._process = subprocess.Popen(self._command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        words = self._process.stdout.readline().split()
        if words[:1] != ["listening"]:
            self.__exit__()
            raise RuntimeError(f"{self._command[0]} does not listen")
        self.address = words[1]
        return self

    def __exit__(self, *_):
        self._process.kill()
        self._process.wait(30)
        self._process.stdout.close()

    @property
    def pid(self):
        return self._process.pid


def cpu_ns_per_call(server, path, body, streams, calls, connections=CONNECTIONS):
    """Drives `server` with h2load, `streams` calls under way on each connection; CPU-ns of the server for each."""
    command = ["h2load", "-n", str(calls), "-c", str(connections), "-m", str(streams), "-d", str(body),
               "-H", "content-type: application/grpc", "-H", "te: trailers", "-H", "user-agent: grpc-bench",
               f"{'https' if 'tls_key' in getattr(server, 'settings', {}) else 'http'}://{server.address}{path}"]
    before = cpu_ns(server.pid)
    with on_core(CLIENT_CORE):
        said = subprocess.run(command, capture_output=True, text=True, check=True, timeout=300).stdout
    spent = cpu_ns(server.pid) - before
    answered = re.search(r"(\d+) succeeded.*\nstatus codes: (\d+) 2xx", said)
    if not answered or {int(number) for number in answered.groups()} != {calls}:
        raise RuntimeError(f"not all of {calls} calls were answered:\n{said}")
    return spent / calls
