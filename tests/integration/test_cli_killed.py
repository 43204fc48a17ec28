"""kill -9 of the command line in the middle of a change: nothing half done is live, and the same command with the same request id
leaves it done once."""

import os
import signal
import stat
import subprocess
import unittest
import uuid

from cli_case import SECRET, CommandCase
from latchkey_test import program, uuid_of_id
from latchkey_test.row_lock import RowLock
from latchkey_test.waiting import wait_until

ADDRESSES = 20000  # more than one call takes


class Killed(CommandCase):
    def begin(self, *words):
        return subprocess.Popen([program("latchkey"), *map(str, words)], env={**os.environ, **self.environment()},
                                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def kill(self, process):
        process.send_signal(signal.SIGKILL)
        self.assertEqual(process.wait(60), -signal.SIGKILL)

    def wait_for_no_calls(self):
        wait_until(lambda: self.deployment.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state <> 'idle'"
            " AND pid <> pg_backend_pid()") == [(0,)], 30, "what the command had begun to end")

    # ---- the list of a company ----

    def test_an_import_that_is_killed_has_changed_nothing_live(self):
        for moment in (self.stage_some, self.begin_to_publish):
            with self.subTest(moment.__name__):
                self.publish_nothing()
                self.run_well("whitelist", "add", "198.51.100.0/24")
                before = self.live()
                path = self.path()
                path.write_text("".join(f"10.{i >> 8}.{i & 255}.0/24\n" for i in range(ADDRESSES)))
                words = ("whitelist", "import", path, "--replace", "--yes", "--request-id", uuid.uuid4())
                moment(words)
                self.assertEqual(self.live(), before)
                self.run_well(*words)
                self.run_well(*words)  # once more changes nothing
                self.assertEqual(self.run_json("whitelist", "show", "--limit", "0")["whitelist"]["entry_count"], ADDRESSES)

    def live(self):
        shown = self.run_json("whitelist", "show")
        return shown["whitelist"], shown["entries"]

    def publish_nothing(self):
        self.run_well("draft", "publish", self.run_json("draft", "create", "--empty")["draft"]["draft_id"], "--yes", "--force")

    def stage_some(self, words):
        """Killed as it stages its first entries."""
        staged = self.count_staged()
        process = self.begin(*words)
        wait_until(lambda: self.count_staged() > staged, 60, "the first entries to be there")
        self.kill(process)
        self.wait_for_no_calls()

    def begin_to_publish(self, words):
        """Killed as its draft, which is whole, is about to be published."""
        company = uuid_of_id(self.run_json("caller")["caller"]["company_id"])
        staged = self.count_staged()
        process = self.begin(*words)
        wait_until(lambda: self.count_staged() > staged, 60, "the first entries to be there")
        with RowLock(self.deployment, f"whitelist WHERE company_id = '{company}'") as lock:
            lock.wait_for_others(1)
            self.assertEqual(self.count_staged() - staged, ADDRESSES)
            self.kill(process)
            lock.release()
        self.wait_for_no_calls()

    def count_staged(self):
        return self.deployment.execute(
            "SELECT count(*) FROM latchkey.whitelist_entry e JOIN latchkey.whitelist_list l USING (list_id)"
            " WHERE l.state = 'draft'")[0][0]

    # ---- a secret ----

    def test_a_creation_that_is_killed_leaves_no_half_secret_and_is_made_once(self):
        label, request, path = uuid.uuid4().hex, uuid.uuid4(), self.path()
        words = ("token", "create", "--label", label, "--request-id", request, "--secret-file")
        with self.deployment.connect() as lock:
            lock.autocommit = False
            lock.cursor().execute("LOCK TABLE latchkey.audit_event IN SHARE MODE")
            process = self.begin(*words, path)
            wait_until(lambda: self.deployment.execute(
                "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"),
                30, "the server to be in the middle of it")
            self.kill(process)
            lock.rollback()
        self.wait_for_no_calls()
        self.assertEqual((path.read_text(), stat.S_IMODE(path.stat().st_mode)), ("", 0o600))
        self.assertLessEqual(len(self.tokens(label)), 1)

        self.assert_fails(5, "exists already", *words, path)
        done = self.run_command(*words, self.path())
        (token,) = self.tokens(label)
        if done.returncode == 0:
            return
        self.assertIn("can't be shown again", done.stderr)  # it was made for the one that was killed
        again = self.path()
        self.run_well("token", "rotate", token["token_id"], "--yes", "--secret-file", again)
        self.assertRegex(again.read_text(), f"^{SECRET}\n$")
        self.run_well("caller", LATCHKEY_TOKEN=again.read_text().strip())

    def tokens(self, label):
        return self.run_json("token", "list", "--label", label)["access_tokens"]


if __name__ == "__main__":
    unittest.main()
