#!/usr/bin/python3
"""http1_parties.py NAME HOST PORT SECONDS CONNECTIONS: one attack on the door of HTTP/1.1 for so long, or `witness`, the
honest client, who says "begun" when the first call is over; prints what it saw.

An attacker never reads, and comes again when it is closed. A flood is a function that yields bytes without end; a crowd's
gives the bytes that each sends at once, and those of which it sends one each second.
"""

import itertools
import json
import select
import socket
import sys
import threading
import time

import cores
from arrival import StampedSocket

_HEAD = b"GET /check HTTP/1.1\r\nhost: x\r\n"
_POST = b"POST /introspect HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-www-form-urlencoded\r\n"
FLOODS, CROWDS = {}, {}


def flood(make):
    FLOODS[make.__name__] = make
    return make


def crowd(make):
    CROWDS[make.__name__] = make
    return make


@flood
def requests_without_reading():
    """Answers wait in the sockets until nothing fits any more."""
    yield from itertools.repeat((_HEAD + b"\r\n") * 500)


@flood
def endless_chunks():
    yield _POST + b"transfer-encoding: chunked\r\n\r\n"
    yield from itertools.repeat(b"10000\r\n" + b"x" * 0x10000 + b"\r\n")


@flood
def endless_fields():
    yield _HEAD
    yield from itertools.repeat(b"x: y\r\n" * 1000)


@flood
def endless_first_line():
    yield b"GET /check?"
    yield from itertools.repeat(b"permission=a&" * 1000)


@flood
def bodies_nobody_waits_for():
    """Each is larger than any question, and is not read."""
    body = b"token=a&" + b"token=b&" * 100000
    request = _POST + b"content-length: %d\r\n\r\n" % len(body) + body
    yield from itertools.repeat(request)


@flood
def no_http():
    yield from itertools.repeat(b"\x00\xff\r\n" * 1000)


@crowd
def idle():
    return b"", b""


@crowd
def slow_first_line():
    return b"", b"GET /check HTTP/1.1"


@crowd
def slow_fields():
    return _HEAD, b"x-long: " + b"a" * 1000


@crowd
def slow_body():
    return _POST + b"content-length: 1000\r\n\r\n", b"a" * 900


class Counts:
    def __init__(self):
        self.connections = self.closed = self.sent_bytes = 0


def _connect(address):
    connection = socket.create_connection(address, 10)
    connection.settimeout(1)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    return connection


def _is_closed(connection):
    poll = select.poll()
    poll.register(connection, select.POLLRDHUP | select.POLLHUP | select.POLLERR)
    return bool(poll.poll(0))


def _send_all(connection, chunk, until, counts):
    """False when the server has closed."""
    rest = memoryview(chunk)
    while rest and time.monotonic() < until:
        try:
            sent = connection.send(rest)
            counts.sent_bytes += sent
            rest = rest[sent:]
        except TimeoutError:
            if _is_closed(connection):
                return False
    return True


def run_flood(make, address, until, counts):
    while time.monotonic() < until:
        try:
            with _connect(address) as connection:
                counts.connections += 1
                for chunk in make():
                    if time.monotonic() >= until or not _send_all(connection, chunk, until, counts):
                        break
                counts.closed += time.monotonic() < until
        except OSError:
            counts.closed += 1


def run_crowd(make, address, until, counts, size):
    """All of them open at once; each sends a byte a second, and is opened again when it has been closed."""
    at_once, slowly = make()
    crowd = [None] * size
    for turn in itertools.count():
        if time.monotonic() >= until:
            return
        for place, connection in enumerate(crowd):
            try:
                if connection is None or _is_closed(connection[0]):
                    counts.closed += connection is not None
                    if connection:
                        connection[0].close()
                    crowd[place] = connection = (_connect(address), turn)
                    counts.connections += 1
                    connection[0].sendall(at_once)
                at = turn - connection[1]
                connection[0].send(slowly[at:at + 1])
            except OSError:
                crowd[place] = None
                counts.closed += 1
        time.sleep(max(0, min(1, until - time.monotonic())))


def attack(name, address, seconds, connections):
    until, counts = time.monotonic() + seconds, Counts()
    if name in CROWDS:
        run_crowd(CROWDS[name], address, until, counts, connections)
        return counts.__dict__
    shares = [Counts() for _ in range(connections)]
    threads = [threading.Thread(target=run_flood, args=(FLOODS[name], address, until, share)) for share in shares]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return {field: sum(getattr(share, field) for share in shares) for field in counts.__dict__}


def witness(address, seconds):
    """A request every ten milliseconds, each over a connection of its own: who comes anew must be let in."""
    until, latencies, failed = time.monotonic() + seconds, [], 0
    while time.monotonic() < until:
        started, next_due = time.time(), time.monotonic() + 0.01
        try:
            with StampedSocket(socket.create_connection(address, 10)) as connection:
                connection.sendall(_HEAD + b"\r\n")
                failed += not connection.recv(65536).startswith(b"HTTP/1.1 503 ")
                latencies.append(connection.get_seconds_since(started))
        except OSError:
            failed += 1
            latencies.append(time.time() - started)
        if len(latencies) == 1:
            print("begun", flush=True)
        time.sleep(max(0, next_due - time.monotonic()))
    latencies.sort()
    return {"calls": len(latencies), "failed": failed, "p99_ms": latencies[len(latencies) * 99 // 100] * 1000}


def main(name, host, port, seconds, connections="1"):
    address = (host, int(port))
    if name == "witness":
        cores.go_first()
        seen = witness(address, float(seconds))
    else:
        cores.give_way()
        seen = attack(name, address, float(seconds), int(connections))
    print(json.dumps(seen))


if __name__ == "__main__":
    main(*sys.argv[1:])
