"""`latchkey doctor`: it says of a deployment what is amiss, and nothing of one that is well. The faults are real ones."""

import json
import tempfile
import unittest
from pathlib import Path

from psycopg2.extensions import parse_dsn

from latchkey_test import Deployment, PrivatePostgres, StandbyPostgres, free_port, run_latchkey
from latchkey_test.authority import Authority
from latchkey_test.mail import PASSWORD, MailServer
from latchkey_test.waiting import wait_until


def examine(*arguments, **environment):
    """(exit code, {thing: [(verdict, text, advice)]})."""
    done = run_latchkey("doctor", "--json", *arguments, **environment)
    findings = {}
    for finding in json.loads(done.stdout)["findings"]:
        findings.setdefault(finding["thing"], []).append((finding["verdict"], finding["text"], finding["advice"]))
    return done.returncode, findings


class Doctor(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        # The tests' other databases keep nothing through a crash, which is what a doctor is for.
        cls.postgres = cls.enterClassContext(PrivatePostgres(fsync="on", full_page_writes="on"))
        cls.deployment = cls.enterClassContext(Deployment(cls.postgres))

    def examine(self, *arguments, **environment):
        return examine(*arguments, LATCHKEY_DATABASE_URL=self.deployment.url, **environment)

    def verdict(self, findings, thing):
        self.assertIn(thing, findings)
        return findings[thing][0][0]

    def with_setting(self, name, value):
        self.postgres.execute(f"ALTER SYSTEM SET {name} = {value}")
        self.addCleanup(self.postgres.execute, "SELECT pg_reload_conf()")
        self.addCleanup(self.postgres.execute, f"ALTER SYSTEM RESET {name}")
        self.postgres.execute("SELECT pg_reload_conf()")

    def execute(self, statement):
        return self.postgres.execute(statement, parse_dsn(self.deployment.url)["dbname"])

    def test_of_a_deployment_that_is_well_it_says_so(self):
        done = self.deployment.latchkey("doctor")
        self.assertEqual(done.returncode, 0)
        self.assertTrue(done.stdout.endswith(" ok, 0 warn, 0 fail\n"), done.stdout)
        for thing in ("schema", "durability", "lanes", "history", "validator", "clock", "whitelist"):
            self.assertRegex(done.stdout, rf"(?m)^ok     {thing} ")

    def test_a_database_that_is_away_is_a_failure_and_the_rest_is_looked_at(self):
        code, findings = examine(LATCHKEY_DATABASE_URL=f"postgresql://127.0.0.1:{free_port()}/latchkey")
        self.assertEqual((code, self.verdict(findings, "database")), (1, "fail"))
        self.assertIn("nothing listens there", findings["database"][0][1])
        self.assertEqual(self.verdict(findings, "certificate"), "ok")

    def test_a_database_without_our_schema_is_a_failure(self):
        code, findings = examine(LATCHKEY_DATABASE_URL=self.postgres.create_database())
        self.assertEqual((code, self.verdict(findings, "schema")), (1, "fail"))
        self.assertIn("latchkey migrate", findings["schema"][0][1])

    def test_commits_that_a_crash_undoes_are_a_failure(self):
        self.with_setting("synchronous_commit", "off")
        code, findings = self.examine()
        self.assertEqual((code, self.verdict(findings, "durability")), (1, "fail"))
        self.assertIn("synchronous_commit = on", findings["durability"][0][2])

    def test_a_standby_that_nobody_waits_for_is_a_warning(self):
        with StandbyPostgres(self.postgres):
            wait_until(lambda: self.postgres.execute("SELECT 1 FROM pg_stat_replication"), 60, "the standby to follow")
            self.assertEqual(self.verdict(self.examine()[1], "durability"), "warn")

    def test_pools_that_are_larger_than_the_database_are_told(self):
        self.assertEqual(self.verdict(self.examine(LATCHKEY_DATABASE_POOL_SIZE="60")[1], "connections"), "warn")
        self.assertEqual(self.verdict(self.examine(LATCHKEY_DATABASE_POOL_SIZE="900")[1], "connections"), "fail")

    def test_a_validator_that_was_killed_is_told_when_its_lease_is_over(self):
        with self.deployment.beside("latchkey-validator", max_staleness="1s") as validator:
            validator.kill()
            wait_until(lambda: any("has not renewed" in text for _, text, _ in self.examine()[1]["validator"]), 30,
                       "the lease to be over")
        self.execute("DELETE FROM latchkey.validator WHERE lease_ms = 1000")

    def test_a_company_that_has_locked_itself_out_is_named(self):
        (company,), = self.execute("SELECT company_id FROM latchkey.company WHERE is_demo")
        self.execute(f"UPDATE latchkey.whitelist_entry SET disabled = true WHERE company_id = '{company}'")
        self.execute(f"UPDATE latchkey.whitelist SET enabled = true WHERE company_id = '{company}'")
        try:
            code, findings = self.examine()
        finally:
            self.execute(f"UPDATE latchkey.whitelist SET enabled = false WHERE company_id = '{company}'")
        self.assertEqual((code, self.verdict(findings, "whitelist")), (0, "warn"))
        self.assertRegex(findings["whitelist"][0][1], "cmp_[0-9a-z]{26}")

    def test_a_mail_server_is_tried_as_a_mail_would_go(self):
        with MailServer(tls="starttls", password=PASSWORD) as mail:
            found = mail.settings()
            settings = {f"LATCHKEY_{name.upper()}": str(value) for name, value in found.items()}
            findings = self.examine(**settings)[1]
            self.assertEqual(self.verdict(findings, "mail server"), "ok", findings)
            stranger = {**settings, "LATCHKEY_SMTP_CA_FILE": str(mail.certificates.other_authority)}
            code, findings = self.examine(**stranger)
            self.assertEqual((code, self.verdict(findings, "mail server")), (1, "fail"))
            Path(found["smtp_password_file"]).write_text("wrong\n", encoding="utf-8")
            self.assertEqual(self.verdict(self.examine(**settings)[1], "mail server"), "fail")
            self.assertEqual(mail.mails, [])
        self.assertEqual(self.verdict(self.examine(**settings)[1], "mail server"), "fail")

    def test_a_certificate_is_judged_by_its_end_its_key_and_its_chain(self):
        with Authority() as root, Authority("Between", parent=root) as between, tempfile.NamedTemporaryFile("w") as config:
            month = 30 * 86400
            good, soon = between.issue("good", ["DNS:localhost"], ends_in_s=month), root.issue("soon", ["DNS:localhost"])
            whole = Path(good.certificate).with_suffix(".whole")
            whole.write_text(Path(good.certificate).read_text("ascii") + Path(between.certificate).read_text("ascii"), "ascii")

            def judge(certificate, key):
                config.seek(0)
                config.truncate()
                config.write(f"tls-certificate = {certificate}\ntls-key = {key}\nmax-staleness = 5s\n")
                config.flush()
                findings = self.examine("--config", config.name, "--tls-ca", root.certificate)[1]
                return self.verdict(findings, "certificate"), findings.get("chain", [("none",)])[0][0]

            self.assertEqual(judge(whole, good.key), ("ok", "ok"))
            self.assertEqual(judge(good.certificate, good.key), ("ok", "warn"))
            self.assertEqual(judge(soon.certificate, soon.key), ("warn", "ok"))
            self.assertEqual(judge(soon.certificate, good.key), ("fail", "ok"))

    def test_authorities_of_clients_who_are_not_asked_for_a_certificate_need_not_be_there(self):
        with Authority() as authority:
            issued = authority.issue("good", ["DNS:localhost"], ends_in_s=30 * 86400)
            settings = {"LATCHKEY_TLS_CERTIFICATE": str(issued.certificate), "LATCHKEY_TLS_KEY": str(issued.key),
                        "LATCHKEY_TLS_CLIENT_CA": f"{issued.certificate}.not-there"}
            self.assertEqual(self.verdict(self.examine(**settings)[1], "certificate"), "fail")
            settings["LATCHKEY_TLS_CLIENT_CERTIFICATES"] = "off"
            self.assertEqual(self.verdict(self.examine(**settings)[1], "certificate"), "ok")

    def test_a_mistake_in_a_file_is_a_failure(self):
        with tempfile.NamedTemporaryFile("w") as config:
            config.write("database-pool-size = many\nsmtp-tls = maybe\n")
            config.flush()
            code, findings = self.examine("--config", config.name)
        self.assertEqual((code, len(findings["settings"])), (1, 2))


if __name__ == "__main__":
    unittest.main()
