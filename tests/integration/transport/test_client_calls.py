"""The client's calls against other people's servers: retries, pushback, time-outs, what is sent and what is taken."""

import json
import os
import signal
import socket
import subprocess
import threading
import time
import unittest

import grpc
import h2.config
import h2.connection
import h2.events

from client_case import CallClient, Server, failing, retry_config, stopped
from latchkey_test import program
from latchkey_test.ports import free_port
from transport import SERVICE, TransportServer, framed, string_value

EXHAUSTED, INTERNAL = grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.INTERNAL


def attempts(server):
    return [int(metadata.get("grpc-previous-rpc-attempts", 0)) for metadata in server.metadata]


class CallCase(unittest.TestCase):
    def client(self, server, **settings):
        return self.enterContext(CallClient(server.target, **settings))

    def server(self, *arguments, **options):
        return self.enterContext(Server(*arguments, **options))


class Calls(CallCase):
    def test_answers_come_back_over_one_connection(self):
        peers = set()
        server = self.server(lambda value, context: peers.add(context.peer()) or value)
        client = self.client(server)
        self.assertEqual([client.call(f"value {i}") for i in range(3)], [f"OK value {i}" for i in range(3)])
        self.assertEqual(len(peers), 1)

    def test_headers_say_who_calls_and_take_no_compression(self):
        server = self.server()
        self.client(server).call()
        metadata = server.metadata[0]
        self.assertRegex(metadata["user-agent"], r"^latchkey/\d")
        self.assertNotIn("grpc-previous-rpc-attempts", metadata)

    def test_a_compressed_answer_is_refused(self):
        def answer(value, context):
            context.set_compression(grpc.Compression.Gzip)
            return value
        # Which this grpcio sends though the client has said that it takes none.
        self.assertRegex(self.client(self.server(answer)).call("x" * 2000), "^INTERNAL RESPONSE_MALFORMED .*compressed")

    def test_an_unknown_method_is_unimplemented(self):
        self.assertRegex(self.client(self.server()).call(method="/test.Service/Other"), "^UNIMPLEMENTED ")

    def test_the_time_out_is_told_and_kept(self):
        left, released = [], threading.Event()

        def answer(value, context):
            left.append(context.time_remaining())
            released.wait(60)
            return value
        client = self.client(self.server(answer), timeout="5s")
        self.addCleanup(released.set)
        self.assertRegex(client.call(), "^DEADLINE_EXCEEDED ")
        self.assertLessEqual(left[0], 5)

    def test_a_methods_time_out_of_the_service_config_is_the_shorter_one(self):
        left = []
        server = self.server(lambda value, context: left.append(context.time_remaining()) or value)
        config = {"methodConfig": [{"name": [{"service": "test.Service"}], "timeout": "20s"}]}
        self.client(server, timeout="60s", service_config=json.dumps(config)).call()
        self.client(server, timeout="10s", service_config=json.dumps(config)).call()
        self.assertLessEqual(left[0], 20)
        self.assertLessEqual(left[1], 10)

    def test_an_answer_above_the_limit_is_refused(self):
        server = self.server()
        client = self.client(server, max_response="1000")
        self.assertRegex(client.call("x" * 1001), "^INTERNAL RESPONSE_TOO_LARGE ")
        self.assertEqual(client.call("small"), "OK small")
        config = {"methodConfig": [{"name": [{}], "maxResponseMessageBytes": 100}]}
        self.assertRegex(self.client(server, service_config=json.dumps(config)).call("x" * 101), "RESPONSE_TOO_LARGE")


