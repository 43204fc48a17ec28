"""What tests/ha/get_programs.sh has put into build/ha. LATCHKEY_PATRONI is the root of another Patroni, with usr/bin/patroni in it.

The user who runs PostgreSQL may not be let into this tree: what is his to run is copied to where he is.
"""

import os
import shutil

from latchkey_test import ROOT

_GOT = ROOT / "build/ha"

ETCD = _GOT / "etcd/usr/bin/etcd"
PGBOUNCER_12 = _GOT / "pgbouncer-12/usr/sbin/pgbouncer"  # Debian's
PGBOUNCER_13 = _GOT / "pgbouncer-13/usr/sbin/pgbouncer"


class Patroni:
    """In a directory of its own, which it makes."""

    def __init__(self, directory):
        self._programs = directory / "usr/bin"
        shutil.copytree(os.environ.get("LATCHKEY_PATRONI", _GOT / "patroni"), directory)
        self.environment = {"PYTHONPATH": str(directory / "usr/lib/python3/dist-packages")}

    def command(self, name):
        """patroni or patronictl, with this environment."""
        return ["/usr/bin/python3", self._programs / name]
