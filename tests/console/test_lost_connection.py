"""A server that goes away in the middle of a form, a database that does, an answer that is lost, a log-in that ends: nothing that was typed
is gone, and what is tried again is done once."""

import contextlib
import unittest
import uuid

from accessibility import ALL, violations
from console_case import ADMINISTRATOR, COOKIE, LISTED, ConsoleCase, member_pb2, posted
from latchkey_test.waiting import wait_until
from pages import Console
from playwright.sync_api import expect


class LostConnection(ConsoleCase):
    def stop_server(self):
        """It is there again after the test, in any case."""
        self.deployment.server.stop()
        self.addCleanup(self.start_server)

    def start_server(self):
        if not self.deployment.server.is_ready():
            self.deployment.server.start()

    @contextlib.contextmanager
    def answers_lost(self, console, method):
        """The server does what it is asked, and its answers never arrive."""
        network = console.visitor.context.new_cdp_session(console.page)
        network.on("Fetch.requestPaused", lambda paused: network.send(
            "Fetch.failRequest", {"requestId": paused["requestId"], "errorReason": "ConnectionReset"}))
        network.send("Fetch.enable", {"patterns": [{"urlPattern": f"*/{method}", "requestStage": "Response"}]})
        yield
        network.send("Fetch.disable")
        network.detach()

    def one_request_id(self, console, method):
        """All tries were the same request."""
        tries = posted(console.visitor, method)
        self.assertEqual(len({message["requestId"] for message in tries}), 1, tries)
        return tries

    def test_a_token_whose_server_was_away_is_made_once(self):
        console, label = self.sign_in(), f"token {uuid.uuid4().hex[:8]}"
        console.fill_new_token(label, "charges.read")
        console.field("Whitelist IPs").fill("203.0.113.0/24")
        self.stop_server()
        console.button("Create").click()
        expect(console.alert).to_contain_text("still here")
        expect(console.field("Label")).to_have_value(label)
        expect(console.page.get_by_role("checkbox", name="charges.read")).to_be_checked()
        expect(console.field("Whitelist IPs")).to_have_value("203.0.113.0/24")
        self.start_server()
        console.create_token()
        console.save_secret()
        self.one_request_id(console, "CreateAccessToken")
        self.assertEqual(len(self.tokens(label)), 1)

    def test_a_token_whose_answer_was_lost_is_made_once_and_the_page_says_what_that_means(self):
        console, label = self.sign_in(), f"token {uuid.uuid4().hex[:8]}"
        console.fill_new_token(label, "charges.read")
        with self.answers_lost(console, "CreateAccessToken"):
            console.button("Create").click()
            expect(console.alert).to_be_visible()
        console.button("Create").click()
        expect(console.alert).to_contain_text("its secret was lost on the way")
        self.assertGreaterEqual(len(self.one_request_id(console, "CreateAccessToken")), 2)
        self.assertEqual(len(self.tokens(label)), 1)

    def test_a_list_that_could_not_be_had_is_had_by_trying_again(self):
        label = self.new_token().access_token.label
        console = self.sign_in()
        self.stop_server()
        console.link("Audit").click()
        expect(console.alert).to_be_visible()
        self.start_server()
        console.button("Try again").click()
        expect(console.alert).to_have_count(0)
        console.go_to("Access tokens")
        expect(console.row(label)).to_be_visible()

    def test_invitations_whose_server_was_away_are_sent_once(self):
        email = f"guest-{uuid.uuid4().hex[:8]}@example.com"
        console = self.sign_in()
        console.open("/users/invite")
        console.field("E-mail addresses").fill(email)
        self.stop_server()
        console.button("Invite").click()
        expect(console.alert).to_be_visible()
        expect(console.field("E-mail addresses")).to_have_value(email)
        self.start_server()
        console.button("Invite").click()
        console.said("on its way")
        self.one_request_id(console, "CreateInvitations")
        self.mail.mails_to(email)
        self.assertEqual(len(self.sign_in_mails(email)), 1)

    def test_a_member_whose_change_was_lost_is_changed_once(self):
        person = self.new_person()
        console = self.sign_in()
        console.open(f"/users/{person.member_id}")
        console.field("Name").fill("Changed")
        self.stop_server()
        console.button("Save").click()
        expect(console.alert).to_be_visible()
        expect(console.field("Name")).to_have_value("Changed")
        self.start_server()
        console.button("Save").click()
        console.said("Saved")
        kept = self.administrator.members.GetMember(member_pb2.GetMemberRequest(member_id=person.member_id), timeout=60).member
        self.assertEqual(kept.display_name, "Changed")

    def test_an_invitation_that_is_accepted_while_the_answer_is_lost_is_accepted(self):
        email = f"guest-{uuid.uuid4().hex[:8]}@example.com"
        self.invite(email)
        guest = Console(self.visit())
        guest.page.goto(self.mail.mails_to(email)[0].link())
        guest.field("Your name").fill("Eva")
        with self.answers_lost(guest, "AcceptInvitation"):
            guest.button("Accept").click()
            expect(guest.alert).to_be_visible()
            expect(guest.field("Your name")).to_have_value("Eva")
        guest.button("Accept").click()
        expect(guest.heading("Welcome")).to_be_visible()
        self.one_request_id(guest, "AcceptInvitation")

    def test_a_sign_in_whose_server_was_away_keeps_the_address_and_the_link(self):
        console = self.open_console(self.visit())
        console.field("E-mail address").fill(ADMINISTRATOR)
        self.stop_server()
        console.button("Send me a link").click()
        expect(console.alert).to_be_visible()
        expect(console.field("E-mail address")).to_have_value(ADMINISTRATOR)
        self.start_server()
        console.follow_link(self.ask_for_link(console, ADMINISTRATOR))
        console.wait_for_page("Access tokens")

    def test_a_database_that_is_away_is_said_and_what_was_typed_stays(self):
        console, label = self.sign_in(), f"token {uuid.uuid4().hex[:8]}"
        console.fill_new_token(label, "charges.read")
        self.lock_database(True)
        console.button("Create").click()
        expect(console.alert).to_be_visible()
        expect(console.field("Label")).to_have_value(label)
        self.lock_database(False)
        wait_until(self.deployment.server.is_ready, 90, "latchkeyd to be ready")
        console.create_token()
        console.save_secret()
        self.one_request_id(console, "CreateAccessToken")
        self.assertEqual(len(self.tokens(label)), 1)

    def test_what_was_typed_waits_until_one_is_signed_in_again_in_another_tab(self):
        person, label = self.new_person(), f"token {uuid.uuid4().hex[:8]}"
        console = self.sign_in(person.email)
        console.fill_new_token(label, "charges.read")
        console.field("Whitelist IPs").fill("203.0.113.0/24")
        self.end_sessions(person)
        console.button("Create").click()
        dialog = console.signed_out()
        expect(dialog).to_be_visible()
        self.assertEqual(violations(console.page, ALL), [])
        self.assertNotIn(label, console.page.evaluate("JSON.stringify([localStorage, sessionStorage])"))
        console.page.keyboard.press("Escape")
        console.page.keyboard.press("Escape")
        console.button("I am signed in again", dialog).click()
        expect(dialog.get_by_role("alert")).to_contain_text("not signed in")
        with console.visitor.context.expect_page() as opened:
            console.link("Sign in, in a new tab", dialog).click()
        tab = Console(console.visitor, opened.value)
        tab.follow_link(self.ask_for_link(tab, person.email))
        tab.wait_for_page("Access tokens")
        tab.page.close()
        console.page.evaluate("dispatchEvent(new Event('focus'))")
        console.said("signed in again")
        expect(console.dialog).to_have_count(0)
        expect(console.field("Label")).to_have_value(label)
        console.create_token()
        console.save_secret()
        self.one_request_id(console, "CreateAccessToken")
        (token,) = self.tokens(label)
        self.assertEqual((list(token.permissions), list(token.allowed_ips)), (["charges.read"], ["203.0.113.0/24"]))

    def test_what_was_typed_is_neither_shown_nor_sent_when_somebody_else_signs_in(self):
        person, other = self.new_person(), self.new_person(display_name="Before")
        console = self.sign_in(person.email)
        console.open(f"/users/{other.member_id}")
        console.field("Name").fill("typed by one")
        self.end_sessions(person)
        console.button("Save").click()
        expect(console.signed_out()).to_be_visible()
        console.visitor.put_cookie(COOKIE, self.log_in(other.email, LISTED).secret)
        console.button("I am signed in again").click()
        console.wait_for_page("Somebody else is signed in")
        expect(console.dialog).to_have_count(0)
        self.assertNotIn("typed by one", console.page.content())
        console.link("Go on as who is signed in").click()
        console.wait_for_page("Access tokens")
        expect(console.page.get_by_text(other.email)).to_be_visible()
        self.assertEqual(len(posted(console.visitor, "UpdateMember")), 1)
        kept = self.administrator.members.GetMember(member_pb2.GetMemberRequest(member_id=other.member_id), timeout=60).member
        self.assertEqual(kept.display_name, "Before")

    def test_one_may_leave_what_was_typed_and_comes_back_to_where_one_was(self):
        person = self.new_person()
        console = self.sign_in(person.email)
        console.open("/users/invite")
        console.field("E-mail addresses").fill("guest@example.com")
        self.end_sessions(person)
        console.button("Invite").click()
        console.button("Leave what I typed", console.signed_out()).click()
        console.wait_for_page("Sign in")
        console.follow_link(self.ask_for_link(console, person.email))
        console.wait_for_page("Invite users")
        expect(console.field("E-mail addresses")).to_have_value("")

    def test_a_secret_is_not_kept_when_the_session_ends_whatever_else_is_typed(self):
        person = self.new_person()
        console = self.sign_in(person.email)
        console.fill_new_token(f"token {uuid.uuid4().hex[:8]}", "charges.read")
        console.create_token()
        console.save_secret()
        console.button("Rotate").click()
        console.button("Rotate", console.dialog).click()
        secret = console.secret()
        console.button("Suspend").click()
        console.field("Note", console.dialog).fill("typed")
        self.end_sessions(person)
        console.button("Suspend", console.dialog).click()
        console.wait_for_page("Sign in")
        self.assertNotIn(secret, console.page.content())

    def lock_database(self, is_locked):
        """Nobody comes in, and who is in is put out."""
        name = self.deployment.url.split("dbname=")[1].split()[0]
        self.addCleanup(self.deployment.postgres.execute, f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
        self.deployment.postgres.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS {'false' if is_locked else 'true'}")
        if is_locked:
            self.deployment.postgres.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")


if __name__ == "__main__":
    unittest.main()
