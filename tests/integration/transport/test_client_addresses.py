"""A service behind several addresses: which one is called, and what happens when one is dead, ill or lost."""

import collections
import contextlib
import json
import socket
import tempfile
import threading
import unittest

from client_case import NOT_SERVING, SERVING, CallClient, Server, failing, retry_config, stopped
from latchkey_test.ports import free_port
from transport import SERVICE, TransportServer

ROUND_ROBIN = json.dumps({"loadBalancingConfig": [{"round_robin": {}}]})
HEALTH = json.dumps({"healthCheckConfig": {"serviceName": ""}})


def named(name):
    return lambda value, context: name


def dead():
    return f"127.0.0.1:{free_port()}"


class AddressCase(unittest.TestCase):
    def server(self, name, **options):
        return self.enterContext(Server(named(name), **options))

    def client(self, *addresses, **settings):
        return self.enterContext(CallClient(",".join(addresses), **settings))


class Picking(AddressCase):
    def test_the_first_that_can_be_reached_is_kept(self):
        a, b = self.server("a"), self.server("b")
        client = self.client(dead(), b.target, a.target)
        self.assertEqual([client.call() for _ in range(4)], ["OK b"] * 4)

    def test_when_its_server_is_gone_the_next_one_is_taken(self):
        b = self.server("b")
        with Server(named("a")) as a:
            client = self.client(a.target, b.target)
            self.assertEqual(client.call(), "OK a")
        self.assertEqual(client.call(), "OK b")

    def test_round_robin_calls_all_in_turn(self):
        client = self.client(*(self.server(name).target for name in "abc"), service_config=ROUND_ROBIN)
        self.assertEqual([client.call() for _ in range(6)], ["OK a", "OK b", "OK c"] * 2)

    def test_round_robin_passes_over_the_dead(self):
        a, b = self.server("a"), self.server("b")
        client = self.client(a.target, dead(), b.target, service_config=ROUND_ROBIN)
        self.assertEqual(collections.Counter(client.call() for _ in range(10)), {"OK a": 5, "OK b": 5})

    def test_a_retry_goes_to_the_next_address(self):
        ill = self.enterContext(Server(failing(100)))
        well = self.server("well")
        client = self.client(ill.target, well.target,
                             service_config=retry_config(loadBalancingConfig=[{"round_robin": {}}]))
        self.assertEqual(client.call(), "OK well")
        self.assertEqual(len(ill.metadata), 1)

    def test_with_all_dead_the_last_failure_is_told(self):
        first, last = dead(), dead()
        client = self.client(first, last)
        self.assertEqual(client.call(), f"UNAVAILABLE NOT_REACHABLE nothing listens on {last}")
        self.assertEqual(client.call(), f"UNAVAILABLE NOT_REACHABLE nothing listens on {last}")

    def test_an_address_that_speaks_something_else_is_passed_over(self):
        well = self.server("well")
        with socket.create_server(("127.0.0.1", 0)) as other:
            client = self.client("127.0.0.1:%d" % other.getsockname()[1], well.target, connect_timeout="6s")
            self.assertEqual(client.call(), "OK well")

    def test_an_address_that_failed_rests(self):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            taken = [0]

            def close_all():
                with contextlib.suppress(OSError):
                    while True:
                        listener.accept()[0].close()
                        taken[0] += 1
            closer = threading.Thread(target=close_all)
            closer.start()
            client = self.client("127.0.0.1:%d" % listener.getsockname()[1])
            self.assertEqual({client.call().split()[1] for _ in range(200)}, {"NOT_GRPC"})
            listener.shutdown(socket.SHUT_RDWR)
            closer.join()
        # Ten attempts would take more than a minute.
        self.assertLess(taken[0], 10)

    def test_a_caller_in_a_hurry_makes_no_address_rest(self):
        with TransportServer() as server:
            client = self.client(server.target, timeout="5s")
            with stopped(server.process):
                self.assertRegex(client.call(method=SERVICE + "Echo"), "CONNECT_TIMEOUT")
            self.assertEqual(client.call("x", method=SERVICE + "Echo"), "OK x")

    def test_a_name_without_an_address_is_passed_over(self):
        self.assertEqual(self.client("nowhere.invalid:1", self.server("a").target).call(), "OK a")

    def test_a_socket_with_a_path(self):
        with tempfile.TemporaryDirectory() as directory:
            path = f"unix:{directory}/test.sock"
            self.enterContext(Server(named("a"), address=path))
            self.assertEqual(self.client(path).call(), "OK a")


class Health(AddressCase):
    def test_an_address_that_is_not_serving_is_passed_over(self):
        ill, well = self.server("ill", health=NOT_SERVING), self.server("well", health=SERVING)
        self.assertEqual(self.client(ill.target, well.target, service_config=HEALTH).call(), "OK well")
        self.assertEqual(self.client(ill.target, well.target).call(), "OK ill")

    def test_a_server_that_stops_serving_is_left(self):
        first, second = self.server("first", health=SERVING), self.server("second", health=SERVING)
        client = self.client(first.target, second.target, service_config=HEALTH)
        self.assertEqual(client.call(), "OK first")
        first.set_health(NOT_SERVING)
        # What was told arrives when it arrives: calls go on meanwhile.
        answers = iter(lambda: client.call(), "OK second")
        self.assertEqual(set(answers) | {"OK first"}, {"OK first"})

    def test_a_server_without_a_health_service_is_taken_to_be_well(self):
        self.assertEqual(self.client(self.server("a").target, service_config=HEALTH).call(), "OK a")

    def test_with_nobody_serving_that_is_told(self):
        ill = self.server("ill", health=NOT_SERVING)
        self.assertRegex(self.client(ill.target, service_config=HEALTH).call(), "^UNAVAILABLE NOT_SERVING ")

    def test_a_call_that_waits_for_ready_is_made_when_the_server_serves(self):
        server = self.server("late", health=NOT_SERVING)
        client = self.client(server.target, service_config=HEALTH, timeout="60s")
        self.assertRegex(client.call(), "NOT_SERVING")
        client.begin(flags="w")
        server.set_health(SERVING)
        self.assertEqual(client.answer(), "OK late")

    def test_our_own_server_is_asked_too(self):
        with TransportServer() as server, CallClient(server.target, service_config=HEALTH) as client:
            self.assertEqual(client.call("x", method=SERVICE + "Echo"), "OK x")


class Plaintext(AddressCase):
    """Another machine's address is a documentation one: nothing is sent there."""

    def test_another_machine_is_not_called_without_tls(self):
        answer = self.client("192.0.2.1:7070").call()
        self.assertRegex(answer, "^INVALID_ARGUMENT PLAINTEXT_REFUSED 192.0.2.1:7070 is on another machine")

    def test_waiting_does_not_mend_it(self):
        self.assertRegex(self.client("192.0.2.1:7070", timeout="60s").call(flags="w"), "PLAINTEXT_REFUSED")

    def test_where_it_is_allowed_it_is_tried(self):
        answer = self.client("192.0.2.1:7070", plaintext=True, connect_timeout="100ms").call()
        self.assertRegex(answer, "^UNAVAILABLE (CONNECT_TIMEOUT|NOT_REACHABLE) ")


if __name__ == "__main__":
    unittest.main()
