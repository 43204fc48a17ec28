"""The promise: after a deactivation was acknowledged with all validators confirmed, no validator answers ALLOW. Ten
thousand times, from several clients at once, with three validators that others ask without a pause, by a grpc++ program
(revocations.cc).
"""

import json
import os
import statistics
import subprocess
import unittest

from latchkey_test import foreign_client

from system import System, scaled

COUNT = 10_000
WORKERS = 8
VALIDATORS = 3
QUESTIONS_AFTER = 3  # of each validator, as in revocations.cc


class Revocations(unittest.TestCase):
    def test_nothing_is_admitted_after_its_end_was_confirmed(self):
        with System(validators=VALIDATORS) as system:
            count = scaled(COUNT)
            done = subprocess.run(
                [foreign_client("grpcpp-revocations"), system.deployment.server.address, system.validator_addresses,
                 str(count), str(WORKERS)], capture_output=True, text=True, timeout=900, check=False,
                env={**os.environ, "LATCHKEY_TOKEN": system.deployment.secrets["LATCHKEY_TOKEN"]})
        self.assertEqual(done.returncode, 0, done.stderr + done.stdout[-1000:])
        told = json.loads(done.stdout)
        self.assertEqual((told["acknowledged"], told["unconfirmed"], told["allowed_after"]), (count, 0, 0))
        self.assertEqual(told["asked_after"], QUESTIONS_AFTER * VALIDATORS * count)
        self.assertGreater(told["asked_by_load"], 0)
        confirmed = statistics.quantiles(told["confirmed_us"], n=100)
        print(f"{count} confirmed beside {told['asked_by_load']} questions, median {confirmed[49] / 1000:.1f} ms, "
              f"99 % within {confirmed[98] / 1000:.1f} ms", end=" ", flush=True)


if __name__ == "__main__":
    unittest.main()
