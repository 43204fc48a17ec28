"""From a commit until a validator decides by it, quiet and while 5 000 changes a second are followed

Tokens are deactivated by SQL, each in a transaction; the clock runs from the return of COMMIT to the first refusal. With the
hint the validator is woken as a server does it, by a NOTIFY outside of the transaction; without it it polls. PostgreSQL
reaches the disk on every commit. 5 000 changes a second are 250 commits of 20, of as many companies, on all processors:
single ones are more than two processors have power for.

Validate is asked at an even rate while PostgreSQL has the other core, as if on another machine; for that core alone the
changes come in 50 commits of 100. Its peers are the same without changes, and with as many in a database that the validator
does not follow. The three take turns of a second, many times: what else disturbs the machine spoils some of them, and
the median is of those that it did not. The CPU time of the loop's own thread for each call is what hardly any of that moves.
"""

import contextlib
import json
import random
import re
import subprocess
import time
from statistics import quantiles

from figures import Figure
from latchkey_test import Client, PrivatePostgres, program, secret_text
from latchkey_test.postgres import bin_directory
from latchkey_test.waiting import wait_until
from pinned import CLIENT_CORE, FIRST, SERVER_CORE, on_core, thread_cpu_ns
from validation import PATH, TOKENS, check_admits, decision, framed, messages, question
from world import Filled

_POLL_MS = 1000.0  # the default
_BOUND_MS = 10.0
_CHANGES_PER_S, _GROUP = 5000, 10
_MANY_COMMITS, _FEW_COMMITS = 250, 50
_CALLS_PER_S, _DEADLINE_MS = 2000, 1000
_ASKED_S = 1.2
_BETWEEN_S = 0.0005  # questions: what a sample may be too long by

