"""A validator that starts again from its snapshot file decides like one that never stopped, 100 000 tokens, and admits
nothing that was revoked while it was down; killed, or with a full disk, it starts all the same.
"""

import os
import subprocess
import tempfile
import unittest
from pathlib import Path

from latchkey_test import Client, Server, secret_text
from latchkey_test.waiting import wait_until
from psycopg2.extras import execute_values
from validate_case import API, ValidateCase, decision_pb2, validation_pb2

TOKENS = 100000
KNOWN = 1000  # of them with secrets that are known here

_FILL = f"""
INSERT INTO latchkey.token (token_id, company_id, kind, channels, label, permissions, allowed_ips, expires_at, suspended)
SELECT ('01900000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, company_id, 'a', 1 + n %% 3, 'of a test ' || n,
       CASE WHEN n %% 4 = 0 THEN '{{charges.*}}' ELSE '{{charges.create,charges.read}}' END::text[],
       CASE WHEN n %% 5 = 0 THEN '{{192.0.2.0/24}}' ELSE '{{}}' END::cidr[],
       CASE WHEN n %% 7 = 0 THEN '2020-01-01'::timestamptz END, n %% 11 = 0
  FROM latchkey.company, generate_series(1, {TOKENS}) AS n WHERE company_id = %s;
INSERT INTO latchkey.token_secret (digest, token_id, company_id, hint)
SELECT sha256(uuid_send(token_id)), token_id, company_id, 'lka_…none' FROM latchkey.token
 WHERE company_id = %s AND label LIKE 'of a test %%' AND right(token_id::text, 12) > lpad(to_hex({KNOWN}), 12, '0');
"""


def token_id(number):
    return f"01900000-0000-7000-8000-{number:012x}"


class SnapshotFile(ValidateCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.secrets = cls.fill()
        cls.wait_for_all(cls.validator)

    @classmethod
    def fill(cls):
        connection = cls.deployment.connect()
        with connection, connection.cursor() as cursor:
            cursor.execute("SET ROLE latchkey_owner; SELECT company_id, latchkey.company_lane(company_id) FROM latchkey.member LIMIT 1")
            company_id, lane = cursor.fetchone()
            cursor.execute(_FILL, (company_id, company_id))
            secrets = secret_text.make_secrets(KNOWN, lane)
            execute_values(cursor, "INSERT INTO latchkey.token_secret (digest, token_id, company_id, hint) VALUES %s",
                           [(secret_text.digest(secret), token_id(n), company_id, secret_text.hint(secret))
                            for n, secret in enumerate(secrets, 1)])
        connection.close()
        return secrets

    @classmethod
    def wait_for_all(cls, validator):
        wait_until(lambda: cls.tokens_of(validator) >= TOKENS, 60, "a validator to have all tokens")

    @staticmethod
    def tokens_of(validator):
        lines = validator.admin("/metrics")[1].splitlines()
        return sum(float(line.split()[-1]) for line in lines if line.startswith("latchkey_image_tokens "))

    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="latchkey-snapshot-")
        self.addCleanup(directory.cleanup)
        self.file = Path(directory.name) / "snapshot"
        self.other = Server("latchkey-validator", database_url=self.deployment.url, snapshot_file=self.file, **self.settings)
        self.addCleanup(self.other.remove)

    def decide(self, validator):
        questions = [validation_pb2.ValidateRequest(token=secret, channel=API, client_ip="192.0.2.7" if n % 2 else "203.0.113.7",
                                                    permissions=["charges.read"]) for n, secret in enumerate(self.secrets)]
        with Client(validator.address) as client:
            answers = client.validation.ValidateBatch(validation_pb2.ValidateBatchRequest(requests=questions), timeout=60)
        return [(answer.decision, answer.reason, answer.token_id)
                for answer in answers.responses]

    def wait_for_file(self):
        wait_until(self.file.exists, 60, "a snapshot file")

    def count_applied(self):
        """By those that live: who was killed has a row for a while."""
        return self.deployment.execute("SELECT coalesce(min((SELECT sum(position) FROM unnest(positions) AS position)), 0) "
                                       "FROM latchkey.validator WHERE renewed_at > now() - interval '10 s'")[0][0]

    def catch_up(self):
        """Both have all that is in the log."""
        heads = self.deployment.execute("SELECT sum(head) FROM latchkey.change_lane")[0][0]
        wait_until(lambda: self.count_applied() >= heads, 60, "the validators to apply a change")

    def revoke(self, numbers):
        self.deployment.execute("UPDATE latchkey.token SET deactivated_at = now() WHERE token_id = ANY ("
                                f"'{{{','.join(token_id(n) for n in numbers)}}}'::uuid[])")

    def test_it_decides_as_one_that_never_stopped(self):
        self.other.start()
        self.wait_for_file()
        self.other.stop()
        self.assertEqual(self.file.stat().st_mode & 0o777, 0o600)
        self.revoke(range(1, KNOWN, 10))
        self.other.start()
        answers = self.decide(self.other)  # the first it gives
        self.assertIn("from=file", self.other.log())
        for n in range(1, KNOWN, 10):
            self.assertNotEqual(answers[n - 1][0], decision_pb2.DECISION_ALLOW, f"token {n} was revoked meanwhile")
        self.catch_up()
        self.assertEqual(answers, self.decide(self.validator))
        self.assertGreater(len({reason for _, reason, _ in answers}), 3)

    def test_killed_it_starts_from_what_it_has_written_last(self):
        self.other.start()
        self.wait_for_file()
        self.revoke(range(5, KNOWN, 10))
        self.other.kill()
        self.revoke(range(6, KNOWN, 10))
        self.other.start()
        answers = self.decide(self.other)
        self.assertIn("from=file", self.other.log())
        self.catch_up()
        self.assertEqual(answers, self.decide(self.validator))

    @unittest.skipUnless(os.geteuid() == 0, "a small disk is root's to mount")
    def test_a_full_disk_costs_the_file_alone(self):
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m,mode=700", "tmpfs", self.file.parent], check=True)
        self.addCleanup(lambda: subprocess.run(["umount", "--lazy", self.file.parent], check=True))
        self.other.start()
        wait_until(lambda: "No space left on device" in self.other.log(), 60, "the disk to be full")
        self.assertTrue(self.other.is_ready())
        self.assertEqual(os.listdir(self.file.parent), [])
        self.other.stop()
        self.other.start()
        self.assertIn("from=database", self.other.log())


if __name__ == "__main__":
    unittest.main()
