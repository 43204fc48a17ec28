"""TLS: what is agreed on, what is refused, and how connections begin and end under it."""

import os
import signal
import socket
import ssl
import struct
import subprocess
import tempfile
import unittest
from pathlib import Path

import grpc
from latchkey_test.ports import own_address
from latchkey_test.waiting import wait_until
from tls_server import Client, TlsCase, TlsServer, call_once, client_context, count, is_refused
from transport import SERVICE, Answer, Connection, TransportServer, framed, string_value

AEAD_CIPHERS = ["ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-ECDSA-CHACHA20-POLY1305"]
WEAK_CIPHERS = ["ECDHE-ECDSA-AES128-SHA256", "ECDHE-ECDSA-AES128-SHA", "DHE-RSA-AES128-GCM-SHA256", "AES128-GCM-SHA256"]

# How frames of the connection begin, after their length.
SETTINGS = b"\x04\x00\x00\x00\x00\x00"
GOAWAY = b"\x07\x00\x00\x00\x00\x00"


class Agreement(TlsCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.server = cls.enterClassContext(TlsServer(cls.authority))

    def context(self, **options):
        return client_context(self.authority, **options)

    def test_versions_1_2_and_1_3_are_spoken(self):
        for version, name in ((ssl.TLSVersion.TLSv1_2, "TLSv1.2"), (ssl.TLSVersion.TLSv1_3, "TLSv1.3")):
            with self.subTest(name), self.server.connect(self.context(version=version)) as connection:
                self.assertEqual(connection.version(), name)

    def test_older_versions_are_refused_and_told_so(self):
        for version in (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1):
            context = self.context(version=version, ciphers="ALL:@SECLEVEL=0")
            with self.subTest(version.name), self.assertRaisesRegex(ssl.SSLError, "(?i)alert protocol version"):
                self.server.connect(context)

    def test_ciphers_of_1_2_with_forward_secrecy_and_authentication_are_spoken(self):
        for cipher in AEAD_CIPHERS:
            context = self.context(version=ssl.TLSVersion.TLSv1_2, ciphers=cipher)
            with self.subTest(cipher), self.server.connect(context) as connection:
                self.assertEqual(connection.cipher()[0], cipher)

    def test_all_other_ciphers_of_1_2_are_refused(self):
        for cipher in WEAK_CIPHERS:
            context = self.context(version=ssl.TLSVersion.TLSv1_2, ciphers=cipher + ":@SECLEVEL=0")
            with self.subTest(cipher), self.assertRaisesRegex(ssl.SSLError, "(?i)alert handshake failure"):
                self.server.connect(context)

    def test_http2_is_agreed_on_among_others(self):
        with self.server.connect(self.context(protocols=("http/1.1", "h2"))) as connection:
            self.assertEqual(connection.selected_alpn_protocol(), "h2")

    def test_who_does_not_offer_http2_is_told_that_no_protocol_fits(self):
        for protocols in ((), ("http/1.1",), ("h2c", "spdy/3")):
            with self.subTest(protocols), self.assertRaisesRegex(ssl.SSLError, "(?i)no application protocol"):
                self.server.connect(self.context(protocols=protocols))

    def test_what_is_no_tls_is_closed_counted_and_told(self):
        for text in (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n", b"SSH-2.0-OpenSSH_9.2\r\n"):
            with self.subTest(text), TlsServer(self.authority) as server:
                with server.connect_plain() as connection:
                    connection.sendall(text)
                    while connection.recv(4096):
                        pass
                count(server, "tls_failed")
                self.assertIn("what comes is not TLS", server.read_errors())

    def test_renegotiation_is_refused_and_harms_nobody(self):
        command = ["openssl", "s_client", "-connect", self.server.target, "-tls1_2", "-alpn", "h2"]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as client:
            said = b""
            while SETTINGS not in said:  # it would take them for a part of the new handshake
                said += os.read(client.stdout.fileno(), 65536)
            client.stdin.write(b"R\n")
            client.stdin.flush()  # and not closed: that would end it before the answer
            said = client.stdout.read()  # the refusal ends it
        self.assertIn(b"no renegotiation", said)
        call_once(self.server)

    def test_rsa_certificates_serve_as_well(self):
        issued = self.authority.issue("server", ["DNS:localhost"], key="rsa")
        with TlsServer(self.authority, issued) as server:
            call_once(server)
            call_once(server, self.context(version=ssl.TLSVersion.TLSv1_2))

    def test_clients_of_grpcio_call(self):
        credentials = grpc.ssl_channel_credentials(Path(self.authority.certificate).read_bytes())
        with grpc.secure_channel(f"localhost:{self.server.address[1]}", credentials) as channel:
            call = channel.unary_unary(SERVICE + "Raw")
            self.assertEqual(call(string_value("hello"), timeout=20), string_value("hello"))

    def test_a_unix_socket_stays_plain(self):
        with tempfile.TemporaryDirectory() as directory, PlainClients(self.authority, listen=f"unix:{directory}/s") as server, \
                Connection(server) as connection:
            self.assertEqual(dict(connection.call("Raw").trailers)["grpc-status"], "0")


class PlainClients(TlsServer):
    """Whose clients do not speak TLS."""

    def connect(self, *_):
        return self.connect_plain()


class Handshakes(TlsCase):
    def test_one_that_does_not_come_to_an_end_is_cut_off(self):
        server = self.serve(tls_handshake_timeout="200ms")
        with server.connect_plain() as silent, server.connect_plain() as slow:
            slow.sendall(b"\x16\x03\x01\x02\x00\x01")
            for connection in (silent, slow):
                connection.settimeout(20)
                self.assertEqual(connection.recv(1), b"")
        count(server, "tls_timeout", 2)

    def test_whoever_says_nothing_makes_room_for_who_comes(self):
        server = self.serve(tls_max_handshakes=2)
        with server.connect_plain() as first, server.connect_plain():
            for _ in range(5):
                call_once(server)
            first.settimeout(20)
            self.assertTrue(is_at_end(first))
        count(server, "tls_budget")

    def test_whoever_was_answered_keeps_a_place_for_a_second(self):
        server = self.serve(tls_max_handshakes=1)
        with server.connect_plain() as answered:
            answered.settimeout(20)
            answered.sendall(client_hello(server))
            self.assertTrue(answered.recv(65536))
            with server.connect_plain() as refused:
                refused.settimeout(20)
                self.assertTrue(is_at_end(refused))
            wait_until(lambda: not is_refused(server), 20, "a second to pass")
            self.assertTrue(is_at_end(answered))

    def test_one_address_may_begin_so_many_in_a_second(self):
        address = own_address()
        issued = self.authority.issue("server", [f"IP:{address}", "DNS:localhost"])
        with TlsServer(self.authority, issued, listen=f"{address}:0", tls_handshake_rate=2) as server:
            refused = [is_refused(server) for _ in range(20)]
            self.assertIn(True, refused)
            self.assertEqual(refused[:2], [False, False])
            count(server, "tls_budget")
            wait_until(lambda: not is_refused(server), 20, "a second to pass")

    def test_who_goes_in_the_middle_of_one_harms_nobody(self):
        server = self.serve()
        hello = client_hello(server)
        for length in (0, 1, 5, 100, len(hello)):
            connection = server.connect_plain()
            connection.sendall(hello[:length])
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            connection.close()
        count(server, "peer_closed", 5)
        call_once(server)

    def test_it_may_come_byte_by_byte_and_so_may_calls(self):
        server = self.serve()
        with Client(server, _ByteByByte(server)) as connection:
            self.assertEqual(dict(connection.call("Raw").trailers)["grpc-status"], "0")

    def test_a_drain_serves_those_whose_handshake_has_begun(self):
        server = self.serve(drain_grace="20s")
        hello, incoming = client_hello(server), ssl.MemoryBIO()
        with server.connect_plain() as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            client, outgoing = begin_handshake(server, incoming)
            hello = outgoing.read()
            connection.sendall(hello[:10])
            with Client(server) as settled:  # accepted after that one, on the same loop
                settled.settle()
            server.process.send_signal(signal.SIGTERM)
            wait_until(lambda: is_closed_port(server), 20, "the drain to begin")
            connection.sendall(hello[10:])
            finish_handshake(client, connection, incoming, outgoing)
            frames = b""
            while GOAWAY not in frames:
                frames += read_some(client, connection, incoming)
        self.assertEqual(server.process.wait(20), 0)


def is_at_end(connection):
    try:
        return connection.recv(1) == b""
    except ConnectionResetError:
        return True


def is_closed_port(server):
    try:
        server.connect_plain().close()
    except ConnectionRefusedError:
        return True
    except ConnectionError:  # closing at this moment
        return False
    return False


def begin_handshake(server, incoming):
    outgoing = ssl.MemoryBIO()
    client = server.context.wrap_bio(incoming, outgoing, server_hostname="localhost")
    try:
        client.do_handshake()
    except ssl.SSLWantReadError:
        pass
    return client, outgoing


def client_hello(server):
    return begin_handshake(server, ssl.MemoryBIO())[1].read()


def finish_handshake(client, connection, incoming, outgoing):
    connection.settimeout(20)
    while True:
        try:
            client.do_handshake()
            connection.sendall(outgoing.read())
            break
        except ssl.SSLWantReadError:
            connection.sendall(outgoing.read())
            take_in(connection, incoming)
    client.write(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes.fromhex("000000040000000000"))
    connection.sendall(outgoing.read())


def read_some(client, connection, incoming):
    while True:
        try:
            return client.read(65536)
        except ssl.SSLWantReadError:
            take_in(connection, incoming)


def take_in(connection, incoming):
    received = connection.recv(65536)
    if not received:
        raise ConnectionResetError("the server has closed")
    incoming.write(received)


class _ByteByByte:
    """In place of a context: TLS over a socket that takes one byte at a time, with one byte in each record."""

    def __init__(self, server):
        self._server = server

    def wrap_socket(self, plain, server_hostname, session=None):
        del session
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return _ByteSocket(self._server.context, plain, server_hostname)


class _ByteSocket:
    def __init__(self, context, plain, server_hostname):
        self._plain, self._in, self._out = plain, ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._in, self._out, server_hostname=server_hostname)
        self._until(self._tls.do_handshake)

    def _until(self, action):
        while True:
            try:
                result = action()
                self._send()
                return result
            except ssl.SSLWantReadError:
                self._send()
                self._in.write(self._plain.recv(65536))

    def _send(self):
        for byte in self._out.read():
            self._plain.sendall(bytes([byte]))

    def sendall(self, data):
        for byte in data:
            self._until(lambda byte=byte: self._tls.write(bytes([byte])))

    def recv(self, size):
        return self._until(lambda: self._tls.read(size))

    def settimeout(self, timeout):
        self._plain.settimeout(timeout)

    def close(self):
        self._plain.close()


class Life(TlsCase):
    """After the handshake."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.server = cls.enterClassContext(TlsServer(cls.authority))

    def test_large_messages_go_both_ways_whole(self):
        message = string_value(os.urandom(1 << 18).hex().encode())
        with Client(self.server) as connection:
            answer = connection.call("Raw", framed(message))
        self.assertEqual(answer.data, framed(message))

    def test_streams_flow_as_they_are_taken(self):
        with Client(self.server) as connection:
            answer = connection.call("Count", framed(string_value("50000")))
        expected = b"".join(framed(string_value(str(number)) if number else string_value("0")) for number in range(50000))
        self.assertEqual(answer.data, expected)

    def test_calls_of_a_turn_are_answered_in_one_write_as_without_tls(self):
        def count_writes(server):
            with Connection(server) as connection:
                connection.settle()
                before = writes_of(server.process.pid)
                streams = [connection.h2.get_next_available_stream_id() + 2 * index for index in range(50)]
                for stream in streams:
                    connection.h2.send_headers(stream, [(":method", "POST"), (":scheme", "http"), (":authority", "test"),
                                                        (":path", SERVICE + "Raw"), ("te", "trailers"),
                                                        ("content-type", "application/grpc")])
                    connection.answers[stream] = Answer()
                    connection.h2.send_data(stream, framed(string_value("hello")), end_stream=True)
                connection.flush()
                for stream in streams:
                    connection.wait(stream)
                return writes_of(server.process.pid) - before
        with TransportServer() as plain:
            without = count_writes(plain)
        self.assertLessEqual(count_writes(self.server), without + 2)

    def test_an_end_that_is_said_is_no_reset_and_one_that_is_not_is(self):
        before = self.server.counters()
        with self.server.connect() as connection:
            connection.recv(65536)
            connection.unwrap()
        count(self.server, "peer_closed", before["peer_closed"] + 1)
        with self.server.connect() as connection:
            connection.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
            connection.shutdown(socket.SHUT_RDWR)
        count(self.server, "peer_reset", before["peer_reset"] + 1)

    def test_the_server_says_its_end(self):
        server = self.serve()
        plain = server.connect_plain()
        with server.context.wrap_socket(plain, server_hostname="localhost", suppress_ragged_eofs=False) as connection:
            connection.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\x00\x00\x00\x04\x00\x00\x00\x00\x00")
            connection.recv(1)
            server.process.send_signal(signal.SIGTERM)
            connection.settimeout(30)
            while connection.recv(65536):  # one that was cut off would raise
                pass

    def test_bytes_changed_on_their_way_end_the_connection(self):
        before = self.server.counters()["tls_failed"]
        incoming = ssl.MemoryBIO()
        with self.server.connect_plain() as connection:
            client, outgoing = begin_handshake(self.server, incoming)
            finish_handshake(client, connection, incoming, outgoing)
            client.write(b"\x00" * 100)
            record = bytearray(outgoing.read())
            record[-1] ^= 1
            connection.sendall(record)
            while connection.recv(65536):
                pass
        count(self.server, "tls_failed", before + 1)


def writes_of(pid):
    with open(f"/proc/{pid}/io", encoding="ascii") as counters:
        return next(int(line.split()[1]) for line in counters if line.startswith("syscw"))


if __name__ == "__main__":
    unittest.main()
