"""The mailer, struck in the middle of a mail: when it takes the mail, when it has minted its link, when the mail server has it
and when it notes that. The mail comes, maybe twice, every link in it works, and it is sent for good once. And the last uses
that a server has gathered, when PostgreSQL is struck as it writes them: they are written after all."""

import unittest

import grpc

from kill_case import choose
from latchkey_test import CallCase, Deployment, PrivatePostgres, stubs, uuid_of_id
from latchkey_test.mail import MailServer
from latchkey_test.tap import COMMIT, Tap
from latchkey_test.waiting import wait_until

invitation_pb2 = stubs.messages("latchkey/v1/invitation.proto")
token_pb2 = stubs.messages("latchkey/v1/token.proto")

# (with what the transaction begins, the trip of it that is struck).
TAKING = ("mail_take", "mail_take")
STEPS = {"taking": TAKING, "minting its link": ("system_call_read_time", COMMIT),
         "noting that it is sent": ("mail_settle", "mail_settle")}


class StruckCase(CallCase):
    @classmethod
    def setUpClass(cls):
        cls.postgres = cls.enterClassContext(PrivatePostgres())
        cls.mail = cls.enterClassContext(MailServer())
        cls.deployment = Deployment(cls.postgres)
        cls.deployment.prepare()
        cls.tap = cls.enterClassContext(Tap(cls.deployment.url))
        cls.deployment.server.remove()
        cls.deployment.server = cls.deployment.beside(database_url=cls.tap.url, log_level="warning", **cls.settings())
        cls.enterClassContext(cls.deployment)

    @classmethod
    def settings(cls):
        return {}

    def strike(self, process, step, is_sent, begin, prepare=lambda _: None):
        """Strikes at that step of what begin() begins; prepare() comes just before it."""
        first, trip = step
        self.tap.arm(trip, is_sent, lambda line: self.kill(process, line, is_sent), prepare, is_sent, {first})
        begin()
        self.assertTrue(self.tap.wait_for_blow())
        if process == "server":
            self.deployment.server.start()

    def kill(self, process, line, is_sent):
        if is_sent:
            line.wait_for_answer()
        if process == "server":
            self.deployment.server.kill()
        else:
            self.postgres.kill_backend(line.backend)

    def call(self, client, service, method, request):
        """Over a connection of its own, as often as it takes."""
        def attempt():
            try:
                with client.at(self.deployment.server.address) as fresh:
                    return getattr(getattr(fresh, service), method)(request, timeout=20)
            except grpc.RpcError as error:
                self.assertEqual(error.code(), grpc.StatusCode.UNAVAILABLE, error.details())
                return None
        return wait_until(attempt, 30, "an answer")


class StruckMailer(StruckCase):
    @classmethod
    def settings(cls):
        return cls.mail.settings(mails_per_recipient_day=1000)

    def test_a_mail_is_maybe_repeated_and_never_lost(self):
        for i, (name, process, is_sent) in enumerate(choose(tuple(STEPS), ["server", "backend"], (False, True))):
            with self.subTest(f"{name}, {process}, {'answered' if is_sent else 'not sent'}"):
                self.check(f"guest-{i}@example.com", STEPS[name], process, is_sent)

    def check(self, email, step, process, is_sent):
        invitation = self.invite_for_later(email)
        # The mailer takes a mail again and again: the one that is struck has to find this one.
        self.strike(process, step, is_sent, lambda: step == TAKING or self.make_due(email), lambda _: self.make_due(email))
        self.make_due(email)
        wait_until(lambda: self.delivery(invitation) == invitation_pb2.DELIVERY_SENT, 30, "the mail to be sent")
        mails = [mail for mail in self.mail.mails if email in mail.recipients]
        self.assertLessEqual(len(mails), 2)
        self.assertEqual(len({mail.message["Message-ID"] for mail in mails}), 1)
        self.assertEqual(len({mail.secret() for mail in mails}), len(mails))
        for mail in mails:
            self.call(self.deployment.anybody(), "invitations", "LookupInvitation",
                      invitation_pb2.LookupInvitationRequest(secret=mail.secret()))
        self.assertEqual(self.deployment.execute(
            f"SELECT count(*), min(state) FROM latchkey.mail_outbox WHERE recipient = '{email}'"), [(1, "s")])

    def invite_for_later(self, email):
        """An invitation whose mail waits until make_due()."""
        self.mail.fail("RCPT", "450 4.2.0 later")
        request = invitation_pb2.CreateInvitationsRequest(invitations=[invitation_pb2.NewInvitation(email=email)])
        made = self.call(self.deployment.administrator(), "invitations", "CreateInvitations", request)
        wait_until(lambda: self.deployment.execute(
            f"UPDATE latchkey.mail_outbox SET next_at = now() + interval '1 h' WHERE recipient = '{email}' AND outcome <> ''"
            " RETURNING 1"), 30, "the mail to be put off")
        return made.results[0].invitation

    def make_due(self, email):
        """Also where it was lent to who took it."""
        self.deployment.execute(f"UPDATE latchkey.mail_outbox SET next_at = now() WHERE recipient = '{email}' AND state = 'q'")

    def delivery(self, invitation):
        return self.call(self.deployment.administrator(), "invitations", "GetInvitation",
                         invitation_pb2.GetInvitationRequest(invitation_id=invitation.invitation_id)).invitation.delivery


class StruckUses(StruckCase):
    @classmethod
    def settings(cls):
        return {"use_flush_interval": "100ms"}

    def test_uses_that_postgresql_did_not_take_are_written_once_it_is_back(self):
        for is_sent in (False, True):
            with self.subTest(is_sent=is_sent):
                made = self.call(self.deployment.administrator(), "tokens", "CreateAccessToken",
                                 token_pb2.CreateAccessTokenRequest(label="of a test"))
                self.strike("backend", ("use_record", "use_record"), is_sent, lambda m=made: self.use(m.secret))
                wait_until(lambda m=made: self.last_use(m.access_token), 30, "the use to be written")
                self.assertRegex(self.deployment.server.admin("/metrics")[1], r"(?m)^latchkey_uses_dropped_total 0$")

    def use(self, secret):
        """Once more where the blow, which the administrator's own use may have drawn, has hit this call."""
        with self.deployment.anybody(secret) as client:
            wait_until(lambda: self.is_answered(client), 60, "the call to be answered")

    @staticmethod
    def is_answered(client):
        try:
            client.tokens.GetCaller(token_pb2.GetCallerRequest(), timeout=20)
        except grpc.RpcError as error:
            if error.code() != grpc.StatusCode.UNAVAILABLE:
                raise
            return False
        return True

    def last_use(self, token):
        return self.deployment.execute(f"SELECT 1 FROM latchkey.token_use WHERE token_id = '{uuid_of_id(token.token_id)}'")


if __name__ == "__main__":
    unittest.main()
