"""Proxies that ask at the door before they let a request through, each as docs/http.md configures it, in front of a service that
knows nothing of tokens.
"""

import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from door_case import bearer
from latchkey_test import ROOT, Server, free_port
from latchkey_test.echo import Echo
from latchkey_test.http1 import Http1
from latchkey_test.waiting import wait_until

IDENTITY = ("company", "company-external-id", "token", "token-external-id", "member", "kind", "permissions", "expires-at")
# What servers behind take for the same name: WSGI and CGI know no difference.
ALIASES = ("latchkey_member", "LATCHKEY_COMPANY", "Latchkey.Member", "latchkey-company_external-id")
FORGED = [(name, "forged") for name in (*(f"latchkey-{name}" for name in IDENTITY), *ALIASES)]


def snippet(language):
    """The block of that language in docs/http.md."""
    text = (ROOT / "docs/http.md").read_text(encoding="utf-8")
    return re.search(rf"```{language}\n(.*?)```", text, re.DOTALL)[1]


class Proxy:
    """One that runs while it is entered; `language` is that of its block. Subclasses write files and say what is to be run."""

    def __init__(self, door, service):
        self.address = f"127.0.0.1:{free_port()}"
        self.directory = Path(tempfile.mkdtemp(prefix="latchkey-proxy-"))
        self._text = snippet(self.language)
        for port, address in (("8000", self.address), ("7080", door), ("9000", service)):
            assert f":{port}" in self._text, port
            self._text = self._text.replace(f":{port}", ":" + address.split(":")[1])
        self._process = None

    def command(self, text):
        raise NotImplementedError

    def __enter__(self):
        environment = {"HOME": str(self.directory), "PATH": "/usr/bin:/bin"}
        with open(self.directory / "said", "wb") as said:
            self._process = subprocess.Popen(list(map(str, self.command(self._text))), cwd=self.directory, env=environment,
                                             stdin=subprocess.DEVNULL, stdout=said, stderr=said)
        try:
            wait_until(self._answers, 30, "the proxy to answer")
        except TimeoutError as error:
            said = (self.directory / "said").read_text(errors="replace")
            self.__exit__()
            raise TimeoutError(f"{error}\n{said}") from None
        return self

    def __exit__(self, *_):
        self._process.terminate()
        self._process.wait(30)
        shutil.rmtree(self.directory, ignore_errors=True)

    def _answers(self):
        """Whether it does as it is configured: some listen before they know what for, and know no path then."""
        try:
            return self.ask("GET", "/charges").status != 404
        except OSError:
            return False

    def ask(self, method, path, *fields, body=None):
        with Http1(self.address) as http:
            return http.ask(method, path, fields, body)


def identities(answer):
    """What the service has been told, under whatever names it could be taken for."""
    told = [(re.sub("[_.]", "-", name), value) for name, value in answer.json()["headers"]]
    return [(name, value) for name, value in told if name.startswith("latchkey-")]


class Behind:
    """What holds behind every proxy; beside a DoorCase."""

    kind = None
    undecided = None  # what it answers where nothing can be decided, and its retry-after

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.service = Echo()
        cls.addClassCleanup(cls.service.stop)
        cls.proxy = cls.enter(cls.kind(cls.door, cls.service.address))

    def assert_told(self, answer, **identity):
        """The service was, of the client that a token belongs to, and nothing that the client had made up."""
        self.assertEqual(answer.status, 200, answer)
        expected = [(f"latchkey-{name}", value) for name, value in identity.items()]
        told = [pair for pair in identities(answer) if pair[0] != "latchkey-kind"]
        self.assertEqual(sorted(told), sorted(expected))
        self.assertIn(dict(identities(answer)).get("latchkey-kind"), (None, "access"))

    def test_identities_reach_the_service(self):
        secret, token = self.create(permissions=["charges.create"])
        answer = self.proxy.ask("POST", "/charges?a=b", bearer(secret), *FORGED, body="amount=1")
        self.assert_told(answer, company=token.company_id, token=token.token_id, member=token.member_id, permissions="charges.create")
        self.assertEqual((answer.json()["method"], answer.json()["path"]), ("POST", "/charges?a=b"))

    def test_what_is_missing_is_not_made_up_by_the_client(self):
        secret, token = self.create(permissions=["charges.create"], company_owned=True)
        answer = self.proxy.ask("GET", "/charges", bearer(secret), *FORGED)
        self.assert_told(answer, company=token.company_id, token=token.token_id, permissions="charges.create")

    def test_a_client_that_has_a_field_taken_out_puts_nothing_in_its_place(self):
        secret, token = self.create(permissions=["charges.create"])
        true = {"latchkey-company": token.company_id, "latchkey-token": token.token_id, "latchkey-member": token.member_id,
                "latchkey-permissions": "charges.create", "latchkey-kind": "access"}
        for name in true:
            answer = self.proxy.ask("GET", "/charges", bearer(secret), ("connection", f"close, {name}"), *FORGED)
            self.assertEqual(answer.status, 200, answer)
            self.assertLessEqual(dict(identities(answer)).items(), true.items())

    def test_the_secret_stays_in_front(self):
        secret, _ = self.create(permissions=["charges.create"])
        for field in (bearer(secret), ("x-access-token", secret)):
            answer = self.proxy.ask("GET", "/charges", field)
            self.assertEqual(answer.status, 200, answer)
            self.assertNotIn(secret, answer.body.decode())

    def test_others_are_kept_out(self):
        secret, _ = self.create(permissions=["charges.read"])
        before = self.service.count
        self.assertEqual(self.proxy.ask("GET", "/charges").status, 401)
        refused = self.proxy.ask("GET", "/charges", bearer("nonsense"))
        self.assertEqual((refused.status, refused.get("www-authenticate")), (401, 'Bearer error="invalid_token"'))
        self.assertEqual(self.proxy.ask("GET", "/charges", bearer(secret)).status, 403)
        self.assertEqual(self.proxy.ask("POST", "/charges", bearer(secret), *FORGED, body="amount=1").status, 403)
        self.assertEqual(self.service.count, before)

    def test_the_address_is_the_clients(self):
        elsewhere, _ = self.create(permissions=["charges.create"], allowed_ips=["203.0.113.0/24"])
        here, _ = self.create(permissions=["charges.create"], allowed_ips=["127.0.0.0/8"])
        forwarded = ("x-forwarded-for", "203.0.113.7")
        for fields in ((), (forwarded,), (forwarded, forwarded), (forwarded, ("connection", "close, x-forwarded-for"))):
            self.assertEqual(self.proxy.ask("GET", "/charges", bearer(elsewhere), *fields).status, 403, fields)
            self.assertEqual(self.proxy.ask("GET", "/charges", bearer(here), *fields).status, 200, fields)

    def test_nobody_comes_through_while_nothing_can_be_decided(self):
        loading = f"127.0.0.1:{free_port()}"
        server = Server("latchkey-validator", database_url="postgresql://127.0.0.1:1/nothing", http_listen=loading)
        self.addCleanup(server.remove)
        server.start(ready=False)
        wait_until(lambda: server.admin("/livez")[0] == 200, 30, "a validator that has loaded nothing")
        secret, _ = self.create(permissions=["charges.create"])
        before = self.service.count
        with self.kind(loading, self.service.address) as proxy:
            answer = proxy.ask("GET", "/charges", bearer(secret), *FORGED)
            self.assertEqual((answer.status, answer.get("retry-after")), self.undecided)
            server.stop()
            self.assertIn(proxy.ask("GET", "/charges", bearer(secret), *FORGED).status, (500, 502))
        self.assertEqual(self.service.count, before)
