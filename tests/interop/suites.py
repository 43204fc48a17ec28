#!/usr/bin/python3
"""suites.py SUITE...: public suites of other ecosystems against our servers; each of their cases is a test.

    conformance-NAME  connectconformance with tests/interop/conformance/NAME.yaml, against conformance-server
    h2spec            all of h2spec against plain-server, as it is and strictly, in the clear and over TLS
    grpc-go           the interoperability cases of gRPC by grpc-go's client, against interop-server, in the clear and over TLS

tests/interop/run.sh has put the suites into build/interop. The servers are those of LATCHKEY_BUILD_DIR (default build). The last
line is `N passed, M failed`.
"""

import contextlib
import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/lib"))

from latchkey_test.authority import Authority  # noqa: E402

PROGRAMS = ROOT / os.environ.get("LATCHKEY_BUILD_DIR", "build") / "bin/tests"
SUITES = ROOT / "build/interop/bin"
CONFORMANCE = ROOT / "tests/interop/conformance"

# Those that need no credentials of a cloud and no second server.
GRPC_CASES = (
    "empty_unary", "large_unary", "client_streaming", "server_streaming", "ping_pong", "empty_stream",
    "timeout_on_sleeping_server", "cancel_after_begin", "cancel_after_first_response", "status_code_and_message",
    "special_status_message", "custom_metadata", "unimplemented_method", "unimplemented_service", "rpc_soak",
    "channel_soak",
)


# Eight at a time; how long each may take is not judged on a machine that does other things, too.
SOAK = ("-soak_iterations=200", "-soak_num_threads=8", "-soak_overall_timeout_seconds=120",
        "-soak_per_iteration_max_acceptable_latency_ms=60000")


@contextlib.contextmanager
def serving(name, certificate=None):
    """The port of a server of tests/programs. One that does not end in order, as when a sanitizer has spoken, is an error."""
    tls = (f"--tls-certificate={certificate.certificate}", f"--tls-key={certificate.key}") if certificate else ()
    server = subprocess.Popen([PROGRAMS / name, *tls], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
    try:
        yield server.stdout.readline().rpartition(":")[2].strip()
    finally:
        server.terminate()
        server.communicate(timeout=30)
    if server.returncode != 0:
        raise RuntimeError(f"{name} ended with {server.returncode}")


def run(program, *options, timeout=300):
    """(exit status, output) of a suite's program."""
    done = subprocess.run([SUITES / program, *map(str, options)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=timeout, check=False)
    return done.returncode, done.stdout


def read_count(pattern, output):
    """(passed, failed) where the output says so by `pattern`; output that does not is a failure."""
    found = re.search(pattern, output, re.MULTILINE)
    return tuple(map(int, found.groups())) if found else (0, 1)


def conformance(name):
    """What fails is told by the suite itself; one list of cases that are known to fail may stand beside the configuration."""
    known = CONFORMANCE / f"{name}.known-failing.txt"
    known_failing = ("--known-failing", f"@{known}") if known.exists() else ()
    status, output = run("connectconformance", "--mode", "server", "--conf", CONFORMANCE / f"{name}.yaml", *known_failing,
                         "--", PROGRAMS / "conformance-server")
    print(output)
    passed, failed = read_count(r"^(\d+) passed, (\d+) failed$", output)
    yield passed, failed or int(status != 0)


def h2spec(port, *tls):
    for strictness in ((), ("--strict",)):
        _, output = run("h2spec", "http2", "hpack", "generic", "-h", "127.0.0.1", "-p", port, "-o", "10", *tls, *strictness)
        passed, failed = read_count(r"^\d+ tests, (\d+) passed, \d+ skipped, (\d+) failed", output)
        print(" ".join(("h2spec", *tls, *strictness)) + f": {passed} passed" + (f"\n{output}" if failed else ""), flush=True)
        yield passed, failed


def h2spec_both_ways():
    with serving("plain-server") as port:
        yield from h2spec(port)
    with Authority() as authority, serving("plain-server", issue(authority)) as port:
        yield from h2spec(port, "-t", "-k")


def grpc_go(port, *tls):
    for case in GRPC_CASES:
        status, output = run("grpc-go-client", "-server_host", "127.0.0.1", "-server_port", port, *tls, "-test_case", case,
                             *SOAK)
        print(" ".join(("ok" if status == 0 else "not ok", "-", case, *tls[:1])) + (f"\n{output}" if status else ""), flush=True)
        yield int(status == 0), int(status != 0)


def grpc_go_both_ways():
    with serving("interop-server") as port:
        yield from grpc_go(port)
    with Authority() as authority, serving("interop-server", issue(authority)) as port:
        yield from grpc_go(port, "-use_tls", "-use_test_ca", f"-ca_file={authority.certificate}",
                           "-server_host_override=localhost")


def issue(authority):
    return authority.issue("server", ["DNS:localhost", "IP:127.0.0.1"])


def counts_of(suite):
    if suite.startswith("conformance-"):
        return conformance(suite.removeprefix("conformance-"))
    return {"h2spec": h2spec_both_ways, "grpc-go": grpc_go_both_ways}[suite]()


def main(suites):
    passed, failed = map(sum, zip(*(counts for suite in suites for counts in counts_of(suite))))
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
