"""A server that goes away in the middle of a form, a database that does, and an answer that is lost: nothing that was typed is gone, and
what is tried again is done once."""

import contextlib
import unittest
import uuid

from console_case import ADMINISTRATOR, ConsoleCase, member_pb2, posted, whitelist_pb2
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

    def lock_database(self, is_locked):
        """Nobody comes in, and who is in is put out."""
        name = self.deployment.url.split("dbname=")[1].split()[0]
        self.addCleanup(self.deployment.postgres.execute, f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
        self.deployment.postgres.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS {'false' if is_locked else 'true'}")
        if is_locked:
            self.deployment.postgres.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")


if __name__ == "__main__":
    unittest.main()
