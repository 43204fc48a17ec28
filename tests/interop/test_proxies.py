"""Our servers behind the proxies that people run in front of gRPC: nginx, HAProxy, Traefik and Envoy.

tests/interop/run.sh has put Envoy and Traefik into build/interop; the others are Debian's.
"""

import concurrent.futures
import os
import signal
import socket
import subprocess
import sys
import threading
import unittest

import grpc
from proxies import Envoy, Haproxy, Nginx, Traefik

from latchkey_test import ROOT, Client, Deployment, error_info, scenario, stubs
from latchkey_test.authority import Authority
from latchkey_test.waiting import wait_until

token_pb2 = stubs.messages("latchkey/v1/token.proto")
whitelist_pb2 = stubs.messages("latchkey/v1/whitelist.proto")
validation_pb2 = stubs.messages("latchkey/v1/validation.proto")
decision_pb2 = stubs.messages("latchkey/v1/decision.proto")

SPOOFED = "203.0.113.9"
CALLERS = 4
CALLS_AROUND_A_DRAIN = 200


class Behind:
    """What holds behind every proxy, in the clear and, but for Traefik, with mutual TLS between it and two servers."""

    authority = issued = None

    @classmethod
    def setUpClass(cls):
        cls.deployment = cls.enterClassContext(Deployment())
        cls.secret = cls.deployment.secrets["LATCHKEY_TOKEN"]
        settings = {"trusted_proxies": cls.kind.source, "drain_delay": "1s", **cls.tls_settings()}
        cls.servers = [cls.enterClassContext(cls.deployment.beside(**settings)) for _ in range(2)]
        addresses = [server.address for server in cls.servers]
        cls.proxy = cls.enterClassContext(cls.kind(addresses, cls.authority, cls.issued))
        cls.caller = wait_until(cls.answers, 60, f"{cls.kind.__name__} to pass calls on")
        with cls.deployment.administrator() as client:
            client.whitelist.AddWhitelistEntries(whitelist_pb2.AddWhitelistEntriesRequest(
                entries=[whitelist_pb2.NewWhitelistEntry(address=cls.caller)]), timeout=20)
            scenario.prepare(client)

    @classmethod
    def tls_settings(cls):
        return {}

    @classmethod
    def answers(cls):
        try:
            return cls.seen()
        except grpc.RpcError:
            return None

    @classmethod
    def seen(cls, *forwarded):
        """The caller's address as the server behind sees it."""
        metadata = [("x-forwarded-for", text) for text in forwarded]
        with Client(cls.proxy.address, cls.secret) as client:
            return client.tokens.GetCaller(token_pb2.GetCallerRequest(), metadata=metadata, timeout=10).caller.client_ip

    def test_every_step_of_the_scenario_passes(self):
        done = subprocess.run([sys.executable, "-m", "latchkey_test.scenario"], capture_output=True, text=True, timeout=120,
                              env={**os.environ, "PYTHONPATH": str(ROOT / "tests/lib"), "LATCHKEY_TOKEN": self.secret,
                                   "LATCHKEY_ADDRESS": self.proxy.address}, check=False)
        self.assertEqual((scenario.find_failures(done.stdout), done.returncode), ([], 0), done.stderr)

    def test_the_caller_is_whom_the_proxy_saw_whatever_it_says_of_itself(self):
        self.assertNotEqual(self.caller, self.kind.source)
        with socket.socket() as here:
            here.bind((self.caller, 0))  # Envoy says an address of the machine's own in place of a loopback one
        for forwarded in ((SPOOFED,), (SPOOFED, self.kind.source), ("nonsense",)):
            self.assertEqual(self.seen(*forwarded), self.caller, forwarded)

    def test_who_comes_through_a_trusted_proxy_does_not_pass_for_local(self):
        with Client(self.proxy.address) as nobody, self.assertRaises(grpc.RpcError) as caught:
            self.validate(nobody)
        self.assertEqual(error_info(caught.exception).reason, "SECRET_MISSING")

    def test_a_server_drains_and_no_call_fails(self):
        ended = threading.Event()
        leaver = self.servers[1]

        def call_on():
            left = CALLS_AROUND_A_DRAIN
            with Client(self.proxy.address, self.secret) as client:
                while left > 0 or not ended.is_set():
                    self.assertEqual(self.validate(client).decision, decision_pb2.DECISION_ALLOW)
                    left -= 1

        with concurrent.futures.ThreadPoolExecutor(CALLERS) as pool:
            calls = [pool.submit(call_on) for _ in range(CALLERS)]
            try:
                wait_until(lambda: self.validations(leaver) > 0, 20, "the server that ends to be called")
                os.kill(leaver.pid, signal.SIGTERM)
                self.assertEqual(leaver.wait(30), 0)
            finally:
                ended.set()
                self.addCleanup(leaver.start)
            for call in calls:
                call.result(120)

    def validate(self, client):
        return client.validation.Validate(validation_pb2.ValidateRequest(
            token=self.secret, client_ip=scenario.LISTED, channel="CHANNEL_API"), timeout=20)

    @staticmethod
    def validations(server):
        line = 'grpc_server_handled_total{grpc_type="unary",grpc_service="latchkey.v1.ValidationService",' \
               'grpc_method="Validate",grpc_code="OK"} '
        text = server.admin("/metrics")[1]
        return float(text.split(line)[1].split("\n")[0]) if line in text else 0


class BehindNginx(Behind, unittest.TestCase):
    kind = Nginx


class BehindHaproxy(Behind, unittest.TestCase):
    kind = Haproxy


class BehindTraefik(Behind, unittest.TestCase):
    kind = Traefik


class BehindEnvoy(Behind, unittest.TestCase):
    kind = Envoy


class OverTls:
    @classmethod
    def tls_settings(cls):
        cls.authority = cls.enterClassContext(Authority())
        cls.issued = cls.authority.issue("proxy", ["URI:spiffe://test/proxy"])
        server = cls.authority.issue("server", ["DNS:localhost"])
        return {"tls_certificate": server.certificate, "tls_key": server.key, "tls_client_ca": cls.authority.certificate,
                "tls_client_certificates": "required"}


class BehindNginxOverTls(OverTls, BehindNginx):
    pass


class BehindHaproxyOverTls(OverTls, BehindHaproxy):
    pass


class BehindEnvoyOverTls(OverTls, BehindEnvoy):
    pass


if __name__ == "__main__":
    unittest.main()
