"""The proxies that people run, configured as docs/http.md says, in front of a service that knows nothing of tokens."""

import re
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

from door_case import UI, DoorCase, bearer
from latchkey_test import ROOT, free_port
from latchkey_test.echo import Echo
from latchkey_test.http1 import Http1
from latchkey_test.nginx import nginx_configuration
from latchkey_test.waiting import wait_until

CADDY = """
{{
    admin off
    auto_https off
}}
{snippet}
"""


def snippet(language):
    """The block of that language in docs/http.md."""
    text = (ROOT / "docs/http.md").read_text(encoding="utf-8")
    return re.search(rf"```{language}\n(.*?)```", text, re.DOTALL)[1]


class ProxyCase(DoorCase):
    """One proxy in front of the service, asking at the door."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        service = Echo()
        cls.addClassCleanup(service.stop)
        cls.proxy = f"127.0.0.1:{free_port()}"
        cls.directory = Path(tempfile.mkdtemp(prefix="latchkey-proxy-"))
        cls.addClassCleanup(shutil.rmtree, cls.directory, ignore_errors=True)
        text = snippet(cls.language)
        for port, address in (("8000", cls.proxy), ("7080", cls.door), ("9000", f"127.0.0.1:{service.server_port}")):
            assert f":{port}" in text, port
            text = text.replace(f":{port}", ":" + address.split(":")[1])
        cls.start(text)
        wait_until(cls.answers, 30, "the proxy to answer")

    @classmethod
    def run_proxy(cls, *command):
        environment = {"HOME": str(cls.directory), "PATH": "/usr/bin:/bin"}
        process = subprocess.Popen(command, cwd=cls.directory, env=environment, stdin=subprocess.DEVNULL,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        cls.addClassCleanup(process.wait, 30)
        cls.addClassCleanup(process.terminate)

    @classmethod
    def answers(cls):
        try:
            with Http1(cls.proxy) as http:
                return http.ask("GET", "/").status
        except OSError:
            return None

    def through(self, method, path, *fields, body=None):
        with Http1(self.proxy) as http:
            return http.ask(method, path, fields, body)

    def check_that_identities_reach_the_service(self):
        secret, token = self.create(permissions=["charges.create"])
        forged = [(name, "forged") for name in ("latchkey-company", "latchkey-token", "latchkey-member",
                                                "latchkey-permissions")]
        answer = self.through("POST", "/charges", bearer(secret), *forged, body="amount=1")
        self.assertEqual(answer.status, 200, answer)
        seen = dict(answer.json()["headers"])
        self.assertEqual([seen.get(name) for name, _ in forged],
                         [token.company_id, token.token_id, token.member_id, "charges.create"])

    def check_that_what_is_missing_is_not_made_up_by_the_client(self):
        secret, _ = self.create(permissions=["charges.create"], company_owned=True)
        answer = self.through("GET", "/charges", bearer(secret), ("latchkey-member", "mbr_forged"))
        self.assertEqual(answer.status, 200, answer)
        self.assertNotEqual(dict(answer.json()["headers"]).get("latchkey-member"), "mbr_forged")

    def check_that_others_are_kept_out(self):
        secret, _ = self.create(permissions=["charges.read"])
        self.assertEqual(self.through("GET", "/charges").status, 401)
        refused = self.through("GET", "/charges", bearer("nonsense"))
        self.assertEqual((refused.status, refused.get("www-authenticate")), (401, 'Bearer error="invalid_token"'))
        self.assertEqual(self.through("GET", "/charges", bearer(secret)).status, 403)

    def check_that_the_address_is_the_clients(self):
        secret, _ = self.create(permissions=["charges.create"], allowed_ips=["203.0.113.0/24"])
        self.assertEqual(self.through("GET", "/charges", bearer(secret), ("x-forwarded-for", "203.0.113.7")).status, 403)
        secret, _ = self.create(permissions=["charges.create"], allowed_ips=["127.0.0.0/8"])
        self.assertEqual(self.through("GET", "/charges", bearer(secret), ("x-forwarded-for", "203.0.113.7")).status, 200)


class Nginx(ProxyCase):
    language = "nginx"

    @classmethod
    def start(cls, text):
        (cls.directory / "nginx.conf").write_text(nginx_configuration(text), encoding="ascii")
        cls.run_proxy("/usr/sbin/nginx", "-e", cls.directory / "start.log", "-p", cls.directory, "-c", "nginx.conf")

    def test_identities_reach_the_service(self):
        self.check_that_identities_reach_the_service()

    def test_what_is_missing_is_not_made_up_by_the_client(self):
        self.check_that_what_is_missing_is_not_made_up_by_the_client()

    def test_others_are_kept_out(self):
        self.check_that_others_are_kept_out()

    def test_the_address_is_the_clients(self):
        self.check_that_the_address_is_the_clients()


class Caddy(ProxyCase):
    language = "caddyfile"

    @classmethod
    def start(cls, text):
        (cls.directory / "Caddyfile").write_text(CADDY.format(snippet=text), encoding="ascii")
        cls.run_proxy("/usr/bin/caddy", "run", "--config", "Caddyfile", "--adapter", "caddyfile")

    def test_identities_reach_the_service(self):
        self.check_that_identities_reach_the_service()

    def test_what_is_missing_is_not_made_up_by_the_client(self):
        self.check_that_what_is_missing_is_not_made_up_by_the_client()

    def test_others_are_kept_out(self):
        self.check_that_others_are_kept_out()

    def test_the_address_is_the_clients(self):
        self.check_that_the_address_is_the_clients()


if __name__ == "__main__":
    unittest.main()
