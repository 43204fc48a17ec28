#!/usr/bin/python3
"""witness.py HOST PORT SECONDS: an honest client, a call every ten milliseconds on one connection; prints "begun"
when the first is over, and at the end what it saw.

It writes and reads the frames of a unary call by hand, so that its own work is next to nothing. A call takes until its answer
has come (arrival.py).
"""

import gc
import json
import socket
import sys
import time

import cores
from arrival import StampedSocket
from wire import Caller

_INTERVAL_S = 0.01


def main(host, port, seconds):
    cores.go_first()
    gc.disable()
    latencies, failed, connection, caller = [], 0, None, None
    until = time.monotonic() + float(seconds)
    while time.monotonic() < until:
        started, next_due = time.time(), time.monotonic() + _INTERVAL_S
        try:
            if not connection:
                connection = StampedSocket(socket.create_connection((host, int(port)), 10))
                caller = Caller(connection)
            failed += not caller.call()
            latencies.append(connection.get_seconds_since(started))
        except OSError:
            failed, connection = failed + 1, None
            latencies.append(time.time() - started)
        if len(latencies) == 1:
            print("begun", flush=True)
        time.sleep(max(0, next_due - time.monotonic()))
    latencies.sort()
    print(json.dumps({"calls": len(latencies), "failed": failed, "p50_ms": latencies[len(latencies) // 2] * 1000,
                      "p99_ms": latencies[len(latencies) * 99 // 100] * 1000}))


if __name__ == "__main__":
    main(*sys.argv[1:])
