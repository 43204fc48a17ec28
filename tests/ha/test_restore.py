"""The commands of docs/operations.md, Backup and restore, as they stand there, under running validators: two that follow the database
and one that is fed. A backup from before 10 000 revocations brings none of them back until an operator has decided; one with all
changes to its end costs nobody anything.

LATCHKEY_TEST_SHARE makes it smaller.
"""

import json
import os
import shutil
import subprocess
import tempfile
import textwrap
import time
import unittest
import uuid
from pathlib import Path

from latchkey_test import ROOT, Client, FedServer, free_port, id_of_uuid, secret_text, stubs
from latchkey_test.background import Background
from latchkey_test.postgres import Cluster, account, bin_directory
from latchkey_test.waiting import wait_until

from manual import commands
from system import System, decision_pb2, scaled

token_pb2 = stubs.messages("latchkey/v1/token.proto")

BATCH = scaled(1000)
BATCHES = 10
SINGLY = scaled(100)  # of the last batch
QUICK = {"max_staleness": "5s", "poll_interval": "100ms"}


class Machine(Cluster):
    """PostgreSQL as its administrator runs it, with an archive that is another machine's."""

    def __init__(self):
        self.directory = Path(tempfile.mkdtemp(prefix="latchkey-restore-"))
        if account():
            shutil.chown(self.directory, "postgres", "postgres")
            self.directory.chmod(0o711)
        self.port = free_port()
        super().__init__(f"host={self.directory} port={self.port} dbname=postgres user=postgres")
        self._environment = {
            **os.environ, "PATH": f"{bin_directory()}:{os.environ['PATH']}", "PGDATA": str(self.directory / "data"),
            "BACKUP": str(self.directory / "backup"), "ARCHIVE": str(self.directory / "archive"),
            "PGHOST": str(self.directory), "PGPORT": str(self.port), "PGUSER": "postgres"}

    def __enter__(self):
        archive = ROOT / "deploy/postgres/archive-wal.sh"
        shutil.copy(archive, self.directory)
        self.run(f"""
            initdb --username=postgres --auth=trust --encoding=UTF8 --locale=C.UTF-8 --no-sync
            mkdir "$ARCHIVE"
            cat >>"$PGDATA/postgresql.conf" <<END
            port = {self.port}
            listen_addresses = ''
            unix_socket_directories = '{self.directory}'
            max_connections = 200
            archive_mode = on
            archive_command = 'bash {self.directory}/{archive.name} %p $ARCHIVE/%f'
            END
            pg_ctl start --log="$PGDATA.log"
        """)
        return self

    def __exit__(self, *_):
        self.run("pg_ctl stop --mode=immediate")
        shutil.rmtree(self.directory, ignore_errors=True)

    def run(self, script, **variables):
        # What pg_ctl starts keeps what it was given open: a file, so that nobody waits for its end.
        with open(self.directory / "said", "w+", encoding="utf-8") as said:
            done = subprocess.run(["bash", "-euo", "pipefail", "-c", textwrap.dedent(script)], stdin=subprocess.DEVNULL, stdout=said,
                                  stderr=said, env={**self._environment, **variables}, cwd=self.directory, check=False, **account())
            said.seek(0)
            if done.returncode != 0:
                raise AssertionError(f"{script}\nended with {done.returncode}:\n{said.read()}")

    def archive_all(self):
        """Every change so far, as a minute later."""
        (file,), = self.execute("SELECT pg_walfile_name(pg_switch_wal())")
        wait_until(lambda: (self.directory / "archive" / file).exists(), 120, "the archive to have it all")


class Watch(Background):
    """Asks all validators about all secrets, over and over."""

    def __init__(self, system, validators, secrets):
        super().__init__(self._work)
        self._system, self._validators = system, validators
        self._questions = [(secret, "203.0.113.7") for secret in secrets]
        self.heard = set()
        self.rounds = 0

    def _work(self):
        while not self.is_over.is_set():
            for validator in self._validators:
                self.heard |= set(self._system.ask_many(validator, self._questions))
            self.rounds += 1

    def hear_more(self):
        wanted = self.rounds + 2
        wait_until(lambda: self.failure or self.rounds >= wanted, 300, "more rounds of questions")
        if self.failure:
            raise self.failure


