"""Links, for whoever holds one: looked up, accepted exactly once, and all that do not work alike."""

import concurrent.futures
import contextlib
import random
import statistics
import time
import unittest
import uuid

import grpc

from invitation_case import BROKEN, InvitationCase, company_pb2, invitation_pb2, member_pb2
from latchkey_test import retry_info, uuid_of_id
from latchkey_test.row_lock import RowLock
from latchkey_test.secret_text import make_secret
from latchkey_test.waiting import wait_until

TRIES = 1000


def unknown_secret(kind="i"):
    """A well-formed secret that nobody was given."""
    return make_secret(random.SystemRandom(), 7, kind)


class Links(InvitationCase):
    settings = {"invitation_tries": 1000000, "invitation_wrong_tries": 1000000}

    def assert_broken(self, secret):
        for call in (self.look_up, self.accept):
            error = self.assert_refused(grpc.StatusCode.NOT_FOUND, "INVITATION_BROKEN", lambda c=call: c(secret))
            self.assertEqual(error.details(), BROKEN)

    def test_a_look_up_says_who_invites_whom_until_when_and_uses_nothing_up(self):
        invitation = self.invite("Grace.Hopper@example.com")
        secret = self.secret_of(invitation)
        for _ in range(3):
            found = self.look_up(secret)
            self.assertEqual((found.company_name, found.email_masked), ("Demo", "G***@example.com"))
            self.assertEqual(found.expires_at, invitation.expires_at)
        self.accept(secret)

    def test_the_person_becomes_a_member_with_the_roles_and_addresses(self):
        role = self.create_role("charger of " + self.unique(), ["charges.create"])
        invitation = self.invite(role_ids=[role.role_id], allowed_ips=["203.0.113.0/24"])
        member = self.accept(self.secret_of(invitation), "Eva Éxample")
        self.assertEqual((member.email, member.display_name, list(member.role_ids), list(member.allowed_ips)),
                         (invitation.email, "Eva Éxample", [role.role_id], ["203.0.113.0/24"]))
        read = self.administrator.members.GetMember(
            member_pb2.GetMemberRequest(member_id=member.member_id), timeout=10).member
        self.assertEqual(read, member)
        found = self.get(invitation)
        self.assertEqual((found.state, found.member_id),
                         (invitation_pb2.INVITATION_STATE_ACCEPTED, member.member_id))
        self.assertTrue(found.HasField("accepted_at"))
        actions = self.deployment.execute("SELECT action FROM latchkey.audit_event WHERE object_id IN"
                                          f" ('{invitation.invitation_id}', '{member.member_id}') ORDER BY number")
        self.assertEqual([action for (action,) in actions][-2:], ["invitation.accepted", "member.created"])

    def test_exactly_one_of_a_thousand_tries_at_once_is_accepted(self):
        invitation = self.invite()
        request = invitation_pb2.AcceptInvitationRequest(secret=self.secret_of(invitation), display_name="Eva")
        with concurrent.futures.ThreadPoolExecutor(64) as pool:
            def accept(_):
                try:
                    return self.anybody.invitations.AcceptInvitation(request, timeout=60).member.member_id
                except grpc.RpcError as error:
                    return error.details()
            answers = list(pool.map(accept, range(TRIES)))
        members = [answer for answer in answers if answer.startswith("mbr_")]
        self.assertEqual(len(members), 1)
        self.assertEqual(set(answers) - set(members), {BROKEN})
        self.assertEqual(self.deployment.execute(
            f"SELECT count(*) FROM latchkey.member WHERE email = '{invitation.email}'"), [(1,)])

    def test_a_link_that_dies_while_it_is_being_accepted_is_dead(self):
        for end in ("generation = generation + 1", "state = 'd', holds_email = false"):
            with self.subTest(end):
                invitation = self.invite()
                secret, row = self.secret_of(invitation), f"invitation_id = '{uuid_of_id(invitation.invitation_id)}'"
                with contextlib.closing(self.deployment.connect()) as connection, \
                        concurrent.futures.ThreadPoolExecutor(1) as pool:
                    cursor = connection.cursor()
                    cursor.execute(f"BEGIN; SELECT FROM latchkey.invitation WHERE {row} FOR UPDATE")
                    accepted = pool.submit(self.accept, secret)
                    wait_until(self.somebody_waits_for_a_lock, 30, "the acceptance to wait for the lock")
                    cursor.execute(f"UPDATE latchkey.invitation SET {end} WHERE {row};"
                                   f" DELETE FROM latchkey.invitation_secret WHERE {row}; COMMIT")
                    self.assert_refused(grpc.StatusCode.NOT_FOUND, "INVITATION_BROKEN", accepted.result)

    def somebody_waits_for_a_lock(self):
        return self.deployment.execute("SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
                                       " AND datname = current_database()")

    # ---- links that do not work ----

    def broken_secrets(self):
        """What is wrong -> the secret."""
        expired, used, dead, resent, member = (self.invite() for _ in range(5))
        secrets = {name: self.secret_of(invitation) for name, invitation in
                   (("expired", expired), ("used", used), ("dead", dead), ("resent", resent), ("member", member))}
        self.expire(expired)
        self.accept(secrets["used"])
        self.deactivate(dead)
        self.resend(resent)
        self.secret_of(resent, 2)
        self.administrator.members.CreateMember(member_pb2.CreateMemberRequest(email=member.email), timeout=10)
        return {**secrets, "unknown": unknown_secret(), "malformed": "hello", "empty": "",
                "another kind": unknown_secret("a"), "an access token": self.deployment.secrets["LATCHKEY_TOKEN"],
                "longer": unknown_secret() + "0", "spaces": " " * 55, "huge": "x" * 100000}

    def test_no_link_that_does_not_work_is_told_from_another(self):
        answers = {}
        for name, secret in self.broken_secrets().items():
            with self.assertRaises(grpc.RpcError, msg=name) as caught:
                self.accept(secret)
            error = caught.exception
            answers.setdefault((error.code(), error.details(), tuple(error.trailing_metadata())), []).append(name)
            if name != "member":  # the person is one already, which a look-up does not ask
                with self.assertRaises(grpc.RpcError, msg=name) as caught:
                    self.look_up(secret)
                error = caught.exception
                answers.setdefault((error.code(), error.details(), tuple(error.trailing_metadata())), []).append(name)
        self.assertEqual(len(answers), 1, answers)
        ((code, details, _),) = answers
        self.assertEqual((code, details), (grpc.StatusCode.NOT_FOUND, BROKEN))

    def test_no_link_that_does_not_work_takes_longer_than_another(self):
        secrets = self.broken_secrets()
        names = ["expired", "used", "dead", "unknown", "malformed", "empty"]
        times = {name: [] for name in names}
        for _ in range(200):
            random.shuffle(names)
            for name in names:
                started = time.perf_counter()
                self.assertRaises(grpc.RpcError, self.look_up, secrets[name])
                times[name].append(time.perf_counter() - started)
        # The quick ones tell what it takes; the slow ones what else the machine did.
        quick = {name: statistics.quantiles(values, n=10)[0] for name, values in times.items()}
        self.assertLess(max(quick.values()), 1.5 * min(quick.values()), quick)

    def test_links_into_a_suspended_company_do_not_work_until_it_is_resumed(self):
        with self.deployment.operator() as operator:
            company = operator.companies.CreateCompany(company_pb2.CreateCompanyRequest(
                name="Suspended", administrator_email="it@example.com"), timeout=10).company
        with self.deployment.operator(company.company_id) as operator:
            secret = self.secret_of(self.invite(client=operator))
        where = f"WHERE company_id = '{uuid_of_id(company.company_id)}'"
        self.look_up(secret)
        self.deployment.execute(f"UPDATE latchkey.company SET suspended = true {where}")
        self.assert_broken(secret)
        self.deployment.execute(f"UPDATE latchkey.company SET suspended = false {where}")
        self.assertEqual(self.look_up(secret).company_name, "Suspended")

    # ---- repeating, names ----

    def test_the_same_request_is_told_again_what_it_did(self):
        secret, request_id = self.secret_of(self.invite()), str(uuid.uuid4())
        first = self.accept(secret, request_id=request_id)
        self.assertEqual(self.accept(secret, request_id=request_id), first)
        for other in ({"request_id": str(uuid.uuid4())}, {}):
            self.assert_refused(grpc.StatusCode.NOT_FOUND, "INVITATION_BROKEN", lambda o=other: self.accept(secret, **o))

    def test_a_name_is_asked_for_and_a_bad_one_uses_nothing_up(self):
        secret = self.secret_of(self.invite())
        for name in ("", "   ", "x" * 101):
            self.assert_bad_fields(lambda n=name: self.accept(secret, n), "display_name")
        self.accept(secret, "x" * 100)


