"""A new process takes over the ports of the one before it, while that drains: --reuse-port."""

import os
import socket
import sys
import threading
import unittest

import hpack
import hyperframe.frame as frames
from transport import RawConnection, framed

from latchkey_test import Deployment, Server, stubs
from latchkey_test.waiting import wait_until

validation_pb2 = stubs.messages("latchkey/v1/validation.proto")

VALIDATE = "/latchkey.v1.ValidationService/Validate"
RESTARTS = max(2, 50 * int(os.environ.get("LATCHKEY_TEST_SHARE", "100")) // 100)
CLIENTS = 4


class Connection(RawConnection):
    """Calls, one after the other."""

    def __init__(self, server):
        super().__init__(server)
        self.is_going_away = False
        self._stream = -1
        self._frames = self.read(30)
        self._decoder = hpack.Decoder()

    def call(self, message):
        """grpc-status, as text; how it was lost, where it was."""
        self._stream += 2
        self.send(self.headers(VALIDATE, self._stream),
                  frames.DataFrame(self._stream, framed(message), flags=["END_STREAM"]))
        for frame in self._frames:
            self.pong(frame)
            if isinstance(frame, frames.GoAwayFrame):
                self.is_going_away = True
                if frame.last_stream_id < self._stream:
                    return "not begun by a server that goes away"
            elif isinstance(frame, frames.DataFrame):
                self.send(frames.WindowUpdateFrame(0, window_increment=frame.flow_controlled_length))
            elif isinstance(frame, frames.HeadersFrame):
                fields = dict(self._decoder.decode(frame.data))
                if "END_STREAM" in frame.flags:
                    return fields["grpc-status"]
            elif isinstance(frame, frames.RstStreamFrame):
                return "reset"
        return "closed"


class Caller(threading.Thread):
    """Goes elsewhere where it is told to, and repeats nothing."""

    def __init__(self, address, secret):
        super().__init__()
        host, port = address.split(":")
        self.where = (host, int(port))
        self.question = validation_pb2.ValidateRequest(token=secret, channel=1, client_ip="127.0.0.1").SerializeToString()
        self.answered = 0
        self.failures = []
        self.is_over = threading.Event()

    def connect(self):
        return socket.create_connection(self.where, 10)

    def run(self):
        while not self.is_over.is_set():
            try:
                with Connection(self) as connection:
                    self.call_until_told_to_go(connection)
            except OSError as error:
                self.failures.append(error)

    def call_until_told_to_go(self, connection):
        while not connection.is_going_away and not self.is_over.is_set():
            status = connection.call(self.question)
            if status != "0":
                self.failures.append(status)
                return
            self.answered += 1

    def end(self):
        self.is_over.set()
        self.join()


class RollingRestart(unittest.TestCase):
    def start_beside(self, server):
        """Another process with the settings of this one, when it has begun to listen."""
        new = Server(server.name, **server.settings)
        self.addCleanup(new.remove)
        new.start(ready=False)
        wait_until(lambda: " listening " in new.log(), 60, f"the new process to listen\n{new.log()}")
        return new

    def test_no_call_fails_while_the_process_is_replaced_again_and_again(self):
        with Deployment(reuse_port=True, drain_delay="0s") as deployment:
            server = deployment.server
            callers = [Caller(server.address, deployment.secrets["LATCHKEY_TOKEN"]) for _ in range(CLIENTS)]
            for caller in callers:
                caller.start()
                self.addCleanup(caller.end)
            for _ in range(RESTARTS):
                before = [caller.answered for caller in callers]
                new = self.start_beside(server)
                server.stop()
                server = new
                wait_until(lambda before=before: all(caller.answered > count for caller, count in zip(callers, before)), 30,
                           "each client to be answered")
            for caller in callers:
                caller.end()
                self.assertEqual(caller.failures, [])
            print(f"    {RESTARTS} replacements, {sum(caller.answered for caller in callers)} calls, none failed", file=sys.stderr)

    def test_a_process_that_is_not_ready_leaves_the_ports_to_the_one_that_is(self):
        with Deployment(reuse_port=True) as deployment:
            server = deployment.server
            late = Server(server.name, **{**server.settings, "database_url": "postgresql://127.0.0.1:1/nowhere"})
            self.addCleanup(late.remove)
            late.start(ready=False)
            wait_until(lambda: "the database is not there" in late.log(), 60, "the new process to miss its database")
            caller = Caller(server.address, deployment.secrets["LATCHKEY_TOKEN"])
            for _ in range(20):
                with Connection(caller) as connection:
                    self.assertEqual(connection.call(caller.question), "0")
            self.assertEqual(server.admin("/readyz")[0], 200)
            self.assertNotIn(" listening ", late.log())

    def test_both_processes_have_to_say_so(self):
        with Deployment() as deployment:
            new = Server("latchkeyd", **{**deployment.server.settings, "reuse_port": True})
            self.addCleanup(new.remove)
            new.start(ready=False)
            self.assertEqual(new.wait(), 69, new.log())
        with Deployment(reuse_port=True) as deployment:
            new = Server("latchkeyd", **{name: value for name, value in deployment.server.settings.items() if name != "reuse_port"})
            self.addCleanup(new.remove)
            new.start(ready=False)
            self.assertEqual(new.wait(), 69, new.log())


if __name__ == "__main__":
    unittest.main()
