"""What the console answers, and to whom: its pages, its header fields, and requests that other sites would make."""

import gzip
import json
import re
import unittest

from console_case import BROWSER, HOST, SESSION, URL, Browser, ConsoleCase, by_itself, error_info

from latchkey_test import Deployment, free_port
from latchkey_test.server import Server
from latchkey_test.waiting import wait_until

JSON = ("content-type", "application/json")
OWN = [("origin", URL), ("sec-fetch-site", "same-origin")]
FIELDS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
                               "form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "x-frame-options": "DENY",
}


class Pages(ConsoleCase):
    def assets(self):
        return re.findall(rb'"(/?[\w-]+\.(?:js|css))"', self.browser().get("/").body)

    def test_every_path_of_a_page_is_the_page(self):
        index = self.browser().get("/")
        self.assertEqual((index.status, index.get("content-type"), index.get("cache-control")),
                         (200, "text/html; charset=utf-8", "no-store"))
        for path in ("/sign-in", "/tokens", "/tokens/tok_01h455vb4pex5vsknk084sn02q", "/index.html", "/tokens?page=2"):
            self.assertEqual(self.browser().get(path).body, index.body, path)

    def test_files_named_by_their_content_are_kept_for_ever(self):
        assets = [name.decode().removeprefix("/") for name in self.assets()]
        self.assertGreaterEqual(len(assets), 2)
        for name in assets:
            answer = self.browser().get("/" + name)
            self.assertEqual((answer.status, answer.get("cache-control")), (200, "public, max-age=31536000, immutable"), name)
            packed = self.browser().get("/" + name, ("accept-encoding", "br, gzip;q=0.5"))
            self.assertEqual((packed.get("content-encoding"), packed.get("vary")), ("gzip", "accept-encoding"))
            self.assertEqual(gzip.decompress(packed.body), answer.body)
            self.assertIsNone(self.browser().get("/" + name, ("accept-encoding", "gzip;q=0")).get("content-encoding"))

    def test_the_first_view_is_below_100_kilobytes(self):
        packed = [self.browser().get("/" + name.decode().removeprefix("/"), ("accept-encoding", "gzip")) for name in self.assets()]
        self.assertLess(sum(len(answer.body) for answer in packed), 100_000)

    def test_what_is_no_file_is_not_found(self):
        for path in ("/app.js.map", "/../etc/passwd.txt", "/favicon.ico.exe", "/.env", "/latchkey.v1.TokenService/GetNothing"):
            answer = self.browser().get(path)
            self.assertEqual((answer.status, answer.json()["code"]), (404, "not_found"), path)

    def test_only_reading_is_for_pages(self):
        for method in ("POST", "PUT", "DELETE", "OPTIONS", "TRACE"):
            answer = self.browser().ask(method, "/tokens", [])
            self.assertEqual((answer.status, answer.get("allow")), (405, "GET, HEAD"), method)
        self.assertEqual(self.browser().ask("HEAD", "/tokens", []).status, 200)

    def test_every_answer_protects_itself(self):
        browser = self.browser()
        answers = [browser.get("/"), browser.get("/no.file"), browser.session_answer(), browser.ask("PUT", "/session", []),
                   browser.ask("GET", "/", [], host="evil.example"), browser.call("TokenService/GetCaller", {})]
        for answer in answers:
            self.assertEqual({name: answer.get(name) for name in FIELDS}, FIELDS)
            self.assertIsNone(answer.get("strict-transport-security"))
            self.assertIsNone(answer.get("access-control-allow-origin"))


