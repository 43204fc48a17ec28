"""Mail on its way: what arrives, over which connections, and what becomes of it when the server or we ourselves fail."""

import subprocess
import unittest

import grpc

from invitation_case import InvitationCase, company_pb2, error_details, invitation_pb2
from latchkey_test import Deployment, Server, program, retry_info
from latchkey_test.mail import PASSWORD, MailServer
from latchkey_test.waiting import wait_until

QUEUED, SENT, FAILED = (invitation_pb2.DELIVERY_QUEUED, invitation_pb2.DELIVERY_SENT, invitation_pb2.DELIVERY_FAILED)
EXHAUSTED = 8


class Content(InvitationCase):
    def test_a_mail_has_a_text_and_an_html_part_with_the_same_link(self):
        mail = self.mail.mails_to(self.invite().email)[0]
        self.assertRegex(mail.link(), r"^https://example\.com/join#lki_[0-9A-Za-z]{51}$")
        self.assertIn(f'<a href="{mail.link()}">', mail.body("html"))
        self.assertIn("You are invited to join Demo.", mail.body("plain"))
        self.assertEqual(mail.sender, "latchkey@example.com")
        self.assertEqual(mail.message["From"], "Latchkey <latchkey@example.com>")
        self.assertEqual(mail.message["To"], mail.recipients[0])
        self.assertEqual(mail.message["Auto-Submitted"], "auto-generated")
        self.assertRegex(mail.message["Message-ID"], r"^<[0-9a-f-]{36}@example\.com>$")
        self.assertEqual(mail.message.defects, [])

    def test_names_of_companies_reach_the_reader_whatever_they_are(self):
        for name in ("Café Ünïcode 🔑 GmbH", 'Tom & "Eva" <script>alert(1)</script>', "a" * 100, "% s %n \\",
                     "x\r\nBcc: eva@example.com"):
            with self.subTest(name), self.deployment.operator() as operator:
                company = operator.companies.CreateCompany(company_pb2.CreateCompanyRequest(
                    name=name, administrator_email="it@example.com"), timeout=10).company
                with self.deployment.operator(company.company_id) as acting:
                    mail = self.mail.mails_to(self.invite(client=acting).email)[0]
                self.assertEqual(mail.message["Subject"], f"Invitation to join {name}".replace("\r", " ").replace("\n", " "))
                self.assertNotIn("Bcc", mail.message)
                self.assertNotIn("<script>", mail.body("html"))

    def test_a_companys_name_begins_no_line_of_the_mail(self):
        with self.deployment.operator() as operator:
            company = operator.companies.CreateCompany(company_pb2.CreateCompanyRequest(
                name="x.\r\n\r\nYour account is locked:\u2028https://evil.example/#lki_", administrator_email="it@example.com"),
                timeout=10).company
        with self.deployment.operator(company.company_id) as acting:
            mail = self.mail.mails_to(self.invite(client=acting).email)[0]
        self.assertEqual(mail.body("plain").splitlines()[0],
                         "You are invited to join x.    Your account is locked: https://evil.example/#lki_.")

    def test_no_secret_of_a_link_stands_in_the_database_the_log_or_the_metrics(self):
        secret = self.secret_of(self.invite())
        tables = self.deployment.execute("SELECT relname FROM pg_class WHERE relnamespace = 'latchkey'::regnamespace"
                                         " AND relkind IN ('r', 'p')")
        texts = [self.deployment.server.log(), self.deployment.server.admin("/metrics")[1]]
        texts.extend(row for (table,) in tables
                     for (row,) in self.deployment.execute(f"SELECT t::text FROM latchkey.{table} t"))
        self.assertTrue(any(secret[:4] != text[:4] for text in texts))
        for text in texts:
            self.assertNotIn(secret[6:-6], text)

    def test_metrics_count_what_was_sent_and_what_waits(self):
        self.wait_for_delivery(self.invite(), SENT)
        metrics = self.deployment.server.admin("/metrics")[1]
        self.assertRegex(metrics, r'(?m)^latchkey_mail_attempts_total\{outcome="sent"\} [1-9]')
        self.assertRegex(metrics, r"(?m)^latchkey_mail_queued ")


