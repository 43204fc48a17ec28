#!/usr/bin/python3
"""Runs the benchmarks; prints every figure as a ratio to its peer in the same run, and whether goals are reached.

A benchmark passes when it ran and found figures. A missed goal is printed and fails nothing: a busy machine is no
broken program. Plots go to the build tree, bench/*.svg.
"""

# Run by itself it only checks the arguments, before anything is installed or built; so it needs nothing that is not Python's.

import argparse
import sys
from pathlib import Path

NAMES = ("ip_set", "token_table", "transport", "validate", "batch", "envoy", "tls", "latency", "cold_start", "memory", "revoke", "currency", "create", "trips",
         "whitelist", "pages", "overload", "timing")


def parse(arguments):
    parser = argparse.ArgumentParser(prog="tests/bench/run.sh", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer rounds, smaller tables: within three minutes")
    parser.add_argument("--json", type=Path, metavar="FILE", help="one JSON object a line for each figure")
    parser.add_argument("benches", nargs="*", metavar="BENCH", help="only these: " + ", ".join(NAMES))
    parsed = parser.parse_args(arguments)
    unknown = set(parsed.benches) - set(NAMES)
    if unknown:
        parser.error(f"no such benchmark: {', '.join(sorted(unknown))}")
    return parsed


if __name__ == "__main__":
    parse(sys.argv[1:])
