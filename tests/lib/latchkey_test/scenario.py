"""One scenario for clients of every kind: each does these steps against a server that prepare() has made ready, and
prints `ok - STEP` or `not ok - STEP: why`. This is it on grpcio; beside it stand tests/integration/system/scenario.cc
(grpc++); examples/ has a script much like it for the clients of other languages.

    LATCHKEY_ADDRESS=127.0.0.1:7070 LATCHKEY_TOKEN=lka_... python3 -m latchkey_test.scenario
"""

import contextlib
import io
import os
import sys

import grpc

from . import stubs
from .client import Client, field_violations

STEPS = (
    "creates a token",
    "allows a listed address",
    "refuses an unlisted address",
    "names every bad field",
    "deactivates and waits",
    "refuses a deactivated token",
    "honours a deadline",
    "bears a cancel",
    "tells its health",
    "describes itself",
)
LISTED, UNLISTED = "203.0.113.7", "203.0.114.7"


def prepare(client):
    """Puts LISTED, and the callers themselves, on the whitelist of the client's company and switches it on."""
    whitelist_pb2 = stubs.messages("latchkey/v1/whitelist.proto")
    client.whitelist.AddWhitelistEntries(whitelist_pb2.AddWhitelistEntriesRequest(
        entries=[whitelist_pb2.NewWhitelistEntry(address=address) for address in ("203.0.113.0/24", "127.0.0.0/8")]),
        timeout=20)
    enable_whitelist(client)


def enable_whitelist(client):
    """Switches the whitelist on, for every validator before this returns."""
    whitelist_pb2 = stubs.messages("latchkey/v1/whitelist.proto")
    request = whitelist_pb2.UpdateWhitelistRequest(whitelist={"enabled": True}, update_mask={"paths": ["enabled"]},
                                                   wait_for_validators={"seconds": 20})
    answer = client.whitelist.UpdateWhitelist(request, timeout=30)
    if not answer.validators.all_confirmed:
        raise AssertionError(f"the whitelist is not known to all validators: {answer.validators}")


def find_failures(output):
    """What is wrong with a client's output; empty if it did every step in order and each was ok."""
    wanted = [f"ok - {step}" for step in STEPS]
    lines = [line for line in output.splitlines() if line.startswith(("ok - ", "not ok - "))]
    return [] if lines == wanted else [line for line in lines if line not in wanted] or [f"only these steps: {lines}"]


def failures_at(address, secret):
    """As find_failures(), of one run at a server."""
    with contextlib.redirect_stdout(io.StringIO()) as output:
        Scenario(address, secret).run()
    return find_failures(output.getvalue())


