"""A network between a client and a server that breaks when a test says so.

    with Relay(server.address) as relay:
        ...                # clients at relay.address
        relay.break_next()
"""

import socket
import threading


class Relay:
    def __init__(self, address):
        host, _, port = address.rpartition(":")
        self._server = host, int(port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = "{}:{}".format(*self._listener.getsockname())
        self._breaks = threading.Event()

    def __enter__(self):
        _in_background(self._accept)
        return self

    def __exit__(self, *_):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def break_next(self):
        """The next bytes that a client sends are lost, and its connection with them. New ones are let through."""
        self._breaks.set()

    @property
    def has_broken(self):
        return not self._breaks.is_set()

    def _accept(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(self._server)
            except OSError:
                client.close()  # the server is down
                continue
            _in_background(self._serve, client, server)

    def _serve(self, client, server):
        with client, server:
            answers = _in_background(_copy, server, client, lambda: False)
            _copy(client, server, self._take_break)
            answers.join()

    def _take_break(self):
        breaks = self._breaks.is_set()
        self._breaks.clear()
        return breaks


def _copy(source, target, breaks):
    """Until either end is shut, or breaks() at some bytes."""
    try:
        while (data := source.recv(1 << 16)) and not breaks():
            target.sendall(data)
    except OSError:
        pass  # cut
    for end in (source, target):
        try:
            end.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # it is shut


def _in_background(function, *arguments):
    thread = threading.Thread(target=function, args=arguments, daemon=True)
    thread.start()
    return thread
