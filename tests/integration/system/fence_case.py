"""Nobody is admitted after the fence: three validators of which two are cut off from the database and one stands still, while
a token is deactivated and the deactivation confirmed. Who asks goes on asking all of them all the time.

A way to the database has a `url`, and cut() and heal(), which close nothing: whoever waits for an answer goes on waiting.
"""

import contextlib
import functools
import socket
import time

from latchkey_test import CallCase
from latchkey_test.background import Background
from latchkey_test.waiting import wait_until

from system import System

_ASKERS = 2  # of each validator
_WAITING = 50  # questions that lie before the validator that stands still
_SETTINGS = {"max_staleness": "10s", "poll_interval": "100ms"}
_REFUSALS = {"STALE", "DEACTIVATED"}


class Questions(Background):
    """Threads that ask all validators about one secret until they are told to stop."""

    def __init__(self, system, secret):
        self._system, self._secret = system, secret
        self._answers = {validator: [] for validator in system.validators}  # (asked at, answer)
        super().__init__(*[functools.partial(self._work, validator) for validator in system.validators for _ in range(_ASKERS)])

    def _work(self, validator):
        while not self.is_over.is_set():
            asked_at = time.monotonic()
            self._answers[validator].append((asked_at, self._system.ask(validator, self._secret, timeout=120)))

    def answers_since(self, instant):
        """Of each validator, to what was asked after that."""
        return [{answer for asked_at, answer in list(answers) if asked_at > instant} for answers in self._answers.values()]

    def wait_for(self, answer, since=0.0, timeout=60):
        """Until every validator has given it to a question asked since then."""
        wait_until(lambda: all(answer in answers for answers in self.answers_since(since)), timeout,
                   f"every validator to answer {answer}")


class FenceCase(CallCase):
    """`self.enter_database()` -> a PostgreSQL, and `self.enter_way(url)` -> a new way to it; both end with the test."""

    def start(self, stack):
        """A system of three validators, and their ways."""
        system = stack.enter_context(System(validators=0, postgres=self.enter_database(stack), **_SETTINGS))
        ways = [self.enter_way(stack, system.deployment.url) for _ in range(3)]
        for way in ways:
            system.start_validator(database_url=way.url)
            stack.callback(way.heal)
        return system, ways

    def test_none_that_is_cut_off_or_stands_still_admits_after_the_fence(self):
        with contextlib.ExitStack() as stack:
            system, ways = self.start(stack)
            still = system.validators[2]
            made = system.create()
            token_id = made.access_token.token_id
            questions = stack.enter_context(Questions(system, made.secret))
            questions.wait_for("OK")

            for way in ways[:2]:
                way.cut()
            still.pause()
            stack.callback(still.resume)
            early = system.deactivate(token_id, wait=1).validators
            self.assertEqual((early.live, early.confirmed, early.all_confirmed), (3, 0, False))
            self.assertEqual(sorted(early.lagging), sorted(self.name_of(validator) for validator in system.validators))
            waiting = [system.begin_asking(still, made.secret) for _ in range(_WAITING)]

            confirmed = system.deactivate(token_id, wait=40).validators
            fence = time.monotonic()
            self.assertEqual((confirmed.live, confirmed.confirmed, confirmed.all_confirmed, list(confirmed.lagging)),
                             (0, 0, True, []))
            # What was asked while it stood still is answered by the lease that it had, which it can't renew first.
            ways[2].cut()
            still.resume()
            self.assertEqual({system.end_asking(question) for question in waiting}, {"STALE"})
            for way in ways:
                way.heal()
            questions.wait_for("DEACTIVATED", fence)
            for answers in questions.answers_since(fence):
                self.assertLessEqual(answers, _REFUSALS)
            again = system.create().validators  # all three hold a lease again
            self.assertEqual((again.live, again.confirmed), (3, 3))

    def name_of(self, validator):
        return f"{socket.gethostname()}:{validator.address.rsplit(':', 1)[1]}"
