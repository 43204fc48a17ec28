"""Frames as bytes: fast to make by the hundred thousand, and read only as far as a test needs it."""

import socket
import struct

import hpack

DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(10)
END_STREAM, END_HEADERS, ACK = 1, 4, 1
INITIAL_WINDOW_SIZE = 4
WINDOW_MAX = 2**31 - 1
CANCEL = 8
SERVICE = "/latchkey.test.CallService/"


def frame(kind, flags, stream, payload=b""):
    return struct.pack(">IBI", len(payload) << 8 | kind, flags, stream) + payload


def settings(**values):
    """`settings(initial_window=0)`; nothing else is ever set."""
    entries = b"".join(struct.pack(">HI", INITIAL_WINDOW_SIZE, value) for value in values.values())
    return frame(SETTINGS, 0, 0, entries)


def preface(**values):
    return b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + settings(**values)


def window_update(stream, increment):
    return frame(WINDOW_UPDATE, 0, stream, struct.pack(">I", increment))


def reset(stream, code=CANCEL):
    return frame(RST_STREAM, 0, stream, struct.pack(">I", code))


def message(data, flag=0):
    """google.protobuf.StringValue, framed as gRPC does."""
    length, body = len(data), b"\x0a"
    while length > 0x7f:
        body, length = body + bytes([length & 0x7f | 0x80]), length >> 7
    body += bytes([length]) + data
    return struct.pack(">BI", flag, len(body)) + body


def block(method, *more, without=()):
    """A header block that touches no dynamic table, so that it may be sent any number of times."""
    fields = [(":method", "POST"), (":scheme", "http"), (":path", SERVICE + method), (":authority", "test"),
              ("content-type", "application/grpc"), ("te", "trailers"), *more]
    encoder = hpack.Encoder()
    encoder.header_table_size = 0
    encoded = encoder.encode([hpack.NeverIndexedHeaderTuple(*field) for field in fields if field[0] not in without])
    return encoded.removeprefix(b"\x20")  # the update of the table's size, which is sent once if at all


def data(stream, payload, flags=END_STREAM):
    """In frames as large as everybody takes."""
    parts = [payload[i:i + 16384] for i in range(0, len(payload), 16384)] or [b""]
    return b"".join(frame(DATA, flags if i == len(parts) - 1 else 0, stream, part) for i, part in enumerate(parts))


def call(stream, headers, payload):
    return frame(HEADERS, END_HEADERS, stream, headers) + data(stream, payload)


class Frames:
    """What comes from a socket, frame by frame."""

    def __init__(self, connection):
        self._connection, self._rest = connection, b""

    def read(self):
        """(kind, flags, stream, payload); ConnectionError at the end."""
        head = self._take(9)
        length, kind, flags, stream = int.from_bytes(head[:3], "big"), head[3], head[4], int.from_bytes(head[5:], "big")
        return kind, flags, stream, self._take(length)

    def _take(self, count):
        while len(self._rest) < count:
            received = self._connection.recv(65536)
            if not received:
                raise ConnectionResetError
            self._rest += received
        taken, self._rest = self._rest[:count], self._rest[count:]
        return taken


class Caller:
    """Calls Echo on a connection, which becomes its own, one at a time."""

    def __init__(self, connection):
        self._socket = connection
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._frames = Frames(self._socket)
        self._stream, self._block, self._message = -1, block("Echo"), message(b"x" * 20)
        self._socket.sendall(preface() + window_update(0, 2**30))

    def call(self):
        """Whether it was answered with a message."""
        self._stream += 2
        self._socket.sendall(call(self._stream, self._block, self._message))
        has_message = False
        while True:
            kind, flags, stream, payload = self._frames.read()
            if kind == PING and not flags & ACK:
                self._socket.sendall(frame(PING, ACK, 0, payload))
            elif stream == self._stream and kind == RST_STREAM:
                return False
            elif stream == self._stream:
                has_message |= kind == DATA and len(payload) > 0
                if flags & END_STREAM:
                    return has_message
