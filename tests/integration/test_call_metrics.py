"""What is counted of calls: begun, ended by code, messages each way and the time that they took, by method."""

import re
import unittest

import grpc

from latchkey_test import Deployment, stubs
from latchkey_test.waiting import wait_until

decision_pb2 = stubs.messages("latchkey/v1/decision.proto")
validation_pb2 = stubs.messages("latchkey/v1/validation.proto")
token_pb2 = stubs.messages("latchkey/v1/token.proto")

_SAMPLE = re.compile(r"^(grpc_server_\w+)\{(.*)\} (\S+)$", re.MULTILINE)
_LABEL = re.compile(r'(\w+)="([^"]*)"')


class CallMetrics(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.deployment = cls.enterClassContext(Deployment())
        cls.client = cls.enterClassContext(cls.deployment.administrator())
        cls.question = validation_pb2.ValidateRequest(token=cls.deployment.secrets["LATCHKEY_TOKEN"], client_ip="127.0.0.1",
                                                      channel=decision_pb2.CHANNEL_API)

    def read(self, method):
        """{(metric, code or ""): value} of one method, without buckets."""
        found = {}
        for name, labels, value in _SAMPLE.findall(self.deployment.server.admin("/metrics")[1]):
            labels = dict(_LABEL.findall(labels))
            if labels["grpc_method"] == method and "le" not in labels and not name.endswith("_sum"):
                found[name.removeprefix("grpc_server_"), labels.get("grpc_code", "")] = int(value)
        return found

    def assert_counted(self, method, call, code, received, sent):
        before = self.read(method)
        call()
        expected = {("started_total", ""): 1, ("handled_total", code): 1, ("handling_seconds_count", ""): 1,
                    ("msg_received_total", ""): received, ("msg_sent_total", ""): sent}

        def growth():
            return {key: value - before[key] for key, value in self.read(method).items() if value != before[key]}
        expected = {key: value for key, value in expected.items() if value}
        try:
            wait_until(lambda: growth() == expected, 5, "the call to be counted")
        except TimeoutError:
            self.assertEqual(growth(), expected)

    def test_a_call_is_one_message_each_way(self):
        self.assert_counted("Validate", lambda: self.client.validation.Validate(self.question, timeout=20), "OK", 1, 1)
        self.assert_counted("GetCaller", lambda: self.client.tokens.GetCaller(token_pb2.GetCallerRequest(), timeout=20), "OK", 1, 1)

    def test_each_message_of_a_stream_counts(self):
        questions = [validation_pb2.ValidateStreamRequest(id=number, request=self.question) for number in range(7)]

        def ask():
            self.assertEqual(len(list(self.client.validation.ValidateStream(iter(questions), timeout=20))), 7)
        self.assert_counted("ValidateStream", ask, "OK", 7, 7)

    def test_a_refusal_is_no_message(self):
        def ask():
            with self.deployment.anybody() as client, self.assertRaises(grpc.RpcError):
                client.tokens.GetCaller(token_pb2.GetCallerRequest(), timeout=20)
        self.assert_counted("GetCaller", ask, "Unauthenticated", 1, 0)

    def test_a_method_that_is_not_there_counts_as_another_without_its_name(self):
        def ask():
            invoke = self.client.channel.unary_unary("/no.such.Service/Made.up", request_serializer=bytes, response_deserializer=bytes)
            with self.assertRaises(grpc.RpcError):
                invoke(b"", timeout=20)
        self.assert_counted("_OTHER", ask, "Unimplemented", 0, 0)
        self.assertNotIn("Made.up", self.deployment.server.admin("/metrics")[1])

    def test_a_message_that_gzip_has_made_smaller_is_a_message_too(self):
        def ask():
            invoke = self.client.channel.unary_unary("/latchkey.v1.ValidationService/Validate", request_serializer=bytes,
                                                     response_deserializer=bytes)
            self.assertTrue(invoke(self.question.SerializeToString(), timeout=20, compression=grpc.Compression.Gzip))
        self.assert_counted("Validate", ask, "OK", 1, 1)


if __name__ == "__main__":
    unittest.main()
