"""The HTTP/1.1 door: methods as JSON for curl and browsers, and what nobody should send."""

import gzip
import json
import os
import re
import socket
import subprocess
import threading
import unittest

from door_case import FORM, DoorCase, basic, bearer
from latchkey_test import ROOT, Server, free_port, stubs
from latchkey_test.http1 import Closed, Http1, encode
from latchkey_test.waiting import wait_until

token_pb2 = stubs.messages("latchkey/v1/token.proto")
JSON = ("content-type", "application/json")
TOKENS = "/latchkey.v1.TokenService/"
PAGE = "https://console.example.com"


class Door(DoorCase):
    settings = {"http_allow_origins": f"{PAGE},http://localhost:3000"}

    def call(self, method, message, *fields, secret=None, path=TOKENS):
        secret = secret or self.deployment.secrets["LATCHKEY_TOKEN"]
        return self.ask("POST", path + method, [JSON, bearer(secret), *fields], json.dumps(message))


class Methods(Door):
    def test_a_method_is_called_as_json(self):
        answer = self.call("CreateAccessToken", {"label": "of curl", "permissions": ["charges.read"]})
        self.assertEqual((answer.status, answer.get("content-type")), (200, "application/json"), answer)
        made = answer.json()
        self.assertEqual(made["accessToken"]["label"], "of curl")
        told = self.call("GetCaller", {}, secret=made["secret"]).json()["caller"]
        self.assertEqual((told["tokenId"], told["permissions"]), (made["accessToken"]["tokenId"], ["charges.read"]))

    def test_a_method_is_called_as_protobuf(self):
        answer = self.ask("POST", TOKENS + "GetCaller", [("content-type", "application/proto"),
                                                         bearer(self.deployment.secrets["LATCHKEY_TOKEN"])], b"")
        self.assertEqual((answer.status, answer.get("content-type")), (200, "application/proto"))
        self.assertTrue(token_pb2.GetCallerResponse.FromString(answer.body).caller.company_id.startswith("cmp_"))

    def test_what_the_document_says_to_type_works_with_curl(self):
        secret, _ = self.create()
        text = (ROOT / "docs/http.md").read_text(encoding="utf-8")
        environment = {**os.environ, "LATCHKEY_TOKEN": self.deployment.secrets["LATCHKEY_TOKEN"], "SECRET": secret}
        commands = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
        self.assertEqual(len(commands), 2)
        for command, expected in zip(commands, ("caller", "active")):
            done = subprocess.run(["sh", "-c", command.replace("127.0.0.1:7080", self.door)], env=environment,
                                  capture_output=True, check=True, timeout=30)
            self.assertTrue(json.loads(done.stdout)[expected], done)

    def test_errors_are_connects(self):
        for method, message, secret, status, code in (
                ("GetAccessToken", {"tokenId": "x"}, None, 400, "invalid_argument"),
                ("GetAccessToken", {"tokenId": "tok_01h455vb4pex5vsknk084sn02q"}, None, 404, "not_found"),
                ("GetCaller", {}, "nonsense", 401, "unauthenticated"),
                ("SetPermissions", {}, None, 403, "permission_denied"),
                ("GetCaller", {"no_such_field": 1}, None, 400, "invalid_argument")):
            answer = self.call(method, message, secret=secret)
            self.assertEqual((answer.status, answer.json()["code"]), (status, code), (method, answer))
            self.assertTrue(answer.json()["message"])

    def test_a_caller_behind_a_trusted_proxy_is_the_one_that_it_names(self):
        answer = self.call("GetCaller", {}, ("x-forwarded-for", "203.0.113.9"))
        self.assertEqual(answer.json()["caller"]["clientIp"], "203.0.113.9")

    def test_the_operator_acts_for_a_company(self):
        company = self.call("GetCaller", {}).json()["caller"]["companyId"]
        answer = self.call("ListAccessTokens", {}, ("Latchkey-Company", company), secret=self.operator)
        self.assertIn("administrator", [token["label"] for token in answer.json()["accessTokens"]])

    def test_paths_where_there_is_nothing_say_so_in_json(self):
        for method, path in (("GET", "/"), ("POST", "/latchkey.v1.TokenService/NoSuch"), ("POST", "/latchkey.v1.TokenService"),
                             ("GET", "/check/"), ("GET", "/CHECK"), ("GET", "/../check"), ("GET", "//check"), ("GET", "/%63heck"),
                             ("GET", "/check%00"), ("POST", "/grpc.health.v1.Health/Watch"), ("OPTIONS", "*"),
                             ("POST", "/latchkey.v1.TokenService/../TokenService/GetCaller")):
            answer = self.ask(method, path)
            self.assertEqual((answer.status, answer.json()["code"]), (404, "unimplemented"), path)

    def test_methods_are_called_by_post_and_with_a_type(self):
        for name, methods in (("GetCaller", "GET, POST"), ("CreateAccessToken", "POST")):
            for method in {"GET", "HEAD", "PUT", "DELETE", "OPTIONS"} - set(methods.split(", ")):
                answer = self.ask(method, TOKENS + name, [JSON])
                self.assertEqual((answer.status, answer.get("allow")), (405, methods), (name, method))
        for kind in ("text/plain", "application/grpc", "application/grpc-web+proto", "application/connect+json", ""):
            answer = self.ask("POST", TOKENS + "GetCaller", [("content-type", kind)], "{}")
            self.assertEqual(answer.status, 415, kind)
        self.assertEqual(self.ask("POST", TOKENS + "GetCaller", [], "{}").status, 415)

    def test_what_only_reads_is_asked_by_get_too(self):
        own = [bearer(self.deployment.secrets["LATCHKEY_TOKEN"])]
        for query, status in (("connect=v1&encoding=json&message=%7B%7D", 200), ("encoding=json&message=e30&base64=1", 200),
                              ("encoding=json&message=%7B", 400), ("message=%7B%7D", 405), ("", 405)):
            answer = self.ask("GET", f"{TOKENS}GetCaller?{query}", own)
            self.assertEqual(answer.status, status, query)
            if status == 200:
                self.assertEqual(answer.json(), self.call("GetCaller", {}).json())
        answer = self.ask("GET", f"{TOKENS}GetCaller?encoding=proto&message=", own)
        self.assertEqual((answer.status, answer.get("content-type")), (200, "application/proto"))
        self.assertEqual(self.ask("GET", f"{TOKENS}GetCaller?encoding=json&message=%7B%7D").status, 401)

    def test_every_answer_is_kept_by_nobody_and_taken_for_nothing_else(self):
        for answer in (self.call("GetCaller", {}), self.ask("GET", "/"), self.ask("GET", "/check")):
            self.assertEqual((answer.get("cache-control"), answer.get("x-content-type-options")), ("no-store", "nosniff"))


