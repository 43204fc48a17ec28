"""Two people at one browser: a page that one has opened does nothing in the name of the other, who has signed in in another tab since."""

import unittest
import uuid

from accessibility import ALL, violations
from console_case import COOKIE, LISTED, UNLISTED, ConsoleCase, cookie_of, posted
from latchkey_test.waiting import wait_until
from pages import Console
from playwright.sync_api import Error, expect

ELSE, STOPPED = "Somebody else is signed in", "Reload this page"
METHODS = "**/latchkey.v1.*/*"


class TwoPeople(ConsoleCase):
    def setUp(self):
        self.one, self.other = self.new_person(), self.new_person()

    def sign_in_over(self, console, page="Access tokens"):
        """As the other one, by a mail, in another tab of the same browser, which leads to that page."""
        console.page.wait_for_load_state("networkidle")
        console.visitor.context.clear_cookies(name=COOKIE)
        tab = self.open_tab(console)
        tab.open("/sign-in")
        tab.follow_link(self.ask_for_link(tab, self.other.email))
        tab.wait_for_page(page)
        expect(tab.page.get_by_text(self.other.email).first).to_be_visible()
        return tab

    @staticmethod
    def open_tab(console):
        return Console(console.visitor, console.visitor.context.new_page())

    def put_log_in_over(self, console, person):
        console.page.wait_for_load_state("networkidle")  # else what a page asks late finds out before its reader does anything
        console.visitor.put_cookie(COOKIE, self.log_in(person.email, LISTED).secret)

    @staticmethod
    def is_loaded_anew(console):
        try:
            return console.page.evaluate("performance.getEntriesByType('navigation')[0].name.endsWith('/somebody-else')")
        except Error:  # just on its way
            return False

    def assert_forgotten(self, console, *words):
        """The page says so, on a new page that has nothing of what was there."""
        console.wait_for_page(ELSE)
        wait_until(lambda: self.is_loaded_anew(console), 60, "the page to be loaded anew")
        for text in (*words, self.one.email):
            self.assertNotIn(text, console.page.content())

    def test_a_form_that_one_has_filled_in_is_not_sent_as_the_other(self):
        console, label = self.sign_in(self.one.email), f"token {uuid.uuid4().hex[:8]}"
        console.fill_new_token(label, "charges.read")
        tab = self.sign_in_over(console)
        console.button("Create").click()
        self.assert_forgotten(console, label)
        self.assertEqual(violations(console.page, ALL), [])
        self.assertEqual(self.tokens(label), [])
        console.link("Go on as who is signed in").click()
        console.wait_for_page("Access tokens")
        expect(console.page.get_by_text(self.other.email)).to_be_visible()
        console.page.go_back()
        self.assertNotIn(label, console.page.content())
        tab.go_to("Users")
        expect(tab.page.get_by_text(self.other.email).first).to_be_visible()

    def test_a_page_of_one_shows_nothing_that_the_other_may_see(self):
        """Reading, too."""
        self.one = self.new_person(role_ids=[])
        console = self.sign_in(self.one.email)
        self.put_log_in_over(console, self.other)
        with console.page.expect_response("**/ListRecentAuthentications") as answered:
            console.page.get_by_role("navigation", name="Main").get_by_role("link", name="Recent authentications", exact=True).click()
        self.assertEqual((answered.value.status, answered.value.request.headers["latchkey-caller"]), (403, self.one.member_id))
        self.assert_forgotten(console)

    def test_a_dialog_that_is_confirmed_late_changes_nothing(self):
        made = self.new_token()
        console = self.sign_in(self.one.email)
        console.open_token(made.access_token.label)
        console.button("Deactivate").click()
        console.dialog.get_by_label(f"Type {made.access_token.label} to confirm").fill(made.access_token.label)
        self.sign_in_over(console)
        console.button("Deactivate permanently", console.dialog).click()
        self.assert_forgotten(console, made.access_token.label)
        self.assertEqual(self.reason(made.secret), "REASON_OK")

    def test_signing_out_of_ones_page_leaves_the_other_signed_in(self):
        console = self.sign_in(self.one.email)
        tab = self.sign_in_over(console)
        secret = cookie_of(console.visitor)["value"]
        console.button("Sign out").click()
        self.assert_forgotten(console)
        self.assertEqual(cookie_of(console.visitor)["value"], secret)
        self.assertEqual(self.reason(secret, channel="CHANNEL_UI"), "REASON_OK")
        tab.go_to("Audit")

    def test_who_signs_in_again_goes_on_in_all_tabs(self):
        console, label = self.sign_in(self.one.email), f"token {uuid.uuid4().hex[:8]}"
        console.fill_new_token(label, "charges.read")
        self.put_log_in_over(console, self.one)
        console.create_token()
        console.save_secret()
        (token,) = self.tokens(label)
        self.assertEqual(token.member_id, self.one.member_id)

    def test_a_tab_that_waits_at_the_door_does_not_come_back_as_the_other(self):
        console = self.sign_in(self.one.email)
        console.page.wait_for_load_state("networkidle")  # as in put_log_in_over()
        self.end_sessions(self.one)
        console.link("Users").click()
        console.wait_for_page("Sign in")
        self.sign_in_over(console, "Users")
        console.page.evaluate("dispatchEvent(new Event('focus'))")
        self.assert_forgotten(console)

    # ---- one of them is refused ----

    def test_who_is_refused_is_not_led_to_the_pages_of_who_is_signed_in(self):
        console = self.sign_in(self.one.email)
        console.open(f"/sign-in?refused=COMPANY_IP_NOT_LISTED&address={UNLISTED}")
        expect(console.alert).to_contain_text(UNLISTED)
        expect(console.link("Go on as who is signed in")).to_be_visible()
        console.page.evaluate("dispatchEvent(new Event('focus'))")
        console.page.wait_for_load_state("networkidle")
        expect(console.heading("Sign in")).to_be_visible()
        self.assertNotIn(self.one.email, console.page.content())
        self.assertEqual(violations(console.page, ALL), [])
        console.link("Go on as who is signed in").click()
        console.wait_for_page("Access tokens")
        expect(console.page.get_by_text(self.one.email)).to_be_visible()

    def test_whose_link_is_refused_asks_for_another_and_not_as_who_is_signed_in(self):
        other = self.new_person(allowed_ips=[f"{UNLISTED}/32"])
        console = self.open_console(self.visit())
        link = self.ask_for_link(console, other.email)
        self.put_log_in_over(console, self.one)
        console.page.goto(link)
        expect(console.alert).to_contain_text(LISTED)
        console.link("Ask for a new link").click()
        console.wait_for_page("Sign in")
        expect(console.link("Go on as who is signed in")).to_be_visible()
        console.page.wait_for_load_state("networkidle")
        expect(console.field("E-mail address")).to_be_visible()
        self.assertNotIn(self.one.email, console.page.content())

    def test_who_was_refused_and_signs_in_then_goes_on(self):
        console = Console(self.visit())
        console.open(f"/sign-in?refused=COMPANY_IP_NOT_LISTED&address={UNLISTED}")
        expect(console.alert).to_contain_text(UNLISTED)
        self.put_log_in_over(console, self.one)
        console.page.evaluate("dispatchEvent(new Event('focus'))")
        console.wait_for_page("Access tokens")

    def test_signing_out_of_ones_page_leaves_the_other_signed_in_whom_the_companys_list_refuses(self):
        console = self.sign_in(self.one.email)
        self.put_log_in_over(console, self.other)
        secret = cookie_of(console.visitor)["value"]
        self.whitelist_only(UNLISTED)
        console.button("Sign out").click()
        self.assert_forgotten(console)
        self.assertEqual(cookie_of(console.visitor)["value"], secret)
        self.forget_whitelist()
        console.link("Go on as who is signed in").click()
        console.wait_for_page("Access tokens")
        expect(console.page.get_by_text(self.other.email)).to_be_visible()

    # ---- a page that does not say for whom it is ----

    @staticmethod
    def take_claim_away(console):
        """As a proxy would that does not know it; as a page that was loaded before there were claims."""
        def go_on(route):
            headers = {name: value for name, value in route.request.headers.items() if name != "latchkey-caller"}
            route.continue_(headers=headers)
        console.visitor.context.route(METHODS, go_on)

    def test_a_page_that_does_not_say_for_whom_it_is_stops_and_says_what_to_do(self):
        console = self.sign_in(self.one.email)
        self.take_claim_away(console)
        console.visitor.requests.clear()
        console.page.goto(console.visitor.url + "/users")
        console.wait_for_page(STOPPED)
        console.page.wait_for_load_state("networkidle")
        expect(console.alert).to_contain_text("latchkey-caller")
        self.assertEqual(console.page.url, console.visitor.url + "/users")
        self.assertEqual(len(posted(console.visitor, "GetCaller")), 1)
        self.assertEqual([request for request in console.visitor.requests if request.url.endswith("/sign-in")], [])
        self.assertEqual(violations(console.page, ALL), [])
        self.assertTrue(cookie_of(console.visitor))
        console.visitor.context.unroute(METHODS)
        console.button("Reload").click()
        console.wait_for_page("Users")

    def test_a_page_that_stops_saying_for_whom_it_is_keeps_what_was_typed(self):
        console, label = self.sign_in(self.one.email), f"token {uuid.uuid4().hex[:8]}"
        console.fill_new_token(label, "charges.read")
        self.take_claim_away(console)
        console.button("Create").click()
        expect(console.alert).to_contain_text("reload it")
        expect(console.field("Label")).to_have_value(label)
        self.assertEqual(self.tokens(label), [])
        console.visitor.context.unroute(METHODS)
        console.create_token()
        self.assertEqual(len(self.tokens(label)), 1)

    def test_an_invitation_is_accepted_in_a_browser_in_which_somebody_is_signed_in(self):
        email = f"guest-{uuid.uuid4().hex[:8]}@example.com"
        console = self.sign_in(self.one.email)
        self.invite(email)
        tab = self.open_tab(console)
        tab.page.goto(self.mail.mails_to(email)[0].link())
        tab.field("Your name").fill("Eva")
        tab.button("Accept").click()
        expect(tab.heading("Welcome")).to_be_visible()
        console.go_to("Users")


if __name__ == "__main__":
    unittest.main()
