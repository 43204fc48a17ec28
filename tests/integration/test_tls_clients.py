"""Servers that others reach, over TLS: who may ask a validator by certificate, by token, or not, and files that are replaced."""

import os
import socket
import ssl
import tempfile
import unittest
from pathlib import Path

import grpc

from latchkey_test import Client, Deployment, ServerFailed, error_info, stubs
from latchkey_test.authority import Authority
from latchkey_test.ports import free_port, own_address
from latchkey_test.waiting import wait_until

token_pb2 = stubs.messages("latchkey/v1/token.proto")
validation_pb2 = stubs.messages("latchkey/v1/validation.proto")
decision_pb2 = stubs.messages("latchkey/v1/decision.proto")

PERMISSIONS = """\
# Who asks about tokens of any company.
spiffe://test/gateway   latchkey.validate.any latchkey.validate.detail
dns:reports.test        latchkey.validate.any
dns:only.detail.test    latchkey.validate.detail
"""


class TlsDeployment(unittest.TestCase):
    """A deployment on loopback, and beside it `remote`: latchkeyd at an address of this machine that is not loopback."""

    @classmethod
    def setUpClass(cls):
        cls.host = own_address()
        cls.authority = cls.enterClassContext(Authority())
        cls.directory = Path(cls.enterClassContext(tempfile.TemporaryDirectory()))
        cls.issued = cls.authority.issue("server", [f"IP:{cls.host}"])
        cls.permissions = cls.directory / "permissions"
        cls.permissions.write_text(PERMISSIONS)
        cls.deployment = cls.enterClassContext(Deployment())
        cls.address = f"{cls.host}:{free_port()}"
        cls.remote = cls.enterClassContext(cls.deployment.beside("latchkeyd", **cls.settings()))
        with cls.deployment.administrator() as administrator:
            cls.created = administrator.tokens.CreateAccessToken(
                token_pb2.CreateAccessTokenRequest(label="asked about", permissions=["charges.read"],
                                                   wait_for_validators={"seconds": 15}), timeout=20)

    @classmethod
    def settings(cls):
        return {"listen": cls.address, "tls_certificate": cls.issued.certificate, "tls_key": cls.issued.key,
                "tls_client_ca": cls.authority.certificate, "tls_client_permissions": cls.permissions,
                "tls_reload_interval": "50ms"}

    def client(self, *names, secret=None):
        """With a certificate of these names, or without any."""
        issued = self.authority.issue("client", names).pem if names else (None, None)
        tls = grpc.ssl_channel_credentials(Path(self.authority.certificate).read_bytes(), issued[1], issued[0])
        return self.enterContext(Client(self.address, secret, tls=tls))

    def validate(self, client, secret=None, **options):
        return client.validation.Validate(validation_pb2.ValidateRequest(
            token=secret or self.created.secret, channel=decision_pb2.CHANNEL_API, client_ip="198.51.100.7"), timeout=20,
            **options)

    def assert_allowed(self, client, **options):
        self.assertEqual(self.validate(client, **options).decision, decision_pb2.DECISION_ALLOW)

    def assert_refused(self, client, reason="SECRET_MISSING", **options):
        with self.assertRaises(grpc.RpcError) as caught:
            self.validate(client, **options)
        self.assertEqual((caught.exception.code(), error_info(caught.exception).reason),
                         (grpc.StatusCode.UNAUTHENTICATED, reason))

    def is_allowed(self, client):
        try:
            return self.validate(client).decision == decision_pb2.DECISION_ALLOW
        except grpc.RpcError as error:
            self.assertEqual(error.code(), grpc.StatusCode.UNAUTHENTICATED)
            return False

    def metric(self, name):
        return next(float(line.rsplit(" ", 1)[1]) for line in self.remote.admin("/metrics")[1].splitlines()
                    if line.startswith(name))


