"""Validate, unary over h2c: the server's CPU time for each call, on one core

latchkey-validator with one loop and a database of 100 000 tokens decides about a real token, an address in a whitelist of
thousands of entries and one permission. bench-limit decodes nothing and answers a constant; the others parse the question and
answer ALLOW to anything: all of them do less than decide. grpc++ is always there, the rest where peer_builds.py gets them.
"""

from contextlib import ExitStack

import peer_builds
from figures import Figure
from pinned import SERVER_CORE, Yardstick, on_core
from turns import STREAMS, measure
from validation import PATH, TOKENS, check_admits, framed, question

_LIMIT, _GRPCPP = "raw nghttp2", "grpc++"
_GOALS = {(_LIMIT, 1): 1.05, (_LIMIT, 100): 1.05, (_GRPCPP, 100): 1 / 8, ("grpc-go", 100): 1 / 8, ("tonic", 100): 1 / 3}


def run(world):
    filled = world.filled(TOKENS)
    body = world.file("validate.body", framed(question(filled.data, filled.data.secrets[0])))
    with ExitStack() as stack:
        with on_core(SERVER_CORE):
            ours = stack.enter_context(filled.validator())
        grpcpp = stack.enter_context(Yardstick("bench-grpcpp", "callback"))
        check_admits(ours, filled.data)
        check_admits(grpcpp, filled.data)
        peers = {_LIMIT: stack.enter_context(Yardstick("bench-limit")), _GRPCPP: grpcpp, **peer_builds.start(world, stack)}
        samples = measure({"ours": ours, **peers}, PATH, body, world)
    return [Figure("validate", f"{streams} streams per connection", samples["ours", streams], samples[peer, streams],
                   peer, "CPU-ns/call", _GOALS.get((peer, streams)))
            for streams in STREAMS for peer in peers if (peer, streams) in samples]
