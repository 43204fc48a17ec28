"""Every method that is served, called with JSON as curl calls it: the request that gRPC takes is taken, and the answer is one of
the method's messages, with all that a gRPC client is told."""

import unittest

from google.protobuf import json_format

from latchkey_test import QUIET, CallCase, Deployment, Stage, connect, contract, missing_requests


def as_json(request):
    return json_format.MessageToDict(request)


class EveryMethod(CallCase):
    @classmethod
    def setUpClass(cls):
        cls.deployment = cls.enterClassContext(Deployment(**QUIET))
        cls.stage = cls.enterClassContext(Stage(cls.deployment))

    def post(self, method, request, **options):
        return connect.post(self.deployment.server.address, method.path, as_json(request), **self.who_may(method), **options)

    def who_may(self, method):
        client = self.stage.caller(method)
        if client is self.stage.anybody:
            return {"secret": None}
        if client is self.stage.administrator:
            return {"secret": self.stage.secret}
        headers = [f"latchkey-company: {self.stage.company_id}"] if client is self.stage.operator else []
        return {"secret": self.deployment.secrets["LATCHKEY_OPERATOR_TOKEN"], "headers": headers}

    def test_every_method_has_a_request(self):
        self.assertEqual(missing_requests(), [])

    def test_every_method_takes_and_answers_json(self):
        for method in contract.served_methods():
            with self.subTest(method=str(method)):
                status, answer = self.post(method, self.stage.request(method))
                self.assertEqual(status, 200, answer)
                json_format.ParseDict(answer, method.response())

    def test_reads_say_in_json_what_they_say_by_grpc(self):
        """Before or after: some things move by themselves, such as a mail that is being sent."""
        for method in contract.served_methods():
            if method.is_change:
                continue
            with self.subTest(method=str(method)):
                request = self.stage.request(method)
                before = self.stage.caller(method).call(method, request)
                status, answer = self.post(method, request)
                after = self.stage.caller(method).call(method, request)
                self.assertEqual(status, 200, answer)
                self.assertIn(self.without_times(json_format.ParseDict(answer, method.response())),
                              [self.without_times(before), self.without_times(after)])

    @staticmethod
    def without_times(message):
        """The calls themselves are noted as the last use of the caller's token."""
        answer = as_json(message)
        for part in (answer, *answer.values()):
            if isinstance(part, dict):
                for name in ("lastUsedAt", "lastUsedIp", "lastUsedBy", "secrets"):
                    part.pop(name, None)
        return answer


if __name__ == "__main__":
    unittest.main()
