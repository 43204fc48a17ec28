"""What was lost, by its marks: who comes with memory of it is told how that stands."""

import unittest

from database import Company, act_for, connect, heads, new_id, run, run_row, run_value
from database import prepare as setUpModule  # noqa: F401


class LostMarks(unittest.TestCase):
    """All in transactions that end with a rollback, but for the changes that make a log."""

    def setUp(self):
        self.company = Company()
        app = connect("latchkey_app")
        self.addCleanup(app.close)
        for number in range(6):
            act_for(app, self.company.id)
            run(app, "UPDATE latchkey.company SET name = %s", f"name {number}")
            app.commit()
        self.owner = connect()
        self.addCleanup(self.owner.close)
        self.lane = self.company.lane
        self.positions = heads(self.owner)
        self.marks = run_value(self.owner, "SELECT array_agg(mark ORDER BY lane) FROM latchkey.change_lane")
        self.head = self.positions[self.lane]
        self.known = {seq: mark for seq, mark in run(self.owner, "SELECT seq, mark FROM latchkey.change WHERE lane = %s"
                                                                 " ORDER BY seq DESC LIMIT 5", self.lane)}

    def lose(self, count):
        """The newest changes of the lane, as a restore does."""
        run(self.owner, "DELETE FROM latchkey.change WHERE lane = %s AND seq > %s", self.lane, self.head - count)
        run(self.owner, "UPDATE latchkey.change_lane l SET head = c.seq, mark = c.mark FROM latchkey.change c"
                        " WHERE l.lane = %s AND c.lane = l.lane AND c.seq = %s", self.lane, self.head - count)

    def at(self, seq):
        """The positions of a memory that has applied as much, with their marks."""
        positions, marks = list(self.positions), list(self.marks)
        positions[self.lane], marks[self.lane] = seq, self.known[seq]
        return positions, marks

    def call(self, function, report, seq):
        return run_row(self.owner, f"SELECT * FROM latchkey.{function}(%s, 'one', %s::bigint[], %s::bigint[])",
                       report, *self.at(seq))

    def keep(self, report, seq):
        return self.call("loss_report_keep", report, seq)

    def check(self, report, seq):
        return self.call("loss_report_check", report, seq)

    def know(self, report, seqs):
        run(self.owner, "SELECT latchkey.loss_report_know(%s, %s::bigint[], %s::bigint[], %s::bigint[])", report,
            [self.lane] * len(seqs), seqs, [self.known[seq] for seq in seqs])

    def report(self, seq, known, is_settled=True, failure=""):
        report = new_id()
        self.keep(report, seq)
        self.know(report, known)
        run(self.owner, "SELECT latchkey.loss_report_end(%s, %s)", report, failure)
        if is_settled:
            run(self.owner, "UPDATE latchkey.loss_report SET settled_at = now() WHERE report_id = %s", report)
        return report

    def newest(self, count):
        return list(range(self.head, self.head - count, -1))

    def is_open(self):
        return run_value(self.owner, "SELECT count(*) FROM latchkey.loss_report WHERE settled_at IS NULL") > 0

    # ---- memory that ends within what was lost ----

    def test_who_knew_some_of_what_was_settled_is_told_so_and_reports_nothing(self):
        self.lose(3)
        self.report(self.head, self.newest(5))
        for function in ("loss_report_keep", "loss_report_check"):
            row = self.call(function, new_id(), self.head - 1)
            self.assertTrue(row["settled"])
            self.assertEqual(row["lost"], [self.lane])
            self.assertEqual((row["back_to"][self.lane], row["back_marks"][self.lane]),
                             (self.head - 3, self.known[self.head - 3]))
        self.assertFalse(self.is_open())

    def test_who_knew_more_than_was_settled_reports_it(self):
        self.lose(3)
        self.report(self.head - 1, self.newest(5)[1:])
        row = self.keep(new_id(), self.head)
        self.assertFalse(row["settled"])
        self.assertTrue(self.is_open())

    def test_a_change_of_another_mark_at_the_same_place_is_not_settled(self):
        self.lose(3)
        self.report(self.head, self.newest(5))
        self.known[self.head - 1] ^= 1
        self.assertFalse(self.keep(new_id(), self.head - 1)["settled"])

    def test_more_that_was_lost_later_is_not_settled(self):
        self.lose(2)
        self.report(self.head, self.newest(5))
        self.lose(4)
        self.assertFalse(self.keep(new_id(), self.head)["settled"])
        self.assertTrue(self.is_open())

    def test_its_own_report_is_taken_up_again_where_more_was_lost_since_it_was_settled(self):
        self.lose(1)
        report = self.report(self.head, self.newest(5))
        self.assertTrue(self.keep(report, self.head)["settled"])
        self.marks[(self.lane + 1) % 64] += 1
        row = self.keep(report, self.head)
        self.assertFalse(row["settled"])
        self.assertTrue(self.is_open())

    def test_without_what_came_before_nobody_else_is_told_that_it_is_settled(self):
        self.lose(3)
        report = self.report(self.head, [])
        self.assertTrue(self.keep(report, self.head)["settled"])
        self.assertFalse(self.keep(new_id(), self.head)["settled"])

    def test_who_can_compare_all_reports_what_was_settled_without_a_whole_comparison(self):
        self.lose(3)
        self.report(self.head, self.newest(5), failure="partly")
        self.assertTrue(self.check(new_id(), self.head)["settled"])  # it would tell the same part
        self.assertFalse(self.is_open())
        self.assertFalse(self.keep(new_id(), self.head)["settled"])
        self.assertTrue(self.is_open())

    def test_a_settled_report_takes_nothing_more(self):
        self.lose(3)
        report = self.report(self.head, [])
        self.know(report, self.newest(5))
        self.claim(report, ("company.suspended", self.company.id, "infinity"))
        self.assertEqual(run(self.owner, "SELECT seq FROM latchkey.lost_mark WHERE report_id = %s", report), [(self.head,)])
        self.assertEqual(self.changes(report), [])

    # ---- one that is fed ----

    def test_positions_that_are_there_are_kept_and_nothing_is_reported(self):
        row = self.check(new_id(), self.head - 2)
        self.assertEqual((row["compared"], row["settled"], row["lost"]), (False, False, []))
        self.assertFalse(self.is_open())

    def test_a_loss_is_reported_by_asking(self):
        self.lose(2)
        report = new_id()
        row = self.check(report, self.head)
        self.assertEqual((row["compared"], row["settled"], row["lost"]), (False, False, [self.lane]))
        self.assertTrue(self.is_open())
        run(self.owner, "SELECT latchkey.loss_report_end(%s, 'partly')", report)
        self.assertTrue(self.check(report, self.head)["compared"])

    def test_what_others_have_reported_is_not_reported_again(self):
        self.lose(3)
        self.report(self.head, self.newest(5), is_settled=False)
        row = self.check(new_id(), self.head - 1)
        self.assertEqual((row["compared"], row["settled"], row["lost"]), (True, False, [self.lane]))
        self.assertEqual(run_value(self.owner, "SELECT count(*) FROM latchkey.loss_report WHERE settled_at IS NULL"), 1)

    def test_a_loss_that_was_none_is_withdrawn_by_asking_again(self):
        self.lose(2)
        report = new_id()
        self.check(report, self.head)
        run(self.owner, "UPDATE latchkey.change_lane SET head = %s, mark = %s WHERE lane = %s",
            self.head, self.known[self.head], self.lane)
        self.assertEqual(self.check(report, self.head)["lost"], [])
        self.assertFalse(self.is_open())

    # ---- claims ----

    def claim(self, report, *claims):
        whats, objects, ends = zip(*claims)
        run(self.owner, "SELECT latchkey.loss_report_claim(%s, %s, %s::uuid[], %s::uuid[], %s::timestamptz[])", report,
            list(whats), [str(self.company.id)] * len(claims), [str(each) for each in objects], list(ends))

    def token(self):
        token, _ = self.company.add_token(self.owner)
        return token

    def changes(self, report):
        return run(self.owner, "SELECT what, object_id, until::text FROM latchkey.lost_change WHERE report_id = %s"
                               " ORDER BY what, object_id", report)

    def test_of_what_is_claimed_only_what_the_database_has_otherwise_is_lost(self):
        self.lose(1)
        report = new_id()
        self.check(report, self.head)
        ended, alive = self.token(), self.token()
        run(self.owner, "UPDATE latchkey.token SET deactivated_at = now(), deactivate_reason = 5 WHERE token_id = %s", ended)
        self.claim(report, *((what, token, "2020-01-01Z") for token in (ended, alive, new_id())
                             for what in ("token.deactivated", "token.suspended", "token.expiry_shortened", "token.teleported")),
                   ("member.removed", self.company.administrator, "infinity"), ("company.suspended", self.company.id, "infinity"))
        self.assertEqual({(what, str(about)) for what, about, _ in self.changes(report)},
                         {(what, str(alive)) for what in ("token.deactivated", "token.suspended", "token.expiry_shortened")}
                         | {("member.removed", str(self.company.administrator)), ("company.suspended", str(self.company.id))})
