"""Attacks on TLS itself: crowds that never finish their handshake, and come again when they are dropped.

As in test_attacks.py: the server lives, holds no more than 64 MiB more, tells by name why it has closed what it closed, and
honest clients, which come anew for each call here, all get through. How long they took is printed: attackers and honest clients
are one process here, and share its core, so that it is no figure of the server's.
"""

import os
import selectors
import socket
import ssl
import threading
import time
import unittest

import victim as parties
from victim import MemoryWatch
from latchkey_test.authority import Authority
from tls_server import TlsServer, call_once

SECONDS = float(os.environ.get("LATCHKEY_ATTACK_SECONDS", "30"))
CROWD = 1000
MEMORY_MIB = 64


class TlsVictim(TlsServer, parties.Victim):
    pass


def client_hello(server):
    outgoing = ssl.MemoryBIO()
    client = server.context.wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname="localhost")
    try:
        client.do_handshake()
    except ssl.SSLWantReadError:
        pass
    return outgoing.read()


class Crowd(threading.Thread):
    """So many connections that say `beginning` and then nothing; each that is closed comes again."""

    def __init__(self, server, beginning, size):
        super().__init__()
        self._server, self._beginning, self._size = server, beginning, size
        self.over, self.closed = threading.Event(), 0

    def run(self):
        with selectors.DefaultSelector() as selector:
            for _ in range(self._size):
                self._come(selector)
            while not self.over.is_set():
                for key, _ in selector.select(0.05):
                    selector.unregister(key.fileobj)
                    key.fileobj.close()
                    self.closed += 1
                    self._come(selector)
            for key in list(selector.get_map().values()):
                key.fileobj.close()

    def _come(self, selector):
        connection = socket.create_connection(self._server.address, 10)
        connection.sendall(self._beginning)
        selector.register(connection, selectors.EVENT_READ)


def serve_honestly(server, seconds):
    """Seconds that each of some honest clients took, one after the other, from their connection to their answer."""
    taken, until = [], time.monotonic() + seconds
    while time.monotonic() < until:
        begun = time.monotonic()
        call_once(server)
        taken.append(time.monotonic() - begun)
        time.sleep(0.02)
    return sorted(taken)


class TlsAttacks(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.authority = cls.enterClassContext(Authority())

    def attack(self, name, beginning, reason, size=CROWD, **settings):
        with TlsVictim(self.authority, **settings) as victim:
            idle = serve_honestly(victim, min(3, SECONDS))
            with MemoryWatch(victim) as memory:
                crowd = Crowd(victim, beginning(victim), size)
                crowd.start()
                try:
                    taken = serve_honestly(victim, SECONDS)
                finally:
                    crowd.over.set()
                    crowd.join()
            self.assertTrue(victim.is_alive())
            self.assertLessEqual(memory.growth_mib, MEMORY_MIB)
            self.assertGreater(victim.counters()[reason], 0)
        print(f"\n{name}: {crowd.closed} closed, memory {memory.growth_mib:+.1f} MiB, {len(taken)} honest clients, p99 "
              f"{taken[len(taken) * 99 // 100] * 1000:.0f} ms, idle {idle[len(idle) * 99 // 100] * 1000:.0f} ms")

    def test_a_thousand_that_stop_in_the_middle_of_their_handshake(self):
        self.attack("stopped in the middle", lambda server: client_hello(server)[:100], "tls_budget")

    def test_a_thousand_that_say_nothing(self):
        self.attack("silent", lambda server: b"", "tls_budget")

    def test_a_thousand_that_announce_a_long_message(self):
        announced = b"\x16\x03\x01\x40\x00" + b"\x01\x01\xff\xff\x03\x03" + bytes(16378)
        self.attack("announce a long message", lambda server: announced, "tls_budget")

    def test_a_crowd_where_places_are_enough_runs_out_of_time(self):
        self.attack("out of time", lambda server: b"\x16", "tls_timeout", size=500, tls_max_handshakes=600,
                    tls_handshake_timeout="2s")


if __name__ == "__main__":
    unittest.main()
