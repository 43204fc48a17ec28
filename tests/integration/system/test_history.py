"""What validators do when PostgreSQL is another one than before: after a failover that lost nothing they go on; after one
that lost something, or a restore, none of them admits anybody until `latchkey recover` has settled it.
"""

import json
import re
import tempfile
import unittest
from pathlib import Path

import grpc

from latchkey_test import CallCase, Client, FedServer, PrivatePostgres, Server, StandbyPostgres, both_urls, stubs
from latchkey_test.background import Background
from latchkey_test.waiting import wait_until

from system import System, scaled

audit_pb2 = stubs.messages("latchkey/v1/audit.proto")

REVOCATIONS = scaled(100)
QUICK = {"max_staleness": "2s", "poll_interval": "100ms"}
PATIENT = {"max_staleness": "120s", "poll_interval": "100ms"}  # far longer than a failover takes


class Watch(Background):
    """Asks every validator about secrets, round after round, and keeps what it heard."""

    def __init__(self, system, secrets):
        super().__init__(self._work)
        self._system = system
        self._secrets = secrets
        self.heard = set()
        self.rounds = 0

    def _work(self):
        while not self.is_over.is_set():
            for validator in list(self._system.validators):
                self.heard |= {self._system.ask(validator, secret) for secret in self._secrets}
            self.rounds += 1

    def hear_more(self, rounds=2):
        wanted = self.rounds + rounds
        wait_until(lambda: self.rounds >= wanted, 60, "more rounds of questions")


class HistoryCase(CallCase):
    def can_write(self, system):
        try:
            return system.create(wait=0)
        except grpc.RpcError:
            return None

    def await_management(self, system):
        wait_until(lambda: self.can_write(system), 60, "management to work again")

    def loads(self, validator):
        return int(re.search(r"^latchkey_follower_loads_total (\d+)", validator.admin("/metrics")[1], re.MULTILINE)[1])

    def recover(self, system, *options, code):
        done = system.deployment.latchkey("recover", "--json", *options, check=False)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return json.loads(done.stdout) if done.stdout else None

    def await_reports(self, system, count):
        """What the dry run shows once so many validators have reported all that they know."""
        def read():
            shown = json.loads(system.deployment.latchkey("recover", "--json", check=False).stdout)
            return shown if sum(report["compared"] for report in shown["reports"]) >= count else None
        return wait_until(read, 60, f"{count} reports")

    def revoke(self, system, made):
        """All of them, known to every validator in the end."""
        for token in made[:-1]:
            system.deactivate(token.access_token.token_id, wait=0)
        answer = system.deactivate(made[-1].access_token.token_id)
        self.assertTrue(answer.validators.all_confirmed)

    def create(self, system, count):
        return [system.create(wait=0) for _ in range(count - 1)] + [system.create()]

    def start_without_memory(self, system):
        """One more validator, which is not waited for."""
        late = Server("latchkey-validator", database_url=system.deployment.url, **QUICK)
        self.addCleanup(late.remove)
        late.start(ready=False)
        wait_until(lambda: late.admin("/livez")[0] == 200, 30, "the validator to listen")
        late.client = Client(late.address)
        self.addCleanup(late.client.close)
        return late


