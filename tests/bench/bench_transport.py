"""The transport alone: a unary call that answers with its own request, CPU time on one core

What common/net and common/grpc cost over raw nghttp2: call-server's Echo parses and packs a message of a question's size.
"""

from contextlib import ExitStack

from google.protobuf.wrappers_pb2 import StringValue

from figures import Figure
from pinned import Yardstick
from turns import STREAMS, measure
from validation import framed

_ECHO = "/latchkey.test.CallService/Echo"
_QUESTION_SIZE = 110


def run(world):
    body = world.file("transport.body", framed(StringValue(value="x" * _QUESTION_SIZE)))
    with ExitStack() as stack:
        servers = {"ours": stack.enter_context(Yardstick("call-server")),
                   "limit": stack.enter_context(Yardstick("bench-limit"))}
        samples = measure(servers, _ECHO, body, world)
    return [Figure("transport", f"{streams} streams per connection", samples["ours", streams],
                   samples["limit", streams], "raw nghttp2", "CPU-ns/call") for streams in STREAMS]
