"""/introspect: RFC 7662, as resource servers ask that know nothing of Latchkey."""

import datetime
import urllib.parse
import unittest

from door_case import FORM, UI, DoorCase, basic, bearer
from latchkey_test.http1 import Http1


def encode(**fields):
    return urllib.parse.urlencode(fields, doseq=True)


class Introspection(DoorCase):
    def introspect(self, *fields, body=None, **form):
        return self.ask("POST", "/introspect", [FORM, *fields], encode(**form) if body is None else body)

    def assert_active(self, answer):
        self.assertEqual((answer.status, answer.get("content-type"), answer.get("cache-control")),
                         (200, "application/json", "no-store"), answer)
        told = answer.json()
        self.assertIs(told["active"], True)
        return told

    def assert_inactive(self, answer):
        self.assertEqual((answer.status, answer.json()), (200, {"active": False}))

    def assert_failed(self, answer, status, error):
        self.assertEqual((answer.status, answer.json()["error"]), (status, error), answer)
        self.assertTrue(answer.json()["error_description"])
        return answer

    def test_an_active_token_is_told_with_what_it_may_do_and_whose_it_is(self):
        secret, token = self.create(permissions=["charges.read", "charges.create"], expire_in={"seconds": 3600},
                                    external_id='shop "1"')
        told = self.assert_active(self.introspect(basic(self.operator), token=secret))
        expires = token.expires_at.ToDatetime(datetime.timezone.utc).timestamp()
        self.assertEqual(told, {"active": True, "token_type": "Bearer", "scope": "charges.create charges.read",
                                "client_id": token.company_id, "sub": token.member_id, "jti": token.token_id,
                                "exp": int(expires), "company_id": token.company_id, "token_external_id": 'shop "1"',
                                "kind": "access"})

    def test_a_token_of_the_company_itself_has_the_company_as_its_subject(self):
        secret, token = self.create(company_owned=True)
        told = self.assert_active(self.introspect(basic(self.operator), token=secret))
        self.assertEqual((told["sub"], told["scope"]), (token.company_id, ""))
        self.assertNotIn("exp", told)

    def test_whatever_is_refused_is_inactive_and_nothing_says_why(self):
        dead, token = self.create()
        self.change_token(token, "deactivated_at = now(), deactivate_reason = 1")
        expired, token = self.create(expire_in={"seconds": 3600})
        self.change_token(token, "expires_at = now() - interval '1 second'")
        page, _ = self.create(channels=[UI])
        bound, _ = self.create(allowed_ips=["203.0.113.0/24"])
        for secret in ("", "nonsense", self.operator[:-1], dead, expired, page, bound):
            self.assert_inactive(self.introspect(basic(self.operator), token=secret))

    def test_what_the_resource_server_knows_more_is_decided_by(self):
        secret, _ = self.create(allowed_ips=["203.0.113.0/24"], permissions=["charges.read"])
        good = {"token": secret, "client_ip": "203.0.113.7"}
        self.assert_active(self.introspect(basic(self.operator), **good))
        self.assert_active(self.introspect(basic(self.operator), **good, permission="charges.read",
                                           any_permission=["no.such", "charges.read"]))
        for more in ({"permission": ["charges.read", "charges.create"]}, {"any_permission": "no.such"}, {"channel": "ui"}):
            self.assert_inactive(self.introspect(basic(self.operator), **good, **more))
        page, _ = self.create(channels=[UI], allowed_domains=["app.example.com"])
        self.assert_active(self.introspect(basic(self.operator), token=page, channel="ui", domain="https://app.example.com"))
        self.assert_inactive(self.introspect(basic(self.operator), token=page, channel="ui", domain="https://evil.example"))

    def test_it_waits_for_a_revision_like_validate(self):
        secret, _ = self.create()
        self.assert_failed(self.introspect(basic(self.operator), token=secret, min_revision="nonsense"), 400, "invalid_request")

    def test_the_resource_server_may_say_who_it_is_in_every_way_of_oauth(self):
        secret, _ = self.create()
        self.assert_active(self.introspect(basic(self.operator), token=secret))
        self.assert_active(self.introspect(bearer(self.operator), token=secret))
        self.assert_active(self.introspect(token=secret, client_id="x", client_secret=self.operator))
        self.assert_active(self.introspect(("x-access-token", self.operator), token=secret))

    def test_who_presents_nothing_or_nonsense_is_refused_also_on_this_machine(self):
        secret, _ = self.create()
        dead, token = self.create()
        self.change_token(token, "deactivated_at = now(), deactivate_reason = 1")
        for fields in ((), (basic(""),), (basic("nonsense"),), (bearer("nonsense"),), (basic(dead),),
                       (("authorization", "Basic !!"),), (("authorization", "Basic"),), (("authorization", "Digest x"),),
                       (basic(self.operator), basic(self.operator))):
            answer = self.assert_failed(self.introspect(*fields, token=secret), 401, "invalid_client")
            challenges = [value.split(" ")[0] for name, value in answer.fields if name == "www-authenticate"]
            self.assertEqual(challenges, ["Basic", "Bearer"])

    def test_other_companies_tokens_are_inactive_for_who_may_not_see_them(self):
        administrator = self.deployment.secrets["LATCHKEY_TOKEN"]
        secret, _ = self.create()
        self.assert_active(self.introspect(basic(administrator), token=secret))
        self.assert_inactive(self.introspect(basic(administrator), token=self.operator))
        self.assert_active(self.introspect(basic(self.operator), token=self.operator))

    def test_the_resource_servers_own_addresses_count(self):
        own, _ = self.create(allowed_ips=["198.51.100.0/24"])
        secret, _ = self.create()
        self.assert_failed(self.introspect(basic(own), token=secret), 403, "access_denied")
        self.assert_active(self.introspect(basic(own), ("x-forwarded-for", "198.51.100.9"), token=secret))

    def test_forms_that_are_none_are_refused(self):
        own = basic(self.operator)
        for body in ("", "x=1", "token=a&token=b", "token=%zz", "token=%00", "token=%ff", "token", "channel=web&token=a",
                     *(f"token=a&{name}={value}&{name}={value}" for name, value in (
                         ("channel", "ui"), ("client_ip", "203.0.113.7"), ("domain", "a.example"), ("min_revision", "x"),
                         ("client_secret", "x"))),
                     "&".join(["a=b"] * 1025)):
            answer = self.introspect(own, body=body)
            if body == "token":
                self.assert_inactive(answer)
            else:
                self.assert_failed(answer, 400, "invalid_request")
        self.assert_failed(self.introspect(own, token="a", permission=["x.y"] * 257), 400, "invalid_request")

    def test_other_types_and_methods_are_refused(self):
        with Http1(self.door) as http:
            self.assertEqual(http.ask("POST", "/introspect", [("content-type", "application/json")], "{}").status, 415)
            self.assertEqual(http.ask("POST", "/introspect", [], "token=a").status, 415)
            self.assertEqual(http.ask("POST", "/introspect", [FORM, ("content-encoding", "gzip")], "token=a").status, 415)
            refused = http.ask("GET", "/introspect?token=a", [basic(self.operator)])
            self.assertEqual((refused.status, refused.get("allow")), (405, "POST"))

    def test_a_secret_with_signs_is_form_encoded_in_basic(self):
        answer = self.introspect(basic("a b%c:d"), token="x")
        self.assert_failed(answer, 401, "invalid_client")

    def test_no_secret_is_in_the_log(self):
        secret, _ = self.create()
        self.assert_active(self.introspect(basic(self.operator), token=secret))
        log = self.deployment.server.log()
        for text in (secret, self.operator, basic(self.operator)[1].split()[1]):
            self.assertNotIn(text, log)


if __name__ == "__main__":
    unittest.main()
