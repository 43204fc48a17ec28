"""Points 40 to 50 of what a gRPC server must send."""

import base64
import re
import unittest

from latchkey_test import stubs
from request_case import (DEADLINE_EXCEEDED, INTERNAL, INVALID_ARGUMENT, NO_ERROR, OK, RESOURCE_EXHAUSTED, UNIMPLEMENTED,
                          RequestCase)
from transport import framed, string_value

OWN_FIELDS = {"grpc-status", "grpc-message", "grpc-status-details-bin", "grpc-retry-pushback-ms", "grpc-encoding",
              "grpc-accept-encoding"}


def command(text):
    return framed(string_value(text))


class Responses(RequestCase):
    def failures(self):
        """Of the transport and of a handler, each with its code."""
        yield UNIMPLEMENTED, self.call("Nope")
        yield INTERNAL, self.call(data=framed(b"\xff"))
        yield RESOURCE_EXHAUSTED, self.call(data=b"\0\xff\xff\xff\xff")
        yield DEADLINE_EXCEEDED, self.call("Command", command("wait"), [("grpc-timeout", "10m")])
        yield INVALID_ARGUMENT, self.call("Command", command("fail"))

    def test_point_40_failures_of_calls_are_http_200(self):
        for code, answer in self.failures():
            self.assertEqual((answer.http_status, answer.status), (200, code))

    def test_point_41_headers_are_one_block_in_the_style_of_the_request(self):
        self.call()  # the first of a connection also tells the encodings
        for content_type in ("application/grpc", "application/grpc+proto"):
            answer = self.call(content_type=content_type)
            self.assertEqual(answer.headers, [(":status", "200"), ("content-type", content_type)])

    def test_point_42_status_is_always_there_and_decimal(self):
        answer = self.call()
        self.assertEqual((answer.messages(), answer.trailers), ([string_value("hello")], [("grpc-status", "0")]))
        for code, answer in self.failures():
            self.assertEqual(answer.field("grpc-status"), str(code))

    def test_point_43_failures_without_messages_are_trailers_only(self):
        for code, answer in self.failures():
            if answer.field("test-header") is None:
                self.assert_refused(answer, code)

    def test_point_43_header_fields_of_a_handler_keep_a_block_of_their_own(self):
        answer = self.call("Command", command("fail"))
        self.assertIn(("test-header", "first"), answer.headers)
        self.assertNotIn("grpc-status", dict(answer.headers))
        self.assertEqual(dict(answer.trailers)["grpc-status"], str(INVALID_ARGUMENT))

    def test_point_44_message_is_percent_encoded_utf8(self):
        answer = self.call("Command", command("fail"))
        self.assertEqual(answer.field("grpc-message"), "%0Atest with whitespace%0D%0Aand Unicode BMP %E2%98%BA and "
                                                       "non-BMP %F0%9F%98%88%0A")

    def test_point_45_details_have_the_code_of_the_status(self):
        for code, answer in self.failures():
            text = answer.field("grpc-status-details-bin")
            status = stubs.messages("google/rpc/status.proto").Status.FromString(base64.b64decode(text + "=" * (-len(text) % 4)))
            self.assertEqual(status.code, code)
            self.assertTrue(status.details)
        answer = self.call("Command", command("status"))
        self.assertEqual((answer.status, answer.field("grpc-message")), (15, "of its own making"))

    def test_point_46_early_answer_is_followed_by_a_reset_without_error(self):
        stream = self.connection.request("/no.Such/Method")
        answer = self.connection.wait(stream)
        self.assert_refused(answer, UNIMPLEMENTED)
        self.connection.settle()
        self.assertEqual(answer.reset, NO_ERROR)

    def test_point_47_headers_and_trailers_are_within_8_kib(self):
        for count in (1, 10, 30, 100, 1000):
            answer = self.call("Command", command(f"violations {count}"))
            fields = (answer.headers or []) + (answer.trailers or [])
            self.assertEqual(answer.status, INVALID_ARGUMENT)
            self.assertLessEqual(sum(len(name) + len(value) + 32 for name, value in fields), 8192, count)
            self.assertTrue(answer.field("grpc-status-details-bin"))

    def test_point_48_only_the_protocols_own_fields_begin_with_grpc(self):
        answers = [answer for _, answer in self.failures()] + [self.call(), self.call("Command", command("metadata"))]
        for answer in answers:
            for name, _ in (answer.headers or []) + (answer.trailers or []):
                self.assertTrue(re.fullmatch(":?[a-z0-9_.-]+", name), name)
                self.assertTrue(not name.startswith("grpc-") or name in OWN_FIELDS, name)

    def test_point_49_pushback_is_milliseconds(self):
        self.assertEqual(self.call("Command", command("fail")).field("grpc-retry-pushback-ms"), "1500")

    def test_point_50_accepted_encodings_are_told_with_a_connections_first_answer(self):
        self.assertEqual(self.call().field("grpc-accept-encoding"), "identity,gzip")
        self.assertIsNone(self.call().field("grpc-accept-encoding"))

    def test_metadata_of_an_answer_keeps_its_order_and_its_place(self):
        answer = self.call("Command", command("metadata"))
        self.assertEqual(answer.status, OK)
        self.assertEqual([value for name, value in answer.headers if name == "test-header"], ["first", "second"])
        self.assertEqual([value for name, value in answer.trailers if name == "test-trailer"], ["one", "two"])


if __name__ == "__main__":
    unittest.main()