class Restore(unittest.TestCase):
    def setUp(self):
        self.machine = self.enterContext(Machine())
        self.system = self.enterContext(System(validators=2, postgres=self.machine, **QUICK))
        self.fed = self.enterContext(FedServer(self.system.deployment, self.system.validators[0].address, poll_interval="100ms"))
        self.fed.client = self.enterContext(Client(self.fed.address))
        self.validators = [*self.system.validators, self.fed]

    def await_all(self, secret, answer):
        for validator in self.validators:
            self.system.ask_until(validator, secret, answer, timeout=120)

    def make_tokens(self):
        """Their secrets, of tokens that every validator admits."""
        lane = secret_text.lane_of(self.system.deployment.secrets["LATCHKEY_TOKEN"])
        secrets = secret_text.make_secrets(BATCHES * BATCH, lane)
        for number in range(BATCHES):
            self.system.token_client.tokens.ImportAccessTokens(token_pb2.ImportAccessTokensRequest(tokens=[
                token_pb2.ImportedAccessToken(secret_sha256=secret_text.digest(secret), label=f"batch {number} of a test")
                for secret in secrets[number * BATCH:(number + 1) * BATCH]]), timeout=120)
        self.await_all(secrets[-1], "OK")
        return secrets

    def revoke_all(self, secrets):
        """The last batch begins one by one; each revocation is known to every validator."""
        tokens = self.system.token_client.tokens
        rows = self.system.deployment.execute(
            "SELECT token_id FROM latchkey.token WHERE label LIKE 'batch 9 %' LIMIT " + str(SINGLY))
        for token_id, in rows:
            self.system.deactivate(id_of_uuid("tok", uuid.UUID(token_id)), wait=0)
        for number in range(BATCHES):
            tokens.DeactivateAccessTokens(token_pb2.DeactivateAccessTokensRequest(label_contains=f"batch {number} "), timeout=120)
        for secret in secrets[BATCH - 1::BATCH]:
            self.await_all(secret, "DEACTIVATED")

    def recover(self, *options):
        return self.system.deployment.latchkey("recover", "--json", *options, check=False)

    def await_reports(self, count):
        def read():
            shown = json.loads(self.recover().stdout)
            return shown if sum(report["compared"] for report in shown["reports"]) >= count else None
        return wait_until(read, 300, f"{count} reports")

    def test_none_of_ten_thousand_lost_revocations_is_forgotten(self):
        self.machine.run(commands("a backup"))
        secrets, kept = self.make_tokens(), self.system.create(wait=0)
        (before,), = self.machine.execute("SELECT now()::text")
        self.revoke_all(secrets)
        self.machine.archive_all()
        ended = str(decision_pb2.REASON_DEACTIVATED)
        with Watch(self.system, self.validators, secrets) as watch:
            watch.hear_more()
            self.assertEqual(watch.heard, {ended})
            began_at = time.monotonic()
            self.machine.run(commands("the disk is lost, or"), UNTIL=before)
            restored_at = time.monotonic()
            (alive,), = self.system.deployment.execute("SELECT count(*) FROM latchkey.token WHERE label LIKE 'batch %'"
                                                       " AND deactivated_at IS NULL")
            self.assertEqual(alive, len(secrets), "in the database they are alive again")
            self.await_all(kept.secret, "HISTORY_LOST")
            noticed_at = time.monotonic()
            shown = self.await_reports(2)
            self.assertEqual({change["what"] for change in shown["changes"]}, {"token.deactivated"})
            self.assertEqual(len(shown["changes"]), len(secrets))
            watch.hear_more()
            done = self.recover("--redo", "--yes", "--note", "restored")
            self.assertEqual((done.returncode, json.loads(done.stdout)["redone"]), (0, len(secrets)), done.stderr)
            settled_at = time.monotonic()
            self.await_all(kept.secret, "OK")
            served_at = time.monotonic()
            watch.hear_more()
        self.assertNotIn(str(decision_pb2.REASON_OK), watch.heard)
        for validator in self.validators:
            answers = set(self.system.ask_many(validator, [(secret, "203.0.113.7") for secret in secrets]))
            self.assertEqual(answers, {ended})
        print(f"{len(secrets)} revocations: restored in {restored_at - began_at:.1f} s, noticed {noticed_at - restored_at:.1f} s later, "
              f"settled {settled_at - noticed_at:.1f} s after that, served again {served_at - settled_at:.1f} s later")

    def test_a_restore_that_lacks_nothing_costs_nobody_anything(self):
        self.machine.run(commands("a backup"))
        kept, ended = self.system.create(wait=0), self.system.create(wait=0)
        self.system.deactivate(ended.access_token.token_id, wait=0)
        self.await_all(ended.secret, "DEACTIVATED")
        self.machine.run(commands("the disk is lost, or"), UNTIL="")
        made = wait_until(self.try_to_create, 120, "management to work again")
        self.await_all(made.secret, "OK")
        self.await_all(kept.secret, "OK")
        self.await_all(ended.secret, "DEACTIVATED")
        shown = json.loads(self.recover().stdout)
        self.assertEqual((shown["reports"], shown["timeline_accepted"]), ([], True))

    def try_to_create(self):
        try:
            return self.system.create(wait=0)
        except Exception as error:
            if "UNAVAILABLE" not in str(error):
                raise
            return None


if __name__ == "__main__":
    unittest.main()
