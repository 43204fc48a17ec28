"""The guards of the examples, each in a small service that is called over HTTP. tests/interop/examples.sh has built them."""

import unittest

import grpc

from latchkey_test import Client, Deployment, free_port, stubs
from latchkey_test.waiting import wait_until

from examples import EXAMPLES, GO, JAR, NODE, OPAQUE_TOKEN_JAR, PYTHON, RUST, Service
from relay import Relay

health_pb2 = stubs.messages("grpc/health/v1/health.proto")
token_pb2 = stubs.messages("latchkey/v1/token.proto")

INVALID_TOKEN, INSUFFICIENT_SCOPE = 'Bearer error="invalid_token"', 'Bearer error="insufficient_scope"'
ELSEWHERE = "198.51.100.7"


def create_token(deployment, **fields):
    """A token that the validator knows: (its id, its secret)."""
    request = token_pb2.CreateAccessTokenRequest(**{
        "label": "guarded", "permissions": ["charges.read"], "wait_for_validators": {"seconds": 20}, **fields})
    with deployment.administrator() as client:
        answer = client.tokens.CreateAccessToken(request, timeout=30)
    return answer.access_token.token_id, answer.secret


def deactivate_token(deployment, token_id):
    with deployment.administrator() as client:
        client.tokens.DeactivateAccessToken(token_pb2.DeactivateAccessTokenRequest(
            token_id=token_id, reason="DEACTIVATE_REASON_OTHER", wait_for_validators={"seconds": 20}), timeout=30)


class Guard:
    """What every guard must do, for a service with `directory` and `command` whose GET /charges needs charges.read."""

    directory, command = None, ()

    @classmethod
    def setUpClass(cls):
        cls.deployment = cls.enterClassContext(Deployment())
        cls.relay = cls.enterClassContext(Relay(cls.deployment.server.address))
        port = str(free_port())
        cls.service = cls.enterClassContext(Service(
            cls.directory, [str(part).format(port=port) for part in cls.command], PORT=port,
            LATCHKEY_ADDRESS=cls.relay.address))

    def create(self, **fields):
        return create_token(self.deployment, **fields)

    def assert_refused(self, status, challenge, *presented, **headers):
        answered, told, body = self.service.get_decided(*presented, **headers)
        self.assertEqual((answered, told["WWW-Authenticate"]), (status, challenge), self.service.log())
        self.assertNotIn("charges of", body)

    def test_it_admits_a_good_token_and_tells_the_handler_whose_it_is(self):
        token_id, secret = self.create()
        status, _, body = self.service.get_decided(secret)
        self.assertEqual(status, 200, self.service.log())
        self.assertIn(token_id, body)

    def test_it_refuses_whoever_presents_no_token(self):
        self.assert_refused(401, INVALID_TOKEN)
        self.assert_refused(401, INVALID_TOKEN, Authorization="Basic dXNlcjpwYXNz")
        self.assert_refused(401, INVALID_TOKEN, "")

    def test_it_refuses_a_misshapen_and_an_unknown_token(self):
        _, secret = self.create()
        self.assert_refused(401, INVALID_TOKEN, "nonsense")
        self.assert_refused(401, INVALID_TOKEN, secret[:-1])
        self.assert_refused(401, INVALID_TOKEN, "\xff\xfe no text \xc3")
        self.assert_refused(401, INVALID_TOKEN, "x" * 5000)

    def test_it_refuses_a_deactivated_token_at_once(self):
        token_id, secret = self.create()
        self.assertEqual(self.service.get_decided(secret)[0], 200)
        deactivate_token(self.deployment, token_id)
        self.assert_refused(401, INVALID_TOKEN, secret)

    def test_it_refuses_a_token_from_an_address_that_is_not_listed(self):
        _, secret = self.create(allowed_ips=[ELSEWHERE])
        self.assert_refused(403, None, secret)

    def test_it_believes_no_forged_address(self):
        _, secret = self.create(allowed_ips=[ELSEWHERE])
        forged = {name: ELSEWHERE for name in ("X-Forwarded-For", "X-Real-IP")}
        self.assert_refused(403, None, secret, Forwarded=f"for={ELSEWHERE}", **forged)

    def test_it_refuses_a_token_for_another_channel(self):
        _, secret = self.create(channels=["CHANNEL_UI"])
        self.assert_refused(403, None, secret)

    def test_it_refuses_a_token_that_lacks_the_permission(self):
        _, secret = self.create(permissions=["charges.create"])
        self.assert_refused(403, INSUFFICIENT_SCOPE, secret)

    def test_it_takes_the_scheme_in_any_case(self):
        _, secret = self.create()
        self.assertEqual(self.service.get_decided(Authorization=f"bEARER {secret}")[0], 200)

    def test_it_asks_again_when_a_connection_breaks(self):
        _, secret = self.create()

        def survives_a_break():
            self.service.get_decided(secret)
            self.relay.break_next()
            return self.service.get(secret)[0] == 200 and self.relay.has_broken
        # More than one try, because on a busy machine a second may be too short for connecting anew.
        self.assertTrue(any(survives_a_break() for _ in range(3)), self.service.log())

    def test_it_refuses_everybody_while_no_validator_answers_and_recovers_by_itself(self):
        _, secret = self.create()
        self.deployment.server.stop()
        status, headers, _ = self.service.get(secret)
        self.assertEqual(status, 503)
        self.assertGreater(int(headers["Retry-After"]), 0)
        self.deployment.server.start()
        wait_until(lambda: self.service.get(secret)[0] == 200, 60, "the service to find the validator again")

    def test_it_refuses_when_the_validator_says_nothing(self):
        _, secret = self.create()
        self.deployment.server.pause()
        try:
            self.assertEqual(self.service.get(secret)[0], 503)
        finally:
            self.deployment.server.resume()
        wait_until(lambda: self.service.get(secret)[0] == 200, 60, "the service to find the validator again")

    def test_it_writes_no_secret_anywhere(self):
        _, secret = self.create(permissions=["charges.create"])
        self.service.get(secret)
        self.assertNotIn(secret, self.service.log())


