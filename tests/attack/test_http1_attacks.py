"""Attacks on the door of HTTP/1.1 that somebody else uses: a validator without a database, which answers everybody 503.

LATCHKEY_ATTACK_SECONDS (30) is how long each lasts. What must be so is asserted, as in test_attacks.py, and printed as a table.
"""

import os
import unittest

import cores
from latchkey_test import Server, free_port
from latchkey_test.http1 import Http1
from latchkey_test.waiting import wait_until
from victim import Helper, MemoryWatch

SECONDS = float(os.environ.get("LATCHKEY_ATTACK_SECONDS", "30"))
CONNECTIONS, CROWD = 4, 1000
MEMORY_MIB = 64
PATIENCE = f"{max(500, int(SECONDS * 1000 / 5))}ms"

ATTACKS = {  # attack -> how many connections at once, what they are counted for
    "requests_without_reading": (CONNECTIONS, 'ended_total{reason="slow_reader"}'),
    "endless_chunks": (CONNECTIONS, None),
    "endless_fields": (CONNECTIONS, None),
    "endless_first_line": (CONNECTIONS, None),
    "bodies_nobody_waits_for": (CONNECTIONS, 'requests_total{route="introspect",status="413"}'),
    "no_http": (CONNECTIONS, None),
    "idle": (CROWD, 'ended_total{reason="idle"}'),
    "slow_first_line": (CROWD, 'ended_total{reason="idle"}'),
    "slow_fields": (CROWD, 'ended_total{reason="slow_request"}'),
    "slow_body": (CROWD, 'ended_total{reason="slow_request"}'),
}

# libmicrohttpd keeps its one thread busy with such lines: it looks through one anew for each 128 bytes of its last 8 KiB.
LATENCY_MAX = {"endless_first_line": 8}

_table = []


class Victim(Server):
    """A server with a door, watched from outside."""

    def __init__(self):
        self.door = f"127.0.0.1:{free_port()}"
        super().__init__("latchkey-validator", database_url="postgresql://127.0.0.1:1/nothing", http_listen=self.door,
                         loops=1, http_idle_timeout=PATIENCE, http_request_timeout=PATIENCE)

    def __enter__(self):
        self.start(ready=False)
        wait_until(self.answers, 30, "the door to open")
        cores.give_to_server(self.pid)
        cores.share(os.getpid())
        return self

    def answers(self):
        try:
            with Http1(self.door) as http:
                return http.ask("GET", "/check").status == 503
        except OSError:
            return False

    def resident_bytes(self):
        with open(f"/proc/{self.pid}/status", encoding="ascii") as status:
            return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmRSS:"))

    def is_alive(self):
        return not self._has_ended()

    def helper(self, name, *arguments):
        return Helper("http1_parties.py", name, *self.door.split(":"), *arguments)

    def witness(self, seconds):
        return self.helper("witness", seconds).begun()

    def counter(self, name):
        body = self.admin("/metrics")[1]
        return sum(float(line.split()[-1]) for line in body.splitlines() if line.startswith("latchkey_http_" + name))


def setUpModule():
    with Victim() as idle:
        seen = idle.witness(SECONDS).result()
    _table.append(("(nobody attacks)", 0, 0, 0, 0, seen))


def tearDownModule():
    idle = _table[0][-1]["p99_ms"]
    print(f"\n{'attack on HTTP/1.1':<30}{'conns':>8}{'closed':>8}{'sent MiB':>10}{'memory MiB':>12}{'honest calls':>14}{'p99 ms':>8}{'/ idle':>8}")
    for name, connections, closed, sent, growth, seen in _table:
        print(f"{name:<30}{connections:>8}{closed:>8}{sent / 2**20:>10.0f}{growth:>12.1f}{seen['calls'] - seen['failed']:>14}"
              f"{seen['p99_ms']:>8.1f}{seen['p99_ms'] / idle:>8.1f}")


class Door(unittest.TestCase):
    """Each is one test; they are made below, from the table."""

    def attack(self, name, connections, counter):
        with Victim() as victim:
            with MemoryWatch(victim) as memory:
                witness = victim.witness(SECONDS)
                attackers = victim.helper(name, SECONDS, connections).result(SECONDS + 60)
                seen = witness.result()
            self.assertTrue(victim.is_alive())
            counted = victim.counter(counter) if counter else None
        _table.append((name, attackers["connections"], attackers["closed"], attackers["sent_bytes"], memory.growth_mib, seen))
        self.assertEqual(seen["failed"], 0, "the honest client was served")
        self.assertLess(memory.growth_mib, MEMORY_MIB)
        cores.judge(self, seen["p99_ms"] / _table[0][-1]["p99_ms"], SECONDS, LATENCY_MAX.get(name, cores.LATENCY_MAX))
        if counter:
            self.assertGreater(counted, 0)
        else:
            self.assertGreater(attackers["closed"], 0)


def _add(name, connections, counter):
    def test(self):
        self.attack(name, connections, counter)
    setattr(Door, f"test_{name}", test)


for _name, (_connections, _counter) in ATTACKS.items():
    _add(_name, _connections, _counter)


if __name__ == "__main__":
    unittest.main()
