"""Connect: unary calls as plain HTTP with JSON or protobuf, by POST and GET, and streams.

Over HTTP/2; the same over HTTP/1.1 is in test_http_door.py.
"""

import base64
import gzip
import json
import subprocess
import unittest
from urllib.parse import quote

from request_case import NO_ERROR, RequestCase
from transport import SERVICE, Connection, TransportServer, framed, string_value

JSON, PROTO = "application/json", "application/proto"


class ConnectCase(RequestCase):
    def post(self, method, value, headers=(), content_type=JSON):
        """A unary call; `value` is bytes, or something to be put in JSON."""
        data = value if isinstance(value, bytes) else json.dumps(value).encode()
        return self.call(method, data, headers, content_type=content_type, without=("te",))

    def get(self, method, query, headers=()):
        stream = self.connection.request(f"{SERVICE}{method}?{query}", headers, end=True, verb="GET",
                                         without=("te", "content-type"))
        return self.connection.wait(stream)

    def assert_error(self, answer, http_status, code, text=None):
        self.assertEqual(answer.http_status, http_status)
        self.assertEqual(answer.field("content-type"), JSON)
        self.assertEqual(answer.field("cache-control"), "no-store")
        self.assertIsNone(answer.trailers)
        error = json.loads(answer.data)
        self.assertEqual(error["code"], code)
        if text:
            self.assertIn(text, error["message"])
        return error