class Faults(InvitationCase):
    settings = {"smtp_timeout": "1s"}

    def test_a_mail_that_is_refused_for_good_fails_at_once_with_the_servers_words(self):
        for command, words in (("MAIL", "550 5.7.1 sender unknown"), ("RCPT", "550 5.1.1 no such user here"),
                               ("DATA", "554 5.7.1 looks like spam")):
            with self.subTest(command):
                self.mail.fail(command, words)
                invitation = self.wait_for_delivery(self.invite(), FAILED)
                self.assertEqual(invitation.delivery_detail, words)

    def test_a_mail_that_is_refused_for_now_is_sent_later(self):
        for command, words in (("MAIL", "451 4.3.0 try later"), ("RCPT", "450 4.2.0 greylisted"),
                               ("DATA", "452 4.3.1 no room"), ("RCPT", "421 4.3.2 going down")):
            with self.subTest(f"{command} {words}"):
                self.mail.fail(command, words)
                invitation = self.invite()
                waiting = self.wait_for_words(invitation, words)
                self.assertEqual(waiting.delivery, QUEUED)
                self.make_due()
                self.accept(self.secret_of(invitation))
                self.assertEqual(self.wait_for_delivery(invitation, SENT).delivery_detail[:4], "250 ")

    def test_the_wait_doubles_with_every_failure(self):
        self.mail.fail("RCPT", "450 4.2.0 greylisted", times=4)
        invitation = self.invite()
        for attempt in range(1, 5):
            ((wait,),) = wait_until(lambda n=attempt: self.deployment.execute(
                "SELECT extract(epoch FROM next_at - now())::float FROM latchkey.mail_outbox"
                f" WHERE recipient = '{invitation.email}' AND attempts = {n} AND outcome <> '' AND next_at < now() + '60 s'"),
                30, f"attempt {attempt}")
            self.assertTrue(0.5 * 2 ** attempt < wait <= 1.25 * 2 ** attempt, (attempt, wait))
            self.make_due()
        self.secret_of(invitation)

    def test_a_cut_connection_and_a_silent_server_lose_nothing(self):
        for command in ("MAIL", "RCPT", "DATA"):
            for fault in ("cut", "hang"):
                with self.subTest(f"{command} {fault}"):
                    self.mail.fail(command, fault)
                    invitation = self.invite()
                    self.assertEqual(wait_until(
                        lambda i=invitation: (found := self.get(i)).delivery_detail and found, 30, "a try").delivery, QUEUED)
                    self.make_due()
                    self.accept(self.secret_of(invitation))

    def test_a_mail_whose_answer_is_lost_comes_twice_and_every_link_of_it_works(self):
        self.mail.fail("DATA", "take")
        invitation = self.invite()
        self.wait_for_words(invitation, "no answer in time")
        self.make_due()
        first, second = self.mail.mails_to(invitation.email, 2)
        self.assertEqual(first.message["Message-ID"], second.message["Message-ID"])
        self.assertNotEqual(first.secret(), second.secret())
        self.look_up(second.secret())
        self.accept(first.secret())

    def test_a_server_killed_between_sending_and_marking_sends_again(self):
        self.mail.fail("DATA", "take")
        invitation = self.invite()
        first = self.mail.mails_to(invitation.email)[0]
        self.deployment.server.kill()
        self.restart()
        self.make_due()
        second = self.mail.mails_to(invitation.email, 2)[1]
        self.assertEqual(first.message["Message-ID"], second.message["Message-ID"])
        self.wait_for_delivery(invitation, SENT)
        self.accept(first.secret())

    def test_while_the_mail_server_is_down_nothing_is_lost_and_afterwards_each_mail_comes_once(self):
        self.mail.stop()
        results = self.create(*[self.unique() for _ in range(20)])
        waiting = self.wait_for_words(results[0].invitation, "onnect")
        self.assertEqual(waiting.delivery, QUEUED)
        self.mail.start()
        self.make_due()
        for result in results:
            self.wait_for_delivery(result.invitation, SENT)
            self.assertEqual(len(self.mail.mails_to(result.invitation.email)), 1)
        self.mail.wait_for(1)
        recipients = [mail.recipients[0] for mail in self.mail.mails]
        for result in results:
            self.assertEqual(recipients.count(result.invitation.email), 1)

    def test_a_stopping_server_does_not_wait_for_a_silent_one(self):
        self.mail.fail("RCPT", "hang")
        invitation = self.invite()
        wait_until(lambda: self.deployment.execute(
            f"SELECT attempts FROM latchkey.mail_outbox WHERE recipient = '{invitation.email}' AND attempts > 0"), 30, "a try")
        self.deployment.server.stop(timeout=10)
        self.restart()
        self.make_due()
        self.secret_of(invitation)

    def test_two_servers_share_the_work_and_send_nothing_twice(self):
        settings = {**self.deployment.server.settings}
        for name in ("listen", "admin_listen"):
            settings.pop(name)
        with Server("latchkey-invitation", **{name: value for name, value in settings.items()}):
            results = [result for _ in range(2) for result in self.create(*[self.unique() for _ in range(100)])]
            for result in results:
                self.wait_for_delivery(result.invitation, SENT)
        recipients = [mail.recipients[0] for mail in self.mail.mails]
        self.assertEqual({recipients.count(result.invitation.email) for result in results}, {1})


