"""HTTP/1.1 by hand: what a library would not send can be sent, and many requests at once on one connection.

    with Http1("127.0.0.1:7080") as http:
        answer = http.ask("GET", "/check", {"authorization": "Bearer ..."})
"""

import dataclasses
import json
import socket


@dataclasses.dataclass
class Answer:
    status: int
    fields: list  # (name in lower case, value), in their order
    body: bytes

    def get(self, name):
        """The field's only value; None if it is not there."""
        values = [value for key, value in self.fields if key == name]
        if len(values) > 1:
            raise AssertionError(f"{name} is there {len(values)} times")
        return values[0] if values else None

    def json(self):
        return json.loads(self.body)


def encode(method, path, fields=(), body=None, host="localhost"):
    """A request's bytes. `fields` is a dictionary or a list of pairs."""
    pairs = list(fields.items()) if isinstance(fields, dict) else list(fields)
    if isinstance(body, str):
        body = body.encode()
    if body is not None:
        pairs.append(("content-length", str(len(body))))
    lines = [f"{method} {path} HTTP/1.1", f"host: {host}", *(f"{name}: {value}" for name, value in pairs)]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + (body or b"")


class Closed(Exception):
    """The server has closed the connection in place of an answer."""


class Http1:
    """One connection."""

    def __init__(self, address, timeout=30):
        host, port = address.rsplit(":", 1)
        self.socket = socket.create_connection((host, int(port)), timeout)
        self._file = self.socket.makefile("rb")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self._file.close()
        self.socket.close()

    def ask(self, method, path, fields=(), body=None):
        self.send(encode(method, path, fields, body))
        return self.read(has_body=method != "HEAD")

    def ask_all(self, requests):
        """The answers to encoded requests, which are sent ahead of them."""
        self.send(b"".join(requests))
        return [self.read() for _ in requests]

    def send(self, data):
        self.socket.sendall(data)

    def read(self, has_body=True):
        line = self._line()
        status = int(line.split(b" ", 2)[1])
        if status == 100:
            self._line()
            return Answer(status, [], b"")
        fields = []
        while line := self._line():
            name, _, value = line.partition(b":")
            fields.append((name.decode("latin-1").lower(), value.strip().decode("latin-1")))
        length = int(dict(fields).get("content-length", 0))
        return Answer(status, fields, self._file.read(length) if has_body and length else b"")

    def _line(self):
        try:
            line = self._file.readline()
        except ConnectionError:
            line = b""
        if not line.endswith(b"\r\n"):
            raise Closed(line)
        return line[:-2]

    def is_closed(self):
        """Waits for the server's end of the connection."""
        try:
            return self._file.read(1) == b""
        except ConnectionError:
            return True
