"""/check: what a proxy is told about each request that it asks about."""

import unittest

from door_case import FORM, UI, DoorCase, basic, bearer, outer_address
from latchkey_test import Server, free_port
from latchkey_test.http1 import Http1
from latchkey_test.waiting import wait_until


class Check(DoorCase):
    settings = {"check_cookie": "session"}

    def check(self, *fields, query=""):
        return self.ask("GET", "/check" + query, fields)

    def assert_refused_with(self, answer, status, reason, challenge=None):
        self.assertEqual((answer.status, answer.get("latchkey-reason"), answer.get("www-authenticate")),
                         (status, reason, challenge), answer)
        self.assertIn("message", answer.json())
        self.assertEqual([name for name, _ in answer.fields if name.startswith("latchkey-")], ["latchkey-reason"])

    def test_a_good_token_is_admitted_and_the_proxy_is_told_whose_it_is(self):
        secret, token = self.create(permissions=["charges.create", "charges.read"], external_id="shop 1 \u00e9")
        answer = self.check(bearer(secret), query="?permission=charges.read&any_permission=refunds.create"
                                                  "&any_permission=charges.create")
        self.assertEqual(answer.status, 200)
        told = {name: value for name, value in answer.fields if name.startswith("latchkey-")}
        self.assertEqual(told, {"latchkey-company": token.company_id, "latchkey-token": token.token_id,
                                "latchkey-member": token.member_id, "latchkey-kind": "access",
                                "latchkey-permissions": "charges.create charges.read",
                                "latchkey-token-external-id": "shop 1 %C3%A9"})
        self.assertEqual((answer.get("cache-control"), answer.get("x-content-type-options")), ("no-store", "nosniff"))

    def test_when_a_token_ends_by_itself_the_proxy_is_told(self):
        secret, token = self.create(expire_in={"seconds": 3600})
        told = self.check(bearer(secret)).get("latchkey-expires-at")
        self.assertEqual(told[:19], token.expires_at.ToJsonString()[:19])

    def test_a_dead_token_is_401_with_a_challenge(self):
        secret, token = self.create()
        self.change_token(token, "deactivated_at = now(), deactivate_reason = 1")
        self.assert_refused_with(self.check(bearer(secret)), 401, "DEACTIVATED", 'Bearer error="invalid_token"')
        self.assert_refused_with(self.check(bearer("nonsense")), 401, "MALFORMED", 'Bearer error="invalid_token"')

    def test_no_token_is_401_without_an_error(self):
        for fields in ((), (("authorization", "Basic eDp5"),), (("authorization", "Bearer"),),
                       (bearer("a"), bearer("b")), (("x-access-token", ""),)):
            self.assert_refused_with(self.check(*fields), 401, "MALFORMED", 'Bearer realm="latchkey"')

    def test_a_missing_permission_is_403_with_insufficient_scope(self):
        secret, _ = self.create(permissions=["charges.read"])
        for query in ("?permission=charges.create", "?permission=charges.read&permission=no.such",
                      "?any_permission=charges.create&any_permission=refunds.create", "?permission="):
            self.assert_refused_with(self.check(bearer(secret), query=query), 403, "PERMISSION_MISSING",
                                     'Bearer error="insufficient_scope"')

    def test_the_address_is_the_one_that_the_trusted_proxy_saw(self):
        secret, _ = self.create(allowed_ips=["203.0.113.0/24"])
        for forwarded, status in (("203.0.113.7", 200), ("198.51.100.1, 203.0.113.7", 200), ("203.0.113.7, 198.51.100.1", 403),
                                  ("203.0.113.7, 127.0.0.1", 200), ("nonsense", 403), ("203.0.113.7:80", 403)):
            answer = self.check(bearer(secret), ("x-forwarded-for", forwarded))
            self.assertEqual(answer.status, status, forwarded)
        self.assertEqual(self.check(bearer(secret), ("X-Forwarded-For", "203.0.113.7"),
                                    ("X-Forwarded-For", "198.51.100.1")).status, 403)
        self.assert_refused_with(self.check(bearer(secret)), 403, "TOKEN_IP_NOT_LISTED")

    def test_the_page_is_the_origin_or_the_host_that_the_proxy_was_asked_for(self):
        secret, _ = self.create(channels=[UI], allowed_domains=["app.example.com"])
        good, bad = "https://app.example.com", "https://evil.example"
        for fields, status in (((("origin", good),), 200), ((("origin", bad),), 403), ((("x-forwarded-host", "app.example.com"),), 200),
                               ((("origin", bad), ("x-forwarded-host", "app.example.com")), 403), ((("origin", "null"),), 403),
                               ((("origin", good), ("origin", good)), 403), ((), 403)):
            self.assertEqual(self.check(bearer(secret), *fields, query="?channel=ui").status, status, fields)
        self.assert_refused_with(self.check(bearer(secret), ("origin", good)), 403, "CHANNEL_NOT_ALLOWED")

    def test_a_query_that_is_not_understood_protects_nothing_and_is_refused(self):
        secret, _ = self.create(permissions=["charges.read"])
        for query in ("?permissions=charges.read", "?channel=API", "?channel=", "?permission=%zz", "?x", "?permission=%00",
                      "?channel=ui&channel=api", "?channel=api&channel=api"):
            self.assertEqual(self.check(bearer(secret), query=query).status, 400, query)
        self.assertEqual(self.check(bearer(secret), query="?" + "permission=charges.read&" * 257).status, 400)
        self.assertEqual(self.check(bearer(secret), query="?" + "permission=charges.read&" * 256).status, 200)

    def test_a_cookie_counts_where_no_field_presents_a_token(self):
        secret, _ = self.create()
        self.assertEqual(self.check(("cookie", f"a=b; session={secret}; c=d")).status, 200)
        self.assertEqual(self.check(("cookie", f"xsession={secret}")).status, 401)
        self.assertEqual(self.check(("cookie", f"session={secret}"), bearer("nonsense")).status, 401)
        self.assertEqual(self.check(("cookie", "session=nonsense"), bearer(secret)).status, 200)

    def test_x_access_token_stands_in_for_authorization(self):
        secret, _ = self.create()
        self.assertEqual(self.check(("x-access-token", secret), ("authorization", "Basic eDp5")).status, 200)

    def test_any_method_asks_and_a_body_is_not_looked_at(self):
        secret, _ = self.create()
        for method in ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PROPFIND"):
            self.assertEqual(self.ask(method, "/check", [bearer(secret)]).status, 200, method)
        self.assertEqual(self.ask("POST", "/check", [bearer(secret)], "a body").status, 200)

    def test_a_use_is_noted_and_counted_like_one_that_came_by_grpc(self):
        secret, token = self.create()
        before = self.metric('latchkey_validate_decisions_total{reason="OK"}')
        self.assertEqual(self.check(bearer(secret), ("x-forwarded-for", "203.0.113.77")).status, 200)
        self.assertEqual(self.metric('latchkey_validate_decisions_total{reason="OK"}'), before + 1)
        self.assertGreaterEqual(self.metric('latchkey_http_requests_total{route="check",status="200"}'), 1)