class WrongTries(InvitationCase):
    settings = {"invitation_wrong_tries": 5, "invitation_wrong_try_refill": "1h"}

    def test_wrong_tries_are_throttled_by_address_and_good_links_go_on_working(self):
        here, there = (("x-forwarded-for", "203.0.113.7"),), (("x-forwarded-for", "203.0.113.8"),)
        good = self.secret_of(self.invite())
        for _ in range(5):
            self.assert_refused(grpc.StatusCode.NOT_FOUND, "INVITATION_BROKEN", lambda: self.look_up("x", here))
        for call in (self.look_up, lambda secret, metadata: self.accept(secret, metadata=metadata)):
            error = self.assert_refused(grpc.StatusCode.RESOURCE_EXHAUSTED, "TOO_MANY_WRONG_TRIES",
                                        lambda c=call: c(unknown_secret(), here))
            self.assertGreater(retry_info(error).retry_delay.seconds, 3000)
        self.assert_refused(grpc.StatusCode.NOT_FOUND, "INVITATION_BROKEN", lambda: self.look_up("x", there))
        self.look_up(good, here)
        self.accept(good, metadata=here)

    def test_one_64_of_ipv6_is_one_address(self):
        for i in range(5):
            self.assert_refused(grpc.StatusCode.NOT_FOUND, "INVITATION_BROKEN",
                                lambda n=i: self.look_up("x", (("x-forwarded-for", f"2001:db8::{n}"),)))
        self.assert_refused(grpc.StatusCode.RESOURCE_EXHAUSTED, "TOO_MANY_WRONG_TRIES",
                            lambda: self.look_up("x", (("x-forwarded-for", "2001:db8::ffff"),)))


