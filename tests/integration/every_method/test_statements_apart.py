"""Row-level security alone keeps companies apart, as if the application checked nothing: each statement that it sends for
one company is sent again, with the same parameters, in a transaction of another."""

import re
import unittest
import uuid

import psycopg2

from latchkey_test import Deployment, Stage, contract, uuid_of_id
from latchkey_test.effect import rows_of
from latchkey_test.pg_values import send_again
from latchkey_test.tap import Tap

# Statements that see another company on purpose, and why that is right.
ACROSS_COMPANIES = {
    "settings": "is what says for which company a transaction is",
    "caller_find": "finds whose a secret is, by its digest",
    "caller_look_again": "finds whose a secret is, by its digest",
    "audit_append": "adds to a chain and shows nothing of it; what the operator does is noted at both companies",
}
# How a statement is refused: by a policy, or because what it refers to is not there for it.
REFUSALS = (psycopg2.errors.InsufficientPrivilege, psycopg2.errors.ForeignKeyViolation, psycopg2.errors.UniqueViolation,
            psycopg2.errors.RaiseException, psycopg2.errors.NotNullViolation)
UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
THEIR_NAME = "Theirs Alone"


def record(deployment):
    """(statements sent for them, their company's id, our company's id)"""
    with Tap(deployment.url) as tap, deployment.beside(database_url=tap.url, log_level="warning") as server:
        deployment.server = server
        with Stage(deployment) as ours, Stage(deployment, THEIR_NAME) as theirs:
            tap.take()
            for method in contract.served_methods():
                theirs.caller(method).call(method, theirs.request(method))
            statements = [statement for trip in tap.take() for statement in trip.statements if statement.name]
            return statements, theirs.company_id, ours.company_id


class StatementsApart(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        deployment = Deployment()
        cls.addClassCleanup(deployment.server.remove)
        deployment.prepare()
        cls.statements, cls.their_id, cls.our_id = record(deployment)
        cls.connection = deployment.postgres.connect(deployment.url.split("dbname=")[1].split()[0])
        cls.addClassCleanup(cls.connection.close)
        cls.their_uuids = cls.find_their_uuids()

    @classmethod
    def execute(cls, sql, parameters=None):
        with cls.connection.cursor() as cursor:
            cursor.execute(sql, parameters)
            return cursor.fetchall() if cursor.description else []

    @classmethod
    def find_their_uuids(cls):
        """Every id in a row of theirs."""
        tables = cls.execute("SELECT DISTINCT table_name FROM information_schema.columns"
                             " WHERE table_schema = 'latchkey' AND column_name = 'company_id'")
        return {one for table, in tables
                for row, in cls.execute(f"SELECT t::text FROM latchkey.{table} t WHERE company_id = %s",
                                        (uuid_of_id(cls.their_id),))
                for one in UUID.findall(row)}

    def test_every_statement_with_their_parameters_gives_us_nothing_and_changes_nothing(self):
        tried = set()
        for statement in self.statements:
            if statement.name not in ACROSS_COMPANIES and self.names_theirs(statement):
                tried.add(statement.name)
                with self.subTest(statement.name):
                    self.check(statement)
        self.assertGreater(len(tried), 15)

    def names_theirs(self, statement):
        sent = b" ".join(value for value in statement.values if value is not None)
        return any(uuid.UUID(one).bytes in sent for one in self.their_uuids)

    def check(self, statement):
        self.execute("BEGIN")
        try:
            before = rows_of(self.execute, self.their_id)
            self.execute("SET LOCAL ROLE latchkey_app")
            self.execute("SELECT set_config('latchkey.company', %s, true)", (uuid_of_id(self.our_id),))
            rows = send_again(self.execute, statement)
            self.execute("RESET ROLE")
            self.assertEqual(rows_of(self.execute, self.their_id), before)
            self.assert_nothing_of_theirs(rows, statement)
        except REFUSALS:
            pass
        finally:
            self.execute("ROLLBACK")

    def assert_nothing_of_theirs(self, rows, statement):
        """But for what was sent, which an answer may repeat."""
        sent = {str(uuid.UUID(bytes=value)) for value in statement.values if value is not None and len(value) == 16}
        self.assertEqual(set(UUID.findall(str(rows))) & self.their_uuids - sent, set())
        self.assertNotIn(THEIR_NAME, str(rows))


if __name__ == "__main__":
    unittest.main()
