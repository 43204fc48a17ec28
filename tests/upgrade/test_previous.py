"""The programs of the release before (tests/upgrade/previous) beside those of this one, as in the middle of an upgrade: on the new
schema, and with validators of both. docs/upgrade.md."""

import os
import subprocess
import unittest

from latchkey_test import BUILD, ROOT, Deployment, FedServer, Server, scenario, stubs
from latchkey_test.waiting import wait_until

token_pb2 = stubs.messages("latchkey/v1/token.proto")
validation_pb2 = stubs.messages("latchkey/v1/validation.proto")

OLD, NEW = ROOT / "build/previous/bin", BUILD / "bin"
# Releases from before the record said which programs work on a schema start on none that is newer than theirs.
OLD_STARTS_ON_NEWER = "breaks_before" in (ROOT / "build/previous/tree/common/db/migrate.c").read_text(encoding="utf-8")
OK, DEACTIVATED = "REASON_OK", "REASON_DEACTIVATED"
EXIT_SCHEMA = 76


def names_of(tree):
    return sorted(path.name for path in (tree / "common/db/schema").glob("*.sql"))


IS_SAME_SCHEMA = names_of(ROOT) == names_of(ROOT / "build/previous/tree")


class Previous(unittest.TestCase):
    def setUp(self):
        self.deployment = self.enterContext(Deployment(server=str(OLD / "latchkeyd"), command=str(OLD / "latchkey")))
        self.old, self.secret = self.deployment.server, self.deployment.secrets["LATCHKEY_TOKEN"]
        with self.deployment.administrator() as client:
            scenario.prepare(client)

    def migrate(self):
        """As the new release does."""
        self.run_command(NEW, "migrate")

    def run_command(self, build, *arguments, server=None):
        environment = {**os.environ, "LATCHKEY_DATABASE_URL": self.deployment.url, "LATCHKEY_TOKEN": self.secret,
                       "LATCHKEY_ADDRESS": (server or self.old).address}
        subprocess.run([build / "latchkey", *arguments], env=environment, check=True, capture_output=True, timeout=120)

    def start(self, build, name):
        return self.enterContext(self.deployment.beside(str(build / name)))

    def assert_whole_job(self, server):
        self.assertEqual(scenario.failures_at(server.address, self.secret), [])

    def reason(self, server, secret):
        request = validation_pb2.ValidateRequest(token=secret, client_ip=scenario.LISTED, channel="CHANNEL_API")
        with self.deployment.administrator(server) as client:
            response = client.validation.Validate(request, timeout=20)
        return response.DESCRIPTOR.fields_by_name["reason"].enum_type.values_by_number[response.reason].name

    def assert_ended_for_all(self, manager, validators):
        """A token that one of them makes and ends is admitted by all, and after that by none."""
        with self.deployment.administrator(manager) as client:
            made = client.tokens.CreateAccessToken(token_pb2.CreateAccessTokenRequest(
                label="both", wait_for_validators={"seconds": 20}), timeout=60)
            self.assertEqual([self.reason(server, made.secret) for server in validators], [OK] * len(validators))
            ended = client.tokens.DeactivateAccessToken(token_pb2.DeactivateAccessTokenRequest(
                token_id=made.access_token.token_id, reason="DEACTIVATE_REASON_LEAKED", wait_for_validators={"seconds": 20}), timeout=60)
        for answer in (made, ended):
            self.assertTrue(answer.validators.all_confirmed, answer.validators)
        self.assertEqual([self.reason(server, made.secret) for server in validators], [DEACTIVATED] * len(validators))

    def test_old_programs_go_on_while_the_schema_becomes_the_new_one_and_beside_new_ones(self):
        self.assert_whole_job(self.old)
        self.migrate()
        self.assert_whole_job(self.old)
        new = self.start(NEW, "latchkeyd")
        for server in (self.old, new):
            self.assert_whole_job(server)
            self.assert_ended_for_all(server, (self.old, new))

    def test_old_programs_start_on_the_new_schema(self):
        self.migrate()
        self.old.stop()
        self.old.start(ready=False)
        if IS_SAME_SCHEMA or OLD_STARTS_ON_NEWER:
            self.old.wait_ready()
            self.assert_whole_job(self.old)
            self.run_command(OLD, "migrate")
        else:
            self.assertEqual(self.old.wait(), EXIT_SCHEMA)

    def test_new_programs_say_what_an_old_schema_wants(self):
        new = Server(str(NEW / "latchkeyd"), database_url=self.deployment.url)
        self.addCleanup(new.remove)
        new.start(ready=False)
        if IS_SAME_SCHEMA:
            new.wait_ready()
            self.assert_whole_job(new)
        else:
            self.assertEqual(new.wait(), EXIT_SCHEMA)
            self.assertIn("run `latchkey migrate`", new.log())

    def test_a_validator_is_fed_by_one_of_the_other_release(self):
        self.migrate()
        new = self.start(NEW, "latchkey-validator")
        for feeder, build in ((self.old, NEW), (new, OLD)):
            with self.subTest(fed_by=feeder.name):
                fed = self.enterContext(FedServer(self.deployment, feeder.address, program=str(build / "latchkey-validator")))
                wait_until(fed.is_ready, 60, "the fed validator to be ready")
                self.assert_ended_for_all(self.old, (self.old, new, fed))

    def test_command_lines_of_either_release_call_servers_of_the_other(self):
        self.migrate()
        new = self.start(NEW, "latchkeyd")
        for build, server in ((OLD, new), (NEW, self.old)):
            self.run_command(build, "token", "list", server=server)
            self.run_command(build, "whitelist", "check", scenario.LISTED, server=server)
            self.run_command(build, "audit", "verify", server=server)


if __name__ == "__main__":
    unittest.main()
