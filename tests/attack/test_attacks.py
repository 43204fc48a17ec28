"""Every attack of WIRE.md, section 3, on a server that somebody else uses.

LATCHKEY_ATTACK_SECONDS (30) is how long each lasts. What must be so is asserted: the server lives, holds no more than 64 MiB
more, serves the honest client, and has ended the attackers' connections for the reason that is counted by name. The honest
client's p99 is in the table at the end, by what it is while nobody attacks; in a full run it is three times that at most. Who
runs where for that is said in cores.py. Crowds in TLS's handshake are in test_tls_attacks.py.
"""

import os
import unittest

import cores
import victim as parties
from victim import Connection, MemoryWatch, Victim, framed, string_value

SECONDS = float(os.environ.get("LATCHKEY_ATTACK_SECONDS", "30"))
CONNECTIONS, CROWD = 4, 1000
MEMORY_MIB = 64
OK, RESOURCE_EXHAUSTED = 0, 8

# What is waited for in these tests would otherwise take longer than they last.
PATIENCE = f"{max(500, int(SECONDS * 1000 / 5))}ms"
SETTINGS = {"preface_timeout": PATIENCE, "request_timeout": PATIENCE, "idle_timeout": PATIENCE,
            "write_stall_timeout": PATIENCE}

FLOODS = {  # attack -> what its connections are closed for
    "rapid_reset": "too_many_resets",
    "rapid_reset_with_short_timeouts": "too_many_resets",
    "late_resets": "too_many_late_resets",
    "made_you_reset_by_window_update": "too_many_resets",
    "made_you_reset_by_initial_window": "too_many_resets",
    "made_you_reset_by_content_length": "too_many_resets",
    "made_you_reset_by_malformed_headers": "too_many_resets",
    "made_you_reset_by_malformed_trailers": "too_many_resets",
    "made_you_reset_by_refused_streams": "too_many_resets",
    "made_you_reset_by_early_answers": "too_many_resets",
    "continuation_flood": "too_many_continuations",
    "one_byte_header_flood": "too_many_continuations",
    "hpack_bomb": "too_many_fields",
    "header_lists_over_the_limit": "too_many_large_headers",
    "ping_flood": "too_many_pings",
    "ping_answer_flood": "too_many_other_frames",
    "unknown_frame_flood": "too_many_other_frames",
    "settings_flood": "too_many_settings",
    "window_update_flood": "too_many_window_updates",
    "window_updates_for_ended_streams": "too_many_window_updates",
    "priority_flood": "too_many_priorities",
    "empty_data_flood": "too_many_empty_frames",
    "data_for_ended_streams": "too_much_late_data",
    "goaway_flood": "too_many_other_frames",
    "gzip_bomb": "too_much_inflation",
    "zero_window": "write_stalled",
    "answers_without_reading": "write_stalled",
}
CROWDS = {
    "slow_preface": "preface_timeout",
    "slow_headers": "header_timeout",
    "silent": "preface_timeout",
    "half_open": "peer_closed",
}

_table = []


def setUpModule():
    with Victim() as idle:
        seen = parties.witness(idle, SECONDS).result()
    _table.append(("(nobody attacks)", 0, 0, 0, "", 0, seen))


def tearDownModule():
    idle = _table[0][-1]["p99_ms"]
    print(f"\n{'attack':<38}{'conns':>7}{'closed':>8}{'sent MiB':>10}{'memory MiB':>12}{'honest calls':>14}{'p99 ms':>8}"
          f"{'/ idle':>8}  closed for")
    for name, connections, closed, sent, reason, growth, seen in _table:
        print(f"{name:<38}{connections:>7}{closed:>8}{sent / 2**20:>10.0f}{growth:>12.1f}"
              f"{seen['calls'] - seen['failed']:>14}{seen['p99_ms']:>8.1f}{seen['p99_ms'] / idle:>8.1f}  {reason}")