class Failover(HistoryCase):
    def test_a_failover_that_lost_nothing_costs_validators_neither_lease_nor_load(self):
        with PrivatePostgres() as primary, StandbyPostgres(primary) as standby:
            primary.require_standby(standby)
            with System(validators=2, postgres=both_urls(primary, standby), **PATIENT) as system:
                kept, ended = system.create(), system.create()
                self.revoke(system, [ended])
                loads = [self.loads(validator) for validator in system.validators]
                with Watch(system, [kept.secret]) as kept_watch, Watch(system, [ended.secret]) as ended_watch:
                    primary.kill()
                    standby.promote()
                    self.await_management(system)
                    system.create()  # known to both validators, by the new primary
                    kept_watch.hear_more()
                    ended_watch.hear_more()
                self.assertEqual(kept_watch.heard, {"OK"})
                self.assertEqual(ended_watch.heard, {"DEACTIVATED"})
                self.assertEqual([self.loads(validator) for validator in system.validators], loads)
                # They accepted the new timeline for those that have no memory.
                self.assertEqual(system.ask(system.start_validator(), kept.secret), "OK")
                self.assertEqual(self.recover(system, code=0)["reports"], [])

    def test_a_failover_that_lost_a_revocation_stops_all_until_it_is_done_again(self):
        with PrivatePostgres() as primary, StandbyPostgres(primary) as standby:
            with System(validators=2, postgres=both_urls(primary, standby), **PATIENT) as system:
                kept, ended = self.create(system, 2)
                wait_until(lambda: standby.execute(
                    f"SELECT pg_last_wal_replay_lsn() >= '{primary.execute('SELECT pg_current_wal_lsn()')[0][0]}'")[0][0],
                    60, "the standby to have it all")
                standby.stop()
                self.revoke(system, [ended])
                primary.kill()
                standby.start()
                with Watch(system, [ended.secret]) as watch:
                    standby.promote()
                    for validator in system.validators:
                        system.ask_until(validator, kept.secret, "HISTORY_LOST")
                    shown = self.await_reports(system, 2)
                    self.assertEqual([(change["what"], change["object_id"]) for change in shown["changes"]],
                                     [("token.deactivated", ended.access_token.token_id)])
                    self.assertFalse(shown["timeline_accepted"])
                    self.recover(system, "--redo", "--yes", code=0)
                    for validator in system.validators:
                        system.ask_until(validator, kept.secret, "OK")
                    watch.hear_more()
                self.assertNotIn("OK", watch.heard)
                self.assertEqual({system.ask(validator, ended.secret) for validator in system.validators}, {"DEACTIVATED"})


