"""A deployment with a console, its mail server, and people who sign in."""

import json
import subprocess
import tempfile
import unittest
import uuid
from pathlib import Path
from urllib.parse import urlsplit

from latchkey_test import CallCase, Deployment, free_port, stubs, uuid_of_id
from latchkey_test.http1 import Http1
from latchkey_test.mail import MailServer
from latchkey_test.paths import program
from latchkey_test.server import Server

token_pb2 = stubs.messages("latchkey/v1/token.proto")

HOST = "console.localhost"
URL = f"http://{HOST}"
SESSION, BROWSER = "__Host-latchkey-session", "__Host-latchkey-browser"
HERE = "203.0.113.7"


class Browser:
    """What a browser would send from one of the console's pages, and its cookies."""

    def __init__(self, address, client_ip=HERE, url=URL):
        self.address, self.client_ip, self.url = address, client_ip, url
        self.cookies = {}

    def ask(self, method, path, fields, body=None, host=None):
        pairs = [("host", urlsplit(self.url).netloc if host is None else host), ("x-forwarded-for", self.client_ip), *fields]
        if self.cookies:
            pairs.append(("cookie", "; ".join(f"{name}={value}" for name, value in self.cookies.items())))
        with Http1(self.address) as http:
            http.send(_encode(method, path, pairs, body))
            answer = http.read(has_body=method != "HEAD")
        self._keep([value for name, value in answer.fields if name == "set-cookie"])
        return answer

    def _keep(self, cookies):
        for cookie in cookies:
            name, _, value = cookie.split(";")[0].partition("=")
            self.cookies[name] = value
            if not value:
                del self.cookies[name]

    def get(self, path, *fields):
        return self.ask("GET", path, fields)

    def post(self, path, message, *fields, origin=None):
        return self.ask("POST", path, [("origin", self.url if origin is None else origin), ("sec-fetch-site", "same-origin"),
                                       ("content-type", "application/json"), *fields], json.dumps(message))

    def call(self, method, message, *fields, caller=None):
        """`caller`: for whom the page takes itself; by itself it has asked. "" = it does not say."""
        if caller is None:
            caller = self.caller_id() if SESSION in self.cookies and method != "TokenService/GetCaller" else ""
        claim = [("latchkey-caller", caller)] if caller else []
        return self.post(f"/latchkey.v1.{method}", message, ("connect-protocol-version", "1"), *claim, *fields)

    def caller_id(self):
        """Of whoever is signed in; "" where nobody is told."""
        answer = self.call("TokenService/GetCaller", {})
        caller = answer.json()["caller"] if answer.status == 200 else {}
        return caller.get("memberId") or caller.get("tokenId", "")

    def session_answer(self):
        return self.get("/session")

    def session(self):
        return self.session_answer().json()


def _encode(method, path, pairs, body):
    """As http1.encode, which has a host of its own."""
    data = b"" if body is None else body.encode()
    if body is not None:
        pairs = [*pairs, ("content-length", str(len(data)))]
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in pairs)]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + data


def error_info(answer):
    """(reason, metadata) of an error."""
    details = [detail for detail in answer.json().get("details", []) if detail["type"] == "google.rpc.ErrorInfo"]
    return (details[0]["debug"]["reason"], details[0]["debug"].get("metadata", {})) if details else (None, {})


def need_pages():
    """Skips where npm was not there when the server was built."""
    done = subprocess.run([program("latchkeyd"), "--check-config", "--console-listen", "127.0.0.1:0"], capture_output=True,
                          text=True, timeout=60, check=False)
    if "built without the console" in done.stderr:
        raise unittest.SkipTest("built without the console")


def mail_settings(mail):
    """Without a page for invitations of another's."""
    return {name: value for name, value in mail.settings().items() if name != "invitation_url"}


