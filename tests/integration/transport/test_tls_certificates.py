"""TLS: certificates of servers and clients, the files that they stand in, and sessions that go on from earlier ones."""

import re
import signal
import ssl
import tempfile
import unittest
from pathlib import Path

from latchkey_test.authority import Authority
from latchkey_test.waiting import wait_until
from tls_server import Client, TlsCase, TlsServer, call_once, client_context, count, is_refused
from transport import SERVICE, TransportServer, framed, string_value


def reload(server):
    """SIGHUP, and the line that tells of its end."""
    before = server.read_errors().count("TLS files")
    server.process.send_signal(signal.SIGHUP)
    wait_until(lambda: server.read_errors().count("TLS files") > before, 20, "a reload")


class Reload(TlsCase):
    """Of a server whose files are copies that are replaced."""

    def setUp(self):
        self.directory = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.first = self.authority.issue("first", ["DNS:localhost"])
        self.second = self.authority.issue("second", ["DNS:localhost"])
        self.put(self.first)
        self.server = self.enterContext(TransportServerOfFiles(self.authority, self.directory))

    def put(self, issued, key=None):
        (self.directory / "tls.crt").write_bytes(issued.pem[0])
        (self.directory / "tls.key").write_bytes((key or issued).pem[1])

    def shown(self):
        with self.server.connect() as connection:
            return dict(pair for part in connection.getpeercert()["subject"] for pair in part)["commonName"]

    def test_new_connections_see_the_new_certificate_and_old_ones_live_on(self):
        with Client(self.server) as connection:
            stream = connection.request(SERVICE + "Talk")
            connection.settle()
            self.put(self.second)
            reload(self.server)
            self.assertEqual(self.shown(), "second")
            connection.data(stream, framed(string_value("still here")), end=True)
            self.assertEqual(connection.wait(stream).data, framed(string_value("still here")))

    def test_a_bad_set_keeps_the_old_one_and_says_why(self):
        for spoil, sentence in (
                (lambda: self.put(self.second, self.first), "is not the key of the certificate"),
                (lambda: (self.directory / "tls.crt").write_text("nonsense"), "holds no certificate in PEM"),
                (lambda: (self.directory / "tls.key").unlink(), "is not there"),
                (lambda: (self.directory / "tls.key").write_text(""), "is empty"),
                (lambda: self.put(self.authority.issue("old", ["DNS:localhost"], ends_in_s=-60)), "has expired")):
            with self.subTest(sentence):
                self.put(self.first)
                spoil()
                reload(self.server)
                self.assertIn(sentence, self.server.read_errors())
                self.assertEqual(self.shown(), "first")
        self.put(self.second)
        reload(self.server)
        self.assertEqual(self.shown(), "second")

    def test_calls_go_on_while_files_are_read_again_all_the_time(self):
        with Client(self.server) as connection:
            for issued in [self.second, self.first] * 5:
                self.put(issued)
                self.server.process.send_signal(signal.SIGHUP)
                self.assertEqual(dict(connection.call("Raw").trailers)["grpc-status"], "0")
                call_once(self.server)


class TransportServerOfFiles(TlsServer):
    def __init__(self, authority, directory, **settings):
        super().__init__(authority, **settings)
        self.settings.update(tls_certificate=directory / "tls.crt", tls_key=directory / "tls.key")


class Start(TlsCase):
    def test_a_server_refuses_to_start_with_files_that_are_wrong(self):
        good, other = self.authority.issue("good", []), self.authority.issue("other", [])
        expired = self.authority.issue("expired", [], ends_in_s=-60)
        for settings, sentence in (
                ({"tls_certificate": good.certificate}, "need each other"),
                ({"tls_certificate": good.certificate, "tls_key": other.key}, "is not the key of the certificate"),
                ({"tls_certificate": good.key, "tls_key": good.key}, "holds no certificate in PEM"),
                ({"tls_certificate": expired.certificate, "tls_key": expired.key}, "has expired"),
                ({"tls_certificate": "/nowhere", "tls_key": good.key}, "/nowhere is not there"),
                ({"tls_certificate": good.certificate, "tls_key": good.key, "tls_client_ca": good.key},
                 "holds no certificate in PEM"),
                ({"tls_certificate": good.certificate, "tls_key": good.key, "tls_client_certificates": "required"},
                 "needs --tls-client-ca"),
                ({"tls_certificate": good.certificate, "tls_key": good.key, "tls_client_ca": good.certificate,
                  "tls_client_certificates": "off", "tls_client_permissions": good.key}, "=optional or required"),
                ({"tls_certificate": good.certificate, "tls_key": good.key, "tls_client_ca": good.certificate,
                  "tls_revocation_list": good.certificate}, "holds no certificate revocation list in PEM")):
            with self.subTest(sentence), self.assertRaisesRegex(AssertionError, re.escape(sentence)):
                with TransportServer(**settings):
                    pass


