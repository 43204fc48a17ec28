"""Signing in by an OpenID provider, as people do: the pages of a kept one (npm's oidc-provider) on another site."""

import subprocess
import tempfile
import unittest
from pathlib import Path

from console_case import ADMINISTRATOR, COOKIE, LISTED, UNLISTED, ConsoleCase, cookie_of
from latchkey_test import ROOT, free_port
from latchkey_test.paths import BUILD
from pages import Console
from playwright.sync_api import expect

CLIENT, SECRET = "console", "of a test: a/b+c %"
LIBRARY = Path(BUILD) / "browser/openid/node_modules/oidc-provider/lib/index.js"


class OpenId(ConsoleCase):
    @classmethod
    def open_front(cls, port):
        url = super().open_front(port)
        cls.issuer = f"http://127.0.0.1:{free_port()}"
        secret_file = Path(cls.enter(tempfile.TemporaryDirectory(prefix="latchkey-openid-"))) / "secret"
        secret_file.write_text(SECRET + "\n", encoding="ascii")
        cls.settings = {"console_openid_issuer": cls.issuer, "console_openid_client_id": CLIENT,
                        "console_openid_client_secret_file": secret_file, "console_openid_name": "Example ID"}
        cls.start_provider(url + "/session/openid/callback")
        return url

    @classmethod
    def start_provider(cls, redirect_uri):
        process = subprocess.Popen(["node", ROOT / "tests/console/openid_provider.mjs", LIBRARY, cls.issuer, redirect_uri, CLIENT, SECRET],
                                   stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        cls.addClassCleanup(process.wait)
        cls.addClassCleanup(process.kill)
        cls.addClassCleanup(process.stdout.close)
        assert process.stdout.readline() == "ready\n"

    def go_to_provider(self, visitor, path="/sign-in"):
        # The provider's own pages want a font from elsewhere, and do without.
        visitor.known += [self.issuer, "https://fonts.googleapis.com"]
        visitor.context.route("https://fonts.googleapis.com/**", lambda route: route.abort())
        console = Console(visitor)
        console.open(path)
        console.button("Sign in with Example ID").click()
        console.page.wait_for_url(self.issuer + "/**")
        return console

    def sign_in_there(self, email, address=LISTED, path="/sign-in"):
        """Through the provider's two pages: who one is, and whether the console may know."""
        console = self.go_to_provider(self.visit(address), path)
        console.page.get_by_placeholder("Enter any login").fill(email)
        console.page.get_by_placeholder("and password").fill("anything")
        console.page.get_by_role("button", name="Sign-in").click()
        console.page.get_by_role("button", name="Continue").click()
        console.page.wait_for_url(console.visitor.url + "/**")
        return console

    def test_who_signs_in_at_the_provider_is_signed_in_here_and_out_again(self):
        console = self.sign_in_there(ADMINISTRATOR)
        console.wait_for_page("Access tokens")
        expect(console.page.get_by_text(ADMINISTRATOR)).to_be_visible()
        self.assertEqual(cookie_of(console.visitor)["sameSite"], "Strict")
        self.assertEqual([cookie["name"] for cookie in console.visitor.context.cookies(console.visitor.url)], [COOKIE])
        console.button("Sign out").click()
        console.wait_for_page("Sign in")
        self.assertIsNone(cookie_of(console.visitor))

    def test_one_comes_to_where_one_wanted_to_go(self):
        self.sign_in_there(ADMINISTRATOR, path="/audit").wait_for_page("Audit")

    def test_from_an_unlisted_address_the_page_says_which_address_was_seen(self):
        self.whitelist_only("203.0.113.0/24")
        console = self.sign_in_there(ADMINISTRATOR, UNLISTED)
        expect(console.alert).to_contain_text(UNLISTED)
        self.assertIsNone(cookie_of(console.visitor))

    def test_who_is_nobody_here_or_not_verified_there_is_told_so(self):
        for email, words in (("nobody@demo.example", "Nobody here has this identity"), ("unverified@demo.example", "does not vouch")):
            console = self.sign_in_there(email)
            expect(console.alert).to_contain_text(words)
            self.assertIsNone(cookie_of(console.visitor))

    def test_who_turns_back_at_the_provider_may_begin_again(self):
        console = self.go_to_provider(self.visit())
        console.page.get_by_role("link", name="Cancel").click()
        expect(console.alert).to_contain_text("You did not sign in")
        expect(console.button("Sign in with Example ID")).to_be_visible()


if __name__ == "__main__":
    unittest.main()
