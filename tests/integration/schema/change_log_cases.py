"""The ordered change log: complete, without gaps, in order, and linear."""

import random
import threading
import time
import unittest

import psycopg2

import database
from database import Company, act_for, changes, connect, heads, new_id, run, run_value
from database import prepare as setUpModule  # noqa: F401


class ChangeLog(unittest.TestCase):
    def setUp(self):
        self.company = Company()
        self.owner = connect()
        self.app = connect("latchkey_app", self.company.id)
        self.before = run_value(self.owner, "SELECT head FROM latchkey.change_lane WHERE lane = %s",
                                self.company.lane)
        self.addCleanup(self.owner.close)
        self.addCleanup(self.app.close)

    def logged(self):
        """What has come into the company's lane since the test began, by kind."""
        rows = changes(self.owner, self.company.lane, self.before)
        return {kind: objects for kind, company, _, objects in rows.values() if company == self.company.id}

    def test_a_commit_numbers_its_changes_without_being_asked(self):
        run(self.app, "UPDATE latchkey.company SET name = 'Other'")
        self.assertEqual(self.logged(), {}, "nobody sees the change before its commit")
        self.app.commit()
        self.assertEqual(self.logged(), {"company": {self.company.id}})
        self.assertEqual(run_value(self.owner, "SELECT count(*) FROM latchkey.change_pending"), 0)

    def test_the_revision_returned_is_the_newest_row_of_the_transaction(self):
        token, _ = self.company.add_token(self.app)
        run(self.app, "UPDATE latchkey.whitelist SET enabled = true")
        ((lane, seq, mark),) = run(self.app, "SELECT * FROM latchkey.change_flush()")
        self.app.commit()
        self.assertEqual(lane, self.company.lane)
        self.assertEqual(run(self.owner, "SELECT head, mark FROM latchkey.change_lane WHERE lane = %s", lane),
                         [(seq, mark)])
        self.assertEqual(run(self.owner, "SELECT mark FROM latchkey.change WHERE lane = %s AND seq = %s", lane, seq),
                         [(mark,)])
        self.assertEqual(self.logged(), {"token": {token}, "whitelist": {self.company.id}})

    def test_a_transaction_that_changes_nothing_has_no_revision(self):
        run(self.app, "UPDATE latchkey.member SET display_name = 'x' WHERE member_id = %s", new_id())
        self.assertEqual(run(self.app, "SELECT * FROM latchkey.change_flush()"), [])

    def test_a_write_after_the_flush_is_logged_too(self):
        run(self.app, "UPDATE latchkey.company SET name = 'One'")
        ((_, first, _),) = run(self.app, "SELECT * FROM latchkey.change_flush()")
        run(self.app, "UPDATE latchkey.whitelist SET scope = 2")
        ((_, second, _),) = run(self.app, "SELECT * FROM latchkey.change_flush()")
        self.app.commit()
        self.assertEqual(second, first + 1)
        self.assertEqual(set(self.logged()), {"company", "whitelist"})

    def test_a_rolled_back_savepoint_leaves_no_trace(self):
        run(self.app, "SAVEPOINT before")
        run(self.app, "UPDATE latchkey.whitelist SET scope = 2")
        run(self.app, "ROLLBACK TO before")
        run(self.app, "UPDATE latchkey.member SET display_name = 'Ada'")
        self.app.commit()
        self.assertEqual(self.logged(), {"member": {self.company.administrator}})

    def test_a_change_is_durable_although_the_session_asked_for_less(self):
        run(self.app, "SET LOCAL synchronous_commit = off")
        run(self.app, "UPDATE latchkey.company SET name = 'Durable'")
        run(self.app, "SELECT * FROM latchkey.change_flush()")
        self.assertEqual(run_value(self.app, "SHOW synchronous_commit"), "on")

    def logged_prefixes(self):
        rows = run(self.owner, "SELECT ARRAY(SELECT unnest(prefixes)::text ORDER BY 1), prefixes IS NULL FROM latchkey.change"
                   " WHERE lane = %s AND seq > %s AND company_id = %s AND kind = 'whitelist_entry' ORDER BY seq",
                   self.company.lane, self.before, self.company.id)
        return [None if is_any else prefixes for prefixes, is_any in rows]

    def test_a_change_of_a_live_list_names_the_prefixes_before_and_after(self):
        (entry,) = self.company.add_entries(self.app, ["192.0.2.0/24"])
        self.app.commit()
        act_for(self.app, self.company.id)
        run(self.app, "UPDATE latchkey.whitelist_entry SET cidr = '198.51.100.0/24' WHERE entry_id = %s", entry)
        run(self.app, "UPDATE latchkey.whitelist_entry SET disabled = true WHERE entry_id = %s", entry)
        self.app.commit()
        act_for(self.app, self.company.id)
        run(self.app, "DELETE FROM latchkey.whitelist_entry WHERE entry_id = %s", entry)
        self.app.commit()
        self.assertEqual(self.logged_prefixes(), [["192.0.2.0/24"], ["192.0.2.0/24", "198.51.100.0/24"], ["198.51.100.0/24"]])

    def test_a_change_of_more_prefixes_than_a_call_may_have_means_any(self):
        insert = ("INSERT INTO latchkey.whitelist_entry (entry_id, company_id, list_id, address, cidr)"
                  " SELECT gen_random_uuid(), company_id, live_list_id, 'bulk', ('10.0.0.0'::inet + n)::cidr"
                  " FROM latchkey.whitelist, generate_series(1, %s) AS n WHERE company_id = %s")
        for count in (10000, 10001):
            act_for(self.app, self.company.id)
            run(self.app, insert, count, self.company.id)
            self.app.commit()
        named, any_of_them = self.logged_prefixes()
        self.assertEqual((len(named), any_of_them), (10000, None))

    def test_hand_typed_statements_are_logged_in_every_followed_table(self):
        token, digest = self.company.add_token(self.app)
        (entry,) = self.company.add_entries(self.app, ["192.0.2.0/24"])
        self.app.commit()
        table_kind_object = [
            ("company", "company", self.company.id), ("member", "member", self.company.administrator),
            ("role", "role", self.company.administrator_role), ("member_role", "member", self.company.administrator),
            ("token", "token", token), ("token_secret", "token", token),
            ("whitelist", "whitelist", self.company.id), ("whitelist_entry", "whitelist_entry", entry)]
        for table, kind, touched in table_kind_object:
            with self.subTest(update=table):
                self.before = heads(self.owner)[self.company.lane]
                run(self.owner, f"UPDATE latchkey.{table} SET company_id = company_id WHERE company_id = %s",
                    self.company.id)
                self.owner.commit()
                self.assertEqual(self.logged(), {kind: {touched}})
        for table in ("whitelist_entry", "token_secret", "token", "member_role"):
            with self.subTest(delete=table):
                self.before = heads(self.owner)[self.company.lane]
                run(self.owner, f"DELETE FROM latchkey.{table} WHERE company_id = %s", self.company.id)
                self.owner.commit()
                self.assertEqual(len(self.logged()), 1)

    def test_a_truncate_is_logged_for_each_company_that_had_rows(self):
        other = Company()
        for company in (self.company, other):
            act_for(self.app, company.id)
            company.add_entries(self.app, ["192.0.2.0/24"])
        self.app.commit()
        before = heads(self.owner)
        run(self.owner, "TRUNCATE latchkey.whitelist_entry")
        self.owner.commit()
        for company in (self.company, other):
            logged = changes(self.owner, company.lane, before[company.lane]).values()
            self.assertIn(("whitelist_entry", company.id, company.list, None), logged)
        self.assertEqual(run(self.owner, "SELECT 1 FROM latchkey.whitelist_list WHERE entry_count <> 0"), [])

    def test_a_session_that_poses_as_a_replica_is_logged(self):
        if not run_value(self.owner, "SELECT has_parameter_privilege('session_replication_role', 'SET')"):
            self.skipTest("this user may not set session_replication_role")
        run(self.owner, "SET session_replication_role = replica")
        run(self.owner, "UPDATE latchkey.company SET suspended = true WHERE company_id = %s", self.company.id)
        self.owner.commit()
        self.assertEqual(self.logged(), {"company": {self.company.id}})

    def test_a_hundred_objects_are_named_and_one_more_means_all(self):
        for count in (100, 101):
            with self.subTest(count=count):
                self.before = heads(self.owner)[self.company.lane]
                act_for(self.app, self.company.id)
                draft = new_id()
                run(self.app, "INSERT INTO latchkey.whitelist_list (list_id, company_id) VALUES (%s, %s)",
                    draft, self.company.id)
                ids = self.company.add_entries(self.app, ["192.0.2.0/24"] * count, draft)
                run(self.app, "UPDATE latchkey.whitelist_entry SET note = 'same rows again' WHERE list_id = %s",
                    draft)
                self.app.commit()
                self.assertEqual(self.logged(), {"whitelist_entry": set(ids) if count == 100 else None})

    def test_statements_of_one_transaction_share_one_row(self):
        ids = []
        for number in range(100):
            ids += self.company.add_entries(self.app, [f"198.51.100.{number}"])
        self.app.commit()
        self.assertEqual(changes(self.owner, self.company.lane, self.before),
                         {self.before + 1: ("whitelist_entry", self.company.id, self.company.list, set(ids))})

    def test_one_statement_over_many_companies_names_the_rows_of_each(self):
        few, many = self.company, Company(lane=self.company.lane)
        act_for(self.app, many.id)
        many.add_entries(self.app, ["192.0.2.0/24"] * 5000)
        act_for(self.app, few.id)
        ids = few.add_entries(self.app, ["192.0.2.0/24"] * 3)
        self.app.commit()
        self.before = heads(self.owner)[few.lane]
        run(self.owner, "UPDATE latchkey.whitelist_entry SET note = 'n' WHERE company_id IN (%s, %s)", few.id,
            many.id)
        self.owner.commit()
        self.assertEqual(sorted(changes(self.owner, few.lane, self.before).values(), key=str),
                         sorted([("whitelist_entry", few.id, few.list, set(ids)),
                                 ("whitelist_entry", many.id, many.list, None)], key=str))

    def test_a_change_of_a_role_moves_no_token(self):
        self.company.add_token(self.app, self.company.administrator)
        self.app.commit()
        self.before = heads(self.owner)[self.company.lane]
        run(self.owner, "UPDATE latchkey.role SET name = 'Boss' WHERE company_id = %s", self.company.id)
        run(self.owner, "DELETE FROM latchkey.member_role WHERE company_id = %s", self.company.id)
        self.owner.commit()
        self.assertEqual(self.logged(),
                         {"role": {self.company.administrator_role}, "member": {self.company.administrator}})

    def test_the_catalogue_moves_lane_64_alone_and_only_when_it_changes(self):
        names, descriptions = ["charges.create", "charges.read"], ["Make charges", "See charges"]
        run(self.app, "SELECT latchkey.permission_replace(%s, %s)", names, descriptions)
        self.app.commit()
        for wanted, moved in ((names, 0), (["charges.create", "refunds.create"], 1)):
            before = heads(self.owner)
            run(self.app, "SELECT latchkey.permission_replace(%s, %s)", wanted, descriptions)
            self.app.commit()
            self.assertEqual([after - old for after, old in zip(heads(self.owner), before)], [0] * 64 + [moved])
        self.assertEqual(run(self.owner, "SELECT name FROM latchkey.permission WHERE NOT fixed ORDER BY 1"),
                         [("charges.create",), ("refunds.create",)])

    def test_the_count_of_a_list_follows_its_entries(self):
        ids = self.company.add_entries(self.app, ["192.0.2.0/24"] * 7)
        run(self.app, "DELETE FROM latchkey.whitelist_entry WHERE entry_id = ANY (%s)", ids[:3])
        self.assertEqual(run_value(self.app, "SELECT entry_count FROM latchkey.whitelist_list"), 4)

    def test_an_entry_can_not_join_a_list_of_another_company(self):
        other = Company()
        with self.assertRaises(psycopg2.errors.ForeignKeyViolation):
            self.company.add_entries(self.app, ["192.0.2.0/24"], other.list)