class Unary(ConnectCase):
    def test_json_is_answered_in_json(self):
        for content_type in (JSON, "application/json; charset=utf-8", "Application/JSON"):
            answer = self.post("Echo", "héllo ☺", content_type=content_type)
            self.assertEqual((answer.http_status, json.loads(answer.data)), (200, "héllo ☺"))
            self.assertEqual((answer.field("content-type"), answer.trailers), (JSON, None))

    def test_protobuf_is_answered_in_protobuf(self):
        answer = self.post("Echo", string_value("hello"), content_type=PROTO)
        self.assertEqual((answer.http_status, answer.data), (200, string_value("hello")))
        self.assertEqual(answer.field("content-type"), PROTO)
        self.assertEqual(self.post("Echo", b"", content_type=PROTO).data, b"")

    def test_answers_are_not_to_be_stored(self):
        for content_type, value in ((JSON, "x"), (PROTO, string_value("x"))):
            self.assertEqual(self.post("Echo", value, content_type=content_type).field("cache-control"), "no-store")

    def test_body_may_come_byte_by_byte(self):
        stream = self.connection.request(SERVICE + "Echo", content_type=JSON)
        data = json.dumps("slowly").encode()
        for i in range(len(data)):
            self.connection.data(stream, data[i:i + 1], end=i == len(data) - 1)
        self.assertEqual(json.loads(self.connection.wait(stream).data), "slowly")

    def test_handlers_with_a_decoder_of_their_own_are_given_the_wire_format(self):
        # Raw sends back the bytes that it was given, which are read as the answer.
        self.assertEqual(json.loads(self.post("Raw", "bytes").data), "bytes")
        self.assert_error(self.post("Raw", {"no": "text"}), 400, "invalid_argument")

    def test_answers_that_were_taken_leave_nothing_on_the_connections_account(self):
        # An answer over --unread-answers is given only to a client that has left nothing unread.
        large = "x" * 100_000
        with TransportServer(unread_answers="64KiB") as server, Connection(server) as connection:
            for _ in range(2):
                stream = connection.request(SERVICE + "Echo", content_type=JSON, without=("te",))
                connection.data(stream, json.dumps(large).encode(), end=True)
                answer = connection.wait(stream)
                self.assertEqual((answer.http_status, json.loads(answer.data)), (200, large))

    def test_metadata_goes_both_ways_and_trailers_have_a_prefix(self):
        answer = self.post("Command", "metadata")
        self.assertEqual(answer.http_status, 200)
        self.assertEqual([value for name, value in answer.headers if name == "test-header"], ["first", "second"])
        self.assertEqual([value for name, value in answer.headers if name == "trailer-test-trailer"], ["one", "two"])
        self.assertEqual(answer.field("trailer-test-trailer-bin"), "AAH/")
        self.assertEqual(json.loads(self.post("Command", "read x-name", [("x-name", "value")]).data), "value|")

    def test_failure_is_told_in_json_with_readable_details(self):
        error = self.assert_error(self.post("Command", "fail", content_type=JSON), 400, "invalid_argument")
        self.assertEqual(error["message"], "\ntest with whitespace\r\nand Unicode BMP ☺ and non-BMP 😈\n")
        details = {detail["type"]: detail for detail in error["details"]}
        self.assertEqual(set(details), {"google.rpc.ErrorInfo", "google.rpc.BadRequest", "google.rpc.RetryInfo"})
        self.assertEqual(details["google.rpc.ErrorInfo"]["debug"]["reason"], "TEST_FAILURE")
        self.assertEqual(details["google.rpc.BadRequest"]["debug"]["fieldViolations"][0]["field"], "value")
        for detail in error["details"]:
            self.assertNotIn("=", detail["value"])
            self.assertTrue(base64.b64decode(detail["value"] + "=" * (-len(detail["value"]) % 4)))

    def test_failure_of_a_protobuf_call_is_told_in_json_too(self):
        answer = self.post("Command", string_value("fail"), content_type=PROTO)
        self.assert_error(answer, 400, "invalid_argument")
        self.assertEqual(answer.field("retry-after"), "2")
        self.assertEqual(answer.field("test-header"), "first")

    def test_status_of_a_handlers_own_goes_as_it_is(self):
        error = self.assert_error(self.post("Command", "status"), 500, "data_loss")
        self.assertEqual(error["details"], [{"type": "no.such.Type", "value": "AAH/"}])

    def test_what_is_no_message_is_the_callers_fault(self):
        for value in (b"", b"{", b'"cut', b"1", b"[]", b'"\xff"', b'"a" "b"', b'{"value":"a"}'):
            self.assert_error(self.post("Echo", value), 400, "invalid_argument")
        self.assert_error(self.post("Echo", b"\xff", content_type=PROTO), 400, "invalid_argument")

    def test_unknown_fields_of_json_are_passed_over_by_a_setting_only(self):
        with TransportServer(json_ignore_unknown="true") as server, Connection(server) as connection:
            answer = connection.call("Info", b'{"reason":"a","odd":{"y":[1]}}', content_type=JSON)
            self.assertEqual((answer.http_status, json.loads(answer.data)), (200, {"reason": "a"}))
        self.assert_error(self.post("Info", {"reason": "a", "odd": 1}), 400, "invalid_argument", "odd")

    def test_unknown_method_is_404(self):
        self.assert_error(self.post("Nope", "x"), 404, "unimplemented")

    def test_streams_are_not_called_as_unary(self):
        for content_type in (JSON, PROTO):
            self.assertEqual(self.post("Count", "1", content_type=content_type).http_status, 415)
        answer = self.post("Echo", framed(b'"x"'), content_type="application/connect+json")
        self.assertEqual(answer.http_status, 415)
        self.assertIn(JSON, answer.field("accept-post"))

    def test_other_media_types_and_verbs_are_told_what_is_accepted(self):
        for content_type in ("text/json", "application/jsonx", "application/connect+foo", "application/x-www-form-urlencoded"):
            answer = self.post("Echo", "x", content_type=content_type)
            self.assertEqual(answer.http_status, 415)
            self.assertIn(JSON, answer.field("accept-post"))
        for verb in ("PUT", "DELETE", "HEAD", "OPTIONS"):
            answer = self.call("Echo", b'"x"', content_type=JSON, verb=verb)
            self.assertEqual((answer.http_status, answer.field("allow")), (405, "POST"))

    def test_protocol_version_is_checked_where_it_is_given(self):
        self.assertEqual(self.post("Echo", "x", [("connect-protocol-version", "1")]).http_status, 200)
        self.assert_error(self.post("Echo", "x", [("connect-protocol-version", "2")]), 400, "invalid_argument")

    def test_timeout_is_in_milliseconds(self):
        self.assert_error(self.post("Command", "wait", [("connect-timeout-ms", "50")]), 504, "deadline_exceeded")
        self.assert_error(self.post("Echo", "x", [("connect-timeout-ms", "0")]), 504, "deadline_exceeded")
        self.assertEqual(self.post("Echo", "x", [("connect-timeout-ms", "9999999999")]).http_status, 200)
        for timeout in ("", "-1", "1s", "12345678901", "1.5", "+1"):
            self.assert_error(self.post("Echo", "x", [("connect-timeout-ms", timeout)]), 400, "invalid_argument")

    def test_timeout_of_another_protocol_is_not_looked_at(self):
        self.assertEqual(self.post("Echo", "x", [("grpc-timeout", "0n"), ("grpc-encoding", "gzip")]).http_status, 200)

    def test_size_is_limited_while_the_body_comes(self):
        stream = self.connection.request(SERVICE + "Echo", content_type=JSON)
        self.connection.data(stream, b'"' + b"x" * (1024 * 1024))
        answer = self.connection.wait(stream)
        self.assert_error(answer, 429, "resource_exhausted")
        self.connection.settle()
        self.assertEqual(answer.reset, NO_ERROR)

    def test_refusal_waits_for_the_end_of_the_request(self):
        # An answer that overtakes its request is a failure of the stream to curl 7.88.
        for path, content_type in ((SERVICE + "Nope", JSON), (SERVICE + "Echo", "text/plain"), (SERVICE + "Count", JSON)):
            stream = self.connection.request(path, content_type=content_type)
            self.connection.data(stream, b"first")
            self.connection.settle()
            self.assertIsNone(self.connection.answers[stream].headers)
            self.connection.data(stream, b"last", end=True)
            self.assertIn(self.connection.wait(stream).http_status, (404, 415))

    def test_refused_request_that_does_not_end_is_answered_at_the_servers_deadline(self):
        with TransportServer(max_deadline="50ms") as server, Connection(server) as connection:
            for method, content_type, http_status in (("Nope", JSON, 404), ("Echo", "text/plain", 415), ("Count", JSON, 415)):
                stream = connection.request(SERVICE + method, content_type=content_type)
                self.assertEqual(connection.wait(stream).http_status, http_status)

    def test_refused_request_that_does_not_end_is_answered_where_calls_have_no_deadline(self):
        with TransportServer(max_deadline=0, request_timeout="50ms") as server, Connection(server) as connection:
            for method, content_type, http_status in (("Nope", JSON, 404), ("Echo", "text/plain", 415), ("Count", JSON, 415)):
                stream = connection.request(SERVICE + method, content_type=content_type)
                self.assertEqual(connection.wait(stream).http_status, http_status)

    def test_cancelled_call_leaves_nothing(self):
        stream = self.connection.request(SERVICE + "Command", content_type=JSON)
        self.connection.data(stream, b'"wait"', end=True)
        self.connection.h2.reset_stream(stream)
        self.connection.flush()
        self.assertEqual(json.loads(self.post("Echo", "next").data), "next")


