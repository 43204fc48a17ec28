"""A secret is shown once: it is in no log, metric, error, dump of the database, kept answer, audit event or mail, however it was
made, used, rotated, reported or refused."""

import base64
import subprocess
import unittest
import uuid

import grpc

from latchkey_test.postgres import bin_directory
from token_case import DAY, ValidatedCase, token_pb2

WAIT = {"seconds": 20}


class Secrecy(ValidatedCase):
    def live(self):
        """Every secret of a token's life, as it is made and used in every way there is."""
        request_id, rotation_id = str(uuid.uuid4()), str(uuid.uuid4())
        made = self.create(label="secret life", request_id=request_id, wait_for_validators=WAIT)
        token_id = made.access_token.token_id
        self.create(label="secret life", request_id=request_id, wait_for_validators=WAIT)
        with self.caller_of(made.secret) as client:
            rotated = self.rotate(token_id, grace=DAY, client=client, request_id=rotation_id)
            self.rotate(token_id, grace=DAY, client=client, request_id=rotation_id)
        again = self.rotate(token_id, supersede=True, wait_for_validators=WAIT)
        for secret in (made.secret, rotated.secret, again.secret):
            self.decide(secret)
            self.decide(secret[:-1])
        for secret in (made.secret, again.secret[:-1], again.secret + "0"):
            with self.caller_of(secret) as client, self.assertRaises(grpc.RpcError) as caught:
                self.get(token_id, client)
            self.errors.append(str(caught.exception) + str(caught.exception.trailing_metadata()))
        with self.deployment.anybody(again.secret) as client:
            client.tokens.ReportLeakedToken(token_pb2.ReportLeakedTokenRequest(secret=again.secret), timeout=20)
        with self.assertRaises(grpc.RpcError) as caught, self.caller_of(again.secret) as client:
            self.get(again.secret, client)  # pasted where an id belongs
        self.errors.append(str(caught.exception) + str(caught.exception.trailing_metadata()))
        self.errors.append(str(self.get(token_id)) + str(self.list(label_contains="secret life")))
        return [made.secret, rotated.secret, again.secret]

    def test_a_secret_is_nowhere_but_in_the_answer_that_made_it(self):
        self.errors = []
        secrets = [*self.live(), self.deployment.secrets["LATCHKEY_TOKEN"], self.deployment.secrets["LATCHKEY_OPERATOR_TOKEN"]]
        metrics = self.deployment.server.admin("/metrics")[1]
        self.deployment.server.stop()  # flushes what it still holds
        # As the owner of the schema: row-level security shows it every row.
        dump = subprocess.run([bin_directory() / "pg_dump", "--data-only", "--inserts", "--enable-row-security",
                               "--role=latchkey_owner", "--dbname", self.deployment.url],
                              check=True, capture_output=True, text=True).stdout
        self.assertIn("secret life", dump)
        self.assertIn("INSERT INTO latchkey.request ", dump)
        places = {"dump": dump, "log": self.deployment.server.log(), "metrics": metrics, "errors": " ".join(self.errors),
                  "postgresql's log": self.deployment.postgres.log() if hasattr(self.deployment.postgres, "log") else "-"}
        for place, text in places.items():
            self.assertTrue(text, place)
            for secret in secrets:
                part = secret[6:49]  # what nobody can guess
                for form in (part, part.encode().hex(), base64.b64encode(secret.encode()).decode()[8:64]):
                    self.assertNotIn(form, text, place)


if __name__ == "__main__":
    unittest.main()
