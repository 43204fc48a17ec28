"""Few long-lived connections are spread evenly over a validator's loops, and its metrics say so."""

import re
import tempfile
import unittest
from pathlib import Path

import grpc

from latchkey_test import Server, stubs
from latchkey_test.authority import Authority
from latchkey_test.waiting import wait_until
from validate_case import ALLOW, ValidateCase

validation_grpc = stubs.services("latchkey/v1/validation.proto")

LOOPS = 2
_OF_LOOP = re.compile(r'^latchkey_loop_connections\{loop="(\d+)"\} (\d+)$', re.MULTILINE)
_OF_ALL = re.compile(r"^latchkey_connections (\d+)$", re.MULTILINE)


class _Asker:
    """A client with a connection of its own, and one question asked on it."""

    def __init__(self, case, address, credentials):
        options = [("grpc.use_local_subchannel_pool", 1)]
        self.channel = grpc.secure_channel(address, credentials, options) if credentials else grpc.insecure_channel(address, options)
        self.validation = validation_grpc.ValidationServiceStub(self.channel)
        case.addCleanup(self.channel.close)
        case.assertEqual(case.ask(case.secret, client=self).decision, ALLOW)


class LoopConnections(ValidateCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.secret = cls.deployment.secrets["LATCHKEY_TOKEN"]

    def serve(self, **settings):
        return self.enterContext(Server("latchkey-validator", database_url=self.deployment.url, loops=LOOPS, **settings))

    def read(self, server):
        """What is open on each loop; all together are as many as the server says."""
        text = server.admin("/metrics")[1]
        counts = [int(count) for _, count in sorted(_OF_LOOP.findall(text))]
        self.assertEqual(sum(counts), int(_OF_ALL.search(text)[1]))
        return counts

    def check_evenly(self, server, address, credentials=None):
        self.assertEqual(self.read(server), [0, 0])
        askers = []
        for count in range(1, 9):
            askers.append(_Asker(self, address, credentials))
            counts = self.read(server)
            self.assertEqual((sum(counts), max(counts) - min(counts)), (count, count % 2))
        for asker in askers:
            self.assertEqual(self.ask(self.secret, client=asker).decision, ALLOW)
            asker.channel.close()
        wait_until(lambda: self.read(server) == [0, 0], 20, "the connections to be closed")

    def test_eight_connections_one_after_another_are_four_on_each_of_two_loops(self):
        server = self.serve()
        self.check_evenly(server, server.address)

    def test_so_are_those_of_a_unix_socket(self):
        with tempfile.TemporaryDirectory() as directory:
            address = f"unix:{directory}/socket"
            self.check_evenly(self.serve(listen=address), address)

    def test_so_are_those_of_tls(self):
        authority = self.enterContext(Authority())
        issued = authority.issue("server", ["IP:127.0.0.1"])
        server = self.serve(tls_certificate=issued.certificate, tls_key=issued.key)
        self.check_evenly(server, server.address, grpc.ssl_channel_credentials(Path(authority.certificate).read_bytes()))

    def test_who_comes_when_others_have_left_goes_where_they_were(self):
        server = self.serve()
        first = [_Asker(self, server.address, None) for _ in range(8)]
        for asker in first[1:]:
            asker.channel.close()
        wait_until(lambda: sum(self.read(server)) == 1, 20, "seven connections to be closed")
        for _ in range(3):
            _Asker(self, server.address, None)
        self.assertEqual(self.read(server), [2, 2])

    def test_as_many_as_may_be_are_let_in(self):
        server = self.serve(max_connections=8)
        for _ in range(8):
            _Asker(self, server.address, None)
        self.assertEqual(self.read(server), [4, 4])
        with self.assertRaises(grpc.RpcError) as raised:
            _Asker(self, server.address, None)
        self.assertEqual(raised.exception.code(), grpc.StatusCode.UNAVAILABLE)


if __name__ == "__main__":
    unittest.main()
