#!/usr/bin/python3
"""run_python.py DIRECTORY... [FILE]: runs their test_*.py under unittest; the last line is `N passed, M failed`.

One file more at once than there are cores, for much of what they do is wait, each in a process of its own; LATCHKEY_TEST_JOBS
sets another number, and LATCHKEY_TEST_WITHOUT names files, as patterns, that are left out. A skipped test is not a passed one:
it is named, and counted as neither. A file without a test is a failure, and so is one that takes more than 20 minutes.

A few files whose tests only waited in vain are run once more, each alone: the second run counts, and the first one's failures
are named on lines that begin with `again:`. That is for a machine that was busy with other files. A wrong answer, a crash,
or what a sanitizer says is never forgiven.
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
from dataclasses import dataclass
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


_FAILED = re.compile(r"^failed: (.*)$", re.MULTILINE)
_WAITED_IN_VAIN = re.compile(r"TimeoutError|TimeoutExpired|not within|Deadline Exceeded|DEADLINE_EXCEEDED")
_REPORTS = re.compile(r"ERROR: (Address|Leak)Sanitizer|WARNING: ThreadSanitizer|runtime error:")


@dataclass(frozen=True)
class Outcome:
    """What became of one file, and what it said."""

    path: Path
    passed: int
    failed: int
    said: str

    @property
    def may_run_again(self):
        reasons = _FAILED.findall(self.said)
        return 0 < self.failed == len(reasons) and all(map(_WAITED_IN_VAIN.search, reasons)) and not _REPORTS.search(self.said)

    def show(self):
        print(_COUNT.sub("", self.said), flush=True)
        return self

    def show_as_first(self):
        """Its failures count no more."""
        print(_FAILED.sub(r"again: \1", _COUNT.sub("", self.said)), flush=True)


def run_apart(path):
    """The outcome of one file, run in a process of its own; one that says no count, or hangs, has failed."""
    started = time.monotonic()
    process = subprocess.Popen([sys.executable, __file__, path.parent, path.name], stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
    try:
        said, _ = process.communicate(timeout=_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        said = f"{process.communicate()[0]}\nfailed: {path.name}: hangs, ended after {_TIMEOUT_S} s\n"
    counts = _COUNT.findall(said)
    if not counts:
        said += f"failed: {path.name}: ended without a count\n"
    passed, failed = map(int, counts[-1]) if counts else (0, 1)
    said = f"---- {path.name}: {time.monotonic() - started:.0f} s\n{said}"
    return Outcome(path, passed, max(failed, int(process.returncode != 0)), said)


def run_beside_others(path):
    """The outcome of a file; what it says is kept back when it may run again."""
    outcome = run_apart(path)
    return outcome if outcome.may_run_again else outcome.show()


# More of them are no accident.
_FILES_AGAIN = 3


def run_again(outcomes):
    """The outcomes that count."""
    waiting = [outcome for outcome in outcomes if outcome.may_run_again]
    if len(waiting) > _FILES_AGAIN:
        for outcome in waiting:
            outcome.show()
        return outcomes
    for outcome in waiting:
        outcome.show_as_first()
    return [run_apart(outcome.path).show() if outcome in waiting else outcome for outcome in outcomes]


def run_files(paths):
    jobs = int(os.environ.get("LATCHKEY_TEST_JOBS") or os.cpu_count() + 1)
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        outcomes = run_again(list(pool.map(run_beside_others, paths)))
    if not outcomes:
        print("no tests")
    return sum(outcome.passed for outcome in outcomes), sum(outcome.failed for outcome in outcomes) or int(not outcomes)


# Those of a minute and more, in the order of what they took: a file's size tells of the others.
LONGEST = ("test_revocations.py", "test_schema.py", "test_repeated_requests.py", "test_history.py", "test_killed_postgres.py",
           "test_faults.py", "test_housekeeping.py", "test_token_bulk.py", "test_agreement.py", "test_upstream.py",
           "test_killed_jobs.py", "test_input.py", "test_console_openid.py", "test_watch.py", "test_reach.py")


def find_files(directories):
    """Of all directories together the longest first, so that none is left alone at the end: it costs all the time that is its own."""
    without = os.environ.get("LATCHKEY_TEST_WITHOUT", "").split()
    files = [path for directory in directories for path in Path(directory).glob("test_*.py")
             if not any(fnmatch.fnmatch(path.name, pattern) for pattern in without)]
    rank = {name: number for number, name in enumerate(LONGEST)}
    return sorted(files, key=lambda path: (rank.get(path.name, len(rank)), -path.stat().st_size))


def main(*directories, name=None):
    if name:
        passed, failed = run_file(*directories, name)
    else:
        passed, failed = run_files(find_files(directories))
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    # A shell's background job ignores SIGINT, one under nohup SIGHUP, and what it starts would, too; tests send them.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    # gRPC's own preparation for fork() at times waits for a thread that waits for it; what tests start only execs.
    os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")
    *words, last = sys.argv[1:]
    sys.exit(main(*words, name=last) if last.endswith(".py") else main(*words, last))
