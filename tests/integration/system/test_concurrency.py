"""Several clients change tokens and lists at once while two validators follow. Each confirmed change must show at both;
and between rounds both must agree with a validator that has just loaded everything, and with what was done.
"""

import ipaddress
import threading
import unittest

from latchkey_test import Client, scenario

from system import OWN_ADDRESS, System, decision_pb2, scaled, seeded

CLIENTS = 6
ROUNDS = 3
CHANGES = 40  # of each client in each round
CONFIRM_EVERY = 4
KEPT_SECRETS = 40  # of each client, asked about between rounds


class Changer:
    """One client: its own tokens and entries, and what they must come to. No other client touches them."""

    def __init__(self, system, number, random):
        secret = system.deployment.secrets["LATCHKEY_TOKEN"]
        self.system = system
        self.random = random
        self.token_client = Client(system.deployment.server.address, secret)
        self.whitelist_client = Client(system.whitelist_server.address, secret)
        self.network = ipaddress.ip_network(f"10.{number}.0.0/16")
        self.active = {}   # secret -> token id
        self.ended = []    # secrets
        self.entries = {}  # entry id -> network

    def close(self):
        self.token_client.close()
        self.whitelist_client.close()

    def is_listed(self, address):
        return any(ipaddress.ip_address(address) in network for network in self.entries.values())

    def get_reason(self, secret, address):
        if secret in self.ended:
            return "DEACTIVATED"
        return "OK" if self.is_listed(address) else "COMPANY_IP_NOT_LISTED"

    def make_one_change(self, wait):
        change = self.random.choice([self.create, self.create, self.add, self.add, self.deactivate, self.remove])
        return change(wait)

    def create(self, wait):
        made = self.system.create(wait, self.token_client)
        self.active[made.secret] = made.access_token.token_id
        return made, made.secret, self.pick_address()

    def deactivate(self, wait):
        if not self.active:
            return self.create(wait)
        secret = self.random.choice(sorted(self.active))
        answer = self.system.deactivate(self.active.pop(secret), wait, self.token_client)
        self.ended.append(secret)
        return answer, secret, self.pick_address()

    def add(self, wait):
        secret = self.pick_secret()
        networks = [self.pick_network() for _ in range(self.random.randint(1, 5))]
        answer = self.system.add_entries([str(network) for network in networks], wait, self.whitelist_client)
        self.entries.update(zip((entry.entry_id for entry in answer.entries), networks))
        return answer, secret, str(networks[0][0])

    def remove(self, wait):
        if not self.entries:
            return self.add(wait)
        secret = self.pick_secret()
        ids = self.random.sample(sorted(self.entries), self.random.randint(1, min(5, len(self.entries))))
        answer = self.system.remove_entries(ids, wait, self.whitelist_client)
        removed = [self.entries.pop(entry_id) for entry_id in ids]
        return answer, secret, str(removed[0][0])

    def pick_network(self):
        bits = self.random.randint(20, 32)
        address = self.network[self.random.randrange(self.network.num_addresses)]
        return ipaddress.ip_network(f"{address}/{bits}", strict=False)

    def pick_address(self):
        if self.entries and self.random.random() < 0.7:
            network = self.entries[self.random.choice(sorted(self.entries))]
            return str(network[self.random.randrange(network.num_addresses)])
        return str(self.network[self.random.randrange(self.network.num_addresses)])

    def pick_secret(self):
        if not self.active:
            self.create(wait=0)
        return self.random.choice(sorted(self.active))

    def work(self):
        """Makes its changes; every few wait for the validators, and must then show at each of them."""
        for number in range(1, scaled(CHANGES) + 1):
            must_show = number % CONFIRM_EVERY == 0
            answer, secret, address = self.make_one_change(wait=20 if must_show else 0)
            if must_show:
                self.check(answer, secret, address)

    def check(self, answer, secret, address):
        if not answer.validators.all_confirmed or answer.validators.live < 2:
            raise AssertionError(f"not confirmed by all: {answer.validators}")
        for validator in self.system.validators[:2]:
            reason = self.system.ask(validator, secret, address)
            if reason != self.get_reason(secret, address):
                raise AssertionError(f"{validator.address} answers {reason} for {address}, "
                                     f"not {self.get_reason(secret, address)}, after {answer.revision} was confirmed")

    def questions(self):
        """(secret, address) pairs with the reason that each must have."""
        secrets = (sorted(self.active) + self.ended)[:KEPT_SECRETS]
        addresses = [self.pick_address() for _ in range(8)]
        return [((secret, address), self.get_reason(secret, address)) for secret in secrets for address in addresses]


class Concurrency(unittest.TestCase):
    def test_validators_agree_with_a_fresh_one_and_with_what_was_done(self):
        random = seeded("concurrency")
        with System(validators=2) as system:
            system.add_entries([OWN_ADDRESS])
            scenario.enable_whitelist(system.whitelist_client)
            changers = [Changer(system, number, seeded(f"changer {number}")) for number in range(CLIENTS)]
            for changer in changers:
                self.addCleanup(changer.close)
            for _ in range(ROUNDS):
                self.run_at_once([changer.work for changer in changers])
                self.compare_with_a_fresh_one(system, changers, random)

    def run_at_once(self, works):
        failures = []

        def run(work):
            try:
                work()
            except Exception as error:  # told by the test's own thread
                failures.append(repr(error))

        threads = [threading.Thread(target=run, args=(work,)) for work in works]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(failures, [])

    def compare_with_a_fresh_one(self, system, changers, random):
        system.create(wait=20)  # all that came before is confirmed with it: a lane has one order
        fresh = system.start_validator()
        asked = [pair for changer in changers for pair in changer.questions()]
        random.shuffle(asked)
        questions = [question for question, _ in asked]
        wanted = [str(decision_pb2.Reason.Value("REASON_" + reason)) for _, reason in asked]
        self.assertGreaterEqual(len(set(wanted)), 2)
        for validator in system.validators:
            answers = system.ask_many(validator, questions)
            different = [(question[1], want, got) for question, want, got in zip(questions, wanted, answers)
                         if want != got]
            self.assertEqual(different[:5], [], f"{len(different)} of {len(questions)} differ at {validator.address}")
        system.stop_validator(fresh)


if __name__ == "__main__":
    unittest.main()
