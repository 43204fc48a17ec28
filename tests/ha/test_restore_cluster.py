"""The restore of docs/operations.md where Patroni runs PostgreSQL: on one node, which the others then follow anew. Nothing was lost, so
validators go on by themselves."""

import json
import os
import shutil
import subprocess
import unittest

import grpc

from latchkey_test.postgres import account, bin_directory
from latchkey_test.waiting import wait_until

from manual import commands
from patroni_cluster import PatroniCluster
from system import System

PATIENT = {"max_staleness": "10m", "poll_interval": "100ms"}


class RestoreCluster(unittest.TestCase):
    def run_on(self, cluster, node, script, user="postgres", **variables):
        environment = {
            **os.environ, "PATH": f"{bin_directory()}:{os.environ['PATH']}", "PGDATA": str(node.directory / "data"),
            "BACKUP": str(node.directory / "backup"), "ARCHIVE": str(node.directory / "archive"), "PGHOST": str(node.directory),
            "PGPORT": str(node.port), "PGUSER": user, "PGDATABASE": "postgres", "PGPASSWORD": cluster.password, **variables}
        # What pg_ctl starts keeps what it was given open: a file, so that nobody waits for its end.
        with open(node.directory / "said", "w+", encoding="utf-8") as said:
            done = subprocess.run(["bash", "-euo", "pipefail", "-c", script], stdin=subprocess.DEVNULL, stdout=said, stderr=said,
                                  env=environment, cwd=node.directory, check=False, **account())
            said.seek(0)
            self.assertEqual(done.returncode, 0, said.read())

    def try_to_create(self, system):
        try:
            return system.create(wait=0)
        except grpc.RpcError as error:
            self.assertEqual(error.code(), grpc.StatusCode.UNAVAILABLE)
            return None

    def test_a_cluster_is_restored_on_one_node_and_the_others_follow_it(self):
        with PatroniCluster() as cluster, System(validators=1, postgres=cluster, **PATIENT) as system:
            validator, = system.validators
            leader = cluster.leader()
            other, = (node for node in cluster.nodes if node is not leader)
            self.run_on(cluster, leader, commands("a backup"), user="replicator")
            kept, ended = system.create(wait=0), system.create(wait=0)
            system.deactivate(ended.access_token.token_id, wait=0)
            system.ask_until(validator, ended.secret, "DEACTIVATED", timeout=120)

            for node in (other, leader):
                node.kill_node()
            self.run_on(cluster, leader, commands("the disk is lost, or"), UNTIL="")
            cluster.forget()
            shutil.rmtree(other.directory / "data")
            leader.start()
            wait_until(lambda: cluster.find_leader() is leader, 180, "Patroni to have taken what was restored")
            cluster.heal()

            made = wait_until(lambda: self.try_to_create(system), 120, "management to work again")
            system.ask_until(validator, made.secret, "OK", timeout=120)
            self.assertEqual([system.ask(validator, token.secret) for token in (kept, ended)], ["OK", "DEACTIVATED"])
            shown = json.loads(system.deployment.latchkey("recover", "--json", check=False).stdout)
            self.assertEqual((shown["reports"], shown["timeline_accepted"]), ([], True))


if __name__ == "__main__":
    unittest.main()
