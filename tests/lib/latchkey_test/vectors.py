"""Files of tests/vectors: lines of `expected TAB input`, # before a comment, \\xNN for a byte."""

import re

from .paths import ROOT


def read_vectors(name):
    """(expected, input) of every line of tests/vectors/NAME."""
    text = (ROOT / "tests/vectors" / name).read_text(encoding="ascii")
    lines = (line.split("\t", 1) for line in text.splitlines() if line and not line.startswith("#"))
    return [(expected, _unescape(typed)) for expected, typed in lines]


def _unescape(text):
    return re.sub(rb"\\x([0-9a-f]{2})", lambda match: bytes.fromhex(match[1].decode()), text.encode()).decode()