class Retries(InvitationCase):
    settings = {"mail_retry_for": "0"}

    def test_a_mail_that_was_tried_for_long_enough_fails(self):
        self.mail.fail("RCPT", "450 4.2.0 greylisted")
        self.assertEqual(self.wait_for_delivery(self.invite(), FAILED).delivery_detail, "450 4.2.0 greylisted")


class NoServer(InvitationCase):
    @classmethod
    def make_mail_server(cls):
        return None

    def test_without_a_mail_server_delivery_fails_and_says_so(self):
        invitation = self.wait_for_delivery(self.invite(), FAILED)
        self.assertEqual(invitation.delivery_detail, "no mail server configured")


class StartTls(InvitationCase):
    mail_options = {"tls": "starttls", "password": PASSWORD}

    def test_mail_goes_encrypted_and_logged_in(self):
        mail = self.mail.mails_to(self.invite().email)[0]
        self.assertTrue(mail.is_encrypted)
        self.assertGreater(self.mail.log_ins, 0)


class ImplicitTls(StartTls):
    mail_options = {"tls": "implicit", "password": PASSWORD}


class Connections(unittest.TestCase):
    """Servers that must not be trusted, each with a deployment of its own."""

    def try_to_send(self, mail, **settings):
        """The words on an invitation that was not sent."""
        with Deployment(**mail.settings(**settings)) as deployment, deployment.administrator() as client:
            client.invitations.CreateInvitations(invitation_pb2.CreateInvitationsRequest(
                invitations=[invitation_pb2.NewInvitation(email="eva@example.com")]), timeout=10)

            def read():
                return client.invitations.ListInvitations(
                    invitation_pb2.ListInvitationsRequest(), timeout=10).invitations[0]
            words = wait_until(lambda: read().delivery_detail, 30, "words")
            self.assertEqual(read().delivery, QUEUED)
            self.assertEqual(mail.mails, [])
            return words

    def test_a_certificate_that_nobody_vouches_for_gets_no_password_and_no_mail(self):
        for tls in ("starttls", "implicit"):
            with self.subTest(tls), MailServer(tls, PASSWORD) as mail:
                self.assertIn("certificate", self.try_to_send(mail, smtp_ca_file=mail.certificates.other_authority))
                self.assertEqual(mail.log_ins, 0)

    def test_a_certificate_for_another_name_gets_nothing(self):
        with MailServer("starttls", PASSWORD) as mail:
            url = mail.settings()["smtp_url"].replace("127.0.0.1", "127.0.0.2")
            self.assertRegex(self.try_to_send(mail, smtp_url=url), "certificate|connect")
            self.assertEqual(mail.log_ins, 0)

    def test_a_server_without_starttls_gets_nothing_where_it_is_required(self):
        with MailServer() as mail:
            self.assertIn("STARTTLS", self.try_to_send(mail, smtp_tls="required"))
            self.assertEqual(mail.tries, 0)

    def test_a_wrong_password_is_told_and_a_corrected_one_is_read_without_a_restart(self):
        with MailServer("starttls", PASSWORD) as mail:
            settings = mail.settings()
            settings["smtp_password_file"].write_text("wrong\n", encoding="ascii")
            with Deployment(**settings) as deployment, deployment.administrator() as client:
                client.invitations.CreateInvitations(invitation_pb2.CreateInvitationsRequest(
                    invitations=[invitation_pb2.NewInvitation(email="eva@example.com")]), timeout=10)
                wait_until(lambda: deployment.execute(
                    "SELECT 1 FROM latchkey.mail_outbox WHERE outcome LIKE '535 %'"), 30, "the refusal of the log-in")
                settings["smtp_password_file"].write_text(PASSWORD, encoding="ascii")
                deployment.execute("UPDATE latchkey.mail_outbox SET next_at = now()")
                mail.wait_for(1)
                self.assertNotIn("wrong", deployment.server.log())


