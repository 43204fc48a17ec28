"""Primaries that are killed under load, with the settings of deploy/postgres on real Patroni and etcd: what was acknowledged is there,
nothing is done twice, nobody hears another word than UNAVAILABLE, and validators go on without loading anything again.

LATCHKEY_HA_CYCLES (20) is how many: PostgreSQL alone is killed; the node, after waits for the standby were cut short; Patroni stands
still until there are two primaries; the whole node is killed. What it took is printed.
"""

import contextlib
import functools
import itertools
import os
import re
import statistics
import time
import unittest
import urllib.error

import grpc
import psycopg2

from latchkey_test.background import Background
from latchkey_test.waiting import wait_until

from patroni_cluster import PatroniCluster, stopped
from system import System, decision_pb2
from writers import Writers

CYCLES = int(os.environ.get("LATCHKEY_HA_CYCLES", "20"))
PATIENT = {"max_staleness": "10m", "poll_interval": "100ms"}  # far longer than a failover takes, on any machine
QUICK_S = 2
CUTS = 20  # waits cut short each time
# A waiting COMMIT whose wait ends without the standby; a terminated backend would be told to the client as well.
CUT_SHORT = ("SELECT count(pg_cancel_backend(pid)) FROM pg_stat_activity"
             " WHERE wait_event = 'SyncRep' AND query = 'COMMIT' AND application_name LIKE 'latchkey%'")
CONNECTIONS = "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'latchkey%' AND datname LIKE 'latchkey_test%'"


class Watch(Background):
    """Asks a validator all the time about a token that is kept and one that has ended, and counts who is connected to the database."""

    def __init__(self, cluster, system, kept, ended):
        super().__init__(self._count, *[functools.partial(self._ask, validator) for validator in system.validators])
        self._cluster, self._system = cluster, system
        self._secrets = {"kept": kept, "ended": ended}
        self.heard = {validator: {"kept": set(), "ended": set()} for validator in system.validators}
        self.rounds = dict.fromkeys(system.validators, 0)
        self.connections = 0

    def _ask(self, validator):
        while not self.is_over.wait(0.02):
            for name, secret in self._secrets.items():
                self.heard[validator][name].add(self._system.ask(validator, secret, timeout=120))
            self.rounds[validator] += 1

    def _count(self):
        while not self.is_over.wait(0.2):
            try:
                self.connections = max(self.connections, self._cluster.execute(CONNECTIONS)[0][0])
            except psycopg2.Error:
                pass  # nobody to be connected to

    def hear_more(self):
        wanted = {validator: rounds + 2 for validator, rounds in self.rounds.items()}
        wait_until(lambda: all(self.rounds[validator] >= count for validator, count in wanted.items()), 120, "more answers")


