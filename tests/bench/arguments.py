#!/usr/bin/python3
"""Runs the benchmarks; prints every figure as a ratio to its peer in the same run, and whether goals are reached.

A benchmark passes when it ran and found figures. A missed goal is printed and fails nothing: a busy machine is no
broken program. Plots go to the build tree, bench/*.svg.

With --page it writes docs/performance.md, from figures that are kept in the build tree as soon as a benchmark has them: those
that are there are not measured again, unless their benchmarks are named.
"""

# Run by itself it only checks the arguments, before anything is installed or built; so it needs nothing that is not Python's.

import argparse
import re
import sys
from pathlib import Path

NAMES = ("ip_set", "token_table", "transport", "validate", "batch", "envoy", "tls", "latency", "tokens", "sets", "profile", "cold_start",
         "memory", "revoke", "currency", "create", "trips", "whitelist", "pages", "overload", "timing", "soak")
# What docs/performance.md tells, in its order.
PAGE = ("validate", "batch", "tls", "latency", "tokens", "sets", "profile", "ip_set", "token_table", "memory", "cold_start", "revoke", "currency",
        "whitelist", "soak")
_SECONDS = {"s": 1, "m": 60, "h": 3600}


def parse(arguments):
    parser = argparse.ArgumentParser(prog="tests/bench/run.sh", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer rounds, smaller tables: within three minutes")
    parser.add_argument("--json", type=Path, metavar="FILE", help="one JSON object a line for each figure")
    parser.add_argument("--page", action="store_true", help="write docs/performance.md, for which benchmarks run: " + ", ".join(PAGE))
    parser.add_argument("--soak", type=_duration, metavar="DURATION", help="how long that benchmark lasts: 10m, with --quick 5s")
    parser.add_argument("benches", nargs="*", metavar="BENCH", help="only these: " + ", ".join(NAMES))
    parsed = parser.parse_args(arguments)
    unknown = set(parsed.benches) - set(NAMES)
    if unknown:
        parser.error(f"no such benchmark: {', '.join(sorted(unknown))}")
    if parsed.page and parsed.quick:
        parser.error("a quick run is no figure for the page")
    return parsed


def _duration(text):
    """Seconds."""
    if not re.fullmatch(r"[1-9]\d{0,5}[smh]", text):
        raise argparse.ArgumentTypeError(f"{text}: a number with s, m or h")
    return int(text[:-1]) * _SECONDS[text[-1]]


if __name__ == "__main__":
    parse(sys.argv[1:])
