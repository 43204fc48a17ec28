"""Requests, good and bad: what a server must answer (gRPC over HTTP/2, status codes)."""

import unittest

from transport import SERVICE, Connection, TransportServer, framed, string_value

OK, CANCELLED, UNKNOWN, DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED, UNIMPLEMENTED, INTERNAL = 0, 1, 2, 4, 8, 12, 13
NO_ERROR, PROTOCOL_ERROR = 0, 1


class RequestCase(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = cls.enterClassContext(TransportServer())

    def setUp(self):
        self.connection = Connection(self.server)
        self.addCleanup(self.connection.socket.close)

    def call(self, method="Echo", data=None, headers=(), **options):
        return self.connection.call(method, data, headers, **options)

    def assert_refused(self, answer, status):
        self.assertEqual(answer.http_status, 200)
        self.assertEqual(answer.status, status)
        self.assertTrue(answer.is_trailers_only)
        self.assertTrue(answer.field("content-type").startswith("application/grpc"))
        self.assertTrue(answer.field("grpc-status-details-bin"))


class Requests(RequestCase):
    def test_unary_call_has_headers_message_and_trailers(self):
        answer = self.call()
        self.assertEqual(answer.http_status, 200)
        self.assertEqual(answer.headers, [(":status", "200"), ("content-type", "application/grpc")])
        self.assertEqual(answer.messages(), [string_value("hello")])
        self.assertEqual(answer.trailers, [("grpc-status", "0")])

    def test_content_type_is_answered_in_its_own_style(self):
        for sent, answered in (("application/grpc+proto", "application/grpc+proto"),
                               ("application/grpc;charset=utf-8", "application/grpc")):
            answer = self.call(content_type=sent)
            self.assertEqual((answer.status, answer.field("content-type")), (OK, answered))

    def test_foreign_content_type_is_http_415(self):
        for sent in ("application/json", "application/grpcfoo", "application/grpc-web", "text/plain"):
            self.assertEqual(self.call(content_type=sent).http_status, 415)
        self.assertEqual(self.call(without=("content-type",)).http_status, 415)

    def test_unknown_subtype_is_an_error_of_grpc(self):
        self.assert_refused(self.call(content_type="application/grpc+json"), UNIMPLEMENTED)

    def test_only_post_is_served(self):
        for verb in ("GET", "PUT", "DELETE"):
            answer = self.call(verb=verb)
            self.assertEqual((answer.http_status, answer.status), (405, INTERNAL))

    def test_unknown_paths_are_unimplemented(self):
        for path in ("Nope", "echo", "Echo/", "Echo?x=1"):
            self.assert_refused(self.call(path), UNIMPLEMENTED)
        stream = self.connection.request("/", end=True)
        self.assert_refused(self.connection.wait(stream), UNIMPLEMENTED)

    def test_te_is_not_needed(self):
        self.assertEqual(self.call(without=("te",)).status, OK)

    def test_other_te_and_hop_by_hop_fields_are_malformed(self):
        for field in (("te", "gzip"), ("connection", "close")):
            answer = self.call(headers=[field], without=("te",))
            self.assertEqual(answer.reset, PROTOCOL_ERROR)

    def test_unknown_grpc_fields_are_ignored(self):
        answer = self.call(headers=[("grpc-foo", "x"), ("grpc-previous-rpc-attempts", "3")])
        self.assertEqual(answer.status, OK)
        self.assertIsNone(answer.field("grpc-foo"))

    def test_malformed_timeouts_are_internal(self):
        for timeout in ("", "1", "S", "123456789S", "-1S", "1.5S", "1 S", "1x"):
            self.assert_refused(self.call(headers=[("grpc-timeout", timeout)]), INTERNAL)

    def test_largest_timeout_is_no_overflow(self):
        self.assertEqual(self.call(headers=[("grpc-timeout", "99999999H")]).status, OK)

    def test_zero_timeout_has_already_passed(self):
        self.assert_refused(self.call(headers=[("grpc-timeout", "0n")]), DEADLINE_EXCEEDED)

    def test_deadline_passes_while_the_handler_waits(self):
        answer = self.call("Command", framed(string_value("wait")), [("grpc-timeout", "50m")])
        self.assert_refused(answer, DEADLINE_EXCEEDED)

    def test_deadline_passes_while_the_request_is_arriving(self):
        stream = self.connection.request(SERVICE + "Echo", [("grpc-timeout", "50m")])
        self.assert_refused(self.connection.wait(stream), DEADLINE_EXCEEDED)

    def test_header_limit_is_counted_decoded(self):
        # Over the limit by one field; the table that HPACK keeps is still in step for the next call.
        self.assert_refused(self.call(headers=[("x-large", "v" * (16 * 1024))]), RESOURCE_EXHAUSTED)
        self.assert_refused(self.call(headers=[(f"x-{i}", "v") for i in range(128)]), RESOURCE_EXHAUSTED)
        self.assertEqual(self.call(headers=[("x-large", "v" * 15000)]).status, OK)

    def test_header_limit_of_a_foreign_request_is_431(self):
        answer = self.call(headers=[("x-large", "v" * (16 * 1024))], content_type="text/plain")
        self.assertEqual(answer.http_status, 431)

    def test_repeated_references_to_one_large_field_do_not_pass(self):
        # One kilobyte in HPACK's table, named a hundred times in a byte each.
        answer = self.call(headers=[("x-large", "v" * 1000)] * 100)
        self.assert_refused(answer, RESOURCE_EXHAUSTED)


class Messages(RequestCase):
    def test_one_byte_frames_are_put_together(self):
        stream = self.connection.request(SERVICE + "Echo")
        data = framed(string_value("slowly"))
        for i in range(len(data)):
            self.connection.data(stream, data[i:i + 1], end=i == len(data) - 1)
        answer = self.connection.wait(stream)
        self.assertEqual((answer.status, answer.messages()), (OK, [string_value("slowly")]))

    def test_padded_frames_are_put_together(self):
        stream = self.connection.request(SERVICE + "Echo")
        data = framed(string_value("padded"))
        for i in range(0, len(data), 5):
            self.connection.h2.send_data(stream, data[i:i + 5], end_stream=i + 5 >= len(data), pad_length=255)
        self.connection.flush()
        self.assertEqual(self.connection.wait(stream).messages(), [string_value("padded")])

    def test_end_on_an_empty_frame_is_an_end(self):
        stream = self.connection.request(SERVICE + "Echo")
        self.connection.data(stream, framed(b""))
        self.connection.data(stream, b"", end=True)
        answer = self.connection.wait(stream)
        self.assertEqual((answer.status, answer.messages()), (OK, [b""]))

    def test_no_message_is_unimplemented(self):
        self.assert_refused(self.call(data=b""), UNIMPLEMENTED)
        stream = self.connection.request(SERVICE + "Echo", end=True)
        self.assert_refused(self.connection.wait(stream), UNIMPLEMENTED)

    def test_second_message_is_unimplemented(self):
        self.assert_refused(self.call(data=framed(b"") * 2), UNIMPLEMENTED)

    def test_other_flags_are_internal(self):
        for flag in (2, 128, 255):
            self.assert_refused(self.call(data=framed(b"", flag)), INTERNAL)

    def test_compressed_message_without_an_encoding_is_internal(self):
        self.assert_refused(self.call(data=framed(b"", 1)), INTERNAL)
        self.assert_refused(self.call(data=framed(b"", 1), headers=[("grpc-encoding", "identity")]), INTERNAL)

    def test_unknown_encoding_is_unimplemented_and_the_known_ones_are_named(self):
        answer = self.call(headers=[("grpc-encoding", "snappy")])
        self.assert_refused(answer, UNIMPLEMENTED)
        self.assertNotIn("snappy", answer.field("grpc-accept-encoding"))

    def test_cut_message_is_internal(self):
        whole = framed(string_value("cut"))
        for length in range(1, len(whole)):
            self.assert_refused(self.call(data=whole[:length]), INTERNAL)

    def test_what_does_not_parse_is_internal(self):
        for message in (b"\x0a\x05ab", b"\x0a\x01\xff", b"\x0a\x03a\0b", b"\x08\x01", b"\x0b", b"\xff" * 12):
            self.assert_refused(self.call(data=framed(message)), INTERNAL)

    def test_unknown_fields_are_ignored(self):
        self.assertEqual(self.call(data=framed(string_value("x") + b"\x9a\x06\x01\xff")).status, OK)

    def test_bytes_go_to_a_handler_with_its_own_decoder(self):
        answer = self.call("Raw", framed(b"\xff\x00 not protobuf"))
        self.assertEqual((answer.status, answer.messages()), (OK, [b"\xff\x00 not protobuf"]))

    def test_size_is_judged_by_the_prefix(self):
        # No byte of the message itself is sent.
        stream = self.connection.request(SERVICE + "Echo")
        self.connection.data(stream, (b"\0" + (1024 * 1024 + 1).to_bytes(4, "big")))
        answer = self.connection.wait(stream)
        self.assert_refused(answer, RESOURCE_EXHAUSTED)

    def test_the_limit_itself_is_allowed(self):
        message = string_value(b"x" * (1024 * 1024 - 4))
        self.assertEqual(len(message), 1024 * 1024)
        answer = self.call(data=framed(message))
        self.assertEqual((answer.status, answer.messages()), (OK, [message]))

    def test_early_answer_is_followed_by_a_reset_without_error(self):
        stream = self.connection.request("/no.Such/Method")
        answer = self.connection.wait(stream)
        self.assert_refused(answer, UNIMPLEMENTED)
        self.connection.settle()
        self.assertEqual(answer.reset, NO_ERROR)


class Answers(RequestCase):
    def test_failure_carries_message_details_and_metadata(self):
        answer = self.call("Command", framed(string_value("fail")))
        self.assertEqual(answer.status, 3)
        self.assertEqual(answer.field("grpc-message"), "%0Atest with whitespace%0D%0Aand Unicode BMP %E2%98%BA and "
                                                       "non-BMP %F0%9F%98%88%0A")
        self.assertEqual(answer.field("test-header"), "first")
        self.assertEqual(answer.field("test-trailer-bin"), "AAH/")
        self.assertEqual(answer.field("grpc-retry-pushback-ms"), "1500")

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
