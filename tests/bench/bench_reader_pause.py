"""Whether who decides waits for who changes: a turn of 16 look-ups among 1 000 000 tokens, while some of them change

CPU time of the reading thread (reader_pause.c), while 5 000 tokens a second change, and while the image grows and shrinks as
fast as one thread can make it; beside the same while nothing changes, in turns of seven tenths of a second. The longest turn
stands beside a millisecond. A reader that slept would not show in CPU time: its sleeps are counted, beside one in a million
turns.
"""

import json
import subprocess

from figures import Figure
from latchkey_test import program

_BOUND_NS = 1e6
_PERCENTILES = ("p50", "p99", "p99.9")
_PHASES = (("followed", "5 000 changes a second"), ("growing", "growing and shrinking"))
_GOAL = 1.2


def run(world):
    tokens = 100_000 if world.quick else 1_000_000
    said = subprocess.run([program("tests/bench-reader-pause"), str(tokens)], capture_output=True, text=True, check=True,
                          timeout=300).stdout
    rounds = [json.loads(line) for line in said.splitlines()]
    return [figure for phase, what in _PHASES for figure in _figures(rounds, phase, what)]


def _figures(rounds, phase, what):
    ours, quiet = [found[phase] for found in rounds], [found["quiet"] for found in rounds]
    for name in _PERCENTILES:
        yield Figure("reader_pause", f"{what}, {name}", [found[name] for found in ours], [found[name] for found in quiet],
                     "nothing changes", "CPU-ns", _GOAL if phase == "followed" else None)
    yield Figure("reader_pause", f"{what}, the longest", [found["longest"] for found in ours], [_BOUND_NS] * len(ours), "1 ms",
                 "CPU-ns", 1.0)
    yield Figure("reader_pause", f"{what}, sleeps in a million turns", [found["sleeps"] * 1e6 / found["turns"] for found in ours],
                 [1.0] * len(ours), "one", "", 1.0)
