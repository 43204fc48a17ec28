"""The database as the next release leaves it: every table has a column that nobody here knows, and there is a migration that
this build lacks. Programs of this release work on it, also when they are started anew, unless it says that they do not."""

import unittest

from latchkey_test import Deployment, Server, run_latchkey, scenario

_TABLES = "SELECT relname FROM pg_class WHERE relnamespace = 'latchkey'::regnamespace AND relkind IN ('r', 'p') ORDER BY relname"
EXIT_SCHEMA = 76
SERVERS = ("latchkey-token", "latchkey-whitelist", "latchkey-invitation", "latchkey-validator")


class NextSchema(unittest.TestCase):
    def setUp(self):
        self.deployment = self.enterContext(Deployment())
        with self.deployment.administrator() as client:
            scenario.prepare(client)

    def expand(self, breaks_before):
        for table, in self.deployment.execute(_TABLES):
            self.deployment.execute(f'ALTER TABLE latchkey."{table}" ADD COLUMN next_release text DEFAULT \'new\'')
        self.deployment.execute("INSERT INTO latchkey.migration (number, name, sha256, breaks_before)"
                                f" VALUES (9999, '9999_next.sql', '\\x00', {breaks_before})")

    def assert_everything_works(self):
        self.assertEqual(scenario.failures_at(self.deployment.server.address, self.deployment.secrets["LATCHKEY_TOKEN"]), [])

    def test_programs_of_this_release_go_on_and_start_on_a_schema_that_has_more(self):
        self.expand(breaks_before=0)
        self.assert_everything_works()
        self.deployment.server.stop()
        self.deployment.server.start()
        self.assert_everything_works()
        for name in SERVERS:
            with self.subTest(name):
                self.enterContext(self.deployment.beside(name))
        self.assertEqual(self.deployment.latchkey("migrate").stdout, "the schema is at 9999 already\n")
        self.assertRegex(self.deployment.latchkey("doctor", check=False).stdout, r"(?m)^ok     schema .*9999, a newer version's")

    def test_programs_that_the_schema_leaves_behind_do_not_start_and_do_nothing(self):
        self.expand(breaks_before=9999)
        for name in SERVERS:
            with self.subTest(name):
                server = Server(name, database_url=self.deployment.url)
                self.addCleanup(server.remove)
                server.start(ready=False)
                self.assertEqual(server.wait(), EXIT_SCHEMA)
                self.assertIn("newer latchkey (9999_next.sql); run that version", server.log())
        for command in (("migrate",), ("bootstrap", "--rotate"), ("recover",)):
            done = run_latchkey(*command, LATCHKEY_DATABASE_URL=self.deployment.url)
            self.assertNotEqual(done.returncode, 0)
            self.assertIn("newer latchkey", done.stderr)


if __name__ == "__main__":
    unittest.main()
