"""The Debian packages: nothing for lintian to say, units that shut their servers in, manual
pages; and an operator's whole way with them, from `dpkg --install` to a decision, an upgrade and a purge, on this machine's own
system (throwaway_root.py), with a real PostgreSQL. Needs root, lintian, mandoc and the built programs."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lib"))
from latchkey_test import BUILD, PrivatePostgres, free_port  # noqa: E402
from latchkey_test.waiting import wait_until  # noqa: E402
from throwaway_root import ThrowawayRoot  # noqa: E402

SERVERS = ("latchkey-token", "latchkey-whitelist", "latchkey-invitation", "latchkey-validator", "latchkey-console", "latchkeyd")
EXPOSURE_MAX = 15  # tenths, of systemd-analyze security


def make_packages(build, directory):
    """By cpack; the paths, the one of the command line first."""
    subprocess.run(["cpack", "--config", build / "CPackConfig.cmake", "-B", directory], cwd=build, check=True, capture_output=True)
    return sorted(Path(directory).glob("*.deb"), key=lambda path: "server" in path.name)


def enter_root(case):
    """A root until the end of that class, which is skipped where none can be had."""
    if os.geteuid() != 0:
        raise unittest.SkipTest("packages are installed as root")
    try:
        return case.enterClassContext(ThrowawayRoot())
    except OSError as error:
        raise unittest.SkipTest(f"this machine gives no file system of one's own: {error}") from None


class Packages(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.root = enter_root(cls)
        cls.directory = Path(cls.enterClassContext(tempfile.TemporaryDirectory(prefix="latchkey-packages-")))
        cls.packages = make_packages(BUILD, cls.directory)
        cls.names = [cls.root.take(path) for path in cls.packages]
        cls.root.run("dpkg", "--install", *cls.names)

    def test_lintian_has_nothing_to_say(self):
        done = subprocess.run(["lintian", "--no-cfg", "--allow-root", *self.packages], capture_output=True, text=True, check=False)
        self.assertEqual(done.stdout + done.stderr, "")

    def test_units_are_understood_and_shut_their_servers_in(self):
        units = [f"{name}.service" for name in SERVERS]
        self.assertEqual(self.root.run("systemd-analyze", "verify", "--man=no", *units).stdout, "")
        self.root.run("systemd-analyze", "security", "--no-pager", "--offline=true", f"--threshold={EXPOSURE_MAX}", *units)

    def test_nothing_is_enabled(self):
        wanted = self.root.run("find", "/etc/systemd/system", "-name", "latchkey*")
        self.assertEqual(wanted.stdout, "")

    @unittest.skipUnless(shutil.which("npm"), "npm builds them")
    def test_the_pages_of_the_console_are_in_the_server(self):
        done = self.root.run("latchkeyd", "--check-config", "--console-listen", "127.0.0.1:7090", check=False)
        self.assertIn("--console-url", done.stdout)

    def test_manual_pages_are_clean(self):
        pages = self.root.run("sh", "-c", "ls /usr/share/man/man[18]/latchkey*").stdout.split()
        self.assertEqual(len(pages), len(SERVERS) + 1)
        for page in pages:  # mandoc unpacks the first one only
            self.assertEqual(self.root.run("mandoc", "-T", "lint", "-W", "style", page, check=False).stdout, "")


class AnOperator(unittest.TestCase):
    """One story, on a system of its own."""

    @classmethod
    def setUpClass(cls):
        cls.root = enter_root(cls)
        cls.directory = Path(cls.enterClassContext(tempfile.TemporaryDirectory(prefix="latchkey-packages-")))
        cls.packages = make_packages(BUILD, cls.directory)
        # fsync, so that the doctor has nothing to say.
        cls.postgres = cls.enterClassContext(PrivatePostgres(fsync="on", full_page_writes="on"))

    def test_comes_from_the_packages_to_a_decision_and_gets_rid_of_them_again(self):
        began = time.monotonic()
        names = [self.root.take(path) for path in self.packages]
        self.root.run("dpkg", "--install", *names)
        self.configure()
        self.run_server(self.decide_and_examine)
        print(f"    from the packages to the first decision: {self.decided - began:.1f} s", file=sys.stderr)
        self.upgrade(names)
        self.remove()

    def configure(self):
        """What docs/operations.md says."""
        self.port, self.admin_port = free_port(), free_port()
        url = self.postgres.create_database()
        self.url = re.sub(r"host=\S+", "host=127.0.0.1", url)
        self.root.write("/etc/latchkey/latchkey.conf", f"database-url = {self.url}\n".encode())
        self.root.write("/etc/latchkey/latchkeyd.conf",
                        f"listen = 127.0.0.1:{self.port}\nadmin-listen = 127.0.0.1:{self.admin_port}\n".encode())
        self.files = ("--config", "/etc/latchkey/latchkey.conf", "--config", "/etc/latchkey/latchkeyd.conf")
        self.root.run("latchkeyd", "--check-config", *self.files)
        self.latchkey("migrate")
        env_file = "/var/lib/latchkey/operator.env"
        self.latchkey("bootstrap", "--demo", "--env-file", env_file, "--address", f"127.0.0.1:{self.port}")
        self.environment = dict(re.findall(r"^(LATCHKEY_\w+)='?([^'\n]*)'?$", self.root.read(env_file), re.MULTILINE))

    def latchkey(self, *arguments, **environment):
        """As the servers' user."""
        return self.root.run("runuser", "-u", "latchkey", "--", "latchkey", *arguments, LATCHKEY_DATABASE_URL=self.url, **environment)

    def run_server(self, meanwhile):
        """As its unit has it: `meanwhile` comes when it has said that it is ready."""
        unit = "/usr/lib/systemd/system/latchkeyd.service"
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager, open(self.directory / "log", "w+b") as log:
            manager.bind(f"\0latchkey-test-{os.getpid()}")
            manager.settimeout(60)
            launcher = self.root.take(Path(__file__).with_name("as_unit.py"))
            server = subprocess.Popen(self.root.command("/usr/bin/python3", launcher, unit), stdout=log, stderr=log,
                                      env={"PATH": os.environ["PATH"], "NOTIFY_SOCKET": f"@latchkey-test-{os.getpid()}"})
            try:
                self.assertEqual(manager.recv(100), b"READY=1")
                meanwhile(server)
                server.send_signal(signal.SIGTERM)
                self.assertEqual((manager.recv(100), server.wait(60)), (b"STOPPING=1", 0))
            except (AssertionError, TimeoutError):
                log.seek(0)
                print(log.read().decode(), file=sys.stderr)
                raise
            finally:
                if server.poll() is None:
                    server.kill()
                    server.wait()

    def decide_and_examine(self, server):
        self.latchkey("validate", "--client-ip", "192.0.2.1", "--wait-for-ready", "--timeout", "30s",
                      LATCHKEY_VALIDATE_TOKEN=self.environment["LATCHKEY_TOKEN"], **self.environment)
        self.decided = time.monotonic()
        status = Path(f"/proc/{server.pid}/status").read_text(encoding="ascii")
        self.assertRegex(status, r"(?m)^CapBnd:\s+0+$")
        self.assertRegex(status, r"(?m)^Seccomp:\s+2$")
        wait_until(lambda: "validator" in self.examine(), 30, "the doctor to be content")

    def examine(self):
        done = self.root.run("latchkey", "doctor", *self.files)
        self.assertTrue(done.stdout.endswith(" 0 fail\n"), done.stdout)
        return done.stdout

    def upgrade(self, names):
        """The same version once more is one: what was configured stays."""
        self.root.run("dpkg", "--install", *names)
        self.assertIn(self.url, self.root.read("/etc/latchkey/latchkey.conf"))

    def remove(self):
        self.root.run("dpkg", "--remove", "latchkey-server", "latchkey")
        self.assertIn(self.url, self.root.read("/etc/latchkey/latchkey.conf"))
        self.assertNotEqual(self.root.run("ls", "/usr/bin/latchkeyd", check=False).returncode, 0)
        self.root.run("dpkg", "--purge", "latchkey-server", "latchkey")
        self.assertNotEqual(self.root.run("ls", "/etc/latchkey", check=False).returncode, 0)
        self.assertNotEqual(self.root.run("ls", "/var/lib/latchkey", check=False).returncode, 0)


if __name__ == "__main__":
    unittest.main()
