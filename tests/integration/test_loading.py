"""A validator that has begun to read its database and is made to wait in the middle: what it says of itself, and to whom it answers."""

import re
import unittest

import grpc

from latchkey_test import CallCase, Client, Deployment, retry_info
from latchkey_test.waiting import wait_until
from validate_case import ALLOW, API, token_pb2, validation_pb2

TOKENS = 150
STATES = ("loading", "serving", "stale", "history_lost")
NOT_CURRENT = ("loading", "stale", "history_lost")
# What it reads ahead of the tokens. The estimate leaves the catalogue out.
CATALOGUE = ("permission",)
BEFORE_TOKENS = ("company", "whitelist", "whitelist_entry", "role", "member")


class Loading(CallCase):
    @classmethod
    def setUpClass(cls):
        cls.deployment = cls.enter(Deployment())
        with cls.deployment.administrator() as administrator:
            for number in range(TOKENS):
                created = administrator.tokens.CreateAccessToken(token_pb2.CreateAccessTokenRequest(label=f"{number}"), timeout=20)
        cls.secret = created.secret
        cls.deployment.execute("ANALYZE")
        cls.ahead = cls.count(CATALOGUE) + cls.count(BEFORE_TOKENS)
        cls.tokens = cls.count(["token_secret"])

    @classmethod
    def count(cls, tables):
        return sum(cls.deployment.execute(f"SELECT count(*) FROM latchkey.{table}")[0][0] for table in tables)

    def setUp(self):
        self.held = self.deployment.connect()
        self.addCleanup(self.held.close)
        self.held.autocommit = False
        self.held.cursor().execute("LOCK TABLE latchkey.token_secret IN ACCESS EXCLUSIVE MODE")
        self.validator = self.deployment.beside("latchkey-validator")
        self.addCleanup(self.validator.remove)
        self.validator.start(ready=False)
        self.client = self.enterContext(Client(self.validator.address))
        wait_until(lambda: self.metric("latchkey_follower_load_rows") == self.ahead, 60, "all rows but those of the tokens to be read")

    def let_it_go_on(self):
        self.held.rollback()
        self.validator.wait_ready()

    def metrics(self):
        lines = (line.rsplit(" ", 1) for line in self.validator.admin("/metrics")[1].splitlines() if not line.startswith("#"))
        return {name: float(value) for name, value in lines}

    def metric(self, name):
        return self.metrics().get(name)

    def of_each(self, name, states):
        metrics = self.metrics()
        return {state: metrics[f'{name}{{state="{state}"}}'] for state in states}

    def question(self):
        return validation_pb2.ValidateRequest(token=self.secret, channel=API, client_ip="203.0.113.7")

    def ask(self):
        return self.client.validation.Validate(self.question(), timeout=10)

    def test_it_says_how_far_it_is(self):
        expected = self.count(BEFORE_TOKENS) + self.tokens
        self.assertEqual(self.metric("latchkey_follower_load_expected_rows"), expected)
        self.assertEqual(self.of_each("latchkey_follower_state", STATES), {"loading": 1, "serving": 0, "stale": 0, "history_lost": 0})
        status, said = self.validator.admin("/readyz")
        self.assertEqual((status, re.findall(r"^validator: loading \((\d+) %\)$", said, re.MULTILINE)),
                         (503, [str(self.ahead * 100 // expected)]), said)
        self.let_it_go_on()
        metrics = self.metrics()
        self.assertEqual((metrics["latchkey_follower_load_rows"], metrics["latchkey_image_tokens"]),
                         (self.ahead + self.tokens, self.tokens))
        self.assertGreater(metrics["latchkey_follower_load_seconds"], 0)
        self.assertEqual(self.of_each("latchkey_follower_state", STATES), {"loading": 0, "serving": 1, "stale": 0, "history_lost": 0})
        self.assertNotIn("loading", self.validator.admin("/readyz")[1])

    def test_it_answers_nobody_and_counts_whom(self):
        self.assertEqual(self.of_each("latchkey_validate_not_current_total", NOT_CURRENT), dict.fromkeys(NOT_CURRENT, 0))
        batch = validation_pb2.ValidateBatchRequest(requests=[self.question()] * 3)
        for number in range(1, 6):
            for call in (self.ask, lambda: self.client.validation.ValidateBatch(batch, timeout=10)):
                error = self.assert_refused(grpc.StatusCode.UNAVAILABLE, "LOADING", call)
                self.assertEqual(retry_info(error).retry_delay.seconds, 1)
            self.assertEqual(self.of_each("latchkey_validate_not_current_total", NOT_CURRENT),
                             {"loading": 2 * number, "stale": 0, "history_lost": 0})
        self.let_it_go_on()
        self.assertEqual(self.ask().decision, ALLOW)
        metrics = self.metrics()
        self.assertEqual(metrics['latchkey_validate_not_current_total{state="loading"}'], 10)
        self.assertEqual({name: value for name, value in metrics.items() if name.startswith("latchkey_validate_decisions_total") and value},
                         {'latchkey_validate_decisions_total{reason="OK"}': 1})


if __name__ == "__main__":
    unittest.main()
