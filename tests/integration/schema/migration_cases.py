"""Migrations: by several at once, in several databases of a cluster, with and without the right to make roles."""

import re
import threading
import unittest
import uuid

import psycopg2
from psycopg2.extensions import make_dsn, parse_dsn

import database
from database import connect, migrate, run, run_value
from latchkey_test.waiting import wait_until
from database import prepare as setUpModule  # noqa: F401


class Migrations(unittest.TestCase):
    def setUp(self):
        self.admin = connect()
        self.addCleanup(self.admin.close)
        if not run_value(self.admin,
                         "SELECT rolsuper OR rolcreatedb AND rolcreaterole FROM pg_roles WHERE rolname = current_user"):
            self.skipTest("the user of LATCHKEY_TEST_DATABASE_URL may not make databases")
        self.admin.rollback()
        self.admin.autocommit = True

    def new_database(self, owner=None):
        name = f"latchkey_schema_test_{uuid.uuid4().hex[:12]}"
        run(self.admin, f"CREATE DATABASE {name}" + (f" OWNER {owner}" if owner else ""))
        self.addCleanup(lambda: wait_until(lambda: self.is_dropped(name), 60, f"the end of the database {name}"))
        return name

    def is_dropped(self, name):
        """Not while autovacuum is in it, which belongs to a superuser."""
        try:
            run(self.admin, f"DROP DATABASE {name} WITH (FORCE)")
        except psycopg2.errors.InsufficientPrivilege:
            return False
        return True

    def new_user(self, attributes):
        name = f"latchkey_schema_test_{uuid.uuid4().hex[:12]}"
        run(self.admin, f"CREATE ROLE {name} LOGIN PASSWORD 'test' NOSUPERUSER {attributes}")
        run(self.admin, f"GRANT {name} TO CURRENT_USER")  # who is not a superuser may only give databases to such
        self.addCleanup(lambda: run(self.admin, f"DROP ROLE {name}"))
        return name

    @staticmethod
    def open(dbname, user=None):
        login = {"user": user, "password": "test"} if user else {}
        return psycopg2.connect(make_dsn(**{**parse_dsn(database.URL), "dbname": dbname, **login}))

    def migrate_at_once(self, names):
        """One migration in a thread for each name; returns how many files each applied, or what it raised."""
        results = []

        def one(name):
            connection = self.open(name)
            try:
                results.append(migrate(connection))
            except psycopg2.Error as failure:
                results.append(failure)
            finally:
                connection.close()

        threads = [threading.Thread(target=one, args=(name,)) for name in names]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return results

    def files(self):
        return len(list(database.SCHEMA_DIRECTORY.glob("[0-9]*.sql")))

    def test_several_at_once_apply_each_file_once(self):
        applied = self.migrate_at_once([self.new_database()] * 4)
        self.assertEqual(sum(applied), self.files(), applied)

    def test_databases_of_one_cluster_share_the_roles(self):
        self.assertEqual(self.migrate_at_once([self.new_database() for _ in range(3)]), [self.files()] * 3)

    def test_an_owner_that_may_make_roles_needs_nothing_prepared(self):
        user = self.new_user("CREATEROLE")
        owner = self.open(self.new_database(user), user)
        self.assertEqual(migrate(owner), self.files())
        for role in ("latchkey_owner", "latchkey_app", "latchkey_validator", "latchkey_auditor"):
            run(owner, f"SET ROLE {role}")
        owner.close()

    def test_an_owner_that_may_not_is_told_the_sql_that_helps_and_then_it_works(self):
        user = self.new_user("NOCREATEROLE")
        name = self.new_database(user)
        owner = self.open(name, user)
        with self.assertRaises(psycopg2.errors.InsufficientPrivilege) as refused:
            migrate(owner)
        owner.rollback()
        remedy = re.fullmatch("Let an administrator run: (.*) Then migrate again.",
                              refused.exception.diag.message_hint)[1]
        run(self.admin, remedy)
        self.assertEqual(migrate(owner), self.files())
        owner.close()

    def test_a_user_of_anothers_database_is_told_too(self):
        user = self.new_user("NOCREATEROLE")
        name = self.new_database()
        stranger = self.open(name, user)
        with self.assertRaises(psycopg2.errors.InsufficientPrivilege):
            migrate(stranger)
        stranger.close()

    def test_nothing_of_ours_is_owned_by_anybody_else(self):
        self.assertEqual(run(self.admin, "SELECT relname FROM pg_class WHERE relnamespace = 'latchkey'::regnamespace"
                                         " AND relowner <> 'latchkey_owner'::regrole"), [])
        self.assertEqual(run(self.admin, "SELECT proname FROM pg_proc WHERE pronamespace = 'latchkey'::regnamespace"
                                         " AND proowner <> 'latchkey_owner'::regrole"), [])
