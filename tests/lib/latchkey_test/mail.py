"""A real SMTP server for tests, with TLS, log-in and faults on demand (Debian's aiosmtpd).

    with MailServer() as mail, Deployment(**mail.settings()) as deployment:
        ...
        link = mail.wait_for(1)[0].link()
"""

import asyncio
import email
import email.policy
import logging
import re
import shutil
import ssl
import subprocess
import tempfile
import threading
import warnings
from pathlib import Path

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult

from .ports import free_port
from .waiting import wait_until

# What is broken on purpose here is no news.
logging.getLogger("mail.log").addHandler(logging.NullHandler())
logging.getLogger("mail.log").propagate = False
warnings.filterwarnings("ignore", module="aiosmtpd")

USER, PASSWORD = "latchkey@example.com", "correct horse"


class Mail:
    """One mail as the server took it."""

    def __init__(self, envelope, is_encrypted):
        self.sender = envelope.mail_from
        self.recipients = list(envelope.rcpt_tos)
        self.content = bytes(envelope.content)
        self.message = email.message_from_bytes(self.content, policy=email.policy.default)
        self.is_encrypted = is_encrypted

    def body(self, kind):
        """The text of the part of that kind, "plain" or "html"."""
        return self.message.get_body((kind,)).get_content()

    def link(self):
        """The link of an invitation in the text part."""
        return re.search(r"^https?://\S+#\S+$", self.body("plain").replace("\r", ""), re.MULTILINE)[0]

    def secret(self):
        return self.link().split("#")[1]


class Certificates:
    """A test authority, and a certificate of it for localhost; `other_authority` has signed nothing."""

    def __init__(self):
        self.directory = Path(tempfile.mkdtemp(prefix="latchkey-certificates-"))
        self.authority, self._authority_key = self._make_authority("authority")
        self.other_authority, _ = self._make_authority("other")
        self.certificate, self.key = self.directory / "server.pem", self.directory / "server.key"
        request = self.directory / "server.csr"
        names = self.directory / "names"
        names.write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\n", encoding="ascii")
        _openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", "-keyout", self.key, "-out", request)
        _openssl("x509", "-req", "-in", request, "-CA", self.authority, "-CAkey", self._authority_key,
                 "-CAcreateserial", "-days", "2", "-extfile", names, "-out", self.certificate)

    def _make_authority(self, name):
        certificate, key = self.directory / f"{name}.pem", self.directory / f"{name}.key"
        _openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={name}", "-keyout", key,
                 "-out", certificate)
        return certificate, key

    def context(self):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, self.key)
        return context

    def remove(self):
        shutil.rmtree(self.directory, ignore_errors=True)


def _openssl(*arguments):
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)


class MailServer:
    """`tls` is "starttls", "implicit" or None. With a `password` a log-in is needed. The port stays the same over
    stop() and start()."""

    def __init__(self, tls=None, password=None):
        self.port = free_port()
        self.mails = []
        self.tls, self.password = tls, password
        self.certificates = Certificates() if tls else None
        self._directory = Path(tempfile.mkdtemp(prefix="latchkey-mail-"))
        self._lock = threading.Lock()
        self._faults = []
        self._controller = None
        self.log_ins = 0
        self.tries = 0

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()
        if self.certificates:
            self.certificates.remove()
        shutil.rmtree(self._directory, ignore_errors=True)

    def settings(self, **others):
        """Settings of our servers with which they find this one."""
        password_file = self._directory / "password"
        password_file.write_text(PASSWORD + "\n", encoding="utf-8")
        user = USER.replace("@", "%40") + "@" if self.password else ""
        found = {"smtp_url": f"{'smtps' if self.tls == 'implicit' else 'smtp'}://{user}127.0.0.1:{self.port}",
                 "mail_from": "Latchkey <latchkey@example.com>", "mail_poll": "50ms",
                 "invitation_url": "https://example.com/join"}
        if self.password:
            found["smtp_password_file"] = password_file
        if self.tls:
            found |= {"smtp_ca_file": self.certificates.authority, "smtp_tls": "required"}
        return found | others

    def start(self):
        context = self.certificates.context() if self.certificates else None
        is_implicit = self.tls == "implicit"
        options = {"tls_context": context, "require_starttls": True} if context and not is_implicit else {}
        if self.password:
            options |= {"authenticator": self._log_in, "auth_required": True, "auth_require_tls": bool(options)}
        self._controller = _Controller(self, options, context if is_implicit else None)
        self._controller.start()

    def stop(self):
        """Whoever is connected is cut off."""
        if self._controller:
            self._controller.stop()
            self._controller = None

    def fail(self, command, reply, times=1):
        """The next `times` commands ("MAIL", "RCPT", "DATA") are answered so; "cut" closes the connection instead,
        after the content where it is DATA; "hang" answers nothing, and "take" nothing either but keeps the mail."""
        with self._lock:
            self._faults.extend([(command, reply)] * times)

    def wait_for(self, count, timeout=60):
        """The first `count` mails."""
        wait_until(lambda: len(self.mails) >= count, timeout, f"{count} mails, of which {len(self.mails)} came")
        return self.mails[:count]

    def mails_to(self, address, count=1, timeout=60):
        """The first `count` mails to that address."""
        def found():
            return [mail for mail in list(self.mails) if address in mail.recipients]
        wait_until(lambda: len(found()) >= count, timeout, f"{count} mails to {address}")
        return found()[:count]

    def _log_in(self, server, session, envelope, mechanism, data):
        self.log_ins += 1
        is_right = (data.login, data.password) == (USER.encode(), self.password.encode())
        return AuthResult(success=is_right, handled=is_right)

    async def answer(self, server, command, usual):
        with self._lock:
            fault = next((fault for fault in self._faults if fault[0] == command), None)
            if fault:
                self._faults.remove(fault)
        reply = fault[1] if fault else usual
        if reply == "cut":
            server.transport.abort()
        if reply == "hang":
            await asyncio.sleep(3600)
        return reply

    async def handle_MAIL(self, server, session, envelope, address, options):
        self.tries += 1
        envelope.mail_from = address
        return await self.answer(server, "MAIL", "250 2.1.0 sender ok")

    async def handle_RCPT(self, server, session, envelope, address, options):
        envelope.rcpt_tos.append(address)
        return await self.answer(server, "RCPT", "250 2.1.5 recipient ok")

    async def handle_DATA(self, server, session, envelope):
        reply = await self.answer(server, "DATA", f"250 2.0.0 queued as {len(self.mails) + 1}")
        if reply.startswith("2") or reply == "take":
            self.mails.append(Mail(envelope, session.ssl is not None or self.tls == "implicit"))
        if reply == "take":
            await asyncio.sleep(3600)
        return reply


class _Controller(Controller):
    def __init__(self, owner, options, context):
        self.options = options
        super().__init__(owner, hostname="127.0.0.1", port=owner.port, ssl_context=context)

    def factory(self):
        return SMTP(self.handler, hostname="mail.example.com", ident="test", **self.options)
