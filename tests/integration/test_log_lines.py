"""The log as programs read it: one JSON object a line, in UTC, which names the call's request and the caller's trace."""

import json
import re
import unittest
import uuid

import grpc

from latchkey_test import CallCase, Deployment, stubs, uuid_of_id
from latchkey_test.row_lock import RowLock
from latchkey_test.waiting import wait_until

token_pb2 = stubs.messages("latchkey/v1/token.proto")

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
TRACEPARENT = (("traceparent", f"00-{TRACE}-{SPAN}-01"),)
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


class LogLines(CallCase):
    @classmethod
    def setUpClass(cls):
        cls.deployment = cls.enterClassContext(Deployment(log_format="json", log_level="debug"))
        cls.client = cls.enterClassContext(cls.deployment.administrator())

    def lines(self, event, **fields):
        """Those of one event with these fields."""
        lines = [json.loads(line) for line in self.deployment.server.log().splitlines(keepends=True) if line.endswith("\n")]
        return [line for line in lines if line["event"] == event and all(line.get(name) == value for name, value in fields.items())]

    def the_line(self, event, **fields):
        wait_until(lambda: self.lines(event, **fields), 20, f"the line {event} {fields}")
        lines = self.lines(event, **fields)
        self.assertEqual(len(lines), 1, lines)
        return lines[0]

    def create(self, label, metadata=None):
        request = token_pb2.CreateAccessTokenRequest(label=label, request_id=str(uuid.uuid4()))
        return request.request_id, self.client.tokens.CreateAccessToken(request, timeout=20, metadata=metadata).access_token.token_id

    def test_every_line_is_an_object_with_a_time_in_utc_a_level_a_program_and_an_event(self):
        self.create("any line")
        lines = [json.loads(line) for line in self.deployment.server.log().splitlines(keepends=True) if line.endswith("\n")]
        self.assertGreater(len(lines), 3)
        for line in lines:
            self.assertRegex(line["time"], TIME)
            self.assertIn(line["level"], ("debug", "info", "warning", "error"))
            self.assertEqual(line["program"], "latchkeyd")
            self.assertTrue(line["event"])

    def test_the_line_of_a_call_names_its_request_and_the_trace_of_its_caller(self):
        request_id, _ = self.create("traced", TRACEPARENT)
        line = self.the_line("call", request_id=request_id)
        self.assertEqual((line["trace_id"], line["span_id"], line["status"]), (TRACE, SPAN, "OK"))
        self.assertEqual(line["method"], "/latchkey.v1.TokenService/CreateAccessToken")
        self.assertTrue(line["company"].startswith("cmp_") and line["token"].startswith("tok_"))
        self.assertGreater(line["took_us"], 0)

    def test_a_call_whose_trace_is_not_in_the_one_form_or_named_twice_names_none(self):
        other = (("traceparent", f"00-{TRACE[::-1]}-{SPAN}-01"),)
        for metadata in ((("traceparent", f"00-{TRACE.upper()}-{SPAN}-01"),), (("traceparent", f'00-{TRACE}-{SPAN}-01","level":"error'),),
                         TRACEPARENT + other, None):
            with self.subTest(metadata):
                request_id, _ = self.create("not traced", metadata)
                self.assertEqual(self.the_line("call", request_id=request_id).keys() & {"trace_id", "span_id"}, set())

    def test_a_call_that_is_refused_before_anybody_works_on_it_names_its_trace_too(self):
        trace = "1" * 32
        with self.deployment.anybody() as client, self.assertRaises(grpc.RpcError):
            client.tokens.GetCaller(token_pb2.GetCallerRequest(), timeout=20, metadata=(("traceparent", f"00-{trace}-{SPAN}-00"),))
        self.assertNotEqual(self.the_line("call", trace_id=trace)["status"], "OK")

    def test_what_fails_in_the_database_names_the_trace_of_the_call_that_it_was_for(self):
        trace = "2" * 32
        _, token_id = self.create("locked")
        request = token_pb2.DeactivateAccessTokenRequest(token_id=token_id, reason=token_pb2.DEACTIVATE_REASON_OTHER)
        with RowLock(self.deployment, f"token WHERE token_id = '{uuid_of_id(token_id)}'"):
            with self.assertRaises(grpc.RpcError):
                self.client.tokens.DeactivateAccessToken(request, timeout=5, metadata=(("traceparent", f"00-{trace}-{SPAN}-01"),))
            # Held till then: a statement that gets its row before it is cancelled does not fail.
            self.assertTrue(self.the_line("statement failed", trace_id=trace)["sqlstate"])
        self.create("after it")
        self.assertEqual(len(self.lines("call", trace_id=trace)), 1)


if __name__ == "__main__":
    unittest.main()