class Restore(HistoryCase):
    def lose(self, postgres, system, count):
        """Secrets of revocations that a restored database lacks, and one of a token that is good."""
        made = self.create(system, count)
        kept = system.create()
        postgres.back_up()
        self.revoke(system, made)
        postgres.restore()
        return [token.secret for token in made], kept.secret

    def await_loss(self, system, validators, secret):
        for validator in validators:
            system.ask_until(validator, secret, "HISTORY_LOST")
            self.assertIn("latchkey recover", validator.admin("/readyz")[1])

    def operator_events(self, system, action):
        with system.deployment.operator() as client:
            events = client.audit.ListAuditEvents(audit_pb2.ListAuditEventsRequest(page_size=100), timeout=20).events
        return [json.loads(event.after) for event in events if event.action == action]

    def test_lost_revocations_are_admitted_by_nobody_ever_and_are_done_again(self):
        with PrivatePostgres() as postgres, System(validators=2, postgres=postgres, **QUICK) as system:
            ended, kept = self.lose(postgres, system, REVOCATIONS)
            late = self.start_without_memory(system)
            system.validators.append(late)
            with Watch(system, ended) as watch:
                self.await_loss(system, system.validators[:2], kept)
                shown = self.await_reports(system, 2)
                self.assertEqual({change["what"] for change in shown["changes"]}, {"token.deactivated"})
                self.assertEqual(len(shown["changes"]), len(ended))
                self.assertTrue(all(lane["known"] > lane["head"] for lane in shown["lanes"]))
                self.assertIn(system.ask(late, kept), ("LOADING", "HISTORY_LOST"))
                watch.hear_more()
                self.assertFalse(watch.heard & {"OK"}, watch.heard)

                self.assertEqual(self.recover(system, "--redo", "--yes", "--note", "of a test", code=0)["redone"], len(ended))
                for validator in system.validators:
                    system.ask_until(validator, kept, "OK")
                watch.hear_more()
            self.assertNotIn("OK", watch.heard)
            for validator in system.validators:
                self.assertEqual({system.ask(validator, secret) for secret in ended}, {"DEACTIVATED"})
            event, = self.operator_events(system, "history.recovered")
            self.assertEqual((event["redone"], event["left"], event["note"]), (len(ended), 0, "of a test"))
            self.assertEqual(self.recover(system, code=0)["reports"], [])

    def test_a_loss_that_is_accepted_lets_validators_serve_by_the_database(self):
        with PrivatePostgres() as postgres, System(validators=2, postgres=postgres, **QUICK) as system:
            (ended,), kept = self.lose(postgres, system, 1)
            self.await_loss(system, system.validators, kept)
            self.await_reports(system, 2)
            refused = system.deployment.latchkey("recover", "--accept-loss", check=False)
            self.assertEqual(refused.returncode, 2, refused.stderr)  # nobody there to ask
            self.assertEqual(system.ask(system.validators[0], kept), "HISTORY_LOST")
            self.recover(system, "--accept-loss", "--yes", code=0)
            for validator in system.validators:
                system.ask_until(validator, kept, "OK")
                self.assertEqual(system.ask(validator, ended), "OK")
            event, = self.operator_events(system, "history.loss_accepted")
            self.assertEqual((event["redone"], event["left"]), (0, 2))

    def test_what_only_people_can_judge_keeps_a_loss_open_until_it_is_accepted(self):
        with PrivatePostgres() as postgres, System(validators=1, postgres=postgres, **QUICK) as system:
            validator, = system.validators
            entry, = system.add_entries(["198.51.100.0/24"]).entries
            kept, ended = self.create(system, 2)
            postgres.back_up()
            system.remove_entries([entry.entry_id])
            self.revoke(system, [ended])
            postgres.restore()
            system.ask_until(validator, kept.secret, "HISTORY_LOST")
            shown = self.await_reports(system, 1)
            self.assertEqual(sorted((change["what"], change["remedy"]) for change in shown["changes"]),
                             [("token.deactivated", "redo"), ("whitelist.updated", "judge")])
            left = self.recover(system, "--redo", "--yes", code=1)
            self.assertEqual([change["what"] for change in left["changes"]], ["whitelist.updated"])
            self.assertEqual(system.ask(validator, kept.secret), "HISTORY_LOST")
            self.recover(system, "--accept-loss", "--yes", code=0)
            system.ask_until(validator, kept.secret, "OK")
            self.assertEqual(system.ask(validator, ended.secret), "DEACTIVATED")

    def test_one_that_lagged_and_finds_its_own_changes_does_not_serve_either(self):
        with PrivatePostgres() as postgres, System(validators=2, postgres=postgres, **QUICK) as system:
            first, lagging = system.validators
            kept, ended = self.create(system, 2)
            lagging.pause()
            postgres.back_up()
            system.deactivate(ended.access_token.token_id, wait=10)
            wait_until(lambda: system.ask(first, ended.secret) == "DEACTIVATED", 30, "the first validator to know")
            postgres.restore()
            system.ask_until(first, kept.secret, "HISTORY_LOST")
            with Watch(system, [ended.secret]) as watch:
                lagging.resume()
                system.ask_until(lagging, kept.secret, "HISTORY_LOST")
                self.await_reports(system, 1)
                watch.hear_more()
                self.recover(system, "--redo", "--yes", code=0)
                for validator in system.validators:
                    system.ask_until(validator, kept.secret, "OK")
                watch.hear_more()
            self.assertNotIn("OK", watch.heard)

    def test_without_anybody_s_memory_it_waits_until_an_operator_accepts(self):
        with PrivatePostgres() as postgres, System(validators=1, postgres=postgres, **QUICK) as system:
            made = system.create()
            postgres.back_up()
            system.stop_validator(system.validators[0])
            postgres.restore()
            late = self.start_without_memory(system)
            wait_until(lambda: "latchkey recover" in late.admin("/readyz")[1], 30, "the validator to say what it waits for")
            self.assertEqual(system.ask(late, made.secret), "LOADING")
            self.assertFalse(self.recover(system, "--redo", "--yes", code=1)["timeline_accepted"])
            self.assertEqual(system.ask(late, made.secret), "LOADING")
            self.recover(system, "--accept-loss", "--yes", code=0)
            system.ask_until(late, made.secret, "OK")

    def test_one_that_was_down_while_a_loss_was_settled_starts_anew_and_stops_nobody(self):
        directory = Path(self.enterContext(tempfile.TemporaryDirectory()))
        with PrivatePostgres() as postgres, System(validators=1, postgres=postgres, **QUICK) as system:
            first, = system.validators
            down = system.start_validator(snapshot_file=directory / "snapshot")
            kept, ended, later = self.create(system, 3)
            postgres.back_up()
            self.revoke(system, [ended])
            down.stop()  # and leaves a file that knows of it
            self.revoke(system, [later])
            postgres.restore(keeps_timeline=True)
            system.ask_until(first, kept.secret, "HISTORY_LOST")
            self.await_reports(system, 1)
            self.recover(system, "--redo", "--yes", code=0)
            system.ask_until(first, kept.secret, "OK")
            system.validators.remove(down)  # the other one is asked all the time
            with Watch(system, [kept.secret]) as watch:
                watch.hear_more()
                down.start()
                self.assertIn("is settled", down.log())
                system.ask_until(down, kept.secret, "OK")
                self.assertEqual([system.ask(down, token.secret) for token in (ended, later)], ["DEACTIVATED"] * 2)
                watch.hear_more()
            self.assertEqual(watch.heard, {"OK"})
            self.assertEqual(self.recover(system, code=0)["reports"], [])


