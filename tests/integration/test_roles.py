"""Roles: made of the catalogue's permissions, changed for every token at once, deleted when nobody has them."""

import concurrent.futures
import threading
import unittest
import uuid

import grpc

from latchkey_test import error_info, stubs, uuid_of_id
from latchkey_test.row_lock import RowLock
from member_case import EVERYTHING, MemberCase, member_pb2, token_pb2

invitation_pb2 = stubs.messages("latchkey/v1/invitation.proto")

ALREADY_EXISTS = grpc.StatusCode.ALREADY_EXISTS
DENIED = grpc.StatusCode.PERMISSION_DENIED
NOT_FOUND = grpc.StatusCode.NOT_FOUND
PRECONDITION = grpc.StatusCode.FAILED_PRECONDITION

NO_ROLE = "rol_00000000000000000000000000"
NAMES = ("a", "x" * 100, "é" * 100, "日本" * 50, "'; DROP TABLE latchkey.role; --", "<b>", "%s%n", "\u202eabc", " padded ",
         "a\tb\nc", "🙂", "${x}", "{{7*7}}", "administrators", '"')


class Roles(MemberCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company = cls.new_company()
        cls.other = cls.new_company()
        cls.limited = cls.company.client(cls.company.company_token(["latchkey.members.*", "charges.*"])[1])

    def name(self):
        return f"role {uuid.uuid4().hex[:12]}"

    def list(self, company=None, **fields):
        return (company or self.company).operator.members.ListRoles(member_pb2.ListRolesRequest(**fields), timeout=20)

    def get(self, role_id, company=None):
        return next(role for role in self.list(company, page_size=1000).roles if role.role_id == role_id)

    # ---- made and listed ----

    def test_a_role_is_listed_as_it_was_made(self):
        made = self.company.create_role(self.name(), ["refunds.create", "charges.*"])
        self.assertRegex(made.role_id, "^rol_[0-9a-z]{26}$")
        self.assertEqual((list(made.permissions), made.built_in), (["refunds.create", "charges.*"], False))
        self.assertEqual(self.get(made.role_id), made)

    def test_a_role_may_be_empty(self):
        self.assertEqual(list(self.company.create_role(self.name()).permissions), [])

    def test_the_built_in_one_shows_all_that_exists_but_what_only_the_operator_may(self):
        role = self.get(self.company.administrator_role)
        wanted = self.deployment.execute("SELECT name FROM latchkey.permission WHERE NOT operator_only ORDER BY name")
        self.assertEqual(list(role.permissions), [name for (name,) in wanted])
        self.assertTrue(role.built_in)

    def test_names_come_back_as_they_were_typed(self):
        for name in NAMES:
            with self.subTest(name):
                made = self.company.create_role(name)
                self.assertEqual(self.get(made.role_id).name, name)

    def test_a_name_has_1_to_100_characters(self):
        for name in ("", "x" * 101, "é" * 101):
            self.assert_bad_fields(lambda n=name: self.company.create_role(n), "name")

    def test_a_name_in_use_is_refused_in_any_case(self):
        name = self.name()
        self.company.create_role(name)
        for typed in (name, name.upper(), "Administrator"):
            self.assert_refused(ALREADY_EXISTS, "ROLE_NAME_IN_USE", lambda t=typed: self.company.create_role(t))
        other = self.company.create_role(self.name())
        self.assert_refused(ALREADY_EXISTS, "ROLE_NAME_IN_USE",
                            lambda: self.company.update_role(other.role_id, name=name.upper()))
        self.assertEqual(self.other.create_role(name).name, name)

    def test_an_unknown_permission_is_refused_with_the_nearest_known_one(self):
        told = self.assert_bad_fields(
            lambda: self.company.create_role(self.name(), ["charges.craete", "charges.read", "no.such", "Charges", "x.*",
                                                           "*", "charges.", ".*", "latchkey.members.mange"]),
            *[f"permissions[{i}]" for i in (0, 2, 3, 4, 5, 6, 7, 8)])
        self.assertIn("charges.create", told["permissions[0]"])
        self.assertIn("latchkey.members.manage", told["permissions[8]"])

    def test_it_has_at_most_256_permissions(self):
        self.assert_bad_fields(lambda: self.company.create_role(self.name(), ["charges.read"] * 257), "permissions")
        self.assertEqual(len(self.company.create_role(self.name(), ["charges.read"] * 256).permissions), 256)

    def test_pages_hold_every_role_once_newest_first(self):
        company = self.new_company()
        made = [company.create_role(f"role {i}").role_id for i in range(6)]
        seen, token = [], ""
        while True:
            page = self.list(company, page_size=2, page_token=token)
            seen += [role.role_id for role in page.roles]
            company.create_role(f"later {len(seen)}")
            token = page.next_page_token
            if not token:
                break
        self.assertEqual(seen, [*reversed(made), company.administrator_role])

    # ---- changed ----

    def test_an_update_changes_what_its_mask_names(self):
        made = self.company.create_role(self.name(), ["charges.create"])
        renamed = self.company.update_role(made.role_id, name=made.name + " 2").role
        self.assertEqual((renamed.name, list(renamed.permissions)), (made.name + " 2", ["charges.create"]))
        changed = self.company.update_role(made.role_id, permissions=["refunds.create"], etag=renamed.etag).role
        self.assertEqual((changed.name, list(changed.permissions)), (renamed.name, ["refunds.create"]))
        cleared = self.company.update_role(made.role_id, permissions=[]).role
        self.assertEqual(list(cleared.permissions), [])
        self.assertEqual(len({made.etag, renamed.etag, changed.etag, cleared.etag}), 4)
        self.assert_bad_fields(lambda: self.company.update_role(made.role_id, name=""), "role.name")
        self.assert_bad_fields(lambda: self.company.update_role("x", permissions=["x.y"]), "role.role_id",
                               "role.permissions[0]")

    def test_a_stale_etag_is_refused(self):
        made = self.company.create_role(self.name())
        self.company.update_role(made.role_id, name=self.name())
        self.assert_refused(grpc.StatusCode.ABORTED, "ETAG_STALE",
                            lambda: self.company.update_role(made.role_id, name=self.name(), etag=made.etag))

    def test_an_update_that_changes_nothing_leaves_no_trace(self):
        made = self.company.create_role(self.name(), ["charges.create"])
        self.assertEqual(self.company.update_role(made.role_id, name=made.name, permissions=["charges.create"]).role, made)

    def test_the_built_in_one_can_not_be_changed_or_deleted(self):
        before = self.get(self.company.administrator_role)
        for call in (lambda: self.company.update_role(before.role_id, name="boss"),
                     lambda: self.company.update_role(before.role_id, permissions=[]),
                     lambda: self.company.delete_role(before.role_id)):
            self.assert_refused(PRECONDITION, "ROLE_BUILT_IN", call)
        self.assertEqual(self.get(before.role_id), before)

    def test_another_companys_role_does_not_exist(self):
        theirs = self.other.create_role(self.name())
        for role_id in (theirs.role_id, NO_ROLE):
            self.assert_refused(NOT_FOUND, "ROLE_NOT_FOUND",
                                lambda r=role_id: self.company.update_role(r, name=self.name()))
            self.company.delete_role(role_id)
        self.assertEqual(self.get(theirs.role_id, self.other), theirs)

    # ---- never more than the caller may ----

    def test_nobody_makes_or_widens_a_role_beyond_what_he_may(self):
        for permissions in (["refunds.create"], ["charges.read", "customers.*"], ["latchkey.operate"], EVERYTHING):
            error = self.assert_refused(DENIED, "GRANT_EXCEEDS_CALLER", lambda p=permissions: self.company.create_role(
                self.name(), p, self.limited))
            self.assertTrue(error_info(error).metadata["permissions"])
        role = self.company.create_role(self.name(), ["charges.create"], self.limited)
        error = self.assert_refused(DENIED, "GRANT_EXCEEDS_CALLER", lambda: self.company.update_role(
            role.role_id, self.limited, permissions=["charges.create", "refunds.create"]))
        self.assertEqual(error_info(error).metadata["permissions"], "refunds.create")
        self.assertEqual(self.get(role.role_id), role)

    def test_what_a_role_lets_do_already_may_stay_and_may_go(self):
        role = self.company.create_role(self.name(), ["refunds.create"])
        widened = self.company.update_role(role.role_id, self.limited, permissions=["refunds.create", "charges.*"]).role
        self.assertEqual(list(widened.permissions), ["refunds.create", "charges.*"])
        self.assertEqual(list(self.company.update_role(role.role_id, self.limited, permissions=[]).role.permissions), [])

    def test_an_administrator_gives_nothing_that_only_the_operator_may(self):
        for permission in ("latchkey.operate", "latchkey.logins.create", "latchkey.validate.any"):
            self.assert_refused(DENIED, "GRANT_EXCEEDS_CALLER", lambda p=permission: self.company.create_role(
                self.name(), [p], self.company.administrator))

    # ---- deleted ----

    def test_a_role_that_nobody_has_is_deleted_and_deleting_it_again_is_fine(self):
        role = self.company.create_role(self.name())
        self.company.delete_role(role.role_id)
        self.company.delete_role(role.role_id)
        self.assertNotIn(role.role_id, [r.role_id for r in self.list(page_size=1000).roles])
        self.assert_bad_fields(lambda: self.company.delete_role("x"), "role_id")

    def test_a_role_in_use_is_not_deleted_and_how_many_have_it_is_told(self):
        role = self.company.create_role(self.name())
        members = [self.company.create_member(f"{uuid.uuid4().hex}@acme.example", [role.role_id]) for _ in range(3)]
        error = self.assert_refused(PRECONDITION, "ROLE_IN_USE", lambda: self.company.delete_role(role.role_id))
        self.assertIn("3 members", error.details())
        self.assertEqual(error_info(error).metadata["memberCount"], "3")
        self.company.remove(members[0].member_id)
        self.company.update(members[1].member_id, role_ids=[])
        error = self.assert_refused(PRECONDITION, "ROLE_IN_USE", lambda: self.company.delete_role(role.role_id))
        self.assertEqual(error_info(error).metadata["memberCount"], "1")
        self.company.update(members[2].member_id, role_ids=[])
        self.company.delete_role(role.role_id)

    def test_a_role_that_a_pending_invitation_has_is_in_use(self):
        role = self.company.create_role(self.name())
        (result,) = self.company.operator.invitations.CreateInvitations(invitation_pb2.CreateInvitationsRequest(
            invitations=[{"email": f"{uuid.uuid4().hex}@acme.example", "role_ids": [role.role_id]}]), timeout=20).results
        error = self.assert_refused(PRECONDITION, "ROLE_IN_USE", lambda: self.company.delete_role(role.role_id))
        self.assertEqual(dict(error_info(error).metadata), {"memberCount": "0", "invitationCount": "1"})
        self.company.operator.invitations.DeactivateInvitation(invitation_pb2.DeactivateInvitationRequest(
            invitation_id=result.invitation.invitation_id), timeout=20)
        self.company.delete_role(role.role_id)

    # ---- who waited is asked again ----

    def create_behind_a_lock(self, secret, change):
        """The refusal of a CreateRole that was admitted before change() and comes to the company's lock after it."""
        name, client = self.name(), self.company.client(secret)
        with RowLock(self.deployment, f"company WHERE company_id = '{self.company.uuid}'") as lock, \
                concurrent.futures.ThreadPoolExecutor(1) as threads:
            waiting = threads.submit(self.company.create_role, name, client=client)
            lock.wait_for_others(1)
            change()
            lock.release()
            with self.assertRaises(grpc.RpcError) as caught:
                waiting.result()
        self.assertEqual(self.company.count("role", f"name = '{name}'"), 0)
        return caught.exception.code().name, error_info(caught.exception).reason

    def change_token(self, token, assignment):
        self.deployment.execute(f"UPDATE latchkey.token SET {assignment} WHERE token_id = '{uuid_of_id(token.token_id)}'")

    def rotate(self, token):
        self.company.operator.tokens.RotateAccessToken(token_pb2.RotateAccessTokenRequest(token_id=token.token_id), timeout=20)

    def test_a_companys_token_that_ended_while_its_call_waited_makes_nothing(self):
        for change, refusal in (
                (lambda t: self.change_token(t, "deactivated_at = now(), deactivate_reason = 1"), ("UNAUTHENTICATED", "DEACTIVATED")),
                (lambda t: self.change_token(t, "suspended = true"), ("UNAUTHENTICATED", "SUSPENDED")),
                (lambda t: self.change_token(t, "permissions = '{charges.read}'"), ("PERMISSION_DENIED", "PERMISSION_MISSING")),
                (lambda t: self.change_token(t, "allowed_ips = '{192.0.2.0/24}'"), ("PERMISSION_DENIED", "TOKEN_IP_NOT_LISTED")),
                (self.rotate, ("UNAUTHENTICATED", "EXPIRED"))):
            with self.subTest(refusal):
                token, secret = self.company.company_token()
                self.assertEqual(self.create_behind_a_lock(secret, lambda t=token, c=change: c(t)), refusal)

    def test_a_members_token_that_ended_while_its_call_waited_makes_nothing(self):
        token_id, secret = self.company.owner_token(self.company.ada.member_id)
        end = f"UPDATE latchkey.token SET deactivated_at = now(), deactivate_reason = 1 WHERE token_id = '{uuid_of_id(token_id)}'"
        self.assertEqual(self.create_behind_a_lock(secret, lambda: self.deployment.execute(end)),
                         ("UNAUTHENTICATED", "DEACTIVATED"))

    def test_a_member_whose_roles_went_while_the_call_waited_makes_nothing(self):
        member = self.company.create_member(f"{uuid.uuid4().hex}@acme.example", [self.company.administrator_role])
        _, secret = self.company.owner_token(member.member_id)
        take = f"DELETE FROM latchkey.member_role WHERE member_id = '{uuid_of_id(member.member_id)}'"
        self.assertEqual(self.create_behind_a_lock(secret, lambda: self.deployment.execute(take)),
                         ("PERMISSION_DENIED", "PERMISSION_MISSING"))

    def test_a_role_is_given_or_deleted_but_never_both(self):
        for turn in range(8):
            role = self.company.create_role(self.name())
            done, ready = {}, threading.Barrier(2)

            def run(name, call):
                ready.wait()
                try:
                    call()
                    done[name] = "OK"
                except grpc.RpcError as error:
                    done[name] = error_info(error).reason

            email = f"{uuid.uuid4().hex}@acme.example"
            threads = [threading.Thread(target=run, args=pair) for pair in (
                ("delete", lambda: self.company.delete_role(role.role_id)),
                ("give", lambda: self.company.create_member(email, [role.role_id])))]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            self.assertIn(done, ({"delete": "OK", "give": "ROLE_NOT_FOUND"}, {"delete": "ROLE_IN_USE", "give": "OK"}))


if __name__ == "__main__":
    unittest.main()
