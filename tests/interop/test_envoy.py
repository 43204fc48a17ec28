"""A real Envoy with deploy/envoy/envoy.yaml, in front of a service that tells what has reached it.

tests/interop/run.sh has put Envoy into build/interop.
"""

import tempfile
import unittest
from pathlib import Path

from proxies import Gateway

from latchkey_test import Deployment, Server, stubs, uuid_of_id
from latchkey_test.echo import Echo
from latchkey_test.http1 import Http1
from latchkey_test.waiting import wait_until

token_pb2 = stubs.messages("latchkey/v1/token.proto")

ROUTES = """
GET    /charges     charges.read
POST   /charges     charges.create
GET    /charges/*   charges.read
GET    /console/**  token channel=ui
GET    /healthz     public
"""

# Envoy takes away what clients say of themselves, before and beside the validator: without this lock only the other one holds.
FIRST_LOCK = [(f"                          - remove: latchkey-{name}\n", "") for name in (
    "company", "company-external-id", "token", "token-external-id", "member", "kind", "permissions")] + [
    ("remove: latchkey-expires-at", "remove: x-nothing"), ("action: REJECT_REQUEST\n                  max", "action: ALLOW\n                  max")]


def bearer(secret):
    return ("authorization", f"Bearer {secret}")


class Behind:
    """What holds with the file as it is, and with its locks taken off one by one."""

    changes = ()
    settings = {}

    @classmethod
    def setUpClass(cls):
        cls.deployment = cls.enterClassContext(Deployment())
        routes = Path(cls.enterClassContext(tempfile.TemporaryDirectory())) / "routes.conf"
        routes.write_text(ROUTES, encoding="ascii")
        cls.validator = cls.start_validators(routes_file=routes, **cls.settings)
        cls.administrator = cls.enterClassContext(cls.deployment.administrator())
        cls.service = Echo()
        cls.addClassCleanup(cls.service.stop)
        cls.gateway = cls.enterClassContext(cls.make_gateway())
        cls.wait_for_gateway()
        cls.secret, cls.token = cls.create(permissions=["charges.read"])

    @classmethod
    def start_validators(cls, **settings):
        """That which decides about the demo company."""
        return cls.enterClassContext(cls.deployment.beside("latchkey-validator", **settings))

    @classmethod
    def make_gateway(cls):
        return Gateway(cls.validator.address, cls.service.address, changes=cls.changes)

    @classmethod
    def wait_for_gateway(cls):
        def answers():
            try:
                with Http1(cls.gateway.address) as http:
                    return http.ask("GET", "/healthz").status == 200
            except OSError:
                return False
        try:
            wait_until(answers, 60, "Envoy to let somebody through")
        except TimeoutError as error:
            raise AssertionError(f"{error}\n{cls.gateway.log()}\n{cls.validator.log()}") from None

    @classmethod
    def create(cls, **fields):
        request = token_pb2.CreateAccessTokenRequest(label="of a test", **fields)
        request.wait_for_validators.seconds = 20
        created = cls.administrator.tokens.CreateAccessToken(request, timeout=30)
        return created.secret, created.access_token

    def ask(self, *fields, method="GET", path="/charges"):
        with Http1(self.gateway.address) as http:
            return http.ask(method, path, fields)

    def assert_refused(self, answer, status, reason):
        self.assertEqual((answer.status, answer.get("latchkey-reason")), (status, reason), answer)

    def seen(self, answer):
        self.assertEqual(answer.status, 200, answer)
        return answer.json()

    def identity(self, seen):
        return sorted((name, value) for name, value in seen["headers"] if name.replace("_", "-").startswith("latchkey-"))

    def test_the_service_is_told_who_was_let_in_and_never_sees_the_token(self):
        seen = self.seen(self.ask(bearer(self.secret)))
        self.assertEqual(self.identity(seen), [
            ("latchkey-company", self.token.company_id), ("latchkey-kind", "access"), ("latchkey-member", self.token.member_id),
            ("latchkey-permissions", "charges.read"), ("latchkey-token", self.token.token_id)])
        for presented in ((("Authorization", f"bEARER {self.secret}"),), (("X-ACCESS-TOKEN", self.secret),),
                          (("x-access-token", self.secret), ("authorization", f"Bearer {self.secret}"))):
            self.assertNotIn(self.secret, str(self.seen(self.ask(*presented))), presented)

    def test_what_the_client_says_of_itself_does_not_reach_the_service(self):
        secret, token = self.create(permissions=["charges.read"], company_owned=True)
        forged = [(name, "forged") for name in ("latchkey-company", "Latchkey-Member", "LATCHKEY-PERMISSIONS", "latchkey-admin",
                                                "latchkey-expires-at", "latchkey-company-external-id")] * 2
        for path, expected in (("/charges", token.company_id), ("/healthz", None)):
            seen = self.seen(self.ask(bearer(secret), *forged, path=path))
            self.assertNotIn("forged", [value for name, value in self.identity(seen) if name != "latchkey-admin"], path)
            self.assertEqual(dict(self.identity(seen)).get("latchkey-company"), expected)
            self.assertNotIn("latchkey-admin", dict(self.identity(seen)))
        self.assertNotIn(secret, str(seen))

    def test_names_with_other_signs_do_not_reach_the_service_either(self):
        seen = self.seen(self.ask(bearer(self.secret), ("latchkey.company", "forged"), ("Latchkey~Admin", "forged")))
        self.assertNotIn("forged", str(seen["headers"]))

    def test_no_token_or_two_of_them_is_401(self):
        before = self.service.count
        for fields in ((), (("authorization", "Basic eDp5"),), (bearer(self.secret), bearer(self.secret)),
                       (bearer("nonsense"), bearer(self.secret)), (("x-access-token", self.secret), ("x-access-token", "nonsense"))):
            answer = self.ask(*fields)
            self.assert_refused(answer, 401, "MALFORMED")
            self.assertTrue(answer.get("www-authenticate").startswith("Bearer"), answer)
        self.assertEqual(self.service.count, before)

    def test_a_permission_that_is_missing_is_403(self):
        answer = self.ask(bearer(self.secret), method="POST")
        self.assert_refused(answer, 403, "PERMISSION_MISSING")
        self.assertEqual(answer.get("www-authenticate"), 'Bearer error="insufficient_scope"')
        self.assertIn("permission", answer.json()["message"])
        self.assert_refused(self.ask(bearer(self.secret), path="/console/x"), 403, "CHANNEL_NOT_ALLOWED")
        self.assert_refused(self.ask(bearer(self.secret), path="/elsewhere"), 403, "ROUTE_NOT_LISTED")

    def test_the_address_is_the_one_that_the_gateway_saw(self):
        elsewhere, _ = self.create(permissions=["charges.read"], allowed_ips=["203.0.113.0/24"])
        here, _ = self.create(permissions=["charges.read"], allowed_ips=["127.0.0.0/8"])
        for forwarded in ((), ("203.0.113.7",), ("203.0.113.7", "203.0.113.7"), ("203.0.113.7, 127.0.0.1",), ("nonsense",)):
            fields = [("x-forwarded-for", text) for text in forwarded]
            self.assert_refused(self.ask(bearer(elsewhere), *fields), 403, "TOKEN_IP_NOT_LISTED")
            self.seen(self.ask(bearer(here), *fields))

    def test_large_headers_are_decided_or_refused_and_never_let_through(self):
        self.seen(self.ask(bearer(self.secret), ("x-large", "x" * 50_000)))
        self.assertEqual(self.ask(("x-large", "x" * 50_000)).status, 401)
        self.assertEqual(self.ask(("authorization", "Bearer " + "x" * 50_000)).status, 401)
        self.assertEqual(self.ask(bearer(self.secret), ("x-large", "x" * 70_000)).status, 431)

    def test_bytes_that_are_no_text_are_decided_too(self):
        self.seen(self.ask(bearer(self.secret), ("x-latin", "caf\xe9")))
        self.assertEqual(self.ask(("authorization", "Bearer caf\xe9")).status, 401)
        self.assertIn(self.ask(bearer(self.secret), path="/charges/caf\xe9").status, (400, 403))

    def test_a_path_never_means_another_one_to_the_service(self):
        """Whatever reaches it, does so by the route of the path that it sees: none of these is let in without a token but as
        /healthz."""
        for path in ("//healthz", "/healthz/", "/charges/../healthz", "/healthz/../charges", "/healthz/%2e%2e/charges",
                     "/healthz%2f..%2fcharges", "/healthz/..;/charges", "/healthz;/../charges", "/%68ealthz", "/HEALTHZ", "/healthz%00",
                     "/healthz/..%5ccharges", "/healthz/..\\charges", "/healthz?/../charges", "/healthz#/../charges", "/./healthz"):
            answer = self.ask(path=path)
            if answer.status == 200:
                self.assertIn(answer.json()["path"].split("?")[0].rstrip("/"), ("/healthz",), path)

    def test_other_names_for_the_method_and_the_path_do_not_reach_the_service(self):
        names = ("x-http-method-override", "x-original-url", "x-rewrite-url")
        seen = self.seen(self.ask(bearer(self.secret), *((name, "DELETE") for name in names)))
        self.assertEqual(set(dict(seen["headers"])) & set(names), set())

    def test_a_token_that_is_deactivated_is_refused_on_the_same_connection(self):
        secret, token = self.create(permissions=["charges.read"])
        with Http1(self.gateway.address) as http:
            self.seen(http.ask("GET", "/charges", [bearer(secret)]))
            request = token_pb2.DeactivateAccessTokenRequest(token_id=token.token_id)
            request.wait_for_validators.seconds = 20
            self.administrator.tokens.DeactivateAccessToken(request, timeout=30)
            self.assert_refused(http.ask("GET", "/charges", [bearer(secret)]), 401, "DEACTIVATED")

    def test_a_company_that_is_suspended_is_refused_until_it_is_not(self):
        company = uuid_of_id(self.token.company_id)
        for suspended, status in (("true", 403), ("false", 200)):
            self.deployment.execute(f"UPDATE latchkey.company SET suspended = {suspended} WHERE company_id = '{company}'")
            wait_until(lambda: self.ask(bearer(self.secret)).status == status, 20, f"status {status}")

    def test_without_a_validator_nobody_is_let_in(self):
        before = self.service.count
        self.validator.stop()
        try:
            for fields in ((), (bearer(self.secret),)):
                self.assertEqual(self.ask(*fields).status, 503)
            self.assertEqual(self.ask(path="/healthz").status, 503)
            self.assertEqual(self.service.count, before)
        finally:
            self.validator.start()
        wait_until(lambda: self.ask(bearer(self.secret)).status == 200, 30, "Envoy to find the validator again")


