"""The product by curl alone: a token is made, validated, listed and ended in JSON, and failures are HTTP's."""

import json
import subprocess
import unittest
from urllib.parse import quote

from latchkey_test import CallCase, Deployment, connect

TOKENS = "/latchkey.v1.TokenService/"
VALIDATE = "/latchkey.v1.ValidationService/Validate"


class ConnectJson(CallCase):
    @classmethod
    def setUpClass(cls):
        cls.deployment = cls.enterClassContext(Deployment())
        cls.address = cls.deployment.server.address
        cls.secret = cls.deployment.secrets["LATCHKEY_TOKEN"]

    def post(self, method, message, **options):
        return connect.post(self.address, TOKENS + method, message, **{"secret": self.secret, **options})

    def create(self, **fields):
        status, answer = self.post("CreateAccessToken", {"label": "by curl", **fields})
        self.assertEqual(status, 200, answer)
        return answer["accessToken"], answer["secret"], answer["revision"]

    def validate(self, secret, client_ip, revision):
        status, answer = connect.post(self.address, VALIDATE, {
            "token": secret, "channel": "CHANNEL_API", "clientIp": client_ip, "minRevision": revision})
        self.assertEqual(status, 200, answer)
        return answer

    def test_token_is_made_validated_and_ended(self):
        token, secret, revision = self.create(allowedIps=["203.0.113.0/24"], expireIn="3600s")
        answer = self.validate(secret, "203.0.113.7", revision)
        self.assertEqual((answer["decision"], answer["tokenId"]), ("DECISION_ALLOW", token["tokenId"]))
        self.assertEqual(answer["expiresAt"], token["expiresAt"])
        answer = self.validate(secret, "198.51.100.7", revision)
        self.assertEqual((answer["decision"], answer["reason"]), ("DECISION_DENY", "REASON_TOKEN_IP_NOT_LISTED"))
        status, ended = self.post("DeactivateAccessToken", {"tokenId": token["tokenId"], "reason": "DEACTIVATE_REASON_LEAKED"})
        self.assertEqual((status, ended["accessToken"]["state"]), (200, "TOKEN_STATE_DEACTIVATED"))
        answer = self.validate(secret, "203.0.113.7", ended["revision"])
        self.assertEqual(answer["reason"], "REASON_DEACTIVATED")

    def test_reads_may_be_asked_for_by_get_and_changes_may_not(self):
        token, _, _ = self.create()
        query = "?connect=v1&encoding=json&message=" + quote(f'{{"tokenId":"{token["tokenId"]}"}}')
        status, answer = connect.get(self.address, TOKENS + "GetAccessToken" + query, self.secret)
        self.assertEqual((status, answer["accessToken"]["label"]), (200, "by curl"))
        self.assertEqual(connect.get(self.address, TOKENS + "DeactivateAccessToken" + query, self.secret), (405, None))

    def test_failures_have_the_status_and_the_words_of_http(self):
        for message, secret, status, code in (
                ({"tokenId": "tok_00000000000000000000000000"}, self.secret, 404, "not_found"),
                ({"tokenId": "?"}, self.secret, 400, "invalid_argument"),
                ({}, None, 401, "unauthenticated"),
                ({}, self.secret + "x", 401, "unauthenticated")):
            answered, error = self.post("GetAccessToken", message, secret=secret)
            self.assertEqual((answered, error["code"]), (status, code))
            self.assertTrue(error["message"])
            info = error["details"][0]
            self.assertEqual((info["type"], info["debug"]["domain"]), ("google.rpc.ErrorInfo", "latchkey.dev"))

    def test_bad_field_is_named(self):
        status, error = self.post("CreateAccessToken", {"label": "x", "allowedIps": ["300.1.1.1"]})
        fields = [violation["field"] for detail in error["details"] if detail["type"] == "google.rpc.BadRequest"
                  for violation in detail["debug"]["fieldViolations"]]
        self.assertEqual((status, fields), (400, ["allowed_ips[0]"]))
        # One that is mistyped is not passed over: without it the token would be good everywhere.
        status, error = self.post("CreateAccessToken", {"label": "x", "allowedIPs": ["203.0.113.7"]})
        self.assertEqual((status, error["code"]), (400, "invalid_argument"))
        self.assertIn("allowedIPs", error["message"])

    def test_who_has_not_tried_and_who_has_failed_are_told_apart(self):
        self.assertEqual(self.headers({}, None)["www-authenticate"], "Bearer")
        self.assertEqual(self.headers({}, "lat_x")["www-authenticate"], 'Bearer error="invalid_token"')

    def test_answer_with_a_secret_is_not_compressed_and_another_is(self):
        accepted = "accept-encoding: gzip"
        large = {"label": "x", "allowedIps": [f"203.0.113.{i}" for i in range(100)]}
        headers = self.headers(large, self.secret, accepted, method="CreateAccessToken")
        self.assertEqual((headers[":status"], headers.get("content-encoding")), ("200", None))
        self.assertEqual(headers["cache-control"], "no-store")
        self.assertEqual(self.headers({}, self.secret, accepted, method="ListAccessTokens")["content-encoding"], "gzip")

    def headers(self, message, secret, *more, method="GetCaller"):
        """Those of an answer, the status among them."""
        arguments = ["-H", "content-type: application/json", "-d", json.dumps(message)]
        for header in (*more, *([f"authorization: Bearer {secret}"] if secret else [])):
            arguments += ["-H", header]
        done = subprocess.run(["curl", "-sS", "--http2-prior-knowledge", "-D", "-", "-o", "/dev/null", *arguments,
                               f"http://{self.address}{TOKENS}{method}"], capture_output=True, text=True, timeout=60, check=True)
        first, *lines = done.stdout.splitlines()
        return {":status": first.split()[1], **dict(line.split(": ", 1) for line in lines if ": " in line)}


if __name__ == "__main__":
    unittest.main()
