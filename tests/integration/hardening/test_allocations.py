"""A decision costs no allocation: what a validator that has warmed up asks of malloc while it answers a hundred thousand calls."""

import re
import struct
import subprocess
import tempfile
import unittest
from pathlib import Path

from latchkey_test import BUILD, CallCase, Deployment, stubs

token_pb2 = stubs.messages("latchkey/v1/token.proto")
validation_pb2 = stubs.messages("latchkey/v1/validation.proto")
decision_pb2 = stubs.messages("latchkey/v1/decision.proto")

CALLS = 100_000
AT_ONCE = (1, 100)
# The connection's own, what the follower does meanwhile, and where many calls are under way a message that the end of a read has cut
# in two, which is put together in memory of its own.
ALLOCATIONS_MAX = CALLS // 10


class Allocations(CallCase):
    @classmethod
    def setUpClass(cls):
        cls.directory = Path(cls.enter(tempfile.TemporaryDirectory(prefix="latchkey-allocations-")))
        cls.deployment = cls.enter(Deployment())
        with cls.deployment.administrator() as administrator:
            cls.secret = administrator.tokens.CreateAccessToken(token_pb2.CreateAccessTokenRequest(
                label="of a test", permissions=["charges.read"], allowed_ips=["203.0.113.0/24"]), timeout=20).secret
        counted = {"LD_PRELOAD": str(BUILD / "bin/tests/allocation-count.so"), "ALLOCATION_COUNT": str(cls.directory / "count")}
        cls.validator = cls.enter(cls.deployment.beside("latchkey-validator", environment=counted))
        cls.body = cls.directory / "question"
        question = validation_pb2.ValidateRequest(token=cls.secret, channel=decision_pb2.CHANNEL_API, client_ip="203.0.113.7",
                                                  permissions=["charges.read"]).SerializeToString()
        cls.body.write_bytes(struct.pack(">BI", 0, len(question)) + question)

    def count(self):
        return struct.unpack("=Q", (self.directory / "count").read_bytes())[0]

    def admitted(self):
        return int(re.search(r'^latchkey_validate_decisions_total{reason="OK"} (\d+)$', self.validator.admin("/metrics")[1],
                             re.MULTILINE)[1])

    def call(self, streams):
        """On one connection; how many allocations there were."""
        before, admitted = self.count(), self.admitted()
        subprocess.run(["h2load", "-n", str(CALLS), "-c", "1", "-m", str(streams), "-d", self.body,
                        "-H", "content-type: application/grpc", "-H", "te: trailers",
                        f"http://{self.validator.address}/latchkey.v1.ValidationService/Validate"],
                       stdout=subprocess.DEVNULL, timeout=300, check=True)
        allocations = self.count() - before
        self.assertEqual(self.admitted() - admitted, CALLS)
        return allocations

    def test_a_decision_costs_none(self):
        self.assertGreater(self.count(), 100)  # those of the start: it counts
        for streams in AT_ONCE:
            self.call(streams)  # warms it up
            allocations = self.call(streams)
            print(f"{allocations} allocations for {CALLS} calls, {streams} at once")
            self.assertLess(allocations, ALLOCATIONS_MAX)


if __name__ == "__main__":
    unittest.main()
