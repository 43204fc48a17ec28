"""Points 23 to 39 of what a gRPC server must do with a request's messages; compressed ones in test_gzip.py, too."""

import gzip
import unittest

from request_case import (ABORTED, ALREADY_EXISTS, DATA_LOSS, FAILED_PRECONDITION, INTERNAL, INVALID_ARGUMENT, NOT_FOUND, OK,
                          OUT_OF_RANGE, RESOURCE_EXHAUSTED, UNIMPLEMENTED, RequestCase)
from transport import SERVICE, framed, string_value

MEBIBYTE = 1024 * 1024
GZIP = [("grpc-encoding", "gzip")]


class Messages(RequestCase):
    def test_point_23_one_byte_frames_are_put_together(self):
        stream = self.connection.request(SERVICE + "Echo")
        data = framed(string_value("slowly"))
        for i in range(len(data)):
            self.connection.data(stream, data[i:i + 1], end=i == len(data) - 1)
        answer = self.connection.wait(stream)
        self.assertEqual((answer.status, answer.messages()), (OK, [string_value("slowly")]))

    def test_point_23_padded_frames_are_put_together(self):
        stream = self.connection.request(SERVICE + "Echo")
        data = framed(string_value("padded"))
        for i in range(0, len(data), 5):
            self.connection.h2.send_data(stream, data[i:i + 5], end_stream=i + 5 >= len(data), pad_length=255)
        self.connection.flush()
        self.assertEqual(self.connection.wait(stream).messages(), [string_value("padded")])

    def test_point_23_many_messages_may_come_in_one_frame(self):
        data = b"".join(framed(string_value(str(i))) for i in range(10))
        self.assertEqual(self.call("Join", data).messages(), [string_value("0123456789")])

    def test_point_24_other_flags_are_internal(self):
        for flag in (2, 3, 128, 255):
            self.assert_refused(self.call(data=framed(b"", flag)), INTERNAL)

    def test_point_25_compressed_without_encoding_is_internal(self):
        self.assert_refused(self.call(data=framed(b"", 1)), INTERNAL)
        self.assert_refused(self.call(data=framed(b"", 1), headers=[("grpc-encoding", "identity")]), INTERNAL)

    def test_point_26_unknown_encoding_is_unimplemented_and_the_known_ones_are_named(self):
        for encoding in ("snappy", "gzip,gzip", "GZIP"):
            answer = self.call(headers=[("grpc-encoding", encoding)])
            self.assert_refused(answer, UNIMPLEMENTED)
            self.assertEqual(answer.field("grpc-accept-encoding"), "identity,gzip")

    def test_point_27_corrupt_compression_is_internal(self):
        whole = gzip.compress(string_value("hello"))
        spoiled = whole[:-6] + bytes([whole[-6] ^ 1]) + whole[-5:]
        for data in (b"", b"plain", whole[:-1], whole[:10], spoiled, whole + b"x", whole + whole):
            self.assert_refused(self.call(data=framed(data, 1), headers=GZIP), INTERNAL)

    def test_point_28_only_a_client_that_takes_gzip_gets_it(self):
        message = string_value("x" * 5000)
        answer = self.call(data=framed(message))
        self.assertEqual((answer.field("grpc-encoding"), answer.data[0]), (None, 0))
        answer = self.call(data=framed(gzip.compress(message), 1), headers=GZIP)
        self.assertEqual((answer.field("grpc-encoding"), answer.data[0], answer.messages()), (None, 0, [message]))

    def test_point_29_what_a_message_inflates_to_is_limited(self):
        bomb = gzip.compress(b"\0" * (64 * MEBIBYTE))
        self.assertLess(len(bomb), MEBIBYTE)
        self.assert_refused(self.call(data=framed(bomb, 1), headers=GZIP), RESOURCE_EXHAUSTED)
        just_over = gzip.compress(string_value(b"x" * (MEBIBYTE - 3)))
        self.assert_refused(self.call(data=framed(just_over, 1), headers=GZIP), RESOURCE_EXHAUSTED)
        limit = string_value(b"x" * (MEBIBYTE - 4))
        answer = self.call(data=framed(gzip.compress(limit), 1), headers=GZIP)
        self.assertEqual((answer.status, answer.messages()), (OK, [limit]))

    def test_point_30_size_is_judged_by_the_prefix(self):
        # No byte of the message itself is sent.
        stream = self.connection.request(SERVICE + "Echo")
        self.connection.data(stream, b"\0" + (MEBIBYTE + 1).to_bytes(4, "big"))
        self.assert_refused(self.connection.wait(stream), RESOURCE_EXHAUSTED)

    def test_point_30_the_limit_itself_is_allowed(self):
        message = string_value(b"x" * (MEBIBYTE - 4))
        self.assertEqual(len(message), MEBIBYTE)
        answer = self.call(data=framed(message))
        self.assertEqual((answer.status, answer.messages()), (OK, [message]))

    def test_point_31_empty_message_is_a_message(self):
        answer = self.call(data=framed(b""))
        self.assertEqual((answer.status, answer.messages()), (OK, [b""]))

    def test_point_32_no_message_is_unimplemented(self):
        self.assert_refused(self.call(data=b""), UNIMPLEMENTED)
        self.assert_refused(self.call("Count", data=b""), UNIMPLEMENTED)

    def test_point_33_second_message_is_unimplemented(self):
        self.assert_refused(self.call(data=framed(b"") * 2), UNIMPLEMENTED)
        self.assert_refused(self.call("Count", data=framed(b"") * 2), UNIMPLEMENTED)

    def test_point_34_cut_message_is_internal(self):
        whole = framed(string_value("cut"))
        for length in range(1, len(whole)):
            self.assert_refused(self.call(data=whole[:length]), INTERNAL)

    def test_point_35_end_with_the_headers_is_no_message_and_end_on_an_empty_frame_is_an_end(self):
        stream = self.connection.request(SERVICE + "Echo", end=True)
        self.assert_refused(self.connection.wait(stream), UNIMPLEMENTED)
        stream = self.connection.request(SERVICE + "Echo")
        self.connection.data(stream, framed(b""))
        self.connection.data(stream, b"", end=True)
        answer = self.connection.wait(stream)
        self.assertEqual((answer.status, answer.messages()), (OK, [b""]))

    def test_point_36_what_does_not_parse_is_internal(self):
        for message in (b"\x0a\x05ab", b"\x08\x01", b"\x0b", b"\xff" * 12):
            self.assert_refused(self.call(data=framed(message)), INTERNAL)
        self.assert_refused(self.call(data=framed(b"{"), content_type="application/grpc+json"), INTERNAL)

    def test_point_37_unknown_fields_are_ignored_and_kept(self):
        message = string_value("x") + b"\x9a\x06\x01\xff"
        answer = self.call(data=framed(message))
        self.assertEqual((answer.status, answer.messages()), (OK, [message]))

    def test_point_38_text_is_utf8_without_nul(self):
        for text in (b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"a\0b"):
            self.assert_refused(self.call(data=framed(string_value(text))), INTERNAL)
        self.assertEqual(self.call(data=framed(string_value("☺😈"))).messages(), [string_value("☺😈")])

    def test_point_39_codes_of_applications_are_never_the_transports(self):
        applications = {INVALID_ARGUMENT, NOT_FOUND, ALREADY_EXISTS, FAILED_PRECONDITION, ABORTED, OUT_OF_RANGE, DATA_LOSS}
        refused = [
            self.call("Nope"), self.call(data=b""), self.call(data=framed(b"") * 2), self.call(data=b"\0"),
            self.call(data=framed(b"", 7)), self.call(data=framed(b"\xff")), self.call(data=framed(b"x", 1), headers=GZIP),
            self.call(headers=[("grpc-timeout", "?")]), self.call(headers=[("grpc-timeout", "0n")]),
            self.call(headers=[("grpc-encoding", "?")]), self.call(headers=[("x-large", "v" * 20000)]),
            self.call(content_type="application/grpc+foo"), self.call(data=b"\0\xff\xff\xff\xff"),
            self.call(data=framed(b"?"), content_type="application/grpc+json"),
        ]
        for answer in refused:
            self.assertNotEqual(answer.status, OK)
            self.assertNotIn(answer.status, applications)


if __name__ == "__main__":
    unittest.main()
