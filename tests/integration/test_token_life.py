"""The life of an access token through a client of another make: Debian's grpc++."""

import os
import subprocess
import unittest

from latchkey_test import foreign_client
from token_case import ValidatedCase


class Life(ValidatedCase):
    def test_grpcpp_lives_through_it(self):
        done = subprocess.run(
            [foreign_client("grpcpp-token-life")], capture_output=True, text=True, timeout=120, check=False,
            env={**os.environ, "LATCHKEY_ADDRESS": self.deployment.server.address,
                 "LATCHKEY_TOKEN": self.deployment.secrets["LATCHKEY_TOKEN"]})
        lines = done.stdout.splitlines()
        self.assertEqual([line for line in lines if not line.startswith("ok - ")], [], done.stderr)
        self.assertEqual((len(lines), done.returncode), (6, 0), done.stdout + done.stderr)


if __name__ == "__main__":
    unittest.main()
