"""Commands whose first connection is lost with the answer on its way: what looks is asked again, and a change only by its id."""

import contextlib
import socket
import threading
import unittest
import uuid

from cli_case import CommandCase

HEADERS = 1


def _read(connection, length):
    data = b""
    while len(data) < length:
        piece = connection.recv(length - len(data))
        if not piece:
            raise ConnectionError
        data += piece
    return data


def _frames(connection):
    """Of a server: (type, bytes) of each."""
    while True:
        head = _read(connection, 9)
        yield head[3], head + _read(connection, int.from_bytes(head[:3], "big"))


class Cutter:
    """Stands before a server, and cuts its first connection where the first answer would pass."""

    def __init__(self, address):
        host, port = address.rsplit(":", 1)
        self._server = (host, int(port))
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self._socket.getsockname()[1]
        self.cut = 0
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._socket.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        self._socket.close()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                client = self._socket.accept()[0]
                server = socket.create_connection(self._server)
                for relay in (self._relay_requests, self._relay_answers):
                    thread = threading.Thread(target=relay, args=(client, server))
                    self._threads.append(thread)
                    thread.start()

    def _relay_requests(self, client, server):
        with contextlib.suppress(OSError):
            while data := client.recv(65536):
                server.sendall(data)
            server.shutdown(socket.SHUT_WR)

    def _relay_answers(self, client, server):
        with contextlib.suppress(OSError):
            for kind, frame in _frames(server):
                if kind == HEADERS and self.cut == 0:
                    self.cut += 1
                    break
                client.sendall(frame)
        for connection in (client, server):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()


class LostAnswers(CommandCase):
    def setUp(self):
        self.cutter = self.enterContext(Cutter(self.deployment.server.address))
        self.through = {"LATCHKEY_ADDRESS": self.cutter.address}

    def labels(self, label):
        listed = self.run_json("token", "list", "--label", label)["access_tokens"]
        return [token["label"] for token in listed]

    def test_what_looks_is_asked_again(self):
        self.assertIn("administrator@demo.example", self.run_well("caller", **self.through))
        self.assertEqual(self.cutter.cut, 1)

    def test_a_change_is_not_made_again_and_the_doubt_is_told(self):
        label = uuid.uuid4().hex
        self.assert_fails(4, "look whether what was asked for was done", "token", "create", "--label", label,
                          "--permission", "charges.read", "--secret-file", self.path(), **self.through)
        self.assertEqual(self.labels(label), [label])

    def test_a_change_with_an_id_is_made_once_and_answered(self):
        whitelist = self.run_json("whitelist", "add", "198.51.100.7", "--request-id", str(uuid.uuid4()), **self.through)
        self.assertEqual(self.cutter.cut, 1)
        self.assertEqual(len(whitelist["entries"]), 1)
        shown = self.run_json("whitelist", "show", "--contains", "198.51.100.7")
        self.assertEqual(len(shown["entries"]), 1)


if __name__ == "__main__":
    unittest.main()