class ManyWriters(unittest.TestCase):
    WRITERS, ROUNDS = 8, 60

    def write(self, number, companies, committed, failures):
        """Transactions of several shapes, a third of them rolled back; counts the log rows that must be there."""
        rng = random.Random(database.SEED + number)
        try:
            app = connect("latchkey_app")
            for _ in range(self.ROUNDS):
                company = rng.choice(companies)
                act_for(app, company.id)
                rows = 1
                run(app, "UPDATE latchkey.company SET name = %s WHERE company_id = %s", f"name {rng.random()}",
                    company.id)
                if rng.random() < 0.5:
                    run(app,
                        "INSERT INTO latchkey.token (token_id, company_id, kind, channels) VALUES (%s, %s, 'a', 1)",
                        new_id(), company.id)
                    rows += 1
                if rng.random() < 0.3:
                    run(app, "SELECT * FROM latchkey.change_flush()")
                if rng.random() < 0.33:
                    app.rollback()
                else:
                    app.commit()
                    committed[number] += rows
            app.close()
        except Exception as failure:  # handed to the test's own thread
            failures.append(failure)

    def test_eight_writers_with_rollbacks_leave_no_gap_and_no_reordering(self):
        lane = random.randrange(64)
        companies = [Company(lane) for _ in range(4)]
        follower = connect("latchkey_validator")
        follower.autocommit = True
        start = heads(follower)[lane]
        committed, failures = [0] * self.WRITERS, []
        writers = [threading.Thread(target=self.write, args=(number, companies, committed, failures))
                   for number in range(self.WRITERS)]
        for writer in writers:
            writer.start()

        # A follower that reads on all the while: a row that appears late, below what was read, would be a gap here.
        position, polls = start, 0
        while True:
            running = any(writer.is_alive() for writer in writers)
            positions = [None] * lane + [position] + [None] * (64 - lane)
            sequence = [seq for (seq,) in run(follower, "SELECT seq FROM latchkey.changes_since(%s::bigint[], 1000)",
                                              positions)]
            self.assertEqual(sequence, list(range(position + 1, position + 1 + len(sequence))))
            position += len(sequence)
            polls += 1
            if not running and not sequence:
                break

        self.assertEqual(failures, [])
        self.assertGreater(polls, self.WRITERS)
        self.assertEqual(position - start, sum(committed))
        self.assertEqual(heads(follower)[lane], position)
        follower.close()

    def test_transactions_over_all_lanes_do_not_deadlock(self):
        companies = [Company(lane) for lane in range(0, 64, 4)]
        failures = []

        def sweep(order):
            try:
                owner = connect()
                for _ in range(20):
                    for company in order:
                        run(owner, "INSERT INTO latchkey.role (role_id, company_id, name) VALUES (%s, %s, %s)",
                            new_id(), company.id, str(new_id()))
                    owner.commit()
                owner.close()
            except Exception as failure:
                failures.append(failure)

        sweepers = [threading.Thread(target=sweep, args=(order,)) for order in (companies, companies[::-1])]
        for sweeper in sweepers:
            sweeper.start()
        for sweeper in sweepers:
            sweeper.join()
        self.assertEqual(failures, [])


