"""request_id, of every change that is served: asked again, asked twenty times at once, and asked again after a process or
a connection ended in the middle of it."""

import os
import threading
import unittest
from concurrent.futures import ThreadPoolExecutor

import grpc

from latchkey_test import QUIET, CallCase, Deployment, Stage, contract, error_info, missing_requests
from latchkey_test.effect import Effect
from latchkey_test.repetition import content, with_id
from latchkey_test.tap import AFTER_COMMIT, COMMIT, Tap, trips_of_last_call
from latchkey_test.waiting import wait_until

CHANGES = [method for method in contract.served_methods() if method.is_change and not method.is_open]
STRUCK = CHANGES[::100 // int(os.environ.get("LATCHKEY_TEST_SHARE", "100"))]
TWINS = 20


def other_content(request):
    """The request with something else in its first field, or None where it has none of its own."""
    other = type(request).FromString(request.SerializeToString())
    for path, message, field in contract.walk(other):
        is_single = field.label != field.LABEL_REPEATED
        if is_single and field.type == field.TYPE_STRING and path != ("request_id",):
            setattr(message, field.name, getattr(message, field.name) + "x")
            return other
        if is_single and field.type == field.TYPE_BOOL:
            setattr(message, field.name, not getattr(message, field.name))
            return other
    return None


class ChangeCase(CallCase):
    def of_each(self, check, methods=CHANGES):
        for method in methods:
            with self.subTest(method.name):
                check(method)

    def call(self, method, request):
        return self.stage.caller(method).call(method, request)

    def once(self, method):
        """What one call does, after another of its kind: a list that was published then replaces one like it."""
        self.call(method, self.stage.request(method))
        request = with_id(self.stage.request(method))
        effect = Effect(self.deployment)
        self.call(method, request)
        return effect.since()


class Repeated(ChangeCase):
    @classmethod
    def setUpClass(cls):
        cls.deployment = Deployment(workers=16, **QUIET)
        cls.deployment.__enter__()
        cls.addClassCleanup(cls.deployment.__exit__)
        cls.stage = Stage(cls.deployment)
        cls.addClassCleanup(cls.stage.close)

    def test_every_method_has_a_request_in_the_table(self):
        self.assertEqual(missing_requests(), [])

    def test_every_change_leaves_an_event_in_the_audit_log(self):
        def check(method):
            self.assertGreaterEqual(self.once(method).get("audit_event", 0), 1)

        self.of_each(check)

    def test_asked_again_it_answers_the_same_and_does_nothing(self):
        def check(method):
            request = with_id(self.stage.request(method))
            first = self.call(method, request)
            effect = Effect(self.deployment)
            second = self.call(method, request)
            self.assertEqual(content(second), content(first))
            self.assertEqual(effect.since(), {})
            if "secret" in method.response.DESCRIPTOR.fields_by_name:
                self.assertTrue(first.secret and not first.secret_withheld)
                self.assertTrue(second.secret_withheld and not second.secret)

        self.of_each(check)

    def test_waiting_for_validators_is_no_other_content(self):
        def check(method):
            request = with_id(self.stage.request(method))
            first = self.call(method, request)
            request.wait_for_validators.seconds = 10
            self.assertEqual(content(self.call(method, request)), content(first))

        self.of_each(check)

    def test_other_content_under_the_same_id_is_refused_and_does_nothing(self):
        def check(method):
            request = with_id(self.stage.request(method))
            self.call(method, request)
            other = other_content(request)
            if other is None:
                return  # such as ConfirmWhitelist, which says all by its name
            effect = Effect(self.deployment)
            self.assert_refused(grpc.StatusCode.ALREADY_EXISTS, "REQUEST_ID_REUSED",
                                lambda: self.call(method, other))
            self.assertEqual(effect.since(), {})

        self.of_each(check)

    def test_of_twenty_at_once_one_has_an_effect_and_all_get_its_answer(self):
        def check(method):
            once = self.once(method)
            request = with_id(self.stage.request(method))
            effect = Effect(self.deployment)
            with ThreadPoolExecutor(TWINS) as pool:
                answers = list(pool.map(lambda _: self.call(method, request), range(TWINS)))
            self.assertEqual(effect.since(), once)
            self.assertEqual([content(answer) for answer in answers], [content(answers[0])] * TWINS)
            if "secret" in method.response.DESCRIPTOR.fields_by_name:
                self.assertEqual(len([answer for answer in answers if answer.secret]), 1)

        self.of_each(check)

class CutShort(ChangeCase):
    """Each change is struck in the middle: before a round trip to PostgreSQL was sent on, or after. Acknowledged means
    there, once; and whatever became of it, the same request again leaves it there once."""

    @classmethod
    def setUpClass(cls):
        cls.deployment = Deployment()
        cls.deployment.prepare()
        cls.tap = Tap(cls.deployment.url)
        cls.tap.__enter__()
        cls.addClassCleanup(cls.tap.__exit__)
        cls.deployment.server.remove()
        cls.deployment.server = cls.deployment.beside(database_url=cls.tap.url, workers=4, log_level="warning", **QUIET)
        cls.deployment.__enter__()
        cls.addClassCleanup(cls.deployment.__exit__)
        cls.stage = Stage(cls.deployment)
        cls.addClassCleanup(cls.stage.close)

    def strike_at_each_trip(self, strike):
        def check(method):
            self.tap.take()
            once = self.once(method)
            trips = len(trips_of_last_call(self.tap.take()))
            for trip in range(trips):
                for is_sent in (False, True):
                    with self.subTest(method=method.name, trip=f"{trip + 1} of {trips}", is_sent=is_sent):
                        self.strike_one(method, once, (trip, is_sent, strike), lambda: None)

        self.of_each(check, STRUCK)

    def strike_at_commit(self, strike, revive=lambda: None):
        def check(method):
            once = self.once(method)
            for is_sent in (False, True):
                with self.subTest(method=method.name, is_sent=is_sent):
                    self.strike_one(method, once, (COMMIT, is_sent, strike), revive)

        self.of_each(check, STRUCK)

    def strike_one(self, method, once, blow, revive):
        request = with_id(self.stage.request(method))
        effect = Effect(self.deployment)
        self.tap.arm(*blow)
        try:
            answer = self.call(method, request)
        except grpc.RpcError as error:
            answer = None
            self.assertEqual(error.code(), grpc.StatusCode.UNAVAILABLE, error.details())
        self.assertTrue(self.tap.disarm())
        revive()
        if answer is not None:
            self.assertEqual(effect.since(), once, "acknowledged")
        again = self.call_until_answered(method, request)
        self.assertEqual(effect.since(), once, "asked again")
        if answer is not None:
            self.assertEqual(content(again), content(answer))

    def strike_after_commit(self, method):
        """Whether there was a trip to PostgreSQL after the one with COMMIT, for the revision: it is cut off."""
        once = self.once(method)
        request = with_id(self.stage.request(method))
        effect = Effect(self.deployment)
        self.tap.arm(AFTER_COMMIT, False, lambda _: None)
        try:
            self.call(method, request)
        except grpc.RpcError as error:
            self.assertEqual((error.code(), error_info(error).reason), (grpc.StatusCode.UNAVAILABLE, "OUTCOME_UNKNOWN"))
        is_struck = self.tap.disarm()
        self.assertEqual(effect.since(), once)
        self.call_until_answered(method, request)
        self.assertEqual(effect.since(), once, "asked again")
        return is_struck

    def call_until_answered(self, method, request):
        """PostgreSQL may not have noticed yet that whom it works for is gone: his locks are another's reason to wait (ABORTED)."""
        def attempt():
            try:
                return self.call(method, request)
            except grpc.RpcError as error:
                self.assertIn(error.code(), (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.ABORTED), error.details())
                return None
        return wait_until(attempt, 60, "an answer")

    def test_a_server_that_is_killed_in_the_middle(self):
        self.strike_at_commit(lambda _: self.deployment.server.kill(), self.deployment.server.start)

    def test_a_connection_to_postgresql_that_breaks_in_the_middle(self):
        self.strike_at_each_trip(lambda _: None)

    def test_a_connection_that_breaks_after_commit_is_no_reason_to_say_that_nothing_was_done(self):
        struck = []

        def check(method):
            if self.strike_after_commit(method):
                struck.append(method.name)

        self.of_each(check)
        self.assertIn("DiscardWhitelistDraft", struck)

    def test_a_deadline_that_passes_after_commit_is_no_reason_to_say_so_either(self):
        self.hold_after_commit(lambda _: None, max_deadline="2s")

    def test_nor_is_a_statement_that_is_cancelled_after_commit(self):
        def cancel(line):
            wait_until(lambda: self.deployment.postgres.is_waiting(line.backend, "Lock"), 20, "the trip after COMMIT")
            self.deployment.execute(f"SELECT pg_cancel_backend({line.backend})")

        self.hold_after_commit(cancel)

    def hold_after_commit(self, strike, **settings):
        """PostgreSQL does not answer the trip after COMMIT while the call lasts."""
        method, = (method for method in CHANGES if method.name == "DiscardWhitelistDraft")
        with self.deployment.beside(database_url=self.tap.url, **settings, **QUIET) as server, \
                self.stage.caller(method).at(server.address) as client, self.deployment.connect() as lock:
            once = self.once(method)
            request = with_id(self.stage.request(method))
            effect, is_over = Effect(self.deployment), threading.Event()
            self.tap.arm(AFTER_COMMIT, True, lambda line: strike(line) or is_over.wait(60), lambda _: self.lock_the_lanes(lock))
            try:
                self.assert_refused(grpc.StatusCode.UNAVAILABLE, "OUTCOME_UNKNOWN", lambda: client.call(method, request))
            finally:
                is_over.set()
                lock.rollback()
            self.assertTrue(self.tap.disarm())
            self.assertEqual(effect.since(), once)

    def lock_the_lanes(self, connection):
        """Nobody reads how far they are."""
        connection.autocommit = False
        connection.cursor().execute("LOCK TABLE latchkey.change_lane IN ACCESS EXCLUSIVE MODE")

    def test_a_backend_of_postgresql_that_is_terminated_in_the_middle(self):
        self.strike_at_commit(lambda _: self.deployment.execute(
            "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity"
            " WHERE datname = current_database() AND application_name LIKE 'latchkey%'"))


if __name__ == "__main__":
    unittest.main()
