"""ReportLeakedToken: anybody may tell of a secret of any kind, and learns nothing from the answer."""

import concurrent.futures
import json
import unittest

import grpc

from latchkey_test import error_info, retry_info, stubs, uuid_of_id
from latchkey_test.mail import MailServer
from latchkey_test.row_lock import RowLock
from token_case import DAY, TokenCase, ValidatedCase, seconds_from_now, token_pb2

invitation_pb2 = stubs.messages("latchkey/v1/invitation.proto")
WAIT = {"seconds": 20}


class LeakCase(ValidatedCase):
    settings = {"leak_reports": "1000000"}

    def report(self, secret):
        with self.deployment.anybody() as anybody:
            answer = anybody.tokens.ReportLeakedToken(token_pb2.ReportLeakedTokenRequest(secret=secret), timeout=20)
        self.assertEqual(answer, token_pb2.ReportLeakedTokenResponse())

    def events(self, object_id, action):
        rows = self.deployment.execute("SELECT after::text FROM latchkey.audit_event WHERE object_id = "
                                       f"'{object_id}' AND action = '{action}' ORDER BY number")
        return [json.loads(after) for (after,) in rows]

    def mails(self, token_id):
        """(recipient, detail) of each."""
        return self.deployment.execute("SELECT recipient, detail FROM latchkey.mail_outbox "
                                       f"WHERE object_id = '{uuid_of_id(token_id)}' ORDER BY recipient")

    def administrator_email(self):
        return self.deployment.execute("SELECT email FROM latchkey.member m JOIN latchkey.company c USING (company_id) "
                                       "WHERE c.is_demo")[0][0]