class Limits(InvitationCase):
    settings = {"mails_per_company_hour": 8, "mails_per_recipient_day": 2, "mails_per_sender_day": 5}

    def setUp(self):
        self.deployment.execute("DELETE FROM latchkey.mail_outbox")

    def refusals(self, *results):
        """(code, reason, seconds to wait) of those that are errors."""
        for result in results:
            if result.WhichOneof("result") == "error":
                info, retry = error_details.ErrorInfo(), error_details.RetryInfo()
                result.error.details[0].Unpack(info)
                result.error.details[1].Unpack(retry)
                yield result.error.code, info.reason, retry.retry_delay.seconds

    def test_a_company_sends_so_many_mails_an_hour(self):
        results = []
        for i in range(3):
            request = invitation_pb2.CreateInvitationsRequest(
                invitations=[invitation_pb2.NewInvitation(email=self.unique()) for _ in range(3)])
            results.extend(self.administrator.invitations.CreateInvitations(
                request, metadata=(("x-forwarded-for", f"203.0.113.{i}"),), timeout=10).results)
        ((code, reason, seconds),) = self.refusals(*results)
        self.assertEqual((code, reason), (EXHAUSTED, "MAIL_LIMIT"))
        self.assertTrue(3000 < seconds <= 3600, seconds)
        self.assertEqual(results[8].WhichOneof("result"), "error")
        self.deployment.execute("UPDATE latchkey.mail_outbox SET created_at = created_at - interval '61 minutes'")
        self.invite()

    def test_one_address_sends_so_many_mails_a_day(self):
        results = self.create(*[self.unique() for _ in range(6)])
        ((code, reason, seconds),) = self.refusals(*results)
        self.assertEqual((code, reason), (EXHAUSTED, "MAIL_LIMIT"))
        self.assertTrue(80000 < seconds <= 86400, seconds)
        request = invitation_pb2.CreateInvitationsRequest(invitations=[invitation_pb2.NewInvitation(email=self.unique())])
        other = self.administrator.invitations.CreateInvitations(
            request, metadata=(("x-forwarded-for", "203.0.113.99"),), timeout=10).results
        self.assertEqual(other[0].WhichOneof("result"), "invitation")

    def test_one_recipient_gets_so_many_mails_a_day(self):
        email = self.unique()
        for _ in range(2):
            self.deactivate(self.invite(email))
        ((code, reason, _),) = self.refusals(*self.create(email.upper()))
        self.assertEqual((code, reason), (EXHAUSTED, "MAIL_LIMIT"))

    def test_sending_again_counts_too(self):
        email = self.unique()
        self.deactivate(self.invite(email))
        invitation = self.invite(email)
        error = self.assert_refused(grpc.StatusCode.RESOURCE_EXHAUSTED, "MAIL_LIMIT", lambda: self.resend(invitation))
        self.assertTrue(80000 < retry_info(error).retry_delay.seconds <= 86400)
        self.assertEqual(self.get(invitation).resent_count, 0)
        self.deployment.execute("UPDATE latchkey.mail_outbox SET created_at = created_at - interval '25 hours'")
        self.assertEqual(self.resend(invitation).resent_count, 1)

    def test_who_is_refused_is_not_invited(self):
        results = self.create(*[self.unique() for _ in range(7)])
        made = [result.invitation for result in results if result.WhichOneof("result") == "invitation"]
        self.assertEqual(len(made), 5)
        self.assertEqual(self.deployment.execute("SELECT count(*) FROM latchkey.mail_outbox"), [(5,)])


class Settings(unittest.TestCase):
    def assert_refused(self, status, words, **settings):
        arguments = [f"--{name.replace('_', '-')}={value}" for name, value in settings.items()]
        done = subprocess.run([program("latchkey-invitation"), "--listen=127.0.0.1:0", "--admin-listen=none", *arguments],
                              capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(done.returncode, status, done.stderr)
        self.assertIn(words, done.stderr)

    def test_settings_that_can_not_work_are_refused_at_the_start(self):
        for words, settings in (("type smtp://", {"smtp_url": "mail.example.com"}),
                                ("leave the password out", {"smtp_url": "smtp://a:secret@mail.example.com"}),
                                ("--smtp-password-file", {"smtp_url": "smtp://a@mail.example.com"}),
                                ("--mail-from", {"mail_from": "nobody"}),
                                ("--invitation-url", {"invitation_url": "example.com/join"}),
                                ("--invitation-url", {"invitation_url": "https://example.com/#join"})):
            with self.subTest(settings):
                self.assert_refused(64, words, **settings)


if __name__ == "__main__":
    unittest.main()
