"""A Patroni that stands still, without a watchdog: its PostgreSQL may be written to as before, and so may the next primary. What is
revoked at the one is admitted by nobody once that is confirmed, neither by a validator that follows the other and goes on
asking for its lease there, where its waits for the standby are cut short."""

import contextlib
import time
import unittest

import psycopg2

from latchkey_test import Client
from latchkey_test.background import Background
from latchkey_test.waiting import wait_until

from fence_case import Questions
from patroni_cluster import PatroniCluster, stopped
from system import System

QUICK = {"max_staleness": "5s", "poll_interval": "100ms"}
LOYAL = 1  # the validator that knows no other primary than the old one
CUT_SHORT = "SELECT count(pg_cancel_backend(pid)) FROM pg_stat_activity WHERE wait_event = 'SyncRep'"


class Cutter(Background):
    """No wait for the standby lasts."""

    def __init__(self, cluster, node):
        super().__init__(self._work)
        self._connection = cluster.connect_to(node)
        self.cut = 0

    def __exit__(self, *error):
        with contextlib.closing(self._connection):
            super().__exit__(*error)

    def _work(self):
        with self._connection.cursor() as cursor:
            while not self.is_over.wait(0.01):
                cursor.execute(CUT_SHORT)
                self.cut += cursor.fetchone()[0]


class TwoPrimaries(unittest.TestCase):
    def test_what_is_confirmed_at_one_is_admitted_by_none_that_follows_the_other(self):
        with PatroniCluster() as cluster, System(validators=1, postgres=cluster, **QUICK) as system:
            old = cluster.leader()
            system.start_validator(database_url=cluster.url_at(old, system.deployment.url))
            victim = system.create(wait=0)
            for validator in system.validators:
                system.ask_until(validator, victim.secret, "OK", timeout=120)
            with Questions(system, victim.secret) as questions, stopped([old.patroni()]):
                new = wait_until(lambda: cluster.find_other_leader(old), 180, "another primary")
                with Cutter(cluster, old) as cutter:
                    revoked_at = self.revoke_at(cluster, system, new, victim)
                    wait_until(lambda: cutter.cut > 20, 180, "renewals to be cut short")
                    wait_until(lambda: "STALE" in questions.answers_since(revoked_at)[LOYAL], 180, "the lease there to run out")
                    for answers in questions.answers_since(revoked_at):
                        self.assertLessEqual(answers, {"STALE", "DEACTIVATED"})
            cluster.wait_healthy()
            system.ask_until(system.validators[0], victim.secret, "DEACTIVATED", timeout=180)
            self.assertEqual(system.ask(system.validators[LOYAL], victim.secret), "STALE")  # a standby gives no lease

    def test_a_patroni_that_stands_still_is_restarted_and_follows_the_next_primary(self):
        with PatroniCluster() as cluster:
            old = cluster.leader()
            cluster.execute("CREATE TABLE acknowledged (by text)")
            with stopped([old.patroni()]):
                new = wait_until(lambda: cluster.find_other_leader(old), 180, "another primary")
                self.write_at(cluster, new)
                old.restart()
            cluster.wait_healthy()
            self.assertIs(cluster.leader(), new)
            self.assertEqual(cluster.execute("SELECT by FROM acknowledged"), [(new.name,)])

    def write_at(self, cluster, node):
        """Once it may be written to."""
        def is_written():
            with contextlib.suppress(psycopg2.Error), contextlib.closing(cluster.connect_to(node)) as connection:
                connection.cursor().execute(f"INSERT INTO acknowledged VALUES ('{node.name}')")
                return True
        wait_until(is_written, 180, "the next primary to take a change")

    def revoke_at(self, cluster, system, node, made):
        """When it was confirmed."""
        server = system.deployment.beside("latchkey-token", database_url=cluster.url_at(node, system.deployment.url))
        with server, contextlib.closing(Client(server.address, system.deployment.secrets["LATCHKEY_TOKEN"])) as client:
            return wait_until(lambda: self.try_to_revoke(system, client, made), 180, "a confirmed revocation")

    def try_to_revoke(self, system, client, made):
        answer = system.deactivate(made.access_token.token_id, wait=40, client=client)
        return answer.validators.all_confirmed and time.monotonic()


if __name__ == "__main__":
    unittest.main()
