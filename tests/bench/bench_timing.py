"""Whether the time of a refusal tells unknown secrets from deactivated ones, and from another company's

In the server, from the bytes of a request to those of the answer: Welch's t of the two classes, whose peer is the bound of 4.5
beyond which a leak is said to be found.
"""

import json
import subprocess

from figures import Figure
from latchkey_test import program
from pinned import CLIENT_CORE, on_core

_BOUND = 4.5
_TOKENS, _SAMPLES = 20_000, 1_000_000


def run(world):
    rounds = [_measure() for _ in range(1 if world.quick else 5)]
    return [Figure("timing", f"|t| of unknown and {other} secrets, {_SAMPLES} requests",
                   [abs(round_[f"t_{other}"]) for round_ in rounds], [_BOUND] * len(rounds), "bound", "t", 1.0)
            for other in ("deactivated", "expired", "foreign")]


def _measure():
    with on_core(CLIENT_CORE):
        said = subprocess.run([program("tests/bench-timing"), str(_TOKENS), str(_SAMPLES)], capture_output=True, text=True,
                              check=True, timeout=300).stdout
    return json.loads(said)
