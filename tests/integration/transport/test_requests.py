"""Calls of every shape, and what ends them, where no point of the list (test_wire_points_*.py) names it."""

import unittest

from request_case import DEADLINE_EXCEEDED, INTERNAL, OK, RequestCase
from transport import SERVICE, framed, string_value


class Requests(RequestCase):
    def test_deadline_passes_while_the_handler_waits(self):
        answer = self.call("Command", framed(string_value("wait")), [("grpc-timeout", "50m")])
        self.assert_refused(answer, DEADLINE_EXCEEDED)

    def test_deadline_passes_while_the_request_is_arriving(self):
        stream = self.connection.request(SERVICE + "Echo", [("grpc-timeout", "50m")])
        self.assert_refused(self.connection.wait(stream), DEADLINE_EXCEEDED)

    def test_metadata_of_a_handler_goes_with_its_own_answers_only(self):
        for content_type, timeout, command in (("application/grpc", "grpc-timeout", framed(string_value("promise"))),
                                               ("application/grpc-web", "grpc-timeout", framed(string_value("promise"))),
                                               ("application/json", "connect-timeout-ms", b'"promise"')):
            value = "50m" if timeout == "grpc-timeout" else "50"
            answer = self.call("Command", command, [(timeout, value)], content_type=content_type)
            names = [name for name, _ in answer.headers + (answer.trailers or [])]
            self.assertFalse([name for name in names if "test-" in name], content_type)
            self.assertNotIn(b"test-trailer", answer.data)

    def test_bytes_go_to_a_handler_with_its_own_decoder(self):
        answer = self.call("Raw", framed(b"\xff\x00 not protobuf"))
        self.assertEqual((answer.status, answer.messages()), (OK, [b"\xff\x00 not protobuf"]))

    def test_server_stream_waits_for_the_clients_window(self):
        self.connection.acknowledges = False
        stream = self.connection.request(SERVICE + "Count")
        self.connection.data(stream, framed(string_value("100000")), end=True)
        while len(self.connection.answers[stream].data) < 65535:
            self.connection.pump()
        # Another call of the connection is not held up by what waits for the first one's window, but by the
        # connection's: that is the client's own.
        self.connection.h2.increment_flow_control_window(1 << 20)
        self.assertEqual(self.call().status, OK)
        self.assertEqual(len(self.connection.answers[stream].data), 65535)
        self.connection.acknowledges = True
        self.connection.h2.increment_flow_control_window(1 << 20, stream)
        self.connection.flush()
        answer = self.connection.wait(stream, 30)
        self.assertEqual(answer.status, OK)
        self.assertEqual([int(m[2:]) for m in answer.messages()], list(range(100000)))

    def test_client_stream_joins_all_messages(self):
        data = b"".join(framed(string_value(str(i))) for i in range(10))
        self.assertEqual(self.call("Join", data).messages(), [string_value("0123456789")])

    def test_bidirectional_stream_answers_before_the_client_has_ended(self):
        stream = self.connection.request(SERVICE + "Talk")
        for text in ("one", "two"):
            self.connection.data(stream, framed(string_value(text)))
            while self.connection.answers[stream].messages()[-1:] != [string_value(text)]:
                self.connection.pump()
        self.connection.data(stream, b"", end=True)
        self.assertEqual(self.connection.wait(stream).status, OK)

    def test_bad_message_ends_a_stream_that_has_begun(self):
        stream = self.connection.request(SERVICE + "Talk")
        self.connection.data(stream, framed(string_value("good")) + framed(b"\x0a\x01\xff"))
        answer = self.connection.wait(stream)
        self.assertEqual((answer.status, answer.messages()), (INTERNAL, [string_value("good")]))


if __name__ == "__main__":
    unittest.main()