class Get(ConnectCase):
    def test_message_stands_in_the_query(self):
        for query in ("connect=v1&encoding=json&message=%22a+b%22", "message=%22a%20b%22&encoding=json",
                      "connect=v1&encoding=json&base64=1&message=" + base64.urlsafe_b64encode(b'"a b"').decode(),
                      "encoding=json&base64=1&message=" + base64.urlsafe_b64encode(b'"a b"').decode().rstrip("=")):
            answer = self.get("Echo", query)
            self.assertEqual((answer.http_status, answer.field("content-type")), (200, JSON), query)
            self.assertEqual(json.loads(answer.data), "a b")

    def test_message_may_be_protobuf_and_compressed(self):
        message = string_value("hello?~")
        answer = self.get("Echo", "connect=v1&encoding=proto&message=" + quote(message))
        self.assertEqual((answer.field("content-type"), answer.data), (PROTO, message))
        packed = base64.urlsafe_b64encode(gzip.compress(message)).decode()
        answer = self.get("Echo", f"connect=v1&encoding=proto&compression=gzip&base64=1&message={packed}")
        self.assertEqual((answer.field("content-type"), answer.data), (PROTO, message))

    def test_only_methods_without_side_effects_are_asked_for_by_get(self):
        for method in ("Command", "Secret", "Count", "Nope"):
            answer = self.get(method, "connect=v1&encoding=json&message=%22x%22")
            self.assertEqual((answer.http_status, answer.field("allow")), (405, "POST"))

    def test_query_that_is_not_one_is_not_taken(self):
        for query in ("", "connect=v1", "encoding=json", "message=%22x%22", "encoding=xml&message=x",
                      "connect=v2&encoding=json&message=%22x%22", "encoding=json&base64=1&message=!"):
            self.assertEqual(self.get("Echo", query).http_status, 405, query)

    def test_bad_message_is_told(self):
        self.assert_error(self.get("Echo", "encoding=json&message=%7B"), 400, "invalid_argument")
        self.assert_error(self.get("Echo", "encoding=json&compression=br&message=x"), 501, "unimplemented")


