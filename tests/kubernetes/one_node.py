"""An operator's way with overlays/single-node: what is the same whoever makes the Pods. Its PostgreSQL is a private one, in which the
overlay's own script makes the database."""

import ctypes
import json
import os
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

from latchkey_test import PrivatePostgres
from latchkey_test.paths import program
from latchkey_test.waiting import wait_until
from manifests import KUBERNETES, index, load

_CLONE_NEWNET = 0x40000000
MANAGEMENT = ("token", "whitelist", "invitation")
SERVERS = {"token": 7072, "whitelist": 7074, "invitation": 7076, "validator": 7078}


def enter_network():
    """One of its own for this process, since Pods have fixed ports. Before it has threads."""
    if os.geteuid() != 0:
        raise unittest.SkipTest("Pods are given addresses and users, which takes root")
    if ctypes.CDLL(None, use_errno=True).unshare(_CLONE_NEWNET) != 0:
        raise unittest.SkipTest("this machine gives no network of one's own")
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)


def make_secrets():
    """The objects that secrets.sh prints, as text."""
    return subprocess.run([KUBERNETES / "secrets.sh"], check=True, capture_output=True, text=True).stdout


class OneNode:
    """With `plane` and `machine`, of who inherits it. `started` is when the objects were handed over."""

    @classmethod
    def prepare(cls):
        cls.directory = Path(cls.enterClassContext(tempfile.TemporaryDirectory()))
        cls.postgres = cls.enterClassContext(PrivatePostgres())
        cls.services = {"latchkey-postgres": f"127.0.0.1:{cls.postgres.port}"}

    @classmethod
    def create_database(cls, secrets):
        """What the image's entrypoint does: by the overlay's own script, and with passwords asked for."""
        held = index(load(secrets))["Secret", "latchkey-postgres"]
        (cls.directory / "password").write_text(held["stringData"]["password"])
        script = (KUBERNETES / "components/postgres/create-database.sh").read_text().replace("/run/secrets/postgres", str(cls.directory))
        subprocess.run(["bash", "-c", script], check=True, capture_output=True,
                       env={**os.environ, "POSTGRES_USER": "postgres", "PGHOST": str(cls.postgres.directory), "PGPORT": str(cls.postgres.port)})
        rules = cls.postgres.directory / "data/pg_hba.conf"
        rules.write_text("host all latchkey all scram-sha-256\n" + rules.read_text())
        cls.postgres.execute("SELECT pg_reload_conf()")

    @classmethod
    def wait_ready(cls):
        """Until there is one Pod of each server, and it is ready."""
        try:
            wait_until(cls.machine.failed_or(lambda: all([pod.is_ready for pod in cls.machine.pods_of(name)] == [True] for name in SERVERS)), 180,
                       "the servers to be ready")
        except (AssertionError, TimeoutError) as error:
            raise AssertionError(f"{error}\n{cls.machine.logs()}") from None

    def pod(self, name):
        [found] = self.machine.pods_of(name)
        return found

    def latchkey(self, *arguments, variables=None, expected=0):
        """The command line as `kubectl exec` runs it in a Pod of the token service; what it prints."""
        addresses = {f"LATCHKEY_{name.upper()}_ADDRESS": f"{self.pod(name).address}:{port}" for name, port in SERVERS.items()}
        environment = {**self.pod("token").environment(), **addresses, "LATCHKEY_ALLOW_PLAINTEXT": "on", **(variables or {})}
        done = subprocess.run([program("latchkey"), *arguments], env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=120, check=False)
        self.assertEqual(done.returncode, expected, done.stdout + done.stderr)
        return done.stdout

    def operator(self):
        """The variables of its token, which is made once."""
        path = self.directory / "operator.env"
        if not path.exists():
            self.latchkey("bootstrap", "--env-file", str(path))
        lines = dict(line.split("=", 1) for line in path.read_text().splitlines() if "=" in line and not line.startswith("#"))
        return {"LATCHKEY_OPERATOR_TOKEN": lines["LATCHKEY_OPERATOR_TOKEN"].strip("'\"")}

    def test_two_commands_lead_to_a_token_that_is_validated(self):
        operator, secret = self.operator(), self.directory / "token"
        company = json.loads(self.latchkey("company", "create", "Example Ltd", "--administrator", "it@example.com", "--operator", "--json",
                                           variables=operator))
        self.latchkey("token", "create", "--operator", "--company", company["company"]["company_id"], "--company-owned", "--label", "first",
                      "--permission", "charges.read", "--secret-file", str(secret), "--wait", "20s", variables=operator)
        token = secret.read_text().strip()
        asked = ("validate", "--permission", "charges.read")
        self.latchkey(*asked, variables={"LATCHKEY_VALIDATE_TOKEN": token, "LATCHKEY_TOKEN": token})
        print(f"from the manifests to a validated token: {time.monotonic() - self.started:.1f} s")
        # Another Pod is not on the validator's machine, so who asks says who he is.
        self.latchkey(*asked, variables={"LATCHKEY_VALIDATE_TOKEN": token}, expected=3)

    def test_without_the_database_no_pod_is_ended(self):
        pods = [self.pod(name) for name in SERVERS]
        restarts = [pod.restarts for pod in pods]
        self.postgres.stop()
        try:
            # The validator decides on for --max-staleness.
            wait_until(lambda: not any(self.pod(name).is_ready for name in MANAGEMENT), 180, "management to be not ready")
            self.assertTrue(all(pod.probe("liveness") for pod in pods))
        finally:
            self.postgres.start()
        wait_until(lambda: all(pod.is_ready for pod in pods), 180, "all servers to be ready again")
        self.assertEqual([pod.restarts for pod in pods], restarts)

    def test_a_restart_of_all_pods_ends_the_old_ones_in_order(self):
        before = len(self.machine.gone)
        self.restart_all()
        wait_until(lambda: len(self.machine.gone) == before + len(SERVERS), 180, "the end of the old Pods")
        self.assertEqual([pod.process.returncode for pod in self.machine.gone[before:]], [0] * len(SERVERS))
        self.wait_ready()
