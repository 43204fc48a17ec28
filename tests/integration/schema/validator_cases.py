"""Leases of validators, pruning, and accepted histories."""

import unittest

import psycopg2

from database import LANES, Company, act_for, connect, heads, new_id, run, run_row, run_value
from database import prepare as setUpModule  # noqa: F401


class Lease(unittest.TestCase):
    def setUp(self):
        self.validator = connect("latchkey_validator")
        self.validator.autocommit = True
        self.app = connect("latchkey_app")
        self.app.autocommit = True
        self.instance = new_id()
        self.register(heads(self.validator))
        self.addCleanup(self.validator.close)
        self.addCleanup(self.app.close)
        self.addCleanup(lambda: run(self.validator, "SELECT latchkey.validator_deregister(%s)", self.instance))

    def register(self, positions):
        run(self.validator, "SELECT latchkey.validator_register(%s, 'one', '192.0.2.1:7078', 30000, %s)",
            self.instance, positions)

    def renew(self, positions, instance=None):
        return run_row(self.validator, "SELECT * FROM latchkey.validator_renew(%s, %s::bigint[])",
                       instance or self.instance, positions)

    def renewal(self):
        return run_value(self.app, "SELECT renewal FROM latchkey.validator WHERE instance = %s", self.instance)

    def test_a_renewal_at_the_head_tells_heads_marks_and_time(self):
        positions = heads(self.validator)
        row = self.renew(positions)
        self.assertTrue(row["registered"])
        self.assertEqual(row["heads"], positions)
        self.assertEqual(row["position_marks"], row["head_marks"])
        self.assertEqual(len(row["floors"]), LANES)
        self.assertLess(abs(run_value(self.app, "SELECT extract(epoch FROM clock_timestamp() - %s)",
                                      row["database_now"])), 5)

    def test_the_marks_at_older_positions_are_those_of_the_log(self):
        company = Company()
        positions = heads(self.validator)
        positions[company.lane] -= 1
        marks = self.renew(positions)["position_marks"]
        self.assertEqual(marks[company.lane],
                         run_value(self.validator, "SELECT mark FROM latchkey.change WHERE lane = %s AND seq = %s",
                                   company.lane, positions[company.lane]))

    def test_a_position_above_the_head_has_no_mark(self):
        positions = heads(self.validator)
        positions[3] += 1
        self.assertIsNone(self.renew(positions)["position_marks"][3])

    def test_the_origin_of_a_lane_has_a_mark(self):
        self.assertIsNotNone(self.renew([0] * LANES)["position_marks"][64])

    def test_each_renewal_differs_from_the_one_before(self):
        seen = {self.renewal()}
        for _ in range(5):
            self.renew(heads(self.validator))
            seen.add(self.renewal())
        self.assertEqual(len(seen), 6)

    def test_a_renewal_without_a_row_says_so_and_makes_none(self):
        stranger = new_id()
        self.assertFalse(self.renew(heads(self.validator), stranger)["registered"])
        self.assertEqual(run(self.app, "SELECT 1 FROM latchkey.validator WHERE instance = %s", stranger), [])

    def test_a_waiter_takes_away_only_the_lease_that_it_watched(self):
        watched = self.renewal()
        self.renew(heads(self.validator))
        self.assertFalse(run_value(self.app, "SELECT latchkey.validator_expire(%s, %s)", self.instance, watched))
        self.assertTrue(run_value(self.app, "SELECT latchkey.validator_expire(%s, %s)", self.instance,
                                  self.renewal()))
        self.assertFalse(self.renew(heads(self.validator))["registered"])

    def test_taking_away_what_is_gone_is_fine(self):
        self.assertTrue(run_value(self.app, "SELECT latchkey.validator_expire(%s, 1)", new_id()))

    def test_a_renewal_is_durable_although_the_session_asked_for_less(self):
        self.validator.autocommit = False
        run(self.validator, "SET LOCAL synchronous_commit = off")
        self.renew(heads(self.validator))
        self.assertEqual(run_value(self.validator, "SHOW synchronous_commit"), "on")
        self.validator.rollback()
        self.validator.autocommit = True

    def test_changes_since_reads_the_wanted_lanes_in_order_and_in_portions(self):
        first, second = Company(lane=7), Company(lane=9)
        owner_heads = heads(self.validator)
        positions = [None] * LANES
        positions[first.lane], positions[second.lane] = owner_heads[first.lane] - 4, owner_heads[second.lane] - 4
        rows = run(self.validator, "SELECT lane, seq FROM latchkey.changes_since(%s::bigint[], 3)", positions)
        wanted = [(company.lane, positions[company.lane] + n) for company in (first, second) for n in (1, 2, 3)]
        self.assertEqual(rows, wanted)

    def test_the_present_timeline_is_accepted_from_the_start(self):
        for connection in (self.validator, self.app):
            self.assertTrue(run_value(connection, "SELECT latchkey.timeline_is_accepted()"))

    def test_a_new_timeline_waits_until_it_is_accepted(self):
        owner = connect()
        run(owner, "UPDATE latchkey.accepted_timeline SET timeline = timeline + 1000000")
        self.assertFalse(run_value(owner, "SELECT latchkey.timeline_is_accepted()"))
        self.assertEqual(run_value(owner, "SELECT latchkey.timeline_accept('test')"),
                         run_value(owner, "SELECT latchkey.timeline_current()"))
        self.assertTrue(run_value(owner, "SELECT latchkey.timeline_is_accepted()"))
        owner.rollback()
        owner.close()

    def test_a_timeline_may_be_accepted_lane_by_lane(self):
        owner = connect()
        run(owner, "DELETE FROM latchkey.accepted_timeline")

        def accepted(*sets):
            return [run_value(owner, "SELECT latchkey.timeline_is_accepted(%s::bigint)", lanes) for lanes in sets]

        run(owner, "SELECT latchkey.timeline_accept('lower', 4294967295)")
        self.assertEqual(accepted(4294967295, 1, 0, -4294967296, -1), [True, True, True, False, False])
        self.assertFalse(run_value(owner, "SELECT latchkey.timeline_is_accepted()"))
        run(owner, "SELECT latchkey.timeline_accept('upper', -4294967296)")
        self.assertEqual(accepted(4294967295, -4294967296, -1), [True, True, True])
        self.assertTrue(run_value(owner, "SELECT latchkey.timeline_is_accepted()"))
        self.assertEqual(run(owner, "SELECT accepted_by, lanes FROM latchkey.accepted_timeline"), [("lower", -1)])
        owner.rollback()
        owner.close()


