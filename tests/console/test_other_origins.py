"""What other sites and other names can do to who is signed in: nothing."""

import http.client
import json
import unittest
import urllib.parse
import uuid

from attacker import Attacker
from console_case import ADMINISTRATOR, COOKIE, LISTED, ConsoleCase, cookie_of, token_pb2
from pages import Console
from playwright.sync_api import expect

CREATE = "/latchkey.v1.TokenService/CreateAccessToken"
CALLER = "/latchkey.v1.TokenService/GetCaller"


class OtherOrigins(ConsoleCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.host = urllib.parse.urlsplit(cls.url).hostname
        cls.attacker = cls.enter(Attacker(cls.host))

    def setUp(self):
        self.console = self.sign_in()
        self.visitor = self.console.visitor
        self.visitor.known += [self.attacker.below, self.attacker.elsewhere]
        self.cookie = cookie_of(self.visitor)["value"]

    def lure(self, origin, html):
        """The page of an attacker's, open beside the console's."""
        path = f"/{uuid.uuid4().hex}"
        self.attacker.pages[path] = f"<!doctype html><title>Win</title>{html}"
        page = self.visitor.context.new_page()
        page.goto(origin + path)
        return page

    def ask(self, method, path, body=None, **headers):
        """(status, fields, text) of a request that no browser would make, with the victim's cookie unless `cookie` says otherwise."""
        parts = urllib.parse.urlsplit(self.url)
        connection = http.client.HTTPConnection("127.0.0.1", parts.port, timeout=60)
        fields = {"host": parts.netloc, "cookie": f"{COOKIE}={self.cookie}", "x-forwarded-for": LISTED,
                  **{name.replace("_", "-"): value for name, value in headers.items()}}
        try:
            connection.request(method, path, body, fields)
            answer = connection.getresponse()
            return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read().decode(errors="replace")
        finally:
            connection.close()

    def assert_still_signed_in(self):
        self.assertEqual(self.reason(self.cookie, channel="CHANNEL_UI"), "REASON_OK")
        self.assertEqual(cookie_of(self.visitor)["value"], self.cookie)

    def test_no_form_of_another_site_does_anything(self):
        label = f"forged {uuid.uuid4().hex}"
        message = json.dumps({"label": label, "permissions": ["charges.read"], "ignored": ""})
        name, value = message[:-2], message[-2:]  # a form of text/plain sends NAME=VALUE
        for origin in (self.attacker.below, self.attacker.elsewhere):
            for target, field, text in ((CREATE, name, value), ("/session/end", "{}", "")):
                for kind in ("text/plain", "application/x-www-form-urlencoded"):
                    with self.subTest(origin=origin, target=target, kind=kind):
                        page = self.lure(origin, f"""<form method="post" enctype="{kind}" action="{self.url}{target}">
                            <input name='{field}' value='{text}'><button>Win</button></form>""")
                        with page.expect_navigation() as navigation:
                            page.get_by_role("button").click()
                        self.assertIn(navigation.value.status, (403, 415))
        self.assertEqual(self.tokens(label), [])
        self.assert_still_signed_in()

    def test_no_script_of_another_site_does_anything_or_reads_an_answer(self):
        """Not even one that knows whose page it would have to be."""
        caller = self.administrator.tokens.GetCaller(token_pb2.GetCallerRequest(), timeout=60).caller
        self.assertEqual(caller.email, ADMINISTRATOR)
        label = f"forged {uuid.uuid4().hex}"
        message = json.dumps({"label": label, "permissions": ["charges.read"]})
        for origin in (self.attacker.below, self.attacker.elsewhere):
            page = self.lure(origin, "")
            for mode in ("cors", "no-cors"):
                for kind in ("application/json", "text/plain"):
                    for path, claim in ((CREATE, {}), (CREATE, {"latchkey-caller": caller.member_id}), (CALLER, {}), ("/session", {}),
                                        ("/session/end", {})):
                        with self.subTest(origin=origin, mode=mode, kind=kind, path=path, claim=claim):
                            read = page.evaluate("""async ([url, mode, kind, body, claim]) => {
                                const isRead = url.endsWith("/session");
                                try {
                                    const answer = await fetch(url, {method: isRead ? "GET" : "POST", mode, credentials: "include",
                                        ...(!isRead && {body, headers: {"content-type": kind, ...claim}})});
                                    return await answer.text();
                                } catch { return ""; }
                            }""", [self.url + path, mode, kind, message, claim])
                            self.assertEqual(read, "")
        self.assertEqual(self.tokens(label), [])
        self.assert_still_signed_in()

    def test_no_link_of_another_site_asks_a_method(self):
        query = urllib.parse.urlencode({"encoding": "json", "message": "{}", "connect": "v1"})
        for origin in (self.attacker.below, self.attacker.elsewhere):
            page = self.lure(origin, f'<a href="{self.url}{CALLER}?{query}">Win</a>')
            page.get_by_role("link").click()
            page.wait_for_url(f"{self.url}/**")
            self.assertNotIn(ADMINISTRATOR, page.content())

    def test_the_console_is_shown_in_no_frame(self):
        for origin in (self.attacker.below, self.attacker.elsewhere):
            for path in ("/tokens", "/sign-in", "/invitation"):
                with self.subTest(origin=origin, path=path):
                    page = self.lure(origin, f'<iframe title="Win" src="{self.url}{path}"></iframe>')
                    page.wait_for_load_state("load")
                    framed = page.frames[1]
                    expect(framed.locator("#page, .door")).to_have_count(0)
                    self.assertNotIn("Latchkey", framed.content())

    def test_who_opens_the_console_gets_no_hold_of_its_window(self):
        page = self.lure(self.attacker.below, f"""<button onclick="opened = window.open('{self.url}/tokens')">Win</button>""")
        with self.visitor.context.expect_page() as opening:
            page.get_by_role("button").click()
        Console(self.visitor, opening.value).wait_for_page("Access tokens")
        self.assertIsNone(opening.value.evaluate("opener"))
        self.assertTrue(page.evaluate("opened.closed"))

    def test_a_name_below_sets_no_cookie_that_counts(self):
        host = self.host
        page = self.lure(self.attacker.below, f"""<script>
            for (const name of ["{COOKIE}", "latchkey-session", "__Secure-latchkey-session"])
                document.cookie = `${{name}}=lkl_of-the-attacker; Domain={host}; Path=/; Secure`;
            </script>""")
        self.assertNotIn("__Host-", page.evaluate("document.cookie"))
        self.console.open("/tokens")
        expect(self.console.page.get_by_text(ADMINISTRATOR)).to_be_visible()
        self.assert_still_signed_in()

    def test_trace_gives_no_cookie_back(self):
        for method in ("TRACE", "TRACK", "OPTIONS", "PUT", "DELETE"):
            status, _, text = self.ask(method, "/session")
            self.assertGreaterEqual(status, 400, method)
            self.assertNotIn(self.cookie, text)

    def test_a_request_that_does_not_say_where_it_comes_from_is_refused(self):
        json_fields = {"content_type": "application/json"}
        message = json.dumps({})
        own = {"origin": self.url, "sec_fetch_site": "same-origin"}
        self.assertEqual(self.ask("POST", CALLER, message, **json_fields, **own)[0], 200)
        for fields in ({}, {"origin": "null"}, {"origin": self.attacker.below}, {"sec_fetch_site": "same-site"},
                       {"sec_fetch_site": "cross-site"}, {"sec_fetch_site": "none"}, {**own, "origin": self.attacker.below},
                       {**own, "sec_fetch_site": "same-site"}, {**own, "origin": self.url + ".evil.example"}):
            for path in (CALLER, "/session/end", "/session/mail", "/session/link"):
                with self.subTest(path=path, **fields):
                    self.assertEqual(self.ask("POST", path, message, **json_fields, **fields)[0], 403)
        self.assert_still_signed_in()

    def test_another_hosts_name_is_answered_nothing(self):
        for path in ("/", "/session", "/tokens"):
            status, _, text = self.ask("GET", path, host="rebound.example:80")
            self.assertGreaterEqual(status, 400)
            self.assertNotIn("signedIn", text)

    def test_what_the_browser_sends_as_its_authorization_is_nobodys(self):
        own = {"origin": self.url, "content_type": "application/json"}
        secret = self.deployment.secrets["LATCHKEY_TOKEN"]
        status, _, _ = self.ask("POST", CALLER, "{}", cookie="", authorization=f"Bearer {secret}", **own)
        self.assertEqual(status, 401)
        status, _, text = self.ask("POST", CALLER, "{}", authorization=f"Bearer {secret}", **own)
        self.assertEqual((status, json.loads(text)["caller"]["email"]), (200, ADMINISTRATOR))
        self.assertEqual(json.loads(text)["caller"].get("kind"), "TOKEN_KIND_LOGIN")

    def test_every_answer_says_what_the_page_may_do(self):
        for path in ("/", "/tokens", "/session", "/no-such.js", "/icon.svg"):
            with self.subTest(path=path):
                fields = self.ask("GET", path)[1]
                policy = fields["content-security-policy"]
                for directive in ("default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "base-uri 'none'",
                                  "require-trusted-types-for 'script'"):
                    self.assertIn(directive, policy)
                self.assertNotIn("unsafe", policy)
                self.assertEqual(fields["x-content-type-options"], "nosniff")
                self.assertEqual(fields["referrer-policy"], "no-referrer")
                self.assertEqual(fields["cross-origin-opener-policy"], "same-origin")
                self.assertEqual(fields["cross-origin-resource-policy"], "same-origin")
                self.assertNotIn("access-control-allow-origin", fields)

    def test_the_secret_of_a_link_is_in_no_address_no_referer_and_no_log(self):
        visitor = self.visit()
        console = self.open_console(visitor)
        link = self.ask_for_link(console, ADMINISTRATOR)
        secret = link.split("#")[1]
        console.follow_link(link)
        console.wait_for_page("Access tokens")
        for request in visitor.requests:
            self.assertNotIn(secret, request.url)
            self.assertNotIn(secret, str(request.all_headers()))
        console.open("/audit")
        for _ in range(3):
            console.page.go_back()
            self.assertNotIn(secret, console.page.url)
        self.assertNotIn(secret, self.deployment.server.log())
        self.assertNotIn(self.cookie, self.deployment.server.log())


if __name__ == "__main__":
    unittest.main()
