"""Invitations as the company's administrators see them: made, listed, sent again, ended."""

import time
import unittest
import uuid

import grpc

from invitation_case import NO_INVITATION, InvitationCase, error_details, invitation_pb2, member_pb2
from latchkey_test import Client, retry_info, uuid_of_id
from latchkey_test.tap import Tap, trips_of_last_call

PENDING = invitation_pb2.INVITATION_STATE_PENDING
ACCEPTED = invitation_pb2.INVITATION_STATE_ACCEPTED
EXPIRED = invitation_pb2.INVITATION_STATE_EXPIRED
DEACTIVATED = invitation_pb2.INVITATION_STATE_DEACTIVATED
INVALID, NOT_FOUND, ALREADY_EXISTS, DENIED = 3, 5, 6, 7
PRECONDITION = grpc.StatusCode.FAILED_PRECONDITION

INJECTIONS = ("'; DROP TABLE latchkey.invitation; --", "<script>alert(1)</script>", "%s%n", "a\tb", "\u202eabc", "🙂 name")


def reason_of(status):
    info = error_details.ErrorInfo()
    status.details[0].Unpack(info)
    return info.reason


class Creating(InvitationCase):
    def test_an_invitation_is_read_back_as_it_was_made(self):
        role = self.create_role("charger of " + self.unique(), ["charges.create"])
        made = self.invite("Ada.Lovelace+x@Example.COM", role_ids=[role.role_id], allowed_ips=["10.1.2.3/8", "2001:db8::1"])
        self.assertRegex(made.invitation_id, "^inv_[0-9a-z]{26}$")
        self.assertEqual((made.email, list(made.role_ids)), ("Ada.Lovelace+x@example.com", [role.role_id]))
        self.assertEqual(list(made.allowed_ips), ["10.0.0.0/8", "2001:db8::1/128"])
        self.assertEqual(made.state, PENDING)
        self.assertEqual(made.expires_at.ToMilliseconds() - made.created_at.ToMilliseconds(), 72 * 3600 * 1000)
        self.assertRegex(made.created_by, "^mbr_")
        sent = self.wait_for_delivery(made, invitation_pb2.DELIVERY_SENT)
        self.assertEqual(made.delivery, invitation_pb2.DELIVERY_QUEUED)
        made.delivery, made.delivery_detail = sent.delivery, sent.delivery_detail
        self.assertEqual(sent, made)

    def test_each_has_a_result_of_its_own(self):
        email, taken = self.unique(), self.invite().email
        good, bad, pending, role = self.create(
            email, "no-address", taken,
            invitation_pb2.NewInvitation(email=self.unique(), role_ids=["rol_00000000000000000000000000"]))
        self.assertEqual(good.invitation.email, email)
        self.assertEqual([(result.error.code, reason_of(result.error)) for result in (bad, pending, role)],
                         [(INVALID, "INVALID_ARGUMENT"), (ALREADY_EXISTS, "INVITATION_PENDING"),
                          (NOT_FOUND, "ROLE_NOT_FOUND")])
        self.assertIn("email: type one e-mail address", bad.error.message)
        self.assertEqual(self.mail.mails_to(email)[0].recipients, [email])

    def test_a_member_is_not_invited(self):
        invitation = self.invite()
        self.accept(self.secret_of(invitation))
        (result,) = self.create(invitation.email.upper())
        self.assertEqual((result.error.code, reason_of(result.error)), (ALREADY_EXISTS, "MEMBER_EXISTS"))

    def test_a_member_who_was_removed_is_invited_again_as_another_one(self):
        invitation = self.invite()
        member = self.accept(self.secret_of(invitation))
        self.administrator.members.RemoveMember(
            member_pb2.RemoveMemberRequest(member_id=member.member_id), timeout=10)
        again = self.accept(self.secret_of(self.invite(invitation.email), 2))
        self.assertNotEqual(again.member_id, member.member_id)

    def test_addresses_are_compared_in_any_case_and_tags_are_kept(self):
        local = self.unique().split("@")[0]
        first, same, tagged = self.create(f"{local}@example.com", f"{local.upper()}@EXAMPLE.com", f"{local}+x@example.com")
        self.assertEqual([result.WhichOneof("result") for result in (first, same, tagged)],
                         ["invitation", "error", "invitation"])

    def test_of_addresses_alike_the_first_that_can_be_made_is(self):
        email = self.unique()
        refused, first, same = self.create(
            invitation_pb2.NewInvitation(email=email.upper(), role_ids=["rol_00000000000000000000000000"]), email, email)
        self.assertEqual(reason_of(refused.error), "ROLE_NOT_FOUND")
        self.assertEqual(first.invitation.email, email)
        self.assertEqual(reason_of(same.error), "INVITATION_PENDING")

    def test_each_of_many_has_its_own_roles_and_addresses(self):
        roles = [self.create_role(self.unique(), ["charges.read"]).role_id for _ in range(2)]
        wanted = [([], ["10.0.0.0/8", "192.0.2.7/32"]), (roles[:1], []), ([], []), (sorted(roles), ["2001:db8::/32"])]
        results = self.create(*[invitation_pb2.NewInvitation(email=self.unique(), role_ids=ids, allowed_ips=ips)
                                for ids, ips in wanted])
        for (ids, ips), result in zip(wanted, results, strict=True):
            stored = self.get(result.invitation)
            self.assertEqual((sorted(stored.role_ids), list(stored.allowed_ips)), (ids, ips))

    def test_1_to_100_in_a_call(self):
        for count in (0, 101):
            self.assert_bad_fields(lambda n=count: self.create(*[self.unique() for _ in range(n)]), "invitations")
        results = self.create(*[self.unique() for _ in range(100)])
        self.assertEqual({result.WhichOneof("result") for result in results}, {"invitation"})
        self.assertEqual(len(results), 100)

    def test_all_of_them_with_all_roles_that_one_may_have_cost_no_minute(self):
        roles = [self.create_role(self.unique(), ["charges.*"]).role_id for _ in range(100)]
        ids = ", ".join(f"'{uuid_of_id(role)}'" for role in roles)
        self.deployment.execute("UPDATE latchkey.role SET permissions ="
                                " ARRAY(SELECT 'charges.g' || n || '.*' FROM generate_series(1, 256) AS n)"
                                f" WHERE role_id IN ({ids})")
        began = time.monotonic()
        results = self.create(*[invitation_pb2.NewInvitation(email=self.unique(), role_ids=roles) for _ in range(100)])
        self.assertLess(time.monotonic() - began, 60)
        self.assertEqual([result.WhichOneof("result") for result in results], ["invitation"] * 100)

    def test_many_cost_as_many_round_trips_as_one(self):
        with Tap(self.deployment.url) as tap, \
                self.deployment.beside("latchkey-invitation", database_url=tap.url) as server, \
                Client(server.address, self.deployment.secrets["LATCHKEY_TOKEN"]) as client:
            trips = []
            for count in (1, 1, 20):  # the first prepares the statements
                self.create(*[self.unique() for _ in range(count)], client=client)
                trips.append(len(trips_of_last_call(tap.take())))
        self.assertEqual(trips[1:], [4, 4])

    def test_nobody_is_invited_as_more_than_the_caller_is(self):
        caller = self.token("latchkey.invitations.manage", "charges.read")
        reader = self.create_role("reader of " + self.unique(), ["charges.read"])
        self.invite(client=caller, role_ids=[reader.role_id])
        (result,) = self.create(invitation_pb2.NewInvitation(
            email=self.unique(), role_ids=[reader.role_id, self.administrator_role().role_id]), client=caller)
        self.assertEqual((result.error.code, reason_of(result.error)), (DENIED, "GRANT_EXCEEDS_CALLER"))

    def test_a_repeated_request_invites_nobody_again(self):
        email, request_id = self.unique(), str(uuid.uuid4())
        first = self.create(email, request_id=request_id)
        second = self.create(email, request_id=request_id)
        self.assertEqual(first[0].invitation.invitation_id, second[0].invitation.invitation_id)
        self.mail.mails_to(email)
        self.invite()  # sent after whatever the repetition would have sent
        self.assert_refused(grpc.StatusCode.ALREADY_EXISTS, "REQUEST_ID_REUSED",
                            lambda: self.create(self.unique(), request_id=request_id))
        self.assertEqual(self.deployment.execute(
            f"SELECT count(*) FROM latchkey.mail_outbox WHERE recipient = '{email}'"), [(1,)])

    def test_permissions_are_asked_for(self):
        reader = self.token("latchkey.invitations.read")
        self.list(client=reader)
        self.assert_refused(grpc.StatusCode.PERMISSION_DENIED, "PERMISSION_MISSING",
                            lambda: self.create(self.unique(), client=reader))
        stranger = self.token("charges.read")
        self.assert_refused(grpc.StatusCode.PERMISSION_DENIED, "PERMISSION_MISSING", lambda: self.list(client=stranger))

    def test_names_of_people_come_back_unchanged(self):
        for name in INJECTIONS:
            with self.subTest(name):
                member = self.accept(self.secret_of(self.invite()), name)
                self.assertEqual(member.display_name, name)

    def test_what_is_done_stands_in_the_audit_log(self):
        invitation = self.invite()
        self.deactivate(self.resend(invitation))
        self.assertEqual(self.deployment.execute(
            "SELECT action FROM latchkey.audit_event"
            f" WHERE object_id = '{invitation.invitation_id}' ORDER BY number"),
            [("invitation.created",), ("invitation.resent",), ("invitation.deactivated",)])


