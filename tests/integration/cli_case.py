"""Tests of the command line: commands run as the demo company's administrator, on one deployment for the class."""

import json
import os
import pty
import subprocess
import tempfile
import termios
import unittest
import uuid
from pathlib import Path

from latchkey_test import Deployment, program, run_latchkey

SECRET = "lk[al]_[0-9A-Za-z]{51}"


class CommandCase(unittest.TestCase):
    """Runs commands as the demo company's administrator, on one deployment for the class."""

    @classmethod
    def setUpClass(cls):
        cls.deployment = Deployment(**cls.settings())
        cls.deployment.__enter__()
        cls.addClassCleanup(cls.deployment.__exit__)
        directory = tempfile.TemporaryDirectory(prefix="latchkey-cli-")
        cls.addClassCleanup(directory.cleanup)
        cls.directory = Path(directory.name)

    @classmethod
    def settings(cls):
        """Of the server, beside those of every deployment."""
        return {}

    def environment(self):
        return {"LATCHKEY_ADDRESS": self.deployment.server.address, **{
            name: self.deployment.secrets[name] for name in ("LATCHKEY_TOKEN", "LATCHKEY_OPERATOR_TOKEN")}}

    def run_command(self, *arguments, stdin="", without=(), **changed):
        environment = {name: value for name, value in {**self.environment(), **changed}.items() if name not in without}
        return run_latchkey(*arguments, stdin=stdin, **environment)

    def run_well(self, *arguments, code=0, **options):
        done = self.run_command(*arguments, **options)
        self.assertEqual((done.returncode, done.stderr), (code, ""), done.stdout)
        return done.stdout

    def run_json(self, *arguments, code=0, **options):
        return json.loads(self.run_well(*arguments, "--json", code=code, **options))

    def assert_fails(self, code, pattern, *arguments, **options):
        done = self.run_command(*arguments, **options)
        self.assertEqual((done.returncode, done.stdout), (code, ""), done.stderr)
        self.assertRegex(done.stderr, pattern)
        return done.stderr

    def path(self):
        """Of a file that is not there."""
        return self.directory / uuid.uuid4().hex

    def make_token(self, label="of a test", *options):
        return self.run_json("token", "create", "--label", label, "--secret-file", "-", *options)

    def answer_on_a_terminal(self, words, answer, kind="xterm"):
        """What is said on a terminal on which `answer` is typed once something is asked; the exit code; whether it echoes."""
        pid, terminal = pty.fork()
        if pid == 0:
            os.execve(program("latchkey"), ["latchkey", *words], {**os.environ, "TERM": kind, **self.environment()})
        said = os.read(terminal, 4096)
        os.write(terminal, answer)
        shown = None
        try:
            while piece := os.read(terminal, 4096):
                said += piece
        except OSError:  # the end, on Linux
            pass
        _, status = os.waitpid(pid, 0)
        try:
            shown = bool(termios.tcgetattr(terminal)[3] & termios.ECHO)
        except termios.error:
            pass
        os.close(terminal)
        return said.decode().replace("\r", ""), os.waitstatus_to_exitcode(status), shown

    def on_a_terminal(self, *words, columns=80, kind="xterm"):
        """What a command prints on a terminal."""
        ours, theirs = pty.openpty()
        termios.tcsetwinsize(theirs, (24, columns))
        process = subprocess.Popen([program("latchkey"), *words], stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs,
                                   env={**os.environ, "TERM": kind, **self.environment()})
        os.close(theirs)
        said = b""
        try:
            while piece := os.read(ours, 4096):
                said += piece
        except OSError:  # the end, on Linux
            pass
        os.close(ours)
        self.assertEqual(process.wait(60), 0, said)
        return said.decode()
