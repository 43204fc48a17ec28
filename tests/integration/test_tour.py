"""The tour of README.md, command by command: every ```console block behind its heading is typed into one shell on a deployment
like quickstart's, with a mail server, and must answer what the page says. Walked twice, as a reader may.

Ids, times, durations and the ends of secrets differ from run to run. An id stands for the same thing all along: what the page
calls tok_01m... is the token that was made there. A line of three dots stands for any lines."""

import os
import re
import shlex
import subprocess
import tempfile
import unittest
from pathlib import Path

from latchkey_test import ROOT, Deployment
from latchkey_test.mail import MailServer
from latchkey_test.paths import BUILD

PAGE = ROOT / "README.md"
_BLOCK = re.compile(r"```console\n(.*?)```", re.DOTALL)
_ID = r"\b(?:tok|cmp|mbr|ent|rol|inv|dra|aud)_[0-9a-z]{26}\b"
_CHANGING = re.compile(rf"(?P<id>{_ID})|(?P<time>\d{{4}}-\d\d-\d\dT[\d:.]+Z)|(?P<hint>(?<=…)\w{{4}})|(?P<number>\b\d+(?= ms\b))|(?P<space>\s+)")
_PATTERNS = {"id": f"({_ID})", "time": r"\d{4}-\d\d-\d\dT[\d:.]+Z", "hint": r"\w{4}", "number": r"\d+", "space": r"\s+"}
_END = "--- end of the command ---"


def steps(text):
    """[(command, [lines of its answer])] of a block."""
    found = []
    for line in text.splitlines():
        if line.startswith("$ "):
            found.append((line[2:], []))
        elif line.strip():
            found[-1][1].append(line.rstrip())
    return found


class Matching:
    """Lines of the page against lines of a run; remembers which id of the run each id of the page is."""

    def __init__(self):
        self.ids = {}

    def translate(self, command):
        return re.sub(_ID, lambda match: self.ids.get(match[0], match[0]), command)

    def matches(self, wanted, line):
        pattern, end = "", 0
        for match in _CHANGING.finditer(wanted):
            pattern += re.escape(wanted[end:match.start()]) + _PATTERNS[match.lastgroup]
            end = match.end()
        found = re.fullmatch(pattern + re.escape(wanted[end:]), line.rstrip())
        if not found:
            return False
        names = [match["id"] for match in _CHANGING.finditer(wanted) if match["id"]]
        known = dict(self.ids)
        for name, real in zip(names, found.groups()):
            if known.setdefault(name, real) != real:
                return False
        self.ids = known
        return True

    def find_difference(self, wanted, lines):
        """None, or the line of the page that is not in the answer."""
        at, is_free = 0, False
        for line in wanted:
            if line == "...":
                is_free = True
                continue
            while is_free and at < len(lines) and not self.matches(line, lines[at]):
                at += 1
            if at >= len(lines) or (not is_free and not self.matches(line, lines[at])):
                return line
            at, is_free = at + 1, False
        return None if is_free or at == len(lines) else f"(nothing, but there is) {lines[at]}"


class Shell:
    """A reader's shell: one for all commands."""

    def __init__(self, directory, environment):
        self.process = subprocess.Popen(["bash", "--norc"], cwd=directory, env=environment, text=True, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def run(self, command):
        self.process.stdin.write(f"{command}\necho '{_END}'\n")
        self.process.stdin.flush()
        lines = []
        for line in self.process.stdout:
            if line.strip() == _END:
                return lines
            if line.strip():
                lines.append(line.rstrip())
        raise AssertionError(f"the shell ended after {command!r}: {lines}")

    def close(self):
        self.process.communicate(timeout=60)


class Tour(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.mail = MailServer()
        cls.mail.__enter__()
        cls.addClassCleanup(cls.mail.__exit__)
        cls.deployment = Deployment(**cls.mail.settings())
        cls.deployment.__enter__()
        cls.addClassCleanup(cls.deployment.__exit__)
        directory = tempfile.TemporaryDirectory(prefix="latchkey-tour-")
        cls.addClassCleanup(directory.cleanup)
        cls.directory = Path(directory.name)
        (cls.directory / "var").mkdir()
        cls.blocks = _BLOCK.findall(PAGE.read_text(encoding="utf-8").partition("\n## A tour\n")[2])
        for words in (("add", "203.0.113.0/24", "--note", "office"), ("add", "127.0.0.0/8", "--note", "this machine"), ("enable",)):
            cls.deployment.latchkey("whitelist", *words)

    def new_shell(self):
        environment = {name: value for name, value in os.environ.items() if not name.startswith("LATCHKEY_")}
        environment["PATH"] = f"{BUILD / 'bin'}:{environment['PATH']}"
        secrets = {name: self.deployment.secrets[name] for name in ("LATCHKEY_TOKEN", "LATCHKEY_OPERATOR_TOKEN")}
        return Shell(self.directory, {**environment, **secrets, "LATCHKEY_ADDRESS": self.deployment.server.address})

    def bring_link(self, count):
        """What the reader does with the mail."""
        (self.directory / "var/link").write_text(self.mail.wait_for(count)[-1].link() + "\n", encoding="utf-8")

    def walk(self, mails):
        matching, shell = Matching(), self.new_shell()
        self.addCleanup(shell.close)
        for block in self.blocks:
            if "var/link" in block:
                self.bring_link(mails)
            for command, wanted in steps(block):
                lines = shell.run(matching.translate(command))
                difference = matching.find_difference(wanted, lines)
                if difference is not None:
                    self.fail(f"$ {command}\nshould answer\n" + "\n".join(wanted) + "\nand answers\n" + "\n".join(lines)
                              + f"\nthe first that differs: {difference}")

    def test_it_answers_as_the_page_says_also_a_second_time(self):
        for mails in (1, 2):
            with self.subTest(walk=mails):
                self.walk(mails)

    def test_it_covers_every_service(self):
        nouns = {shlex.split(command)[1] for block in self.blocks for command, _ in steps(block) if command.startswith("latchkey ")}
        self.assertLessEqual({"token", "validate", "whitelist", "draft", "role", "member", "login", "invitation", "company", "audit", "explain",
                              "denials"}, nouns)

    def test_a_page_that_says_something_else_is_seen(self):
        token = "tok_01m8ahyh7eew5s2wyc9vggyk4g"
        for wanted, lines in ((["a"], ["b"]), (["a"], ["a", "b"]), (["a", "b"], ["a"]), (["...", "c"], ["a", "b"]),
                              ([f"{token} {token}"], [f"{token} {token[:-1]}h"]), (["5 ms"], ["5 s"])):
            self.assertIsNotNone(Matching().find_difference(wanted, lines), (wanted, lines))
        matching = Matching()
        self.assertIsNone(matching.find_difference([token, "...", "12 ms"], [token[:-1] + "h", "x", "345 ms"]))
        self.assertEqual(matching.translate(f"show {token}"), f"show {token[:-1]}h")


if __name__ == "__main__":
    unittest.main()
