"""The script of examples/README.md on grpcio. Prints `ok - STEP`, or `not ok - STEP: why`.

    PYTHONPATH=gen LATCHKEY_ADDRESS=127.0.0.1:7070 LATCHKEY_TOKEN=lka_... .venv/bin/python scenario.py
"""

import os
import sys
import uuid

import grpc
from google.rpc.error_details_pb2 import BadRequest
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
from grpc_health.v1.health_pb2_grpc import HealthStub
from grpc_status import rpc_status

from latchkey.v1 import decision_pb2, token_pb2, validation_pb2
from latchkey.v1.token_pb2_grpc import TokenServiceStub
from latchkey.v1.validation_pb2_grpc import ValidationServiceStub
from latchkey_client import bearer, connect

LISTED, UNLISTED = "203.0.113.7", "203.0.114.7"


class Scenario:
    def __init__(self, channel, secret):
        self.administrator = {"metadata": bearer(secret), "timeout": 20}
        self.secret = secret
        self.tokens = TokenServiceStub(channel)
        self.validation = ValidationServiceStub(channel)
        self.health = HealthStub(channel)
        self.created = None

    def run(self):
        """True if every step was ok."""
        steps = {
            "creates a token": self.create_token,
            "allows a listed address": lambda: self.expect_decision(LISTED, "REASON_OK"),
            "refuses an unlisted address": lambda: self.expect_decision(UNLISTED, "REASON_COMPANY_IP_NOT_LISTED"),
            "names every bad field": self.name_bad_fields,
            "pages through a list": self.page_through_list,
            "deactivates and waits": self.deactivate_and_wait,
            "refuses a deactivated token": lambda: self.expect_decision(LISTED, "REASON_DEACTIVATED"),
            "honours a deadline": self.honour_deadline,
            "bears a cancel": self.bear_cancel,
            "tells its health": self.tell_health,
            "carries metadata": self.carry_metadata,
        }
        return all([_run(name, step) for name, step in steps.items()])

    def create_token(self):
        self.created = self.tokens.CreateAccessToken(token_pb2.CreateAccessTokenRequest(
            label="grpcio", permissions=["charges.create"], request_id=str(uuid.uuid4()),
            wait_for_validators={"seconds": 10}), **self.administrator)
        _expect(len(self.created.secret) == 55, "a secret of 55 characters")
        _expect(self.created.validators.all_confirmed, "all validators confirmed")

    def expect_decision(self, client_ip, reason):
        """min_revision: by what was true when the token was made, or later."""
        answer = self.validation.Validate(validation_pb2.ValidateRequest(
            token=self.created.secret, client_ip=client_ip, channel=decision_pb2.CHANNEL_API,
            permissions=["charges.create"], min_revision=self.created.revision), timeout=20)
        is_allowed, told = answer.decision == decision_pb2.DECISION_ALLOW, decision_pb2.Reason.Name(answer.reason)
        _expect(told == reason and is_allowed == (reason == "REASON_OK"), f"{reason}, not {told}")
        _expect(not is_allowed or answer.token_id == self.created.access_token.token_id, "the token's id")

    def name_bad_fields(self):
        request = token_pb2.CreateAccessTokenRequest(  # without a label
            permissions=["charges.destroy"], allowed_ips=["10.0.0.1/33"])
        error = _expect_code(grpc.StatusCode.INVALID_ARGUMENT,
                             lambda: self.tokens.CreateAccessToken(request, **self.administrator))
        bad_request = BadRequest()
        is_found = any(detail.Unpack(bad_request) for detail in rpc_status.from_call(error).details)
        fields = {violation.field for violation in bad_request.field_violations}
        _expect(is_found and {"label", "permissions[0]", "allowed_ips[0]"} <= fields, f"all three fields, not {fields}")

    def page_through_list(self):
        found, request = [], token_pb2.ListAccessTokensRequest(page_size=1)
        while True:
            page = self.tokens.ListAccessTokens(request, **self.administrator)
            found.append([token.token_id for token in page.access_tokens])
            if not page.next_page_token:
                break
            request.page_token = page.next_page_token
        _expect(all(len(tokens) <= 1 for tokens in found), "one token on a page")
        _expect(len(found) > 1 and [self.created.access_token.token_id] in found, "the token on one of several pages")

    def deactivate_and_wait(self):
        answer = self.tokens.DeactivateAccessToken(token_pb2.DeactivateAccessTokenRequest(
            token_id=self.created.access_token.token_id, reason=token_pb2.DEACTIVATE_REASON_LEAKED,
            request_id=str(uuid.uuid4()), wait_for_validators={"seconds": 10}), **self.administrator)
        _expect(answer.validators.all_confirmed and answer.validators.live > 0, "all validators confirmed")

    def honour_deadline(self):
        stream = self.health.Watch(HealthCheckRequest(), timeout=0.3)
        _expect_code(grpc.StatusCode.DEADLINE_EXCEEDED, lambda: list(stream))

    def bear_cancel(self):
        stream = self.health.Watch(HealthCheckRequest(), timeout=20)
        next(stream)
        stream.cancel()
        _expect_code(grpc.StatusCode.CANCELLED, lambda: list(stream))
        self.tokens.GetCaller(token_pb2.GetCallerRequest(), **self.administrator)

    def tell_health(self):
        for service in ("", "latchkey.v1.TokenService", "latchkey.v1.ValidationService"):
            answer = self.health.Check(HealthCheckRequest(service=service), timeout=20)
            _expect(answer.status == HealthCheckResponse.SERVING, f"{service!r} SERVING")
        _expect_code(grpc.StatusCode.NOT_FOUND,
                     lambda: self.health.Check(HealthCheckRequest(service="no.such.Service"), timeout=20))

    def carry_metadata(self):
        answer = self.tokens.GetCaller(token_pb2.GetCallerRequest(), timeout=20,
                                       metadata=(("x-access-token", self.secret),))
        _expect(answer.caller.token_id.startswith("tok_"), "the caller's token")
        _expect_code(grpc.StatusCode.UNAUTHENTICATED,
                     lambda: self.tokens.GetCaller(token_pb2.GetCallerRequest(), timeout=20))


def _run(name, step):
    try:
        step()
    except (AssertionError, grpc.RpcError) as error:
        print(f"not ok - {name}: {error}")
        return False
    print(f"ok - {name}")
    return True


def _expect(holds, what):
    if not holds:
        raise AssertionError(f"expected {what}")


def _expect_code(code, call):
    """The error of a call that must fail with this code."""
    try:
        call()
    except grpc.RpcError as error:
        _expect(error.code() == code, f"{code}, not {error.code()}: {error.details()}")
        return error
    raise AssertionError(f"expected {code}, not OK")


if __name__ == "__main__":
    with connect() as connection:
        sys.exit(not Scenario(connection, os.environ["LATCHKEY_TOKEN"]).run())
