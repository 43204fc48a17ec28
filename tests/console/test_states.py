"""Pages as they are not at first sight: refusals, dialogs, broken links, empty lists, lists that are loading or can't be had. axe finds
nothing on any of them, in light and dark, on a desktop and on a phone, and nothing scrolls sideways there or is too small to press."""

import unittest
import uuid

from accessibility import flaws
from console_case import ADMINISTRATOR, LISTED, UNLISTED, ConsoleCase, member_pb2
from latchkey_test.waiting import wait_until
from pages import BROKEN_LINK, PAGES, Console
from playwright.sync_api import expect

ELSEWHERE = "192.0.2.7"


class StatesCase(ConsoleCase):
    def judge(self, console, what):
        with self.subTest(what):
            self.assertEqual(flaws(console.page), [])

    def judge_dialog(self, console, button, what=""):
        """Opened by that button, and left by Escape."""
        console.button(button).click()
        self.judge_open_dialog(console, what or button)
        console.page.keyboard.press("Escape")
        expect(console.dialog).to_have_count(0)

    def judge_open_dialog(self, console, what):
        expect(console.dialog).to_be_visible()
        console.wait_until_loaded()
        self.judge(console, f"the dialog “{what}”")


class NotLetIn(StatesCase):
    def test_who_comes_from_an_unlisted_address_and_is_signed_in(self):
        self.whitelist_only("203.0.113.0/24")
        console = self.sign_in()
        console.visitor.move_to(UNLISTED)
        console.open("/security")
        expect(console.alert).to_contain_text(UNLISTED)
        self.judge(console, "refused, with a session")

    def test_who_opens_the_link_of_the_mail_from_an_unlisted_address(self):
        self.whitelist_only("203.0.113.0/24")
        console = self.open_console(self.visit(UNLISTED))
        link = self.ask_for_link(console, ADMINISTRATOR)
        self.judge(console, "a link is on its way")
        console.follow_link(link)
        expect(console.alert).to_contain_text(UNLISTED)
        self.judge(console, "refused, with a link")

    def test_an_invitation_and_what_becomes_of_it(self):
        email = f"guest-{uuid.uuid4().hex[:8]}@example.com"
        self.invite(email)
        link = self.mail.mails_to(email)[0].link()
        guest = Console(self.visit())
        guest.page.goto(link)
        expect(guest.button("Accept")).to_be_visible()
        self.judge(guest, "an invitation")
        guest.field("Your name").fill("Eva")
        guest.button("Accept").click()
        guest.wait_for_page("Welcome")
        self.judge(guest, "an invitation that is accepted")
        late = Console(self.visit())
        late.page.goto(link)
        expect(late.page.get_by_text(BROKEN_LINK, exact=True)).to_be_visible()
        self.judge(late, "an invitation whose link was used")

    def test_a_form_is_covered_when_the_session_ends(self):
        person = self.new_person()
        console = self.sign_in(person.email)
        console.fill_new_token("a token", "charges.read")
        self.end_sessions(person)
        console.button("Create").click()
        expect(console.signed_out()).to_be_visible()
        self.judge(console, "signed out")


class Tokens(StatesCase):
    def test_dialogs_about_a_token(self):
        label = self.new_token().access_token.label
        console = self.sign_in()
        console.open_token(label)
        self.judge_dialog(console, "Suspend")
        console.button("Deactivate").click()
        self.judge_open_dialog(console, "Deactivate")
        console.dialog.get_by_label(f"Type {label} to confirm").fill("something else")
        console.button("Deactivate permanently", console.dialog).click()
        expect(console.dialog.get_by_label(f"Type {label} to confirm")).to_have_attribute("aria-invalid", "true")
        self.judge_open_dialog(console, "Deactivate, wrongly confirmed")
        console.page.keyboard.press("Escape")
        console.button("Rotate").click()
        self.judge_open_dialog(console, "Rotate")
        console.button("Rotate", console.dialog).click()
        console.secret()
        self.judge(console, "a secret")
        console.save_secret()

    def test_dialogs_about_many_tokens_and_about_log_ins(self):
        words = f"of one kind {uuid.uuid4().hex[:8]}"
        self.new_token(words)
        self.log_in(self.new_person().email, LISTED)
        console = self.sign_in()
        console.field("Label contains").fill(words)
        self.judge_dialog(console, "Deactivate all of these")
        console.go_to("Recent authentications")
        console.page.get_by_role("button", name="Deactivate the session of").first.click()
        self.judge_open_dialog(console, "End this session?")

    def test_a_form_that_is_wrongly_filled_in(self):
        console = self.sign_in()
        console.open("/tokens/new")
        console.field("Whitelist IPs").fill("300.1.1.1")
        console.button("Create").click()
        expect(console.page.locator("[aria-invalid]").first).to_be_visible()
        self.judge(console, "a new token, wrongly filled in")


