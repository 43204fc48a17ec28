"""A transaction's places in the change log: the same ones that the plain way gives, and no dearer for being many."""

import random
import re
import unittest
import uuid

import psycopg2

import database
from database import SCHEMA_DIRECTORY, Company, connect, heads, run, run_value
from database import prepare as setUpModule  # noqa: F401

LOG = ("SELECT lane, seq, kind, company_id, list_id, ARRAY(SELECT unnest(objects) ORDER BY 1), objects IS NULL,"
       " ARRAY(SELECT unnest(prefixes)::text ORDER BY 1), prefixes IS NULL"
       " FROM latchkey.change WHERE seq > (%s::bigint[])[lane + 1] ORDER BY lane, seq")
POSITIONS = "SELECT lane, seq, mark FROM latchkey.change_flush()"


def plain_commit():
    """change_commit() as it was before 0029: lane by lane, and asked again for each pending row."""
    text = (SCHEMA_DIRECTORY / "0023_whitelist_entry_prefixes.sql").read_text(encoding="utf-8")
    body = re.search(r"CREATE OR REPLACE FUNCTION (change_commit\(\).*?\n\$\$;)", text, re.DOTALL)[1]
    return f"CREATE OR REPLACE FUNCTION latchkey.{body}"


class Mix:
    """Statements of all kinds, the same ones for the same seed."""

    def __init__(self, connection, companies, seed):
        self.connection, self.companies, self.rng = connection, companies, random.Random(seed)

    def run(self, statement, *parameters):
        run(self.connection, statement, *parameters)

    def ids(self):
        """A few, as many as are named, one more, or bulk."""
        return [uuid.UUID(int=self.rng.getrandbits(128)) for _ in range(self.rng.choice((1, 3, 100, 101, 250)))]

    def rename(self):
        self.run("UPDATE latchkey.company SET name = 'Renamed' WHERE company_id = %s", self.company.id)

    def make_companies(self):
        self.run("INSERT INTO latchkey.company (company_id, name) SELECT unnest(%s::uuid[]), 'New'", self.ids())

    def make_tokens(self):
        self.run("INSERT INTO latchkey.token (token_id, company_id, kind, channels) SELECT unnest(%s::uuid[]), %s, 'a', 1",
                 self.ids(), self.company.id)

    def make_roles(self):
        self.run("INSERT INTO latchkey.role (role_id, company_id, name) SELECT id, %s, id::text FROM unnest(%s::uuid[]) AS id",
                 self.company.id, self.ids())

    def remove_roles(self):
        self.run("DELETE FROM latchkey.role WHERE builtin = '' AND company_id = %s", self.company.id)

    def list_addresses(self):
        self.run("INSERT INTO latchkey.whitelist_entry (entry_id, company_id, list_id, address, cidr)"
                 " SELECT id, %s, %s, 'x/32', ('10.0.0.0'::inet + get_byte(uuid_send(id), 0))::cidr FROM unnest(%s::uuid[]) AS id",
                 self.company.id, self.company.list, self.ids())

    def unlist_addresses(self):
        self.run("DELETE FROM latchkey.whitelist_entry WHERE company_id = %s AND cidr < '10.0.0.128/32'", self.company.id)

    def switch(self):
        self.run("UPDATE latchkey.whitelist SET enabled = NOT enabled")

    def describe(self):
        self.run("UPDATE latchkey.permission SET description = description")

    def log_now(self):
        self.run(POSITIONS)

    def think_better_of_it(self):
        self.run("SAVEPOINT before")
        self.make_tokens()
        self.log_now()
        self.run("ROLLBACK TO before")

    def play(self, steps):
        choices = (self.rename, self.make_companies, self.make_tokens, self.make_roles, self.remove_roles, self.list_addresses,
                   self.unlist_addresses, self.switch, self.describe, self.log_now, self.think_better_of_it)
        for _ in range(steps):
            self.company = self.rng.choice(self.companies)
            self.rng.choice(choices)()