class Tries(InvitationCase):
    settings = {"invitation_tries": 5, "invitation_try_refill": "1h", "workers": "1"}
    here, there = (("x-forwarded-for", "203.0.113.7"),), (("x-forwarded-for", "203.0.113.8"),)

    def assert_too_many(self, call):
        error = self.assert_refused(grpc.StatusCode.RESOURCE_EXHAUSTED, "TOO_MANY_TRIES", call)
        self.assertGreater(retry_info(error).retry_delay.seconds, 3000)
        return error.details(), error.trailing_metadata()

    def test_beyond_its_limit_an_address_takes_no_worker_and_no_connection_from_others(self):
        good = self.secret_of(self.invite())
        for secret in (good, "x", good, unknown_secret(), good):
            with contextlib.suppress(grpc.RpcError):
                self.look_up(secret, self.here)
        with RowLock(self.deployment, "company WHERE is_demo") as lock, concurrent.futures.ThreadPoolExecutor(1) as pool:
            only_worker = pool.submit(self.create_role, "waits", ["charges.read"])
            lock.wait_for_others(1)
            for call in (self.look_up, lambda secret, metadata: self.accept(secret, metadata=metadata)):
                for secret in (good, unknown_secret(), "x"):  # whatever it is: nobody looks
                    self.assert_too_many(lambda c=call, s=secret: c(s, self.here))
            lock.release()
            only_worker.result()
        self.accept(good, metadata=self.there)


if __name__ == "__main__":
    unittest.main()