class Bulk(unittest.TestCase):
    """Four times the rows may take eight times as long; quadratic work would take sixteen. What a busy machine makes of it once
    is measured again."""

    def assert_linear(self, timed, few, many):
        for _ in range(3):
            quarter, whole = timed(few), timed(many)
            print(f"bulk: {few} in {quarter:.2f} s, {many} in {whole:.2f} s")
            if whole < 8 * quarter + 1:
                return
        self.fail(f"{many} took {whole / quarter:.1f} times as long as {few}")

    def timed(self, statement, *parameters):
        company = Company()
        app = connect("latchkey_app", company.id)
        before = heads(app)[company.lane]
        start = time.monotonic()
        run(app, statement, company.id, company.list, *parameters)
        run(app, "SELECT * FROM latchkey.change_flush()")
        app.commit()
        seconds = time.monotonic() - start
        self.assertEqual(changes(connect(), company.lane, before),
                         {before + 1: ("whitelist_entry", company.id, company.list, None)})
        return seconds

    def test_a_million_entries_in_one_statement_are_one_row_of_the_log_and_linear(self):
        statement = ("INSERT INTO latchkey.whitelist_entry (entry_id, company_id, list_id, address, cidr)"
                     " SELECT gen_random_uuid(), %s, %s, 'x/32', '10.0.0.0'::inet + number"
                     "   FROM generate_series(1, %s) AS number")
        self.assert_linear(lambda count: self.timed(statement, count), 250_000, 1_000_000)

    def test_ten_thousand_statements_in_one_transaction_are_linear(self):
        statement = ("DO $$ BEGIN FOR number IN 1..%%s LOOP"
                     " INSERT INTO latchkey.whitelist_entry (entry_id, company_id, list_id, address, cidr)"
                     " VALUES (gen_random_uuid(), '%s', '%s', 'x/32', '10.0.0.0'::inet + number);"
                     " END LOOP; END $$")

        def timed(count):
            company = Company()
            app = connect("latchkey_app", company.id)
            start = time.monotonic()
            run(app, statement % (company.id, company.list) % count)
            app.commit()
            return time.monotonic() - start

        self.assert_linear(timed, 2_500, 10_000)