_PREPARE = f"""
CREATE TABLE bench_change AS
SELECT (n / {_GROUP})::integer AS number, array_agg(token_id) AS ids
  FROM (SELECT token_id, row_number() OVER (ORDER BY token_id) - 1 AS n FROM latchkey.token) AS token
 GROUP BY 1 HAVING count(*) = {_GROUP};
CREATE UNIQUE INDEX ON bench_change (number);
ANALYZE bench_change
"""
# Tokens that follow each other are of different companies, which spread over the lanes.
_CHANGE = f"""
\\set number random(0, :tokens / {_GROUP} - :groups)
UPDATE latchkey.token SET label = label WHERE token_id = ANY (ARRAY(
    SELECT unnest(ids) FROM bench_change
     WHERE number = ANY (ARRAY(SELECT generate_series(:number::integer, :number::integer + :groups::integer - 1)))));
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
        rounds = [{"bound": _BOUND_MS, "poll": _POLL_MS, "change_wanted": 1e6 / _CHANGES_PER_S, **bench.measure_quiet()}
                  for _ in world.rounds(3)]
        for found in rounds:
            found.update(bench.measure_changes())
        postgres.run_on({CLIENT_CORE})
        asked = [{"change_wanted": 1e6 / _CHANGES_PER_S, **bench.measure_questions()} for _ in range(5 if world.quick else 15)]
    return [Figure("currency", case, [found[ours] for found in samples], [found[peer] for found in samples], peer_name, unit, goal)
            for samples, case, ours, peer, peer_name, unit, goal in (
                (rounds, "committed to refused, hint, p50", "hint_p50", "bound", "10 ms", "ms", None),
                (rounds, "committed to refused, hint, p99", "hint_p99", "bound", "10 ms", "ms", 1.0),
                (rounds, "committed to refused, polled, p99", "poll_p99", "poll", "the poll period", "ms", 1.01),
                (rounds, "committed to refused, among changes, p50", "busy_p50", "hint_p50", "without them", "ms", None),
                (rounds, "committed to refused, among changes, p99", "busy_p99", "hint_p99", "without them", "ms", None),
                (rounds, "one of 5 000 changes a second", "change", "change_wanted", "wanted", "us", 1.05),
                (rounds, "behind when they end", "behind", "bound", "10 ms", "ms", None),
                (asked, "the same on the other core", "followed_change", "change_wanted", "wanted", "us", None),
                (asked, "Validate beside them, the loop's CPU time", "followed_cpu", "idle_cpu", "no changes", "us", 1.2),
                (asked, "Validate beside them, p50", "followed_p50", "idle_p50", "no changes", "us", None),
                (asked, "Validate beside them, p90", "followed_p90", "idle_p90", "no changes", "us", None),
                (asked, "Validate beside them, p99", "followed_p99", "idle_p99", "no changes", "us", 1.2),
                (asked, "Validate beside them, p99", "followed_p99", "elsewhere_p99", "changes not followed", "us", None))]


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
    def changing(self, seconds, commits_per_s):
        """Changed 5 000 times a second for so long, which has begun; a list that holds the real rate in the end."""
        command = [bin_directory() / "pgbench", "--no-vacuum", "--client=4", "--protocol=prepared", f"--time={seconds}",
                   f"--rate={commits_per_s}", f"--define=groups={_CHANGES_PER_S // _GROUP // commits_per_s}",
                   f"--define=tokens={self._tokens}", f"--file={self._script}", self.filled.superuser_url]
        (before,), = self.query(_HEADS)
        rate = []
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
            wait_until(lambda: self.query(_HEADS)[0][0] > before, 30, "the first change")
            yield rate
            said, _ = process.communicate()
        if process.returncode != 0:
            raise RuntimeError(f"pgbench failed: {said}")
        rate.append(float(re.search(r"^tps = ([\d.]+)", said, re.MULTILINE)[1]) * _CHANGES_PER_S / commits_per_s)


class _Bench:
    def __init__(self, world, changed, elsewhere, validator):
        self._changed, self._elsewhere, self._validator = changed, elsewhere, validator
        self._client = Client(validator.address)
        self._seconds, self._samples = (1, 60) if world.quick else (6, 200)
        data = changed.filled.data
        self._bodies = world.file("currency.bodies", b"".join(framed(question(data, secret)) for secret in data.secrets))
        ids = dict(changed.query(_KNOWN, [secret_text.digest(secret) for secret in data.secrets]))
        self._tokens = [(ids[secret_text.digest(secret).hex()], question(data, secret)) for secret in data.secrets]
        check_admits(validator, data)
        self._loop = self._find_loop()

    def measure_quiet(self):
        return {**self._end_tokens("hint", self._samples, 0.02, True),
                **self._end_tokens("poll", self._samples // 2, 0.05, False)}

    def measure_changes(self):
        """What they do to those of interest, how often there is one, and how far behind they leave the validator."""
        with self._changed.changing(self._seconds + 2, _MANY_COMMITS) as rate:
            found = self._end_tokens("busy", self._samples, 0.02, True)
        ended = time.monotonic()
        wait_until(lambda: self._changed.query(_BEHIND) == [(0,)], 60, "the validator to have followed")
        return {**found, "change": 1e6 / rate[0], "behind": (time.monotonic() - ended) * 1000}

    def measure_questions(self):
        """Percentiles of Validate while nothing changes, while another database does, and while the own one does."""
        found = self._ask("idle")
        for name, database in (("elsewhere", self._elsewhere), ("followed", self._changed)):
            with database.changing(2, _FEW_COMMITS) as rate:
                found.update(self._ask(name))
            found[f"{name}_change"] = 1e6 / rate[0]
        return found

    def _ask(self, name):
        """Percentiles of questions at an even rate, in microseconds."""
        port = self._validator.address.rsplit(":", 1)[1]
        before = thread_cpu_ns(self._validator.pid)
        with on_core(CLIENT_CORE):
            done = subprocess.run([*FIRST, program("tests/bench-open-loop"), port, PATH, self._bodies, str(_CALLS_PER_S),
                                   str(_ASKED_S), "0.3", "8", str(_DEADLINE_MS)],
                                  capture_output=True, text=True, timeout=60, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"the client failed: {done.stderr}")
        found = json.loads(done.stdout)
        if found["ok"] != found["sent"]:
            raise RuntimeError(f"not every call was answered: {done.stdout}")
        cpu_us = (thread_cpu_ns(self._validator.pid)[self._loop] - before[self._loop]) / 1000
        return {**{f"{name}_{percentile}": found[f"{percentile}_us"] for percentile in ("p50", "p90", "p99")},
                f"{name}_cpu": cpu_us / found["sent"]}

    def _find_loop(self):
        """The thread that answers: the busiest while somebody asks and nothing changes."""
        before = thread_cpu_ns(self._validator.pid)
        for _ in range(50):
            self._find_refused([question for _, question in self._tokens[:100]])
        after = thread_cpu_ns(self._validator.pid)
        return max(after, key=lambda thread: after[thread] - before.get(thread, 0))

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