class Reports(LeakCase):
    def test_a_reported_secret_ends_its_token_tells_the_log_and_mails_the_owner(self):
        made = self.create(label="in a repository", wait_for_validators=WAIT)
        token_id = made.access_token.token_id
        self.report(made.secret)
        self.wait_for(lambda: self.decide(made.secret) == "DEACTIVATED")
        token = self.get(token_id)
        self.assertEqual((token.state, token.deactivate_reason),
                         (token_pb2.TOKEN_STATE_DEACTIVATED, token_pb2.DEACTIVATE_REASON_LEAKED))
        hint = made.access_token.secrets[0].hint
        self.assertEqual(self.events(token_id, "token.leak_reported"), [{"hint": hint, "outcome": "deactivated"}])
        self.assertEqual(len(self.events(token_id, "token.deactivated")), 1)
        self.assertEqual(self.mails(token_id), [(self.administrator_email(), f"deactivated {hint}")])

    def test_a_second_report_changes_nothing(self):
        made = self.create()
        for _ in range(3):
            self.report(made.secret)
        token_id = made.access_token.token_id
        self.assertEqual(len(self.events(token_id, "token.leak_reported")), 1)
        self.assertEqual(len(self.mails(token_id)), 1)

    def test_whatever_is_sent_the_answer_is_the_same(self):
        good = self.create().secret
        for secret in ("", "x", good[:-1], good.upper(), " " + good, "lka_" + "0" * 51, "a" * 4096, "é\u0007\"'; DROP TABLE token; --",
                       "a" * 100_000):
            with self.subTest(secret[:60]):
                self.report(secret)
        self.assertEqual(self.call_with(good).label, "of a test")

    def test_a_company_can_have_the_token_suspended_instead(self):
        self.set_policy(leak_action=2)
        made = self.create()
        token_id = made.access_token.token_id
        self.suspend(token_id, seconds_from_now(DAY))
        self.report(made.secret)
        token = self.get(token_id)
        self.assertEqual((token.state, token.HasField("suspended_until")), (token_pb2.TOKEN_STATE_SUSPENDED, False))
        self.assertEqual(self.mails(token_id)[0][1].split()[0], "suspended")
        self.report(made.secret)
        self.assertEqual(len(self.events(token_id, "token.leak_reported")), 1)

    def test_a_company_can_only_be_told_and_that_once_a_day(self):
        self.set_policy(leak_action=3)
        made = self.create()
        token_id = made.access_token.token_id
        for _ in range(3):
            self.report(made.secret)
        self.call_with(made.secret)
        self.assertEqual(self.events(token_id, "token.leak_reported"), [
            {"hint": made.access_token.secrets[0].hint, "outcome": "told"}])
        self.assertEqual(len(self.mails(token_id)), 1)
        self.deployment.execute("UPDATE latchkey.token SET leak_reported_at = now() - interval '25 h' "
                                f"WHERE token_id = '{uuid_of_id(token_id)}'")
        self.report(made.secret)
        self.assertEqual(len(self.mails(token_id)), 2)

    def test_the_administrators_hear_of_a_token_of_the_companys_own(self):
        made = self.create(company_owned=True)
        self.report(made.secret)
        self.assertEqual([recipient for recipient, _ in self.mails(made.access_token.token_id)],
                         [self.administrator_email()])

    def test_a_log_in_is_ended_whatever_the_policy_says_of_suspending(self):
        self.set_policy(leak_action=2)
        made = self.create()
        token_id = made.access_token.token_id
        self.deployment.execute("UPDATE latchkey.token SET kind = 'l', expires_at = now() + interval '3 h' "
                                f"WHERE token_id = '{uuid_of_id(token_id)}'")
        self.report(made.secret)
        self.assert_dead(made.secret, "DEACTIVATED")
        self.assertEqual(len(self.mails(token_id)), 1)

    def test_a_secret_that_was_rotated_away_does_not_stop_the_one_in_its_place(self):
        made = self.create()
        token_id = made.access_token.token_id
        rotated = self.rotate(token_id)
        self.report(made.secret)
        self.call_with(rotated.secret)
        self.assertEqual([event["outcome"] for event in self.events(token_id, "token.leak_reported")], ["told"])
        self.report(rotated.secret)
        self.assert_dead(rotated.secret, "DEACTIVATED")

    def test_a_secret_in_its_grace_ends_the_token(self):
        made = self.create()
        rotated = self.rotate(made.access_token.token_id, grace=DAY)
        self.report(made.secret)
        self.assert_dead(rotated.secret, "DEACTIVATED")

    def test_what_has_ended_before_is_left_alone(self):
        ended, expired = self.create(), self.create(expire_in={"seconds": DAY})
        self.deactivate(ended.access_token.token_id, note="first")
        self.expire(expired)
        for made in (ended, expired):
            self.report(made.secret)
            self.assertEqual(self.events(made.access_token.token_id, "token.leak_reported"), [])
            self.assertEqual(self.mails(made.access_token.token_id), [])
        self.assertEqual(self.get(ended.access_token.token_id).deactivate_note, "first")

    def test_no_secret_is_kept_of_a_report(self):
        made = self.create()
        self.report(made.secret)
        self.report("a secret of somebody else's")
        dump = self.deployment.execute("SELECT string_agg(e::text, ' ') FROM latchkey.audit_event e")[0][0]
        dump += self.deployment.execute("SELECT string_agg(m::text, ' ') FROM latchkey.mail_outbox m")[0][0]
        for text in (dump, self.deployment.server.log()):
            self.assertNotIn(made.secret[6:49], text)
            self.assertNotIn("somebody else's", text)


class Letters(LeakCase):
    @classmethod
    def setUpClass(cls):
        cls.mail_server = MailServer()
        cls.mail_server.__enter__()
        cls.addClassCleanup(cls.mail_server.__exit__)
        cls.settings = {**LeakCase.settings, **cls.mail_server.settings()}
        super().setUpClass()

    def test_the_owner_reads_which_token_and_what_was_done(self):
        made = self.create(label="<b>deploys</b> & co")
        self.report(made.secret)
        mail, = self.mail_server.wait_for(1)
        self.assertEqual(mail.recipients, [self.administrator_email()])
        self.assertEqual(mail.message["Subject"], "Leaked: a secret of <b>deploys</b> & co")
        for words in (made.access_token.token_id, "deactivated for good", made.access_token.secrets[0].hint):
            self.assertIn(words, " ".join(mail.body("plain").split()))
        self.assertIn("&lt;b&gt;deploys&lt;/b&gt; &amp; co", " ".join(mail.body("html").split()))
        self.assertNotIn(made.secret, mail.body("plain") + mail.body("html"))


