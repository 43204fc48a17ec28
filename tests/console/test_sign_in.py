"""Signing in by a link that a mail brings, and who does not get in."""

import re
import unittest

from console_case import ADMINISTRATOR, COOKIE, LISTED, UNLISTED, ConsoleCase, cookie_of
from pages import Console
from playwright.sync_api import expect


class SignIn(ConsoleCase):
    def test_a_link_from_a_mail_signs_in_and_signing_out_ends_it(self):
        console = self.sign_in_by_mail()
        expect(console.page.get_by_text(ADMINISTRATOR)).to_be_visible()
        cookie = cookie_of(console.visitor)
        self.assertEqual(self.reason(cookie["value"], channel="CHANNEL_UI"), "REASON_OK")
        console.button("Sign out").click()
        console.wait_for_page("Sign in")
        self.assertIsNone(cookie_of(console.visitor))
        self.assertEqual(self.reason(cookie["value"], channel="CHANNEL_UI"), "REASON_DEACTIVATED")

    def test_the_cookie_is_for_this_host_alone_and_no_script_sees_it(self):
        console = self.sign_in_by_mail()
        cookie = cookie_of(console.visitor)
        self.assertEqual({name: cookie[name] for name in ("path", "httpOnly", "secure", "sameSite", "domain")},
                         {"path": "/", "httpOnly": True, "secure": True, "sameSite": "Strict", "domain": "console.localhost"})
        self.assertNotIn(COOKIE, console.page.evaluate("document.cookie"))

    def test_a_link_is_good_once_and_its_secret_leaves_the_address_at_once(self):
        console = self.open_console(self.visit())
        link = self.ask_for_link(console, ADMINISTRATOR)
        console.follow_link(link)
        console.wait_for_page("Access tokens")
        self.assertNotIn("#", console.page.url)
        console.button("Sign out").click()
        console.wait_for_page("Sign in")
        console.follow_link(link)
        expect(console.alert).to_contain_text("does not work any more")
        self.assertIsNone(cookie_of(console.visitor))
        self.assertNotIn(link.split("#")[1], console.page.url)

    def test_a_link_is_good_only_in_the_browser_that_asked_for_it(self):
        console = self.open_console(self.visit())
        link = self.ask_for_link(console, ADMINISTRATOR)
        other = Console(self.visit())
        other.follow_link(link)
        expect(other.alert).to_be_visible()
        self.assertIsNone(cookie_of(other.visitor))
        console.follow_link(link)
        console.wait_for_page("Access tokens")

    def test_an_address_of_nobody_is_answered_like_one_of_somebody(self):
        console = Console(self.visit())
        said = []
        for email in (ADMINISTRATOR, "nobody@demo.example"):
            console.open("/sign-in")
            console.ask_for_link(email)
            said.append(console.page.get_by_role("main").inner_text().replace(email, "ADDRESS"))
        self.assertEqual(said[0], said[1])
        self.mail.mails_to(ADMINISTRATOR)
        self.assertEqual(self.sign_in_mails("nobody@demo.example"), [])

    def test_from_an_unlisted_address_the_page_says_which_address_was_seen_and_whom_to_ask(self):
        self.whitelist_only("203.0.113.0/24")
        console = self.open_console(self.visit(UNLISTED))
        console.follow_link(self.ask_for_link(console, ADMINISTRATOR))
        expect(console.page.get_by_role("main")).to_contain_text(UNLISTED)
        expect(console.page.get_by_role("main")).to_contain_text(re.compile("administrator", re.IGNORECASE))
        self.assertIsNone(cookie_of(console.visitor))

    def test_a_link_that_was_refused_for_the_address_is_good_from_a_listed_one(self):
        self.whitelist_only("203.0.113.0/24")
        visitor = self.visit(UNLISTED)
        console = self.open_console(visitor)
        link = self.ask_for_link(console, ADMINISTRATOR)
        console.follow_link(link)
        expect(console.alert).to_be_visible()
        visitor.move_to(LISTED)
        console.open("/sign-in")
        console.follow_link(link)
        console.wait_for_page("Access tokens")

    def test_from_an_address_that_is_not_the_members_the_page_names_it_too(self):
        person = self.new_person(allowed_ips=[LISTED])
        console = self.open_console(self.visit(UNLISTED))
        console.follow_link(self.ask_for_link(console, person.email))
        expect(console.page.get_by_role("main")).to_contain_text(UNLISTED)
        self.assertIsNone(cookie_of(console.visitor))

    def test_who_is_not_signed_in_comes_to_where_they_wanted_to_go_afterwards(self):
        console = Console(self.visit())
        console.open("/audit")
        console.wait_for_page("Sign in")
        console.follow_link(self.ask_for_link(console, ADMINISTRATOR))
        console.wait_for_page("Audit")

    def test_a_session_that_ends_leads_to_the_door_and_back(self):
        """Several calls of the page find it over, one after the other."""
        person = self.new_person()
        console = self.sign_in_by_mail(person.email)
        console.go_to("Company policy")
        self.end_sessions(person)
        console.link("Users").click()
        console.wait_for_page("Sign in")
        console.follow_link(self.ask_for_link(console, person.email))
        console.wait_for_page("Users")


if __name__ == "__main__":
    unittest.main()