class Reading(InvitationCase):
    def test_another_companys_invitation_is_not_found(self):
        invitation = self.invite()
        with self.deployment.operator() as operator:
            for name in ("GetInvitation", "ResendInvitation", "DeactivateInvitation"):
                request = getattr(invitation_pb2, name + "Request")(invitation_id=invitation.invitation_id)
                self.assert_refused(grpc.StatusCode.NOT_FOUND, "INVITATION_NOT_FOUND",
                                    lambda n=name, r=request: getattr(operator.invitations, n)(r, timeout=10))

    def test_what_is_no_invitation_is_told(self):
        invitation = invitation_pb2.Invitation(invitation_id=NO_INVITATION)
        for call in (self.get, self.resend, self.deactivate):
            self.assert_refused(grpc.StatusCode.NOT_FOUND, "INVITATION_NOT_FOUND", lambda c=call: c(invitation))
        invitation.invitation_id = "tok_00000000000000000000000000"
        for call in (self.get, self.resend, self.deactivate):
            self.assert_bad_fields(lambda c=call: c(invitation), "invitation_id")

    def test_pages_hold_each_once_newest_first_also_while_others_are_made(self):
        made = [result.invitation.invitation_id for result in self.create(*[self.unique() for _ in range(25)])]
        seen, token = [], ""
        while not seen or token:
            page = self.list(page_size=7, page_token=token)
            self.assertLessEqual(len(page.invitations), 7)
            seen.extend(invitation.invitation_id for invitation in page.invitations)
            token = page.next_page_token
            self.invite()
        self.assertEqual(seen, sorted(seen, reverse=True))
        self.assertEqual([known for known in seen if known in made], made[::-1])

    def test_filters_go_by_the_state_of_now(self):
        pending, expired, ended, accepted = (self.invite() for _ in range(4))
        self.accept(self.secret_of(accepted))
        self.expire(expired)
        self.deactivate(ended)
        for state, invitation in ((PENDING, pending), (EXPIRED, expired), (DEACTIVATED, ended), (ACCEPTED, accepted)):
            found = {i.invitation_id: i.state for i in self.list(state=state, page_size=1000).invitations}
            self.assertIn(invitation.invitation_id, found)
            self.assertEqual(set(found.values()), {state})
            self.assertEqual(self.get(invitation).state, state)
        self.assert_bad_fields(lambda: self.list(state=9), "state")