class Origins(Door):
    def preflight(self, origin, path=TOKENS + "CreateAccessToken"):
        return self.ask("OPTIONS", path, {"origin": origin, "access-control-request-method": "POST"})

    def test_a_listed_page_may_ask(self):
        for path in (TOKENS + "CreateAccessToken", "/introspect"):
            answer = self.preflight(PAGE, path)
            self.assertEqual((answer.status, answer.get("access-control-allow-origin"), answer.get("access-control-allow-methods")),
                             (204, PAGE, "POST"))
            self.assertIn("authorization", answer.get("access-control-allow-headers"))
        self.assertEqual(self.preflight(PAGE, TOKENS + "GetCaller").get("access-control-allow-methods"), "GET, POST")
        answer = self.call("GetCaller", {}, ("origin", PAGE))
        self.assertEqual((answer.status, answer.get("access-control-allow-origin"), answer.get("vary")), (200, PAGE, "origin"))
        self.assertIsNone(answer.get("access-control-allow-credentials"))

    def test_other_pages_are_refused_whatever_they_send(self):
        for origin in ("https://evil.example", "null", PAGE + ".evil.example", PAGE.upper(), PAGE + ":8443", ""):
            self.assertEqual(self.preflight(origin).status, 403, origin)
            answer = self.call("GetCaller", {}, ("origin", origin))
            self.assertEqual((answer.status, answer.get("access-control-allow-origin")), (403, None), origin)
        self.assertEqual(self.call("GetCaller", {}, ("origin", PAGE), ("origin", "https://evil.example")).status, 403)
        self.assertEqual(self.ask("POST", "/introspect", [FORM, basic(self.operator), ("origin", "https://evil.example")],
                                  "token=a").status, 403)

    def test_who_comes_from_no_page_is_not_asked_for_one(self):
        self.assertEqual(self.call("GetCaller", {}).status, 200)


