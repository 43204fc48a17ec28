"""Ports nobody listens on."""

import socket

_handed_out = set()


def own_address():
    """An IPv4 address of this machine that is not loopback: what others would reach it at."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("198.51.100.1", 9))  # sends nothing
        return probe.getsockname()[0]


def free_port():
    """A free TCP port of 127.0.0.1. Never the same twice in one process: a second server with SO_REUSEPORT would
    otherwise join the first one's port in silence."""
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        if port not in _handed_out:
            _handed_out.add(port)
            return port
