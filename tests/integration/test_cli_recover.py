"""`latchkey recover` on reports of losses made by hand: what it shows, does again, leaves to people, and records."""

import json
import unittest
import uuid
from concurrent.futures import ThreadPoolExecutor

from cli_case import CommandCase
from latchkey_test import uuid_of_id
from latchkey_test.waiting import wait_until

NOBODY = "00000000-0000-0000-0000-000000000000"


class Recover(CommandCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        (cls.company,), = cls.deployment.execute("SELECT company_id::text FROM latchkey.company WHERE is_demo")

    def environment(self):
        return {**super().environment(), "LATCHKEY_DATABASE_URL": self.deployment.url}

    def tearDown(self):
        self.run_command("recover", "--accept-loss", "--yes")

    def query(self, statement):
        return self.deployment.execute(statement)

    def report(self, *changes, is_compared=True, failure="", validator="one"):
        """Of a validator that knows one change more in each lane; `changes` are (what, object's id or UUID, until)."""
        report = uuid.uuid4()
        self.query(f"SELECT latchkey.loss_report_keep('{report}', '{validator}', array_agg(head + 1 ORDER BY lane),"
                   " array_agg(mark ORDER BY lane)) FROM latchkey.change_lane")
        for what, object_id, until in changes:
            object_id = uuid_of_id(object_id) if "_" in object_id else object_id
            company = NOBODY if object_id == NOBODY else self.company
            self.query(f"SELECT latchkey.loss_report_add('{report}', ARRAY['{what}'], ARRAY['{company}']::uuid[],"
                       f" ARRAY['{object_id}']::uuid[], ARRAY[{until}]::timestamptz[])")
        if is_compared or failure:
            self.query(f"SELECT latchkey.loss_report_end('{report}', '{failure}')")
        return report

    def new_token(self):
        return self.make_token()["access_token"]["token_id"]

    def new_member(self):
        return self.run_json("member", "create", f"{uuid.uuid4().hex}@example.com")["member"]["member_id"]

    def token_row(self, token_id, columns):
        return self.query(f"SELECT {columns} FROM latchkey.token t JOIN latchkey.token_secret s USING (token_id)"
                          f" WHERE t.token_id = '{uuid_of_id(token_id)}'")[0]

    def redo(self, *changes):
        """They are all that was lost, and all that is done again settles it."""
        self.report(*changes)
        self.assertEqual([change["remedy"] for change in self.run_json("recover", code=1)["changes"]], ["redo"] * len(changes))
        done = self.run_json("recover", "--redo", "--yes")
        self.assertEqual((done["reports"], done["changes"]), ([], []))
        return done["redone"]

    def actions(self, object_id):
        return [event["action"] for event in self.run_json("audit", "list", "--object", object_id)["events"]]

    # ---- what it shows ----

    def test_without_a_loss_there_is_nothing_to_do(self):
        self.assertIn("nothing is missing", self.run_well("recover"))
        self.assertEqual(self.run_json("recover")["reports"], [])
        self.assertIn("nothing is missing", self.run_well("recover", "--redo", "--yes"))

    def test_a_loss_is_shown_to_people_and_nothing_is_changed(self):
        token, other = self.new_token(), self.new_token()
        self.report(("token.deactivated", token, "NULL"), ("token.created", str(uuid.uuid4()), "NULL"),
                    ("token.expiry_shortened", other, "'2031-01-02 03:04Z'"), validator="gate-7")
        self.report(("token.deactivated", token, "NULL"), validator="gate-8")  # the same once more
        self.report(is_compared=False, validator="gate-9")
        said = self.run_well("recover", code=1)
        for pattern in ("gate-7 .*yes", "gate-9 .*not yet", "KNOWN UP TO", f"token.deactivated .*{token} .*redo",
                        f"token.expiry_shortened .*{other} +2031-01-02 03:04 UTC +redo", "token.created .*missing",
                        "2 ended somebody's access", "0 differ", "1 were made and are gone"):
            self.assertRegex(said, pattern)
        self.assertIsNone(self.token_row(token, "t.deactivated_at")[0])

    def test_the_lanes_say_how_far_validators_knew_and_the_database_was(self):
        self.report()
        lanes = self.run_json("recover", code=1)["lanes"]
        self.assertEqual(len(lanes), 65)
        self.assertTrue(all(lane["known"] == lane["head"] + 1 for lane in lanes))

    # ---- what it does again ----

    def test_a_token_is_deactivated_again(self):
        token = self.new_token()
        self.assertEqual(self.redo(("token.deactivated", token, "NULL")), 1)
        at, note = self.token_row(token, "t.deactivated_at, t.deactivate_note")
        self.assertIsNotNone(at)
        self.assertEqual(note, "done again by latchkey recover")
        self.assertEqual(self.actions(token)[0], "token.deactivated")

    def test_a_token_is_suspended_again_for_as_long_as_it_was(self):
        until, forever = self.new_token(), self.new_token()
        self.report(("token.suspended", forever, "'2031-01-01Z'"))  # what another knew of it is the older
        self.assertEqual(self.redo(("token.suspended", until, "'2031-01-01Z'"), ("token.suspended", forever, "NULL")), 2)
        self.assertEqual(self.token_row(until, "t.suspended, t.suspended_until = '2031-01-01Z'"), (True, True))
        self.assertEqual(self.token_row(forever, "t.suspended, t.suspended_until"), (True, None))

    def test_a_suspension_that_lasts_longer_by_now_is_left_alone(self):
        forever, longer, shorter = self.new_token(), self.new_token(), self.new_token()
        self.report(*((("token.suspended", token, "'2031-01-01Z'")) for token in (forever, longer, shorter)))
        for token, until in ((forever, "NULL"), (longer, "'2032-01-01Z'"), (shorter, "'2030-01-01Z'")):
            self.query(f"UPDATE latchkey.token SET suspended = true, suspended_until = {until}"
                       f" WHERE token_id = '{uuid_of_id(token)}'")
        self.assertEqual(self.run_json("recover", "--redo", "--yes")["redone"], 1)
        self.assertEqual(self.token_row(forever, "t.suspended, t.suspended_until"), (True, None))
        self.assertTrue(self.token_row(longer, "t.suspended_until = '2032-01-01Z'")[0])
        self.assertTrue(self.token_row(shorter, "t.suspended_until = '2031-01-01Z'")[0])

    def test_a_shorter_expiry_is_set_again_and_a_longer_one_is_not(self):
        token, late = self.new_token(), self.new_token()
        self.query(f"UPDATE latchkey.token SET not_before = '2030-01-01Z' WHERE token_id = '{uuid_of_id(late)}'")
        self.assertEqual(self.redo(("token.expiry_shortened", token, "'2031-01-01Z'"),
                                   ("token.expiry_shortened", late, "'2029-01-01Z'")), 2)
        self.assertTrue(self.token_row(token, "t.expires_at = '2031-01-01Z'")[0])
        self.assertTrue(self.token_row(late, "t.expires_at < '2030-01-01 00:00:01Z'")[0])
        self.assertEqual(self.redo(("token.expiry_shortened", token, "'2032-01-01Z'")), 0)
        self.assertTrue(self.token_row(token, "t.expires_at = '2031-01-01Z'")[0])

    def test_the_secrets_of_a_token_that_was_rotated_end(self):
        token = self.new_token()
        self.assertEqual(self.redo(("token.rotated", token, "NULL")), 1)
        self.assertEqual(self.token_row(token, "s.expires_at = '-infinity', s.rotated_at IS NOT NULL, t.deactivated_at"),
                         (True, True, None))

    def test_a_member_is_removed_again(self):
        member = self.new_member()
        self.assertEqual(self.redo(("member.removed", member, "NULL")), 1)
        self.assertEqual(self.query("SELECT removed_at IS NOT NULL FROM latchkey.member"
                                    f" WHERE member_id = '{uuid_of_id(member)}'"), [(True,)])

    def test_a_company_is_suspended_again(self):
        of_company = f"latchkey.company WHERE company_id = '{self.company}'"
        self.addCleanup(self.query, "UPDATE " + of_company.replace("WHERE", "SET suspended = false WHERE"))
        self.assertEqual(self.redo(("company.suspended", self.company, "NULL")), 1)
        self.assertEqual(self.query(f"SELECT suspended FROM {of_company}"), [(True,)])

    def test_what_has_been_put_right_meanwhile_is_done(self):
        token = self.new_token()
        self.report(("token.deactivated", token, "NULL"))
        self.run_well("token", "deactivate", token, "--yes")
        self.assertEqual(self.run_json("recover", "--redo", "--yes")["redone"], 0)

    # ---- what stays open ----

    def test_what_a_validator_of_another_release_tells_is_for_people(self):
        self.report(("token.teleported", NOBODY, "NULL"))
        left = self.run_json("recover", "--redo", "--yes", code=1)
        self.assertEqual([(change["what"], change["remedy"]) for change in left["changes"]], [("token.teleported", "judge")])
        self.run_well("recover", "--accept-loss", "--yes")

    def test_while_a_validator_compares_nothing_is_done_again(self):
        token = self.new_token()
        self.report(("token.deactivated", token, "NULL"), is_compared=False, validator="gate-7")
        self.assert_fails(5, "gate-7 is still comparing", "recover", "--redo", "--yes")
        self.assertIsNone(self.token_row(token, "t.deactivated_at")[0])

    def test_a_report_that_comes_in_meanwhile_stays_open_with_all_that_it_tells(self):
        token, other = self.new_token(), self.new_token()
        self.report(("token.deactivated", token, "NULL"))
        holder = self.deployment.connect()
        self.addCleanup(holder.close)
        holder.autocommit = False
        holder.cursor().execute(f"SELECT 1 FROM latchkey.token WHERE token_id = '{uuid_of_id(token)}' FOR UPDATE")
        with ThreadPoolExecutor(1) as threads:
            running = threads.submit(self.run_command, "recover", "--redo", "--yes", "--json")
            wait_until(lambda: self.query("SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
                                          " AND application_name = 'latchkey command line'"), 30, "recover to wait")
            self.report(("token.deactivated", other, "NULL"))
            holder.rollback()
            done = running.result()
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertEqual([uuid_of_id(change["object_id"]) for change in json.loads(done.stdout)["changes"]], [uuid_of_id(other)])
        self.assertEqual(self.run_json("recover", "--redo", "--yes")["redone"], 1)
        self.assertIsNotNone(self.token_row(other, "t.deactivated_at")[0])

    def test_a_report_that_may_lack_something_has_to_be_accepted(self):
        self.report(failure="no memory")
        self.assertIn("no memory", self.run_well("recover", "--redo", "--yes", code=1))
        self.run_well("recover", "--accept-loss", "--yes")

    def test_what_is_lost_is_done_again_and_the_rest_accepted_in_one_run(self):
        token, updated = self.new_token(), self.new_token()
        report = self.report(("token.deactivated", token, "NULL"), ("token.updated", updated, "NULL"))
        self.assertEqual(self.run_json("recover", "--redo", "--accept-loss", "--yes", "--note", "why")["redone"], 1)
        self.assertIsNotNone(self.token_row(token, "t.deactivated_at")[0])
        settled, = self.query(f"SELECT settled_by <> '' FROM latchkey.loss_report WHERE report_id = '{report}'")
        self.assertEqual(settled, (True,))
        event = self.run_json("audit", "list", "--operator", "--action", "history.loss_accepted", "--limit", "1")["events"][0]
        after = json.loads(event["after"])
        self.assertEqual((after["redone"], after["left"], after["reports"], after["note"]), (1, 1, 1, "why"))
        self.assertTrue(after["by"])

    def test_who_accepts_is_told_whose_memory_nobody_has_compared(self):
        self.report(is_compared=False, validator="gate-7")
        self.report(validator="gate-8")
        self.report(failure="partly", validator="gate-9")
        said, code, _ = self.answer_on_a_terminal(["recover", "--accept-loss"], b"n\n")
        self.assertIn("gate-7, gate-9 may know, of which not all was compared", said)
        self.assertNotIn("gate-8", said.split("accept what")[1].split("?")[0])
        self.assertEqual(code, 1)
        self.assertEqual(len(self.run_json("recover", code=1)["reports"]), 3)

    def test_nobody_is_asked_where_nobody_is_there(self):
        self.report()
        self.assert_fails(2, "say --yes", "recover", "--accept-loss")
        self.assertEqual(len(self.run_json("recover", code=1)["reports"]), 1)

    def test_a_timeline_that_nobody_has_accepted_waits_for_the_operator(self):
        self.query("UPDATE latchkey.accepted_timeline SET timeline = timeline + 1000")
        self.assertIn("recover --accept-loss", self.run_well("recover", code=1))
        self.run_well("recover", "--redo", "--yes", code=1)
        self.run_well("recover", "--accept-loss", "--yes")
        self.assertEqual(self.query("SELECT accepted_by LIKE 'latchkey recover by %' FROM latchkey.accepted_timeline"
                                    " WHERE timeline = latchkey.timeline_current()"), [(True,)])


if __name__ == "__main__":
    unittest.main()
