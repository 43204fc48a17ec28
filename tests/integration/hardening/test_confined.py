"""A server needs no privilege: the main scenario on one that runs as nobody, with no capability, on a file system that can't
be written, under a filter of system calls narrower than the default one of container platforms (tests/lib/confined.py)."""

import subprocess
import sys
import unittest
from pathlib import Path

from latchkey_test import BUILD, CallCase, Deployment
from latchkey_test.paths import ROOT
from latchkey_test.scenario import STEPS, find_failures, prepare

CONFINED = (sys.executable, str(ROOT / "tests/lib/confined.py"))


class Confined(CallCase):
    @classmethod
    def setUpClass(cls):
        cls.deployment = Deployment(launcher=CONFINED)
        cls.deployment.__enter__()
        cls.addClassCleanup(cls.deployment.__exit__, None, None, None)

    def status(self, field):
        text = Path(f"/proc/{self.deployment.server.pid}/status").read_text(encoding="ascii")
        return next(line.split(":", 1)[1].split() for line in text.splitlines() if line.startswith(field + ":"))

    def test_the_main_scenario_works(self):
        with self.deployment.administrator() as administrator:
            prepare(administrator)
        done = subprocess.run([sys.executable, "-m", "latchkey_test.scenario"], cwd=ROOT / "tests/lib", capture_output=True,
                              text=True, timeout=120, check=False, env=self.scenario_environment())
        self.assertEqual(find_failures(done.stdout), [], f"{len(STEPS)} steps\n{done.stdout}{done.stderr}")

    def scenario_environment(self):
        return {"LATCHKEY_ADDRESS": self.deployment.server.address, "LATCHKEY_BUILD_DIR": str(BUILD),
                "LATCHKEY_TOKEN": self.deployment.secrets["LATCHKEY_TOKEN"], "PATH": "/usr/bin:/bin"}

    def test_it_holds_no_privilege(self):
        for kind in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
            self.assertEqual(int(self.status(kind)[0], 16), 0, kind)
        self.assertEqual(self.status("Uid"), ["65534"] * 4)
        self.assertEqual(self.status("NoNewPrivs"), ["1"])
        self.assertEqual(self.status("Seccomp"), ["2"], "a filter")

    def test_its_user_can_not_look_into_it(self):
        """A process that can't be dumped belongs to root in /proc, whoever runs it."""
        self.assertEqual(Path(f"/proc/{self.deployment.server.pid}/mem").stat().st_uid, 0)


if __name__ == "__main__":
    unittest.main()