class Attacks(Door):
    settings = {**Door.settings, "http_max_body": "64KiB", "http_request_timeout": "2s", "http_idle_timeout": "3s",
                "http_max_connections": "100", "http_max_requests": "20"}

    def raw(self, data):
        """What comes back for these bytes until the server closes or has answered once; None if it just closed."""
        http = self.connect()
        http.send(data)
        try:
            return http.read()
        except Closed:
            return None

    def assert_alive(self):
        self.assertEqual(self.call("GetCaller", {}).status, 200)

    def test_a_body_over_the_limit_is_413_and_never_held(self):
        self.assertEqual(self.ask("POST", TOKENS + "GetCaller", [JSON], "x" * (64 * 1024 + 1)).status, 413)
        self.assertEqual(self.raw(encode("POST", "/check", {"content-length": "99999999999999999"})).status, 413)
        chunk = b"8000\r\n" + b"x" * 0x8000 + b"\r\n"
        head = encode("POST", TOKENS + "GetCaller", [JSON, ("transfer-encoding", "chunked")])
        self.assertEqual(self.raw(head + chunk * 3 + b"0\r\n\r\n").status, 413)
        http = self.connect()
        with self.assertRaises((Closed, ConnectionError)):
            http.send(head)
            for _ in range(10000):
                http.send(chunk)
            http.read()
        self.assert_alive()

    def test_chunked_bodies_arrive_whole(self):
        body = b'{"page_size": 1}'
        chunks = b"".join(b"1\r\n%c\r\n" % byte for byte in body)
        head = encode("POST", TOKENS + "ListAccessTokens", [JSON, bearer(self.deployment.secrets["LATCHKEY_TOKEN"]),
                                                            ("transfer-encoding", "chunked")])
        answer = self.raw(head + chunks + b"0\r\n\r\n")
        self.assertEqual((answer.status, len(answer.json()["accessTokens"])), (200, 1))

    def assert_refused_and_closed(self, http, what):
        """The first of two requests, so that the second is not answered."""
        try:
            self.assertEqual(http.read().status, 400, what)
        except Closed:
            return
        with self.assertRaises((Closed, ConnectionError), msg=what):
            http.read()

    def test_a_request_whose_end_is_not_clear_is_refused_and_its_connection_closed(self):
        for fields in ([("content-length", "2"), ("transfer-encoding", "chunked")], [("content-length", "2"), ("content-length", "3")],
                       [("content-length", "+2")], [("content-length", "0x2")], [("content-length", "-1")],
                       [("transfer-encoding", "chunked"), ("transfer-encoding", "identity")], [("transfer-encoding", "xchunked")],
                       [("transfer-encoding", "gzip, chunked")], [("content-length", "2, 2")]):
            http = self.connect()
            http.send(encode("POST", "/check", fields) + b"0\r\n\r\n" + encode("GET", "/check"))
            self.assert_refused_and_closed(http, fields)

    def test_header_fields_that_http_does_not_allow_reach_nobody(self):
        for line in (b"authorization: Bearer a\x00b", b"authorization: Bearer a\x01b", b"x\x7fy: z", b": empty",
                     b"x-access-token: a\x7f"):
            answer = self.raw(b"GET /check HTTP/1.1\r\nhost: x\r\n" + line + b"\r\n\r\n")
            self.assertTrue(answer is None or answer.status in (400, 401), (line, answer))
        self.assert_alive()

    def test_a_name_that_is_none_is_refused_and_its_connection_closed(self):
        """Who takes "content-length " for a length sees one request, and who does not sees two."""
        for name in (b"content-length ", b"content-length\t", b"transfer-encoding ", b"x-forwarded-for ", b"latchkey authorization",
                     b"x(y)", b"caf\xe9"):
            http = self.connect()
            http.send(b"POST /check HTTP/1.1\r\nhost: x\r\n" + name + b": 42\r\n\r\n" + encode("GET", "/check"))
            self.assert_refused_and_closed(http, name)

    def test_a_token_with_line_ends_makes_no_header_fields(self):
        for secret in ("x%0d%0aset-cookie:%20a=b", "a%0ab"):
            answer = self.ask("POST", "/introspect", [FORM, basic(self.operator)], f"token={secret}")
            self.assertEqual((answer.status, answer.json()), (200, {"active": False}))
            self.assertIsNone(answer.get("set-cookie"))
        answer = self.ask("GET", "/check?permission=a%0d%0aset-cookie:a=b", [bearer(self.operator)])
        self.assertEqual(answer.status, 403)
        self.assertIsNone(answer.get("set-cookie"))

    def test_long_and_many_header_fields_are_431(self):
        for fields in ([("x-long", "a" * 16 * 1024)], [(f"x-{i}", "a") for i in range(129)]):
            self.assertEqual(self.raw(encode("GET", "/check", fields)).status, 431)
        answer = self.raw(encode("GET", "/check", [("x-long", "a" * 200000)]))
        self.assertTrue(answer is None or answer.status == 431, answer)
        answer = self.raw(encode("GET", "/check?" + "permission=a&" * 20000))
        self.assertTrue(answer is None or answer.status in (400, 414, 431), answer)
        self.assert_alive()

    def test_fields_up_to_the_limits_have_their_place(self):
        """In what libmicrohttpd has for a connection: for few long ones as for many, behind a first line of 2 KiB."""
        path = "/check?" + "permission=charges.read&" * 85
        for fields in ([("x-long", "a" * (16 * 1024 - 200))], [(f"x-{i}", "a" * 80) for i in range(124)]):
            answer = self.raw(encode("GET", path, [bearer(self.operator), *fields]))
            self.assertIn(answer.status, (200, 400, 403), answer)

    def test_compressed_bodies_are_bounded_by_what_they_become(self):
        bomb = gzip.compress(b" " * 30_000_000)
        self.assertLess(len(bomb), 64 * 1024)
        answer = self.ask("POST", TOKENS + "GetCaller", [JSON, bearer(self.operator), ("content-encoding", "gzip")], bomb)
        self.assertIn(answer.status, (413, 429, 400, 501, 404), answer)
        answer = self.ask("POST", TOKENS + "GetCaller", [JSON, bearer(self.operator), ("content-encoding", "br")], b"x")
        self.assertGreaterEqual(answer.status, 400)
        self.assert_alive()

    def test_requests_may_be_sent_ahead_of_their_answers(self):
        secret = self.deployment.secrets["LATCHKEY_TOKEN"]
        good, bad = encode("GET", "/check", [bearer(secret)]), encode("GET", "/check")
        answers = self.connect().ask_all([good, bad] * 200)
        self.assertEqual([answer.status for answer in answers], [200, 401] * 200)

    def test_a_client_that_waits_for_100_continue_is_told_to_go_on(self):
        http = self.connect()
        http.send(encode("POST", TOKENS + "GetCaller", [JSON, bearer(self.operator), ("expect", "100-continue"), ("content-length", "2")]))
        self.assertEqual(http.read().status, 100)
        http.send(b"{}")
        self.assertEqual(http.read().status, 200)

    def test_every_byte_by_itself_is_the_same_request(self):
        http = self.connect()
        http.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in encode("POST", TOKENS + "GetCaller", [JSON, bearer(self.operator)], "{}"):
            http.send(bytes([byte]))
        self.assertEqual(http.read().status, 200)

    def test_bytes_that_are_no_http_end_the_connection(self):
        for data in (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 200, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
                     b"GET\r\n\r\n", b"GET /check\r\n\r\n", b"GET /check HTTP/9.9\r\n\r\n", b"\r\n" * 1000, b"\x00" * 100):
            http = self.connect()
            http.send(data)
            try:
                self.assertGreaterEqual(http.read().status, 400, data)
            except Closed:
                pass
        self.assert_alive()

    def test_slow_requests_are_closed_however_they_spread_their_bytes(self):
        before = self.metric('latchkey_http_ended_total{reason="slow_request"}')
        connections = [self.connect() for _ in range(10)]
        for http in connections:
            http.send(b"POST /check HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\nx")
        stop = threading.Event()

        def trickle():
            while not stop.wait(0.1):
                for http in connections:
                    try:
                        http.send(b"x")
                    except OSError:
                        pass
        thread = threading.Thread(target=trickle)
        thread.start()
        try:
            for http in connections:
                self.assertTrue(http.is_closed())
        finally:
            stop.set()
            thread.join()
        self.assertGreaterEqual(self.metric('latchkey_http_ended_total{reason="slow_request"}'), before + 10)

    def test_idle_connections_are_closed_and_those_in_the_middle_of_a_head_too(self):
        before = self.metric('latchkey_http_ended_total{reason="idle"}')
        silent, partial = self.connect(), self.connect()
        partial.send(b"GET /check HTT")
        used = self.connect()
        used.ask("GET", "/check")
        for http in (silent, partial, used):
            self.assertTrue(http.is_closed())
        self.assertGreaterEqual(self.metric('latchkey_http_ended_total{reason="idle"}'), before + 2)

    def test_whoever_opens_many_connections_keeps_nobody_out(self):
        idle = []
        for _ in range(500):
            try:
                idle.append(Http1(self.door))
            except OSError:
                break
        self.addCleanup(lambda: [http.close() for http in idle])
        wait_until(self.is_answered, 20, "somebody else to be answered")
        ended = (self.metric('latchkey_http_ended_total{reason="evicted"}') +
                 self.metric('latchkey_http_ended_total{reason="too_many_connections"}'))
        self.assertGreaterEqual(ended, 300)

    def is_answered(self):
        try:
            return self.call("GetCaller", {}).status == 200
        except (Closed, OSError):
            return False