class Retries(CallCase):
    def test_a_call_is_tried_again_until_it_succeeds_and_says_how_often(self):
        server = self.server(failing(3))
        self.assertEqual(self.client(server, service_config=retry_config()).call("x"), "OK x")
        self.assertEqual(attempts(server), [0, 1, 2, 3])

    def test_attempts_end_with_the_last_failure(self):
        server = self.server(failing(100))
        self.assertRegex(self.client(server, service_config=retry_config(attempts=3)).call(), "^UNAVAILABLE .* not now")
        self.assertEqual(attempts(server), [0, 1, 2])

    def test_other_codes_are_told_at_once(self):
        server = self.server(failing(1, INTERNAL))
        self.assertRegex(self.client(server, service_config=retry_config()).call(), "^INTERNAL ")
        self.assertEqual(len(server.metadata), 1)

    def test_a_code_of_the_policy_is_tried_again(self):
        server = self.server(failing(1, EXHAUSTED))
        self.assertEqual(self.client(server, service_config=retry_config(codes=["RESOURCE_EXHAUSTED"])).call("x"), "OK x")

    def test_by_default_only_what_is_repeatable_is_tried_again(self):
        server = self.server(failing(2))
        client = self.client(server)
        self.assertRegex(client.call(), "^UNAVAILABLE ")
        self.assertEqual(client.call("x", flags="r"), "OK x")
        self.assertEqual(attempts(server), [0, 0, 1])

    def test_the_server_says_stop(self):
        for value in ("-1", "no number"):
            with self.subTest(value):
                server = self.server(failing(1, trailers=[("grpc-retry-pushback-ms", value)]))
                self.assertRegex(self.client(server, service_config=retry_config()).call(), "^UNAVAILABLE ")
                self.assertEqual(len(server.metadata), 1)

    def test_the_server_says_how_long_to_wait(self):
        server = self.server(failing(1, trailers=[("grpc-retry-pushback-ms", "300")]))
        began = time.monotonic()
        self.assertEqual(self.client(server, service_config=retry_config()).call("x"), "OK x")
        self.assertGreaterEqual(time.monotonic() - began, 0.3)

    def test_a_wait_beyond_the_deadline_is_not_begun(self):
        server = self.server(failing(1, trailers=[("grpc-retry-pushback-ms", "3600000")]))
        self.assertRegex(self.client(server, service_config=retry_config()).call(), "^UNAVAILABLE ")

    def test_a_service_that_mostly_fails_is_left_alone(self):
        server = self.server(failing(100))
        config = retry_config(retryThrottling={"maxTokens": 4, "tokenRatio": 0.1})
        client = self.client(server, service_config=config)
        client.call()  # two attempts take the tokens down to half
        client.call()
        self.assertEqual(attempts(server), [0, 1, 0])

    def test_the_deadline_covers_all_attempts(self):
        server = self.server(failing(100))
        config = retry_config(attempts=5, initial="100s", longest="100s")
        self.assertRegex(self.client(server, service_config=config, timeout="5s").call(), "^UNAVAILABLE ")
        self.assertEqual(len(server.metadata), 1)


class Dying:
    """A server that takes `count` calls of one connection each and closes without an answer; grpcio's frames come first."""

    def __init__(self):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.target = "127.0.0.1:%d" % self.socket.getsockname()[1]
        self.calls = 0
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                connection = self.socket.accept()[0]
            except OSError:
                return
            with connection:
                connection.sendall(bytes([0, 0, 0, 4, 0, 0, 0, 0, 0]))
                seen = b""
                # The request's DATA frame ends with END_STREAM on stream 1.
                while b"\x00\x01\x00\x00\x00\x01" not in seen:
                    piece = connection.recv(65536)
                    if not piece:
                        break
                    seen += piece
                self.calls += b"\x00\x01\x00\x00\x00\x01" in seen

    def close(self):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()


class LostAnswers(unittest.TestCase):
    def setUp(self):
        self.server = Dying()
        self.addCleanup(self.server.close)

    def call(self, flags, **settings):
        with CallClient(self.server.target, **settings) as client:
            return client.call(flags=flags)

    def test_a_change_whose_answer_is_lost_is_never_made_twice(self):
        answer = self.call("-", service_config=retry_config())
        self.assertRegex(answer, "^UNAVAILABLE CONNECTION_LOST .*look whether")
        self.assertEqual(self.server.calls, 1)

    def test_what_is_repeatable_is_made_again(self):
        answer = self.call("r", service_config=retry_config(attempts=3))
        self.assertRegex(answer, "^UNAVAILABLE CONNECTION_LOST ")
        self.assertEqual(self.server.calls, 3)


class Scripted:
    """An HTTP/2 server of python3-h2 that does with the requests, one after the other, what a list of functions says."""

    def __init__(self, *actions):
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.target = "127.0.0.1:%d" % self._socket.getsockname()[1]
        self._actions = list(actions)
        self.requests = []
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._socket.close()

    def _serve(self):
        while self._actions:
            try:
                connection = self._socket.accept()[0]
            except OSError:
                return
            with connection:
                self._serve_connection(connection)

    def _serve_connection(self, connection):
        server = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False, header_encoding="utf-8"))
        server.initiate_connection()
        connection.sendall(server.data_to_send())
        while data := connection.recv(65536):
            for event in server.receive_data(data):
                if isinstance(event, h2.events.RequestReceived):
                    self.requests.append(dict(event.headers))
                if isinstance(event, h2.events.StreamEnded):
                    self._actions.pop(0)(server, event.stream_id)
            connection.sendall(server.data_to_send())
            if server.state_machine.state is h2.connection.ConnectionState.CLOSED:
                return


