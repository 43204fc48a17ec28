"""ValidateBatch and ValidateStream over a real database: many questions in one call, each as if it were alone."""

import contextlib
import queue
import threading
import time
import unittest

import grpc

from latchkey_test import Client
from latchkey_test.waiting import wait_until
from validate_case import ALLOW, API, DENY, ValidateCase, decision_pb2, revision_of, token_pb2, validation_pb2

UNSPECIFIED = decision_pb2.DECISION_UNSPECIFIED
BATCH_MAX = 1000
PARKED_MAX = 256
BATCH = "/latchkey.v1.ValidationService/ValidateBatch"


def question(token="", **fields):
    return validation_pb2.ValidateRequest(token=token, **{"channel": API, "client_ip": "203.0.113.7", **fields})


class ManyCase(ValidateCase):
    def setUp(self):
        self.created = self.create(permissions=["charges.create", "charges.read"])
        self.assertEqual(self.ask_about(self.created).decision, ALLOW)

    def good(self, **fields):
        return question(self.created.secret, **fields)

    @contextlib.contextmanager
    def stalled(self):
        """No validator gets on with the change log, because its renewals wait for a lock; leases run on meanwhile."""
        connection = self.deployment.connect()
        connection.autocommit = False
        with contextlib.closing(connection), connection.cursor() as cursor:
            cursor.execute("SELECT FROM latchkey.validator FOR UPDATE")
            yield

    def ahead(self, beyond=1):
        """A revision that will not be reached, because nothing has been committed there."""
        lane, head, mark = self.lane_of(self.created.access_token.company_id)
        return revision_of(lane, head + beyond, mark)

    def batch(self, *questions, client=None, timeout=30):
        request = validation_pb2.ValidateBatchRequest(requests=questions)
        return (client or self.client).validation.ValidateBatch(request, timeout=timeout).responses


def outcomes(answers):
    return [decision_pb2.Reason.Name(answer.reason).removeprefix("REASON_") for answer in answers]


def patiently(call):
    """What it returns once it is not refused by a server that is behind, as one under a sanitizer may be."""
    while True:
        try:
            return call()
        except grpc.RpcError as error:
            if error.code() is not grpc.StatusCode.UNAVAILABLE:
                raise
            time.sleep(0.1)