class Losses(unittest.TestCase):
    """Reports of changes that the database lacks; they stop every validator, so none may stay."""

    def setUp(self):
        self.validator, self.app, self.owner = connect("latchkey_validator"), connect("latchkey_app"), connect()
        for connection in (self.validator, self.app, self.owner):
            self.addCleanup(connection.close)
        self.report = new_id()
        self.heads = heads(self.validator)
        self.marks = run_value(self.validator, "SELECT array_agg(mark ORDER BY lane) FROM latchkey.change_lane")

    def keep(self, positions, marks=None):
        return run_row(self.validator, "SELECT compared, settled FROM latchkey.loss_report_keep(%s, 'one', %s::bigint[], %s::bigint[])",
                       self.report, positions, marks or self.marks)

    def is_reported(self):
        return run_row(self.validator, "SELECT * FROM latchkey.validator_renew(%s, %s::bigint[])", new_id(),
                       self.heads)["loss_reported"]

    def lanes(self):
        return run_value(self.owner, "SELECT lanes FROM latchkey.loss_report WHERE report_id = %s", self.report)

    def commit(self):
        """So that the owner sees the report, who takes it away again."""
        self.validator.commit()
        self.addCleanup(self.owner.commit)
        self.addCleanup(run, self.owner, "DELETE FROM latchkey.loss_report WHERE report_id = %s", self.report)

    def test_a_report_is_told_to_every_validator_until_it_is_withdrawn(self):
        self.assertFalse(self.is_reported())
        self.keep(self.heads)
        self.assertTrue(self.is_reported())
        run(self.validator, "SELECT latchkey.loss_report_withdraw(%s)", self.report)
        self.assertFalse(self.is_reported())

    def test_a_report_is_made_once_and_tells_how_it_stands(self):
        self.assertEqual(dict(self.keep(self.heads)), {"compared": False, "settled": False})
        run(self.validator, "SELECT latchkey.loss_report_end(%s, '')", self.report)
        self.assertEqual(dict(self.keep([0] * LANES)), {"compared": True, "settled": False})

    def test_the_lanes_are_those_whose_position_is_not_of_this_history(self):
        positions, marks = list(self.heads), list(self.marks)
        positions[3] += 1
        marks[7] += 1
        self.keep(positions, marks)
        self.commit()
        self.assertEqual(self.lanes(), [3, 7])

    def test_a_settled_report_is_settled_for_good(self):
        self.keep(self.heads)
        self.commit()
        run(self.owner, "UPDATE latchkey.loss_report SET settled_at = now() WHERE report_id = %s", self.report)
        self.owner.commit()
        self.assertFalse(self.is_reported())
        run(self.validator, "SELECT latchkey.loss_report_withdraw(%s)", self.report)
        self.assertTrue(self.keep(self.heads)["settled"])

    def test_what_was_lost_is_told_as_often_as_one_likes_and_stands_once(self):
        self.keep(self.heads)
        add = ("SELECT latchkey.loss_report_add(%s, ARRAY['token.suspended', 'member.removed'], ARRAY[%s, %s]::uuid[],"
               " ARRAY[%s, %s]::uuid[], ARRAY['infinity', '2031-01-01Z']::timestamptz[])")
        values = [self.report, *(new_id() for _ in range(4))]
        run(self.validator, add, *values)
        run(self.validator, add, *values)
        self.commit()
        self.assertEqual(run(self.owner, "SELECT what, until IS NULL FROM latchkey.lost_change WHERE report_id = %s"
                                         " ORDER BY what", self.report),
                         [("member.removed", False), ("token.suspended", True)])

    def test_nobody_but_a_validator_may_report(self):
        for call in ("loss_report_keep(%s, '', '{}', '{}')", "loss_report_add(%s, '{}', '{}', '{}', '{}')",
                     "loss_report_end(%s, '')", "loss_report_withdraw(%s)", "loss_report_check(%s, '', '{}', '{}')",
                     "loss_report_know(%s, '{}', '{}', '{}')", "loss_report_claim(%s, '{}', '{}', '{}', '{}')"):
            with self.subTest(call), self.assertRaises(psycopg2.errors.InsufficientPrivilege):
                run(self.app, f"SELECT latchkey.{call}", self.report)
            self.app.rollback()
        for connection in (self.app, self.validator):
            for table in ("loss_report", "lost_change", "lost_mark"):
                with self.assertRaises(psycopg2.errors.InsufficientPrivilege):
                    run(connection, f"SELECT 1 FROM latchkey.{table}")
                connection.rollback()


