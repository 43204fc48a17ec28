"""deploy/quickstart.sh as README.md shows it, in a copy of what is committed: from nothing to a demonstration, again with the
data kept, and serving until Ctrl-C. Takes the ports 7070 and 7071, as a user's run does."""

import os
import re
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lib"))
from latchkey_test.paths import ROOT  # noqa: E402
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


def _copy_tree(to):
    """What git tracks, as it is in the work tree; nothing that a build or an earlier run has left."""
    names = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True).stdout
    subprocess.run(["cp", "--parents", "--no-dereference", "--target-directory", to,
                    *filter(None, names.decode().split("\0"))], cwd=ROOT, check=True)


class Quickstart(unittest.TestCase):
    """Cases run in the order of their names, on one copy: it is one story."""

    @classmethod
    def setUpClass(cls):
        cls.root = Path(tempfile.mkdtemp(prefix="latchkey-quickstart-"))
        cls.root.chmod(0o755)  # PostgreSQL runs as another account
        _copy_tree(cls.root)
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

    def test_4_it_serves_until_it_is_interrupted_with_its_data_kept(self):
        began = time.monotonic()
        with open(self.root / "var/again.log", "wb") as log:
            again = subprocess.Popen([self.root / "deploy/quickstart.sh", "--no-install"], env=self.environment,
                                     stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        try:
            wait_until(lambda: "serving until Ctrl-C" in self.said() or again.poll() is not None, 120, "quickstart to serve")
            self.assertIsNone(again.poll(), self.said())
            print(f"came up again within {time.monotonic() - began:.1f} s")
            tokens = self.latchkey("token", "list", "--json")
            self.assertEqual(tokens.returncode, 0, tokens.stderr)
            self.assertGreaterEqual(tokens.stdout.count('"quickstart demo"'), 2)
            self.try_what_it_tells_to_try()
        finally:
            os.killpg(again.pid, signal.SIGINT)  # as a terminal's Ctrl-C: the whole foreground group
            again.wait(60)
        self.assertEqual(again.returncode, 130, self.said())
        self.assertNotEqual(self.latchkey("caller").returncode, 0, "latchkeyd still answers")

    def said(self):
        return (self.root / "var/again.log").read_text(encoding="utf-8")

    def try_what_it_tells_to_try(self):
        advice = self.said().split("What to try next", 1)[1]
        commands = re.findall(r"^  latchkey (.*)$", advice, re.MULTILINE)
        self.assertGreaterEqual(len(commands), 4)
        for command in commands:
            done = self.latchkey(*command.split())
            self.assertEqual(done.returncode, 0, f"latchkey {command}\n{done.stdout}{done.stderr}")

    def test_5_wrong_arguments_are_refused(self):
        refused = self.run_quickstart("--chek")
        self.assertNotEqual(refused.returncode, 0)
        self.assertIn("--chek", refused.stdout)
        self.assertIn("usage:", refused.stdout)


if __name__ == "__main__":
    unittest.main()
