"""Envoy's Check, asked as an Envoy asks it. tests/interop asks it with a real one."""

import os
import signal
import tempfile
import unittest
from pathlib import Path

import grpc
from door_case import API, UI, DoorCase, bearer, outer_address

from latchkey_test import Server, envoy, free_port, stubs
from latchkey_test.waiting import wait_until

health_pb2 = stubs.messages("grpc/health/v1/health.proto")

IDENTITIES = {f"latchkey-{name}" for name in ("company", "company-external-id", "token", "token-external-id", "member", "kind",
                                              "permissions", "expires-at")}

ROUTES = """
GET   /charges            charges.read
POST  /charges            charges.create
*     /charges/*/refunds  charges.create refunds.create
*     /console/**         token channel=ui
GET   /healthz            public
*     /internal/**        deny
"""


class EnvoyCase(DoorCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.gateway = cls.enter(grpc.insecure_channel(cls.deployment.server.address))

    def check(self, *headers, **fields):
        metadata = fields.pop("metadata", ())
        return envoy.Answer(envoy.stub(self.gateway).Check(envoy.question(headers, **fields), metadata=metadata, timeout=20))

    def assert_refused(self, answer, status, reason):
        self.assertEqual((answer.status, answer.reason), (status, reason), answer)


class Check(EnvoyCase):
    settings = {"check_cookie": "session"}

    def test_a_good_token_is_admitted_and_the_service_is_told_whose_it_is(self):
        secret, token = self.create(permissions=["charges.create", "charges.read"], external_id="shop 1 \u00e9")
        for is_raw in (False, True):
            answer = self.check(bearer(secret), permission="charges.read", any_permission="refunds.create, charges.create",
                                is_raw=is_raw)
            self.assertTrue(answer.is_admitted, answer)
            self.assertEqual(answer.headers, {
                "latchkey-company": token.company_id, "latchkey-token": token.token_id, "latchkey-member": token.member_id,
                "latchkey-kind": "access", "latchkey-permissions": "charges.create charges.read",
                "latchkey-token-external-id": "shop 1 %C3%A9"})

    def test_what_the_client_says_of_itself_and_the_token_are_taken_away(self):
        secret, _ = self.create(company_owned=True)
        forged = [(name, "forged") for name in ("latchkey-company", "latchkey-member", "Latchkey-Admin", "latchkey_company")]
        answer = self.check(bearer(secret), *forged, *forged)
        self.assertTrue(answer.is_admitted, answer)
        self.assertEqual(answer.removed, IDENTITIES - set(answer.headers) | {
            "latchkey-admin", "latchkey_company", "authorization", "x-access-token"})
        self.assertNotIn("latchkey-member", answer.headers)

    def test_no_token_and_repeated_ones_are_401_without_an_error(self):
        secret, _ = self.create()
        for headers in ((), [("authorization", "Basic eDp5")], [bearer(secret), bearer(secret)], [("x-access-token", "")]):
            answer = self.check(*headers)
            self.assert_refused(answer, 401, "MALFORMED")
            self.assertEqual(answer.headers["www-authenticate"], 'Bearer realm="latchkey"', headers)
        self.assert_refused(self.check(bearer(secret), bearer(secret), is_raw=False), 401, "MALFORMED")

    def test_a_dead_token_is_401_and_a_missing_permission_403(self):
        secret, token = self.create(permissions=["charges.read"])
        answer = self.check(bearer(secret), permission="charges.create")
        self.assert_refused(answer, 403, "PERMISSION_MISSING")
        self.assertEqual((answer.code, answer.headers["www-authenticate"]), (7, 'Bearer error="insufficient_scope"'))
        for extensions in ({"permission": ""}, {"permission": "charges.read,"}, {"any_permission": "no.such"}):
            self.assert_refused(self.check(bearer(secret), **extensions), 403, "PERMISSION_MISSING")
        self.change_token(token, "deactivated_at = now(), deactivate_reason = 1")
        answer = self.check(bearer(secret))
        self.assert_refused(answer, 401, "DEACTIVATED")
        self.assertEqual((answer.code, answer.headers["www-authenticate"]), (16, 'Bearer error="invalid_token"'))
        self.assertIn("deactivated", answer.body)

    def test_extensions_that_are_not_understood_let_nobody_in(self):
        secret, _ = self.create()
        for extensions in ({"permissions": "charges.read"}, {"channel": "both"}, {"channel": ""}, {"virtual_host": "x"}):
            self.assert_refused(self.check(bearer(secret), **extensions), 403, "MISCONFIGURED")
        self.assertEqual(self.check(bearer(secret), permission=",".join(["no.such"] * 257)).status, 400)

    def test_the_address_is_the_one_that_the_trusted_proxy_saw(self):
        secret, _ = self.create(allowed_ips=["203.0.113.0/24"])
        for source, forwarded, is_admitted in (
                ("203.0.113.7", None, True), ("203.0.113.7", "198.51.100.1", True), ("198.51.100.1", "203.0.113.7", False),
                ("127.0.0.1", "203.0.113.7", True), ("127.0.0.1", "203.0.113.7, 127.0.0.1", True),
                ("127.0.0.1", "203.0.113.7, 198.51.100.1", False), ("127.0.0.1", "203.0.113.7,", False), ("127.0.0.1", None, False),
                ("", "203.0.113.7", False), ("nonsense", "203.0.113.7", False), ("203.0.113.7:80", None, False)):
            fields = [("x-forwarded-for", forwarded)] if forwarded is not None else []
            answer = self.check(bearer(secret), *fields, source=source)
            self.assertEqual(answer.is_admitted, is_admitted, (source, forwarded))
            if not is_admitted:
                self.assert_refused(answer, 403, "TOKEN_IP_NOT_LISTED")

    def test_the_page_is_the_origin_or_the_host(self):
        secret, _ = self.create(channels=[UI], allowed_domains=["app.example.com"])
        good, bad = ("origin", "https://app.example.com"), ("origin", "https://evil.example")
        for headers, host, is_admitted in (([good], "x", True), ([bad], "app.example.com", False), ([], "app.example.com", True),
                                           ([], "evil.example", False), ([good, good], "x", False)):
            self.assertEqual(self.check(bearer(secret), *headers, host=host, channel="ui").is_admitted, is_admitted, headers)
        self.assert_refused(self.check(bearer(secret), good), 403, "CHANNEL_NOT_ALLOWED")

    def test_a_cookie_counts_where_no_field_presents_a_token_and_the_others_stay(self):
        secret, _ = self.create()
        answer = self.check(("cookie", f"a=b; session={secret}; c=d"))
        self.assertEqual((answer.is_admitted, answer.headers["cookie"]), (True, "a=b; c=d"))
        answer = self.check(("cookie", f"session={secret}"))
        self.assertTrue(answer.is_admitted and "cookie" in answer.removed, answer)
        self.assertEqual(self.check(("cookie", f"session={secret}"), bearer("nonsense")).status, 401)
        answer = self.check(("cookie", f"session={secret}"), ("x-access-token", secret), ("authorization", "Basic eDp5"))
        self.assertEqual(answer.removed & {"cookie", "x-access-token", "authorization"}, {"cookie", "x-access-token"})

    def test_what_can_not_be_read_lets_nobody_in(self):
        ask = self.gateway.unary_unary("/envoy.service.auth.v3.Authorization/Check")
        for message in (b"\xff", b"\x0a\x05", b"\x0b"):
            self.assert_refused(envoy.parse(ask(message, timeout=20)), 400, "MALFORMED_CHECK")
        self.assert_refused(envoy.parse(ask(b"", timeout=20)), 401, "MALFORMED")

    def test_a_use_is_counted_like_one_that_came_by_validate(self):
        secret, _ = self.create()
        names = ('latchkey_validate_decisions_total{reason="OK"}', 'latchkey_ext_authz_checks_total{outcome="decided"}')
        before = [self.metric(name) for name in names]
        self.assertTrue(self.check(bearer(secret)).is_admitted)
        self.assertEqual([self.metric(name) for name in names], [count + 1 for count in before])

    def test_health_is_told_of_it_by_name(self):
        request = health_pb2.HealthCheckRequest(service="envoy.service.auth.v3.Authorization")
        self.assertEqual(self.client.health.Check(request, timeout=20).status, health_pb2.HealthCheckResponse.SERVING)


class Routes(EnvoyCase):
    @classmethod
    def setUpClass(cls):
        cls.file = Path(cls.enter(tempfile.TemporaryDirectory())) / "routes.conf"
        cls.file.write_text(ROUTES, encoding="ascii")
        cls.settings = {"routes_file": cls.file}
        super().setUpClass()
        cls.secret, _ = cls.create(permissions=["charges.read", "charges.create"], channels=[API, UI])

    def test_the_route_says_what_is_needed(self):
        reader, _ = self.create(permissions=["charges.read"])
        for method, path, secret, expected in (
                ("GET", "/charges", reader, None), ("GET", "/charges?x=/../healthz", reader, None),
                ("POST", "/charges", reader, "PERMISSION_MISSING"), ("POST", "/charges", self.secret, None),
                ("DELETE", "/charges", self.secret, "METHOD_NOT_LISTED"),
                ("PUT", "/charges/7/refunds", self.secret, "PERMISSION_MISSING"),
                ("GET", "/charges/7", self.secret, "ROUTE_NOT_LISTED"), ("GET", "/internal/x", self.secret, "ROUTE_DENIED"),
                ("GET", "/console/x", reader, "CHANNEL_NOT_ALLOWED"), ("GET", "/console", self.secret, None),
                ("GET", "/healthz", "nonsense", None), ("GET", "/healthz/../charges", self.secret, "PATH_AMBIGUOUS"),
                ("GET", "//healthz", self.secret, "PATH_AMBIGUOUS"), ("GET", "/%68ealthz", self.secret, "PATH_AMBIGUOUS"),
                ("GET", "/healthz;x=/charges", self.secret, "PATH_AMBIGUOUS"), ("OPTIONS", "*", self.secret, "PATH_AMBIGUOUS"),
                ("GET", "/healthz\xff", self.secret, "PATH_AMBIGUOUS")):
            answer = self.check(bearer(secret), method=method, path=path)
            self.assertEqual((answer.is_admitted, answer.reason), (expected is None, expected), (method, path))

    def test_an_extension_adds_to_the_route_and_never_takes_away(self):
        reader, _ = self.create(permissions=["charges.read"])
        self.assert_refused(self.check(bearer(reader), path="/charges", permission="charges.create"), 403, "PERMISSION_MISSING")
        self.assert_refused(self.check(bearer(reader), method="POST", path="/charges", permission="charges.read"), 403,
                            "PERMISSION_MISSING")
        self.assert_refused(self.check(bearer(reader), path="/console", channel="api"), 403, "CHANNEL_NOT_ALLOWED")
        self.assert_refused(self.check(bearer(reader), path="/charges", channel="ui"), 403, "CHANNEL_NOT_ALLOWED")

    def test_a_public_route_asks_nobody_and_believes_nobody(self):
        answer = self.check(bearer(self.secret), ("latchkey-company", "forged"), path="/healthz")
        self.assertEqual((answer.is_admitted, answer.headers), (True, {}))
        self.assertGreaterEqual(answer.removed, IDENTITIES | {"x-access-token", "authorization"})
        self.assertNotIn("authorization", self.check(("authorization", "Basic eDp5"), path="/healthz").removed)

    def test_other_names_for_method_and_path_are_taken_away(self):
        overrides = {"x-original-url", "x-rewrite-url", "x-http-method-override", "x-http-method", "x-method-override"}
        answer = self.check(bearer(self.secret), ("x_http_method_override", "DELETE"), path="/charges")
        self.assertEqual(answer.removed & {*overrides, "x_http_method_override"}, {*overrides, "x_http_method_override"})

    def test_a_file_that_changes_is_read_again_and_one_that_is_bad_changes_nothing(self):
        self.addCleanup(self.replace, ROUTES)
        self.assertFalse(self.check(bearer(self.secret), path="/new").is_admitted)
        self.replace(ROUTES + "GET /new charges.read\n")
        wait_until(lambda: self.check(bearer(self.secret), path="/new").is_admitted, 20, "the new route to count")
        failed = 'latchkey_routes_reload_total{result="failed"}'
        before = self.metric(failed)
        self.replace("GET /new public\nGET /new public\n")
        wait_until(lambda: self.metric(failed) > before, 20, "the bad file to be read")
        self.assertEqual(self.check(path="/new").status, 401)
        self.assertIn(f"{self.file}:2: the path stands on line 1 already", self.deployment.server.log())
        self.replace(ROUTES)
        wait_until(lambda: not self.check(bearer(self.secret), path="/new").is_admitted, 20, "the old routes to count again")

    def test_sighup_reads_it_again(self):
        good = 'latchkey_routes_reload_total{result="ok"}'
        before = self.metric(good)
        os.kill(self.deployment.server.pid, signal.SIGHUP)
        wait_until(lambda: self.metric(good) > before, 20, "the file to be read again")

    def replace(self, text):
        other = self.file.with_suffix(".new")
        other.write_text(text, encoding="ascii")
        other.replace(self.file)


class BehindKnownHops(EnvoyCase):
    settings = {"trusted_hops": 1, "ext_authz_pass_token": True}

    def test_the_address_is_one_step_away_whoever_stands_there(self):
        secret, _ = self.create(allowed_ips=["203.0.113.0/24"])
        for source, forwarded, is_admitted in (
                ("198.51.100.1", "203.0.113.7", True), ("198.51.100.1", "9.9.9.9, 203.0.113.7, 198.51.100.1", True),
                ("198.51.100.1", "203.0.113.7, 9.9.9.9", False), ("203.0.113.7", None, False), ("203.0.113.7", "9.9.9.9", False)):
            fields = [("x-forwarded-for", forwarded)] if forwarded else []
            self.assertEqual(self.check(bearer(secret), *fields, source=source).is_admitted, is_admitted, (source, forwarded))

    def test_the_token_is_passed_on_where_the_settings_say_so(self):
        secret, _ = self.create()
        answer = self.check(bearer(secret))
        self.assertTrue(answer.is_admitted)
        self.assertEqual(answer.removed & {"authorization", "x-access-token"}, set())


class WithoutDatabase(unittest.TestCase):
    def test_nobody_is_admitted_by_a_validator_that_has_loaded_nothing_but_where_nothing_is_asked(self):
        with tempfile.TemporaryDirectory() as directory:
            routes = Path(directory) / "routes.conf"
            routes.write_text("GET /healthz public\n* /** token\n", encoding="ascii")
            server = Server("latchkey-validator", database_url="postgresql://127.0.0.1:1/nothing", routes_file=routes)
            self.addCleanup(server.remove)
            server.start(ready=False)
            with grpc.insecure_channel(server.address) as channel:
                def check(path):
                    return envoy.Answer(envoy.stub(channel).Check(envoy.question([bearer("nonsense")], path=path), timeout=30,
                                                                  wait_for_ready=True))
                answer = check("/charges")
                self.assertEqual((answer.status, answer.code, answer.headers["retry-after"], answer.reason), (503, 14, "1", "LOADING"))
                self.assertTrue(check("/healthz").is_admitted)

    def test_a_server_with_a_bad_file_does_not_start(self):
        with tempfile.TemporaryDirectory() as directory:
            routes = Path(directory) / "routes.conf"
            routes.write_text("GET /healthz pubic\n", encoding="ascii")
            server = Server("latchkey-validator", database_url="postgresql://127.0.0.1:1/nothing", routes_file=routes)
            self.addCleanup(server.remove)
            server.start(ready=False)
            self.assertEqual(server.wait(), 64)
            self.assertIn("routes.conf:1: \"pubic\" is no permission", server.log())


class FromElsewhere(EnvoyCase):
    """A gateway that is not on this machine, as far as the server can tell."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        port = free_port()
        cls.enter(cls.deployment.beside(allow_plaintext=True, listen=f"*:{port}"))
        cls.gateway = cls.enter(grpc.insecure_channel(f"{outer_address()}:{port}"))

    def test_a_gateway_presents_a_token_of_its_own_and_is_told_of_its_own_companys(self):
        secret, _ = self.create()
        own = [("authorization", f"Bearer {self.deployment.secrets['LATCHKEY_TOKEN']}")]
        everybody = [("authorization", f"Bearer {self.operator}")]
        self.assertTrue(self.check(bearer(secret), metadata=own).is_admitted)
        self.assert_refused(self.check(bearer(self.operator), metadata=own), 401, "UNKNOWN")
        self.assertTrue(self.check(bearer(secret), metadata=everybody).is_admitted)

    def test_a_gateway_that_may_not_ask_lets_nobody_in(self):
        secret, _ = self.create()
        for metadata in ((), [("authorization", "Bearer nonsense")]):
            answer = self.check(bearer(secret), metadata=metadata)
            self.assertEqual((answer.status, "www-authenticate" in answer.headers), (403, False))
            self.assertIn("this proxy may not ask", answer.body)


if __name__ == "__main__":
    unittest.main()
