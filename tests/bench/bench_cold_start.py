"""From starting latchkey-validator to ready, from the database and from its snapshot file, against a raw COPY of the same rows

The peer is `psql` with COPY (FORMAT binary) to nowhere: reading the rows once and keeping nothing.
"""

import subprocess
import tempfile
import time

from figures import Figure
from token_rows import COPY

_GOAL, _GOAL_FILE = 1.3, 1.0


def run(world):
    filled = world.filled(world.large)
    ours, from_file, peer = [], [], []
    for _ in world.rounds(5):
        peer.append(_time(lambda: _copy(filled)))
        with tempfile.TemporaryDirectory(prefix="latchkey-snapshot-") as directory:
            validator = filled.validator(snapshot_file=f"{directory}/file")
            try:
                ours.append(_time(validator.start))
                validator.stop()
                from_file.append(_time(validator.start))
                if "from=file" not in validator.log():
                    raise RuntimeError(f"it did not start from its file\n{validator.log()}")
            finally:
                validator.remove()
    return [Figure("cold_start", f"{world.large} tokens", ours, peer, "COPY", "ms", _GOAL),
            Figure("cold_start", f"{world.large} tokens, snapshot file", from_file, peer, "COPY", "ms", _GOAL_FILE)]


def _copy(filled):
    subprocess.run(["psql", "--no-psqlrc", "--quiet", "--dbname", filled.superuser_url, "--command", COPY], check=True,
                   stdout=subprocess.DEVNULL, timeout=300)


def _time(action):
    started = time.monotonic()
    action()
    return (time.monotonic() - started) * 1000