def give_answer(server, stream):
    server.send_headers(stream, [(":status", "200"), ("content-type", "application/grpc")])
    server.send_data(stream, framed(string_value("answer")))
    server.send_headers(stream, [("grpc-status", "0")], end_stream=True)


def refuse_stream(server, stream):
    server.reset_stream(stream, 7)


def say_goodbye(server, _):
    server.close_connection(last_stream_id=0)


class Unseen(unittest.TestCase):
    """What the server says that it has not acted on is sent again, whatever it is, and is no attempt of the policy's."""

    def test_a_stream_that_was_refused(self):
        with Scripted(refuse_stream, give_answer) as server, CallClient(server.target) as client:
            self.assertEqual(client.call(), "OK answer")
        self.assertEqual(len(server.requests), 2)
        self.assertNotIn("grpc-previous-rpc-attempts", server.requests[1])

    def test_a_stream_beyond_the_last_of_a_goodbye(self):
        with Scripted(say_goodbye, give_answer) as server, CallClient(server.target) as client:
            self.assertEqual(client.call(), "OK answer")
        self.assertEqual(len(server.requests), 2)

    def test_a_server_that_always_refuses_is_told(self):
        with Scripted(*[refuse_stream] * 2) as server, CallClient(server.target) as client:
            self.assertRegex(client.call(), "^UNAVAILABLE CONNECTION_LOST .*before it had the request")


class Restarts(unittest.TestCase):
    """A server that is killed and started again under a client's loop."""

    def start(self, port):
        process = subprocess.Popen([program("tests/call-server"), f"--listen=127.0.0.1:{port}"], stdout=subprocess.PIPE)
        process.stdout.readline()
        return process

    def end(self, process, number=signal.SIGKILL):
        os.kill(process.pid, number)
        process.wait()
        process.stdout.close()

    def test_calls_go_on_after_each_restart(self):
        port = free_port()
        client = self.enterContext(CallClient(f"127.0.0.1:{port}", timeout="60s"))
        for number in (signal.SIGKILL, signal.SIGTERM, signal.SIGKILL):
            process = self.start(port)
            try:
                for i in range(20):
                    self.assertEqual(client.call(str(i), flags="rw", method=SERVICE + "Echo"), f"OK {i}")
            finally:
                self.end(process, number)

    def test_a_call_that_waits_for_ready_meets_a_server_that_comes_later(self):
        port = free_port()
        client = self.enterContext(CallClient(f"127.0.0.1:{port}", timeout="60s"))
        self.assertRegex(client.call(), "^UNAVAILABLE NOT_REACHABLE ")
        client.begin("late", flags="w", method=SERVICE + "Echo")
        process = self.start(port)
        self.addCleanup(self.end, process)
        self.assertEqual(client.answer(), "OK late")

    def test_a_server_that_drains_gets_no_new_call(self):
        port = free_port()
        process = self.start(port)
        client = self.enterContext(CallClient(f"127.0.0.1:{port}"))
        self.assertEqual(client.call("x", method=SERVICE + "Echo"), "OK x")
        self.end(process, signal.SIGTERM)
        self.assertRegex(client.call(), "^UNAVAILABLE NOT_REACHABLE ")


class Silence(unittest.TestCase):
    def test_a_peer_that_never_speaks_is_a_connect_time_out(self):
        with socket.create_server(("127.0.0.1", 0)) as mute, \
                CallClient("127.0.0.1:%d" % mute.getsockname()[1], connect_timeout="200ms") as client:
            self.assertRegex(client.call(), "^UNAVAILABLE CONNECT_TIMEOUT ")

    def test_a_server_that_stops_answering_is_given_up_by_its_pings(self):
        with TransportServer() as server, \
                CallClient(server.target, timeout="60s", keepalive_time="100ms", keepalive_timeout="5s") as client:
            self.assertEqual(client.call("x", method=SERVICE + "Echo"), "OK x")
            with stopped(server.process):
                self.assertRegex(client.call(method=SERVICE + "Echo"), "^UNAVAILABLE CONNECTION_LOST ")

    def test_a_slow_answer_outlives_pings_that_are_answered(self):
        with TransportServer() as server, CallClient(server.target, keepalive_time="200ms") as client:
            self.assertEqual(client.call("sleep 700", method=SERVICE + "Command"), "OK slept")


class Configs(unittest.TestCase):
    def test_a_service_config_that_is_wrong_is_told(self):
        client = CallClient("127.0.0.1:1", service_config='{"methodConfig": [{"timeout": 1}]}')
        self.assertRegex(client.refusal(), r"^methodConfig\[0\]\.timeout: type seconds")


if __name__ == "__main__":
    unittest.main()
