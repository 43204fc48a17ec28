"""A server that is asked for more than it can do: who is sent away, who is served, and that real clients go on by themselves."""

import subprocess
import tempfile
import threading
import unittest
from pathlib import Path

import grpc
from latchkey_test import program
from latchkey_test.waiting import wait_until
from tls_server import TlsCase, TlsServer
from transport import SERVICE, TransportServer, framed, string_value

# How fast a machine is makes no difference: any refusal is one too many, and what is asked for keeps the loop from
# everything else for longer than anybody needs to ask for it.
EAGER = {"loops": 1, "overload_refusals": 1}
FLOOD_BLOCKS_US, CLIENT_BLOCKS_US = 50, 10000
RATE, CONNECTIONS, DEADLINE_MS = 100000, 8, 1000
OK, UNAVAILABLE = grpc.StatusCode.OK, grpc.StatusCode.UNAVAILABLE


class Flood:
    """More small calls than anybody can answer, over connections of its own. `with Flood(target):`"""

    def __init__(self, target):
        self._target = target

    def __enter__(self):
        self._body = tempfile.NamedTemporaryFile()
        self._body.write(framed(string_value(f"block {FLOOD_BLOCKS_US}")))
        self._body.flush()
        self._process = subprocess.Popen([program("tests/bench-open-loop"), self._target, SERVICE + "Command", self._body.name,
                                          str(RATE), "60", "0", str(CONNECTIONS), str(DEADLINE_MS)], stdout=subprocess.DEVNULL)
        return self

    def __exit__(self, *_):
        self._process.kill()
        self._process.wait(30)
        self._body.close()


class Plain(unittest.TestCase):
    prefix = ""

    def serve(self):
        return self.enterContext(TransportServer("call-server", **EAGER))

    def channel(self):
        """One with a connection of its own."""
        return self.enterContext(grpc.insecure_channel(self.server.target, [("grpc.use_local_subchannel_pool", 1)]))

    def setUp(self):
        self.server = self.serve()

    def wait_until_closed(self, *reasons):
        wait_until(lambda: all(self.server.counters()[reason] for reason in reasons), 60, f"connections closed as {reasons}")

    def flood(self):
        return Flood(f"{self.prefix}{self.server.address[1]}")

    @staticmethod
    def command(channel):
        """Sends back what it is told."""
        return channel.unary_unary(SERVICE + "Command")

    def test_who_asks_for_little_is_served_while_others_are_sent_away(self):
        call = self.command(self.channel())
        call(string_value("before"), timeout=60, wait_for_ready=True)
        with self.flood():
            self.wait_until_closed("overload")
            for number in range(100):
                self.assertEqual(call(string_value(f"{number}"), timeout=60), string_value(f"{number}"))

    def test_who_comes_while_the_server_is_overloaded_is_served_when_it_is_not(self):
        with self.flood():
            self.wait_until_closed("overload", "not_admitted")
            late = [self.command(self.channel()).future(string_value("late"), timeout=60, wait_for_ready=True) for _ in range(4)]
        self.assertEqual([call.result() for call in late], [string_value("late")] * 4)

    def test_clients_that_are_sent_away_lose_no_call_and_go_on_by_themselves(self):
        calls = [self.command(self.channel()) for _ in range(2)]
        message = string_value(f"block {CLIENT_BLOCKS_US}")
        futures, over = [], threading.Event()

        def ask(call):
            room = threading.Semaphore(32)
            while not over.is_set():
                room.acquire()  # pylint: disable=consider-using-with
                future = call.future(message, timeout=60)
                future.add_done_callback(lambda _: room.release())
                futures.append(future)

        asking = [threading.Thread(target=ask, args=(call,)) for call in calls]
        for thread in asking:
            thread.start()
        try:
            self.wait_until_closed("overload")
        finally:
            over.set()
            for thread in asking:
                thread.join()
        others = [future.details() for future in futures if future.code() not in (OK, UNAVAILABLE)]
        self.assertEqual(others, [])
        self.assertTrue(all(future.result() == message for future in futures if future.code() == OK))
        for call in calls:
            self.assertEqual(call(message, timeout=60, wait_for_ready=True), message)


class Tls(Plain, TlsCase):
    prefix = "tls:"

    def serve(self):
        return self.enterContext(TlsServer(self.authority, **EAGER))

    def channel(self):
        credentials = grpc.ssl_channel_credentials(Path(self.authority.certificate).read_bytes())
        return self.enterContext(grpc.secure_channel(f"localhost:{self.server.address[1]}", credentials,
                                                     [("grpc.use_local_subchannel_pool", 1)]))


if __name__ == "__main__":
    unittest.main()