class Batches(ManyCase):
    settings = {"min_revision_wait": "500ms"}

    def test_answers_come_in_order_and_each_is_what_validate_says(self):
        questions = [self.good(), question("nonsense"), self.good(channel=0), self.good(permissions=["refunds.create"]),
                     self.good(permissions=["charges.read"]), question()]
        answers = self.batch(*questions)
        self.assertEqual(list(answers), [self.client.validation.Validate(one, timeout=10) for one in questions])
        self.assertEqual(outcomes(answers), ["OK", "MALFORMED", "CHANNEL_NOT_ALLOWED", "PERMISSION_MISSING", "OK", "MALFORMED"])

    def test_a_thousand_are_answered_and_one_more_is_refused_and_none(self):
        questions = [self.good() if i % 3 else question("nonsense") for i in range(BATCH_MAX)]
        self.assertEqual(outcomes(self.batch(*questions)), ["OK" if i % 3 else "MALFORMED" for i in range(BATCH_MAX)])
        self.assert_bad_fields(lambda: self.batch(*questions, question()), "requests")
        self.assert_bad_fields(lambda: self.batch(), "requests")

    def test_a_bad_question_denies_itself_only(self):
        bad = [self.good(client_ip="1" * 101), self.good(domain="d" * 1001), self.good(permissions=["p" * 101]),
               self.good(any_permissions=["charges.read"] * 257), self.good(min_revision="yesterday")]
        for one in bad:
            answers = self.batch(self.good(), one, self.good())
            self.assertEqual([answer.decision for answer in answers], [ALLOW, DENY, ALLOW], one)
            self.assertEqual(outcomes(answers)[1], "MALFORMED", one)

    def test_what_is_not_reached_is_not_current_and_the_others_are_decided(self):
        lane, head, mark = self.lane_of(self.created.access_token.company_id)
        old = self.good(min_revision=self.created.revision)
        foreign = self.good(min_revision=revision_of(lane, head, mark ^ 1))
        answers = self.batch(self.good(), self.good(min_revision=self.ahead(1)), old, foreign, self.good(min_revision=self.ahead(2)), self.good())
        self.assertEqual(outcomes(answers), ["OK", "NOT_CURRENT", "OK", "NOT_CURRENT", "NOT_CURRENT", "OK"])
        self.assertEqual([answer.decision for answer in answers], [ALLOW, UNSPECIFIED, ALLOW, UNSPECIFIED, UNSPECIFIED, ALLOW])

    def test_a_batch_waits_once_however_many_are_not_reached(self):
        started = time.monotonic()
        self.assertEqual(set(outcomes(self.batch(*[self.good(min_revision=self.ahead(i + 1)) for i in range(100)]))), {"NOT_CURRENT"})
        self.assertLess(time.monotonic() - started, 25)
        self.assertEqual(self.metric("latchkey_validate_parked_calls "), 0)

    def test_a_message_that_is_none_fails_the_call_as_anywhere(self):
        for body in (b"\x0a\x05x", b"\x0a\x02\x0a\x05", b"\x08\x01", b"\x0a\x03\x0a\x01\xff"):
            call = self.client.channel.unary_unary(BATCH)
            self.assert_refused(grpc.StatusCode.INTERNAL, "MESSAGE_MALFORMED", lambda body=body, call=call: call(body, timeout=10))

    def test_a_message_above_its_limit_is_refused_and_one_as_large_is_not(self):
        def padded(size):
            filler = question("x" * 60000)
            request = validation_pb2.ValidateBatchRequest(requests=[filler] * 17)
            request.requests.add(token="x" * (size - request.ByteSize() - 8))
            self.assertEqual(request.ByteSize(), size)
            return request
        answers = self.client.validation.ValidateBatch(padded(1 << 20), timeout=20).responses
        self.assertEqual(outcomes(answers), ["MALFORMED"] * 18)
        self.assert_refused(grpc.StatusCode.RESOURCE_EXHAUSTED, "MESSAGE_TOO_LARGE",
                            lambda: self.client.validation.ValidateBatch(padded((1 << 20) + 1), timeout=20))

    def test_unary_calls_are_answered_while_batches_are_worked_on(self):
        stop, failures, done = threading.Event(), [], []

        def ask_batches():
            with Client(self.validator.address) as client:
                while not stop.is_set():
                    try:
                        answers = patiently(lambda: self.batch(*[self.good()] * BATCH_MAX, client=client))
                        done.append(outcomes(answers).count("OK"))
                    except grpc.RpcError as error:
                        failures.append(error)
                        return
        threads = [threading.Thread(target=ask_batches) for _ in range(4)]
        for thread in threads:
            thread.start()
        try:
            wait_until(lambda: len(done) >= 4, 30, "batches to be answered")
            for _ in range(200):
                self.assertEqual(patiently(lambda: self.ask(self.created.secret)).decision, ALLOW)
        finally:
            stop.set()
            for thread in threads:
                thread.join()
        self.assertEqual((failures, set(done)), ([], {BATCH_MAX}))


class Stream:
    """One stream, whose questions are sent when they are put in."""

    def __init__(self, client, timeout=60):
        self.questions = queue.Queue()
        self.call = client.validation.ValidateStream(iter(self.questions.get, None), timeout=timeout)

    def put(self, number, asked):
        self.questions.put(validation_pb2.ValidateStreamRequest(id=number, request=asked))

    def end(self):
        self.questions.put(None)

    def next(self):
        answer = next(self.call)
        return answer.id, decision_pb2.Reason.Name(answer.response.reason).removeprefix("REASON_")

    def rest(self):
        return [(answer.id, decision_pb2.Reason.Name(answer.response.reason).removeprefix("REASON_")) for answer in self.call]