class Failover(unittest.TestCase):
    def kill_postgres(self, _, leader):
        leader.kill_postmaster()

    def kill_node(self, _, leader):
        leader.kill_node()

    def kill_after_waits_cut_short(self, cluster, leader):
        """The standby gets nothing any more; whose wait for it is cut short may be told anything but that it is done."""
        with stopped(leader.senders()):
            self.cut_waits_short(cluster, leader)
            leader.kill_node()

    def make_two_primaries(self, cluster, leader):
        """The old one may be written to as before, by who finds it first; what it has no standby knows."""
        with stopped([leader.patroni()]):
            wait_until(lambda: cluster.find_other_leader(leader), 180, "another primary")
            self.cut_waits_short(cluster, leader)

    def cut_waits_short(self, cluster, leader):
        with contextlib.closing(cluster.connect_to(leader)) as connection, connection.cursor() as cursor:
            cut = 0

            def cut_short():
                nonlocal cut
                cursor.execute(CUT_SHORT)
                cut += cursor.fetchone()[0]
                return cut >= CUTS

            wait_until(cut_short, 180, "waits to be cut short")

    def loads(self, validator):
        return int(re.search(r"^latchkey_follower_loads_total (\d+)", validator.admin("/metrics")[1], re.MULTILINE)[1])

    def attempts(self, server):
        """To connect to the database, in vain."""
        return int(re.search(r"^latchkey_database_connections_failed_total (\d+)", server.admin("/metrics")[1], re.MULTILINE)[1])

    def fail_over(self, cluster, writers, kill):
        """Seconds from the blow to the first change that was acknowledged after it."""
        leader = cluster.leader()
        kill(cluster, leader)
        struck_at = time.monotonic()  # what is asked from now on, the next primary answers
        wait_until(lambda: cluster.find_other_leader(leader), 180, "another primary")
        writers.wait_for_more(20)
        cluster.heal()
        return writers.first_after(struck_at) - struck_at

    def test_killed_primaries_lose_nothing_that_was_acknowledged(self):
        # The standby is not to be given up while nothing reaches it.
        with PatroniCluster(wal_sender_timeout="10min", wal_receiver_timeout="10min") as cluster:
            system = System(validators=1, postgres=cluster, **PATIENT)
            # Sooner than their clients, who would hear DEADLINE_EXCEEDED from nobody but themselves.
            for server in (system.deployment.server, system.whitelist_server):
                server.settings["max_deadline"] = "5s"
            with system:
                self.check(cluster, system)

    def check(self, cluster, system):
        quick = system.start_validator(max_staleness=f"{QUICK_S}s")
        usual = system.start_validator(max_staleness="30s", poll_interval="1s")  # as without settings
        patient = system.validators[0]
        kept, ended = system.create(wait=0), system.create(wait=0)
        system.deactivate(ended.access_token.token_id, wait=0)
        for validator in system.validators:
            system.ask_until(validator, ended.secret, "DEACTIVATED", timeout=120)
        loads, took = self.loads(patient), {}
        with Writers(system) as writers, Watch(cluster, system, kept.secret, ended.secret) as watch:
            kinds = (self.kill_postgres, self.kill_after_waits_cut_short, self.make_two_primaries, self.kill_node)
            for kill in itertools.islice(itertools.cycle(kinds), CYCLES):
                before, began_at = self.attempts(system.deployment.server), time.monotonic()
                took.setdefault(kill.__name__, []).append(self.fail_over(cluster, writers, kill))
                # As many as its backoff allows: 0.4 s apart and more, but for the first.
                attempts = self.attempts(system.deployment.server) - before
                self.assertLess(attempts, 20 + 3 * (time.monotonic() - began_at), "attempts to connect")
                writers.check(system)
                system.ask_until(quick, kept.secret, "OK", timeout=120)
            self.switch_over(cluster)
            writers.wait_for_more(20)
            watch.hear_more()
        tokens, deactivated = writers.check(system)
        self.assertEqual({code for code, _ in writers.refusals}, {grpc.StatusCode.UNAVAILABLE})
        self.assertEqual(watch.heard[patient], {"kept": {"OK"}, "ended": {"DEACTIVATED"}})
        for validator in (quick, usual):
            self.assertEqual(watch.heard[validator]["ended"] - {"DEACTIVATED", "STALE"}, set())
            self.assertEqual(watch.heard[validator]["kept"] - {"OK", "STALE"}, set())
        if CYCLES > 1:  # a node's lease outlasts its validators' by far
            self.assertIn("STALE", watch.heard[quick]["kept"])
        self.assertEqual(self.loads(patient), loads)
        # Two management servers' pools, and of each validator its few.
        self.assertLessEqual(watch.connections, 2 * 10 + 3 * 4)
        self.check_everywhere(system, writers)
        self.report(took, tokens, deactivated, writers, watch)
        print(f"a validator with a lease of 30 s was heard to say {sorted(watch.heard[usual]['kept'])}")

    def switch_over(self, cluster):
        """Which takes more than the password: a certificate, as a node has it."""
        with self.assertRaises(urllib.error.HTTPError) as refused:
            cluster.switch_over(cluster.leader().knowing_it())
        self.assertEqual(refused.exception.code, 403)
        cluster.switch_over()

    def check_everywhere(self, system, writers):
        """Validators, one that starts now too, admit what is kept and nothing that has ended."""
        system.start_validator()
        newest = system.create(wait=0)  # what came before it is known where it is known
        for validator in system.validators:
            system.ask_until(validator, newest.secret, "OK", timeout=120)
            for tokens, answer in ((writers.kept, "OK"), (writers.ended, "DEACTIVATED")):
                secrets = [secret for _, secret in tokens if secret]
                answers = set(system.ask_many(validator, [(secret, "203.0.113.7") for secret in secrets]))
                self.assertEqual(answers, {str(number_of(answer))}, validator.address)
        done = system.deployment.latchkey("audit", "verify", check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        done = system.deployment.latchkey("recover", check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def report(self, took, tokens, deactivated, writers, watch):
        for kind, seconds in took.items():
            print(f"{kind}: {len(seconds)} times, {min(seconds):.1f} to {max(seconds):.1f} s, median {statistics.median(seconds):.1f} s")
        refusals = ", ".join(f"{count} {reason}" for (_, reason), count in sorted(writers.refusals.items(), key=str))
        print(f"{tokens} tokens made, {deactivated} ended, all there; refused and asked again: {refusals}; "
              f"at most {watch.connections} connections")


def number_of(reason):
    return decision_pb2.Reason.Value(f"REASON_{reason}")


if __name__ == "__main__":
    unittest.main()
