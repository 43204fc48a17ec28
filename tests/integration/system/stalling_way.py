"""A way to PostgreSQL that stalls: while it is cut no byte passes in either direction and nothing is closed, and what was sent
meanwhile arrives once it is healed, as on a network that lost its packets for a while.

    with StallingWay(postgres, url) as way:
        Server("latchkey-validator", database_url=way.url)
        way.cut()
"""

import contextlib
import socket
import threading

import psycopg2.extensions


class StallingWay:
    def __init__(self, postgres, url):
        self._to = ("127.0.0.1", postgres.port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._is_open = threading.Event()
        self._is_open.set()
        self._sockets = []
        host, port = self._listener.getsockname()
        self.url = psycopg2.extensions.make_dsn(url, host=host, port=port)

    def __enter__(self):
        self._start(self._accept)
        return self

    def __exit__(self, *_):
        self.heal()
        for end in [self._listener, *self._sockets]:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def cut(self):
        self._is_open.clear()

    def heal(self):
        self._is_open.set()

    def _start(self, function, *arguments):
        threading.Thread(target=function, args=arguments, daemon=True).start()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                self._is_open.wait()
                server = socket.create_connection(self._to)
                self._sockets += [client, server]
                self._start(self._pass_on, client, server)
                self._start(self._pass_on, server, client)

    def _pass_on(self, from_, to):
        with contextlib.suppress(OSError):
            while data := from_.recv(65536):
                self._is_open.wait()
                to.sendall(data)
        with contextlib.suppress(OSError):
            to.shutdown(socket.SHUT_WR)
