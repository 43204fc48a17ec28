"""The recipes of docs/console.md, followed as they stand there: people sign in, and the console's token is good from where it asks and
from nowhere else. Only the port, and what names other machines and the company, is another."""

import os
import re
import shlex
import subprocess
import tempfile
import unittest
from pathlib import Path

import grpc
from console_case import HERE, NO_DATABASE, Browser, mail_settings, need_pages, token_pb2

from latchkey_test import ROOT, CallCase, Client, Deployment, free_port, stubs
from latchkey_test.authority import Authority
from latchkey_test.mail import MailServer
from latchkey_test.paths import program
from latchkey_test.server import Server

member_pb2 = stubs.messages("latchkey/v1/member.proto")

_BLOCK = re.compile(r"```sh\n(.*?)```", re.DOTALL)
WHERE_THE_CONSOLE_IS = "127.0.0.1"
MEMBER = "person@example.com"


def recipe(name):
    """(how its token is made, how it is started), as words, of the block that starts this program."""
    page = (ROOT / "docs/console.md").read_text(encoding="utf-8")
    for block in _BLOCK.findall(page):
        commands = [shlex.split(command) for command in block.replace("\\\n", " ").splitlines()]
        if len(commands) == 2 and commands[1][0] == name:
            return commands
    raise AssertionError(f"docs/console.md does not say how {name} is run")


def settings_of(words):
    """As Server takes them."""
    names, values = words[1::2], words[2::2]
    return {name.removeprefix("--").replace("-", "_"): value for name, value in zip(names, values, strict=True)}


class Recipe:
    """What holds for each of them."""

    @classmethod
    def setUpClass(cls):
        need_pages()
        cls.mail = cls.enter(MailServer())
        cls.directory = Path(cls.enter(tempfile.TemporaryDirectory(prefix="latchkey-recipe-")))
        cls.address = f"127.0.0.1:{free_port()}"
        cls.start()

    @classmethod
    def prepare(cls, deployment):
        """With somebody who is to sign in."""
        cls.deployment = deployment
        with deployment.administrator() as administrator:
            cls.company_id = administrator.tokens.GetCaller(token_pb2.GetCallerRequest(), timeout=20).caller.company_id
            administrator.members.CreateMember(member_pb2.CreateMemberRequest(email=MEMBER), timeout=20)

    @classmethod
    def make_token(cls, words, **environment):
        """Where the reader is, with what the reader has in the environment."""
        environment = {**os.environ, "LATCHKEY_OPERATOR_TOKEN": cls.deployment.secrets["LATCHKEY_OPERATOR_TOKEN"], **environment}
        done = subprocess.run([program(words[0]), *words[1:]], cwd=cls.directory, env=environment, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=120, check=False)
        if done.returncode != 0:
            raise AssertionError(f"{shlex.join(words)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")

    @classmethod
    def here(cls, settings):
        """With this machine's names for those of the page, and files where they were made."""
        ours = {"console_listen": cls.address, "console_company": cls.company_id, **mail_settings(cls.mail)}
        files = {name: cls.directory / value for name, value in settings.items() if name.endswith("_file")}
        return {**settings, **ours, **files}

    def test_people_sign_in(self):
        browser = Browser(self.address, url=self.settings["console_url"])
        answer = browser.post("/session/mail", {"email": MEMBER})
        self.assertEqual((answer.status, answer.json()), (202, {}))
        secret = self.mail.mails_to(MEMBER)[0].secret()
        answer = browser.post("/session/link", {"secret": secret})
        self.assertEqual(answer.status, 200, answer)
        caller = browser.call("TokenService/GetCaller", {}).json()["caller"]
        self.assertEqual((caller["email"], caller["clientIp"]), (MEMBER, HERE))

    def test_the_token_is_refused_from_anywhere_else(self):
        secret = (self.directory / self.settings["console_token_file"]).read_text(encoding="ascii").strip()
        question = token_pb2.CreateLoginTokenRequest(email=MEMBER, client_ip=HERE, validate_only=True)
        with self.client(secret) as client:
            def ask(address):
                return client.tokens.CreateLoginToken(question, metadata=[("x-forwarded-for", address)], timeout=20)
            ask(WHERE_THE_CONSOLE_IS)
            for address in (HERE, "192.0.2.1"):
                self.assert_refused(grpc.StatusCode.PERMISSION_DENIED, "TOKEN_IP_NOT_LISTED", lambda address=address: ask(address))


class Within(Recipe, CallCase):
    @classmethod
    def start(cls):
        make, start = recipe("latchkeyd")
        cls.settings = settings_of(start)
        cls.prepare(cls.enter(Deployment()))
        cls.make_token(make, LATCHKEY_ADDRESS=cls.deployment.server.address)
        cls.deployment.server.stop()
        cls.deployment.server.settings |= cls.here(cls.settings)
        cls.deployment.server.start()

    def client(self, secret):
        return Client(self.deployment.server.address, secret, self.company_id)


class Apart(Recipe, CallCase):
    """In front of one latchkeyd, which is every server that the page names."""

    @classmethod
    def start(cls):
        make, start = recipe("latchkey-console")
        cls.settings = settings_of(start)
        authority = cls.enter(Authority())
        issued = authority.issue("server", ["IP:127.0.0.1"])
        (cls.directory / cls.settings["services_ca_file"]).write_bytes(Path(authority.certificate).read_bytes())
        cls.prepare(cls.enter(Deployment()))
        cls.behind = cls.enter(cls.deployment.beside(trusted_proxies=WHERE_THE_CONSOLE_IS, tls_certificate=issued.certificate, tls_key=issued.key))
        listed = make.index("--allowed-ip") + 1
        cls.make_token([*make[:listed], WHERE_THE_CONSOLE_IS, *make[listed + 1:]],
                       LATCHKEY_ADDRESS=f"https://{cls.behind.address}", LATCHKEY_TLS_CA=authority.certificate)
        servers = {name: cls.behind.address for name in cls.settings if name.endswith("_address")}
        cls.enter(Server("latchkey-console", environment=NO_DATABASE, **{**cls.here(cls.settings), **servers}))

    def client(self, secret):
        credentials = grpc.ssl_channel_credentials((self.directory / self.settings["services_ca_file"]).read_bytes())
        return Client(self.behind.address, secret, self.company_id, tls=credentials)


if __name__ == "__main__":
    unittest.main()