class Pruning(unittest.TestCase):
    """In a transaction that ends with a rollback: the log is aged, leases are moved, nothing stays."""

    def setUp(self):
        self.company = Company()
        app = connect("latchkey_app")
        for number in range(20):
            act_for(app, self.company.id)
            run(app, "UPDATE latchkey.company SET name = %s", f"name {number}")
            app.commit()
        app.close()
        self.owner = connect()
        self.addCleanup(self.owner.close)
        run(self.owner, "DELETE FROM latchkey.validator")
        run(self.owner, "UPDATE latchkey.change SET at = at - interval '61 minutes'")
        self.head = heads(self.owner)[self.company.lane]

    def prune(self):
        while run_value(self.owner, "SELECT latchkey.change_prune(650)"):
            pass
        return run_value(self.owner, "SELECT min(seq) FROM latchkey.change WHERE lane = %s", self.company.lane)

    def register(self, position, ago="0 s"):
        positions = heads(self.owner)
        positions[self.company.lane] = position
        run(self.owner, "SELECT latchkey.validator_register(%s, 'v', '', 30000, %s::bigint[])", new_id(), positions)
        run(self.owner, "UPDATE latchkey.validator SET renewed_at = clock_timestamp() - %s::interval"
                        " WHERE positions[%s] IS NOT DISTINCT FROM %s", ago, self.company.lane + 1, position)

    def test_without_validators_the_head_stays(self):
        self.assertEqual(self.prune(), self.head)

    def test_a_live_validators_own_position_stays(self):
        self.register(self.head - 2)
        self.register(self.head - 7)
        self.assertEqual(self.prune(), self.head - 7)

    def test_a_validator_that_does_not_hold_the_lane_keeps_nothing_there(self):
        self.register(None)
        self.assertEqual(self.prune(), self.head)

    def test_a_lease_that_long_ran_out_keeps_nothing(self):
        self.register(self.head - 7, ago="1 hour")
        self.assertEqual(self.prune(), self.head)

    def test_rows_younger_than_an_hour_stay(self):
        run(self.owner,
            "UPDATE latchkey.change SET at = clock_timestamp() - interval '59 minutes' WHERE lane = %s AND seq > %s",
            self.company.lane, self.head - 5)
        self.assertEqual(self.prune(), self.head - 4)

    def test_a_follower_below_the_floor_can_tell(self):
        self.prune()
        instance = new_id()
        row = run_row(self.owner, "SELECT * FROM latchkey.validator_renew(%s, %s)", instance, [0] * LANES)
        self.assertEqual(row["floors"][self.company.lane], self.head)
        self.assertIsNone(row["position_marks"][self.company.lane])