class AsDeployed(Behind, unittest.TestCase):
    pass


class WithoutTheFirstLock(Behind, unittest.TestCase):
    changes = FIRST_LOCK

    def test_names_with_underscores_do_not_reach_the_service_either(self):
        seen = self.seen(self.ask(bearer(self.secret), ("latchkey_company", "forged"), ("Latchkey_Admin", "forged")))
        self.assertNotIn("forged", str(self.identity(seen)))


class BehindAProxyOnThisMachine(Behind, unittest.TestCase):
    """Whoever asks from 127.0.0.1 is believed when it says for whom. Envoy must not say so when it asks itself."""

    settings = {"trusted_proxies": "127.0.0.1"}

    def test_the_address_is_the_one_that_the_gateway_saw(self):
        secret, _ = self.create(permissions=["charges.read"], allowed_ips=["203.0.113.0/24"])
        for forwarded in ("203.0.113.7", "203.0.113.7, 127.0.0.1"):
            # Envoy appends an address of the machine's own, which is no trusted one.
            self.assert_refused(self.ask(bearer(secret), ("x-forwarded-for", forwarded)), 403, "TOKEN_IP_NOT_LISTED")


class WithJoinedHeaders(Behind, unittest.TestCase):
    changes = [*FIRST_LOCK, ("encode_raw_headers: true", "encode_raw_headers: false")]


