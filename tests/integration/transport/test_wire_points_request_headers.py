"""Points 1 to 22 of what a gRPC server must do with a request's headers; the numbers are those of the list in the tests' names."""

import unittest

from request_case import DEADLINE_EXCEEDED, INTERNAL, OK, PROTOCOL_ERROR, RESOURCE_EXHAUSTED, UNIMPLEMENTED, RequestCase
from transport import SERVICE, Answer, Connection, TransportServer, framed, string_value


class RequestHeaders(RequestCase):
    def read(self, name, headers):
        """What a handler sees of the metadata `name`: each value, and a bar behind it."""
        return self.call("Command", framed(string_value(f"read {name}")), headers)

    def assert_values(self, name, headers, values):
        self.assertEqual(self.read(name, headers).messages(), [string_value("".join(f"{v}|" for v in values))])

    def test_point_01_only_post_is_served(self):
        for verb in ("GET", "PUT", "DELETE"):
            answer = self.call(verb=verb)
            self.assertEqual((answer.http_status, answer.status), (405, INTERNAL))

    def test_point_02_paths_are_case_sensitive_and_taken_as_they_are(self):
        for path in ("echo", "Echo/", "Echo?x=1", "%45cho"):
            self.assert_refused(self.call(path), UNIMPLEMENTED)
        for path in ("/", "/x", "//", "/latchkey.test.CallService", "/latchkey.test.CallService/Echo/Echo"):
            stream = self.connection.request(path, end=True)
            self.assert_refused(self.connection.wait(stream), UNIMPLEMENTED)

    def test_point_03_unknown_methods_and_services_are_unimplemented(self):
        self.assert_refused(self.call("Nope"), UNIMPLEMENTED)
        stream = self.connection.request("/latchkey.test.NoService/Echo", end=True)
        self.assert_refused(self.connection.wait(stream), UNIMPLEMENTED)

    def test_point_04_content_type_may_name_the_codec_and_have_parameters(self):
        for sent, answered in (("application/grpc", "application/grpc"), ("application/grpc+proto", "application/grpc+proto"),
                               ("application/grpc;charset=utf-8", "application/grpc"),
                               ("application/grpc+proto ; x=y", "application/grpc+proto")):
            answer = self.call(content_type=sent)
            self.assertEqual((answer.status, answer.field("content-type")), (OK, answered))

    def test_point_05_foreign_content_type_is_http_415(self):
        for sent in ("text/plain", "application/xml", "multipart/form-data; boundary=x", ""):
            self.assertEqual(self.call(content_type=sent).http_status, 415)
        self.assertEqual(self.call(without=("content-type",)).http_status, 415)

    def test_point_06_what_only_begins_like_grpc_is_foreign(self):
        for sent in ("application/grpcfoo", "application/grpc-web-text", "application/grp", "application/grpc foo"):
            self.assertEqual(self.call(content_type=sent).http_status, 415)

    def test_point_07_unknown_codec_is_an_error_of_grpc(self):
        for sent in ("application/grpc+foo", "application/grpc+", "application/grpc+thrift;x=y"):
            self.assert_refused(self.call(content_type=sent), UNIMPLEMENTED)
        answer = self.call(content_type="application/grpc+json", data=framed(b'"hello"'))
        self.assertEqual((answer.status, answer.messages()), (OK, [b'"hello"']))
        self.assertEqual(answer.field("content-type"), "application/grpc+json")

    def test_point_08_te_is_not_needed_and_another_is_malformed(self):
        self.assertEqual(self.call(without=("te",)).status, OK)
        self.assertEqual(self.call(headers=[("te", "gzip")], without=("te",)).reset, PROTOCOL_ERROR)

    def test_point_09_host_stands_in_for_authority_and_two_authorities_are_malformed(self):
        self.assertEqual(self.call(headers=[("host", "test")], without=(":authority",)).status, OK)
        self.assertEqual(self.call(headers=[("host", "other")]).status, OK)
        stream = self.connection.h2.get_next_available_stream_id()
        fields = [(":method", "POST"), (":scheme", "http"), (":path", SERVICE + "Echo"), (":authority", "a"),
                  (":authority", "b"), ("content-type", "application/grpc")]
        self.connection.answers[stream] = Answer()
        self.connection.h2.send_headers(stream, fields, end_stream=True)
        self.connection.flush()
        self.assertEqual(self.connection.wait(stream).reset, PROTOCOL_ERROR)

    def test_point_10_hop_by_hop_fields_are_malformed(self):
        for field in (("connection", "close"), ("transfer-encoding", "chunked"), ("upgrade", "h2c"),
                      ("keep-alive", "timeout=5"), ("proxy-connection", "close")):
            self.assertEqual(self.call(headers=[field]).reset, PROTOCOL_ERROR, field)

    def test_point_11_unknown_fields_of_the_protocol_are_ignored_and_not_echoed(self):
        answer = self.call(headers=[("grpc-foo", "x"), ("grpc-tags-bin", "AAA"), ("connect-protocol-version", "9"),
                                    ("connect-timeout-ms", "0"), ("content-encoding", "br")])
        self.assertEqual(answer.status, OK)
        self.assertIsNone(answer.field("grpc-foo"))
        self.assert_values("grpc-foo", [("grpc-foo", "x")], [])

    def test_point_12_metadata_that_is_not_printable_does_not_fail_the_call(self):
        self.assertEqual(self.call(headers=[("x-odd", "\u00e9\u00ff"), ("x-tab", "a\tb")]).status, OK)

    def test_point_13_duplicate_metadata_keeps_its_order(self):
        self.assert_values("x-many", [("x-many", "b"), ("other", "x"), ("x-many", "a"), ("x-many", "b")], ["b", "a", "b"])
        self.assert_values("x-many", [("x-many", "b, a")], ["b, a"])

    def test_point_14_binary_metadata_may_be_padded_and_leaves_unpadded(self):
        for text in ("YQ==", "YQ"):
            self.assert_values("x-bin", [("x-bin", text)], ["1:a"])
        self.assert_values("x-bin", [("x-bin", "YWI"), ("x-bin", "YWI="), ("x-bin", "")], ["2:ab", "2:ab", "0:"])
        self.assertEqual(self.call("Command", framed(string_value("metadata"))).field("test-trailer-bin"), "AAH/")

    def test_point_15_binary_metadata_that_does_not_decode_fails_only_who_reads_it(self):
        self.assertEqual(self.call(headers=[("x-bin", "?")]).status, OK)
        self.assertEqual(self.read("x-bin", [("x-bin", "?")]).status, INTERNAL)

    def test_point_16_header_list_is_limited_decoded_and_the_table_stays_in_step(self):
        # Over the limit by one field; the table that HPACK keeps is still in step for the next call.
        self.assert_refused(self.call(headers=[("x-large", "v" * (16 * 1024))]), RESOURCE_EXHAUSTED)
        self.assert_refused(self.call(headers=[(f"x-{i}", "v") for i in range(128)]), RESOURCE_EXHAUSTED)
        self.assertEqual(self.call(headers=[("x-large", "v" * 15000)]).status, OK)

    def test_point_16_header_limit_of_a_foreign_request_is_431(self):
        answer = self.call(headers=[("x-large", "v" * (16 * 1024))], content_type="text/plain")
        self.assertEqual(answer.http_status, 431)

    def test_point_16_repeated_references_to_one_large_field_do_not_pass(self):
        # One kilobyte in HPACK's table, named a hundred times in a byte each.
        self.assert_refused(self.call(headers=[("x-large", "v" * 1000)] * 100), RESOURCE_EXHAUSTED)

    def test_point_17_every_unit_of_a_timeout_is_known(self):
        for timeout in ("1H", "60M", "3600S", "10000m", "10000000u", "99999999n"):
            self.assertIn(self.call(headers=[("grpc-timeout", timeout)]).status, (OK, DEADLINE_EXCEEDED))
        self.assertEqual(self.call(headers=[("grpc-timeout", "00000001H")]).status, OK)

    def test_point_18_malformed_timeouts_are_internal(self):
        for timeout in ("", "1", "S", "123456789S", "-1S", "+1S", "1.5S", "1 S", "1x", "0x1S"):
            self.assert_refused(self.call(headers=[("grpc-timeout", timeout)]), INTERNAL)
        self.assert_refused(self.call(headers=[("grpc-timeout", "1S"), ("grpc-timeout", "2S")]), INTERNAL)

    def test_point_19_largest_timeout_is_no_overflow_and_none_left_has_passed(self):
        self.assertEqual(self.call(headers=[("grpc-timeout", "99999999H")]).status, OK)
        self.assert_refused(self.call(headers=[("grpc-timeout", "0n")]), DEADLINE_EXCEEDED)

    def test_point_20_without_a_timeout_the_servers_own_maximum_holds(self):
        with TransportServer(max_deadline="50ms") as server, Connection(server) as connection:
            answer = connection.call("Command", framed(string_value("wait")))
            self.assertEqual(answer.status, DEADLINE_EXCEEDED)

    def test_point_21_optional_fields_may_be_there_or_not(self):
        fields = [("grpc-accept-encoding", "identity, deflate, gzip"), ("grpc-encoding", "identity"), ("user-agent", "x/1")]
        self.assertEqual(self.call(headers=fields).status, OK)
        self.assertEqual(self.call().status, OK)

    def test_point_22_previous_attempts_do_not_disturb(self):
        self.assertEqual(self.call(headers=[("grpc-previous-rpc-attempts", "3")]).status, OK)


if __name__ == "__main__":
    unittest.main()
