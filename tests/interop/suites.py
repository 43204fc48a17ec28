#!/usr/bin/python3
"""suites.py SUITE...: public suites of other ecosystems against our servers; each of their cases is a test.

    conformance-NAME  connectconformance with tests/interop/conformance/NAME.yaml, against conformance-server
    h2spec            all of h2spec against plain-server, strictly
    grpc-go           the interoperability cases of gRPC by grpc-go's client, against interop-server

tests/interop/run.sh has put the suites into build/interop. The last line is `N passed, M failed`.
"""

import contextlib
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = ROOT / "build/bin/tests"
SUITES = ROOT / "build/interop/bin"
CONFORMANCE = ROOT / "tests/interop/conformance"

# Those that need no credentials of a cloud and no second server.
GRPC_CASES = (
    "empty_unary", "large_unary", "client_streaming", "server_streaming", "ping_pong", "empty_stream",
    "timeout_on_sleeping_server", "cancel_after_begin", "cancel_after_first_response", "status_code_and_message",
    "special_status_message", "custom_metadata", "unimplemented_method", "unimplemented_service", "rpc_soak",
    "channel_soak",
)


@contextlib.contextmanager
def serving(name, *options):
    """The port of a server of tests/programs."""
    server = subprocess.Popen([PROGRAMS / name, *options], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
    try:
        yield server.stdout.readline().rpartition(":")[2].strip()
    finally:
        server.terminate()
        server.communicate(timeout=30)


def run(program, *options, timeout=300):
    """(exit status, output) of a suite's program."""
    done = subprocess.run([SUITES / program, *map(str, options)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=timeout, check=False)
    return done.returncode, done.stdout


def count(name, pattern, output):
    """(passed, failed) where the output says so by `pattern`; what says neither has failed."""
    found = re.search(pattern, output, re.MULTILINE)
    passed, failed = map(int, found.groups()) if found else (0, 1)
    print(f"{name}: {passed} passed, {failed} failed", flush=True)
    if failed:
        print(output)
    return passed, failed


def conformance(name):
    known = CONFORMANCE / f"{name}.known-failing.txt"
    known_failing = ("--known-failing", f"@{known}") if known.exists() else ()
    status, output = run("connectconformance", "--mode", "server", "--conf", CONFORMANCE / f"{name}.yaml", *known_failing,
                         "--", PROGRAMS / "conformance-server")
    passed, failed = count(f"conformance {name}", r"^(\d+) passed, (\d+) failed$", output)
    return passed, failed or int(status != 0)


def h2spec():
    totals = [0, 0]
    with serving("plain-server") as port:
        for strictness in ((), ("--strict",)):
            _, output = run("h2spec", "http2", "hpack", "generic", "-h", "127.0.0.1", "-p", port, "-o", "10", *strictness)
            name = " ".join(("h2spec", *strictness))
            totals = map(sum, zip(totals, count(name, r"^\d+ tests, (\d+) passed, \d+ skipped, (\d+) failed", output)))
    return tuple(totals)


def grpc_go():
    passed = failed = 0
    with serving("interop-server") as port:
        for case in GRPC_CASES:
            status, output = run("grpc-go-client", "-server_host", "127.0.0.1", "-server_port", port, "-test_case", case)
            print(f"{'ok' if status == 0 else 'not ok'} - {case}" + (f"\n{output}" if status else ""), flush=True)
            passed, failed = passed + (status == 0), failed + (status != 0)
    return passed, failed


def main(names):
    counts = [conformance(name.removeprefix("conformance-")) if name.startswith("conformance-")
              else {"h2spec": h2spec, "grpc-go": grpc_go}[name]() for name in names]
    passed, failed = map(sum, zip(*counts))
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
