"""Whole processes: what each takes of memory, and how long until it is ready, without a token and with a million

Resident memory when a process has become ready and nobody has called it yet, of each server on one loop, with the settings that it has by
default; time from the start of the process until /readyz says 200, asked every 10 ms. With a million tokens the peer is the process itself
without one, and for who decides, and so holds them, the design's 64 bytes for each. Without tokens a start's peer is `psql` with a single
statement: a process that starts, connects and asks. docs/operations.md has the table (How large a process is).
"""

import re
import subprocess
import time
from pathlib import Path

from figures import Figure
from latchkey_test import Server

_MANAGEMENT = ("latchkey-token", "latchkey-whitelist", "latchkey-invitation")
_DECIDING = ("latchkey-validator", "latchkeyd")
_DESIGN_BYTES = 64
_GOAL = 1.1


def run(world):
    empty, full = world.filled(0), world.filled(world.large)
    return [figure for name in (*_MANAGEMENT, *_DECIDING) for figure in _of_process(world, name, empty, full)]


def _of_process(world, name, empty, full):
    psql, idle, loaded = [], [], []
    for _ in world.rounds(5):
        psql.append(_time(lambda: _ask(empty)))
        idle.append(_start(name, empty))
        loaded.append(_start(name, full))
    tokens_mb = _DESIGN_BYTES * world.large / 1e6 if name in _DECIDING else 0
    memory, start = (lambda runs: [run[0] for run in runs]), (lambda runs: [run[1] for run in runs])
    many = f"{name}, {world.large} tokens"
    goal = None if world.quick else _GOAL  # records come by 6 MB, which is much beside few of them
    return [Figure("processes", f"{many}: memory", memory(loaded), [mb + tokens_mb for mb in memory(idle)],
                   "itself with none" + (", and 64 B each" if tokens_mb else ""), "MB", goal),
            Figure("processes", f"{name}, no token: start", start(idle), psql, "psql", "ms"),
            Figure("processes", f"{many}: start", start(loaded), start(idle), "itself with none", "ms")]


def _start(name, filled):
    """(MB, ms)"""
    server = Server(name, database_url=filled.url, loops=1)
    try:
        took = _time(server.start)
        return _resident_mb(server.pid), took
    finally:
        server.remove()


def _resident_mb(pid):
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return int(re.search(r"^VmRSS:\s+(\d+) kB$", status, re.MULTILINE)[1]) * 1024 / 1e6


def _ask(filled):
    subprocess.run(["psql", "--no-psqlrc", "--quiet", "--dbname", filled.url, "--command", "SELECT 1"], check=True, stdout=subprocess.DEVNULL,
                   timeout=60)


def _time(action):
    """In ms."""
    started = time.monotonic()
    action()
    return (time.monotonic() - started) * 1000
