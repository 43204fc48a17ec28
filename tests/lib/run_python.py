#!/usr/bin/python3
"""run_python.py DIRECTORY [FILE]: runs its test_*.py under unittest; the last line is `N passed, M failed`.

As many files at once as there are cores, each in a process of its own; LATCHKEY_TEST_JOBS sets another number, and
LATCHKEY_TEST_WITHOUT names files, as a pattern, that are left out. A skipped test is not a passed one: it is named, and
counted as neither. A file without a test is a failure, and so is one that takes more than 20 minutes.
"""

import concurrent.futures
import fnmatch
import os
import re
import signal
import subprocess
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


def run_file(directory, name):
    """(passed, failed) of one file, run in this process."""
    sys.path.insert(0, str(Path(__file__).resolve().parent))
    suite = unittest.defaultTestLoader.discover(directory, name, top_level_dir=directory)
    result = unittest.TextTestRunner(verbosity=2, resultclass=Result, stream=sys.stdout).run(suite)
    for test, reason in result.skipped:
        print(f"skipped: {test}: {reason}")
    for test, report in [*result.failures, *result.errors]:
        print(f"failed: {name}: {test}: {reason_of(report)}")
    passed = getattr(result, "passed", 0)
    failed = result.testsRun - passed - len(result.skipped) - len(result.expectedFailures)
    # A class or module that fails to set up has run no test.
    failed = max(failed, len(result.errors) + len(result.failures) + len(result.unexpectedSuccesses))
    if passed == 0 and failed == 0:
        print(f"no tests in {directory}/{name}")
        failed = 1
    return passed, failed


def reason_of(report):
    """What the exception says, on one line: the totals name it, where the whole report is far above."""
    lines = report.splitlines()
    after_frames = max((number + 1 for number, line in enumerate(lines) if line.startswith("  File ")), default=0)
    return " | ".join(line.strip() for line in lines[after_frames:] if line.strip() and not line.startswith("  "))[:400]


_COUNT = re.compile(r"^(\d+) passed, (\d+) failed$", re.MULTILINE)


_TIMEOUT_S = 20 * 60


def run_apart(directory, name):
    """(passed, failed) of one file, run in a process of its own; one that says no count, or hangs, has failed."""
    started = time.monotonic()
    process = subprocess.Popen([sys.executable, __file__, directory, name], stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
    try:
        said, _ = process.communicate(timeout=_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        said = f"{process.communicate()[0]}\nfailed: {name}: hangs, ended after {_TIMEOUT_S} s\n"
    counts = _COUNT.findall(said)
    if not counts:
        said += f"failed: {name}: ended without a count\n"
    passed, failed = map(int, counts[-1]) if counts else (0, 1)
    print(f"---- {name}: {time.monotonic() - started:.0f} s\n{_COUNT.sub('', said)}", flush=True)
    return passed, max(failed, int(process.returncode != 0))


def run_files(directory, names):
    jobs = int(os.environ.get("LATCHKEY_TEST_JOBS") or os.cpu_count())
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        counts = list(pool.map(lambda name: run_apart(directory, name), names))
    if not counts:
        print(f"no tests in {directory}")
    return sum(count[0] for count in counts), sum(count[1] for count in counts) or int(not counts)


def main(directory, name=None):
    # The longest first, so that none is left alone at the end.
    without = os.environ.get("LATCHKEY_TEST_WITHOUT", "")
    names = sorted((path for path in Path(directory).glob("test_*.py") if not fnmatch.fnmatch(path.name, without)),
                   key=lambda path: -path.stat().st_size)
    passed, failed = run_file(directory, name) if name else run_files(directory, [path.name for path in names])
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    # A shell's background job ignores SIGINT, and what it starts would, too; tests send it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    # gRPC's own preparation for fork() at times waits for a thread that waits for it; what tests start only execs.
    os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")
    sys.exit(main(*sys.argv[1:]))