class Waiting(DoorCase):
    """Requests that take long: they wait for a validator that has been stopped."""

    settings = {"http_max_requests": "3", "min_revision_wait": "60s"}

    def test_one_more_than_may_be_worked_on_is_503_and_a_client_that_goes_has_its_call_cancelled(self):
        other = Server("latchkey-validator", database_url=self.deployment.url)
        self.addCleanup(other.remove)
        other.start()
        other.pause()
        self.addCleanup(other.resume)
        message = json.dumps({"label": "slow", "waitForValidators": "20s"})
        waiting = [self.connect() for _ in range(3)]
        for http in waiting:
            http.send(encode("POST", TOKENS + "CreateAccessToken", [JSON, bearer(self.deployment.secrets["LATCHKEY_TOKEN"])], message))
        wait_until(lambda: self.metric("latchkey_http_requests_under_way") == 3, 20, "three requests to wait")
        refused = self.ask("GET", "/check")
        self.assertEqual((refused.status, refused.get("retry-after"), refused.json()["code"]), (503, "1", "unavailable"))
        self.assertEqual(self.ask("GET", "/").status, 404)
        for http in waiting:
            http.close()
        wait_until(lambda: self.metric("latchkey_http_requests_under_way") == 0, 15, "the requests to be cancelled")
        self.assertEqual(self.metric('latchkey_http_ended_total{reason="client_gone"}'), 3)
        self.assertEqual(self.ask("GET", "/check").status, 401)


