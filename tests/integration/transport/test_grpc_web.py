"""gRPC-Web in its binary mode: trailers come as a last message, for browsers, which cannot read others."""

import gzip
import unittest

from request_case import INTERNAL, INVALID_ARGUMENT, OK, UNIMPLEMENTED, RequestCase
from transport import SERVICE, framed, string_value


class Web(RequestCase):
    def web(self, method, data, headers=(), content_type="application/grpc-web"):
        answer = self.call(method, data, headers, content_type=content_type, without=("te",))
        self.assertEqual((answer.http_status, answer.trailers, answer.field("grpc-status")), (200, None, None))
        rest, messages, trailers = answer.data, [], None
        while rest:
            flag, length = rest[0], int.from_bytes(rest[1:5], "big")
            body, rest = rest[5:5 + length], rest[5 + length:]
            self.assertIsNone(trailers, "nothing follows the trailers")
            if flag == 0x80:
                self.assertTrue(body.endswith(b"\r\n"))
                trailers = [tuple(line.split(": ", 1)) for line in body.decode().split("\r\n")[:-1]]
            else:
                messages.append(body if flag == 0 else gzip.decompress(body))
        return answer, messages, trailers

    def test_trailers_are_the_last_message(self):
        for content_type in ("application/grpc-web", "application/grpc-web+proto"):
            answer, messages, trailers = self.web("Echo", framed(string_value("hello")), content_type=content_type)
            self.assertEqual((messages, trailers), ([string_value("hello")], [("grpc-status", "0")]))
            self.assertEqual(answer.field("content-type"), content_type)

    def test_messages_may_be_json(self):
        _, messages, trailers = self.web("Echo", framed(b'"hello"'), content_type="application/grpc-web+json")
        self.assertEqual((messages, trailers), ([b'"hello"'], [("grpc-status", "0")]))

    def test_server_stream_ends_with_its_trailers(self):
        _, messages, trailers = self.web("Count", framed(string_value("3")))
        self.assertEqual((messages, trailers), ([string_value(str(i)) for i in range(3)], [("grpc-status", "0")]))

    def test_metadata_of_both_kinds_keeps_its_place(self):
        answer, _, trailers = self.web("Command", framed(string_value("metadata")))
        self.assertEqual([value for name, value in answer.headers if name == "test-header"], ["first", "second"])
        self.assertEqual(trailers, [("grpc-status", "0"), ("test-trailer", "one"), ("test-trailer", "two"),
                                    ("test-trailer-bin", "AAH/")])

    def test_failures_are_trailers_of_the_body(self):
        _, messages, trailers = self.web("Command", framed(string_value("fail")))
        fields = dict(trailers)
        self.assertEqual((messages, fields["grpc-status"]), ([], str(INVALID_ARGUMENT)))
        self.assertTrue(fields["grpc-message"].startswith("%0Atest"))
        self.assertTrue(fields["grpc-status-details-bin"])
        for method, data, content_type, status in (
                ("Nope", b"", "application/grpc-web", UNIMPLEMENTED), ("Echo", b"", "application/grpc-web", UNIMPLEMENTED),
                ("Echo", framed(b"\xff"), "application/grpc-web", INTERNAL),
                ("Echo", framed(b"", 0x80), "application/grpc-web", INTERNAL),
                ("Echo", framed(b""), "application/grpc-web+foo", UNIMPLEMENTED)):
            _, _, trailers = self.web(method, data, content_type=content_type)
            self.assertEqual(dict(trailers)["grpc-status"], str(status), (method, data))

    def test_gzip_goes_both_ways(self):
        message = string_value("x" * 3000)
        headers = [("grpc-encoding", "gzip"), ("grpc-accept-encoding", "gzip")]
        answer, messages, trailers = self.web("Echo", framed(gzip.compress(message), 1), headers)
        self.assertEqual((answer.field("grpc-encoding"), messages, trailers), ("gzip", [message], [("grpc-status", "0")]))
        self.assertLess(len(answer.data), 200)

    def test_text_mode_is_not_spoken(self):
        for content_type in ("application/grpc-web-text", "application/grpc-web-text+proto"):
            stream = self.connection.request(SERVICE + "Echo", content_type=content_type, end=True)
            self.assertEqual(self.connection.wait(stream).http_status, 415)

    def test_timeout_is_grpcs(self):
        _, _, trailers = self.web("Command", framed(string_value("wait")), [("grpc-timeout", "50m")])
        self.assertEqual(dict(trailers)["grpc-status"], "4")
        self.assertEqual(self.web("Echo", framed(b""), [("connect-timeout-ms", "0")])[2], [("grpc-status", str(OK))])


if __name__ == "__main__":
    unittest.main()
