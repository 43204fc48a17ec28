"""Where the CPU time of a call goes: unary Validate at 100 streams, by part of the program

perf samples the server while h2load drives it; each sample counts for the part that its function stands in, by the file that
the debug information names. What was inlined counts for the function that it was inlined into. The peer is the whole call.
"""

import re
import shutil
import signal
import subprocess
from collections import Counter
from statistics import median

from figures import Figure
from latchkey_test import program
from pinned import CLIENT_CORE, SERVER_CORE, cpu_ns_per_call, on_core
from validation import PATH, TOKENS, check_admits, framed, question

_STREAMS, _CALLS = 100, 50000
_HERTZ = 4999

# The first that is found in "shared object, file of the function" names the part.
_PARTS = (
    (r"^\[kernel|^\[vdso", "kernel: sockets, epoll"), (r"nghttp2", "nghttp2: frames, HPACK, streams"),
    (r"libcrypto|libssl|common/crypto/", "SHA-256 and other crypto"), (r"libc\.so|ld-linux", "C library: memory, copying"),
    (r"libuv|common/net/", "connections and event loop"), (r"common/grpc/", "gRPC: calls, headers, guards"),
    (r"protobuf|/proto/", "messages"), (r"services/validator/|common/(access|ip|lease)/", "the decision"),
)


def run(world):
    if not shutil.which("perf"):
        raise RuntimeError("perf is not there (package linux-perf)")
    filled = world.filled(TOKENS)
    body = world.file("profile.body", framed(question(filled.data, filled.data.secrets[0])))
    with on_core(SERVER_CORE), filled.validator() as server:
        check_admits(server, filled.data)
        cpu_ns_per_call(server, PATH, body, _STREAMS, _CALLS)
        recorded = world.directory / "profile.perf"
        calls_ns = _record(recorded, server, body, 3 if world.quick else 20)
    parts = _count_parts(recorded)
    whole = median(calls_ns)
    return [Figure("profile", part, [whole * samples / parts.total()], [whole], "the whole call", "CPU-ns/call")
            for part, samples in parts.most_common()]


def _record(path, server, body, rounds):
    """CPU-ns of a call, a sample a round."""
    with on_core(CLIENT_CORE):
        perf = subprocess.Popen(["perf", "record", "--quiet", "--event", "cpu-clock", "--freq", str(_HERTZ), "--pid", str(server.pid),
                                 "--output", path], stderr=subprocess.DEVNULL)
    try:
        return [cpu_ns_per_call(server, PATH, body, _STREAMS, _CALLS) for _ in range(rounds)]
    finally:
        perf.send_signal(signal.SIGINT)
        perf.wait(60)


def _count_parts(recorded):
    files = _find_files(program("latchkey-validator"))
    said = subprocess.run(["perf", "script", "--input", recorded, "--fields", "ip,sym,symoff,dso"], capture_output=True, text=True,
                          check=True).stdout
    parts = Counter()
    for address, name, offset, shared in re.findall(r"^\s*([0-9a-f]+) (\S+?)(?:\+0x([0-9a-f]+))? \((.*)\)$", said, re.MULTILINE):
        start = int(address, 16) - int(offset or "0", 16)
        parts[_find_part(f"{shared} {files.get((name, start % 4096), '')}")] += 1
    return parts


def _find_part(where):
    return next((part for pattern, part in _PARTS if re.search(pattern, where)), "the rest")


def _find_files(path):
    """(function, where in its page it starts) -> file. Several functions may have one name."""
    said = subprocess.run(["nm", "--line-numbers", path], capture_output=True, text=True, check=True).stdout
    return {(name, int(address, 16) % 4096): file
            for address, name, file in re.findall(r"^([0-9a-f]+) [tT] (\S+)\t(.*):\d+$", said, re.MULTILINE)}
