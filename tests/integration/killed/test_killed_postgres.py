"""PostgreSQL, killed in the middle of each change: the backend that serves the call, with which all others end, and the
postmaster. The caller hears that it is not available, or that nobody knows; the server comes back by itself, and the same
request leaves the change there once."""

import unittest

from kill_case import CHANGES, KillCase, choose
from latchkey_test.strikes import POINTS


class KilledPostgres(KillCase):
    def test_the_backend_of_the_call_and_the_postmaster(self):
        for method, process, point in choose(CHANGES, ["backend", "postmaster"], POINTS):
            with self.subTest(f"{method}, {process}, {point}"):
                getattr(self, f"check_{process}")(method, point)

    def check_backend(self, method, point):
        self.check(method, point, lambda line: self.postgres.kill_backend(line.backend), lambda: None)

    def check_postmaster(self, method, point):
        self.check(method, point, lambda _: self.postgres.kill(), self.postgres.start)

    def check(self, method, point, kill, revive):
        pid = self.server_of(method).pid
        error, request, effect, once = self.strike(method, point, kill, revive)
        self.assert_unavailable(error, "OUTCOME_UNKNOWN" if point.is_commit_sent else "DATABASE_UNAVAILABLE")
        self.assertEqual(effect.since(), once if point.is_kept else {})
        self.assert_once(method, request, effect, once)
        self.server_of(method).wait_ready()
        self.assertEqual(self.server_of(method).pid, pid)


if __name__ == "__main__":
    unittest.main()
