#!/usr/bin/python3
"""witness.py HOST PORT SECONDS: an honest client, a call every ten milliseconds on one connection; prints "begun"
when the first is over, and at the end what it saw.

It writes and reads the frames of a unary call by hand, so that its own work is next to nothing.
"""

import gc
import json
import socket
import sys
import time

import cores
from wire import Caller

_INTERVAL_S = 0.01


def main(host, port, seconds):
    cores.go_first()
    gc.disable()
    latencies, failed, caller = [], 0, None
    until = time.monotonic() + float(seconds)
    while time.monotonic() < until:
        started = time.monotonic()
        try:
            caller = caller or Caller(socket.create_connection((host, int(port)), 10))
            failed += not caller.call()
        except OSError:
            failed, caller = failed + 1, None
        taken = time.monotonic() - started
        latencies.append(taken)
        if len(latencies) == 1:
            print("begun", flush=True)
        time.sleep(max(0, _INTERVAL_S - taken))
    latencies.sort()
    print(json.dumps({"calls": len(latencies), "failed": failed, "p50_ms": latencies[len(latencies) // 2] * 1000,
                      "p99_ms": latencies[len(latencies) * 99 // 100] * 1000}))


if __name__ == "__main__":
    main(*sys.argv[1:])