class Fed(HistoryCase):
    """What the database and the feeder lost is known to a fed validator alone."""

    def feed(self, system, feeder):
        fed = self.enterContext(FedServer(system.deployment, feeder.address, poll_interval="100ms"))
        fed.client = self.enterContext(Client(fed.address))
        return fed

    def start_anew(self, system, postgres, feeder):
        """Database and feeder, with the feeder's memory gone; nobody is left who knows but those who are fed."""
        feeder.kill()
        postgres.restore(keeps_timeline=True)
        self.await_management(system)
        feeder.start(ready=False)

    def test_it_never_admits_what_it_knows_to_be_ended_and_goes_on_once_that_is_settled(self):
        with PrivatePostgres() as postgres, System(validators=1, postgres=postgres, **QUICK) as system:
            feeder, = system.validators
            fed = self.feed(system, feeder)
            behind = self.feed(system, fed)
            kept, ended = self.create(system, 2)
            postgres.back_up()
            self.revoke(system, [ended])
            system.validators[:] = [fed, behind]
            with Watch(system, [ended.secret]) as watch:
                self.start_anew(system, postgres, feeder)
                for each in (feeder, fed, behind):
                    system.ask_until(each, kept.secret, "HISTORY_LOST")
                shown = wait_until(lambda: self.shown_with_failures(system, 2), 60, "both reports to be whole")
                self.assertEqual([(change["what"], change["object_id"]) for change in shown["changes"]],
                                 [("token.deactivated", ended.access_token.token_id)])
                self.assertIn("fed by another validator", shown["reports"][0]["failure"])
                watch.hear_more()
                self.recover(system, "--redo", "--yes", code=1)  # what it could not compare is for people
                system.ask_until(fed, kept.secret, "HISTORY_LOST")
                self.recover(system, "--accept-loss", "--yes", code=0)
                for each in (feeder, fed, behind):
                    system.ask_until(each, kept.secret, "OK")
                watch.hear_more()
            self.assertNotIn("OK", watch.heard)
            for each in (feeder, fed, behind):
                self.assertEqual(system.ask(each, ended.secret), "DEACTIVATED")
            self.assertEqual(self.recover(system, code=0)["reports"], [])

    def shown_with_failures(self, system, count):
        shown = json.loads(system.deployment.latchkey("recover", "--json", check=False).stdout)
        return shown if sum(bool(report["failure"]) for report in shown["reports"]) == count else None

    def test_one_that_stood_still_while_it_was_settled_goes_on_and_stops_nobody(self):
        with PrivatePostgres() as postgres, System(validators=1, postgres=postgres, **QUICK) as system:
            feeder, = system.validators
            fed, still = self.feed(system, feeder), self.feed(system, feeder)
            kept, first, second = self.create(system, 3)
            postgres.back_up()
            self.revoke(system, [first])
            still.pause()
            self.revoke(system, [second])
            self.start_anew(system, postgres, feeder)
            system.ask_until(fed, kept.secret, "HISTORY_LOST")
            wait_until(lambda: self.shown_with_failures(system, 1), 60, "the report to be whole")
            self.recover(system, "--redo", "--accept-loss", "--yes", code=0)
            system.ask_until(fed, kept.secret, "OK")
            still.resume()
            for answer in system.ask_until(still, kept.secret, "OK"):
                self.assertIn(answer, ("STALE", "HISTORY_LOST"))
            for each in (fed, still):
                self.assertEqual([system.ask(each, ended.secret) for ended in (first, second)], ["DEACTIVATED"] * 2)
            self.assertEqual(self.recover(system, code=0)["reports"], [])

    def test_where_nothing_was_lost_it_goes_on_by_what_the_feeder_has(self):
        with System(validators=1, **QUICK) as system:
            feeder, = system.validators
            fed = self.feed(system, feeder)
            kept, ended = self.create(system, 2)
            feeder.kill()
            system.deactivate(ended.access_token.token_id, wait=0)
            feeder.start()
            system.ask_until(fed, ended.secret, "DEACTIVATED")
            self.assertEqual(system.ask(fed, kept.secret), "OK")
            self.assertEqual(self.recover(system, code=0)["reports"], [])


if __name__ == "__main__":
    unittest.main()
