"""Users > Roles: what a role lets do is chosen, given and taken, and the validators know at once."""

import unittest
import uuid

from console_case import LISTED, ConsoleCase, invitation_pb2, member_pb2, posted
from playwright.sync_api import expect

ROLES = "/users?list=roles"


def unique():
    return f"role {uuid.uuid4().hex[:8]}"


class Roles(ConsoleCase):
    def new_role(self, *permissions, name=None):
        return self.administrator.members.CreateRole(member_pb2.CreateRoleRequest(
            name=name or unique(), permissions=permissions or ["charges.read"]), timeout=60).role

    def role(self, name):
        """None where there is none."""
        listed = self.administrator.members.ListRoles(member_pb2.ListRolesRequest(page_size=1000), timeout=60).roles
        return next((role for role in listed if role.name == name), None)

    def may(self, person, permission):
        """Whether who is signed in as that person may, in a validator's eyes."""
        secret = self.log_in(person.email, LISTED).secret
        return self.reason(secret, LISTED, "CHANNEL_UI", permissions=[permission]) == "REASON_OK"

    def permission(self, console, name):
        return console.page.get_by_role("checkbox", name=name, exact=True)

    def open_role(self, role):
        console = self.sign_in()
        console.open(f"/users/roles/{role.role_id}")
        return console

    def test_a_role_is_made_by_group_and_by_name_and_listed_with_what_it_lets_do(self):
        console, name = self.sign_in(), unique()
        console.go_to("Users")
        console.link("Roles").click()
        console.link("New role").click()
        console.wait_for_page("New role")
        console.field("Role name").fill(name)
        self.permission(console, "charges.*").check()
        self.permission(console, "refunds.create").check()
        console.button("Create").click()
        console.wait_for_page(name)
        self.assertEqual(list(self.role(name).permissions), ["charges.*", "refunds.create"])
        console.open(ROLES)
        expect(console.row(name)).to_contain_text("charges.*")
        expect(console.row(name)).to_contain_text("refunds.create")
        expect(console.row("administrator")).to_contain_text("All that a company can have")

    def test_a_change_holds_at_once_for_who_has_the_role_and_the_audit_log_shows_it(self):
        role = self.new_role()
        person = self.new_person(role_ids=[role.role_id])
        self.assertFalse(self.may(person, "charges.create"))
        console, name = self.open_role(role), unique()
        console.field("Role name").fill(name)
        self.permission(console, "charges.create").check()
        self.permission(console, "charges.read").uncheck()
        console.button("Save").click()
        console.said("Saved")
        expect(console.heading(name)).to_be_visible()
        self.assertTrue(self.may(person, "charges.create"))
        self.assertFalse(self.may(person, "charges.read"))
        console.go_to("Audit")
        console.filter_audit("role.updated")
        console.page.get_by_role("button", name="Details of role.updated").first.click()
        changed = console.dialog.get_by_role("row").filter(has=console.page.get_by_role("rowheader", name="permissions"))
        expect(changed).to_contain_text("charges.read")
        expect(changed).to_contain_text("charges.create")
        expect(console.dialog).to_contain_text(name)

    def test_a_role_names_who_has_it_and_is_deleted_only_when_nobody_does(self):
        role = self.new_role()
        person, email = self.new_person(role_ids=[role.role_id]), f"guest-{uuid.uuid4().hex[:8]}@example.com"
        self.new_person(role_ids=[])
        invitation = self.invite(email, role_ids=[role.role_id])
        console = self.open_role(role)
        table = console.page.get_by_role("table", name="Who has it")
        expect(table.get_by_role("rowheader")).to_have_text([person.email])
        console.button("Delete").click()
        console.button("Delete", console.dialog).click()
        expect(console.dialog.get_by_role("alert")).to_contain_text("given to 1 member and 1 pending invitation. Take it from them first.")
        self.assertIsNotNone(self.role(role.name))
        self.administrator.members.UpdateMember(member_pb2.UpdateMemberRequest(
            member={"member_id": person.member_id}, update_mask={"paths": ["role_ids"]}), timeout=60)
        self.administrator.invitations.DeactivateInvitation(invitation_pb2.DeactivateInvitationRequest(
            invitation_id=invitation.invitation_id), timeout=60)
        console.button("Delete", console.dialog).click()
        console.said("is deleted")
        console.wait_for_page("Users")
        self.assertIsNone(self.role(role.name))
        expect(console.row(role.name)).to_have_count(0)
        console.open(f"/users/roles/{role.role_id}")
        expect(console.page.get_by_text("There is no such role")).to_be_visible()

    def test_a_name_that_is_taken_is_said_and_nothing_typed_is_lost(self):
        taken = self.new_role()
        console = self.sign_in()
        console.open("/users/roles/new")
        console.button("Create").click()
        self.assertEqual(posted(console.visitor, "CreateRole"), [])
        console.field("Role name").fill(taken.name)
        self.permission(console, "charges.read").check()
        console.button("Create").click()
        expect(console.alert).to_contain_text("exists already")
        expect(console.field("Role name")).to_have_value(taken.name)
        expect(self.permission(console, "charges.read")).to_be_checked()

    def test_a_change_of_somebody_elses_in_between_is_told_and_nothing_typed_is_lost(self):
        role = self.new_role()
        console, theirs = self.open_role(role), unique()
        self.permission(console, "charges.create").check()
        self.administrator.members.UpdateRole(member_pb2.UpdateRoleRequest(
            role={"role_id": role.role_id, "name": theirs}, update_mask={"paths": ["name"]}), timeout=60)
        console.button("Save").click()
        expect(console.page.get_by_text("Somebody else has changed this")).to_be_visible()
        console.button("See what changed").click()
        expect(console.field("Role name")).to_have_value(theirs)
        expect(self.permission(console, "charges.create")).to_be_checked()
        console.button("Save").click()
        console.said("Saved")
        self.assertEqual(list(self.role(theirs).permissions), ["charges.create", "charges.read"])

    def test_the_role_that_comes_with_the_company_is_shown_and_not_changed(self):
        console = self.open_role(self.administrators())
        expect(console.page.get_by_text("It comes with the company")).to_be_visible()
        for name in ("Save", "Delete"):
            expect(console.button(name)).to_have_count(0)

    def test_nobody_gives_what_they_do_not_hold_and_who_only_reads_changes_nothing(self):
        role = self.new_role("charges.read", "refunds.create")
        few = self.new_role("latchkey.members.read", "latchkey.members.manage", "charges.read")
        console = self.sign_in(self.new_person(role_ids=[few.role_id]).email)
        console.open(f"/users/roles/{role.role_id}")
        expect(self.permission(console, "charges.create")).to_be_disabled()
        expect(self.permission(console, "refunds.create")).to_be_enabled()  # to be taken away
        reader = self.sign_in(self.new_person(role_ids=[self.new_role("latchkey.members.read").role_id]).email)
        reader.open(f"/users/roles/{role.role_id}")
        expect(reader.page.get_by_text("refunds.create")).to_be_visible()
        for name in ("Save", "Delete"):
            expect(reader.button(name)).to_have_count(0)
        reader.open(ROLES)
        expect(reader.link("New role")).to_have_count(0)


if __name__ == "__main__":
    unittest.main()