class NetHttp(Guard, unittest.TestCase):
    directory, command = GO, ["bin/app"]


class GrpcGo(unittest.TestCase):
    """The interceptors for gRPC servers, before a health service that needs charges.read."""

    @classmethod
    def setUpClass(cls):
        cls.deployment = cls.enterClassContext(Deployment())
        address = f"127.0.0.1:{free_port()}"
        cls.enterClassContext(Service(GO, ["bin/app"], PORT=str(free_port()), GRPC_PORT=address.rpartition(":")[2],
                                      LATCHKEY_ADDRESS=cls.deployment.server.address))
        cls.address = address

    def ask(self, secret):
        """How a unary call and a stream end for who presents this."""
        with Client(self.address, secret) as client:
            return [_find_code(lambda: client.health.Check(health_pb2.HealthCheckRequest(), timeout=20)),
                    _find_code(lambda: next(client.health.Watch(health_pb2.HealthCheckRequest(), timeout=20)))]

    def assert_ends(self, code, secret):
        """Asks again while nothing is decided, as get_decided() does."""
        decided = wait_until(lambda: "UNAVAILABLE" not in (codes := self.ask(secret)) and codes, 60, "decisions")
        self.assertEqual(decided, [code, code])

    def test_they_admit_a_good_token(self):
        self.assert_ends("OK", create_token(self.deployment)[1])

    def test_they_refuse_who_is_not_known(self):
        self.assert_ends("UNAUTHENTICATED", None)
        self.assert_ends("UNAUTHENTICATED", "nonsense")

    def test_they_refuse_who_may_not(self):
        self.assert_ends("PERMISSION_DENIED", create_token(self.deployment, permissions=["charges.create"])[1])
        self.assert_ends("PERMISSION_DENIED", create_token(self.deployment, allowed_ips=[ELSEWHERE])[1])

    def test_they_refuse_everybody_while_no_validator_answers(self):
        _, secret = create_token(self.deployment)
        self.deployment.server.stop()
        try:
            self.assertEqual(self.ask(secret), ["UNAVAILABLE"] * 2)
        finally:
            self.deployment.server.start()


def _find_code(call):
    try:
        call()
    except grpc.RpcError as error:
        return error.code().name
    return "OK"


class FastApi(Guard, unittest.TestCase):
    directory = PYTHON
    command = ["env", "PYTHONPATH=gen", ".venv/bin/uvicorn", "app:app", "--no-proxy-headers", "--port", "{port}"]


class Express(Guard, unittest.TestCase):
    directory, command = NODE, ["node", "express/app.js"]


class Spring(Guard, unittest.TestCase):
    directory, command = EXAMPLES, ["java", "-jar", JAR]


class SpringOpaqueToken(unittest.TestCase):
    """Spring Security, which knows of Latchkey what its three properties say, at the introspection endpoint."""

    @classmethod
    def setUpClass(cls):
        door = f"127.0.0.1:{free_port()}"
        cls.deployment = cls.enterClassContext(Deployment(http_listen=door))
        _, secret = create_token(cls.deployment, label="resource server")
        cls.service = cls.enterClassContext(Service(
            EXAMPLES, ["java", "-jar", OPAQUE_TOKEN_JAR], PORT=str(free_port()), LATCHKEY_CLIENT_ID="charges",
            LATCHKEY_INTROSPECTION_URI=f"http://{door}/introspect", LATCHKEY_CLIENT_SECRET=secret))

    def assert_refused(self, status, challenge, *presented):
        answered, told, body = self.service.get(*presented)
        self.assertEqual(answered, status, self.service.log())
        self.assertTrue((told["WWW-Authenticate"] or "").startswith(challenge), told["WWW-Authenticate"])
        self.assertNotIn("charges of", body)

    def test_it_admits_a_good_token_and_tells_the_handler_whose_it_is(self):
        token_id, secret = create_token(self.deployment)
        status, _, body = self.service.get(secret)
        self.assertEqual(status, 200, self.service.log())
        self.assertIn(token_id, body)

    def test_it_refuses_whoever_presents_none_or_an_unknown_one(self):
        self.assert_refused(401, "Bearer")
        self.assert_refused(401, INVALID_TOKEN, create_token(self.deployment)[1][:-1])

    def test_it_refuses_a_deactivated_token_at_once(self):
        token_id, secret = create_token(self.deployment)
        self.assertEqual(self.service.get(secret)[0], 200)
        deactivate_token(self.deployment, token_id)
        self.assert_refused(401, INVALID_TOKEN, secret)

    def test_it_refuses_a_token_that_is_bound_to_addresses_because_it_tells_none(self):
        self.assert_refused(401, INVALID_TOKEN, create_token(self.deployment, allowed_ips=["127.0.0.1"])[1])

    def test_it_refuses_a_token_that_lacks_the_permission(self):
        _, secret = create_token(self.deployment, permissions=["charges.create"])
        self.assert_refused(403, INSUFFICIENT_SCOPE, secret)

    def test_it_admits_nobody_while_no_validator_answers(self):
        _, secret = create_token(self.deployment)
        self.deployment.server.stop()
        try:
            self.assert_refused(401, "Bearer", secret)
        finally:
            self.deployment.server.start()


class Axum(Guard, unittest.TestCase):
    directory, command = RUST, ["target/debug/app"]


if __name__ == "__main__":
    unittest.main()