class ThatWouldLetThroughOnFailure(Behind, unittest.TestCase):
    """failure_mode_allow says what happens when nobody answers. As long as somebody does, nobody is let in by it."""

    changes = [("failure_mode_allow: false", "failure_mode_allow: true")]

    test_without_a_validator_nobody_is_let_in = None  # which is what the setting undoes


class Loading(unittest.TestCase):
    def test_a_validator_that_has_loaded_nothing_lets_nobody_in(self):
        service = Echo()
        self.addCleanup(service.stop)
        validator = Server("latchkey-validator", database_url="postgresql://127.0.0.1:1/nothing")
        self.addCleanup(validator.remove)
        validator.start(ready=False)
        # Envoy asks nobody who is not healthy; here it does, as it would between two looks.
        unchecked = ("healthy_panic_threshold: { value: 0 }", "healthy_panic_threshold: { value: 100 }")
        for changes, expected in (((), (503, None, None)), ((unchecked,), (503, "LOADING", "1"))):
            with Gateway(validator.address, service.address, changes=changes) as gateway:
                wait_until(lambda: self.told(gateway) == expected, 60, f"to be told {expected}")
        self.assertEqual(service.count, 0)

    @staticmethod
    def told(gateway):
        try:
            with Http1(gateway.address) as http:
                answer = http.ask("GET", "/charges", [bearer("nonsense")])
        except OSError:
            return None
        return answer.status, answer.get("latchkey-reason"), answer.get("retry-after")


if __name__ == "__main__":
    unittest.main()
