"""gzip of messages, in and out, in all protocols: who gets it, what it is bounded by, and where it is never used."""

import contextlib
import gzip
import http.client
import io
import json
import random
import unittest

from latchkey_test import free_port
from request_case import INTERNAL, OK, RESOURCE_EXHAUSTED, UNAVAILABLE, RequestCase
from transport import SERVICE, Connection, TransportServer, framed, string_value

MEBIBYTE = 1024 * 1024
ACCEPTED = [("grpc-accept-encoding", "identity, deflate, gzip")]
LARGE = string_value("x" * 5000)


def seeded_text(size):
    return "".join(random.Random(1).choices("0123456789abcdef", k=size))


class Answers(RequestCase):
    def test_large_message_is_compressed_for_who_takes_it(self):
        answer = self.call(data=framed(LARGE), headers=ACCEPTED)
        self.assertEqual((answer.status, answer.field("grpc-encoding"), answer.data[0]), (OK, "gzip", 1))
        self.assertEqual([gzip.decompress(message) for message in answer.messages()], [LARGE])

    def test_small_message_leaves_as_it_is_and_headers_are_the_plain_ones(self):
        self.call()
        answer = self.call(headers=ACCEPTED)
        self.assertEqual(answer.headers, [(":status", "200"), ("content-type", "application/grpc")])
        self.assertEqual(answer.messages(), [string_value("hello")])

    def test_message_that_does_not_shrink_leaves_as_it_is(self):
        noise = string_value(random.Random(2).randbytes(4000).hex())
        answer = self.call("Raw", framed(random.Random(2).randbytes(4000)), headers=ACCEPTED)
        self.assertEqual((answer.status, answer.data[0], answer.field("grpc-encoding")), (OK, 0, None))
        answer = self.call(data=framed(noise), headers=ACCEPTED)
        self.assertEqual(answer.data[0], 1)

    def test_answers_with_secrets_are_never_compressed(self):
        for headers, data, content_type in ((ACCEPTED, framed(LARGE), "application/grpc"),
                                            (ACCEPTED, framed(LARGE), "application/grpc-web"),
                                            ([("accept-encoding", "gzip")], LARGE, "application/proto")):
            answer = self.call("Secret", data, headers, content_type=content_type)
            self.assertIn(LARGE, answer.data)
            self.assertIsNone(answer.field("grpc-encoding"))
            self.assertIsNone(answer.field("content-encoding"))

    def test_stream_says_so_in_its_headers_and_each_message_for_itself(self):
        answer = self.call("Count", framed(string_value("3 x1500")), headers=ACCEPTED)
        self.assertEqual((answer.status, answer.field("grpc-encoding")), (OK, "gzip"))
        self.assertEqual([gzip.decompress(message) for message in answer.messages()],
                         [string_value(f"{i:01500}") for i in range(3)])
        answer = self.call("Count", framed(string_value("3")), headers=ACCEPTED)
        self.assertEqual((answer.data[0], answer.messages()), (0, [string_value(str(i)) for i in range(3)]))

    def test_weight_of_zero_is_a_refusal(self):
        for accepted, encoding in (("gzip;q=0", None), ("gzip;q=0.000", None), ("br, gzip;q=0.5", "gzip"), ("gzip;q=1", "gzip"),
                                   ("xgzip", None), ("", None)):
            answer = self.call("Echo", LARGE, [("accept-encoding", accepted)], content_type="application/proto")
            self.assertEqual(answer.field("content-encoding"), encoding, accepted)

    def test_compressed_json_of_a_unary_call_is_http_content_encoding(self):
        body = json.dumps("x" * 5000).encode()
        headers = [("content-encoding", "gzip"), ("accept-encoding", "gzip, br")]
        answer = self.call("Echo", gzip.compress(body), headers, content_type="application/json")
        self.assertEqual((answer.http_status, answer.field("content-encoding")), (200, "gzip"))
        self.assertEqual(json.loads(gzip.decompress(answer.data)), "x" * 5000)