class ConsoleCase(CallCase):
    """Within latchkeyd."""

    settings = {}

    @classmethod
    def setUpClass(cls):
        need_pages()
        cls.address = f"127.0.0.1:{free_port()}"
        cls.mail = cls.enter(MailServer())
        directory = tempfile.TemporaryDirectory(prefix="latchkey-console-")
        cls.addClassCleanup(directory.cleanup)
        cls.token_file = Path(directory.name) / "token"
        cls.token_file.write_text("not yet\n", encoding="ascii")
        cls.start({"console_listen": cls.address, "console_url": URL, "console_token_file": cls.token_file,
                   "trusted_proxies": "127.0.0.1", "console_link_tries": "1000", **mail_settings(cls.mail), **cls.settings})
        cls.administrator = cls.enter(cls.deployment.administrator())
        operator = cls.enter(cls.deployment.operator())
        cls.company = cls.administrator.tokens.GetCaller(token_pb2.GetCallerRequest(), timeout=10).caller.company_id
        cls.company_uuid = uuid_of_id(cls.company)
        cls.console_secret = operator.tokens.CreateAccessToken(token_pb2.CreateAccessTokenRequest(
            label="the console", permissions=["latchkey.logins.create"]), timeout=20).secret
        cls.token_file.write_text(cls.console_secret + "\n", encoding="ascii")

    @classmethod
    def start(cls, settings):
        """The servers, and the one of them that is the console."""
        cls.deployment = cls.enter(Deployment(**settings))
        cls.console = cls.invitations = cls.deployment.server

    def browser(self, client_ip=HERE):
        return Browser(self.address, client_ip)

    def new_member(self, prefix="", ips=()):
        """The e-mail address of a new person, who may read everything of their own."""
        number = str(uuid.uuid4())
        email = f"{prefix}{number}@example.com"
        lists = ",".join(f"'{ip}'" for ip in ips)
        self.deployment.execute(
            "INSERT INTO latchkey.member (member_id, company_id, email, allowed_ips) VALUES "
            f"('{number}', '{self.company_uuid}', '{email}', ARRAY[{lists}]::cidr[])")
        return email

    def ask_for_link(self, browser, email):
        """The secret of the link that comes by mail."""
        before = len([mail for mail in list(self.mail.mails) if email in mail.recipients])
        answer = browser.post("/session/mail", {"email": email, "company": self.company})
        self.assertEqual((answer.status, answer.json()), (202, {}))
        return self.mail.mails_to(email, before + 1)[before].secret()

    def sign_in(self, browser=None, email=None):
        browser = browser or self.browser()
        secret = self.ask_for_link(browser, email or self.new_member())
        answer = browser.post("/session/link", {"secret": secret})
        self.assertEqual(answer.status, 200, answer)
        return browser


class ByItself:
    """A ConsoleCase's console as a program of its own, before servers that are programs of their own."""

    trusted_proxies = "127.0.0.1"  # by the servers: where the console is
    server_settings = {}
    way_to_servers = {}

    @classmethod
    def start(cls, settings):
        common = {"trusted_proxies": cls.trusted_proxies, **cls.server_settings}
        cls.deployment = cls.enter(Deployment(server="latchkey-token", **common))
        cls.whitelists = cls.enter(cls.deployment.beside("latchkey-whitelist", **common))
        cls.invitations = cls.enter(cls.deployment.beside("latchkey-invitation", invitation_url=URL + "/invitation",
                                                          **mail_settings(cls.mail), **common))
        cls.validators = cls.enter(cls.deployment.beside("latchkey-validator", **common))
        cls.console = cls.enter(Server("latchkey-console", environment=NO_DATABASE, **{
            "token_address": cls.deployment.server.address, "whitelist_address": cls.whitelists.address,
            "invitation_address": cls.invitations.address, "validator_address": cls.validators.address,
            **cls.way_to_servers, **settings}))


NO_DATABASE = {"LATCHKEY_DATABASE_URL": "host=/nowhere dbname=nothing"}


def by_itself(*cases):
    """Name -> the same tests of that program: for a module's own names."""
    return {f"{case.__name__}ByItself": type(f"{case.__name__}ByItself", (ByItself, case), {"__module__": case.__module__})
            for case in cases}