class Whitelist(StatesCase):
    settings = {"use_flush_interval": "100ms"}

    def setUp(self):
        self.addCleanup(self.forget_whitelist)
        self.forget_whitelist()

    def open_security(self):
        console = self.sign_in()
        console.go_to("Security")
        return console

    def use_from_elsewhere(self):
        used = self.new_token()
        self.reason(used.secret, ELSEWHERE)
        wait_until(lambda: self.tokens(used.access_token.label)[0].last_used_ip == ELSEWHERE, 60, "the use to be written")

    def test_switching_on_from_the_dialog_to_the_countdown(self):
        self.use_from_elsewhere()
        self.add_entries("127.0.0.0/8", "10.0.0.0/8")
        console = self.open_security()
        console.button("Switch on").click()
        expect(console.dialog).to_contain_text(ELSEWHERE)
        self.judge_open_dialog(console, "Switch on, whom it refuses")
        console.field("Confirm within", console.dialog).select_option("Without: it stays in any case")
        console.button("Switch on", console.dialog).click()
        expect(console.dialog.get_by_role("alert")).to_contain_text("This would refuse you.")
        self.judge_open_dialog(console, "Switch on, which locks one out")
        console.page.keyboard.press("Escape")
        console.button("Add my address").click()
        console.said(f"{LISTED} is added")
        console.button("Switch on").click()
        console.button("Switch on", console.dialog).click()
        expect(console.page.get_by_role("timer")).to_be_visible()
        self.judge(console, "the countdown")
        self.judge_dialog(console, "Switch off")
        console.button("Keep it on").click()
        expect(console.page.get_by_role("timer")).to_have_count(0)
        self.judge_dialog(console, "Change what it covers")

    def test_dialogs_about_entries_and_drafts(self):
        self.whitelist_only("203.0.113.0/24")
        console = self.open_security()
        console.button("Remove 203.0.113.0/24").click()
        console.button("Remove", console.dialog).click()
        expect(console.dialog.get_by_role("alert")).to_be_visible()
        self.judge_open_dialog(console, "Remove, which locks one out")
        console.page.keyboard.press("Escape")
        self.judge_dialog(console, "Change 203.0.113.0/24")
        console.button("New draft of the live list").click()
        console.wait_for_page("Draft of the whitelist")
        console.button("Preview").click()
        console.wait_until_loaded()
        self.judge(console, "a draft, previewed")
        self.judge_dialog(console, "Publish")
        self.judge_dialog(console, "Discard")

    def test_lists_that_are_wrongly_typed_or_pasted(self):
        console = self.open_security()
        console.fill_entry_row(1, "10.0.0.256", None, "")
        console.button("Add").click()
        console.check_address("198.51.100.40")
        console.button("Paste a list").click()
        console.field("List").fill("203.0.113.0/24 office\n10.0.0.256\n")
        console.button("Add 1 entry").click()
        expect(console.field("List")).to_have_attribute("aria-invalid", "true")
        self.judge(console, "rows and lines that are not understood")


