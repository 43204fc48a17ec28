"""A validator that may not have the memory for what has come: it goes on with what it has until that is too old, says why it
is not ready, and follows by itself when there is memory again; what it had to give up meanwhile still tells a lost history.
"""

import json
import re
import resource
import sys
import unittest
from pathlib import Path

from latchkey_test.waiting import wait_until

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "system"))

from system import System

# For calls; the indexes and the list of a pass of so many tokens take several times as much.
SOME_BYTES = 512 << 10
TOKENS = 100_000
BLOCK_BYTES = 6 << 20  # of the records of an image, however few

INSERT = """
WITH made AS (
    INSERT INTO latchkey.token (token_id, company_id, member_id, kind, channels, label, permissions)
    SELECT gen_random_uuid(), t.company_id, t.member_id, 'a', 1, 'of a flood', '{{}}'
      FROM (SELECT company_id, member_id FROM latchkey.token WHERE label = 'of a test' LIMIT 1) t, generate_series(1, {tokens})
    RETURNING token_id, company_id)
INSERT INTO latchkey.token_secret (digest, token_id, company_id, hint)
SELECT sha256(token_id::text::bytea), token_id, company_id, 'lka_…none' FROM made"""

FORGET_THE_LAST_CHANGE_BUT_ONE = """
DELETE FROM latchkey.change c USING latchkey.change_lane l WHERE c.lane = l.lane AND c.seq = l.head - 1"""

# As a restored database does: the revocation was never made, and all changes are others.
ANOTHER_HISTORY = """
UPDATE latchkey.token SET deactivated_at = NULL WHERE deactivated_at IS NOT NULL;
UPDATE latchkey.change SET mark = mark + 1;
UPDATE latchkey.change_lane SET mark = mark + 1"""


# Not RLIMIT_AS: malloc reserves 64 MiB of addresses for a thread, which it can fill below any such limit.
def _data_bytes(pid):
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return int(re.search(r"^VmData:\s+(\d+) kB$", status, re.MULTILINE)[1]) * 1024


class MemoryLimit(unittest.TestCase):
    def limit(self, validator, more_bytes=SOME_BYTES):
        limit = _data_bytes(validator.pid) + more_bytes
        resource.prlimit(validator.pid, resource.RLIMIT_DATA, (limit, resource.RLIM_INFINITY))

    def free(self, validator):
        resource.prlimit(validator.pid, resource.RLIMIT_DATA, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))

    def metric(self, validator, name):
        return int(re.search(rf"^{name} (\d+)$", validator.admin("/metrics")[1], re.MULTILINE)[1])

    def test_without_memory_to_grow_it_serves_what_it_has_until_that_is_too_old(self):
        with System(validators=1, max_staleness="3s", poll_interval="100ms") as system:
            validator = system.validators[0]
            secret = system.create().secret
            self.assertEqual(system.ask(validator, secret), "OK")

            self.limit(validator)
            system.deployment.execute(INSERT.format(tokens=TOKENS))
            wait_until(lambda: "out of memory" in validator.log(), 60, "the validator to have too little memory")
            self.assertIn(system.ask_until(validator, secret, "STALE"), ([], ["OK"]))
            status, body = validator.admin("/readyz")
            self.assertEqual(status, 503)
            self.assertIn("out of memory", body)
            self.assertEqual(system.ask(validator, secret), "STALE")

            self.free(validator)
            validator.wait_ready()
            self.assertEqual(system.ask(validator, secret), "OK")
            self.assertGreater(self.metric(validator, "latchkey_image_tokens"), TOKENS)
            system.create()

    def give_up_the_image(self, system, validator):
        """The log lacks a change, so all is to be loaded again, and there is no room, also not in place of the present image."""
        before = _data_bytes(validator.pid)
        self.limit(validator, SOME_BYTES - BLOCK_BYTES)
        validator.pause()
        system.create(wait=0)
        system.create(wait=0)
        system.deployment.execute(FORGET_THE_LAST_CHANGE_BUT_ONE)
        validator.resume()
        wait_until(lambda: _data_bytes(validator.pid) < before - BLOCK_BYTES // 2, 60, "the validator to give up its image")
        self.assertIn("everything is loaded again", validator.log())

    def test_what_it_gave_up_for_a_load_that_had_no_room_still_tells_a_lost_history(self):
        with System(validators=1, max_staleness="1s", poll_interval="100ms") as system:
            validator = system.validators[0]
            kept, ended = system.create(), system.create()
            system.deactivate(ended.access_token.token_id)
            self.give_up_the_image(system, validator)
            system.deployment.execute(ANOTHER_HISTORY)
            system.ask_until(validator, kept.secret, "HISTORY_LOST", timeout=60)
            self.free(validator)
            wait_until(lambda: "no memory left" in self.read_failure(system), 60, "the report to say that nothing can be compared")
            self.assertEqual(system.ask(validator, ended.secret), "HISTORY_LOST")
            self.assertEqual(system.deployment.latchkey("recover", "--accept-loss", "--yes", check=False).returncode, 0)
            system.ask_until(validator, kept.secret, "OK", timeout=60)

    def read_failure(self, system):
        report, = json.loads(system.deployment.latchkey("recover", "--json", check=False).stdout)["reports"]
        return report["failure"]


if __name__ == "__main__":
    unittest.main()
