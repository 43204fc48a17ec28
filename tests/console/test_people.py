"""Users: who belongs to the company, who is invited, and what an invited person sees."""

import unittest
import uuid

from console_case import LISTED, UNLISTED, ConsoleCase, member_pb2, posted
from pages import BROKEN_LINK, Console
from playwright.sync_api import expect


def unique(local="guest"):
    return f"{local}-{uuid.uuid4().hex[:8]}@example.com"


class People(ConsoleCase):
    def member(self, email):
        """None where there is none."""
        found = self.administrator.members.ListMembers(member_pb2.ListMembersRequest(name_contains=email), timeout=60).members
        return found[0] if found else None

    def open_invitation(self, email, count=1):
        """What the invited person has before them."""
        guest = Console(self.visit())
        guest.page.goto(self.mail.mails_to(email, count)[count - 1].link())
        expect(guest.page.get_by_role("heading", level=1)).to_be_visible()
        return guest

    def assert_broken(self, guest):
        expect(guest.page.get_by_text(BROKEN_LINK, exact=True)).to_be_visible()
        expect(guest.button("Accept")).to_have_count(0)

    def test_one_is_invited_accepts_and_signs_in(self):
        email = unique()
        console = self.sign_in()
        console.go_to("Users")
        console.link("Invite").click()
        console.wait_for_page("Invite users")
        console.field("E-mail addresses").fill(email)
        console.page.get_by_role("checkbox", name="administrator").check()
        console.button("Invite").click()
        console.said("on its way")
        guest = self.open_invitation(email)
        self.assertNotIn("lki_", guest.page.url)
        guest.field("Your name").fill("Eva Ünïcode")
        guest.button("Accept").click()
        guest.wait_for_page("Welcome")
        self.assertEqual(self.member(email).display_name, "Eva Ünïcode")
        guest.link("Sign in").click()
        guest.follow_link(self.ask_for_sign_in(guest, email))
        guest.wait_for_page("Access tokens")

    def ask_for_sign_in(self, console, email):
        """Beside the mail of the invitation."""
        console.ask_for_link(email)
        return self.mail.mails_to(email, 2)[1].link()

    def test_a_link_that_was_used_is_broken(self):
        email = unique()
        self.invite(email)
        guest = self.open_invitation(email)
        guest.field("Your name").fill("Eva")
        guest.button("Accept").click()
        guest.wait_for_page("Welcome")
        self.assert_broken(self.open_invitation(email))

    def test_every_link_that_is_not_good_says_the_same(self):
        for link in ("/invitation", "/invitation#", "/invitation#lki_00000000000000000000000000000000000000000000000000", "/invitation#x"):
            with self.subTest(link=link):
                guest = Console(self.visit())
                guest.page.goto(self.url + link)
                self.assert_broken(guest)

    def test_a_resent_invitation_has_a_new_link_and_the_old_one_is_broken(self):
        email = unique()
        self.invite(email)
        self.mail.mails_to(email)
        console = self.sign_in()
        console.open_invitations()
        console.button(f"Resend to {email}").click()
        console.said("A new link is on its way")
        guest = self.open_invitation(email, 2)
        expect(guest.button("Accept")).to_be_visible()
        self.assert_broken(self.open_invitation(email, 1))

    def test_a_deactivated_invitation_is_broken(self):
        email = unique()
        self.invite(email)
        self.mail.mails_to(email)
        console = self.sign_in()
        console.open_invitations()
        console.button(f"Deactivate the invitation of {email}").click()
        console.button("Deactivate", console.dialog).click()
        console.said("is deactivated")
        expect(console.row(email)).to_contain_text("Deactivated")
        self.assert_broken(self.open_invitation(email))

    def test_many_are_invited_at_once_and_the_bad_ones_are_named(self):
        emails = [unique() for _ in range(3)]
        console = self.sign_in()
        console.open("/users/invite")
        console.field("E-mail addresses").fill("\n".join([*emails, "no address"]))
        console.page.get_by_role("button", name="Invite").click()
        expect(console.page.get_by_text("no address").first).to_be_visible()
        self.assertEqual(posted(console.visitor, "CreateInvitations"), [])
        console.field("E-mail addresses").fill(", ".join(emails))
        console.button("Invite 3 users").click()
        console.said("3 invitations are on their way")
        for email in emails:
            self.mail.mails_to(email)

    def test_the_delivery_of_an_invitation_is_shown(self):
        email = unique()
        self.invite(email)
        self.mail.mails_to(email)
        console = self.sign_in()
        self.wait_for_sent(email)
        console.open_invitations()
        expect(console.row(email)).to_contain_text("Pending")
        expect(console.row(email)).to_contain_text("Sent")

    def test_a_members_roles_and_addresses_are_changed(self):
        person = self.new_person(display_name="Before")
        console = self.sign_in()
        console.go_to("Users")
        console.link(person.email).click()
        console.field("Name").fill("After")
        console.field("Only from these addresses").fill("203.0.113.0/24")
        console.button("Save").click()
        console.said("Saved")
        changed = self.member(person.email)
        self.assertEqual((changed.display_name, list(changed.allowed_ips)), ("After", ["203.0.113.0/24"]))
        expect(self.sign_in_by_mail(person.email, LISTED).page.get_by_text(person.email)).to_be_visible()
        there = self.open_console(self.visit(UNLISTED))
        there.ask_for_link(person.email)
        there.follow_link(self.mail.mails_to(person.email, 2)[1].link())
        expect(there.page.get_by_role("main")).to_contain_text(UNLISTED)

    def test_a_change_of_somebody_elses_in_between_is_told_and_nothing_typed_is_lost(self):
        person = self.new_person(display_name="Before")
        console = self.sign_in()
        self.overtake(console, person)
        expect(console.field("Name")).to_have_value("Mine")
        self.assertEqual(self.member(person.email).display_name, "Theirs")

    def test_a_removed_member_is_signed_out(self):
        person = self.new_person()
        there = self.sign_in(person.email)
        console = self.sign_in()
        console.open(f"/users/{person.member_id}")
        console.button("Remove").click()
        console.button("Remove", console.dialog).click()
        console.said("is removed")
        there.link("Users").click()
        there.wait_for_page("Sign in")


if __name__ == "__main__":
    unittest.main()