class People(StatesCase):
    def test_dialogs_about_members_invitations_and_roles(self):
        person = self.new_person()
        console = self.sign_in()
        console.open(f"/users/{person.member_id}")
        self.judge_dialog(console, "Sign out everywhere")
        self.judge_dialog(console, "Remove")
        email = f"guest-{uuid.uuid4().hex[:8]}@example.com"
        self.invite(email)
        console.open_invitations()
        self.judge_dialog(console, f"Deactivate the invitation of {email}")
        role = self.administrator.members.CreateRole(member_pb2.CreateRoleRequest(
            name=f"role {uuid.uuid4().hex[:8]}", permissions=["charges.read"]), timeout=60).role
        console.open(f"/users/roles/{role.role_id}")
        self.judge_dialog(console, "Delete")

    def test_a_change_that_somebody_else_overtook(self):
        person = self.new_person(display_name="Before")
        console = self.sign_in()
        self.overtake(console, person)
        self.judge(console, "overtaken")

    def test_what_an_event_of_the_audit_log_says(self):
        console = self.sign_in()
        console.go_to("Audit")
        console.button("Verify").click()
        expect(console.page.get_by_text("The chain is intact")).to_be_visible()
        console.page.get_by_role("button", name="Details of").first.click()
        self.judge_open_dialog(console, "Details")


class Lists(StatesCase):
    def test_empty_ones(self):
        self.forget_whitelist()
        console = self.sign_in()
        console.field("Label contains").fill("nothing is called so")
        expect(console.page.get_by_text("No access token is like that")).to_be_visible()
        self.judge(console, "no token")
        console.go_to("Security")
        expect(console.page.get_by_text("A whitelist without entries")).to_be_visible()
        self.judge(console, "no entry")
        console.go_to("Users")
        console.field("Name or e-mail address").fill("nobody is called so")
        console.button("Show").click()
        expect(console.page.get_by_text("Nobody like that")).to_be_visible()
        self.judge(console, "no member")
        console.open_invitations()
        console.field("State").select_option("Expired")
        expect(console.page.get_by_text("No invitation", exact=True)).to_be_visible()
        self.judge(console, "no invitation")
        console.open("/tokens/new")
        console.field("Find a permission").fill("nothing is called so")
        expect(console.page.get_by_text("No permission is like that")).to_be_visible()
        self.judge(console, "no permission")
        console.go_to("Audit")
        console.filter_audit("company.never")
        expect(console.page.get_by_text("No event like that")).to_be_visible()
        self.judge(console, "no event")

    def hold(self, console, pattern):
        """Their answers do not come any more."""
        console.page.route(pattern, lambda route: None)

    def open_loading(self, console, path):
        console.page.goto(self.url + path)
        expect(console.page.locator("[aria-busy=true]").first).to_be_visible()
        self.judge(console, f"{path} while it is loading")

    def test_loading_ones(self):
        console = self.sign_in()
        self.hold(console, "**/latchkey.v1.*/[!G]*")
        for path in PAGES:
            if path not in ("/company", "/explain"):
                self.open_loading(console, path)

    def test_pages_of_which_nothing_is_known_yet(self):
        console = self.sign_in()
        self.hold(console, "**/latchkey.v1.*/*")
        self.open_loading(console, "/company")
        guest = Console(self.visit())
        self.hold(guest, "**/latchkey.v1.*/*")
        self.open_loading(guest, "/invitation#lki_x")

    def test_ones_that_can_not_be_had(self):
        console = self.sign_in()
        nobody = self.open_console(self.visit())
        self.deployment.server.stop()
        self.addCleanup(lambda: self.deployment.server.is_ready() or self.deployment.server.start())
        for path, name in PAGES.items():
            if path not in ("/tokens", "/explain"):
                console.link(name).click()
                expect(console.button("Try again").first).to_be_visible()
                console.wait_until_loaded()
                self.judge(console, f"{path}, which can't be had")
        nobody.field("E-mail address").fill(ADMINISTRATOR)
        nobody.button("Send me a link").click()
        expect(nobody.alert).to_be_visible()
        self.judge(nobody, "no link can be sent")

    def test_a_page_that_does_not_learn_who_is_signed_in(self):
        console = self.sign_in()
        console.page.route("**/GetCaller", lambda route: route.abort())
        console.page.goto(self.url + "/company")
        expect(console.button("Try again")).to_be_visible()
        self.judge(console, "nobody is known")


if __name__ == "__main__":
    unittest.main()
