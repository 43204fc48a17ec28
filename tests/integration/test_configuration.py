"""Settings in files, --check-config, and the manual pages, of every program."""

import os
import socket
import subprocess
import tempfile
import unittest
from pathlib import Path

from latchkey_test import Deployment, Server, program, run_latchkey
from latchkey_test.authority import Authority

SERVERS = ("latchkey-token", "latchkey-whitelist", "latchkey-invitation", "latchkey-validator", "latchkeyd")
EXIT_CONFIG = 78


def check(name, *arguments, **environment):
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("LATCHKEY_")}
    return subprocess.run([program(name), "--check-config", *arguments], env={**inherited, **environment}, capture_output=True,
                          text=True, timeout=60, check=False)


class Files(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="latchkey-configuration-")
        self.addCleanup(directory.cleanup)
        self.directory = Path(directory.name)

    def write(self, name, *lines):
        path = self.directory / name
        path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        return path

    def test_a_server_runs_by_a_file_alone(self):
        with Deployment() as deployment:
            # psycopg2's key=value words have spaces in them, as a line may.
            path = self.write("latchkey-token.conf", "# the database", f"database-url = {deployment.url}", "log-format = json")
            with Server("latchkey-token", config=path) as server:
                self.assertTrue(server.is_ready())
                self.assertIn('"listening"', server.log())

    def test_the_command_line_beats_the_environment_beats_the_later_file(self):
        first, second = self.write("first.conf", "workers = 0"), self.write("second.conf", "workers = 1025")
        files = ("--config", first, "--config", second)
        self.assertIn(f"{second}:1: workers", check("latchkeyd", *files).stderr)
        self.assertIn("LATCHKEY_WORKERS", check("latchkeyd", *files, LATCHKEY_WORKERS="-1").stderr)
        self.assertIn("--workers", check("latchkeyd", *files, "--workers", "-2", LATCHKEY_WORKERS="-1").stderr)

    def test_everything_that_is_wrong_is_told_at_once(self):
        path = self.write("latchkeyd.conf", "workers = none", "wrokers = 8", f"routes-file = {self.directory}/routes")
        done = check("latchkeyd", "--config", path, "--trusted-proxies", "10.0.0.0/33", "--listen", "0.0.0.0:7070",
                     "--tls-client-ca", "ca.pem", "--smtp-url", "smtp://mail.example.com", "--upstream", "http://:0")
        self.assertEqual(done.returncode, EXIT_CONFIG)
        self.assertEqual(done.stdout, "")
        for mistake in (f"{path}:1: workers: \"none\"", f"{path}:2: wrokers: no such setting; did you mean workers?",
                        "10.0.0.0/33", "0.0.0.0:7070 can be reached", "--tls-client-ca", "--invitation-url",
                        f"{self.directory}/routes is not there", "http://:0"):
            self.assertIn(mistake, done.stderr)
        self.assertTrue(all(line.startswith("latchkeyd: ") for line in done.stderr.splitlines()))

    def test_a_key_of_another_certificate_is_a_mistake(self):
        with Authority() as authority:
            one, other = authority.issue("one", ["DNS:localhost"]), authority.issue("other", ["DNS:localhost"])
            done = check("latchkeyd", "--tls-certificate", one.certificate, "--tls-key", other.key)
            self.assertEqual((done.returncode, "is not the key of the certificate" in done.stderr), (EXIT_CONFIG, True), done.stderr)
            self.assertEqual(check("latchkeyd", "--tls-certificate", one.certificate, "--tls-key", one.key).returncode, 0)

    def test_a_part_of_the_lanes_with_foreign_secrets_is_a_mistake_and_either_alone_is_none(self):
        lanes, foreign = ("--lanes", "0-31"), ("--accept-foreign-secrets",)
        for name in ("latchkey-validator", "latchkeyd"):
            with self.subTest(name):
                done = check(name, *lanes, *foreign)
                self.assertEqual((done.returncode, "foreign secrets name none" in done.stderr), (EXIT_CONFIG, True), done.stderr)
                self.assertEqual([check(name, *words).returncode for words in (lanes, foreign)], [0, 0])
        wrong = check("latchkey-validator", "--lanes", "64", *foreign).stderr
        self.assertEqual((wrong.count("\n"), "type lanes from 0 to 63" in wrong), (1, True), wrong)

    def test_a_check_opens_no_port_and_asks_no_database(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            for name in SERVERS:
                with self.subTest(name):
                    done = check(name, "--listen", f"127.0.0.1:{port}", "--database-url", f"postgresql://127.0.0.1:{port}/x")
                    self.assertEqual((done.returncode, done.stderr), (0, ""))
                    self.assertEqual(done.stdout, f"{name}: the configuration is good\n")
            taken.setblocking(False)
            self.assertRaises(BlockingIOError, taken.accept)


class ManualPages(unittest.TestCase):
    def test_every_program_prints_a_page_of_all_its_settings(self):
        for name in (*SERVERS, "latchkey-console"):
            with self.subTest(name):
                page = subprocess.run([program(name), "manual"], capture_output=True, text=True, check=True).stdout
                options = subprocess.run([program(name), "--help"], capture_output=True, text=True, check=True).stdout
                names = [line.split()[0] for line in options.splitlines() if line.startswith("  --")]
                self.assertGreater(len(names), 50)
                for option in names:
                    self.assertIn("\n.It Fl \\&" + option[1:].replace("-", "\\-"), page)

    def test_the_command_line_prints_a_page_of_all_its_commands(self):
        page = run_latchkey("manual").stdout
        for command in ("token \\&create", "migrate", "doctor", "whitelist \\&add"):
            self.assertIn(f"\n.It Ic \\&{command}", page)


if __name__ == "__main__":
    unittest.main()