class WithoutDatabase(unittest.TestCase):
    """A validator that has loaded nothing yet."""

    @classmethod
    def setUpClass(cls):
        cls.door = f"127.0.0.1:{free_port()}"
        cls.server = Server("latchkey-validator", database_url="postgresql://127.0.0.1:1/nothing", http_listen=cls.door)
        cls.addClassCleanup(cls.server.remove)
        cls.server.start(ready=False)
        wait_until(cls.answers, 30, "the door to open")

    @classmethod
    def answers(cls):
        try:
            with Http1(cls.door) as http:
                return http.ask("GET", "/check")
        except OSError:
            return None

    def test_nobody_is_admitted_and_the_proxy_is_told_when_to_ask_again(self):
        with Http1(self.door) as http:
            for path in ("/check", "/check?permission=charges.read"):
                answer = http.ask("GET", path, [bearer("nonsense")])
                self.assertEqual((answer.status, answer.get("retry-after"), answer.get("latchkey-reason")), (503, "1", "LOADING"))

    def test_introspection_does_not_call_a_token_inactive_that_it_does_not_know(self):
        with Http1(self.door) as http:
            answer = http.ask("POST", "/introspect", [FORM, basic("nonsense")], "token=nonsense")
            self.assertEqual((answer.status, answer.get("retry-after")), (503, "1"))
            self.assertEqual(answer.json()["error"], "temporarily_unavailable")


class FromElsewhere(DoorCase):
    """Proxies that are not on this machine, as far as the server can tell: it hears of them by another address."""

    @classmethod
    def setUpClass(cls):
        cls.settings = {"allow_plaintext": True, "http_listen": f"*:{free_port()}"}
        super().setUpClass()
        cls.door = f"{outer_address()}:{cls.settings['http_listen'].split(':')[1]}"

    def test_a_proxy_says_who_it_is_and_is_told_of_its_own_companys_tokens(self):
        secret, _ = self.create()
        own = ("latchkey-authorization", f"Bearer {self.deployment.secrets['LATCHKEY_TOKEN']}")
        self.assertEqual(self.ask("GET", "/check", [bearer(secret), own]).status, 200)
        self.assertEqual(self.ask("GET", "/check", [bearer(self.operator), own]).get("latchkey-reason"), "UNKNOWN")
        everybody = ("latchkey-authorization", f"Bearer {self.operator}")
        self.assertEqual(self.ask("GET", "/check", [bearer(secret), everybody]).status, 200)

    def test_a_proxy_that_says_nothing_learns_nothing_however_good_its_clients_token_is(self):
        secret, _ = self.create()
        for fields in ((), (("latchkey-authorization", "Bearer nonsense"),), (("latchkey-authorization", secret),)):
            answer = self.ask("GET", "/check", [bearer(secret), *fields])
            self.assertEqual((answer.status, answer.get("www-authenticate")), (403, None), fields)
            self.assertIn("this proxy may not ask", answer.json()["message"])


if __name__ == "__main__":
    unittest.main()