class Changing(InvitationCase):
    def assert_broken(self, secret):
        self.assert_refused(grpc.StatusCode.NOT_FOUND, "INVITATION_BROKEN", lambda: self.look_up(secret))

    def test_a_resent_invitation_has_a_new_link_and_the_old_one_is_dead(self):
        invitation = self.invite()
        old = self.secret_of(invitation)
        self.change(invitation, "expires_at = now() + interval '1 hour'")
        again = self.resend(invitation)
        self.assertEqual((again.resent_count, again.state), (1, PENDING))
        self.assertGreater(again.expires_at.ToMilliseconds(), invitation.expires_at.ToMilliseconds())
        new = self.secret_of(invitation, 2)
        self.assert_broken(old)
        self.accept(new)

    def test_a_mail_that_still_waits_when_it_is_sent_again_is_dropped(self):
        self.mail.stop()
        invitation = self.invite()
        self.resend(invitation)
        self.mail.start()
        self.make_due()
        self.look_up(self.secret_of(invitation))
        self.assertEqual(self.deployment.execute(
            f"SELECT state FROM latchkey.mail_outbox WHERE recipient = '{invitation.email}' AND state <> 'd'"), [("s",)])

    def test_once_a_minute(self):
        invitation = self.invite()
        self.resend(invitation)
        error = self.assert_refused(grpc.StatusCode.RESOURCE_EXHAUSTED, "RESENT_TOO_SOON",
                                    lambda: self.resend(invitation))
        self.assertLessEqual(retry_info(error).retry_delay.seconds, 60)
        self.change(invitation, "resent_at = now() - interval '61 seconds'")
        self.assertEqual(self.resend(invitation).resent_count, 2)

    def test_an_expired_one_is_sent_again(self):
        invitation = self.invite()
        old = self.secret_of(invitation)
        self.expire(invitation)
        self.assert_broken(old)
        self.assertEqual(self.resend(invitation).state, PENDING)
        self.accept(self.secret_of(invitation, 2))

    def test_nobody_sends_again_what_lets_do_more_than_he_may(self):
        caller = self.token("latchkey.invitations.manage", "charges.read")
        reader = self.create_role("reader of " + self.unique(), ["charges.read"])
        self.assertEqual(self.resend(self.invite(role_ids=[reader.role_id]), caller).state, PENDING)
        for is_expired in (False, True):
            with self.subTest(is_expired=is_expired):
                invitation = self.invite(role_ids=[reader.role_id, self.administrator_role().role_id])
                if is_expired:
                    self.expire(invitation)
                before = self.get(invitation)
                self.assert_refused(grpc.StatusCode.PERMISSION_DENIED, "GRANT_EXCEEDS_CALLER",
                                    lambda i=invitation: self.resend(i, caller))
                after = self.get(invitation)
                self.assertEqual((after.state, after.expires_at, after.resent_count),
                                 (before.state, before.expires_at, 0))
                self.assertEqual(self.resend(invitation).state, PENDING)

    def test_a_role_that_is_gone_keeps_nobody_from_sending_again(self):
        role = self.create_role("guest of " + self.unique(), ["charges.read"])
        invitation = self.invite(role_ids=[role.role_id])
        self.expire(invitation)
        self.administrator.members.DeleteRole(member_pb2.DeleteRoleRequest(role_id=role.role_id), timeout=10)
        self.assertEqual(self.resend(invitation, self.token("latchkey.invitations.manage")).state, PENDING)

    def test_an_expired_one_gives_its_address_to_a_new_one(self):
        old = self.invite()
        self.expire(old)
        new = self.invite(old.email.upper())
        self.assert_refused(grpc.StatusCode.ALREADY_EXISTS, "INVITATION_PENDING", lambda: self.resend(old))
        self.deactivate(new)
        self.assertEqual(self.resend(old).state, PENDING)

    def test_one_whose_person_is_a_member_by_now_is_not_sent_again(self):
        invitation = self.invite()
        self.administrator.members.CreateMember(member_pb2.CreateMemberRequest(email=invitation.email), timeout=10)
        self.assert_refused(grpc.StatusCode.ALREADY_EXISTS, "MEMBER_EXISTS", lambda: self.resend(invitation))

    def test_a_deactivated_one_is_dead_for_good(self):
        invitation = self.invite()
        secret = self.secret_of(invitation)
        self.assertEqual(self.deactivate(invitation).state, DEACTIVATED)
        self.assert_broken(secret)
        self.assertEqual(self.deactivate(invitation).state, DEACTIVATED)
        self.assert_refused(PRECONDITION, "INVITATION_DEACTIVATED", lambda: self.resend(invitation))
        self.invite(invitation.email)

    def test_those_that_a_removed_member_made_end_with_the_member(self):
        role = self.administrator_role()
        member = self.administrator.members.CreateMember(member_pb2.CreateMemberRequest(
            email=self.unique(), role_ids=[role.role_id]), timeout=10).member
        client = self.token_of(member)
        accepted, expired, mine = (self.invite(client=client) for _ in range(3))
        self.assertEqual(mine.created_by, member.member_id)
        self.accept(self.secret_of(accepted))
        self.expire(expired)
        pending = [mine, self.invite(client=client, role_ids=[role.role_id])]
        others = self.invite()
        secrets = [self.secret_of(invitation) for invitation in pending]
        remove = lambda **fields: self.administrator.members.RemoveMember(member_pb2.RemoveMemberRequest(
            member_id=member.member_id, **fields), timeout=10)
        remove(dry_run=True)
        self.assertEqual([self.get(invitation).state for invitation in pending], [PENDING] * 2)

        remove(transfer_tokens_to=self.administrator.members.GetMember(
            member_pb2.GetMemberRequest(), timeout=10).member.member_id)
        self.assertEqual([self.get(invitation).state for invitation in pending], [DEACTIVATED] * 2)
        self.assertEqual([self.get(invitation).state for invitation in (accepted, expired, others)],
                         [ACCEPTED, EXPIRED, PENDING])
        for secret in secrets:
            self.assert_broken(secret)
        self.assertEqual(self.deployment.execute(
            "SELECT after->>'invitation_count' FROM latchkey.audit_event WHERE action = 'member.invitations_deactivated'"
            f" AND object_id = '{member.member_id}'"), [("2",)])
        self.invite(pending[0].email)

    def test_an_accepted_one_is_neither_sent_again_nor_ended(self):
        invitation = self.invite()
        self.accept(self.secret_of(invitation))
        for change in (self.resend, self.deactivate):
            self.assert_refused(PRECONDITION, "INVITATION_ACCEPTED", lambda c=change: c(invitation))

    def test_a_role_in_a_pending_invitation_stays_and_in_an_ended_one_goes(self):
        role = self.create_role("guest of " + self.unique(), ["charges.read"])
        invitation = self.invite(role_ids=[role.role_id])
        self.secret_of(invitation)

        def delete():
            self.administrator.members.DeleteRole(member_pb2.DeleteRoleRequest(role_id=role.role_id), timeout=10)
        self.assert_refused(PRECONDITION, "ROLE_IN_USE", delete)
        self.expire(invitation)
        delete()
        self.resend(invitation)
        self.assertEqual(list(self.accept(self.secret_of(invitation, 2)).role_ids), [])


if __name__ == "__main__":
    unittest.main()
