"""TLS: what Validate costs the server under it, beside the same server in plaintext

Two latchkey-validators with one loop each, on the same database and core; one has a certificate (P-256) and speaks TLS 1.3
with AES-128 or AES-256 as h2load likes it. Rounds are long, so that the handshakes at their beginning do not count among the
calls; they are a figure of their own.
"""

import resource
import socket
import ssl
from contextlib import ExitStack

from figures import Figure
from latchkey_test.authority import Authority
from pinned import SERVER_CORE, cpu_ns_per_call, on_core
from validation import PATH, TOKENS, check_admits, framed, question

_CALLS = {1: 20000, 10: 50000, 100: 100000}
_HANDSHAKES = 200
_IDLE = 400
_GOAL_AT_100 = 1.25  # four fifths of the calls
_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes.fromhex("000000040000000000")


def run(world):
    filled = world.filled(TOKENS)
    body = world.file("tls.body", framed(question(filled.data, filled.data.secrets[0])))
    with ExitStack() as stack:
        authority = stack.enter_context(Authority())
        issued = authority.issue("server", ["IP:127.0.0.1"])
        with on_core(SERVER_CORE):
            plain = stack.enter_context(filled.validator())
            tls = stack.enter_context(filled.validator(tls_certificate=issued.certificate, tls_key=issued.key))
        check_admits(plain, filled.data)
        context = ssl.create_default_context(cafile=authority.certificate)
        context.set_alpn_protocols(["h2"])
        figures = _measure_calls(plain, tls, body, world)
        idle = [_measure_idle(plain, None)], [_measure_idle(tls, context)]
    return figures + [Figure("tls", "an idle connection", idle[1], idle[0], "plaintext", "bytes")]


def _measure_calls(plain, tls, body, world):
    samples = {(name, case): [] for name in ("plain", "tls") for case in (*_CALLS, "connection")}
    for _ in world.rounds(5 if world.quick else 15):
        for name, server in (("plain", plain), ("tls", tls)):
            for streams, calls in _CALLS.items():
                samples[name, streams].append(cpu_ns_per_call(server, PATH, body, streams, calls))
            samples[name, "connection"].append(
                cpu_ns_per_call(server, PATH, body, 1, _HANDSHAKES, connections=_HANDSHAKES))
    figures = [Figure("tls", f"{streams} streams per connection", samples["tls", streams], samples["plain", streams],
                      "plaintext", "CPU-ns/call", _GOAL_AT_100 if streams == 100 else None) for streams in _CALLS]
    return figures + [Figure("tls", "a connection and one call", samples["tls", "connection"],
                             samples["plain", "connection"], "plaintext", "CPU-ns")]


def _measure_idle(server, context):
    """Resident bytes of the server for each of many connections that have said no more than their preface."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    with ExitStack() as stack:
        for _ in range(20):  # what is kept for all of them is there already
            _connect(stack, server, context)
        before = _resident_bytes(server.pid)
        for _ in range(_IDLE):
            _connect(stack, server, context)
        return (_resident_bytes(server.pid) - before) / _IDLE


def _connect(stack, server, context):
    host, port = server.address.rsplit(":", 1)
    connection = stack.enter_context(socket.create_connection((host, int(port)), 10))
    if context:
        connection = stack.enter_context(context.wrap_socket(connection, server_hostname=host))
    connection.sendall(_PREFACE)
    connection.recv(4096)


def _resident_bytes(pid):
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as rollup:
        return next(int(line.split()[1]) * 1024 for line in rollup if line.startswith("Anonymous"))
