#!/usr/bin/python3
"""honest.py HOST PORT SECONDS RATE: calls at an even rate of which one in a hundred is cancelled; prints what has become of them.

Nothing of it is an attack: an honest client must never be taken for one.
"""

import json
import socket
import sys
import time

from wire import END_HEADERS, HEADERS, RST_STREAM, Frames, block, call, frame, message, preface, reset, window_update
from wire import ACK, END_STREAM, GOAWAY, PING

_CONNECTIONS, _TURN_S, _CANCEL_EVERY = 4, 0.01, 100


class Client:
    def __init__(self, address):
        self._socket = socket.create_connection(address, 10)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._frames = Frames(self._socket)
        self._next, self._block, self._body = 1, block("Echo"), message(b"x" * 20)
        self.started = self.cancelled = self.answered = self.open = 0
        self.is_refused = False
        self._socket.sendall(preface() + window_update(0, 2**30))

    def start(self, count):
        """Sends so many calls at once."""
        self._socket.sendall(b"".join(self._make() for _ in range(count)))

    def _make(self):
        stream, self._next = self._next, self._next + 2
        self.started += 1
        if self.started % _CANCEL_EVERY == 0:
            self.cancelled += 1
            return frame(HEADERS, END_HEADERS, stream, self._block) + reset(stream)
        self.open += 1
        return call(stream, self._block, self._body)

    def finish(self):
        """Takes in the answers to what is open."""
        while self.open > 0:
            kind, flags, _, payload = self._frames.read()
            if kind == PING and not flags & ACK:
                self._socket.sendall(frame(PING, ACK, 0, payload))
            self.is_refused |= kind in (GOAWAY, RST_STREAM)
            if kind == HEADERS and flags & END_STREAM:
                self.open -= 1
                self.answered += 1


def main(host, port, seconds, rate):
    clients = [Client((host, int(port))) for _ in range(_CONNECTIONS)]
    share = max(1, int(float(rate) * _TURN_S / _CONNECTIONS))
    begun = time.monotonic()
    due = begun
    while due < begun + float(seconds):
        for client in clients:
            client.start(share)
        for client in clients:
            client.finish()
        due = max(due + _TURN_S, time.monotonic() - 1)
        time.sleep(max(0, due - time.monotonic()))
    taken = time.monotonic() - begun
    started = sum(client.started for client in clients)
    print(json.dumps({"calls_per_s": started / taken, "started": started,
                      "cancelled": sum(client.cancelled for client in clients),
                      "answered": sum(client.answered for client in clients),
                      "refused": sum(client.is_refused for client in clients)}))


if __name__ == "__main__":
    main(*sys.argv[1:])