class Stopping(DoorCase):
    """A server that is told to stop while a request waits for what does not come."""

    settings = {"drain_grace": "500ms"}

    def test_what_is_asked_is_answered_before_the_server_ends(self):
        server = self.deployment.server
        other = Server("latchkey-validator", database_url=self.deployment.url)
        self.addCleanup(other.remove)
        other.start()
        other.pause()
        self.addCleanup(other.resume)
        http = self.connect()
        http.send(encode("POST", TOKENS + "CreateAccessToken", [JSON, bearer(self.deployment.secrets["LATCHKEY_TOKEN"])],
                         json.dumps({"label": "slow", "waitForValidators": "40s"})))
        wait_until(lambda: self.metric("latchkey_http_requests_under_way") == 1, 20, "the request to wait")
        server.tell_to_end()
        self.assertEqual(server.wait(30), 0)
        self.assertIn(http.read().status, (200, 503))
        self.assertTrue(http.is_closed())


class Leaving(DoorCase):
    settings = {"drain_delay": "60s", "drain_grace": "20s"}

    def test_a_server_that_leaves_answers_on_closes_connections_and_stops_in_order(self):
        server = self.deployment.server
        http, idle = self.connect(), self.connect()
        self.assertEqual(http.ask("GET", "/check").status, 401)
        server.tell_to_end()
        wait_until(lambda: server.admin("/readyz")[0] == 503, 20, "the server to leave")
        answer = http.ask("GET", "/check")
        self.assertEqual((answer.status, answer.get("connection")), (401, "close"))
        self.assertTrue(http.is_closed())
        server.tell_to_end()
        self.assertEqual(server.wait(), 0)
        self.assertTrue(idle.is_closed())
        self.assertIn("stopped", server.log())