class OtherSites(ConsoleCase):
    def test_a_request_that_our_pages_did_not_make_is_refused_before_anything_is_done(self):
        browser = self.sign_in()
        claim = ("latchkey-caller", browser.caller_id())
        secret = self.ask_for_link(browser, self.new_member())
        body = json.dumps({"secret": secret})
        foreign = (
            [JSON],  # neither field
            [JSON, ("origin", "https://evil.example")],
            [JSON, ("origin", "null")],
            [JSON, ("origin", URL + ".evil.example")],
            [JSON, ("origin", URL), ("origin", "https://evil.example")],
            [JSON, ("origin", URL), ("sec-fetch-site", "same-site")],
            [JSON, ("origin", "https://evil.example"), ("sec-fetch-site", "same-origin")],
            [JSON, ("sec-fetch-site", "cross-site")],
            [JSON, ("sec-fetch-site", "none")],
            [("content-type", "text/plain"), *OWN],
            [("content-type", "application/x-www-form-urlencoded"), *OWN],
            [*OWN],
        )
        for fields in foreign:
            for path, content in (("/session/link", body), ("/session/end", "{}"), ("/session/mail", '{"email":"a@example.com"}'),
                                  ("/latchkey.v1.TokenService/GetCaller", "{}")):
                answer = browser.ask("POST", path, [claim, *fields], content)
                self.assertEqual((answer.status, answer.json()["code"]), (403, "permission_denied"), (path, fields))
        self.assertTrue(browser.session()["signedIn"])
        self.assertEqual(browser.post("/session/link", {"secret": secret}).status, 200)

    def test_one_of_the_two_fields_is_enough(self):
        for fields in ([JSON, ("origin", URL)], [JSON, ("sec-fetch-site", "same-origin")]):
            answer = self.browser().ask("POST", "/latchkey.v1.TokenService/GetCaller", fields, "{}")
            self.assertEqual(answer.status, 401, answer)

    def test_another_name_for_this_address_is_no_console(self):
        for host in ("evil.example", "127.0.0.1", "", HOST + ":81", "www." + HOST):
            for method, path in (("GET", "/"), ("GET", "/session"), ("POST", "/session/end")):
                answer = self.browser().ask(method, path, [JSON, *OWN], "{}" if method == "POST" else None, host=host)
                self.assertEqual(answer.status, 421, (host, path))

    def test_methods_are_never_asked_by_get(self):
        browser = self.sign_in()
        answer = browser.get("/latchkey.v1.TokenService/GetCaller?encoding=json&message=%7B%7D")
        self.assertEqual((answer.status, answer.get("allow")), (405, "POST"))


class Calls(ConsoleCase):
    def test_who_asks_is_the_cookie_and_nothing_else(self):
        secret = self.deployment.secrets["LATCHKEY_TOKEN"]
        for fields in ([("authorization", f"Bearer {secret}")], [("x-access-token", secret)]):
            self.assertEqual(self.browser().call("TokenService/GetCaller", {}, *fields).status, 401)
        email = self.new_member()
        browser = self.sign_in(email=email)
        answer = browser.call("TokenService/GetCaller", {}, ("authorization", f"Bearer {secret}"), ("latchkey-company", "x"),
                              ("cookie", "other=1"))
        self.assertEqual(answer.json()["caller"]["email"], email)

    def test_the_address_is_the_browsers(self):
        browser = self.sign_in(self.browser("2001:db8::7"))
        self.assertEqual(browser.call("TokenService/GetCaller", {}).json()["caller"]["clientIp"], "2001:db8::7")

    def test_nobody_is_let_in_for_being_on_this_machine(self):
        """Validate asks nobody on this machine who they are; a browser has a proxy there."""
        answer = Browser(self.address, "127.0.0.1").call("ValidationService/Validate", {"token": "x", "channel": "CHANNEL_UI"})
        self.assertEqual((answer.status, error_info(answer)[0]), (401, "SECRET_MISSING"))

    def test_an_invitation_is_looked_at_without_signing_in(self):
        answer = self.browser().call("InvitationService/LookupInvitation", {"secret": "nonsense"})
        self.assertEqual(answer.json()["message"], "This invitation link is broken. Please contact your system administrator")

    def test_two_cookies_of_the_name_are_none(self):
        browser = self.sign_in()
        secret = browser.cookies.pop(SESSION)
        browser.cookies.pop(BROWSER)
        twice = ("cookie", f"{SESSION}={secret}; {SESSION}={secret}")
        self.assertEqual(browser.call("TokenService/GetCaller", {}, ("cookie", f"{SESSION}={secret}")).status, 200)
        self.assertEqual(browser.call("TokenService/GetCaller", {}, twice).status, 401)

    def test_invitations_lead_to_the_console(self):
        self.deployment.latchkey("invitation", "create", "guest@example.com", "--address", self.invitations.address)
        self.assertTrue(self.mail.mails_to("guest@example.com")[0].link().startswith(URL + "/invitation#"))

    def test_its_requests_are_counted(self):
        self.browser().get("/")
        metrics = self.console.admin("/metrics")[1]
        self.assertRegex(metrics, r'latchkey_console_requests_total\{route="pages",status="200"\} [1-9]')