class Invitations(LeakCase):
    @classmethod
    def setUpClass(cls):
        cls.mail_server = MailServer()
        cls.mail_server.__enter__()
        cls.addClassCleanup(cls.mail_server.__exit__)
        cls.settings = {**LeakCase.settings, **cls.mail_server.settings()}
        super().setUpClass()

    def test_a_link_that_was_found_is_dead(self):
        created = self.client.invitations.CreateInvitations(invitation_pb2.CreateInvitationsRequest(
            invitations=[{"email": "guest@example.com"}]), timeout=20).results[0].invitation
        secret = self.mail_server.wait_for(1)[0].secret()
        self.report(secret)
        invitation = self.client.invitations.GetInvitation(
            invitation_pb2.GetInvitationRequest(invitation_id=created.invitation_id), timeout=20).invitation
        self.assertEqual(invitation.state, invitation_pb2.INVITATION_STATE_DEACTIVATED)
        with self.deployment.anybody() as anybody:
            error = self.assert_refused(grpc.StatusCode.NOT_FOUND, "INVITATION_BROKEN", lambda: anybody.invitations.LookupInvitation(
                invitation_pb2.LookupInvitationRequest(secret=secret), timeout=20))
        self.assertEqual(error.details(), "This invitation link is broken. Please contact your system administrator")
        self.assertEqual(self.events(created.invitation_id, "invitation.leak_reported"), [{"outcome": "deactivated"}])
        self.report(secret)
        self.assertEqual(len(self.events(created.invitation_id, "invitation.leak_reported")), 1)


class Throttled(TokenCase):
    settings = {"leak_reports": "3", "leak_report_refill": "1h", "trusted_proxies": "127.0.0.1", "workers": "1"}

    def report_from(self, address, secret="x"):
        with self.deployment.anybody() as anybody:
            anybody.tokens.ReportLeakedToken(token_pb2.ReportLeakedTokenRequest(secret=secret), timeout=20,
                                             metadata=[("x-forwarded-for", address)])

    def test_an_address_may_report_so_much_and_others_still_may(self):
        made = self.create()
        for _ in range(3):
            self.report_from("192.0.2.1")
        error = self.assert_refused(grpc.StatusCode.RESOURCE_EXHAUSTED, "TOO_MANY_REPORTS",
                                    lambda: self.report_from("192.0.2.1", made.secret))
        self.assertGreater(retry_info(error).retry_delay.seconds, 3000)
        self.assertIsNotNone(error_info(error))
        self.call_with(made.secret)
        for number in range(3):
            self.report_from(f"2001:db8::{number}")
        self.assert_refused(grpc.StatusCode.RESOURCE_EXHAUSTED, "TOO_MANY_REPORTS",
                            lambda: self.report_from("2001:db8::ffff"))
        self.report_from("2001:db8:0:1::1", made.secret)
        self.assert_dead(made.secret, "DEACTIVATED")

    def test_beyond_its_limit_an_address_takes_no_worker_and_no_connection_from_others(self):
        token = self.create().access_token
        for _ in range(3):
            self.report_from("192.0.2.3")
        with RowLock(self.deployment, f"token WHERE token_id = '{self.uuid_of(token)}'") as lock, \
                concurrent.futures.ThreadPoolExecutor(1) as threads:
            only_worker = threads.submit(self.update, token.token_id, "label", label="waits")
            lock.wait_for_others(1)
            self.assert_refused(grpc.StatusCode.RESOURCE_EXHAUSTED, "TOO_MANY_REPORTS",
                                lambda: self.report_from("192.0.2.3"))
            lock.release()
            only_worker.result()


if __name__ == "__main__":
    unittest.main()
