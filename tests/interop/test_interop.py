"""Clients of other ecosystems against our servers: today's grpcio, and public tools
(test_examples.py has the generated clients).

tests/interop/run.sh has put them into build/interop.
"""

import json
import os
import signal
import subprocess
import unittest

from latchkey_test import ROOT, Deployment, free_port, scenario
from latchkey_test.authority import Authority
from latchkey_test.waiting import wait_until

INTEROP = ROOT / "build/interop"
PROTOS = ROOT / "proto"
BOTH_SERVICES = ("latchkey.v1.TokenService", "latchkey.v1.ValidationService")


def run(*command, **environment):
    return subprocess.run([str(part) for part in command], env={**os.environ, **environment}, capture_output=True,
                          text=True, timeout=300, check=False)


class Deployed(unittest.TestCase):
    settings = {}

    @classmethod
    def setUpClass(cls):
        cls.deployment = cls.enterClassContext(Deployment(**cls.settings))
        cls.address = cls.deployment.server.address
        cls.secret = cls.deployment.secrets["LATCHKEY_TOKEN"]
        with cls.deployment.administrator() as client:
            scenario.prepare(client)


class Scenarios(Deployed):
    def assert_every_step(self, *command, **environment):
        done = run(*command, LATCHKEY_ADDRESS=self.address, LATCHKEY_TOKEN=self.secret, **environment)
        self.assertEqual((scenario.find_failures(done.stdout), done.returncode), ([], 0), done.stderr)

    def test_the_grpcio_of_today(self):
        self.assert_every_step(INTEROP / "venv/bin/python", "-m", "latchkey_test.scenario",
                               PYTHONPATH=str(ROOT / "tests/lib"))


class Grpcurl(Deployed):
    def call(self, method, request, *options):
        return run(INTEROP / "bin/grpcurl", "-plaintext", *options, "-d", json.dumps(request), self.address, method)

    def test_it_lists_and_describes_by_reflection(self):
        listed = run(INTEROP / "bin/grpcurl", "-plaintext", self.address, "list")
        for service in BOTH_SERVICES:
            self.assertIn(service, listed.stdout.splitlines(), listed.stderr)
        described = run(INTEROP / "bin/grpcurl", "-plaintext", self.address, "describe",
                        "latchkey.v1.ValidationService.Validate")
        self.assertIn("latchkey.v1.ValidateRequest", described.stdout, described.stderr)

    def test_it_calls_by_reflection(self):
        bearer = ("-H", f"authorization: Bearer {self.secret}")
        caller = self.call("latchkey.v1.TokenService/GetCaller", {}, *bearer)
        self.assertTrue(json.loads(caller.stdout)["caller"]["tokenId"].startswith("tok_"), caller.stderr)
        question = {"token": self.secret, "client_ip": scenario.UNLISTED, "channel": "CHANNEL_API"}
        answer = json.loads(self.call("latchkey.v1.ValidationService/Validate", question).stdout)
        self.assertEqual((answer["decision"], answer["reason"]), ("DECISION_DENY", "REASON_COMPANY_IP_NOT_LISTED"))

    def test_it_shows_the_details_of_an_error(self):
        refused = self.call("latchkey.v1.TokenService/GetCaller", {})
        self.assertEqual(refused.returncode, 64 + 16, "Unauthenticated")
        for word in ("Unauthenticated", "ErrorInfo", "SECRET_MISSING", "latchkey.dev"):
            self.assertIn(word, refused.stderr)


class HealthProbe(Deployed):
    def probe(self, *options):
        return run(INTEROP / "bin/grpc-health-probe", *options).returncode

    def test_it_tells_serving_unknown_and_absent(self):
        self.assertEqual(self.probe("-addr", self.address), 0)
        for service in BOTH_SERVICES:
            self.assertEqual(self.probe("-addr", self.address, "-service", service), 0)
        self.assertEqual(self.probe("-addr", self.address, "-service", "no.such.Service"), 3)
        self.assertEqual(self.probe("-addr", f"127.0.0.1:{free_port()}", "-connect-timeout", "2s"), 2)

    def test_it_tells_a_server_that_drains(self):
        with Deployment(drain_delay="10s") as deployment:
            os.kill(deployment.server.pid, signal.SIGTERM)
            wait_until(lambda: self.probe("-addr", deployment.server.address) == 4, 9, "NOT_SERVING")


