"""What docs/operations.md tells somebody to type who was called without an alert, typed: each command is understood, and does it."""

import re
import shlex
import tempfile
import unittest
from pathlib import Path

from latchkey_test import ROOT, Deployment, run_latchkey, stubs

member_pb2 = stubs.messages("latchkey/v1/member.proto")

_TABLE = re.search(r"^## No alert, and yet$(.*?)^## ", (ROOT / "docs/operations.md").read_text(encoding="utf-8"),
                   re.MULTILINE | re.DOTALL)[1]
_COMMANDS = re.findall(r"`(latchkey [^`]+)`", _TABLE)
_DONE, _DENIED = 0, 1


class NoAlert(unittest.TestCase):
    def setUp(self):
        self.deployment = self.enterContext(Deployment())
        self.directory = Path(self.enterContext(tempfile.TemporaryDirectory(prefix="latchkey-no-alert-")))
        with self.deployment.administrator() as client:
            client.members.CreateMember(member_pb2.CreateMemberRequest(email="leaver@example.com"), timeout=20)
        self.secrets = self.deployment.secrets
        token = self.run_command("caller --json").stdout
        self.ids = {prefix: re.search(rf"\b{prefix}_\w{{26}}\b", token)[0] for prefix in ("cmp", "tok")}
        (self.directory / "FILE").write_text("lka_" + "0" * 51 + "\n")

    def run_command(self, line):
        words = [str(self.directory / word) if word in ("FILE", "operator.env.new") else word for word in shlex.split(line)]
        return run_latchkey(*words, LATCHKEY_DATABASE_URL=self.deployment.url, LATCHKEY_ADDRESS=self.deployment.server.address,
                            LATCHKEY_OPERATOR_TOKEN=self.secrets["LATCHKEY_OPERATOR_TOKEN"], LATCHKEY_TOKEN=self.secrets["LATCHKEY_TOKEN"])

    def fill_in(self, command):
        filled = {"cmp_...": self.ids["cmp"], "tok_...": self.ids["tok"], "ADDRESS": "203.0.113.7", "NAME": "charges.create",
                  "EMAIL": "leaver@example.com"}
        for word, value in filled.items():
            command = command.replace(word, value)
        return command.removeprefix("latchkey ")

    def test_every_command_of_the_page_works_in_its_order(self):
        self.assertGreater(len(_COMMANDS), 8)
        for command in _COMMANDS:
            with self.subTest(command):
                done = self.run_command(self.fill_in(command))
                self.assertIn(done.returncode, (_DONE, _DENIED), done.stderr)
                self.assertTrue(done.stdout or done.returncode == _DONE, done.stderr)
        self.assertTrue((self.directory / "operator.env.new").exists())


if __name__ == "__main__":
    unittest.main()
