"""The client over TLS: whom it trusts, what it shows, and what it says when a handshake fails."""

import socket
import unittest

import grpc

from client_case import METHOD, CallClient, Server
from latchkey_test.authority import Authority
from transport import SERVICE, TransportServer

ECHO = SERVICE + "Echo"


def credentials(issued):
    certificate, key = issued.pem
    return grpc.ssl_server_credentials([(key, certificate)])


class Tls(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.authority = cls.enterClassContext(Authority())
        cls.other = cls.enterClassContext(Authority("other"))
        cls.issued = cls.authority.issue("server", ["DNS:localhost", "IP:127.0.0.1"])

    def server(self, issued=None):
        return self.enterContext(Server(credentials=credentials(issued or self.issued)))

    def our_server(self, **settings):
        """With alerts that come through before the connection ends."""
        return self.enterContext(TransportServer(tls_certificate=self.issued.certificate, tls_key=self.issued.key, **settings))

    def call(self, target, method=METHOD, **settings):
        settings = {"tls": True, "ca": self.authority.certificate, **settings}
        with CallClient(target, **settings) as client:
            return client.call("x", method=method)

    def test_a_server_with_its_address_or_name_in_the_certificate_is_trusted(self):
        server = self.server()
        self.assertEqual(self.call(server.target), "OK x")
        self.assertEqual(self.call(f"localhost:{server.port}"), "OK x")
        self.assertEqual(self.call(f"https://{server.target}"), "OK x")

    def test_a_server_may_be_trusted_by_another_name(self):
        server = self.server(self.authority.issue("server", ["DNS:latchkey.example.com"]))
        self.assertRegex(self.call(server.target), "^UNAVAILABLE TLS_FAILED .*mismatch")
        self.assertEqual(self.call(server.target, server_name="latchkey.example.com"), "OK x")

    def test_each_of_several_addresses_has_a_name_of_its_own(self):
        wrong = self.server(self.authority.issue("server", ["DNS:elsewhere.example.com"]))
        right = self.server()
        self.assertEqual(self.call(f"{wrong.target},localhost:{right.port}"), "OK x")

    def test_handshakes_that_fail_say_why(self):
        server = self.server()
        expired = self.server(self.authority.issue("server", ["IP:127.0.0.1"], ends_in_s=-60))
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
        server = self.our_server(tls_client_ca=self.authority.certificate, tls_client_certificates="required")
        for authority, said in ((self.authority, "^OK x$"), (self.other, "TLS_FAILED .*certificate")):
            shown = authority.issue("client", ["DNS:client.example.com"])
            answer = self.call(server.target, method=ECHO, certificate=shown.certificate, key=shown.key)
            self.assertRegex(answer, said)
        self.assertRegex(self.call(server.target, method=ECHO), "^UNAVAILABLE TLS_FAILED .*wants a client certificate")

    def test_a_server_without_tls_is_told_from_one_with(self):
        with TransportServer() as plain:
            self.assertRegex(self.call(plain.target), "^UNAVAILABLE TLS_FAILED .*TLS")
        for server in (self.our_server(), self.server()):  # which say nothing before they close
            with CallClient(server.target) as client:
                self.assertRegex(client.call(), "^UNAVAILABLE NOT_GRPC .*may want TLS")

    def test_a_server_that_answers_with_an_alert_takes_only_tls(self):
        with socket.create_server(("127.0.0.1", 0)) as listener, \
                CallClient("127.0.0.1:%d" % listener.getsockname()[1]) as client:
            client.begin()
            with listener.accept()[0] as connection:
                connection.recv(65536)
                connection.sendall(bytes([0x15, 3, 3, 0, 2, 2, 70]))  # fatal, protocol_version
            self.assertRegex(client.answer(), "^UNAVAILABLE TLS_REQUIRED .*takes only TLS")

    def test_large_messages_pass_both_ways(self):
        server = self.server()
        value = "x" * 3900
        with CallClient(server.target, tls=True, ca=self.authority.certificate) as client:
            for _ in range(20):
                self.assertEqual(client.call(value), f"OK {value}")

    def test_files_that_are_wrong_are_named(self):
        issued, other = self.issued, self.other.issue("client", [])
        for said, settings in (("nowhere.pem", {"ca": "/nowhere.pem"}), (issued.key, {"ca": issued.key}),
                               (other.key, {"certificate": issued.certificate, "key": other.key})):
            with self.subTest(said):
                settings = {"tls": True, "ca": self.authority.certificate, **settings}
                self.assertIn(said, CallClient("127.0.0.1:1", **settings).refusal())

    def test_plain_http_and_tls_contradict_each_other(self):
        self.assertIn("http://", CallClient("http://127.0.0.1:1", tls=True).refusal())


if __name__ == "__main__":
    unittest.main()
