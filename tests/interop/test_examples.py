"""The clients of the examples: the script of examples/README.md on every one, over plaintext and over mutual TLS.
tests/interop/examples.sh has built them.
"""

import os
import subprocess
import unittest

from latchkey_test import ROOT, Deployment, scenario
from latchkey_test.authority import Authority

from examples import EXAMPLES, GO, JAR, NODE, PYTHON, RUST
from relay import Relay

SPRING_LAUNCHER = "org.springframework.boot.loader.launch.PropertiesLauncher"
STEPS = (
    "creates a token",
    "allows a listed address",
    "refuses an unlisted address",
    "names every bad field",
    "pages through a list",
    "deactivates and waits",
    "refuses a deactivated token",
    "honours a deadline",
    "bears a cancel",
    "tells its health",
    "carries metadata",
)


class Scripts:
    """The script on every client; `environment` says where the server is."""

    environment = {}

    def assert_every_step(self, directory, *command):
        done = subprocess.run([str(part) for part in command], env={**os.environ, **self.environment}, cwd=directory,
                              capture_output=True, text=True, timeout=300, check=False)
        self.assertEqual(done.stdout.splitlines(), [f"ok - {step}" for step in STEPS], done.stderr)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertNotIn(self.environment["LATCHKEY_TOKEN"], done.stderr)

    def test_python(self):
        self.assert_every_step(PYTHON, "env", "PYTHONPATH=gen", ".venv/bin/python", "scenario.py")

    def test_go(self):
        self.assert_every_step(GO, "bin/scenario")

    def test_node_with_grpc_js(self):
        self.assert_every_step(NODE, "node", "grpc-js/scenario.js")

    def test_node_with_connect_in_grpc(self):
        self.assert_every_step(NODE, "node", "connect/scenario.js")

    def test_node_with_connect_in_its_own_protocol(self):
        self.assert_every_step(NODE, "node", "connect/scenario.js", "connect")

    def test_java(self):
        self.assert_every_step(EXAMPLES, "java", "-cp", JAR, "-Dloader.main=dev.latchkey.example.Scenario",
                               SPRING_LAUNCHER)

    def test_rust(self):
        self.assert_every_step(RUST, "target/debug/scenario")


def deploy(test):
    """A deployment for a test class, with the whitelist that the script wants."""
    deployment = test.enterClassContext(Deployment())
    with deployment.administrator() as client:
        scenario.prepare(client)
    test.environment = {"LATCHKEY_ADDRESS": deployment.server.address,
                        "LATCHKEY_TOKEN": deployment.secrets["LATCHKEY_TOKEN"]}
    return deployment


class OverPlaintext(Scripts, unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        deploy(cls)


class ConnectNode(unittest.TestCase):
    """What no guard shows of this client."""

    def test_it_asks_again_when_a_connection_breaks(self):
        relay = self.enterContext(Relay(self.enterContext(Deployment()).server.address))
        process = self.enterContext(subprocess.Popen(
            ["node", ROOT / "tests/interop/ask_twice.js"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env={**os.environ, "LATCHKEY_ADDRESS": relay.address}))
        self.assertEqual(process.stdout.readline(), "MALFORMED\n")
        relay.break_next()
        self.assertEqual(process.communicate("again\n", timeout=60)[0], "MALFORMED\n")
        self.assertTrue(relay.has_broken)


class OverMutualTls(Scripts, unittest.TestCase):
    """At a server that talks to nobody without a certificate of the authority."""

    @classmethod
    def setUpClass(cls):
        authority = cls.enterClassContext(Authority())
        issued = authority.issue("server", ["DNS:localhost", "IP:127.0.0.1"], "serverAuth")
        server = cls.enterClassContext(deploy(cls).beside(
            tls_certificate=issued.certificate, tls_key=issued.key, tls_client_ca=authority.certificate,
            tls_client_certificates="required"))
        issued = authority.issue("client", ["URI:spiffe://example.com/gateway"], "clientAuth")
        cls.environment |= {"LATCHKEY_ADDRESS": server.address, "LATCHKEY_TLS_CA": authority.certificate,
                            "LATCHKEY_TLS_CERTIFICATE": issued.certificate, "LATCHKEY_TLS_KEY": issued.key}

    def test_nobody_is_served_without_a_certificate(self):
        environment = {**os.environ, **self.environment}
        del environment["LATCHKEY_TLS_CERTIFICATE"], environment["LATCHKEY_TLS_KEY"]
        done = subprocess.run(["bin/scenario"], env=environment, cwd=GO, capture_output=True, text=True, timeout=300,
                              check=False)
        self.assertEqual(done.returncode, 1)
        self.assertNotIn("\nok - ", "\n" + done.stdout)


if __name__ == "__main__":
    unittest.main()
