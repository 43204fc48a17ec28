"""Heads of the audit log exported to the log and to a file, and `latchkey audit` on them."""

import json
import re
import unittest

from audit_case import AuditCase
from latchkey_test import Deployment
from latchkey_test.waiting import wait_until

LINE = re.compile(r"^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{3})?Z) (cmp_[0-9a-z]{26}) (\d+) ([0-9a-f]{64})$")


class Heads(AuditCase):
    @classmethod
    def setUpClass(cls):
        cls.deployment = Deployment(audit_head_interval="1s")
        cls.file = cls.deployment._directory / "heads"  # pylint: disable=protected-access
        cls.deployment.server.settings["audit_head_file"] = str(cls.file)
        cls.deployment.__enter__()
        cls.addClassCleanup(cls.deployment.__exit__)

    def lines(self, company):
        """(number, hash) of the lines of a company; every line must be whole."""
        found = [LINE.match(line) for line in self.file.read_text().splitlines()]
        self.assertTrue(all(found))
        return [(int(line[3]), bytes.fromhex(line[4])) for line in found if line[2] == company]

    def wait_for(self, company, number):
        wait_until(lambda: (number in dict(self.lines(company))) or None, 60, f"head {number} of {company}")

    def test_each_head_that_moved_is_appended_with_the_hash_of_its_event(self):
        company = self.make_company()
        self.wait_for(company, 2)
        self.make_events(company, 3)
        self.wait_for(company, 5)
        hashes = {row["number"]: row["hash"] for row in self.rows(company)}
        for number, hash_ in self.lines(company):
            self.assertEqual(hashes[number], hash_)

    def test_a_head_that_did_not_move_is_not_repeated_for_ever(self):
        company, other = self.make_company(), self.make_company()
        self.wait_for(company, 2)
        # It comes again for as long as a transaction runs that was there when it moved, in any database of the server.
        for count in range(1, 30):
            before = len(self.lines(company))
            self.make_events(other, 1)
            self.wait_for(other, 2 + count)
            if len(self.lines(company)) == before:
                return
        self.fail(f"{company} comes again and again")

    def test_the_log_has_it_too(self):
        company = self.make_company()
        wait_until(lambda: re.search(f'audit head job=audit_heads company={company} number=2 hash=[0-9a-f]{{64}}',
                                     self.deployment.server.log()), 60, "the line of the log")

    def test_a_transaction_that_commits_late_is_not_missed(self):
        slow, fast = self.make_company(), self.make_company()
        self.wait_for(slow, 2)
        self.wait_for(fast, 2)
        connection = self.deployment.postgres.connect(self.deployment.url.split("dbname=")[1].split()[0])
        connection.autocommit = False
        try:
            with connection.cursor() as cursor:
                cursor.execute("UPDATE latchkey.audit_head SET number = 3, hash = sha256('x'), writer = pg_current_xact_id()"
                               f" WHERE company_id = '{self.rows(slow)[0]['company_id']}'")
                for number in (3, 4):  # two rounds go by
                    self.make_events(fast, 1)
                    self.wait_for(fast, number)
                connection.commit()
        finally:
            connection.close()
        self.wait_for(slow, 3)

    def test_a_server_that_starts_writes_all_heads_once(self):
        company = self.make_company()
        self.wait_for(company, 2)
        before = len(self.lines(company))
        self.deployment.server.stop()
        self.deployment.server.start()
        wait_until(lambda: len(self.lines(company)) > before, 60, "the heads of the new server")

    def test_a_file_that_can_not_be_written_is_told_and_nothing_is_lost(self):
        company = self.make_company()
        self.wait_for(company, 2)
        aside = self.file.with_name("aside")
        self.file.rename(aside)
        self.file.mkdir()
        try:
            self.make_events(company, 1)
            wait_until(lambda: "could not be kept" in self.deployment.server.log(), 60, "the failure in the log")
        finally:
            self.file.rmdir()
            aside.rename(self.file)
        self.wait_for(company, 3)

    # ---- latchkey audit ----

    def latchkey(self, *arguments, company, check=True):
        return self.deployment.latchkey("audit", *arguments, "--company", company, check=check,
                                        token=self.deployment.secrets["LATCHKEY_OPERATOR_TOKEN"])

    def test_verify_agrees_with_the_exported_heads(self):
        company = self.make_company()
        self.make_events(company, 3)
        self.wait_for(company, 5)
        done = self.latchkey("verify", "--heads", self.file, company=company)
        self.assertIn("INTACT events: 5, exported heads that agree: ", done.stdout)
        self.assertIn(f"head: 5 {self.rows(company)[-1]['hash'].hex()}", done.stdout)

    def test_verify_sees_a_chain_written_anew_by_its_exported_heads_alone(self):
        company = self.make_company()
        self.make_events(company, 1)
        self.wait_for(company, 3)
        kept = self.file.read_text()
        company_id = self.rows(company)[0]["company_id"]
        self.tamper(*(f"DELETE FROM latchkey.{table} WHERE company_id = '{company_id}' AND number > 1"
                      for table in ("audit_event", "audit_person")),
                    "UPDATE latchkey.audit_head h SET number = 1, hash = e.hash FROM latchkey.audit_event e"
                    f" WHERE h.company_id = '{company_id}' AND e.company_id = h.company_id")
        self.make_events(company, 4)
        self.assertEqual(self.latchkey("verify", company=company).returncode, 0)
        path = self.file.with_name("kept")
        path.write_text(kept + "2026-01-01T00:00:00Z cmp_")  # a crash cut the last line
        done = self.latchkey("verify", "--heads", path, company=company, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stdout, "BROKEN at event [23] aud_.*written anew")
        self.assertIn("passed over: 1", done.stderr)

    def test_verify_as_json_and_for_a_broken_chain(self):
        company = self.make_company()
        self.make_events(company, 1)
        answer = json.loads(self.latchkey("verify", "--json", company=company).stdout)
        self.assertEqual((answer["intact"], answer["events_checked"]), (True, 3))
        self.tamper("UPDATE latchkey.audit_event SET action = 'x.y'"
                    f" WHERE company_id = '{self.rows(company)[0]['company_id']}' AND number = 2")
        done = self.latchkey("verify", "--json", company=company, check=False)
        self.assertEqual((done.returncode, json.loads(done.stdout)["broken_sequence"]), (1, 2))
        self.assertEqual(self.latchkey("verify", "--from", "3", company=company).returncode, 0)

    def test_verify_of_a_file_without_the_company_is_no_success(self):
        path = self.file.with_name("empty")
        path.write_text("")
        done = self.latchkey("verify", "--heads", path, company=self.make_company(), check=False)
        self.assertEqual(done.returncode, 2)
        self.assertIn("has no head", done.stderr)

    def test_list_shows_who_did_what_to_what(self):
        company = self.make_company()
        self.make_events(company, 2)
        lines = self.latchkey("list", company=company).stdout.splitlines()
        self.assertEqual(lines[0].split(), ["NUMBER", "TIME", "ACTION", "OBJECT", "WHO", "FROM", "CHANGE"])
        self.assertEqual([line.split()[0] for line in lines[1:]], ["4", "3", "2", "1"])
        self.assertRegex(lines[1], r"token\.created +tok_\w+ +operator@latchkey.example \(operator\) +127.0.0.1 +\{.*token 1")

    def test_list_has_the_filters_and_a_limit(self):
        company = self.make_company()
        self.make_events(company, 3)
        events = json.loads(self.latchkey("list", "--json", "--action", "token.*", "--limit", "2",
                                          company=company).stdout)["events"]
        self.assertEqual([event["sequence"] for event in events], [5, 4])
        self.assertEqual(len(json.loads(self.latchkey("list", "--json", "--object", events[0]["object_id"], "--since",
                                                      "2020-01-01", company=company).stdout)["events"]), 1)
        self.assertIn("nothing matches", self.latchkey("list", "--until", "2020-01-01", company=company).stdout)


if __name__ == "__main__":
    unittest.main()