class AttackCase(unittest.TestCase):
    def attack(self, name, connections, seconds=SECONDS, **settings):
        """The attackers' view and the counters, after what must be so of every attack has been asserted."""
        with Victim(**SETTINGS, **settings) as victim:
            with Connection(victim) as connection:
                self.assertEqual(connection.call("Echo").status, OK)
            with MemoryWatch(victim) as memory:
                witness = parties.witness(victim, seconds)
                attackers = parties.attack(victim, name, seconds, connections).result(seconds + 60)
                seen = witness.result()
            self.assertTrue(victim.is_alive())
            counters = victim.counters()
        closed_for = " ".join(f"{reason}={count}" for reason, count in counters.items() if count and reason != "refused")
        _table.append((name, attackers["connections"], attackers["closed"], attackers["sent_bytes"], closed_for,
                       memory.growth_mib, seen))
        self.assertEqual(seen["failed"], 0, "the honest client was served")
        self.assertGreater(seen["calls"], 0)
        self.assertLess(memory.growth_mib, MEMORY_MIB)
        cores.judge(self, seen["p99_ms"] / _table[0][-1]["p99_ms"], seconds)
        return attackers, counters


class Floods(AttackCase):
    """Each is one test; most are made below, from the table."""

    def test_requests_that_do_not_end(self):
        """Whoever holds more than is left for others is refused, and may stay."""
        _, counters = self.attack("requests_that_do_not_end", CONNECTIONS)
        self.assertGreater(counters["refused"], 0)

    def test_made_you_reset_by_data_beyond_the_window(self):
        """Each reset takes 64 KiB, so that the usual 2000 of them are a matter of the machine's speed."""
        _, counters = self.attack("made_you_reset_by_data_beyond_the_window", CONNECTIONS, reset_burst=100)
        self.assertGreater(counters["too_many_resets"], 0)


class Crowds(AttackCase):
    def test_never_closing(self):
        """They are told to go, do not answer, and are closed when that has lasted for five seconds."""
        _, counters = self.attack("never_closing", CROWD, max(SECONDS, 8))
        self.assertGreater(counters["idle_timeout"], 0)

    def test_slow_body(self):
        """Calls that do not arrive are answered; the connections stay, and are limited in number."""
        attackers, _ = self.attack("slow_body", CROWD)
        self.assertGreaterEqual(attackers["connections"], CROWD)


def _add(case, name, reason, connections):
    def test(self):
        _, counters = self.attack(name, connections)
        self.assertGreater(counters[reason], 0)
    setattr(case, f"test_{name}", test)


for _name, _reason in FLOODS.items():
    _add(Floods, _name, _reason, CONNECTIONS)
for _name, _reason in CROWDS.items():
    _add(Crowds, _name, _reason, CROWD)


class Honest(unittest.TestCase):
    def test_cancels_of_one_in_a_hundred_are_never_punished(self):
        with Victim() as victim:
            seen = parties.Helper("honest.py", *victim.address, SECONDS, 20000).result(SECONDS + 60)
            counters = victim.counters()
        print(f"\n{seen['calls_per_s']:.0f} calls/s, of which {seen['cancelled']} cancelled")
        self.assertEqual((seen["refused"], counters["too_many_resets"], counters["refused"]), (0, 0, 0))
        self.assertEqual(seen["answered"], seen["started"] - seen["cancelled"])

    def test_header_list_over_the_limit_leaves_compression_in_step(self):
        """Fields of the list that was refused are in HPACK's table, and named by the next request."""
        with Victim() as victim, Connection(victim) as connection:
            large = [(f"x-{i}", "v" * 50) for i in range(200)]
            for _ in range(20):
                self.assertEqual(connection.call("Echo", headers=large).status, RESOURCE_EXHAUSTED)
                answer = connection.call("Echo", framed(string_value("next")), headers=large[-60:])
                self.assertEqual(answer.messages(), [string_value("next")])
            self.assertEqual(connection.call("Echo", headers=[(name, value + "!") for name, value in large[:50]]).status, OK)


if __name__ == "__main__":
    unittest.main()
