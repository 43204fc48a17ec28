"""No caller can forge a line of the log, break one, or command the terminal of who reads it: whatever is sent in whatever
field, each line is one event of the server's own, in both formats, and none of what was sent stands in it. (What does come from
outside, the words of mail servers and databases, is escaped: tests/unit/test_log.c.)"""

import json
import re
import unittest

import grpc

from latchkey_test import CallCase, Deployment, stubs

token_pb2 = stubs.messages("latchkey/v1/token.proto")
validation_pb2 = stubs.messages("latchkey/v1/validation.proto")
whitelist_pb2 = stubs.messages("latchkey/v1/whitelist.proto")
invitation_pb2 = stubs.messages("latchkey/v1/invitation.proto")

FORGED = "2026-01-01T00:00:00.000Z error latchkeyd: forged"
HOSTILE = [f"x\n{FORGED}", f"x\r\n{FORGED}", "\x1b[2J\x1b[31mred", '" forged="yes', 'x\\" forged="yes', "\u2028" + FORGED, "\u0085" + FORGED,
           "\x9b31m", "{\"event\":\"forged\"}", "a" * 5000, "\x7f\x01\x00"]
LINE = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (debug|info|warning|error) +latchkeyd: ")


def attempt(call, request, **options):
    """Refused or not does not matter: it must have been told in order."""
    try:
        call(request, timeout=20, **options)
    except grpc.RpcError:
        pass


class Log(CallCase):
    def log_of_hostile_calls(self, log_format):
        with Deployment(log_format=log_format, log_level="debug", trusted_proxies="127.0.0.0/8") as deployment:
            with deployment.administrator() as administrator, deployment.operator() as operator:
                for text in HOSTILE:
                    self.send(administrator, operator, text)
            for text in HOSTILE:
                self.send_as_header(deployment, text)
            deployment.server.stop()
            return deployment.server.log()

    def send(self, administrator, operator, text):
        attempt(administrator.tokens.CreateAccessToken, token_pb2.CreateAccessTokenRequest(
            label=text, permissions=[text, "charges.read"], allowed_ips=[text], allowed_domains=[text], description=text))
        attempt(administrator.tokens.CreateAccessToken, token_pb2.CreateAccessTokenRequest(
            label="ordinary", permissions=["charges.read"], description=text, external_id=text, request_id=text))
        attempt(administrator.tokens.GetAccessToken, token_pb2.GetAccessTokenRequest(token_id=text))
        attempt(administrator.tokens.ReportLeakedToken, token_pb2.ReportLeakedTokenRequest(secret=text))
        attempt(operator.tokens.CreateLoginToken, token_pb2.CreateLoginTokenRequest(email=text, user_agent=text, client_ip=text))
        attempt(administrator.whitelist.AddWhitelistEntries, whitelist_pb2.AddWhitelistEntriesRequest(
            entries=[whitelist_pb2.NewWhitelistEntry(address=text, note=text)]))
        attempt(administrator.invitations.CreateInvitations, invitation_pb2.CreateInvitationsRequest(
            invitations=[{"email": text, "role_ids": [text]}]))
        attempt(administrator.validation.Validate, validation_pb2.ValidateRequest(
            token=text, client_ip=text, domain=text, permissions=[text], min_revision=text))

    def send_as_header(self, deployment, text):
        """As far as a client of gRPC's lets it through."""
        printable = "".join(character for character in text if " " <= character <= "~")
        metadata = [("x-forwarded-for", printable), ("user-agent", printable), ("latchkey-company", printable),
                    ("traceparent", printable)]
        with deployment.anybody() as nobody:
            attempt(nobody.tokens.GetCaller, token_pb2.GetCallerRequest(), metadata=[*metadata, ("x-access-token", printable)])
            attempt(nobody.channel.unary_unary(f"/latchkey.v1.{printable[:80]}/{printable[:80]}"), b"")

    def test_a_line_of_json_is_one_event(self):
        lines = self.log_of_hostile_calls("json").splitlines()
        events = [json.loads(line) for line in lines]
        self.assertEqual({event["program"] for event in events}, {"latchkeyd"})
        self.assertGreater(sum(event["event"] == "call" for event in events), 5 * len(HOSTILE))
        self.assertFalse([line for line in lines if "forged" in line or "a" * 500 in line])

    def test_a_line_of_text_is_one_event(self):
        log = self.log_of_hostile_calls("text")
        self.assertGreater(log.count(": call "), 5 * len(HOSTILE))
        for line in log.split("\n")[:-1]:
            self.assertRegex(line, LINE)
            self.assertNotRegex(line, r"[\x00-\x1f\x7f-\x9f\u2028\u2029]|forged|a{500}")


if __name__ == "__main__":
    unittest.main()
