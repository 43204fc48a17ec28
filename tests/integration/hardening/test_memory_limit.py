"""A validator that may not have the memory for what has come: it goes on with what it has until that is too old, says why it
is not ready, and follows by itself when there is memory again.
"""

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

INSERT = """
WITH made AS (
    INSERT INTO latchkey.token (token_id, company_id, member_id, kind, channels, label, permissions)
    SELECT gen_random_uuid(), t.company_id, t.member_id, 'a', 1, 'of a flood', '{{}}'
      FROM (SELECT company_id, member_id FROM latchkey.token WHERE label = 'of a test' LIMIT 1) t, generate_series(1, {tokens})
    RETURNING token_id, company_id)
INSERT INTO latchkey.token_secret (digest, token_id, company_id, hint)
SELECT sha256(token_id::text::bytea), token_id, company_id, 'lka_…none' FROM made"""


# Not RLIMIT_AS: malloc reserves 64 MiB of addresses for a thread, which it can fill below any such limit.
def _data_bytes(pid):
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return int(re.search(r"^VmData:\s+(\d+) kB$", status, re.MULTILINE)[1]) * 1024


class MemoryLimit(unittest.TestCase):
    def test_without_memory_to_grow_it_serves_what_it_has_until_that_is_too_old(self):
        with System(validators=1, max_staleness="3s", poll_interval="100ms") as system:
            validator = system.validators[0]
            secret = system.create().secret
            self.assertEqual(system.ask(validator, secret), "OK")

            limit = _data_bytes(validator.pid) + SOME_BYTES
            resource.prlimit(validator.pid, resource.RLIMIT_DATA, (limit, resource.RLIM_INFINITY))
            system.deployment.execute(INSERT.format(tokens=TOKENS))
            wait_until(lambda: "out of memory" in validator.log(), 60, "the validator to have too little memory")
            self.assertIn(system.ask_until(validator, secret, "STALE"), ([], ["OK"]))
            status, body = validator.admin("/readyz")
            self.assertEqual(status, 503)
            self.assertIn("out of memory", body)
            self.assertEqual(system.ask(validator, secret), "STALE")

            resource.prlimit(validator.pid, resource.RLIMIT_DATA, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
            validator.wait_ready()
            self.assertEqual(system.ask(validator, secret), "OK")
            tokens = int(re.search(r"^latchkey_image_tokens (\d+)$", validator.admin("/metrics")[1], re.MULTILINE)[1])
            self.assertGreater(tokens, TOKENS)
            system.create()


if __name__ == "__main__":
    unittest.main()
