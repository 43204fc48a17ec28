"""Calling our servers through Debian's grpcio, with a caller's token in the metadata."""

import grpc

from . import stubs

# Attribute of Client -> (file of the contract, service).
_SERVICES = {
    "validation": ("latchkey/v1/validation.proto", "ValidationService"),
    "tokens": ("latchkey/v1/token.proto", "TokenService"),
    "whitelist": ("latchkey/v1/whitelist.proto", "WhitelistService"),
    "invitations": ("latchkey/v1/invitation.proto", "InvitationService"),
    "members": ("latchkey/v1/member.proto", "MemberService"),
    "companies": ("latchkey/v1/company.proto", "CompanyService"),
    "audit": ("latchkey/v1/audit.proto", "AuditService"),
    "health": ("grpc/health/v1/health.proto", "Health"),
    "reflection": ("grpc/reflection/v1/reflection.proto", "ServerReflection"),
}
_DETAILS = "grpc-status-details-bin"


class Client:
    """A channel to one server that sends the caller's secret with every call.

        with Client(server.address, secret) as client:
            client.tokens.GetCaller(token_pb2.GetCallerRequest(), timeout=5)
    """

    def __init__(self, address, secret=None, company=None, tls=None, **channel):
        """`tls` is grpc.ssl_channel_credentials(), None for plaintext; `channel` are options of grpc.http2."""
        self._credentials = (secret, company, tls)
        metadata = []
        if secret:
            metadata.append(("authorization", f"Bearer {secret}"))
        if company:
            metadata.append(("latchkey-company", company))
        options = [("grpc.enable_retries", 0), *((f"grpc.http2.{name}", value) for name, value in channel.items())]
        self.channel = grpc.secure_channel(address, tls, options) if tls else grpc.insecure_channel(address, options)
        self._calls = grpc.intercept_channel(self.channel, _Metadata(metadata))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def __getattr__(self, name):
        if name not in _SERVICES:
            raise AttributeError(name)
        proto, service = _SERVICES[name]
        stub = getattr(stubs.services(proto), service + "Stub")(self._calls)
        setattr(self, name, stub)
        return stub

    def call(self, method, request, timeout=20, **options):
        """The answer of a method as contract.served_methods() describes them."""
        return self._invocation(method)(request, timeout=timeout, **options)

    def begin(self, method, request, timeout=20):
        """The same call, under way."""
        return self._invocation(method).future(request, timeout=timeout)

    def _invocation(self, method):
        return self._calls.unary_unary(method.path, request_serializer=method.request.SerializeToString,
                                       response_deserializer=method.response.FromString)

    def at(self, address):
        """The same caller at another server."""
        return Client(address, *self._credentials)

    def close(self):
        self.channel.close()


class _Metadata(grpc.UnaryUnaryClientInterceptor, grpc.UnaryStreamClientInterceptor,
                grpc.StreamUnaryClientInterceptor, grpc.StreamStreamClientInterceptor):
    """Adds the same metadata to every call."""

    def __init__(self, metadata):
        self._metadata = metadata

    def _intercept(self, continuation, details, request):
        metadata = [*(details.metadata or ()), *self._metadata]
        return continuation(_Details(details, metadata), request)

    intercept_unary_unary = intercept_unary_stream = _intercept
    intercept_stream_unary = intercept_stream_stream = _intercept


class _Details(grpc.ClientCallDetails):
    def __init__(self, details, metadata):
        self.method = details.method
        self.timeout = details.timeout
        self.metadata = metadata
        self.credentials = details.credentials
        self.wait_for_ready = details.wait_for_ready
        self.compression = details.compression


def error_info(error):
    """The ErrorInfo of a grpc.RpcError, or None."""
    return next(_details(error, "ErrorInfo"), None)


def field_violations(error):
    """Field -> sentence, of the BadRequest of a grpc.RpcError."""
    return {violation.field: violation.description
            for bad_request in _details(error, "BadRequest") for violation in bad_request.field_violations}


def retry_info(error):
    """The RetryInfo of a grpc.RpcError, or None."""
    return next(_details(error, "RetryInfo"), None)


def _details(error, kind):
    """The details of one type that the status of a failed call carries."""
    status = stubs.messages("google/rpc/status.proto").Status()
    status.ParseFromString(dict(error.trailing_metadata()).get(_DETAILS, b""))
    message = getattr(stubs.messages("google/rpc/error_details.proto"), kind)
    for detail in status.details:
        if detail.Is(message.DESCRIPTOR):
            unpacked = message()
            detail.Unpack(unpacked)
            yield unpacked
