"""A validator's memory for each token

The difference of two sizes of table, so that what a process needs anyway is left out. Peers: the same rows as COPY (FORMAT
binary) sends them, and the design, 64 bytes for the record and both indexes of a token.
"""

import re
from pathlib import Path

from figures import Figure
from token_rows import COPY

_DESIGN_BYTES, _DESIGN_GOAL = 64, 1.0


def run(world):
    small, large = world.filled(world.small), world.filled(world.large)
    more_tokens = world.large - world.small
    ours = [(_resident_bytes(large) - _resident_bytes(small)) / more_tokens for _ in range(1 if world.quick else 3)]
    rows = (_copied_bytes(large) - _copied_bytes(small)) / more_tokens
    case = f"from {world.small} to {world.large} tokens"
    return [Figure("memory", case, ours, [rows] * len(ours), "COPY's bytes", "B/token"),
            Figure("memory", case, ours, [_DESIGN_BYTES] * len(ours), "design", "B/token", _DESIGN_GOAL)]


def _resident_bytes(filled):
    with filled.validator() as validator:
        status = Path(f"/proc/{validator.pid}/status").read_text(encoding="ascii")
    return int(re.search(r"^VmRSS:\s+(\d+) kB$", status, re.MULTILINE)[1]) * 1024


class _Counter:
    """A file that keeps nothing."""

    size = 0

    def write(self, data):
        self.size += len(data)


def _copied_bytes(filled):
    connection, counter = filled.connect(), _Counter()
    try:
        with connection.cursor() as cursor:
            cursor.copy_expert(COPY, counter)
    finally:
        connection.close()
    return counter.size
