#!/usr/bin/python3
"""run_ctest.py LABEL: runs ctest's tests of that label in LATCHKEY_BUILD_DIR; the last line is `N passed, M failed`.

Counts what cmocka counts, the cases; a program that printed no count (it crashed, or is no cmocka test) is one.
"""

import os
import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree
from pathlib import Path

from latchkey_test import BUILD

_PASSED = re.compile(r"\[  PASSED  \] (\d+) test\(s\)")
_FAILED = re.compile(r"\[  FAILED  \] (\d+) test\(s\)")
_FAILED_NAME = re.compile(r"\[  FAILED  \] (?!\d+ test)(.*)")
_SKIPPED = re.compile(r"\[  SKIPPED \] (?!\d+ test)(.*)")
# What cmocka says of a test that could not be set up, which it counts nowhere, and what sanitizers say.
_TELLING = re.compile(r".*(?:ERROR|error:|ThreadSanitizer|SUMMARY:).*")
_REASON_MAX = 600


def run_ctest(label, report):
    # Output of passed tests holds cmocka's counts, so none of it may be cut.
    return subprocess.run(
        ["ctest", "--test-dir", BUILD, "--label-regex", f"^{label}$", "--parallel", str(os.cpu_count()),
         "--output-on-failure", "--output-junit", report, "--test-output-size-passed", "10000000",
         "--no-tests=error"],
        check=False).returncode


def reason_of(output):
    """Why a program ended without a count, in one line: what stands in its output about errors, else its last line."""
    lines = _TELLING.findall(output) or output.strip().splitlines()[-1:] or ["it said nothing"]
    return " | ".join(line.strip() for line in lines)[:_REASON_MAX]


def count_program(case):
    """(passed, failed) of one program's <testcase>."""
    output = case.findtext("system-out") or ""
    for name in sorted(set(_SKIPPED.findall(output))):
        print(f"skipped: {case.get('name')}: {name}")
    passed = sum(map(int, _PASSED.findall(output)))
    failed = sum(map(int, _FAILED.findall(output)))
    for name in sorted(set(_FAILED_NAME.findall(output))):
        print(f"failed: {case.get('name')}: {name}")
    if case.get("status") != "run":
        if not failed:
            print(f"failed: {case.get('name')}: ended without a count: {reason_of(output)}")
        return passed, max(failed, 1)
    return (passed, failed) if passed or failed else (1, 0)


def main(label):
    with tempfile.TemporaryDirectory() as directory:
        report = Path(directory, "report.xml")
        status = run_ctest(label, report)
        cases = ElementTree.parse(report).iter("testcase") if report.exists() else []
        counts = [count_program(case) for case in cases]
    passed = sum(count[0] for count in counts)
    failed = sum(count[1] for count in counts) or int(status != 0)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
