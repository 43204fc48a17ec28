"""A validator's memory for each token

Of a validator that has loaded a database: the difference of two sizes of table, so that what a process needs anyway is left out.
Peers: the same rows as COPY (FORMAT binary) sends them, and the design, 64 bytes for the record and both indexes of a token.

Of an image by itself (image_memory.c): what is resident when it has grown to so many tokens, and at most while it grew; and
what a hundred lists of a hundred prefixes cost that a million tokens share, beside the same lists of a hundred tokens.
"""

import json
import re
import subprocess
from pathlib import Path

from figures import Figure
from latchkey_test import program
from token_rows import COPY

_DESIGN_BYTES, _DESIGN_GOAL = 64, 1.0
_LISTS = 100


def run(world):
    return _of_validators(world) + _of_images((100000,) if world.quick else (1000000, 10000000)) + _of_shared_lists(world.large)


def _of_validators(world):
    small, large = world.filled(world.small), world.filled(world.large)
    more_tokens = world.large - world.small
    ours = [(_resident_bytes(large) - _resident_bytes(small)) / more_tokens for _ in range(1 if world.quick else 3)]
    rows = (_copied_bytes(large) - _copied_bytes(small)) / more_tokens
    case = f"from {world.small} to {world.large} tokens"
    return [Figure("memory", case, ours, [rows] * len(ours), "COPY's bytes", "B/token"),
            Figure("memory", case, ours, [_DESIGN_BYTES] * len(ours), "design", "B/token", _DESIGN_GOAL)]


def _of_images(sizes):
    figures = []
    for tokens in sizes:
        made = _make_image(tokens, 0)
        figures += [Figure("memory", f"{tokens} tokens, {what}", [made[what]], [_DESIGN_BYTES], "design", "B/token")
                    for what in ("counted", "resident", "peak")]
    return figures


def _of_shared_lists(tokens):
    shared, own = _make_image(tokens, _LISTS)["list_bytes"], _make_image(_LISTS, _LISTS)["list_bytes"]
    return [Figure("memory", f"{_LISTS} lists of {tokens} tokens", [shared], [own], f"of {_LISTS} tokens", "B", 1.0)]


def _make_image(tokens, lists):
    said = subprocess.run([program("tests/bench-image-memory"), str(tokens), str(lists)], capture_output=True, text=True,
                          check=True, timeout=300).stdout
    return json.loads(said)


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
