"""PostgreSQL on a disk that gets full in the middle of writing: nothing acknowledged is lost, whatever was refused, and
all recover by themselves once there is room.
"""

import os
import subprocess
import tempfile
import unittest
from pathlib import Path

from latchkey_test import PrivatePostgres
from latchkey_test.waiting import wait_until

from system import System, Writers

DISK = "size=200m,mode=755"
FILLER_BLOCK = b"\0" * 65536


class FullDisk(unittest.TestCase):
    def setUp(self):
        self.disk = Path(tempfile.mkdtemp(prefix="latchkey-disk-"))
        self.addCleanup(self.disk.rmdir)
        subprocess.run(["mount", "-t", "tmpfs", "-o", DISK, "tmpfs", self.disk], check=True)
        self.addCleanup(lambda: subprocess.run(["umount", "--lazy", self.disk], check=True))

    def fill(self):
        """To the last block."""
        with open(self.disk / "filler", "wb", buffering=0) as filler:
            try:
                while True:
                    filler.write(FILLER_BLOCK)
            except OSError:
                pass

    def test_a_full_disk_loses_nothing_acknowledged(self):
        with PrivatePostgres(parent=self.disk, wal_recycle="off", min_wal_size="32MB") as postgres, \
                System(validators=2, postgres=postgres, max_staleness="2s", poll_interval="100ms") as system:
            with Writers(system) as writers:
                self.fill()
                refused = writers.refused
                wait_until(lambda: writers.refused > refused + 20, 120, "writes to be refused")
                os.unlink(self.disk / "filler")
                if postgres.has_ended():
                    postgres.start()
                writers.wait_for_more(20)
            self.assertIn("No space left on device", postgres.log())
            for validator in system.validators:
                system.ask_until(validator, writers.acknowledged[-1][1], "OK")
            system.check_all_there(writers.acknowledged)


if __name__ == "__main__":
    unittest.main()
