"""The command line over TLS, to several addresses, and to servers that are not there yet."""

import os
import subprocess
import unittest

from cli_case import CommandCase
from latchkey_test import program
from latchkey_test.authority import Authority
from latchkey_test.ports import free_port


class OverTls(CommandCase):
    @classmethod
    def settings(cls):
        cls.authority = cls.enterClassContext(Authority())
        cls.stranger = cls.enterClassContext(Authority("stranger"))
        issued = cls.authority.issue("server", ["IP:127.0.0.1", "DNS:latchkey.example.com"])
        return {"tls_certificate": issued.certificate, "tls_key": issued.key, **cls.client_certificates()}

    @classmethod
    def client_certificates(cls):
        return {}

    def trusting(self):
        return "--tls-ca", self.authority.certificate


class Trust(OverTls):
    def test_a_file_of_authorities_switches_tls_on(self):
        self.run_well("caller", *self.trusting())
        self.run_well("caller", LATCHKEY_TLS_CA=self.authority.certificate)
        self.run_well("caller", "--tls", "on", *self.trusting())
        self.run_well("caller", *self.trusting(), "--address", f"https://{self.deployment.server.address}")

    def test_another_name_may_be_expected(self):
        self.run_well("caller", *self.trusting(), "--tls-server-name", "latchkey.example.com")
        self.assert_fails(6, "TLS_FAILED.*\n.*--tls-server-name", "caller", *self.trusting(),
                          "--tls-server-name", "elsewhere.example.com")

    def test_a_server_that_nobody_vouches_for_is_refused(self):
        for options in (("--tls-ca", self.stranger.certificate), ("--tls", "on"),
                        ("--address", f"https://{self.deployment.server.address}")):
            with self.subTest(options):
                self.assert_fails(6, "the TLS handshake with .* failed: .*TLS_FAILED.*\n.*--tls-ca", "caller", *options)

    def test_without_tls_it_is_told_that_the_server_may_want_it(self):
        self.assert_fails(6, "may want TLS.*\n.*--tls on", "caller")
        self.assert_fails(6, "may want TLS", "caller", *self.trusting(), "--tls", "off")

    def test_a_file_that_is_none_is_named(self):
        self.assert_fails(2, "^latchkey: /nowhere.pem is not there$", "caller", "--tls-ca", "/nowhere.pem")

    def test_what_contradicts_itself_is_told(self):
        self.assert_fails(2, "--tls-certificate and --tls-key", "caller", "--tls-certificate", "x.pem")
        self.assert_fails(2, "LATCHKEY_CLIENT_CERTIFICATE", "caller", LATCHKEY_CLIENT_KEY="x.pem")
        self.assert_fails(2, "is with TLS", "caller", "--tls", "off", "--address", "https://127.0.0.1:1")
        self.assert_fails(2, "http:// is without TLS", "caller", "--tls", "on", "--address", "http://127.0.0.1:1")
        self.assert_fails(2, "LATCHKEY_TLS is \"maybe\"", "caller", LATCHKEY_TLS="maybe")

    def test_a_servers_own_certificate_in_the_environment_is_no_clients(self):
        self.run_well("caller", *self.trusting(), LATCHKEY_TLS_CERTIFICATE="/nowhere", LATCHKEY_TLS_KEY="/nowhere")


class ClientCertificates(OverTls):
    @classmethod
    def client_certificates(cls):
        return {"tls_client_ca": cls.authority.certificate, "tls_client_certificates": "required"}

    def shown(self, authority):
        issued = authority.issue("client", ["DNS:client.example.com"])
        return "--tls-certificate", issued.certificate, "--tls-key", issued.key

    def test_a_certificate_is_shown(self):
        self.run_well("caller", *self.trusting(), *self.shown(self.authority))
        _, certificate, _, key = self.shown(self.authority)
        self.run_well("caller", *self.trusting(), LATCHKEY_CLIENT_CERTIFICATE=certificate, LATCHKEY_CLIENT_KEY=key)

    def test_without_one_that_is_told(self):
        self.assert_fails(6, "client certificate.*TLS_FAILED", "caller", *self.trusting())

    def test_one_of_a_stranger_is_refused(self):
        self.assert_fails(6, "certificate.*TLS_FAILED", "caller", *self.trusting(), *self.shown(self.stranger))


class Addresses(CommandCase):
    def test_a_dead_address_is_passed_over(self):
        self.run_well("caller", "--address", f"127.0.0.1:{free_port()},{self.deployment.server.address}")

    def test_http_is_without_tls(self):
        self.run_well("caller", "--address", f"http://{self.deployment.server.address}")

    def test_a_token_is_not_sent_to_another_machine_in_clear(self):
        """The address is one of documentation: nobody answers there."""
        refused = "192.0.2.1:7070 is on another machine.*PLAINTEXT_REFUSED.*\n.*--allow-plaintext"
        self.assert_fails(2, refused, "caller", "--address", "192.0.2.1:7070")
        self.assert_fails(2, refused, "caller", "--address", "192.0.2.1:7070", LATCHKEY_ALLOW_PLAINTEXT="no")
        for options, changed in ((["--allow-plaintext"], {}), ([], {"LATCHKEY_ALLOW_PLAINTEXT": "on"})):
            self.assert_fails(4, "CONNECT_TIMEOUT|NOT_REACHABLE", "caller", "--address", "192.0.2.1:7070",
                              "--timeout", "300ms", *options, **changed)

    def test_a_command_waits_for_a_server_that_comes_later(self):
        self.deployment.server.stop()
        self.assert_fails(4, "NOT_REACHABLE", "caller")
        waiting = subprocess.Popen([program("latchkey"), "caller", "--wait-for-ready", "--timeout", "60s"],
                                   env={**os.environ, **self.environment()}, stdout=subprocess.PIPE, text=True)
        self.deployment.server.start()
        shown, _ = waiting.communicate(timeout=90)
        self.assertEqual(waiting.returncode, 0)
        self.assertIn("administrator@demo.example", shown)


if __name__ == "__main__":
    unittest.main()
