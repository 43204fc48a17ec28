"""Who is attacked: a call-server, watched from outside while it is."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

_DIRECTORY = Path(__file__).resolve().parent
sys.path.insert(0, str(_DIRECTORY.parent / "integration/transport"))

import cores
from latchkey_test.background import Background
from tls_server import TlsServer
from transport import Connection, TransportServer, framed, string_value


class Victim(TransportServer):
    """A server with what was noticed of it."""

    def __enter__(self):
        super().__enter__()
        cores.give_to_server(self.process.pid)
        cores.share(os.getpid())
        return self

    def resident_bytes(self):
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as status:
            return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmRSS:"))

    def is_alive(self):
        return self.process.poll() is None


class MemoryWatch(Background):
    """The most that the victim has held, above what it held before. `with MemoryWatch(victim) as memory:`"""

    def __init__(self, victim):
        super().__init__(self._watch)
        self._victim = victim

    def __enter__(self):
        self._before = self._most = self._victim.resident_bytes()
        return super().__enter__()

    def _watch(self):
        while not self.is_over.wait(0.05) and self._victim.is_alive():
            self._most = max(self._most, self._victim.resident_bytes())

    @property
    def growth_mib(self):
        return (self._most - self._before) / 2**20


class Helper:
    """A program of this directory that runs beside and says at its end, as JSON, what it has seen."""

    def __init__(self, program, *arguments):
        self._process = subprocess.Popen([sys.executable, str(_DIRECTORY / program), *map(str, arguments)],
                                         stdout=subprocess.PIPE, text=True)
        cores.share(self._process.pid)

    def begun(self):
        """Itself, when it has said that it is at work."""
        if self._process.stdout.readline() != "begun\n":
            raise AssertionError(f"{self._process.args} has not begun")
        return self

    def result(self, timeout=120):
        said, _ = self._process.communicate(timeout=timeout)
        if self._process.returncode != 0:
            raise AssertionError(f"{self._process.args} ended with {self._process.returncode}")
        return json.loads(said)


def witness(victim, seconds):
    """An honest client for so long, that was there before whoever comes now; its result has `calls`, `failed` and `p99_ms`."""
    return Helper("witness.py", *victim.address, seconds).begun()


def attack(victim, name, seconds, connections):
    """An attacker for so long; its result has `connections`, `closed` and `sent_bytes`."""
    return Helper("attackers.py", name, *victim.address, seconds, connections)


def wait_for_counter(victim, reason, timeout=10):
    until = time.monotonic() + timeout
    while (count := victim.counters()[reason]) == 0 and time.monotonic() < until:
        time.sleep(0.05)
    return count