class Start(unittest.TestCase):
    def refused(self, **settings):
        server = Server("latchkey-validator", database_url="postgresql://127.0.0.1:1/nothing", **settings)
        self.addCleanup(server.remove)
        server.start(ready=False)
        return server.wait(), server.log()

    def test_a_port_that_others_reach_is_refused_without_tls(self):
        status, log = self.refused(http_listen="0.0.0.0:0")
        self.assertEqual(status, 64)
        self.assertIn("--allow-plaintext", log)

    def test_settings_that_are_none_are_refused(self):
        for settings in ({"http_listen": "localhost:1"}, {"http_listen": "unix:/tmp/x"}, {"http_allow_origins": "https://a/b"},
                         {"http_allow_origins": "console.example.com"}, {"http_allow_origins": "https://A.example"}):
            status, log = self.refused(**settings)
            self.assertEqual((status, "type " in log), (64, True), log)

    def test_a_port_in_use_is_told(self):
        with socket.socket() as other:
            other.bind(("127.0.0.1", 0))
            other.listen()
            status, log = self.refused(http_listen=f"127.0.0.1:{other.getsockname()[1]}")
        self.assertEqual(status, 69)
        self.assertIn("choose another with --http-listen", log)

    def test_there_is_no_door_unless_it_is_asked_for(self):
        server = Server("latchkey-validator", database_url="postgresql://127.0.0.1:1/nothing")
        self.addCleanup(server.remove)
        server.start(ready=False)
        wait_until(lambda: server.admin("/livez")[0] == 200, 30, "the server")
        self.assertNotIn("latchkey_http_", server.admin("/metrics")[1])


if __name__ == "__main__":
    unittest.main()
