"""Servers are replaced while grpc-js and grpc-go call them, and no call fails: two replicas of each one after the other, and one
in its place (--reuse-port). docs/upgrade.md."""

import re
import sys
import unittest

from latchkey_test import Deployment, Server, stubs
from latchkey_test.waiting import wait_until

from callers import ROUND_ROBIN, WITH_RETRIES, GoCaller, NodeCaller, call

invitation_pb2 = stubs.messages("latchkey/v1/invitation.proto")
token_pb2 = stubs.messages("latchkey/v1/token.proto")
validation_pb2 = stubs.messages("latchkey/v1/validation.proto")
whitelist_pb2 = stubs.messages("latchkey/v1/whitelist.proto")

CLIENTS = (NodeCaller, GoCaller)
VALIDATE = "/latchkey.v1.ValidationService/Validate"
# Server -> a method of it, one that writes among them, and what to ask.
METHODS = {
    "latchkey-token": ("/latchkey.v1.TokenService/CreateAccessToken", token_pb2.CreateAccessTokenRequest(label="replaced")),
    "latchkey-whitelist": ("/latchkey.v1.WhitelistService/CheckIp", whitelist_pb2.CheckIpRequest(client_ip="203.0.113.7")),
    "latchkey-invitation": ("/latchkey.v1.InvitationService/ListInvitations", invitation_pb2.ListInvitationsRequest()),
    "latchkey-validator": (VALIDATE, None),
}
_ANSWERED = re.compile(r'^grpc_server_handled_total\{[^}]*grpc_method="(\w+)"[^}]*grpc_code="OK"[^}]*\} (\d+)$', re.MULTILINE)
_CONNECTIONS = re.compile(r"^latchkey_connections (\d+)$", re.MULTILINE)


class Replacement(unittest.TestCase):
    def setUp(self):
        self.deployment = self.enterContext(Deployment())
        self.secret = self.deployment.secrets["LATCHKEY_TOKEN"]

    def call(self, name, servers):
        path, request = METHODS[name]
        question = validation_pb2.ValidateRequest(token=self.secret, channel=1, client_ip="127.0.0.1")
        return call(path, servers, self.secret, request or question)

    def start_in_its_place(self, server):
        """Another process at the same ports, when it listens there, too."""
        new = Server(server.name, **server.settings)
        new.address, new.admin_address = server.address, server.admin_address
        self.addCleanup(new.remove)
        new.start(ready=False)
        wait_until(lambda: " listening " in new.log(), 60, "the new process to listen")
        return new

    def wait_called_by_everybody(self, server, path):
        """Until each client has a connection to it, and it has answered."""
        def is_called():
            page = server.admin("/metrics")[1]
            answered = {method: int(count) for method, count in _ANSWERED.findall(page)}
            connections = _CONNECTIONS.search(page)
            return connections and int(connections[1]) >= len(CLIENTS) and answered.get(path.rpartition("/")[2], 0) >= 10
        wait_until(is_called, 120, f"every client to call {server.name} at {server.address}")

    def assert_no_call_failed(self, callers, paths):
        for caller in callers:
            self.assertEqual(caller.counts.keys(), set(paths))
            for path, counts in caller.counts.items():
                self.assertEqual(list(counts), ["answered"], f"{type(caller).__name__} {path}: {counts}")
            print(f"    {type(caller).__name__}: {sum(counts['answered'] for counts in caller.counts.values())} calls, none failed", file=sys.stderr)

    def test_no_call_fails_while_two_replicas_of_each_server_are_replaced_one_after_the_other(self):
        replicas = {name: [self.enterContext(self.deployment.beside(name)) for _ in range(2)] for name in METHODS}
        callers = [client(WITH_RETRIES, [self.call(name, servers) for name, servers in replicas.items()]) for client in CLIENTS]
        with callers[0], callers[1]:
            for name, servers in replicas.items():
                for server in servers:
                    self.wait_called_by_everybody(server, METHODS[name][0])
                for server in servers:
                    server.stop()
                    server.start()
                    self.wait_called_by_everybody(server, METHODS[name][0])
        self.assert_no_call_failed(callers, [path for path, _ in METHODS.values()])

    def test_no_call_fails_while_the_only_process_is_replaced_in_its_place(self):
        server = self.enterContext(self.deployment.beside("latchkey-validator", reuse_port=True))
        callers = [client(ROUND_ROBIN, [self.call("latchkey-validator", [server])]) for client in CLIENTS]
        with callers[0], callers[1]:
            self.wait_called_by_everybody(server, VALIDATE)
            for _ in range(3):
                new = self.start_in_its_place(server)
                server.stop()
                server = new
                self.wait_called_by_everybody(server, VALIDATE)
        self.assert_no_call_failed(callers, [VALIDATE])


if __name__ == "__main__":
    unittest.main()
