"""The scenario of latchkey_test.scenario on the clients that Debian has, against all services in one process."""

import os
import subprocess
import unittest

from latchkey_test import Deployment, foreign_client, scenario


class Scenarios(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.deployment = Deployment()
        cls.deployment.__enter__()
        cls.addClassCleanup(cls.deployment.__exit__)
        with cls.deployment.administrator() as client:
            scenario.prepare(client)

    def test_grpcio_does_every_step(self):
        server = self.deployment.server
        self.assertEqual(scenario.failures_at(server.address, self.deployment.secrets["LATCHKEY_TOKEN"]), [])

    def test_grpcpp_does_every_step(self):
        done = subprocess.run(
            [foreign_client("grpcpp-scenario")], capture_output=True, text=True, timeout=120, check=False,
            env={**os.environ, "LATCHKEY_ADDRESS": self.deployment.server.address,
                 "LATCHKEY_TOKEN": self.deployment.secrets["LATCHKEY_TOKEN"]})
        self.assertEqual((scenario.find_failures(done.stdout), done.returncode), ([], 0), done.stderr)


class Checker(unittest.TestCase):
    """That the two tests above can fail."""

    def test_a_step_that_is_missing_wrong_or_out_of_order_is_found(self):
        good = [f"ok - {step}" for step in scenario.STEPS]
        self.assertEqual(scenario.find_failures("\n".join(good)), [])
        bad = "not ok - x: why"
        self.assertEqual(scenario.find_failures("\n".join([good[0], bad, *good[2:]])), [bad])
        self.assertTrue(scenario.find_failures("\n".join(good[1:])))
        self.assertTrue(scenario.find_failures("\n".join(good[::-1])))
        self.assertTrue(scenario.find_failures(""))


if __name__ == "__main__":
    unittest.main()
