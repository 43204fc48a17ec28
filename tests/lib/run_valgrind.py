#!/usr/bin/python3
"""run_valgrind.py PROGRAM...: runs each under valgrind, as many at once as there are cores; a fuzz target replays its corpus. The
last line is `N passed, M failed`, of programs.

A program that takes longer than LATCHKEY_VALGRIND_SECONDS (20) there is ended, named, and counted as neither: what it does in
millions of steps, sanitizers see as well, and in less time.
"""

import concurrent.futures
import os
import subprocess
import sys
from pathlib import Path

_SECONDS = float(os.environ.get("LATCHKEY_VALGRIND_SECONDS", "20"))
_VALGRIND = ["valgrind", "-q", "--error-exitcode=3", "--leak-check=full", "--errors-for-leak-kinds=definite",
             f"--suppressions={Path(__file__).resolve().parent / 'valgrind.supp'}"]
_CORPUS = Path(__file__).resolve().parents[1] / "fuzz/corpus"


def _inputs(program):
    name = Path(program).name
    return [str(_CORPUS / name.removeprefix("fuzz_"))] if name.startswith("fuzz_") else []


def run(program):
    """(program, whether it passed, or None where it was ended, and what it said)"""
    try:
        done = subprocess.run([*_VALGRIND, program, *_inputs(program)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, errors="replace", timeout=_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return program, None, ""
    return program, done.returncode == 0, done.stdout


def main(programs):
    counts = {True: 0, False: 0, None: 0}
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for program, has_passed, words in pool.map(run, programs):
            counts[has_passed] += 1
            if has_passed is None:
                print(f"left out, it takes more than {_SECONDS:.0f} s: {Path(program).name}")
            elif not has_passed:
                print(f"{words}\nfailed: {Path(program).name}")
    print(f"{counts[True]} passed, {counts[False] or int(counts[True] == 0)} failed")
    return 1 if counts[False] or not counts[True] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
