"""What a server's memory still holds of the secrets that went through it, and what others may see of that memory."""

import re
import unittest
from pathlib import Path

import grpc

from latchkey_test import CallCase, Client, Deployment, connect, stubs
from latchkey_test.waiting import wait_until

token_pb2 = stubs.messages("latchkey/v1/token.proto")
validation_pb2 = stubs.messages("latchkey/v1/validation.proto")
decision_pb2 = stubs.messages("latchkey/v1/decision.proto")
invitation_pb2 = stubs.messages("latchkey/v1/invitation.proto")

_MAPPING = re.compile(r"^([0-9a-f]+)-([0-9a-f]+) rw")
_LARGEST = 1 << 30  # a sanitizer's own books are larger


def read_memory(pid):
    """The pieces of a process's memory that it can write."""
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for line in Path(f"/proc/{pid}/maps").read_text(encoding="utf-8").splitlines():
            if found := _MAPPING.match(line):
                start, end = (int(part, 16) for part in found.groups())
                if end - start > _LARGEST:
                    continue
                memory.seek(start)
                try:
                    yield memory.read(end - start)
                except OSError:  # a guard page
                    continue


class Memory(CallCase):
    """A server and its deployment; the administrator's connection is opened and closed by each call."""

    @classmethod
    def setUpClass(cls):
        cls.deployment = Deployment()
        cls.deployment.__enter__()
        cls.addClassCleanup(cls.deployment.__exit__, None, None, None)

    def find(self, secrets):
        """How often each secret is still there, by what nobody could guess of it."""
        needles = {name: secret[6:49].encode() for name, secret in secrets.items()}
        counts = dict.fromkeys(needles, 0)
        for piece in read_memory(self.deployment.server.pid):
            for name, needle in needles.items():
                counts[name] += piece.count(needle)
        return {name: count for name, count in counts.items() if count}

    def test_a_secret_that_is_in_use_is_found(self):
        """The search itself can fail: a connection that is open keeps the header that its client has indexed."""
        with self.deployment.administrator() as client:
            client.tokens.GetCaller(token_pb2.GetCallerRequest(), timeout=20)
            self.assertTrue(self.find({"administrator": self.deployment.secrets["LATCHKEY_TOKEN"]}))

    def test_secrets_are_gone_when_their_calls_and_connections_are(self):
        secrets = {"administrator": self.deployment.secrets["LATCHKEY_TOKEN"]}
        with self.deployment.administrator() as client:
            made = client.tokens.CreateAccessToken(token_pb2.CreateAccessTokenRequest(
                label="canary", permissions=["charges.read"]), timeout=20)
            rotated = client.tokens.RotateAccessToken(token_pb2.RotateAccessTokenRequest(
                token_id=made.access_token.token_id, grace={"seconds": 3600}), timeout=20)
        secrets |= {"made": made.secret, "rotated": rotated.secret}
        for name in ("made", "rotated"):
            self.use(secrets[name], rotated.revision)
        self.guess(secrets, "unknown", "lka_0B" + "Q7" * 21 + "w" + "000000")
        wait_until(lambda: not self.find(secrets), 20, "the secrets to be wiped")

    def test_secrets_that_came_as_json_or_compressed_are_gone_too(self):
        address, administrator = self.deployment.server.address, self.deployment.secrets["LATCHKEY_TOKEN"]
        status, made = connect.post(address, "/latchkey.v1.TokenService/CreateAccessToken",
                                    {"label": "canary", "permissions": ["charges.read"]}, administrator, compressed=True)
        self.assertEqual(status, 200, made)
        for compressed in (False, True):
            status, answer = connect.post(address, "/latchkey.v1.ValidationService/Validate", {
                "token": made["secret"], "channel": "CHANNEL_API", "clientIp": "203.0.113.7", "minRevision": made["revision"],
                "anyPermissions": ["charges.read"] * 50}, compressed=compressed)  # longer than one step of inflating
            self.assertEqual((status, answer["decision"]), (200, "DECISION_ALLOW"))
        secrets = {"administrator": administrator, "made": made["secret"]}
        wait_until(lambda: not self.find(secrets), 20, "the secrets to be wiped")

    def use(self, secret, revision):
        with Client(self.deployment.server.address, secret) as client:
            client.tokens.GetCaller(token_pb2.GetCallerRequest(), timeout=20)
            answer = client.validation.Validate(validation_pb2.ValidateRequest(
                token=secret, channel=decision_pb2.CHANNEL_API, client_ip="203.0.113.7", min_revision=revision), timeout=20)
            self.assertEqual(answer.decision, decision_pb2.DECISION_ALLOW)

    def guess(self, secrets, name, secret):
        """What is refused is wiped like what is not."""
        secrets[name] = secret
        with Client(self.deployment.server.address, secret) as client:
            with self.assertRaises(grpc.RpcError):
                client.tokens.GetCaller(token_pb2.GetCallerRequest(), timeout=20)
            client.tokens.ReportLeakedToken(token_pb2.ReportLeakedTokenRequest(secret=secret), timeout=20)
            with self.assertRaises(grpc.RpcError):
                client.invitations.LookupInvitation(invitation_pb2.LookupInvitationRequest(secret=secret), timeout=20)

    def test_no_core_dump_has_any_of_it(self):
        process = Path(f"/proc/{self.deployment.server.pid}")
        self.assertEqual(int((process / "coredump_filter").read_text(), 16), 0)
        limits = (process / "limits").read_text()
        self.assertRegex(limits, r"Max core file size +0 +0 ")


if __name__ == "__main__":
    unittest.main()
