"""`latchkeyd ready`, which asks the server that runs with the same settings whether it is: the health check of a container."""

import contextlib
import os
import socket
import subprocess
import threading
import unittest

from latchkey_test import Deployment, Server, free_port, program
from latchkey_test.waiting import wait_until

EXIT_READY, EXIT_USAGE, EXIT_NOT_READY = 0, 64, 69


def ask(*arguments, name="latchkeyd", **environment):
    """(exit status, what was said)."""
    done = subprocess.run([program(name), "ready", *arguments], env={**os.environ, **environment}, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120, check=False)
    return done.returncode, done.stdout


class Stranger:
    """Listens, and says one thing to whoever connects."""

    def __init__(self, says):
        self._says = says
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._socket.getsockname()[1]}"
        self._thread = threading.Thread(target=self._answer)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._thread.join()
        self._socket.close()

    def _answer(self):
        client, _ = self._socket.accept()
        with client, contextlib.suppress(OSError):
            client.recv(1000)
            client.sendall(self._says)


class Ready(unittest.TestCase):
    def test_a_server_that_is_ready_says_so_until_it_stops(self):
        with Deployment() as deployment:
            settings = ("--admin-listen", deployment.server.admin_address)
            self.assertEqual(ask(*settings), (EXIT_READY, "ok\n"))
            self.assertEqual(ask(LATCHKEY_ADMIN_LISTEN=deployment.server.admin_address), (EXIT_READY, "ok\n"))
            deployment.server.stop()
            self.assertEqual(ask(*settings)[0], EXIT_NOT_READY)

    def test_one_that_listens_everywhere_is_asked_on_this_machine(self):
        with Deployment() as deployment:
            port = free_port()
            server = deployment.beside(admin_listen=f"*:{port}")
            server.admin_address = f"127.0.0.1:{port}"
            with server:
                self.assertEqual(ask("--listen", "*:1", "--admin-listen", f"*:{port}"), (EXIT_READY, "ok\n"))

    def test_one_that_is_not_ready_says_what_for(self):
        nowhere = f"host=127.0.0.1 port={free_port()} dbname=latchkey connect_timeout=2"
        with_no_database = Server("latchkey-token", database_url=nowhere)
        self.addCleanup(with_no_database.remove)
        with_no_database.start(ready=False)
        wait_until(lambda: with_no_database.admin("/readyz")[0] == 503, 60, "the admin port to answer")
        status, said = ask("--admin-listen", with_no_database.admin_address, name="latchkey-token")
        self.assertEqual(status, EXIT_NOT_READY)
        self.assertIn("database", said)

    def test_whoever_else_answers_there_is_not_ready(self):
        for says in (b"", b"HTTP/1.1 404 Not Found\r\n\r\nok\n", b"HTTP/1.1 200 OK", b"SSH-2.0-x\r\n\r\nHTTP/1.1 200 \r\n\r\n",
                     b"HTTP/1.1 2000 OK\r\n\r\n", b"x" * 100000):
            with self.subTest(says[:40]), Stranger(says) as stranger:
                self.assertEqual(ask("--admin-listen", stranger.address)[0], EXIT_NOT_READY)

    def test_without_an_admin_port_there_is_nobody_to_ask(self):
        status, said = ask("--admin-listen", "none")
        self.assertEqual(status, EXIT_USAGE)
        self.assertIn("--admin-listen", said)


if __name__ == "__main__":
    unittest.main()
