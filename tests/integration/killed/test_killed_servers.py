"""Each management server, killed in the middle of each of its changes: before COMMIT, while PostgreSQL works on it, and before
its answer has come. Another start of it, and the same request leaves the change there once."""

import unittest

from kill_case import CHANGES, KillCase, choose
from latchkey_test.strikes import BEFORE, ON_THE_WAY, POINTS


class KilledServers(KillCase):
    def test_the_server_that_serves_the_call(self):
        for method, _, point in choose(CHANGES, ["server"], POINTS):
            with self.subTest(f"{method}, {point}"):
                self.check(method, point)

    def check(self, method, point):
        server, backend = self.server_of(method), []

        def kill(line):
            backend.append(line.backend)
            server.kill()

        error, request, effect, once = self.strike(method, point, kill, lambda: None)
        self.assert_unavailable(error, None)
        self.postgres.wait_for_end(*backend)
        if point is not ON_THE_WAY:  # PostgreSQL may or may not notice in time that nobody listens any more
            self.assertEqual(effect.since(), {} if point is BEFORE else once)
        server.start()
        self.assert_once(method, request, effect, once)


if __name__ == "__main__":
    unittest.main()
