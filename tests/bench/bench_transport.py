"""The transport alone: a unary call that answers with its own request, CPU time on one core

What common/net and common/grpc cost over raw nghttp2: call-server's Echo parses and packs a message of a question's size,
its Raw hands the bytes back.
"""

from contextlib import ExitStack

from google.protobuf.wrappers_pb2 import StringValue

from figures import Figure
from pinned import Yardstick
from turns import STREAMS, measure
from validation import framed

_SERVICE = "/latchkey.test.CallService/"
_QUESTION_SIZE = 110


def run(world):
    body = world.file("transport.body", framed(StringValue(value="x" * _QUESTION_SIZE)))
    figures = []
    with ExitStack() as stack:
        ours = stack.enter_context(Yardstick("call-server"))
        limit = stack.enter_context(Yardstick("bench-limit"))
        for method in ("Echo", "Raw"):
            samples = measure({"ours": ours, "limit": limit}, _SERVICE + method, body, world)
            figures += [Figure("transport", f"{method}, {streams} streams per connection", samples["ours", streams],
                               samples["limit", streams], "raw nghttp2", "CPU-ns/call") for streams in STREAMS]
    return figures