class Streams(ConnectCase):
    def stream(self, method, *messages, codec="json", headers=(), flag=0):
        data = b"".join(framed(message, flag) for message in messages)
        return self.call(method, data, headers, content_type=f"application/connect+{codec}")

    def split(self, answer):
        """[(flag, bytes)], the last of which is the end."""
        self.assertEqual((answer.http_status, answer.trailers), (200, None))
        rest, out = answer.data, []
        while rest:
            length = int.from_bytes(rest[1:5], "big")
            out.append((rest[0], rest[5:5 + length]))
            rest = rest[5 + length:]
        self.assertEqual([flag for flag, _ in out[:-1] if flag & 2], [])
        self.assertEqual(out[-1][0], 2)
        return [message for _, message in out[:-1]], json.loads(out[-1][1])

    def assert_end(self, answer, code):
        messages, end = self.split(answer)
        self.assertEqual(end["error"]["code"], code)
        return messages, end

    def test_server_stream_ends_with_a_message(self):
        self.assertEqual(self.split(self.stream("Count", b'"3"')), ([b'"0"', b'"1"', b'"2"'], {}))
        messages, end = self.split(self.stream("Count", string_value("2"), codec="proto"))
        self.assertEqual((messages, end), ([string_value("0"), string_value("1")], {}))

    def test_client_stream_joins_all_messages(self):
        self.assertEqual(self.split(self.stream("Join", b'"a"', b'"b"', b'"c"')), ([b'"abc"'], {}))

    def test_bidirectional_stream_answers_before_the_client_has_ended(self):
        stream = self.connection.request(SERVICE + "Talk", content_type="application/connect+json")
        for text in (b'"one"', b'"two"'):
            self.connection.data(stream, framed(text))
            while self.connection.answers[stream].messages()[-1:] != [text]:
                self.connection.pump()
        self.connection.data(stream, b"", end=True)
        self.assertEqual(self.split(self.connection.wait(stream)), ([b'"one"', b'"two"'], {}))

    def test_failure_and_trailers_stand_in_the_last_message(self):
        messages, end = self.assert_end(self.stream("Count", b'"2 fail"'), "invalid_argument")
        self.assertEqual(messages, [b'"0"', b'"1"'])
        self.assertEqual(end["metadata"], {"test-trailer-bin": ["AAH/"]})
        self.assertTrue(end["error"]["details"])

    def test_refusals_are_http_200_with_a_last_message(self):
        self.assert_end(self.stream("Nope", b'"x"'), "unimplemented")
        self.assert_end(self.stream("Count", b"{"), "invalid_argument")
        self.assert_end(self.stream("Count"), "unimplemented")
        self.assert_end(self.stream("Count", b'"1"', b'"1"'), "unimplemented")
        self.assert_end(self.stream("Count", b'"1"', flag=1), "internal")
        self.assert_end(self.stream("Count", b'"1"', flag=2), "internal")
        self.assert_end(self.stream("Count", b'"1"', headers=[("connect-content-encoding", "br")]), "unimplemented")
        self.assert_end(self.stream("Talk", b'"1"', headers=[("connect-timeout-ms", "0")]), "deadline_exceeded")
        messages, _ = self.assert_end(self.stream("Talk", b'"good"', b"bad"), "invalid_argument")
        self.assertEqual(messages, [b'"good"'])

    def test_messages_are_compressed_where_both_sides_say_so(self):
        headers = [("connect-content-encoding", "gzip"), ("connect-accept-encoding", "br, gzip")]
        answer = self.stream("Count", gzip.compress(b'"3 x2000"'), headers=headers, flag=1)
        self.assertEqual(answer.field("connect-content-encoding"), "gzip")
        messages, end = self.split(answer)
        self.assertEqual([json.loads(gzip.decompress(message)) for message in messages], [f"{i:02000}" for i in range(3)])
        self.assertEqual(end, {})


class Curl(ConnectCase):
    def test_curl_calls_with_what_is_in_the_documents(self):
        url = "http://{}:{}{}".format(*self.server.address, SERVICE + "Echo")
        command = ["curl", "-sS", "--http2-prior-knowledge", "-H", "content-type: application/json", "-d", '"hello"', url]
        self.assertEqual(subprocess.run(command, check=True, capture_output=True).stdout, b'"hello"')
        url = "http://{}:{}{}".format(*self.server.address, SERVICE + "Nope")
        command[-1] = url
        self.assertEqual(json.loads(subprocess.run(command, check=True, capture_output=True).stdout)["code"], "unimplemented")


if __name__ == "__main__":
    unittest.main()
