"""The files of deploy/postgres that nothing else here runs."""

import subprocess
import tempfile
import unittest
from pathlib import Path

import yaml

from latchkey_test import ROOT

_DEPLOY = ROOT / "deploy/postgres"
# What CloudNativePG sets by itself.
_THE_OPERATOR_S = {"archive_mode", "archive_timeout", "archive_command", "wal_log_hints"}


def read(name):
    return yaml.safe_load((_DEPLOY / name).read_text(encoding="utf-8"))


class Settings(unittest.TestCase):
    def test_kubernetes_has_the_settings_of_patroni(self):
        patroni = read("patroni.yml")["bootstrap"]["dcs"]["postgresql"]["parameters"]
        operator = read("cloudnativepg.yaml")["spec"]["postgresql"]["parameters"]
        self.assertEqual(operator, {name: str(value) for name, value in patroni.items() if name not in _THE_OPERATOR_S})

    def test_a_primary_is_replaced_before_validators_leases_run_out(self):
        dcs = read("patroni.yml")["bootstrap"]["dcs"]
        self.assertGreaterEqual(dcs["ttl"], dcs["loop_wait"] + 2 * dcs["retry_timeout"])
        self.assertLessEqual(dcs["ttl"] + dcs["loop_wait"], 30)
        self.assertTrue(dcs["synchronous_mode"])


class Archive(unittest.TestCase):
    def setUp(self):
        self.directory = Path(self.enterContext(tempfile.TemporaryDirectory()))
        (self.directory / "archive").mkdir()
        self.kept = self.directory / "archive/000000010000000000000001"

    def archive(self, content):
        file = self.directory / "segment"
        file.write_bytes(content)
        return subprocess.run([_DEPLOY / "archive-wal.sh", file, self.kept], check=False, stderr=subprocess.DEVNULL).returncode == 0

    def test_a_file_is_kept_once_and_never_replaced(self):
        self.assertTrue(self.archive(b"one"))
        self.assertTrue(self.archive(b"one"))
        self.assertFalse(self.archive(b"another"))
        self.assertEqual([path.read_bytes() for path in (self.directory / "archive").iterdir()], [b"one"])

    def test_what_can_not_be_kept_leaves_nothing(self):
        (self.directory / "archive").rmdir()
        self.assertFalse(self.archive(b"one"))
        self.assertFalse((self.directory / "archive").exists())


if __name__ == "__main__":
    unittest.main()
