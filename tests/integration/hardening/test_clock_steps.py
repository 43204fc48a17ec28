"""Clocks of the wall that are stepped, both ways, under running processes (faketime): no lease and no fence counts by them,
and a validator whose clock is far from the database's decides nothing until it is right again.
"""

import datetime
import sys
import tempfile
import unittest
from pathlib import Path

from latchkey_test import CallCase, PrivatePostgres
from latchkey_test.waiting import wait_until

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "system"))

from system import System

_HOUR = 3600
_LIBRARIES = "*/faketime/libfaketimeMT.so.1"  # of Debian's architectures, in /usr/lib


class WallClock:
    """Of the processes with its `environment`; their other clocks are the machine's."""

    def __init__(self):
        self._file = tempfile.NamedTemporaryFile("w", prefix="latchkey-clock-", encoding="ascii")
        self.step(0)
        self.environment = {"LD_PRELOAD": str(next(Path("/usr/lib").glob(_LIBRARIES))), "FAKETIME_TIMESTAMP_FILE": self._file.name,
                            "FAKETIME_NO_CACHE": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}

    def step(self, seconds):
        """To so far from the machine's."""
        self._file.seek(0)
        self._file.write(f"{seconds:+d}\n")
        self._file.truncate()
        self._file.flush()


class ClockSteps(CallCase):
    def start(self, clock, **settings):
        system = self.enterContext(System(validators=0, postgres=self.enterContext(PrivatePostgres()),
                                          poll_interval="100ms", **settings))
        return system, system.start_validator(clock.environment)

    def test_a_validator_far_from_the_databases_time_decides_nothing_until_it_is_right_again(self):
        clock = WallClock()
        system, validator = self.start(clock)
        secret = system.create().secret
        for step in (_HOUR, -_HOUR):
            with self.subTest(step=step):
                clock.step(step)
                self.assertIn(system.ask_until(validator, secret, "STALE"), ([], ["OK"]))
                self.assertIn("clock", validator.admin("/readyz")[1])
                clock.step(0)
                self.assertIn(system.ask_until(validator, secret, "OK"), ([], ["STALE"]))

    def test_a_step_lengthens_no_lease(self):
        clock = WallClock()
        system, validator = self.start(clock, max_staleness="3s")
        secret = system.create().secret
        for step in (_HOUR, -_HOUR):
            with self.subTest(step=step):
                system.ask_until(validator, secret, "OK")
                system.deployment.postgres.stop()
                clock.step(step)
                self.assertIn(system.ask_until(validator, secret, "STALE"), ([], ["OK"]))
                clock.step(0)
                self.assertEqual(system.ask(validator, secret), "STALE")
                system.deployment.postgres.start()

    def test_a_token_ends_by_the_databases_time(self):
        clock = WallClock()
        system, validator = self.start(clock, max_clock_skew="60s")
        clock.step(50)
        self.wait_until_corrected(validator, -50)
        self.assertEqual(system.ask(validator, system.create(expire_in={"seconds": 40}).secret), "OK")
        clock.step(-50)
        self.wait_until_corrected(validator, 50)
        made = system.create(expire_in={"seconds": 2})
        end = made.access_token.expires_at.ToDatetime(datetime.timezone.utc) + datetime.timedelta(seconds=1)
        wait_until(lambda: system.deployment.execute("SELECT clock_timestamp()")[0][0] > end, 30, "the token to have ended")
        self.assertEqual(system.ask(validator, made.secret), "EXPIRED")

    def wait_until_corrected(self, validator, seconds):
        name = "latchkey_follower_clock_correction_seconds"
        wait_until(lambda: any(abs(float(line.split()[1]) - seconds) < 5
                               for line in validator.admin("/metrics")[1].splitlines() if line.startswith(name + " ")),
                   30, f"a correction of {seconds} s")

    def test_a_step_neither_opens_nor_keeps_shut_a_fence(self):
        clock = WallClock()
        system, validator = self.start(WallClock(), max_staleness="12s")
        server = self.enterContext(system.deployment.beside("latchkey-token", environment=clock.environment))
        client = self.enterContext(system.deployment.administrator(server))
        token_id = system.create().access_token.token_id
        validator.pause()
        self.addCleanup(validator.resume)
        for step in (0, _HOUR):
            clock.step(step)
            answer = system.deactivate(token_id, wait=1, client=client).validators
            self.assertEqual((answer.live, answer.confirmed, answer.all_confirmed), (1, 0, False), step)
        clock.step(-_HOUR)
        answer = system.deactivate(token_id, wait=40, client=client).validators
        self.assertEqual((answer.live, answer.confirmed, answer.all_confirmed), (0, 0, True))


if __name__ == "__main__":
    unittest.main()
