"""From a commit until a validator decides by it, quiet and while 5 000 changes a second are followed

Tokens are deactivated by SQL, each in a transaction; the clock runs from the return of COMMIT to the first refusal. With the
hint the validators are woken as a server does it, by a NOTIFY outside of the transaction; without it they poll. PostgreSQL
reaches the disk on every commit. Validate is asked at an even rate beside it; its peer is the same while another database on
the same PostgreSQL is changed as much, which this validator does not follow, so that only the following is compared.
"""

import contextlib
import json
import random
import subprocess
import time
from statistics import quantiles

from figures import Figure
from latchkey_test import Client, PrivatePostgres, program, secret_text
from latchkey_test.postgres import bin_directory
from latchkey_test.waiting import wait_until
from pinned import CLIENT_CORE, SERVER_CORE, on_core
from validation import PATH, TOKENS, check_admits, decision, framed, messages, question
from world import Filled

_POLL_MS = 1000.0  # the default
_BOUND_MS = 10.0
_CHANGES_PER_S, _CHANGES_EACH = 5000, 10
_CALLS_PER_S = 2000
_BETWEEN_S = 0.0005  # questions: what a sample may be too long by

_PREPARE = f"""
CREATE TABLE bench_change AS
SELECT (n / {_CHANGES_EACH})::integer AS number, array_agg(token_id) AS ids
  FROM (SELECT token_id, row_number() OVER (ORDER BY token_id) - 1 AS n FROM latchkey.token) AS token
 GROUP BY 1 HAVING count(*) = {_CHANGES_EACH};
CREATE UNIQUE INDEX ON bench_change (number);
ANALYZE bench_change
"""
# Tokens that follow each other are of different companies, which spread over the lanes.
_CHANGE = f"""
\\set number random(0, :tokens / {_CHANGES_EACH} - 1)
UPDATE latchkey.token SET label = label WHERE token_id = ANY (ARRAY(SELECT unnest(ids) FROM bench_change WHERE number = :number));
NOTIFY latchkey_change;
"""
_KNOWN = "SELECT encode(digest, 'hex'), token_id::text FROM latchkey.token_secret WHERE digest = ANY (%s)"
_REVIVE = "UPDATE latchkey.token SET deactivated_at = NULL, deactivate_reason = 0 WHERE token_id = ANY (%s::uuid[])"
_END = "UPDATE latchkey.token SET deactivated_at = now(), deactivate_reason = 1 WHERE token_id = %s"
_HEADS = "SELECT sum(head)::bigint FROM latchkey.change_lane"
_BEHIND = "SELECT sum(l.head - v.positions[l.lane + 1])::bigint FROM latchkey.change_lane l, latchkey.validator v"


