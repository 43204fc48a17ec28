"""Invitations through mailpit, a mail server of another ecosystem: STARTTLS, a log-in, and what its reader makes of the mail.

tests/interop/run.sh has put it into build/interop.
"""

import base64
import hashlib
import json
import subprocess
import tempfile
import unittest
import urllib.request
from pathlib import Path

from latchkey_test import ROOT, Deployment, free_port, stubs
from latchkey_test.mail import PASSWORD, USER, Certificates
from latchkey_test.waiting import wait_until

MAILPIT = ROOT / "build/interop/bin/mailpit"
invitation_pb2 = stubs.messages("latchkey/v1/invitation.proto")
company_pb2 = stubs.messages("latchkey/v1/company.proto")


class Mailpit(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.certificates = Certificates()
        cls.addClassCleanup(cls.certificates.remove)
        directory = tempfile.TemporaryDirectory()
        cls.addClassCleanup(directory.cleanup)
        cls.users, cls.password = Path(directory.name) / "users", Path(directory.name) / "password"
        digest = base64.b64encode(hashlib.sha1(PASSWORD.encode()).digest()).decode()
        cls.users.write_text(f"{USER}:{{SHA}}{digest}\n", encoding="ascii")  # as htpasswd writes it
        cls.password.write_text(PASSWORD, encoding="ascii")
        cls.smtp, cls.pages = free_port(), free_port()
        cls.start()
        cls.deployment = Deployment(
            smtp_url=f"smtp://{USER.replace('@', '%40')}@localhost:{cls.smtp}", smtp_password_file=cls.password,
            smtp_ca_file=cls.certificates.authority, smtp_tls="required", mail_poll="50ms",
            mail_from="Lätchkey <latchkey@example.com>", invitation_url="https://example.com/join")
        cls.deployment.__enter__()
        cls.addClassCleanup(cls.deployment.__exit__)

    @classmethod
    def start(cls):
        process = subprocess.Popen(
            [MAILPIT, "--smtp", f"127.0.0.1:{cls.smtp}", "--listen", f"127.0.0.1:{cls.pages}", "--disable-version-check",
             "--smtp-tls-cert", cls.certificates.certificate, "--smtp-tls-key", cls.certificates.key,
             "--smtp-auth-file", cls.users, "--smtp-require-starttls", "--quiet"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        cls.addClassCleanup(process.wait)
        cls.addClassCleanup(process.terminate)
        wait_until(lambda: cls.ask("/api/v1/messages") is not None, 30, "mailpit to answer")

    @classmethod
    def ask(cls, path):
        """The answer of its pages, None while there is none."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{cls.pages}{path}", timeout=10) as response:
                return json.load(response)
        except OSError:
            return None

    def test_an_invitation_arrives_and_its_link_is_accepted(self):
        with self.deployment.operator() as operator:
            company = operator.companies.CreateCompany(company_pb2.CreateCompanyRequest(
                name="Ünïcode & Söhne 🔑", administrator_email="it@example.com"), timeout=10).company
        with self.deployment.operator(company.company_id) as client:
            client.invitations.CreateInvitations(invitation_pb2.CreateInvitationsRequest(
                invitations=[invitation_pb2.NewInvitation(email="eva+x@example.com")]), timeout=10)
        mail = wait_until(lambda: self.ask("/api/v1/message/latest"), 30, "the mail")
        self.assertEqual(mail["Subject"], "Invitation to join Ünïcode & Söhne 🔑")
        self.assertEqual(mail["From"], {"Name": "Lätchkey", "Address": "latchkey@example.com"})
        self.assertEqual([to["Address"] for to in mail["To"]], ["eva+x@example.com"])
        link = next(line for line in mail["Text"].splitlines() if line.startswith("https://example.com/join#lki_"))
        self.assertIn(f'href="{link}"', mail["HTML"])
        with self.deployment.anybody() as anybody:
            member = anybody.invitations.AcceptInvitation(invitation_pb2.AcceptInvitationRequest(
                secret=link.split("#")[1], display_name="Eva"), timeout=10).member
        self.assertEqual(member.email, "eva+x@example.com")


if __name__ == "__main__":
    unittest.main()
