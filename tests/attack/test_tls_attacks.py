"""Attacks on TLS itself: crowds that never finish their handshake, and come again when they are dropped.

As in test_attacks.py: the server lives, holds no more than 64 MiB more, tells by name why it has closed what it closed, and the
honest client, which comes anew for each call here, always gets through; in a full run its p99 is three times what it is while
nobody attacks, at most.
"""

import os
import unittest

import cores
from latchkey_test.authority import Authority
from victim import Helper, MemoryWatch, TlsServer, Victim

SECONDS = float(os.environ.get("LATCHKEY_ATTACK_SECONDS", "30"))
CROWD = 1000
MEMORY_MIB = 64


class TlsVictim(TlsServer, Victim):
    def helper(self, name, *arguments):
        return Helper("tls_parties.py", name, *self.address, *arguments)

    def witness(self, seconds=SECONDS):
        return self.helper("witness", seconds, self.authority.certificate).begun()


class TlsAttacks(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.authority = cls.enterClassContext(Authority())
        with TlsVictim(cls.authority) as idle:
            cls.idle = idle.witness(SECONDS).result()
        print(f"\nnobody attacks: p99 {cls.idle['p99_ms']:.1f} ms")

    def attack(self, name, reason, size=CROWD, **settings):
        with TlsVictim(self.authority, **settings) as victim:
            with MemoryWatch(victim) as memory:
                witness = victim.witness()
                crowd = victim.helper(name, SECONDS, size).result(SECONDS + 60)
                seen = witness.result()
            self.assertTrue(victim.is_alive())
            counted = victim.counters()[reason]
        ratio = seen["p99_ms"] / self.idle["p99_ms"]
        print(f"\n{name}: {crowd['connections']} connections, {crowd['closed']} closed, memory {memory.growth_mib:+.1f} MiB, "
              f"{seen['calls']} honest clients, p99 {seen['p99_ms']:.1f} ms, {ratio:.1f} of idle, {reason}={counted}")
        self.assertEqual(seen["failed"], 0, "the honest client was served")
        self.assertLessEqual(memory.growth_mib, MEMORY_MIB)
        self.assertGreater(counted, 0)
        cores.judge(self, ratio, SECONDS)

    def test_a_thousand_that_stop_in_the_middle_of_their_handshake(self):
        self.attack("stopped_in_the_middle", "tls_budget")

    def test_a_thousand_that_say_nothing(self):
        self.attack("silent", "tls_budget")

    def test_a_thousand_that_announce_a_long_message(self):
        self.attack("long_message_announced", "tls_budget")

    def test_a_thousand_that_announce_a_message_without_end(self):
        self.attack("endless_message_announced", "tls_failed")

    def test_a_crowd_where_places_are_enough_runs_out_of_time(self):
        self.attack("one_byte", "tls_timeout", size=500, tls_max_handshakes=600, tls_handshake_timeout="2s")


if __name__ == "__main__":
    unittest.main()
