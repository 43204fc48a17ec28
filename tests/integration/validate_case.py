"""A validator of its own beside a deployment, and what is asked of it."""

import base64
import datetime

from latchkey_test import CallCase, Client, Deployment, Server, stubs, uuid_of_id
from latchkey_test.waiting import wait_until

validation_pb2 = stubs.messages("latchkey/v1/validation.proto")
token_pb2 = stubs.messages("latchkey/v1/token.proto")
decision_pb2 = stubs.messages("latchkey/v1/decision.proto")

API, UI = decision_pb2.CHANNEL_API, decision_pb2.CHANNEL_UI
ALLOW, DENY = decision_pb2.DECISION_ALLOW, decision_pb2.DECISION_DENY


def in_seconds(seconds):
    return datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)


class ValidateCase(CallCase):
    """A deployment with a validator of its own beside it."""

    postgres = None
    settings = {"min_revision_wait": "10s"}  # the machine may be busy

    @classmethod
    def setUpClass(cls):
        cls.deployment = cls.enter(Deployment(postgres=cls.postgres))
        cls.validator = cls.enter(Server("latchkey-validator", database_url=cls.deployment.url, **cls.settings))
        cls.client = cls.enter(Client(cls.validator.address))
        cls.administrator = cls.enter(cls.deployment.administrator())

    def create(self, **fields):
        """An answer of CreateAccessToken, about a token that is like the least that is needed but for these fields."""
        request = token_pb2.CreateAccessTokenRequest(label="of a test")
        for name in ("not_before", "expires_at"):
            if name in fields:
                getattr(request, name).FromDatetime(fields.pop(name).replace(tzinfo=None))
        request.MergeFrom(token_pb2.CreateAccessTokenRequest(**fields))
        return self.administrator.tokens.CreateAccessToken(request, timeout=20)

    def ask(self, secret="", client=None, timeout=10, **fields):
        request = validation_pb2.ValidateRequest(token=secret, **{"channel": API, "client_ip": "203.0.113.7", **fields})
        return (client or self.client).validation.Validate(request, timeout=timeout)

    def ask_about(self, created, **fields):
        """The answer no earlier than the token's making."""
        return self.ask(created.secret, min_revision=created.revision, **fields)

    def assert_denied(self, answer, reason):
        self.assertEqual((answer.decision, decision_pb2.Reason.Name(answer.reason)), (DENY, "REASON_" + reason))
        told = {field.name for field, _ in answer.ListFields()}
        self.assertEqual(told, {"decision", "reason", "revision"})

    def change(self, statement):
        """Runs SQL in the database and waits until the validators have what it has changed."""
        self.deployment.execute(statement)
        lanes = self.deployment.execute("SELECT sum(head) FROM latchkey.change_lane")[0][0]
        wait_until(lambda: self.count_applied() >= lanes, 20, "the validators to apply a change")

    def count_applied(self):
        """By the validator that is farthest behind: latchkeyd is one, too."""
        return self.deployment.execute("SELECT coalesce(min((SELECT sum(position) FROM unnest(positions) AS position)), 0) "
                                       "FROM latchkey.validator")[0][0]

    def lane_of(self, company_id):
        """(lane, head, mark) of a company's lane in the log."""
        return self.deployment.execute("SELECT lane, head, mark FROM latchkey.change_lane WHERE lane = "
                                       f"latchkey.company_lane('{uuid_of_id(company_id)}')")[0]

    def metric(self, name):
        body = self.validator.admin("/metrics")[1]
        return sum(float(line.split()[-1]) for line in body.splitlines() if line.startswith(name))


def revision_of(lane, seq, mark):
    """The text of a position in the change log, as the product writes it."""
    packed = bytes([1, lane]) + (seq & (1 << 64) - 1).to_bytes(8, "big") + (mark & (1 << 64) - 1).to_bytes(8, "big")
    return base64.urlsafe_b64encode(packed).decode()
