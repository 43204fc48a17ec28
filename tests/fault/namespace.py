"""A network namespace, and links into it that can be taken down: needs root and iproute2.

    with Namespace() as namespace:
        with namespace.inside():
            postgres.start()       # listens there
        link = namespace.add_link()
        link.address               # reaches it from here
"""

import contextlib
import ctypes
import os
import subprocess

_CLONE_NEWNET = 0x40000000
# Of RFC 2544, for measuring networks: nobody routes it.
NETWORK = "198.18.0.0/15"
_LIBC = ctypes.CDLL(None, use_errno=True)


def _ip(*words):
    subprocess.run(["ip", *map(str, words)], check=True, stdin=subprocess.DEVNULL)


@contextlib.contextmanager
def _open_namespace(path):
    """Its descriptor."""
    with open(path, "rb") as file:
        yield file.fileno()


def _enter(namespace):
    """This thread's network from now on."""
    if _LIBC.setns(namespace, _CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")


class Namespace:
    def __init__(self):
        self.name = f"latchkey-{os.getpid()}"
        self._links = 0

    def __enter__(self):
        _ip("netns", "add", self.name)
        _ip("-n", self.name, "link", "set", "lo", "up")
        return self

    def __exit__(self, *_):
        _ip("netns", "delete", self.name)  # and with it its ends of the links, which takes ours

    @contextlib.contextmanager
    def inside(self):
        """This thread, and processes that it starts, have that network."""
        with _open_namespace("/proc/thread-self/ns/net") as ours, _open_namespace(f"/run/netns/{self.name}") as other:
            _enter(other)
            try:
                yield
            finally:
                _enter(ours)

    def add_link(self):
        self._links += 1
        return _Link(self.name, self._links)


class _Link:
    """A pair of virtual interfaces, one of them in the namespace, with a network of their own."""

    def __init__(self, namespace, number):
        self._namespace, self._inner = namespace, f"lk{os.getpid()}i{number}"
        outer, network = f"lk{os.getpid()}o{number}", f"198.18.{os.getpid() % 256}.{4 * number}"
        first, last = network.rsplit(".", 1)
        self.address = f"{first}.{int(last) + 2}"
        _ip("link", "add", outer, "type", "veth", "peer", "name", self._inner, "netns", namespace)
        _ip("address", "add", f"{first}.{int(last) + 1}/30", "dev", outer)
        _ip("-n", namespace, "address", "add", f"{self.address}/30", "dev", self._inner)
        _ip("link", "set", outer, "up")
        self.heal()

    def cut(self):
        """Ours loses its carrier, and every packet in both directions is lost."""
        _ip("-n", self._namespace, "link", "set", self._inner, "down")

    def heal(self):
        _ip("-n", self._namespace, "link", "set", self._inner, "up")
