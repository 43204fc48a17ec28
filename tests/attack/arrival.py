"""When an answer has come to this machine, whenever it is read.

An honest client shares its core with attackers. Where the kernel does not interrupt a system call, one of theirs that sends
megabytes keeps the client from running for milliseconds in which the answer is there: nothing that a server could help.
"""

import socket
import struct
import time

_SO_TIMESTAMPNS = 35  # Linux; Python has no name for it


class StampedSocket:
    """A connected socket, which becomes its own, with the time at which the latest of what was read had come."""

    def __init__(self, connection):
        self._socket = connection
        self._socket.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        self._arrived_s = 0.0
        self.setsockopt, self.sendall = connection.setsockopt, connection.sendall

    def recv(self, size):
        received, stamps, _, _ = self._socket.recvmsg(size, socket.CMSG_SPACE(16))
        for _, kind, stamp in stamps:
            if kind == _SO_TIMESTAMPNS:
                seconds, nanoseconds = struct.unpack("qq", stamp)
                self._arrived_s = seconds + nanoseconds / 1e9
        return received

    def get_seconds_since(self, started_s):
        """Until what was read had come; `started_s` is time.time() when it was asked for."""
        return max(0.0, self._arrived_s - started_s)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._socket.close()
