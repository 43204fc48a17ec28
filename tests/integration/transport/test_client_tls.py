"""The client over TLS: whom it trusts, what it shows, and what it says when a handshake fails."""

import tempfile
import unittest
from pathlib import Path

import grpc

from client_case import CallClient, Server
from latchkey_test.authority import Authority
from transport import TransportServer


def credentials(certificate, key, client_authority=None):
    return grpc.ssl_server_credentials([(key.read_bytes(), certificate.read_bytes())],
                                       client_authority and client_authority.certificate.read_bytes(),
                                       client_authority is not None)


class Tls(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        directory = cls.enterClassContext(tempfile.TemporaryDirectory())
        cls.directory = Path(directory)
        cls.authority = Authority(directory)
        cls.other = Authority(directory, "other")
        cls.pair = cls.authority.make("DNS:localhost,IP:127.0.0.1,DNS:latchkey.example.com")

    def server(self, pair=None, **options):
        return self.enterContext(Server(credentials=credentials(*(pair or self.pair), **options)))

    def call(self, target, **settings):
        settings = {"tls": True, "ca": self.authority.certificate, **settings}
        with CallClient(target, **settings) as client:
            return client.call("x")

    def test_a_server_with_its_address_or_name_in_the_certificate_is_trusted(self):
        server = self.server()
        self.assertEqual(self.call(server.target), "OK x")
        self.assertEqual(self.call(f"localhost:{server.port}"), "OK x")
        self.assertEqual(self.call(f"https://{server.target}"), "OK x")

    def test_a_server_may_be_trusted_by_another_name(self):
        server = self.server(self.authority.make("DNS:latchkey.example.com"))
        self.assertRegex(self.call(server.target), "^UNAVAILABLE TLS_FAILED .*mismatch")
        self.assertEqual(self.call(server.target, server_name="latchkey.example.com"), "OK x")

    def test_each_of_several_addresses_has_a_name_of_its_own(self):
        wrong = self.server(self.authority.make("DNS:elsewhere.example.com"))
        right = self.server()
        self.assertEqual(self.call(f"{wrong.target},localhost:{right.port}"), "OK x")

    def test_handshakes_that_fail_say_why(self):
        server = self.server()
        expired = self.server(self.authority.make("IP:127.0.0.1", days=-1))
        for said, target, settings in (
                ("self-signed certificate in certificate chain|unable to get local issuer", server.target,
                 {"ca": self.other.certificate}),
                ("unable to get local issuer|self-signed", server.target, {"ca": None}),
                ("expired", expired.target, {}),
                ("hostname mismatch", server.target, {"server_name": "elsewhere.example.com"})):
            with self.subTest(said):
                self.assertRegex(self.call(target, **settings),
                                 f"^UNAVAILABLE TLS_FAILED the TLS handshake with {target} failed: .*(?i:{said})")

    def test_a_client_certificate_is_shown_where_it_is_asked_for(self):
        server = self.server(client_authority=self.authority)
        certificate, key = self.authority.make("DNS:client.example.com")
        self.assertEqual(self.call(server.target, certificate=certificate, key=key), "OK x")

    def test_a_server_that_closes_for_want_of_a_certificate_is_understood(self):
        """This grpcio says nothing before it closes."""
        server = self.server(client_authority=self.authority)
        certificate, key = self.other.make("DNS:client.example.com")
        for settings in ({}, {"certificate": certificate, "key": key}):
            with self.subTest(settings):
                self.assertRegex(self.call(server.target, **settings), "^UNAVAILABLE .*client certificate")

    def test_a_server_without_tls_is_told_from_one_with(self):
        with TransportServer() as plain:
            self.assertRegex(self.call(plain.target), "^UNAVAILABLE TLS_FAILED .*TLS")
        with CallClient(self.server().target) as client:
            self.assertRegex(client.call(), "^UNAVAILABLE NOT_GRPC .*TLS")

    def test_large_messages_pass_both_ways(self):
        server = self.server()
        value = "x" * 3900
        with CallClient(server.target, tls=True, ca=self.authority.certificate) as client:
            for _ in range(20):
                self.assertEqual(client.call(value), f"OK {value}")

    def test_files_that_are_wrong_are_named(self):
        certificate, key = self.pair
        _, other_key = self.other.make("DNS:x")
        for said, settings in (("nowhere.pem", {"ca": self.directory / "nowhere.pem"}),
                               (key.name, {"ca": key}),
                               (other_key.name, {"certificate": certificate, "key": other_key})):
            with self.subTest(said):
                settings = {"tls": True, "ca": self.authority.certificate, **settings}
                self.assertIn(said, CallClient("127.0.0.1:1", **settings).refusal())

    def test_plain_http_and_tls_contradict_each_other(self):
        self.assertIn("http://", CallClient("http://127.0.0.1:1", tls=True).refusal())


if __name__ == "__main__":
    unittest.main()
