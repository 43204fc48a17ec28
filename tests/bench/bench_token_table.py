"""A token looked up in the table of a validator, alone and among 64 at once: CPU time for each look-up

Among all tokens at random, and among a thousand that stay in the cache. The peer is liburcu's own hash table (rculfhash) with
the whole digest in each node, about the same tokens in the same order; for the memory it is the design's 64 bytes.
"""

import json
import subprocess

from figures import Figure
from latchkey_test import program
from pinned import CLIENT_CORE, on_core

_GOAL = 1.0
_DESIGN_BYTES = 64


def run(world):
    tokens = 1_000_000 if world.quick else 10_000_000
    with on_core(CLIENT_CORE):
        said = subprocess.run([program("tests/bench-token-table"), str(tokens)], capture_output=True, text=True, check=True,
                              timeout=600).stdout
    *rounds, filled = [json.loads(line) for line in said.splitlines()]
    found = [_figure(f"{tokens} tokens, {where}, {how}", [round_[where][how] for round_ in rounds],
                     [round_[where]["peer"] for round_ in rounds], _GOAL if where == "random" else None)
             for where in ("random", "warm") for how in ("alone", "batch")]
    return found + [_figure(f"{tokens} tokens, put", [filled["put_ns"]], [filled["peer_put_ns"]], None),
                    Figure("token_table", f"{tokens} tokens, record and both indexes", [filled["bytes"]], [_DESIGN_BYTES],
                           "design", "B/token", 1.0)]


def _figure(case, ours, peer, goal):
    return Figure("token_table", case, ours, peer, "rculfhash", "CPU-ns", goal)