class Requests(RequestCase):
    def test_every_message_of_a_stream_may_be_compressed_or_not(self):
        data = framed(string_value("a")) + framed(gzip.compress(string_value("b")), 1) + framed(string_value("c"))
        answer = self.call("Join", data, headers=[("grpc-encoding", "gzip")])
        self.assertEqual(answer.messages(), [string_value("abc")])

    def test_compressed_message_without_its_flag_is_known_where_gzip_is_said(self):
        """So grpcio 1.51 sends what it sends again behind GOAWAY."""
        packed = framed(gzip.compress(LARGE))
        self.assertEqual(self.call("Echo", packed, [("grpc-encoding", "gzip")]).messages(), [LARGE])
        self.assertEqual(self.call("Talk", packed + framed(LARGE), [("grpc-encoding", "gzip")]).messages(), [LARGE] * 2)
        self.assertEqual(self.call("Echo", packed).status, INTERNAL)

    def test_handler_with_its_own_decoder_is_given_what_was_compressed(self):
        answer = self.call("Raw", framed(gzip.compress(b"any bytes"), 1), headers=[("grpc-encoding", "gzip")])
        self.assertEqual(answer.messages(), [b"any bytes"])

    def test_header_fields_of_the_format_may_be_there(self):
        out = io.BytesIO()
        with gzip.GzipFile(filename="name", mode="wb", fileobj=out, mtime=1) as named:
            named.write(string_value("named"))
        answer = self.call(data=framed(out.getvalue(), 1), headers=[("grpc-encoding", "gzip")])
        self.assertEqual(answer.messages(), [string_value("named")])

    def test_bare_body_is_bounded_when_inflated(self):
        bomb = gzip.compress(b'"' + b" " * (64 * MEBIBYTE) + b'"')
        answer = self.call("Echo", bomb, [("content-encoding", "gzip")], content_type="application/json")
        self.assertEqual((answer.http_status, json.loads(answer.data)["code"]), (429, "resource_exhausted"))

    def test_bombs_hold_no_memory(self):
        with TransportServer() as server, Connection(server) as connection:
            bomb = framed(gzip.compress(b"\0" * (256 * MEBIBYTE)), 1)
            before = resident_bytes(server)
            for _ in range(20):
                answer = connection.call("Echo", bomb, [("grpc-encoding", "gzip")])
                self.assertEqual(answer.status, RESOURCE_EXHAUSTED)
            self.assertLess(resident_bytes(server) - before, 128 * MEBIBYTE)  # a sanitizer keeps what was freed

    def test_bombs_of_one_address_share_what_they_may_make_and_texts_pass(self):
        """Each of the connections is within its own budget."""
        bomb = framed(gzip.compress(string_value("x" * 900 * 1024)), 1)
        text = string_value(seeded_text(500 * 1024))
        with TransportServer(peer_inflation="256KiB") as server:
            for _ in range(6):
                with Connection(server) as connection:
                    answer = connection.call("Echo", bomb, [("grpc-encoding", "gzip")])
                    self.assertIn(answer.status, (OK, UNAVAILABLE))
            self.assertEqual(answer.status, UNAVAILABLE)
            self.assertGreater(server.counters()["inflated"], 0)
            with Connection(server) as connection:
                answer = connection.call("Echo", framed(gzip.compress(text), 1), [("grpc-encoding", "gzip")])
                self.assertEqual(answer.messages(), [text])

    def test_bombs_over_http_1_1_share_it_as_well(self):
        bomb, door = gzip.compress(json.dumps("x" * 900 * 1024).encode()), f"127.0.0.1:{free_port()}"
        statuses = []
        with TransportServer(peer_inflation="256KiB", http_listen=door) as server:
            for _ in range(6):
                with contextlib.closing(http.client.HTTPConnection(door, timeout=10)) as connection:
                    connection.request("POST", SERVICE + "Echo", bomb,
                                       {"content-type": "application/json", "content-encoding": "gzip"})
                    statuses.append(connection.getresponse().status)
            self.assertGreater(server.counters()["inflated"], 0)
        self.assertEqual((statuses[0], statuses[-1]), (200, 503))

    def test_large_messages_go_both_ways(self):
        message = string_value(seeded_text(900 * 1024))
        headers = [("grpc-encoding", "gzip"), *ACCEPTED]
        answer = self.call(data=framed(gzip.compress(message), 1), headers=headers)
        self.assertEqual([gzip.decompress(part) for part in answer.messages()], [message])


def resident_bytes(server):
    with open(f"/proc/{server.process.pid}/statm") as statm:
        return int(statm.read().split()[1]) * 4096


if __name__ == "__main__":
    unittest.main()
