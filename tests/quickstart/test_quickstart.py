"""deploy/quickstart.sh as README.md shows it, in a copy of what is committed: from nothing to a demonstration, again with the
data kept, serving until Ctrl-C, and whatever else may end a run or stand in its way. Takes the ports 7070 and 7071, as a user's
run does."""

import contextlib
import os
import re
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import textwrap
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lib"))
from latchkey_test.paths import BUILD  # noqa: E402
from latchkey_test.tree_copy import copy_tree  # noqa: E402
from latchkey_test.waiting import wait_until  # noqa: E402

# What differs from run to run, in the order of replacement.
_CHANGING = (
    (re.compile(r"\b(tok|cmp|mbr|ent|rol)_[0-9a-z]{26}\b"), r"\1_*"),
    (re.compile(r"\d{4}-\d\d-\d\d[T ][\d:.]+(Z| UTC)?"), "TIME"),
    (re.compile(r"\b\d+(\.\d+)? ms\b"), "N ms"),
    (re.compile(r"\s+"), " "),
)


def _mask(line):
    for pattern, mask in _CHANGING:
        line = pattern.sub(mask, line)
    return line.strip()


def _children(pid):
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()]


def _is_answered(port):
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


class Quickstart(unittest.TestCase):
    """Cases run in the order of their names, on one copy: it is one story."""

    @classmethod
    def setUpClass(cls):
        cls.root = Path(tempfile.mkdtemp(prefix="latchkey-quickstart-"))
        cls.root.chmod(0o755)  # PostgreSQL runs as another account
        copy_tree(cls.root)
        cls.environment = {name: value for name, value in os.environ.items() if not name.startswith("LATCHKEY_")}
        cls.first = cls.run_quickstart("--check", "--no-install", timeout=1200)

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.root, ignore_errors=True)

    @classmethod
    def run_quickstart(cls, *arguments, timeout=120):
        return subprocess.run([cls.root / "deploy/quickstart.sh", *arguments], env=cls.environment, timeout=timeout,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              check=False)

    def latchkey(self, *arguments):
        """The command line as a second terminal would run it, after sourcing var/demo.env."""
        return subprocess.run(
            ["bash", "-c", 'set -a; source var/demo.env; set +a; exec build/bin/latchkey "$@"', "latchkey", *arguments],
            cwd=self.root, env=self.environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60,
            check=False)

    def test_1_the_demonstration_goes_right(self):
        self.assertEqual(self.first.returncode, 0, self.first.stdout)
        for word in ("ALLOW", "COMPANY_IP_NOT_LISTED", "DEACTIVATED", "confirmed"):
            self.assertIn(word, self.first.stdout)

    def test_1_the_programs_are_those_of_any_other_build_of_this_tree(self):
        if not (BUILD / "bin/latchkeyd").exists():
            self.skipTest(f"{BUILD} is not built")
        subprocess.run(["ninja", "-C", BUILD, "installed"], stdout=subprocess.DEVNULL, check=True)  # as this tree is
        origins = {subprocess.run([build / "bin/latchkeyd", "--version"], capture_output=True, text=True, check=True).stdout
                   for build in (self.root / "build", BUILD)}
        if len(origins) > 1:
            self.skipTest(f"one of them could not have the source of nghttp2: {origins}")
        programs = sorted(path.name for path in (self.root / "build/bin").iterdir() if path.is_file())
        self.assertIn("latchkeyd", programs)
        other = [name for name in programs if (self.root / "build/bin" / name).read_bytes() != (BUILD / "bin" / name).read_bytes()]
        self.assertEqual(other, [])

    def test_2_readme_shows_what_is_really_printed(self):
        printed = [_mask(line) for line in self.first.stdout.splitlines()]
        readme = (self.root / "README.md").read_text(encoding="utf-8")
        transcript = re.search(r"```console\n(.*?)```", readme, re.DOTALL)
        self.assertIsNotNone(transcript, "README.md has no ```console transcript")
        shown = [line for line in map(_mask, transcript[1].splitlines()) if line]
        self.assertGreater(len(shown), 5)
        for line in shown:
            self.assertIn(line, printed, f"not printed by quickstart:\n{self.first.stdout}")

    def test_3_secrets_are_in_one_file_that_only_its_owner_reads(self):
        env_file = self.root / "var/demo.env"
        self.assertEqual(stat.S_IMODE(env_file.stat().st_mode), 0o600)
        names = re.findall(r"^(?:export )?(\w+)=", env_file.read_text(encoding="ascii"), re.MULTILINE)
        self.assertLessEqual({"LATCHKEY_ADDRESS", "LATCHKEY_TOKEN", "LATCHKEY_OPERATOR_TOKEN"}, set(names))
        for secret in re.findall(r"lk[al]_\w{45,}", env_file.read_text(encoding="ascii")):
            self.assertNotIn(secret, self.first.stdout)
            self.assertNotIn(secret, (self.root / "var/latchkeyd.log").read_text(encoding="utf-8"))

    @contextlib.contextmanager
    def serving(self):
        """A run that serves; whoever has not ended it by the end of the block leaves that to us."""
        self.log = self.root / f"{self._testMethodName}.log"
        with open(self.log, "wb") as log:
            run = subprocess.Popen([self.root / "deploy/quickstart.sh", "--no-install"], env=self.environment,
                                   stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        try:
            wait_until(lambda: "serving until Ctrl-C" in self.said() or run.poll() is not None, 120, "quickstart to serve")
            self.assertIsNone(run.poll(), self.said())
            yield run
        finally:
            if run.poll() is None:
                run.terminate()
                run.wait(60)

    def said(self):
        return self.log.read_text(encoding="utf-8")

    def postmaster_pid_file(self):
        return (self.root / "var/postgres").resolve() / "data/postmaster.pid"

    def assert_nothing_is_left_running(self):
        self.assertFalse(_is_answered(7070), "latchkeyd still answers")
        self.assertFalse(self.postmaster_pid_file().exists(), "PostgreSQL still runs")

    def assert_comes_up_again(self, waits_for_lease):
        again = self.run_quickstart("--check", "--no-install")
        self.assertEqual(again.returncode, 0, again.stdout)
        self.assertEqual("waiting until the lease" in again.stdout, waits_for_lease, again.stdout)

    def test_4_it_serves_until_it_is_interrupted_with_its_data_kept(self):
        began = time.monotonic()
        with self.serving() as run:
            print(f"came up again within {time.monotonic() - began:.1f} s")
            tokens = self.latchkey("token", "list", "--json")
            self.assertEqual(tokens.returncode, 0, tokens.stderr)
            self.assertGreaterEqual(tokens.stdout.count('"quickstart demo"'), 2)
            for _ in range(2):
                self.try_what_it_tells_to_try()
            os.killpg(run.pid, signal.SIGINT)  # as a terminal's Ctrl-C: the whole foreground group
            run.wait(60)
        self.assertEqual(run.returncode, 130, self.said())
        self.assert_nothing_is_left_running()

    def try_what_it_tells_to_try(self):
        advice = self.said().split("What to try next", 1)[1]
        commands = textwrap.dedent(advice.split("\n\n")[1])
        self.assertGreaterEqual(len(re.findall("^latchkey ", commands, re.MULTILINE)), 4, commands)
        done = subprocess.run(["bash", "-exc", commands], cwd=self.root, env=self.environment, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60, check=False)
        self.assertEqual(done.returncode, 0, done.stdout)

    def test_5_a_second_run_is_refused_and_the_first_serves_on(self):
        with self.serving() as first:
            for arguments in ((), ("--check",), ("--fresh",)):
                second = self.run_quickstart("--no-install", *arguments)
                self.assertEqual(second.returncode, 69, second.stdout)
                self.assertIn(f"already running (pid {first.pid})", second.stdout)
            listed = self.latchkey("token", "list")  # from the database
            self.assertEqual(listed.returncode, 0, listed.stderr)
            self.assertIsNone(first.poll())

    def test_6_a_closed_terminal_ends_it_in_order(self):
        with self.serving() as run:
            for _ in range(2):  # by the kernel and by the shell
                os.killpg(run.pid, signal.SIGHUP)
            run.wait(60)
        self.assertEqual(run.returncode, 129, self.said())
        self.assert_nothing_is_left_running()
        self.assert_comes_up_again(waits_for_lease=False)

    def test_7_killed_with_all_of_its_processes_it_comes_up_again(self):
        with self.serving() as run:
            run.send_signal(signal.SIGSTOP)  # so that it notices nothing before its own end
            [latchkeyd] = _children(run.pid)
            postmaster = int(self.postmaster_pid_file().read_text(encoding="ascii").split()[0])
            for pid in (latchkeyd, postmaster, run.pid):
                os.kill(pid, signal.SIGKILL)
            run.wait(60)
        self.assert_comes_up_again(waits_for_lease=True)

    def test_8_killed_alone_it_takes_latchkeyd_along_and_comes_up_again(self):
        with self.serving() as run:
            run.kill()
            run.wait(60)
        wait_until(lambda: not _is_answered(7070) and not _is_answered(7071), 30, "latchkeyd to end")
        self.assert_comes_up_again(waits_for_lease=False)

    def test_9_a_port_in_use_is_refused_before_anything_is_touched(self):
        before = self.var()
        for port in (7070, 7071):
            with socket.create_server(("127.0.0.1", port)):
                refused = self.run_quickstart("--fresh", "--no-install")
            self.assertEqual(refused.returncode, 69, refused.stdout)
            self.assertRegex(refused.stdout, rf"\Aquickstart: port {port} is in use.*\n\Z")
        self.assertEqual(self.var(), before)
        self.assertIn("demo.env", before)

    def var(self):
        """What is in var/ and when it was written, apart from the lock."""
        return {path.name: path.stat().st_mtime_ns for path in (self.root / "var").iterdir()
                if path.name != "quickstart.lock"}

    def test_wrong_arguments_are_refused(self):
        refused = self.run_quickstart("--chek")
        self.assertEqual(refused.returncode, 64)
        self.assertIn("--chek", refused.stdout)
        self.assertIn("usage:", refused.stdout)


if __name__ == "__main__":
    unittest.main()
