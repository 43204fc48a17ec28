#!/usr/bin/python3
"""tls_parties.py NAME HOST PORT SECONDS CONNECTIONS: a crowd in TLS's handshake for so long; or tls_parties.py witness HOST PORT
SECONDS AUTHORITY, the honest client, which comes anew for each call and says "begun" when the first is over. Prints what it saw.

Each of a crowd says how it begins and then nothing; who is closed comes again.
"""

import contextlib
import json
import selectors
import socket
import ssl
import sys
import time

import cores
from wire import Caller

_INTERVAL_S = 0.02


def _client_hello():
    outgoing = ssl.MemoryBIO()
    client = ssl.create_default_context().wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname="localhost")
    try:
        client.do_handshake()
    except ssl.SSLWantReadError:
        pass
    return outgoing.read()


CROWDS = {
    "stopped_in_the_middle": _client_hello()[:100],
    "silent": b"",
    "one_byte": b"\x16",
    # As long as a first message may be, and longer; the first record of it comes.
    "long_message_announced": b"\x16\x03\x01\x40\x00" + b"\x01\x01\x00\x00\x03\x03" + bytes(16378),
    "endless_message_announced": b"\x16\x03\x01\x40\x00" + b"\x01\x01\xff\xff\x03\x03" + bytes(16378),
}


def crowd(beginning, address, until, size):
    closed = connections = 0
    with selectors.DefaultSelector() as selector:
        while time.monotonic() < until:
            for _ in range(size - len(selector.get_map())):
                connection = socket.create_connection(address, 10)
                with contextlib.suppress(OSError):
                    connection.sendall(beginning)
                selector.register(connection, selectors.EVENT_READ)
                connections += 1
            for key, _ in selector.select(0.05):
                selector.unregister(key.fileobj)
                key.fileobj.close()
                closed += 1
        for key in list(selector.get_map().values()):
            key.fileobj.close()
    return {"connections": connections, "closed": closed}


def _call_once(address, context):
    with socket.create_connection(address, 10) as plain, context.wrap_socket(plain, server_hostname="localhost") as connection:
        return Caller(connection).call()


def witness(address, until, authority):
    context = ssl.create_default_context(cafile=authority)
    context.set_alpn_protocols(["h2"])
    latencies, failed = [], 0
    while time.monotonic() < until:
        started = time.monotonic()
        try:
            failed += not _call_once(address, context)
        except OSError:
            failed += 1
        latencies.append(time.monotonic() - started)
        if len(latencies) == 1:
            print("begun", flush=True)
        time.sleep(max(0, _INTERVAL_S - latencies[-1]))
    latencies.sort()
    return {"calls": len(latencies), "failed": failed, "p99_ms": latencies[len(latencies) * 99 // 100] * 1000}


def main(name, host, port, seconds, argument):
    address, until = (host, int(port)), time.monotonic() + float(seconds)
    if name == "witness":
        cores.go_first()
        seen = witness(address, until, argument)
    else:
        cores.give_way()
        seen = crowd(CROWDS[name], address, until, int(argument))
    print(json.dumps(seen))


if __name__ == "__main__":
    main(*sys.argv[1:])