class Streams(ManyCase):
    settings = {"min_revision_wait": "8s"}  # the machine may be busy

    def test_each_answer_has_its_questions_id_and_the_stream_ends_when_all_are_answered(self):
        stream = Stream(self.client)
        kinds = [(self.good(), "OK"), (question("nonsense"), "MALFORMED"), (self.good(channel=0), "CHANNEL_NOT_ALLOWED"),
                 (self.good(domain="d" * 1001), "MALFORMED")]
        for number in range(2000):
            stream.put(number, kinds[number % 4][0])
        stream.end()
        answers = stream.rest()
        self.assertEqual(sorted(answers), [(number, kinds[number % 4][1]) for number in range(2000)])
        self.assertEqual(stream.call.code(), grpc.StatusCode.OK)

    def test_a_question_is_answered_without_waiting_for_the_next(self):
        stream = Stream(self.client)
        for number in (7, 7, 2**64 - 1, 0):
            stream.put(number, self.good())
            self.assertEqual(stream.next(), (number, "OK"))
        stream.questions.put(validation_pb2.ValidateStreamRequest(id=9))
        self.assertEqual(stream.next(), (9, "MALFORMED"))
        stream.end()
        self.assertEqual(stream.rest(), [])

    def test_what_waits_for_its_revision_lets_the_others_pass(self):
        stream = Stream(self.client)
        with self.stalled():
            created = self.create()
            stream.put(1, question(created.secret, min_revision=created.revision))
            stream.put(2, self.good())
            self.assertEqual(stream.next(), (2, "OK"))
        self.assertEqual(stream.next(), (1, "OK"))
        stream.end()
        self.assertEqual(stream.rest(), [])

    def test_what_is_not_reached_in_time_is_not_current_also_behind_the_end_of_the_questions(self):
        stream = Stream(self.client)
        with self.stalled():
            stream.put(1, self.good(min_revision=self.create().revision))
            stream.end()
            self.assertEqual(stream.rest(), [(1, "NOT_CURRENT")])

    def test_what_is_of_another_history_is_not_current(self):
        lane, head, mark = self.lane_of(self.created.access_token.company_id)
        stream = Stream(self.client)
        stream.put(1, self.good(min_revision=revision_of(lane, head, mark ^ 1)))
        stream.put(2, self.good(min_revision=self.ahead()))
        stream.end()
        self.assertEqual(sorted(stream.rest()), [(1, "NOT_CURRENT"), (2, "NOT_CURRENT")])

    def test_more_than_may_wait_are_not_current_at_once(self):
        stream = Stream(self.client)
        with self.stalled():
            revision = self.create().revision
            for number in range(PARKED_MAX + 10):
                stream.put(number, self.good(min_revision=revision))
            self.assertEqual([stream.next()[1] for _ in range(10)], ["NOT_CURRENT"] * 10)
        stream.end()
        self.assertEqual([reason for _, reason in stream.rest()], ["OK"] * PARKED_MAX)

    def test_a_stream_that_is_given_up_leaves_nothing_waiting(self):
        stream = Stream(self.client)
        with self.stalled():
            revision = self.create().revision
            for number in range(20):
                stream.put(number, self.good(min_revision=revision))
            stream.put(20, self.good())
            self.assertEqual(stream.next(), (20, "OK"))
            self.assertEqual(self.metric("latchkey_validate_parked_calls "), 20)
            stream.call.cancel()
            stream.end()
            wait_until(lambda: self.metric("latchkey_validate_parked_calls ") == 0, 20, "what waited to be forgotten")

    def test_a_deadline_ends_a_stream(self):
        stream = Stream(self.client, timeout=1)
        stream.put(1, self.good())
        self.assertEqual(stream.next(), (1, "OK"))
        with self.assertRaises(grpc.RpcError) as failed:
            stream.next()
        self.assertEqual(failed.exception.code(), grpc.StatusCode.DEADLINE_EXCEEDED)
        stream.end()

    def test_a_message_that_is_none_ends_the_stream_behind_the_answers_to_what_came_before(self):
        method = self.client.channel.stream_stream("/latchkey.v1.ValidationService/ValidateStream")
        good = validation_pb2.ValidateStreamRequest(id=1, request=self.good()).SerializeToString()
        call = method(iter([good, b"\x12\x05x"]), timeout=10)
        first = validation_pb2.ValidateStreamResponse.FromString(next(call))
        self.assertEqual((first.id, first.response.decision), (1, ALLOW))
        self.assert_refused(grpc.StatusCode.INTERNAL, "MESSAGE_MALFORMED", lambda: next(call))

    def test_a_client_that_does_not_read_is_not_read_from(self):
        sent = []

        def endless():
            number = 0
            while not stop.is_set():
                sent.append(number)
                yield validation_pb2.ValidateStreamRequest(id=number, request=self.good())
                number += 1
        stop = threading.Event()
        call = self.client.validation.ValidateStream(endless(), timeout=120)
        try:
            self.wait_until_still(sent)
            self.assertEqual(self.ask(self.created.secret).decision, ALLOW)
            answers = [next(call) for _ in range(len(sent))]
            self.assertEqual([answer.id for answer in answers], list(range(len(answers))))
        finally:
            stop.set()
            call.cancel()

    def wait_until_still(self, sent):
        """Both windows are full, and nothing has moved for a while."""
        last, since = -1, time.monotonic()
        deadline = since + 100
        while time.monotonic() - since < 1:
            self.assertLess(time.monotonic(), deadline, "the client is read from without an end")
            if len(sent) != last:
                last, since = len(sent), time.monotonic()
            time.sleep(0.02)