class ForWhom(ConsoleCase):
    """A page says for whom it is; the cookie may have become somebody else's."""

    label = "made by a page"
    asked = {"TokenService/GetCaller": {}, "TokenService/CreateAccessToken": {"label": label, "permissions": ["charges.read"]},
             "MemberService/ListMembers": {}, "AuditService/ListAuditEvents": {}, "WhitelistService/GetWhitelist": {},
             "InvitationService/ListInvitations": {}, "ValidationService/ListDenials": {},
             "ValidationService/Explain": {"request": {"token": "x", "channel": "CHANNEL_UI"}}}

    def sign_in_administrator(self):
        browser = self.browser()
        browser.cookies[SESSION] = self.deployment.secrets["LATCHKEY_TOKEN"]
        return browser

    def assert_told(self, answer, status, reason, of=None):
        self.assertEqual((answer.status, error_info(answer)), (status, (reason, {})), of)

    def wait_for_validator(self, browser):
        """Until it knows the log-in."""
        wait_until(lambda: browser.call("ValidationService/ListDenials", {}).status in (200, 403), 30, "the validator to know who asks")

    def made(self):
        answer = self.sign_in_administrator().call("TokenService/ListAccessTokens", {"labelContains": self.label})
        return answer.json().get("accessTokens", [])

    def test_a_page_of_one_does_nothing_when_another_is_signed_in(self):
        """Whatever it asks, and whoever of the two might do it."""
        person, administrator = self.sign_in(), self.sign_in_administrator()
        for page, signed_in in ((person, administrator), (administrator, person)):
            self.wait_for_validator(signed_in)
            for method, message in self.asked.items():
                answer = signed_in.call(method, message, caller=page.caller_id())
                self.assert_told(answer, 403, "CALLER_MISMATCH", method)
                self.assertEqual(answer.json()["code"], "permission_denied")
                self.assertNotIn(b"@", answer.body)
        self.assertEqual(self.made(), [])
        for method, message in self.asked.items():
            self.assertEqual(administrator.call(method, message).status, 200, method)
        self.assertEqual(len(self.made()), 1)

    def test_a_page_that_does_not_say_for_whom_it_is_can_learn_it_and_do_nothing_else(self):
        browser = self.sign_in_administrator()
        before = len(self.made())
        for method, message in self.asked.items():
            answer = browser.call(method, message, caller="")
            if method == "TokenService/GetCaller":
                self.assertEqual(answer.status, 200)
            else:
                self.assert_told(answer, 400, "CALLER_MISSING", method)
                self.assertEqual(answer.json()["code"], "failed_precondition")
        self.assertEqual(len(self.made()), before)

    def test_only_who_is_signed_in_is_told_that_a_page_does_not_say_for_whom_it_is(self):
        for method, message in self.asked.items():
            self.assert_told(self.browser().call(method, message, caller=""), 401, "SECRET_MISSING", method)
        ended = self.sign_in()
        secret = ended.cookies[SESSION]
        self.assertEqual(ended.post("/session/end", {}).status, 204)
        ended.cookies[SESSION] = secret
        self.assert_told(ended.call("MemberService/ListMembers", {}, caller=""), 400, "CALLER_MISSING")
        answer = ended.call("TokenService/GetCaller", {})  # by which a page that is loaded anew finds out
        self.assertEqual((answer.status, error_info(answer)[0]), (401, "DEACTIVATED"))

    def test_what_is_said_is_the_id_of_who_calls_once(self):
        browser = self.sign_in()
        caller = browser.call("TokenService/GetCaller", {}).json()["caller"]
        own = caller["memberId"]
        for said in (caller["tokenId"], caller["companyId"], caller["email"], own.upper(), own[:-1], own + "0", "mbr_", ""):
            self.assert_told(browser.call("TokenService/GetCaller", {}, ("latchkey-caller", said)), 403, "CALLER_MISMATCH", said)
        for said in ((own, own), (own, ""), ("", own), (own, "mbr_")):
            answer = browser.call("TokenService/GetCaller", {}, *(("latchkey-caller", text) for text in said))
            self.assertIn((answer.status, error_info(answer)[0]), ((403, "CALLER_MISMATCH"), (400, "INVALID_ARGUMENT")), said)
        self.assertEqual(browser.call("TokenService/GetCaller", {}, caller=own).status, 200)

    def test_whoever_signs_in_again_is_the_same(self):
        email = self.new_member()
        before, after = self.sign_in(email=email), self.sign_in(email=email)
        self.assertNotEqual(before.cookies[SESSION], after.cookies[SESSION])
        self.assertEqual(after.call("TokenService/GetCaller", {}, caller=before.caller_id()).status, 200)

    def test_who_is_not_signed_in_is_told_that_whatever_the_page_says(self):
        ended, other = self.sign_in(), self.sign_in()
        secret, own = ended.cookies[SESSION], ended.caller_id()
        self.assertEqual(ended.post("/session/end", {}).status, 204)
        for caller in (own, other.caller_id()):
            self.assert_told(ended.call("TokenService/GetCaller", {}, caller=caller), 401, "SECRET_MISSING")
        ended.cookies[SESSION] = secret
        for caller in (own, other.caller_id()):
            answer = ended.call("TokenService/GetCaller", {}, caller=caller)
            self.assertEqual((answer.status, error_info(answer)[0]), (401, "DEACTIVATED"))

    def test_signing_out_of_a_page_leaves_another_signed_in(self):
        page, other = self.sign_in(), self.sign_in()
        answer = other.post("/session/end", {}, ("latchkey-caller", page.caller_id()))
        self.assert_told(answer, 403, "CALLER_MISMATCH")
        self.assertIsNone(answer.get("set-cookie"))
        self.assertTrue(other.session()["signedIn"])
        self.assertEqual(other.post("/session/end", {}, ("latchkey-caller", other.caller_id())).status, 204)
        self.assertFalse(other.session()["signedIn"])

    def let_nobody_in(self):
        """The company's list, from now on until the test is over."""
        where = f"WHERE company_id = '{self.company_uuid}'"
        (enabled, scope), = self.deployment.execute(f"SELECT enabled, scope FROM latchkey.whitelist {where}")
        held = f"UPDATE latchkey.whitelist_entry SET disabled = true {where} AND NOT disabled RETURNING entry_id"
        entries = ",".join(f"'{entry}'" for entry, in self.deployment.execute(held))
        self.deployment.execute(f"UPDATE latchkey.whitelist SET enabled = true, scope = 1 {where}")
        self.addCleanup(self.deployment.execute, f"UPDATE latchkey.whitelist SET enabled = {enabled}, scope = {scope} {where}")
        if entries:
            self.addCleanup(self.deployment.execute, f"UPDATE latchkey.whitelist_entry SET disabled = false WHERE entry_id IN ({entries})")

    def test_signing_out_of_a_page_leaves_another_signed_in_whom_a_list_refuses(self):
        page, other = self.sign_in(), self.sign_in()
        claim, own = page.caller_id(), other.caller_id()
        secret = other.cookies[SESSION]
        self.let_nobody_in()
        self.assertEqual(error_info(other.call("TokenService/GetCaller", {}, caller=own))[0], "COMPANY_IP_NOT_LISTED")
        self.assert_told(other.call("MemberService/ListMembers", {}, caller=claim), 403, "CALLER_MISMATCH")
        answer = other.post("/session/end", {}, ("latchkey-caller", claim))
        self.assert_told(answer, 403, "CALLER_MISMATCH")
        self.assertIsNone(answer.get("set-cookie"))
        self.doCleanups()
        self.assertEqual((other.cookies[SESSION], other.session()["signedIn"]), (secret, True))

    def test_whom_a_list_refuses_can_leave_the_browser(self):
        browser = self.sign_in()
        own = browser.caller_id()
        self.let_nobody_in()
        self.assertEqual(browser.post("/session/end", {}, ("latchkey-caller", own)).status, 204)
        self.assertNotIn(SESSION, browser.cookies)

    def test_an_invitation_is_for_whoever_has_it_whoever_is_signed_in(self):
        browser = self.sign_in()
        answers = [browser.call("InvitationService/LookupInvitation", {"secret": "nonsense"}, caller=caller)
                   for caller in ("", browser.caller_id(), self.sign_in().caller_id())]
        self.assertEqual([error_info(answer)[0] for answer in answers], ["INVITATION_BROKEN"] * 3)


