"""A deployment with an HTTP/1.1 door, and tokens to present at it."""

import base64
import socket
import urllib.parse

from latchkey_test import CallCase, Client, Deployment, free_port, stubs, uuid_of_id
from latchkey_test.http1 import Http1
from latchkey_test.waiting import wait_until

token_pb2 = stubs.messages("latchkey/v1/token.proto")
decision_pb2 = stubs.messages("latchkey/v1/decision.proto")

API, UI = decision_pb2.CHANNEL_API, decision_pb2.CHANNEL_UI
FORM = ("content-type", "application/x-www-form-urlencoded")


def bearer(secret):
    return ("authorization", f"Bearer {secret}")


def basic(password, user="resource-server"):
    """As RFC 6749 has it: both form-encoded before they are put together."""
    pair = ":".join(urllib.parse.quote_plus(text) for text in (user, password))
    return ("authorization", "Basic " + base64.b64encode(pair.encode()).decode())


def outer_address():
    """An address of this machine that is not loopback. Nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))
        return probe.getsockname()[0]


class DoorCase(CallCase):
    """One server with everything in it. Callers are believed to be where x-forwarded-for says."""

    settings = {}

    @classmethod
    def setUpClass(cls):
        cls.door = f"127.0.0.1:{free_port()}"
        cls.deployment = cls.enter(Deployment(**{"http_listen": cls.door, "trusted_proxies": "127.0.0.1", **cls.settings}))
        cls.administrator = cls.enter(cls.deployment.administrator())
        cls.client = cls.enter(Client(cls.deployment.server.address))
        cls.operator = cls.deployment.secrets["LATCHKEY_OPERATOR_TOKEN"]

    @classmethod
    def create(cls, **fields):
        """(secret, access token) of a new one, which the validator knows already."""
        request = token_pb2.CreateAccessTokenRequest(label="of a test", **fields)
        request.wait_for_validators.seconds = 20
        created = cls.administrator.tokens.CreateAccessToken(request, timeout=30)
        return created.secret, created.access_token

    @classmethod
    def change(cls, statement):
        """Runs SQL in the database and waits until the validator has what it has changed."""
        cls.deployment.execute(statement)
        heads = cls.deployment.execute("SELECT sum(head) FROM latchkey.change_lane")[0][0]
        wait_until(lambda: cls._count_applied() >= heads, 20, "the validator to apply a change")

    @classmethod
    def _count_applied(cls):
        return cls.deployment.execute("SELECT coalesce(min((SELECT sum(position) FROM unnest(positions) AS position)), 0) "
                                      "FROM latchkey.validator")[0][0]

    @classmethod
    def change_token(cls, token, assignment):
        cls.change(f"UPDATE latchkey.token SET {assignment} WHERE token_id = '{uuid_of_id(token.token_id)}'")

    def connect(self):
        connection = Http1(self.door)
        self.addCleanup(connection.close)
        return connection

    def ask(self, method, path, fields=(), body=None):
        """The answer over a connection of its own."""
        with Http1(self.door) as http:
            return http.ask(method, path, fields, body)

    def metric(self, name):
        body = self.deployment.server.admin("/metrics")[1]
        return sum(float(line.split()[-1]) for line in body.splitlines() if line.startswith(name))
