"""Envoy's Check beside Validate: the validator's CPU time for each call, on one core

The same validator, token and permission, asked in both ways. Check comes with the twelve headers of a browser's request, its
permission from a file of 50 routes, and goes back with five headers to set and a dozen to remove.
"""

from contextlib import ExitStack

import grpc
from dataset import PERMISSION
from figures import Figure
from latchkey_test import envoy
from pinned import SERVER_CORE, cpu_ns_per_call, on_core
from turns import STREAMS
from validation import PATH, TOKENS, check_admits, framed, question

_CHECK = "/envoy.service.auth.v3.Authorization/Check"
_CALLS = 5000
_ROUTES = "".join(f"GET,POST /resource{number}/*/parts {PERMISSION}\n" for number in range(50))
_HEADERS = [(":authority", "shop.example.com"), (":path", "/resource49/7f/parts?page=2"), (":method", "GET"), (":scheme", "https"),
            ("user-agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"), ("accept", "application/json"),
            ("accept-language", "en-US,en;q=0.5"), ("accept-encoding", "gzip, deflate, br, zstd"), ("x-forwarded-proto", "https"),
            ("x-request-id", "b2a1b1f4-6a0e-4f33-9a3e-2d0a3f1c8c11"), ("cookie", "theme=dark; consent=1")]


def run(world):
    filled = world.filled(TOKENS)
    secret = filled.data.secrets[0]
    check = envoy.question([*_HEADERS, ("authorization", f"Bearer {secret}")], path="/resource49/7f/parts?page=2",
                           host="shop.example.com", source=filled.data.client_ip)
    asked = {"Check": (_CHECK, world.file("check.body", framed(check))),
             "Validate": (PATH, world.file("validate.body", framed(question(filled.data, secret))))}
    with ExitStack() as stack:
        with on_core(SERVER_CORE):
            server = stack.enter_context(filled.validator(routes_file=world.file("routes.conf", _ROUTES.encode())))
        check_admits(server, filled.data)
        _check_admits(server, check)
        samples = _measure(world, server, asked)
    return [Figure("envoy", f"{streams} streams per connection", samples["Check", streams], samples["Validate", streams], "Validate",
                   "CPU-ns/call", 2.0 if streams == 100 else None) for streams in STREAMS]


def _check_admits(server, check):
    with grpc.insecure_channel(server.address) as channel:
        answer = envoy.Answer(envoy.stub(channel).Check(check, timeout=10))
    if not answer.is_admitted:
        raise RuntimeError(f"{server.address} does not admit: {answer}")


def _measure(world, server, asked):
    samples = {(name, streams): [] for name in asked for streams in STREAMS}
    for _ in world.rounds(8):
        for streams in STREAMS:
            for name, (path, body) in asked.items():
                samples[name, streams].append(cpu_ns_per_call(server, path, body, streams, _CALLS))
    return samples