class Configuration(ConsoleCase):
    def check(self, **settings):
        full = {"console_listen": self.address, "console_url": URL, "console_token_file": self.token_file,
                "smtp_url": "smtp://127.0.0.1:25", "invitation_url": "https://example.com/join", **settings}
        server = Server("latchkeyd", check_config=True, database_url=self.deployment.url,
                        **{name: value for name, value in full.items() if value is not None})
        self.addCleanup(server.remove)
        server.start(ready=False)
        return server.wait(), server.log()

    def test_what_the_console_needs_is_said(self):
        self.assertEqual(self.check()[0], 0)
        for settings, words in (({"console_url": None}, "--console-url"), ({"console_token_file": None}, "--console-token-file"),
                                ({"smtp_url": None}, "--smtp-url"),
                                ({"console_url": "http://console.example.com"}, "console-url"),
                                ({"console_url": URL + "/"}, "console-url"), ({"console_url": "https://Console"}, "console-url"),
                                ({"console_url": "https://console.example.com:443"}, "console-url"),
                                ({"console_listen": f"0.0.0.0:{free_port()}"}, "--allow-plaintext")):
            status, log = self.check(**settings)
            self.assertEqual(status, 78, settings)
            self.assertIn(words, log)

    def test_over_https_browsers_are_told_to_stay_there(self):
        address = f"127.0.0.1:{free_port()}"
        mail = {name: value for name, value in self.mail.settings().items() if name != "invitation_url"}
        with Deployment(console_listen=address, console_url="https://console.example.com", console_token_file=self.token_file,
                        **mail):
            answer = Browser(address).ask("GET", "/", [], host="console.example.com")
        self.assertEqual((answer.status, answer.get("strict-transport-security")), (200, "max-age=31536000"))


globals().update(by_itself(Pages, OtherSites, Calls, ForWhom))

if __name__ == "__main__":
    unittest.main()
