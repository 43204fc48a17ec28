#!/usr/bin/python3
"""Holds the tree to the rules of tests/lint; prints each violation as path:line: text.

The last line says how many rules passed and failed; the exit status is 0 only if none failed.
"""

import argparse
import sys
from pathlib import Path

import code_rules
import include_rules
import schema_rules
import tree_rules
from tree import Tree

RULES = include_rules.RULES + code_rules.RULES + schema_rules.RULES + tree_rules.RULES
BY_NAME = {rule.__name__: rule for rule in RULES + tree_rules.EXTRA_RULES}


def parse_arguments(arguments):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rules", nargs="*", metavar="RULE", help="only these: " + ", ".join(BY_NAME))
    parser.add_argument("--root", default=Path(__file__).resolve().parents[2], type=Path, help="the tree to check")
    parser.add_argument("--build", type=Path, help="where generated headers are (default: ROOT/build)")
    parsed = parser.parse_args(arguments)
    unknown = [name for name in parsed.rules if name not in BY_NAME]
    if unknown:
        parser.error(f"no such rule: {', '.join(unknown)}")
    return parsed


def main(arguments):
    options = parse_arguments(arguments)
    tree = Tree(options.root, options.build)
    rules = [BY_NAME[name] for name in options.rules] or RULES
    failed = 0
    for rule in rules:
        violations = list(rule(tree))
        failed += bool(violations)
        print(f"{'FAILED' if violations else 'ok    '} {rule.__name__}")
        for violation in violations:
            print(f"    {violation}")
    print(f"{len(rules) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