class OverTls(Deployed):
    """Tools that show a certificate to a server that requires one."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.authority = cls.enterClassContext(Authority())
        server = cls.authority.issue("server", ["IP:127.0.0.1"])
        cls.tool = cls.authority.issue("tool", ["DNS:tool.test"])
        cls.address = cls.enterClassContext(cls.deployment.beside(
            tls_certificate=server.certificate, tls_key=server.key, tls_client_ca=cls.authority.certificate,
            tls_client_certificates="required")).address

    def test_grpcurl_calls_by_reflection(self):
        certificates = ("-cacert", self.authority.certificate, "-cert", self.tool.certificate, "-key", self.tool.key)
        caller = run(INTEROP / "bin/grpcurl", *certificates, "-H", f"authorization: Bearer {self.secret}", "-d", "{}",
                     self.address, "latchkey.v1.TokenService/GetCaller")
        self.assertTrue(json.loads(caller.stdout)["caller"]["tokenId"].startswith("tok_"), caller.stderr)

    def test_the_health_probe_is_let_in_with_a_certificate_alone(self):
        probe = (INTEROP / "bin/grpc-health-probe", "-addr", self.address, "-tls", "-tls-ca-cert", self.authority.certificate)
        shown = ("-tls-client-cert", self.tool.certificate, "-tls-client-key", self.tool.key)
        self.assertEqual((run(*probe, *shown).returncode, run(*probe).returncode), (0, 2))


class BufCurl(Deployed):
    """buf's curl asks by reflection, in each of the protocols that one port speaks, and at the door of HTTP/1.1."""

    settings = {"http_listen": f"127.0.0.1:{free_port()}"}

    def call(self, *options):
        return run(INTEROP / "buf/node_modules/.bin/buf", "curl", "-d", "{}", *options)

    def assert_called(self, *options):
        caller = self.call("-H", f"authorization: Bearer {self.secret}", *options)
        self.assertTrue(caller.stdout and json.loads(caller.stdout)["caller"]["tokenId"].startswith("tok_"), caller.stderr)

    def test_each_protocol_calls_and_is_told_what_is_wrong(self):
        url = f"http://{self.address}/latchkey.v1.TokenService/GetCaller"
        for protocol in ("grpc", "grpcweb", "connect"):
            with self.subTest(protocol):
                options = ("--protocol", protocol, "--http2-prior-knowledge", url)
                self.assert_called(*options)
                refused = json.loads(self.call(*options).stderr)
                self.assertEqual((refused["code"], [detail["type"] for detail in refused["details"]]),
                                 ("unauthenticated", ["google.rpc.ErrorInfo"]))

    def test_the_door_of_http_1_calls_by_a_schema(self):
        self.assert_called("--protocol", "connect", "--schema", PROTOS,
                           f"http://{self.settings['http_listen']}/latchkey.v1.TokenService/GetCaller")


class Ghz(Deployed):
    def test_five_thousand_calls_of_fifty_at_a_time_are_all_ok(self):
        question = {"token": self.secret, "client_ip": scenario.LISTED, "channel": "CHANNEL_API"}
        done = run(INTEROP / "bin/ghz", "--insecure", "--call", "latchkey.v1.ValidationService.Validate", "-d",
                   json.dumps(question), "-n", "5000", "-c", "50", "--connections", "5", "-O", "json", self.address)
        report = json.loads(done.stdout)
        self.assertEqual((report["count"], report["statusCodeDistribution"]), (5000, {"OK": 5000}), done.stderr)


if __name__ == "__main__":
    unittest.main()
