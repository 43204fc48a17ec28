"""Ports nobody listens on."""

import random
import socket
from pathlib import Path

_reservations = []
_LOWEST = 10000


def own_address():
    """An IPv4 address of this machine that is not loopback: what others would reach it at."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("198.51.100.1", 9))  # sends nothing
        return probe.getsockname()[0]


def free_port():
    """A free TCP port of 127.0.0.1, for this process while it lives: no other process's free_port() gives it, and none of
    the machine's connections takes it before a server does. A second server with SO_REUSEPORT would join the first
    one's port in silence."""
    while True:
        port = random.SystemRandom().choice(_candidates())
        if _reserve(port) and _is_free(port):
            return port


def _candidates():
    """Below those that connect() picks from, where there is room."""
    picked_from = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text(encoding="ascii").split()[0])
    return range(_LOWEST, picked_from if picked_from > 2 * _LOWEST else 65536)


def _reserve(port):
    """A name in the abstract namespace of unix sockets has one owner in a network namespace, and goes with its process."""
    reservation = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        reservation.bind(f"\0latchkey-test-port-{port}")
    except OSError:
        reservation.close()
        return False
    _reservations.append(reservation)
    return True


def _is_free(port):
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
