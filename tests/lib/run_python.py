#!/usr/bin/python3
"""run_python.py DIRECTORY [PATTERN]: runs its test_*.py under unittest; the last line is `N passed, M failed`.

A skipped test is not a passed one: it is named, and counted as neither. No test at all is a failure.
"""

import sys
import time
import unittest
from pathlib import Path


class Result(unittest.TextTestResult):
    """Says how long each test took, since these start servers."""

    def startTest(self, test):
        self.started = time.monotonic()
        self.passed = getattr(self, "passed", 0)
        super().startTest(test)

    def addSuccess(self, test):
        super().addSuccess(test)
        self.passed += 1

    def stopTest(self, test):
        super().stopTest(test)
        seconds = time.monotonic() - self.started
        if seconds > 10:
            self.stream.writeln(f"    {seconds:.0f} s")


def main(directory, pattern="test_*.py"):
    sys.path.insert(0, str(Path(__file__).resolve().parent))
    suite = unittest.defaultTestLoader.discover(directory, pattern, top_level_dir=directory)
    result = unittest.TextTestRunner(verbosity=2, resultclass=Result, stream=sys.stdout).run(suite)
    for test, reason in result.skipped:
        print(f"skipped: {test}: {reason}")
    passed = getattr(result, "passed", 0)
    failed = result.testsRun - passed - len(result.skipped) - len(result.expectedFailures)
    # A class or module that fails to set up has run no test.
    failed = max(failed, len(result.errors) + len(result.failures) + len(result.unexpectedSuccesses))
    if passed == 0 and failed == 0:
        print(f"no tests in {directory}")
        failed = 1
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