class Scenario:
    def __init__(self, address, secret):
        self._administrator = Client(address, secret)
        self._anybody = Client(address)
        self._token_pb2 = stubs.messages("latchkey/v1/token.proto")
        self._validation_pb2 = stubs.messages("latchkey/v1/validation.proto")
        self._decision_pb2 = stubs.messages("latchkey/v1/decision.proto")
        self._health_pb2 = stubs.messages("grpc/health/v1/health.proto")
        self._reflection_pb2 = stubs.messages("grpc/reflection/v1/reflection.proto")
        self._created = None

    def run(self):
        """True if every step was ok. Once: its channels end with it, so that the next scenario, of a server that has started anew
        meanwhile, is not told of its connections' fate."""
        with self._administrator, self._anybody:
            return all([self._take(step) for step in STEPS])

    def _take(self, step):
        try:
            getattr(self, step.replace(" ", "_"))()
        except AssertionError as error:
            print(f"not ok - {step}: {error}", flush=True)
        except grpc.RpcError as error:
            print(f"not ok - {step}: {error.code().name}: {error.details()}", flush=True)
        else:
            print(f"ok - {step}", flush=True)
            return True
        return False

    def creates_a_token(self):
        self._created = self._administrator.tokens.CreateAccessToken(self._token_pb2.CreateAccessTokenRequest(
            label="grpcio", permissions=["charges.create"], wait_for_validators={"seconds": 10}), timeout=20)
        assert len(self._created.secret) == 55, "a secret of 55 characters"
        assert self._created.validators.all_confirmed, "all validators confirmed"

    def allows_a_listed_address(self):
        self._expect_decision(LISTED, "REASON_OK")

    def refuses_an_unlisted_address(self):
        self._expect_decision(UNLISTED, "REASON_COMPANY_IP_NOT_LISTED")

    def names_every_bad_field(self):
        request = self._token_pb2.CreateAccessTokenRequest(permissions=["charges.destroy"], allowed_ips=["10.0.0.1/33"])
        error = _expect_code("INVALID_ARGUMENT",
                             lambda: self._administrator.tokens.CreateAccessToken(request, timeout=20))
        fields = field_violations(error)
        assert {"label", "permissions[0]", "allowed_ips[0]"} <= set(fields), f"violations of all three, not {fields}"

    def deactivates_and_waits(self):
        self._expect_created()
        answer = self._administrator.tokens.DeactivateAccessToken(self._token_pb2.DeactivateAccessTokenRequest(
            token_id=self._created.access_token.token_id, reason="DEACTIVATE_REASON_LEAKED",
            wait_for_validators={"seconds": 10}), timeout=20)
        assert answer.validators.all_confirmed and answer.validators.live > 0, "all validators confirmed"

    def refuses_a_deactivated_token(self):
        self._expect_decision(LISTED, "REASON_DEACTIVATED")

    def honours_a_deadline(self):
        stream = self._anybody.health.Watch(self._health_pb2.HealthCheckRequest(), timeout=0.3)
        _expect_code("DEADLINE_EXCEEDED", lambda: list(stream))

    def bears_a_cancel(self):
        stream = self._anybody.health.Watch(self._health_pb2.HealthCheckRequest(), timeout=20)
        next(stream)
        stream.cancel()
        _expect_code("CANCELLED", lambda: list(stream))
        self._administrator.tokens.GetCaller(self._token_pb2.GetCallerRequest(), timeout=20)

    def tells_its_health(self):
        check = lambda service: self._anybody.health.Check(
            self._health_pb2.HealthCheckRequest(service=service), timeout=20)
        for service in ("", "latchkey.v1.TokenService", "latchkey.v1.ValidationService"):
            assert check(service).status == self._health_pb2.HealthCheckResponse.SERVING, f"{service!r} SERVING"
        _expect_code("NOT_FOUND", lambda: check("no.such.Service"))

    def describes_itself(self):
        requests = iter([self._reflection_pb2.ServerReflectionRequest(list_services="")])
        (answer,) = self._anybody.reflection.ServerReflectionInfo(requests, timeout=20)
        names = {service.name for service in answer.list_services_response.service}
        assert {"latchkey.v1.ValidationService", "latchkey.v1.TokenService"} <= names, f"our services, not {names}"

    def _expect_created(self):
        assert self._created, "a token that could be created"

    def _expect_decision(self, client_ip, reason):
        self._expect_created()
        response = self._administrator.validation.Validate(self._validation_pb2.ValidateRequest(
            token=self._created.secret, client_ip=client_ip, channel="CHANNEL_API", permissions=["charges.create"]),
            timeout=20)
        is_allowed = response.decision == self._decision_pb2.DECISION_ALLOW
        told = self._decision_pb2.Reason.Name(response.reason)
        assert told == reason and is_allowed == (reason == "REASON_OK"), f"{reason}, not {told}"
        assert not is_allowed or response.token_id == self._created.access_token.token_id, "the token's id"


def _expect_code(code, call):
    """The error of a call that must fail with this code."""
    try:
        call()
    except grpc.RpcError as error:
        assert error.code().name == code, f"{code}, not {error.code().name}: {error.details()}"
        return error
    raise AssertionError(f"{code}, not OK")


if __name__ == "__main__":
    sys.exit(not Scenario(os.environ["LATCHKEY_ADDRESS"], os.environ["LATCHKEY_TOKEN"]).run())