class ChangeCommit(unittest.TestCase):
    def setUp(self):
        self.owner = connect()
        self.addCleanup(self.owner.close)

    def assert_dense(self, before, positions, logged):
        """No gap in a lane, no mark twice, and each lane's head and position are its newest row."""
        seqs = {}
        for lane, seq, *_ in logged:
            seqs.setdefault(lane, []).append(seq)
        for lane, found in seqs.items():
            self.assertEqual(found, list(range(before[lane] + 1, before[lane] + 1 + len(found))))
        newest = run(self.owner, "SELECT DISTINCT ON (lane) lane, seq, mark FROM latchkey.change ORDER BY lane, seq DESC")
        self.assertEqual(positions, [row for row in newest if row[0] in seqs])
        self.assertEqual(newest, run(self.owner, "SELECT lane, head, mark FROM latchkey.change_lane ORDER BY lane"))
        self.assertEqual(run_value(self.owner, "SELECT count(*) - count(DISTINCT mark) FROM latchkey.change"), 0)

    def log_of(self, companies, seed, commit=None):
        """What a transaction of many changes leaves in the log; it is not kept."""
        if commit:
            run(self.owner, commit)
        before = heads(self.owner)
        Mix(self.owner, companies, seed).play(25)
        positions = run(self.owner, POSITIONS)
        logged = run(self.owner, LOG, before)
        self.assert_dense(before, positions, logged)
        self.owner.rollback()
        return [position[:2] for position in positions], logged

    def test_a_mix_of_changes_is_logged_as_the_plain_way_logs_it(self):
        companies = [Company(lane) for lane in (3, 3, 0, 63)]
        rows = 0
        for seed in range(database.SEED, database.SEED + 20):
            with self.subTest(seed=seed):
                logged = self.log_of(companies, seed)
                self.assertEqual(logged, self.log_of(companies, seed, plain_commit()))
                rows += len(logged[1])
        self.assertGreater(rows, 500)

    def test_a_flush_that_was_taken_back_is_done_again_at_the_commit(self):
        company = Company()
        before = heads(self.owner)
        self.owner.rollback()
        run(self.owner, "UPDATE latchkey.company SET name = 'Other' WHERE company_id = %s", company.id)
        run(self.owner, "SAVEPOINT before")
        run(self.owner, "UPDATE latchkey.whitelist SET scope = 2 WHERE company_id = %s", company.id)
        run(self.owner, POSITIONS)
        run(self.owner, "ROLLBACK TO before")
        run(self.owner, "UPDATE latchkey.role SET name = 'Boss' WHERE company_id = %s", company.id)
        self.owner.commit()
        self.assertEqual([(row[1], row[2]) for row in run(self.owner, LOG, before)],
                         [(before[company.lane] + 1, "company"), (before[company.lane] + 2, "role")])

    def test_above_read_committed_a_lane_that_has_moved_is_tried_again(self):
        company, other = Company(lane=7), connect()
        self.addCleanup(other.close)
        run(self.owner, "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        run(self.owner, "UPDATE latchkey.whitelist SET scope = 2 WHERE company_id = %s", company.id)
        run(other, "UPDATE latchkey.company SET name = 'Faster' WHERE company_id = %s", company.id)
        other.commit()
        with self.assertRaises(psycopg2.errors.SerializationFailure):
            self.owner.commit()

    def test_a_change_whose_lane_has_gone_is_refused(self):
        company = Company()
        run(self.owner, "DELETE FROM latchkey.change_lane WHERE lane = %s", company.lane)
        run(self.owner, "UPDATE latchkey.company SET name = 'Lost' WHERE company_id = %s", company.id)
        with self.assertRaises(psycopg2.errors.NoDataFound):
            self.owner.commit()


class ManyCompanies(unittest.TestCase):
    """Counts the pages that the commit asks for, of the pending rows and of their index. Rows that the transaction has removed
    are on them still, though a scan that steps over them does not count them."""

    PAGES = ("SELECT sum(pg_stat_get_xact_blocks_fetched(pending))::bigint"
             " FROM unnest('{latchkey.change_pending, latchkey.change_pending_pkey}'::regclass[]) AS pending")

    def setUp(self):
        self.session = connect()
        self.addCleanup(self.session.close)

    def pages_to_log(self, companies):
        run(self.session, "INSERT INTO latchkey.company (company_id, name) SELECT gen_random_uuid(), 'Acme'"
                          " FROM generate_series(1, %s)", companies)
        before = run_value(self.session, self.PAGES)
        run(self.session, POSITIONS)
        pages = run_value(self.session, self.PAGES) - before
        self.session.rollback()
        return pages

    def assert_a_few_pages_each(self, companies):
        pages = self.pages_to_log(companies)
        print(f"pages: {pages / companies:.1f} for each of {companies} companies")
        self.assertGreaterEqual(pages, companies, "each pending row is looked at")
        self.assertLessEqual(pages, 12 * companies)

    def test_a_change_of_many_companies_reads_a_few_pages_for_each(self):
        for companies in (200, 5000):
            with self.subTest(companies=companies):
                self.assert_a_few_pages_each(companies)

    def test_so_does_a_session_that_has_planned_for_few(self):
        vacuuming = connect()
        vacuuming.autocommit = True
        run(vacuuming, "VACUUM ANALYZE latchkey.change_pending")
        vacuuming.close()
        for _ in range(10):
            self.pages_to_log(1)
        self.assert_a_few_pages_each(5000)
