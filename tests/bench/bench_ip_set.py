"""An address looked up in one country's real prefixes: CPU time for each look-up

The peer is a plain sorted array of the same prefixes with binary search, which knows nothing of nesting, ends and ids.
"""

import json
import subprocess

import country
from figures import Figure
from latchkey_test import program
from pinned import CLIENT_CORE, on_core

_GOAL = 1.0


def run(world):
    lists = [("DK", 4), ("DK", 6), ("US", 4)] + ([] if world.quick else [("all", 4)])
    return [_measure(world, code, version) for code, version in lists]


def _measure(world, code, version):
    found = country.prefixes(code, version)
    path = world.file(f"{code}-{version}", "".join(f"{prefix}\n" for prefix in found).encode())
    with on_core(CLIENT_CORE):
        said = subprocess.run([program("tests/bench-ip-set"), path], capture_output=True, text=True, check=True,
                              timeout=120).stdout
    rounds = [json.loads(line) for line in said.splitlines()]
    return Figure("ip_set", f"{code}, {len(found)} IPv{version} prefixes", [round_["ours"] for round_ in rounds],
                  [round_["peer"] for round_ in rounds], "sorted array", "CPU-ns/look-up", _GOAL)
