"""Questions as an Envoy asks them by ext_authz, and what its answers tell."""

from . import stubs

_auth_pb2 = stubs.messages("envoy/service/auth/v3/external_auth.proto")
_auth_grpc = stubs.services("envoy/service/auth/v3/external_auth.proto")

OVERWRITE_IF_EXISTS_OR_ADD = 2


def stub(channel):
    return _auth_grpc.AuthorizationStub(channel)


def question(headers=(), *, method="GET", path="/", host="service", source="", is_raw=True, **extensions):
    """A CheckRequest. Without is_raw repeated headers are joined, as Envoy does it by default."""
    request = _auth_pb2.CheckRequest()
    attributes = request.attributes
    if source:
        attributes.source.address.socket_address.address = source
        attributes.source.address.socket_address.port_value = 12345
    http = attributes.request.http
    http.method, http.path, http.host, http.size, http.protocol = method, path, host, -1, "HTTP/1.1"
    for name, value in headers:
        if is_raw:
            http.header_map.headers.add(key=name, raw_value=value.encode())
        else:
            http.headers[name] = f"{http.headers[name]},{value}" if name in http.headers else value
    for name, value in extensions.items():
        attributes.context_extensions[name] = value
    return request


def parse(response):
    return Answer(_auth_pb2.CheckResponse.FromString(response))


class Answer:
    def __init__(self, response):
        self.is_admitted = response.status.code == 0
        self.code = response.status.code
        told = response.ok_response if self.is_admitted else response.denied_response
        self.status = 200 if self.is_admitted else told.status.code
        assert all(option.append_action == OVERWRITE_IF_EXISTS_OR_ADD for option in told.headers), response
        self.headers = {option.header.key: option.header.value for option in told.headers}
        assert len(self.headers) == len(told.headers), response
        self.removed = set(response.ok_response.headers_to_remove)
        assert not self.removed & set(self.headers), response
        self.body = response.denied_response.body
        assert self.is_admitted == (response.WhichOneof("http_response") == "ok_response"), response

    @property
    def reason(self):
        return self.headers.get("latchkey-reason")

    def __repr__(self):
        return f"{self.status} {self.headers} {self.body}"