class WhoMayAsk(TlsDeployment):
    @classmethod
    def settings(cls):
        return {**super().settings(), "trusted_proxies": cls.host}

    def test_a_client_that_is_named_asks_about_every_company_s_tokens(self):
        self.assert_allowed(self.client("URI:spiffe://test/gateway"))
        self.assert_allowed(self.client("DNS:reports.test"))
        self.assert_allowed(self.client("DNS:other.test", "DNS:Reports.Test"))

    def test_who_is_not_named_needs_a_token(self):
        self.assert_refused(self.client())
        for name in ("URI:spiffe://test/gateway2", "URI:spiffe://test/gatewa", "URI:spiffe://other/gateway", "DNS:test",
                     "DNS:x.reports.test", "DNS:*.reports.test", "URI:https://reports.test/", "IP:192.0.2.9",
                     "email:reports.test@test"):
            with self.subTest(name):
                self.assert_refused(self.client(name))
        self.assert_allowed(self.client(secret=self.deployment.secrets["LATCHKEY_TOKEN"]))
        self.assert_allowed(self.client("DNS:stranger.test", secret=self.deployment.secrets["LATCHKEY_TOKEN"]))

    def test_detail_is_told_to_who_holds_it(self):
        dead = self.expired()
        self.assertEqual(self.validate(self.client("URI:spiffe://test/gateway"), dead.secret).token_id,
                         dead.access_token.token_id)
        self.assertEqual(self.validate(self.client("DNS:reports.test"), dead.secret).token_id, "")

    def test_detail_alone_lets_nobody_in(self):
        self.assert_refused(self.client("DNS:only.detail.test"))

    def expired(self):
        with self.deployment.administrator() as administrator:
            created = administrator.tokens.CreateAccessToken(
                token_pb2.CreateAccessTokenRequest(label="dead", permissions=["charges.read"]), timeout=20)
            administrator.tokens.DeactivateAccessToken(token_pb2.DeactivateAccessTokenRequest(
                token_id=created.access_token.token_id, reason=token_pb2.DEACTIVATE_REASON_OTHER,
                wait_for_validators={"seconds": 10}), timeout=20)
        return created

    def test_a_proxy_s_certificate_does_not_speak_for_those_behind_it(self):
        gateway = self.client("URI:spiffe://test/gateway")
        self.assert_refused(gateway, metadata=[("x-forwarded-for", "203.0.113.9")])
        self.assert_allowed(gateway, metadata=[("x-forwarded-for", self.host)])

    def test_management_needs_a_token_and_no_certificate(self):
        with self.assertRaises(grpc.RpcError) as caught:
            self.client("URI:spiffe://test/gateway").tokens.GetCaller(token_pb2.GetCallerRequest(), timeout=20)
        self.assertEqual(caught.exception.code(), grpc.StatusCode.UNAUTHENTICATED)
        caller = self.client(secret=self.deployment.secrets["LATCHKEY_TOKEN"]).tokens
        self.assertTrue(caller.GetCaller(token_pb2.GetCallerRequest(), timeout=20).caller.company_id)


