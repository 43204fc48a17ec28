"""From starting latchkey-validator to ready, against a raw COPY of the same rows

The peer is `psql` with COPY (FORMAT binary) to nowhere: reading the rows once and keeping nothing.
"""

import subprocess
import time

from figures import Figure
from token_rows import COPY

_GOAL = 2.0


def run(world):
    filled = world.filled(world.large)
    ours, peer = [], []
    for _ in world.rounds(5):
        peer.append(_time(lambda: _copy(filled)))
        validator = filled.validator()
        try:
            ours.append(_time(validator.start))
        finally:
            validator.remove()
    return [Figure("cold_start", f"{world.large} tokens", ours, peer, "COPY", "ms", _GOAL)]


def _copy(filled):
    subprocess.run(["psql", "--no-psqlrc", "--quiet", "--dbname", filled.superuser_url, "--command", COPY], check=True,
                   stdout=subprocess.DEVNULL, timeout=300)


def _time(action):
    started = time.monotonic()
    action()
    return (time.monotonic() - started) * 1000
