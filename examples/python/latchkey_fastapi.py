"""A dependency for FastAPI: a request goes on only if Latchkey admits its bearer token, from the address it came from,
for the permissions that the route needs. Whatever goes wrong, the request is refused.

    @app.get("/charges")
    async def list_charges(caller=Depends(Require("charges.read"))):
"""

import grpc
from fastapi import HTTPException, Request

from latchkey.v1 import decision_pb2, validation_pb2

_TIMEOUT_S = 1
_UNAUTHENTICATED = {
    decision_pb2.REASON_MALFORMED, decision_pb2.REASON_UNKNOWN, decision_pb2.REASON_MEMBER_REMOVED,
    decision_pb2.REASON_DEACTIVATED, decision_pb2.REASON_SUSPENDED, decision_pb2.REASON_NOT_YET_VALID,
    decision_pb2.REASON_EXPIRED}


class Require:
    """Asks the validator that the application keeps as `app.state.validator`; returns its answer."""

    def __init__(self, *permissions):
        self._permissions = permissions

    async def __call__(self, request: Request):
        question = validation_pb2.ValidateRequest(
            token=_find_bearer(request), client_ip=request.client.host, channel=decision_pb2.CHANNEL_API,
            permissions=self._permissions)
        try:
            answer = await request.app.state.validator.Validate(question, timeout=_TIMEOUT_S)
        except grpc.RpcError:
            raise HTTPException(503, headers={"Retry-After": "1"}) from None
        if answer.decision != decision_pb2.DECISION_ALLOW:
            raise _refusal(answer.reason)
        return answer


def _find_bearer(request):
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _refusal(reason):
    if reason in _UNAUTHENTICATED:
        return HTTPException(401, headers={"WWW-Authenticate": 'Bearer error="invalid_token"'})
    if reason == decision_pb2.REASON_PERMISSION_MISSING:
        return HTTPException(403, headers={"WWW-Authenticate": 'Bearer error="insufficient_scope"'})
    return HTTPException(403)
