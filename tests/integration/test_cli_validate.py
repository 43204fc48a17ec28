"""`latchkey validate` against a validator at an address of its own: what it says, and what scripts read from its exit code."""

import json
import tempfile
import unittest
from pathlib import Path

from latchkey_test import Deployment, Server, free_port, run_latchkey


class Validate(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.deployment = Deployment()
        cls.deployment.__enter__()
        cls.addClassCleanup(cls.deployment.__exit__)
        cls.validator = Server("latchkey-validator", database_url=cls.deployment.url)
        cls.addClassCleanup(cls.validator.remove)
        cls.validator.start()
        directory = tempfile.TemporaryDirectory(prefix="latchkey-cli-")
        cls.addClassCleanup(directory.cleanup)
        cls.secret_file = Path(directory.name) / "secret"
        cls.made = json.loads(cls.run_command("token", "create", "--secret-file", "-", "--label", "of a test", "--permission", "charges.create",
                                              "--channel", "api,ui", "--domain", "shop.example", "--wait", "5s", "--json").stdout)
        cls.secret_file.write_text(cls.made["secret"] + "\n")
        cls.token_id = cls.made["access_token"]["token_id"]

    @classmethod
    def run_command(cls, *arguments, stdin="", without=(), **changed):
        secrets = {name: cls.deployment.secrets[name] for name in ("LATCHKEY_TOKEN", "LATCHKEY_OPERATOR_TOKEN")}
        environment = {"LATCHKEY_ADDRESS": cls.deployment.server.address, "LATCHKEY_VALIDATOR_ADDRESS": cls.validator.address,
                       **secrets, **changed}
        return run_latchkey(*arguments, stdin=stdin,
                            **{name: value for name, value in environment.items() if name not in without})

    def validate(self, *options, code, **changed):
        """What is printed; the first line first."""
        done = self.run_command("validate", "--secret-file", self.secret_file, *options, **changed)
        self.assertEqual((done.returncode, done.stderr), (code, ""), done.stdout)
        self.assertNotIn(self.made["secret"], done.stdout)
        return done.stdout

    # ---- wrong input first ----

    def test_a_token_to_validate_that_is_none_is_told(self):
        done = self.run_command("validate", LATCHKEY_VALIDATE_TOKEN="two words")
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        self.assertIn("LATCHKEY_VALIDATE_TOKEN holds no secret", done.stderr)

    def test_no_answer_is_neither_allow_nor_deny(self):
        for address, code in ((f"127.0.0.1:{free_port()}", 4), (self.deployment.server.admin_address, 6)):
            done = self.run_command("validate", "--secret-file", self.secret_file, LATCHKEY_VALIDATOR_ADDRESS=address)
            self.assertEqual((done.returncode, done.stdout), (code, ""), done.stderr)

    def test_an_address_that_is_none_is_told_before_anybody_is_asked(self):
        done = self.run_command("validate", "--client-ip", "203.0.113.7:80", LATCHKEY_VALIDATE_TOKEN=self.made["secret"])
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        self.assertIn('--client-ip is "203.0.113.7:80": type the address alone', done.stderr)

    def test_a_denial_by_a_list_says_that_no_address_was_given(self):
        made = json.loads(self.run_command("token", "create", "--secret-file", "-", "--label", "bound", "--allowed-ip", "203.0.113.7", "--wait", "5s",
                                           "--json").stdout)
        for options, is_told in (((), True), (("--client-ip", "203.0.113.8"), False)):
            done = self.run_command("validate", *options, LATCHKEY_VALIDATE_TOKEN=made["secret"])
            self.assertEqual((done.returncode, done.stdout.splitlines()[0]), (1, "DENY TOKEN_IP_NOT_LISTED"))
            self.assertEqual("no --client-ip was given" in done.stdout, is_told)

    def test_a_revision_that_is_none_is_refused(self):
        done = self.run_command("validate", "--secret-file", self.secret_file, "--min-revision", "nonsense")
        self.assertEqual((done.returncode, done.stdout), (2, ""), done.stderr)

    def test_denials_name_the_first_check_that_failed_and_exit_with_1(self):
        unknown = self.made["secret"][:-1] + ("0" if self.made["secret"][-1] != "0" else "1")
        for reason, options, changed in (
                ("PERMISSION_MISSING", ["--permission", "refunds.create"], {}),
                ("PERMISSION_MISSING", ["--any-permission", "refunds.create,customers.read"], {}),
                ("DOMAIN_NOT_LISTED", ["--channel", "ui", "--domain", "evil.example"], {})):
            with self.subTest(reason):
                self.assertRegex(self.validate(*options, code=1, **changed), f"^DENY {reason}\n")
        for stranger in ("not-a-secret", unknown):
            done = self.run_command("validate", LATCHKEY_VALIDATE_TOKEN=stranger)
            self.assertEqual(done.returncode, 1)
            self.assertEqual(done.stdout, "DENY MALFORMED\n")

    def test_what_is_missing_is_named(self):
        said = self.validate("--permission", "charges.create,refunds.create,customers.read", code=1)
        self.assertRegex(said, r"(?m)^missing +refunds\.create, customers\.read$|^missing +customers\.read, refunds\.create$")

    # ---- what it does ----

    def test_a_token_that_may_is_allowed(self):
        said = self.validate("--client-ip", "203.0.113.7", "--permission", "charges.create", code=0)
        self.assertRegex(said, f"^ALLOW {self.token_id}\n")
        self.assertRegex(said, r"(?m)^permissions +charges\.create$")
        self.validate("--channel", "ui", "--domain", "https://shop.example", code=0)
        self.validate("--any-permission", "refunds.create,charges.create", code=0)

    def test_the_token_comes_from_the_environment_or_standard_input_too(self):
        for options, changed in (((), {"LATCHKEY_VALIDATE_TOKEN": self.made["secret"]}),
                                 (("--secret-file", "-"), {"stdin": self.made["secret"] + "\n"})):
            done = self.run_command("validate", *options, **changed)
            self.assertRegex(done.stdout, f"^ALLOW {self.token_id}\n", done.stderr)

    def test_json_is_the_whole_answer(self):
        answer = json.loads(self.validate("--permission", "charges.create", "--json", code=0))
        self.assertEqual((answer["decision"], answer["reason"], answer["kind"]),
                         ("DECISION_ALLOW", "REASON_OK", "TOKEN_KIND_ACCESS"))
        self.assertEqual((answer["token_id"], answer["permissions"]), (self.token_id, ["charges.create"]))
        denied = json.loads(self.validate("--permission", "refunds.create", "--json", code=1))
        self.assertEqual((denied["decision"], denied["reason"]), ("DECISION_DENY", "REASON_PERMISSION_MISSING"))

    def test_nobody_needs_a_token_of_their_own_on_the_same_machine(self):
        said = self.validate(code=0, without=["LATCHKEY_TOKEN", "LATCHKEY_OPERATOR_TOKEN"])
        self.assertRegex(said, f"^ALLOW {self.token_id}\n")

    def test_a_revision_of_a_change_is_reached(self):
        made = json.loads(self.run_command("token", "create", "--secret-file", "-", "--label", "new", "--json").stdout)
        said = self.run_command("validate", "--min-revision", made["revision"], "--timeout", "10s",
                                LATCHKEY_VALIDATE_TOKEN=made["secret"])
        self.assertRegex(said.stdout, "^ALLOW ", said.stderr)

    def test_a_deactivation_that_was_confirmed_is_known_at_once(self):
        made = json.loads(self.run_command("token", "create", "--secret-file", "-", "--label", "ends", "--wait", "5s", "--json").stdout)
        ended = self.run_command("token", "deactivate", made["access_token"]["token_id"], "--yes", "--wait", "5s")
        self.assertRegex(ended.stdout, r"confirmed by 2 of 2 validators in \d+ ms")
        denied = self.run_command("validate", LATCHKEY_VALIDATE_TOKEN=made["secret"])
        self.assertEqual((denied.returncode, denied.stdout.splitlines()[0]), (1, "DENY DEACTIVATED"))

    def test_an_address_that_the_whitelist_refuses_is_told_with_the_nearest_entry(self):
        added = json.loads(self.run_command("whitelist", "add", "203.0.113.0/24", "--note", "office", "--json").stdout)
        entry = added["entries"][0]["entry_id"]
        self.run_command("whitelist", "add", "127.0.0.0/8")
        enabled = self.run_command("whitelist", "enable", "--wait", "5s")
        self.assertEqual(enabled.returncode, 0, enabled.stderr)
        try:
            self.validate("--client-ip", "203.0.113.7", code=0)
            nearest = f'the nearest entry is 203.0.113.0/24 ({entry}, "office"), with 22 of its 24 bits in common\n'
            said = self.validate("--client-ip", "203.0.114.7", code=1)
            self.assertIn(f"DENY COMPANY_IP_NOT_LISTED\n{nearest}", said)
            # Who may not see the list is not shown it, and who has another list not that.
            for options, changed in (((), {"without": ["LATCHKEY_TOKEN"]}), ((), {"LATCHKEY_TOKEN": self.made["secret"]}),
                                     (("--operator",), {})):
                with self.subTest(options):
                    said = self.validate("--client-ip", "203.0.114.7", *options, code=1, **changed)
                    self.assertTrue(said.startswith("DENY COMPANY_IP_NOT_LISTED\n"))
                    self.assertNotIn("nearest", said)
        finally:
            self.run_command("whitelist", "disable", "--wait", "5s")

    # ---- explain and denials ----

    def test_an_explanation_says_every_check_and_fails_like_validate(self):
        by_id = self.run_command("explain", self.token_id, "--channel", "ui", "--domain", "other.example")
        self.assertEqual((by_id.returncode, by_id.stderr), (1, ""))
        self.assertRegex(by_id.stdout, r"\ADENY DOMAIN_NOT_LISTED\n")
        self.assertRegex(by_id.stdout, r"(?m)^FAILS +domain-not-listed +other\.example is not listed")
        self.assertRegex(by_id.stdout, r"(?m)^nearest +shop\.example of the domain list$")
        self.assertEqual(len([line for line in by_id.stdout.splitlines() if line.startswith(("ok ", "FAILS "))]), 14)
        by_secret = self.run_command("explain", "--secret-file", self.secret_file, "--permission", "charges.create")
        self.assertEqual((by_secret.returncode, by_secret.stdout.splitlines()[0]), (0, f"ALLOW {self.token_id}"), by_secret.stderr)
        self.assertNotIn("FAILS", by_secret.stdout)
        told = json.loads(self.run_command("explain", self.token_id, "--json").stdout)
        self.assertEqual((told["response"]["decision"], len(told["steps"])), ("DECISION_ALLOW", 14))

    def test_a_token_is_named_for_an_explanation_in_one_way(self):
        done = self.run_command("explain", self.token_id, "--secret-file", self.secret_file)
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        self.assertIn("in one way", done.stderr)
        self.assertEqual(self.run_command("explain").returncode, 2)

    def test_denials_are_listed_by_reason(self):
        for _ in range(3):
            self.validate("--channel", "ui", "--domain", "evil.example", code=1)
        done = self.run_command("denials", "--reason", "domain-not-listed")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        row = next(line for line in done.stdout.splitlines() if "evil.example" in line)
        self.assertRegex(row, rf"^\S+ +3 +domain-not-listed +{self.token_id} +evil\.example ")
        none = self.run_command("denials", "--reason", "not-yet-valid")
        self.assertEqual((none.returncode, none.stdout), (0, "nothing matches these options\n"))
        company = json.loads(self.run_command("caller", "--json").stdout)["caller"]["company_id"]
        self.assertIn("evil.example", self.run_command("denials", "--operator", "--company", company).stdout)


if __name__ == "__main__":
    unittest.main()
