"""The console behind TLS, by nginx as docs/console.md configures it."""

import re
import subprocess
import tempfile
import unittest
from pathlib import Path

from console_case import LISTED, ConsoleCase, cookie_of
from latchkey_test import ROOT, free_port
from latchkey_test.authority import Authority
from latchkey_test.nginx import nginx_configuration
from latchkey_test.waiting import wait_until
from playwright.sync_api import expect

HOST = "console.example.com"


class BehindNginx(ConsoleCase):
    @classmethod
    def open_front(cls, port):
        cls.directory = Path(cls.enter(tempfile.TemporaryDirectory(prefix="latchkey-nginx-")))
        issued = cls.enter(Authority()).issue(HOST, [f"DNS:{HOST}"])
        front = free_port()
        text = (ROOT / "docs/console.md").read_text(encoding="utf-8")
        block = re.search(r"```nginx\n(.*?)```", text, re.DOTALL)[1]
        for documented, ours in (("listen 443", f"listen 127.0.0.1:{front}"), ("127.0.0.1:7090", f"127.0.0.1:{port}"),
                                 ("/etc/latchkey/console.crt", issued.certificate), ("/etc/latchkey/console.key", issued.key)):
            assert documented in block, documented
            block = block.replace(documented, ours)
        (cls.directory / "nginx.conf").write_text(nginx_configuration(block), encoding="ascii")
        cls.start_nginx()
        return f"https://{HOST}:{front}"

    @classmethod
    def start_nginx(cls):
        process = subprocess.Popen(["/usr/sbin/nginx", "-e", cls.directory / "start.log", "-p", cls.directory, "-c", "nginx.conf"],
                                   cwd=cls.directory, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        cls.addClassCleanup(process.wait, 60)
        cls.addClassCleanup(process.terminate)
        wait_until((cls.directory / "pid").exists, 60, "nginx to run")

    def visit(self, address=None, **options):
        """Nobody in the network vouches for the authority of a test."""
        return super().visit(address, ignore_https_errors=True, **options)

    def test_signing_in_works_over_tls_and_the_browser_is_told_to_stay_with_it(self):
        console = self.sign_in_by_mail(self.new_person().email, address=None)
        self.assertTrue(cookie_of(console.visitor)["secure"])
        with console.page.expect_response(f"{self.url}/tokens") as answer:
            console.open("/tokens")
        self.assertRegex(answer.value.headers["strict-transport-security"], r"max-age=\d{7,}")
        console.go_to("Users")

    def test_the_address_is_the_one_that_nginx_saw_whatever_the_browser_says(self):
        person = self.new_person(allowed_ips=[LISTED])
        visitor = self.visit(LISTED)
        console = self.open_console(visitor)
        console.follow_link(self.ask_for_link(console, person.email))
        expect(console.alert).to_contain_text("127.0.0.1")
        self.assertIsNone(cookie_of(visitor))


if __name__ == "__main__":
    unittest.main()
