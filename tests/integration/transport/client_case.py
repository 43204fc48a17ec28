"""The product's client by tests/programs/call_client.c, and the grpcio servers that it talks to."""

import concurrent.futures
import contextlib
import json
import os
import signal
import subprocess
import threading

import google.protobuf.wrappers_pb2
import grpc

from latchkey_test import program

from transport import string_value

UNAVAILABLE = grpc.StatusCode.UNAVAILABLE
METHOD = "/test.Service/Method"
WATCH = "/grpc.health.v1.Health/Watch"
SERVING, NOT_SERVING = 1, 2


def retry_config(attempts=4, codes=("UNAVAILABLE",), initial="0.01s", longest="0.05s", **more):
    policy = {"maxAttempts": attempts, "initialBackoff": initial, "maxBackoff": longest, "backoffMultiplier": 2,
              "retryableStatusCodes": list(codes)}
    return json.dumps({"methodConfig": [{"name": [{}], "retryPolicy": policy}], **more})


class CallClient:
    """`with CallClient(target, service_config=...) as client: client.call("value")` says "OK value" or "STATUS REASON MESSAGE"."""

    def __init__(self, target, **settings):
        arguments = [f"--{name.replace('_', '-')}" if value is True else f"--{name.replace('_', '-')}={value}"
                     for name, value in settings.items() if value is not None]
        self._process = subprocess.Popen([program("tests/call-client"), f"--target={target}", *arguments], text=True,
                                         stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        _, errors = self._process.communicate()
        if kind is None and self._process.returncode != 0:
            raise AssertionError(errors)

    def begin(self, value="x", flags="-", method=METHOD):
        self._process.stdin.write(f"{flags} {method} {value}\n")
        self._process.stdin.flush()

    def answer(self):
        return self._process.stdout.readline().rstrip("\n")

    def call(self, *arguments, **options):
        self.begin(*arguments, **options)
        return self.answer()

    def refusal(self):
        """Of a client that does not start."""
        _, errors = self._process.communicate()
        return errors


class Server(grpc.GenericRpcHandler):
    """A grpcio server: METHOD is answered by `answer(value, context)`, with all calls kept; Watch tells `health`."""

    def __init__(self, answer=None, health=None, credentials=None, address="127.0.0.1:0"):
        self.answer = answer or (lambda value, context: value)
        self.metadata = []
        self._health = health
        self._changed = threading.Condition()
        self._server = grpc.server(concurrent.futures.ThreadPoolExecutor(8), handlers=[self],
                                   options=[("grpc.so_reuseport", 0)])
        self.port = (self._server.add_secure_port(address, credentials) if credentials
                     else self._server.add_insecure_port(address))
        self.target = f"127.0.0.1:{self.port}"

    def __enter__(self):
        self._server.start()
        return self

    def __exit__(self, *_):
        self.set_health(None)
        self._server.stop(0).wait()

    def service(self, details):
        if details.method == METHOD:
            return grpc.unary_unary_rpc_method_handler(self._on_call)
        if details.method == WATCH and self._health is not None:
            return grpc.unary_stream_rpc_method_handler(self._on_watch)
        return None

    def _on_call(self, request, context):
        self.metadata.append(dict(context.invocation_metadata()))
        value = google.protobuf.wrappers_pb2.StringValue.FromString(request).value
        return string_value(self.answer(value, context))

    def set_health(self, health):
        with self._changed:
            self._health = health
            self._changed.notify_all()

    def _on_watch(self, _, context):
        context.add_callback(self._wake)
        told = None
        while context.is_active():
            with self._changed:
                self._changed.wait_for(lambda told=told: self._health != told or not context.is_active())
                told = self._health
            if told is None:
                return
            yield bytes([8, told])

    def _wake(self):
        with self._changed:
            self._changed.notify_all()


def failing(times, code=UNAVAILABLE, trailers=()):
    """An answer that fails so many times before it is the value."""
    left = [times]

    def answer(value, context):
        if left[0] > 0:
            left[0] -= 1
            context.set_trailing_metadata(trailers)
            context.abort(code, "not now")
        return value

    return answer


@contextlib.contextmanager
def stopped(process):
    """A child that does nothing until the end of the block."""
    process.send_signal(signal.SIGSTOP)
    os.waitid(os.P_PID, process.pid, os.WSTOPPED)
    try:
        yield
    finally:
        process.send_signal(signal.SIGCONT)