class ClientCertificates(TlsCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.foreign = cls.enterClassContext(Authority("Somebody else"))
        cls.intermediate = cls.enterClassContext(Authority("Intermediate", parent=cls.authority))
        cls.server = cls.enterClassContext(TlsServer(cls.authority, tls_client_ca=cls.authority.certificate))

    def context(self, issued):
        return client_context(self.authority, issued)

    def chained(self, issued):
        """With the intermediate's certificate behind its own."""
        path = Path(issued.certificate)
        path.write_bytes(path.read_bytes() + Path(self.intermediate.certificate).read_bytes())
        return issued

    def test_a_good_one_is_taken_and_so_is_none_where_they_are_optional(self):
        call_once(self.server, self.context(self.authority.issue("client", ["URI:spiffe://test/one"], "clientAuth")))
        call_once(self.server)

    def test_one_by_an_intermediate_is_taken(self):
        call_once(self.server, self.context(self.chained(self.intermediate.issue("client", ["DNS:client.test"]))))

    def test_none_is_refused_where_they_are_required(self):
        server = self.serve(tls_client_ca=self.authority.certificate, tls_client_certificates="required")
        self.assertTrue(is_refused(server))
        call_once(server, self.context(self.authority.issue("client", ["DNS:client.test"])))
        count(server, "tls_failed")
        self.assertIn("the client has shown no certificate", server.read_errors())

    def test_nobody_is_asked_where_they_are_off(self):
        server = self.serve(tls_client_ca=self.authority.certificate, tls_client_certificates="off")
        call_once(server, self.context(self.foreign.issue("client", ["DNS:client.test"])))

    def test_foreign_expired_early_and_misused_ones_are_refused(self):
        for name, issued in (
                ("foreign", self.foreign.issue("client", ["DNS:client.test"])),
                ("expired", self.authority.issue("client", ["DNS:client.test"], ends_in_s=-60)),
                ("early", self.authority.issue("client", ["DNS:client.test"], began_s_ago=-3600)),
                ("of servers only", self.authority.issue("client", ["DNS:client.test"], "serverAuth")),
                ("without its intermediate", self.intermediate.issue("client", ["DNS:client.test"]))):
            with self.subTest(name):
                self.assertTrue(is_refused(self.server, self.context(issued)))

    def test_names_that_could_be_understood_in_two_ways_are_refused(self):
        for names, extensions in (
                (["URI:spiffe://test/one", "URI:spiffe://test/two"], ()),
                (["URI:spiffe://test/one", "URI:https://example.com/"], ()),
                (["URI:spiffe://Test/one"], ()),
                (["URI:spiffe://test/one/"], ()),
                (["URI:spiffe://test:8443/one"], ()),
                (["URI:spiffe://test/a?b"], ()),
                (["URI:spiffe://test/one"], ["basicConstraints=critical,CA:true"])):
            with self.subTest(names=names, extensions=extensions):
                issued = self.authority.issue("client", names, extensions=extensions)
                self.assertTrue(is_refused(self.server, self.context(issued)))

    def test_a_revoked_one_is_refused_and_its_neighbour_is_not(self):
        revoked, neighbour = (self.authority.issue(name, [f"DNS:{name}.test"]) for name in ("revoked", "neighbour"))
        self.authority.revoke(revoked)
        revocations = self.authority.write_revocations(self.authority.directory / "revoked.crl")
        server = self.serve(tls_client_ca=self.authority.certificate, tls_revocation_list=revocations)
        self.assertTrue(is_refused(server, self.context(revoked)))
        call_once(server, self.context(neighbour))
        count(server, "tls_failed")
        self.assertIn("certificate revoked", server.read_errors())

    def test_all_of_a_chain_is_looked_up_in_lists_of_all_authorities(self):
        client = self.chained(self.intermediate.issue("client", ["DNS:client.test"]))
        lists = self.authority.directory / "lists.crl"
        own = Path(self.authority.write_revocations(self.authority.directory / "own.crl")).read_bytes()
        lower = Path(self.intermediate.write_revocations(self.authority.directory / "lower.crl")).read_bytes()
        lists.write_bytes(own)
        server = self.serve(tls_client_ca=self.authority.certificate, tls_revocation_list=lists)
        self.assertTrue(is_refused(server, self.context(client)), "without the list of the intermediate")
        lists.write_bytes(own + lower)
        reload(server)
        call_once(server, self.context(client))

    def test_a_new_authority_is_taken_in_by_a_reload(self):
        bundle = self.authority.directory / "bundle.crt"
        bundle.write_bytes(Path(self.authority.certificate).read_bytes())
        server = self.serve(tls_client_ca=bundle)
        context = self.context(self.foreign.issue("client", ["DNS:client.test"]))
        self.assertTrue(is_refused(server, context))
        bundle.write_bytes(bundle.read_bytes() + Path(self.foreign.certificate).read_bytes())
        reload(server)
        call_once(server, context)


class Resumption(TlsCase):
    VERSIONS = (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)

    def test_a_session_goes_on_also_after_a_reload(self):
        server = self.serve()
        for version in self.VERSIONS:
            context = client_context(self.authority, version=version)
            with self.subTest(version.name):
                session, is_reused = call_once(server, context)
                self.assertFalse(is_reused)
                session, is_reused = call_once(server, context, session)
                self.assertTrue(is_reused)
                reload(server)
                self.assertTrue(call_once(server, context, session)[1])

    def test_a_session_of_another_process_begins_anew(self):
        session, _ = call_once(self.serve(), context := client_context(self.authority))
        self.assertFalse(call_once(self.serve(), context, session)[1])

    def test_a_revoked_client_does_not_go_on(self):
        client = self.authority.issue("client", ["DNS:client.example.com"])
        revocations = self.authority.write_revocations(self.authority.directory / "resumed.crl")
        server = self.serve(tls_client_ca=self.authority.certificate, tls_revocation_list=revocations)
        for version in self.VERSIONS:
            context = client_context(self.authority, client, version=version)
            session, _ = call_once(server, context)
            self.assertTrue(call_once(server, context, session)[1], version)
        self.authority.revoke(client)
        self.authority.write_revocations(revocations)
        reload(server)
        for version in self.VERSIONS:
            with self.subTest(version.name):
                context = client_context(self.authority, client, version=version)
                self.assertTrue(is_refused(server, context))


if __name__ == "__main__":
    unittest.main()
