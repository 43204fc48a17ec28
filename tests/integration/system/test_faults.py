"""What happens when a part is gone: PostgreSQL stopped or killed, each of our processes killed, a validator that stands
still, a database that is not the one it was. Nothing acknowledged is lost, nobody is admitted on old news, and all
recover by themselves.
"""

import threading
import time
import unittest
from concurrent.futures import ThreadPoolExecutor

import grpc
import psycopg2.extensions

from latchkey_test import CallCase, PrivatePostgres, retry_info
from latchkey_test.waiting import wait_until

from system import Stopwatch, System, Writers

MAX_STALENESS = 2  # seconds
QUICK = {"max_staleness": f"{MAX_STALENESS}s", "poll_interval": "100ms"}


class Faults(CallCase):
    # ---- PostgreSQL ----

    def test_without_postgres_management_says_when_to_come_back_and_validators_go_on_for_max_staleness(self):
        staleness = 10  # long enough for a busy machine to ask twice in it
        with PrivatePostgres() as postgres, \
             System(validators=2, postgres=postgres, **{**QUICK, "max_staleness": f"{staleness}s"}) as system:
            secret = system.create().secret
            postgres.stop()
            watch = Stopwatch()
            for validator in system.validators:
                self.assertEqual(system.ask(validator, secret), "OK")
            self.assertLess(watch.seconds(), staleness, "asked in time")
            with self.assertRaises(grpc.RpcError) as caught:
                system.create(wait=0)
            self.assertEqual(caught.exception.code(), grpc.StatusCode.UNAVAILABLE)
            self.assertTrue(retry_info(caught.exception), caught.exception.details())

            for validator in system.validators:
                others = system.ask_until(validator, secret, "STALE")
                self.assertIn(others, ([], ["OK"]))
                self.assertFalse(validator.is_ready())
            # Counted from before the last renewal was sent: never later than from when the server was gone.
            self.assertLess(watch.seconds(), staleness + 5)

            postgres.start()
            for validator in system.validators:
                self.assertIn(system.ask_until(validator, secret, "OK"), ([], ["STALE"]))
                validator.wait_ready()
            wait_until(lambda: self.can_create(system), 30, "management to work again")

    def can_create(self, system):
        try:
            return system.create(wait=0)
        except grpc.RpcError:
            return None

    def test_a_killed_postgres_loses_nothing_acknowledged(self):
        with PrivatePostgres() as postgres, System(validators=2, postgres=postgres, **QUICK) as system:
            with Writers(system) as writers:
                for _ in range(2):
                    postgres.kill()
                    postgres.start()
                    writers.wait_for_more(20)
            self.assertGreater(writers.refused, 0)
            system.check_all_there(writers.acknowledged)

    # ---- our own processes ----

    def test_killed_servers_lose_nothing_acknowledged(self):
        with System(validators=2, **QUICK) as system:
            with Writers(system) as writers:
                for server in (system.deployment.server, system.validators[0], system.whitelist_server,
                               system.deployment.server, system.validators[1]):
                    server.kill()
                    server.start()
                    writers.wait_for_more(20)
            self.assertGreater(writers.refused, 0)
            system.check_all_there(writers.acknowledged)
            self.assertEqual(len(system.add_entries(["192.0.2.0/24"], wait=20).entries), 1)

    def test_a_killed_validator_delays_a_confirmation_until_its_lease_has_run_out(self):
        with System(validators=2, **QUICK) as system:
            made = system.create()
            system.validators[1].kill()
            watch = Stopwatch()
            answer = system.deactivate(made.access_token.token_id, wait=30).validators
            self.assertEqual((answer.live, answer.confirmed, answer.all_confirmed), (1, 1, True))
            self.assertGreater(watch.seconds(), MAX_STALENESS - 1)

    def test_a_validator_that_is_killed_while_a_change_waits_for_it_is_fenced_off_and_catches_up(self):
        with System(validators=2, **{**QUICK, "max_staleness": "5s"}) as system:
            made, other = system.create(), system.create()
            victim = system.validators[1]
            victim.pause()  # so that it is killed before it has heard of the change
            waiting = ThreadPoolExecutor()
            short, long = (waiting.submit(system.deactivate, token.access_token.token_id, wait)
                           for token, wait in ((made, 1), (other, 30)))
            watch = Stopwatch()
            wait_until(lambda: system.ask(system.validators[0], other.secret) == "DEACTIVATED", 20, "both to be waiting")
            victim.kill()
            answer = short.result().validators
            self.assertEqual((answer.live, answer.confirmed, answer.all_confirmed, len(answer.lagging)), (2, 1, False, 1))
            answer = long.result().validators
            self.assertEqual((answer.live, answer.confirmed, answer.all_confirmed, len(answer.lagging)), (1, 1, True, 0))
            self.assertGreater(watch.seconds(), 4)
            victim.start()
            for ended in (made, other):
                self.assertEqual(system.ask(victim, ended.secret), "DEACTIVATED")
            self.assertEqual(system.create().validators.confirmed, 2)

    # ---- a process that stands still ----

    def test_a_validator_that_stood_still_does_not_admit_what_ended_meanwhile(self):
        with System(validators=2, **QUICK) as system:
            made = system.create()
            good, still = system.validators
            for validator in system.validators:
                self.assertEqual(system.ask(validator, made.secret), "OK")
            still.pause()
            try:
                answer = system.deactivate(made.access_token.token_id, wait=1).validators
                self.assertEqual((answer.live, answer.confirmed, answer.all_confirmed), (2, 1, False))
                self.assertEqual(len(answer.lagging), 1)
                self.assertEqual(system.ask(good, made.secret), "DEACTIVATED")
                # Asked of a process that does not run: the question is there before it wakes.
                early = []
                asking = threading.Thread(target=lambda: early.append(system.ask(still, made.secret, timeout=60)))
                asking.start()
                answer = system.deactivate(made.access_token.token_id, wait=30).validators
                self.assertEqual((answer.live, answer.confirmed, answer.all_confirmed), (1, 1, True))
            finally:
                still.resume()
            asking.join()
            self.assertIn(early[0], ("STALE", "DEACTIVATED"))
            for other in system.ask_until(still, made.secret, "DEACTIVATED"):
                self.assertIn(other, ("STALE", "LOADING"))
            wait_until(lambda: system.deactivate(made.access_token.token_id).validators.live == 2, 30,
                       "the validator to be back")

    def test_what_is_only_late_is_confirmed_once_it_is_there(self):
        with System(validators=2, **QUICK) as system:
            made = system.create()
            still = system.validators[1]
            still.pause()
            timer = threading.Timer(0.5, still.resume)
            timer.start()
            try:
                answer = system.deactivate(made.access_token.token_id, wait=30).validators
            finally:
                timer.join()
            self.assertTrue(answer.all_confirmed)
            self.assertNotEqual(system.ask(still, made.secret), "OK")

    # ---- a log that lacks changes ----

    def test_a_validator_whose_part_of_the_log_is_gone_loads_again(self):
        with System(validators=2, **QUICK) as system:
            still = system.validators[1]
            for what, lost in (("pruned", "seq < head"), ("a gap", "seq = head - 1"), ("the last one", "seq = head")):
                with self.subTest(what):
                    ended, kept = system.create(), system.create()
                    loads = self.count_loads(still)
                    still.pause()
                    try:
                        for made in (ended, system.create(wait=0), system.create(wait=0)):
                            system.deactivate(made.access_token.token_id, wait=0)
                        system.deployment.execute("DELETE FROM latchkey.change c USING latchkey.change_lane l"
                                                  f" WHERE c.lane = l.lane AND head > 3 AND {lost}")
                    finally:
                        still.resume()
                    self.assertTrue(system.deactivate(ended.access_token.token_id, wait=30).validators.all_confirmed)
                    for other in system.ask_until(still, kept.secret, "OK"):
                        self.assertEqual(other, "STALE")
                    self.assertEqual(system.ask(still, ended.secret), "DEACTIVATED")
                    self.assertEqual(self.count_loads(still), loads + 1)

    def count_loads(self, validator):
        name = "latchkey_follower_loads_total "
        return next(int(line.removeprefix(name)) for line in validator.admin("/metrics")[1].splitlines()
                    if line.startswith(name))

    # ---- another database under the same name ----

    def swap(self, system, away, in_place):
        """Renames the database away, and the other one into its place."""
        postgres, name = system.deployment.postgres, self.name_of(system)
        self.disconnect(postgres, name)
        postgres.execute(f"ALTER DATABASE {name} RENAME TO {away}", "template1")
        postgres.execute(f"ALTER DATABASE {in_place} RENAME TO {name}", "template1")
        postgres.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true", "template1")

    def name_of(self, system):
        return psycopg2.extensions.parse_dsn(system.deployment.url)["dbname"]

    def disconnect(self, postgres, name):
        """Nobody is connected, and nobody can be any more."""
        postgres.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false", "template1")
        postgres.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'",
                         "template1")
        wait_until(lambda: postgres.execute(f"SELECT count(*) FROM pg_stat_activity WHERE datname = '{name}'",
                                            "template1")[0][0] == 0, 30, "connections to end")

    def test_a_database_restored_from_before_admits_nobody_until_the_right_one_is_back(self):
        with PrivatePostgres() as postgres, System(validators=2, postgres=postgres, **QUICK) as system:
            name, made = self.name_of(system), system.create()
            self.disconnect(postgres, name)
            postgres.execute(f"CREATE DATABASE {name}_older TEMPLATE {name}", "template1")
            postgres.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true", "template1")
            wait_until(lambda: self.can_create(system), 30, "management to work again")
            for validator in system.validators:
                system.ask_until(validator, made.secret, "OK")

            system.deactivate(made.access_token.token_id, wait=20)
            self.swap(system, f"{name}_newer", f"{name}_older")
            # In the older state the token has not ended. Whoever knows better must not forget it.
            for validator in system.validators:
                for other in system.ask_until(validator, made.secret, "HISTORY_LOST"):
                    self.assertIn(other, ("DEACTIVATED", "STALE"))
                self.assertFalse(validator.is_ready())
            self.swap(system, f"{name}_older", f"{name}_newer")
            for validator in system.validators:
                for other in system.ask_until(validator, made.secret, "DEACTIVATED"):
                    self.assertIn(other, ("HISTORY_LOST", "STALE"))

    def test_a_database_that_was_made_anew_admits_nobody(self):
        with PrivatePostgres() as postgres, System(validators=1, postgres=postgres, **QUICK) as system:
            name, made = self.name_of(system), system.create()
            self.disconnect(postgres, name)
            postgres.execute(f"DROP DATABASE {name}", "template1")
            postgres.execute(f"CREATE DATABASE {name} OWNER deployer", "template1")
            system.deployment.latchkey("migrate")
            for other in system.ask_until(system.validators[0], made.secret, "HISTORY_LOST"):
                self.assertIn(other, ("OK", "STALE"))  # OK at first: what it knows is current for max_staleness
            time_left = Stopwatch()
            while time_left.seconds() < MAX_STALENESS:
                self.assertEqual(system.ask(system.validators[0], made.secret), "HISTORY_LOST")
                time.sleep(0.05)


if __name__ == "__main__":
    unittest.main()
