"""Files of tests/vectors: lines of `expected TAB input`, # before a comment, \\xNN for a byte."""

import re

from .paths import ROOT


def read_vectors(name):
    """(expected, input) of every line of tests/vectors/NAME."""
    return [(expected, typed.decode()) for expected, typed in read_byte_vectors(name)]


def read_byte_vectors(name):
    """The same with the input as bytes, which may be no text at all."""
    text = (ROOT / "tests/vectors" / name).read_text(encoding="utf-8")
    lines = (line.split("\t", 1) for line in text.split("\n") if line and not line.startswith("#"))
    return [(expected, _unescape(typed)) for expected, typed in lines]


def _unescape(text):
    return re.sub(rb"\\x([0-9a-f]{2})", lambda match: bytes.fromhex(match[1].decode()), text.encode())