class Replaced(TlsDeployment):
    """Files that change under a server that runs."""

    @classmethod
    def setUpClass(cls):
        cls.volume = Path(cls.enterClassContext(tempfile.TemporaryDirectory()))
        super().setUpClass()

    @classmethod
    def settings(cls):
        cls.put_generation("1", cls.issued)
        return {**super().settings(), "tls_certificate": cls.volume / "tls.crt", "tls_key": cls.volume / "tls.key"}

    @classmethod
    def put_generation(cls, name, issued):
        """As kubelet does it: a new directory, and one rename that makes ..data point to it."""
        directory = cls.volume / f"..{name}"
        directory.mkdir()
        for file, content in zip(("tls.crt", "tls.key"), issued.pem):
            (directory / file).write_bytes(content)
            if not (cls.volume / file).is_symlink():
                (cls.volume / file).symlink_to(f"..data/{file}")
        (cls.volume / "..new").symlink_to(directory.name)
        os.rename(cls.volume / "..new", cls.volume / "..data")

    def shown_serial(self):
        context = ssl.create_default_context(cafile=self.authority.certificate)
        context.set_alpn_protocols(["h2"])
        host, port = self.address.split(":")
        with socket.create_connection((host, int(port)), 10) as plain, context.wrap_socket(plain, server_hostname=host) as tls:
            return tls.getpeercert()["serialNumber"]

    def test_a_volume_that_kubelet_swaps_is_taken_in_under_live_calls(self):
        client = self.client("URI:spiffe://test/gateway")
        self.assert_allowed(client)
        before = self.shown_serial()
        self.put_generation("2", self.authority.issue("next", [f"IP:{self.host}"], ends_in_s=7200))
        wait_until(lambda: self.shown_serial() != before, 30, "the new certificate")
        self.assert_allowed(client)
        ends_in_s = self.metric("latchkey_tls_certificate_expires_seconds") - os.stat(self.volume / "..2").st_mtime
        self.assertAlmostEqual(ends_in_s, 7200, delta=120)

    def test_who_may_ask_changes_for_connections_that_are_open(self):
        self.addCleanup(self.permissions.write_text, PERMISSIONS)
        client = self.client("DNS:late.test")
        self.assertFalse(self.is_allowed(client))
        self.permissions.write_text(PERMISSIONS + "dns:late.test latchkey.validate.any\n")
        wait_until(lambda: self.is_allowed(client), 30, "the new line")
        self.permissions.write_text(PERMISSIONS)
        wait_until(lambda: not self.is_allowed(client), 30, "the line to be gone")

    def test_a_bad_line_keeps_what_was_read_before_and_is_told_once(self):
        self.addCleanup(self.permissions.write_text, PERMISSIONS)
        client = self.client("DNS:reports.test")
        self.assert_allowed(client)
        failed = self.metric('latchkey_tls_reload_total{result="failed"}')
        self.permissions.write_text("dns:reports.test latchkey.operate\n")
        wait_until(lambda: self.metric('latchkey_tls_reload_total{result="failed"}') > failed, 30, "the bad line to be read")
        sentence = f"{self.permissions}:1: a certificate can hold"
        self.assertIn(sentence, self.remote.log())
        self.assert_allowed(client)
        ok = self.metric('latchkey_tls_reload_total{result="ok"}')
        self.permissions.write_text(PERMISSIONS)
        wait_until(lambda: self.metric('latchkey_tls_reload_total{result="ok"}') > ok, 30, "the good file")
        self.assertEqual(self.remote.log().count(sentence), 1)


class Start(TlsDeployment):
    def start(self, **settings):
        """Starts one that must end by itself; what it says."""
        server = self.deployment.beside("latchkey-validator", **{"listen": f"{self.host}:{free_port()}", **settings})
        try:
            with self.assertRaises(ServerFailed) as caught:
                server.start()
            self.assertEqual(server.wait(), 64)
            return str(caught.exception)
        finally:
            server.remove()

    def test_others_are_not_served_in_plaintext_unless_it_is_said(self):
        self.assertIn("--tls-certificate", self.start())

    def test_a_bad_line_of_the_permissions_keeps_a_server_from_starting(self):
        path = self.directory / "bad"
        for text, sentence in (
                ("\n# fine\ngateway.test latchkey.validate.any\n", f"{path}:3: begin with a name such as spiffe://"),
                ("dns:Gateway.test latchkey.validate.any\n", f"{path}:1: begin with a name"),
                ("spiffe://test/a\n", f"{path}:1: say what the name holds"),
                ("dns:a.test latchkey.validate.any,latchkey.validate.detail\n", f"{path}:1: a certificate can hold"),
                ("dns:a.test latchkey.validate.any\n\ndns:a.test latchkey.validate.detail", f"{path}:3: the name stands on line 1")):
            with self.subTest(sentence):
                path.write_text(text)
                self.assertIn(sentence, self.start(**{**self.settings(), "tls_client_permissions": path}))


if __name__ == "__main__":
    unittest.main()