def run(world):
    with contextlib.ExitStack() as stack:
        postgres = stack.enter_context(PrivatePostgres(fsync="on", full_page_writes="on", shared_buffers="256MB",
                                                       max_wal_size="4GB"))
        changed, elsewhere = (_Changed(world, postgres, tokens) for tokens in (TOKENS, TOKENS // 5))
        with on_core(SERVER_CORE):
            validator = stack.enter_context(changed.filled.validator())
        bench = _Bench(world, changed, elsewhere, validator)
        rounds = [bench.round() for _ in world.rounds(5)]
    return [Figure("currency", case, [found[ours] for found in rounds], [found[peer] for found in rounds], peer_name, unit, goal)
            for case, ours, peer, peer_name, unit, goal in (
                ("committed to refused, hint, p50", "hint_p50", "bound", "10 ms", "ms", None),
                ("committed to refused, hint, p99", "hint_p99", "bound", "10 ms", "ms", 1.0),
                ("committed to refused, polled, p99", "poll_p99", "poll", "the poll period", "ms", 1.01),
                ("committed to refused, among changes, p50", "busy_p50", "hint_p50", "without them", "ms", None),
                ("committed to refused, among changes, p99", "busy_p99", "bound", "10 ms", "ms", 1.0),
                ("one of 5 000 changes a second", "change", "change_wanted", "wanted", "us", 1.05),
                ("behind when they end", "behind", "bound", "10 ms", "ms", None),
                ("Validate beside them, p99", "followed_p99", "elsewhere_p99", "changes not followed", "us", 1.2),
                ("Validate beside them, p99", "followed_p99", "idle_p99", "no changes", "us", 1.2))]


class _Changed:
    """A database, and what changes it."""

    def __init__(self, world, postgres, tokens):
        self.filled = Filled(postgres, tokens)
        self._script = world.file(f"change-{tokens}.sql", _CHANGE.encode())
        self._tokens = tokens
        self._connection = self.filled.connect()
        self.query(_PREPARE)

    def query(self, statement, *parameters):
        with self._connection.cursor() as cursor:
            cursor.execute(statement, parameters or None)
            return cursor.fetchall() if cursor.description else []

    @contextlib.contextmanager
    def changing(self, seconds):
        """5 000 changes a second for so long, which have begun; returns when they have ended."""
        command = [bin_directory() / "pgbench", "--no-vacuum", "--client=2", "--protocol=prepared", f"--time={seconds}",
                   f"--rate={_CHANGES_PER_S // _CHANGES_EACH}", f"--define=tokens={self._tokens}", f"--file={self._script}",
                   self.filled.superuser_url]
        (before,), = self.query(_HEADS)
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            wait_until(lambda: self.query(_HEADS)[0][0] > before, 30, "the first change")
            yield
            if process.wait() != 0:
                raise RuntimeError("pgbench failed")


class _Bench:
    def __init__(self, world, changed, elsewhere, validator):
        self._changed, self._elsewhere, self._validator = changed, elsewhere, validator
        self._client = Client(validator.address)
        self._seconds, self._samples = (2, 60) if world.quick else (6, 200)
        data = changed.filled.data
        self._bodies = world.file("currency.bodies", b"".join(framed(question(data, secret)) for secret in data.secrets))
        ids = dict(changed.query(_KNOWN, [secret_text.digest(secret) for secret in data.secrets]))
        self._tokens = [(ids[secret_text.digest(secret).hex()], question(data, secret)) for secret in data.secrets]
        check_admits(validator, data)

    def round(self):
        idle = self._ask()
        with self._elsewhere.changing(self._seconds + 2):
            elsewhere = self._ask()
        with self._changed.changing(self._seconds + 2):
            followed = self._ask()
        found = {"bound": _BOUND_MS, "poll": _POLL_MS, "change_wanted": 1e6 / _CHANGES_PER_S, **self._follow(),
                 **self._end_tokens("hint", self._samples, 0.02, True),
                 **self._end_tokens("poll", self._samples // 2, 0.05, False)}
        for name, latencies in (("idle", idle), ("elsewhere", elsewhere), ("followed", followed)):
            found[f"{name}_p99"] = latencies["p99_us"]
        return found

    def _follow(self):
        """What the changes do to those of interest, how often there is one, and how far behind they leave the validator."""
        (before,), = self._changed.query(_HEADS)
        started = time.monotonic()
        with self._changed.changing(self._seconds + 2):
            found = self._end_tokens("busy", self._samples, 0.02, True)
        ended = time.monotonic()
        wait_until(lambda: self._changed.query(_BEHIND) == [(0,)], 60, "the validator to have followed")
        (after,), = self._changed.query(_HEADS)
        return {**found, "change": (ended - started) * 1e6 / (after - before), "behind": (time.monotonic() - ended) * 1000}

    def _ask(self):
        """Latencies of questions at an even rate."""
        port = self._validator.address.rsplit(":", 1)[1]
        with on_core(CLIENT_CORE):
            done = subprocess.run([program("tests/bench-open-loop"), port, PATH, self._bodies, str(_CALLS_PER_S),
                                   str(self._seconds), "0.3", "8"], capture_output=True, text=True, timeout=60, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"not every call was answered: {done.stdout}{done.stderr}")
        return json.loads(done.stdout)

    def _end_tokens(self, name, count, interval_s, has_hint):
        """p50 and p99 of the milliseconds from each commit to the first refusal."""
        self._revive()
        tokens, due = iter(self._tokens[:count]), time.monotonic()
        waiting, samples = [], []
        while len(samples) < count:
            if time.monotonic() >= due and (token := next(tokens, None)):
                waiting.append((self._end(token[0], has_hint), token[1]))
                due += random.expovariate(1 / interval_s)
            refused = self._find_refused([asked for _, asked in waiting])
            now = time.monotonic()
            samples += [(now - committed) * 1000 for (committed, _), is_refused in zip(waiting, refused) if is_refused]
            waiting = [one for one, is_refused in zip(waiting, refused) if not is_refused]
            time.sleep(_BETWEEN_S)
        percentiles = quantiles(samples, n=100, method="inclusive")
        return {f"{name}_p50": percentiles[49], f"{name}_p99": percentiles[98]}

    def _end(self, token_id, has_hint):
        """When it was committed."""
        self._changed.query(_END, token_id)
        committed = time.monotonic()
        if has_hint:
            self._changed.query("NOTIFY latchkey_change")
        return committed

    def _find_refused(self, questions):
        if not questions:
            return []
        answers = self._client.validation.ValidateBatch(messages().ValidateBatchRequest(requests=questions), timeout=10)
        return [answer.decision != decision().DECISION_ALLOW for answer in answers.responses]

    def _revive(self):
        self._changed.query(_REVIVE, [token_id for token_id, _ in self._tokens])
        wait_until(lambda: not any(self._find_refused([asked for _, asked in self._tokens])), 60, "all to be admitted")