class Askers(ManyCase):
    settings = {"min_revision_wait": "10s", "trusted_proxies": "127.0.0.1"}
    FAR = (("x-forwarded-for", "198.51.100.1"),)

    def far_batch(self, secret, *questions):
        with Client(self.validator.address, secret) as client:
            return client.validation.ValidateBatch(validation_pb2.ValidateBatchRequest(requests=questions), timeout=20, metadata=self.FAR)

    def test_who_is_not_on_this_machine_needs_a_token(self):
        self.assert_refused(grpc.StatusCode.UNAUTHENTICATED, "SECRET_MISSING", lambda: self.far_batch(None, self.good()))
        self.assertEqual(outcomes(self.far_batch(self.created.secret, self.good()).responses), ["OK"])
        with Client(self.validator.address) as client:
            call = client.validation.ValidateStream(iter(()), timeout=20, metadata=self.FAR)
            self.assert_refused(grpc.StatusCode.UNAUTHENTICATED, "SECRET_MISSING", lambda: next(call))

    def test_a_stream_asks_no_longer_than_its_token_lives(self):
        asker = self.create()
        self.ask_about(asker)
        questions = queue.Queue()
        with Client(self.validator.address, asker.secret) as client:
            call = client.validation.ValidateStream(iter(questions.get, None), timeout=60, metadata=self.FAR)
            questions.put(validation_pb2.ValidateStreamRequest(id=1, request=self.good()))
            self.assertEqual(next(call).response.decision, ALLOW)
            request = token_pb2.DeactivateAccessTokenRequest(token_id=asker.access_token.token_id)
            request.wait_for_validators.seconds = 20
            self.assertTrue(self.administrator.tokens.DeactivateAccessToken(request, timeout=30).validators.all_confirmed)
            questions.put(validation_pb2.ValidateStreamRequest(id=2, request=self.good()))
            self.assert_refused(grpc.StatusCode.UNAUTHENTICATED, "DEACTIVATED", lambda: next(call))
            questions.put(None)


class Draining(ManyCase):
    def test_a_server_that_stops_answers_what_it_has_read_and_ends_its_streams(self):
        stream = Stream(self.client)
        stream.put(1, self.good())
        self.assertEqual(stream.next(), (1, "OK"))
        stopping = threading.Thread(target=self.validator.stop)
        stopping.start()
        self.assert_refused(grpc.StatusCode.UNAVAILABLE, "DRAINING", stream.next)
        stopping.join()
        stream.end()


if __name__ == "__main__":
    unittest.main()
