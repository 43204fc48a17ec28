"""The whole system, every server a process of its own: tokens, whitelists and any number of validators on one database.

    with System(validators=2) as system:
        made = system.create()
        system.ask(system.validators[0], made.secret)

LATCHKEY_TEST_SHARE is the percentage of the great numbers that a run does (default 100; sanitizers need less).
LATCHKEY_SEED repeats a run.
"""

import contextlib
import functools
import os
import random
import subprocess
import time

import grpc

from latchkey_test import Client, Deployment, Server, error_info, foreign_client, stubs
from latchkey_test.background import Background
from latchkey_test.waiting import wait_until

token_pb2 = stubs.messages("latchkey/v1/token.proto")
validation_pb2 = stubs.messages("latchkey/v1/validation.proto")
decision_pb2 = stubs.messages("latchkey/v1/decision.proto")
whitelist_pb2 = stubs.messages("latchkey/v1/whitelist.proto")

SEED = int(os.environ.get("LATCHKEY_SEED") or random.SystemRandom().randrange(2**32))
WRITERS = 4
OWN_ADDRESS = "127.0.0.0/8"  # where the tests themselves call from: has to stay listed


def scaled(number):
    """So much of it as this run does, at least 1."""
    return max(1, number * int(os.environ.get("LATCHKEY_TEST_SHARE", "100")) // 100)


@functools.cache
def print_seed():
    print(f"LATCHKEY_SEED={SEED}", end=" ", flush=True)


def seeded(name):
    """A generator of its own for each test, so that one can be repeated alone."""
    print_seed()
    return random.Random(f"{SEED} {name}")


def _question(secret, client_ip="203.0.113.7", min_revision=""):
    return validation_pb2.ValidateRequest(token=secret, client_ip=client_ip, channel="CHANNEL_API", min_revision=min_revision)


def _reason_of(get_answer):
    try:
        answer = get_answer()
    except grpc.RpcError as error:
        info = error_info(error)
        return info.reason if info else error.code().name
    reason = decision_pb2.Reason.Name(answer.reason).removeprefix("REASON_")
    if (reason == "OK") != (answer.decision == decision_pb2.DECISION_ALLOW):
        raise AssertionError(f"decision {answer.decision} with reason {reason}")
    return reason


_ASKED_AGAIN_MAX = 10


class System:
    """Settings are those of the validators."""

    def __init__(self, validators=2, postgres=None, **settings):
        self._stack = contextlib.ExitStack()
        self._settings = settings
        self._count = validators
        self.deployment = Deployment(postgres, server="latchkey-token")
        self.whitelist_server = Server("latchkey-whitelist", database_url=self.deployment.url)
        self.validators = []

    def __enter__(self):
        with contextlib.ExitStack() as stack:
            self._stack = stack
            stack.enter_context(self.deployment)
            stack.enter_context(self.whitelist_server)
            secret = self.deployment.secrets["LATCHKEY_TOKEN"]
            self.token_client = stack.enter_context(Client(self.deployment.server.address, secret))
            self.whitelist_client = stack.enter_context(Client(self.whitelist_server.address, secret))
            for _ in range(self._count):
                self.start_validator()
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *details):
        return self._stack.__exit__(*details)

    def start_validator(self, environment=None, **settings):
        """One more, ready; `settings` are its own."""
        validator = Server("latchkey-validator", environment,
                           **{"database_url": self.deployment.url, **self._settings, **settings})
        validator.client = self._stack.enter_context(Client(validator.address))
        self.validators.append(self._stack.enter_context(validator))
        return validator

    def stop_validator(self, validator):
        validator.stop()
        self.validators.remove(validator)

    @property
    def validator_addresses(self):
        return ",".join(validator.address for validator in self.validators)

    # ---- calls ----

    def create(self, wait=10, client=None, **fields):
        """A token that every validator knows, unless the wait is 0."""
        made = (client or self.token_client).tokens.CreateAccessToken(token_pb2.CreateAccessTokenRequest(
            label="of a test", wait_for_validators={"seconds": wait}, **fields), timeout=wait + 10)
        if wait and not made.validators.all_confirmed:
            raise AssertionError(f"not known to all validators within {wait} s: {made.validators}")
        return made

    def deactivate(self, token_id, wait=10, client=None):
        return (client or self.token_client).tokens.DeactivateAccessToken(token_pb2.DeactivateAccessTokenRequest(
            token_id=token_id, wait_for_validators={"seconds": wait}), timeout=wait + 10)

    def add_entries(self, addresses, wait=10, client=None):
        return (client or self.whitelist_client).whitelist.AddWhitelistEntries(
            whitelist_pb2.AddWhitelistEntriesRequest(
                entries=[whitelist_pb2.NewWhitelistEntry(address=address) for address in addresses],
                wait_for_validators={"seconds": wait}), timeout=wait + 50)

    def remove_entries(self, entry_ids, wait=10, client=None):
        return (client or self.whitelist_client).whitelist.RemoveWhitelistEntries(
            whitelist_pb2.RemoveWhitelistEntriesRequest(entry_ids=entry_ids, wait_for_validators={"seconds": wait}),
            timeout=wait + 50)

    def ask(self, validator, secret, client_ip="203.0.113.7", min_revision="", timeout=10):
        """The reason by its name without REASON_; a refusal to decide is the ErrorInfo's reason."""
        question = _question(secret, client_ip, min_revision)
        return _reason_of(lambda: validator.client.validation.Validate(question, timeout=timeout))

    def begin_asking(self, validator, secret, timeout=120):
        """A call under way; end_asking() returns what ask() would."""
        return validator.client.validation.Validate.future(_question(secret), timeout=timeout)

    def end_asking(self, call):
        return _reason_of(call.result)

    def ask_until(self, validator, secret, reason, timeout=30):
        """Asks until the answer is this one; returns all answers that were different, each once, in order."""
        others = []

        def is_reason():
            answer = self.ask(validator, secret)
            if answer != reason and answer not in others:
                others.append(answer)
            return answer == reason

        wait_until(is_reason, timeout, f"a validator to answer {reason}, not {others},")
        return others

    def ask_many(self, validator, questions):
        """Answers to (secret, client_ip) pairs, as numbers of reasons or words of an error, over grpc++. What an overloaded server
        refuses is asked again, as it says; on a machine that does other things, too, that is not what is tested."""
        answers = self._ask_once(validator, questions)
        for _ in range(_ASKED_AGAIN_MAX):
            refused = [number for number, answer in enumerate(answers) if "OVERLOADED" in answer]
            if not refused:
                break
            time.sleep(1)
            for number, answer in zip(refused, self._ask_once(validator, [questions[number] for number in refused])):
                answers[number] = answer
        return answers

    @staticmethod
    def _ask_once(validator, questions):
        lines = "".join(f"{secret}\t{client_ip}\t{decision_pb2.CHANNEL_API}\n" for secret, client_ip in questions)
        done = subprocess.run([foreign_client("grpcpp-validate-many"), validator.address], input=lines, text=True,
                              capture_output=True, timeout=600, check=False)
        if done.returncode != 0:
            raise AssertionError(f"grpcpp-validate-many ended with {done.returncode}: {done.stderr}")
        answers = done.stdout.splitlines()
        if len(answers) != len(questions):
            raise AssertionError(f"{len(answers)} answers to {len(questions)} questions")
        return answers

    def check_all_there(self, acknowledged):
        """Every acknowledged token is in the database, and admitted by every validator."""
        for token_id, _ in acknowledged:
            self.token_client.tokens.GetAccessToken(token_pb2.GetAccessTokenRequest(token_id=token_id), timeout=10)
        newest = self.create(wait=20)  # what came before it is known where it is known
        questions = [(secret, "203.0.113.7") for _, secret in acknowledged] + [(newest.secret, "203.0.113.7")]
        for validator in self.validators:
            answers = set(self.ask_many(validator, questions))
            if answers != {str(decision_pb2.REASON_OK)}:
                raise AssertionError(f"not all are admitted by {validator.address}: {answers}")


class Stopwatch:
    def __init__(self):
        self._start = time.monotonic()

    def seconds(self):
        return time.monotonic() - self._start


class Writers(Background):
    """Threads that make tokens until told to stop, and remember which were acknowledged."""

    def __init__(self, system):
        super().__init__(*[self._work] * WRITERS)
        self._system = system
        self.acknowledged = []  # (token id, secret)
        self.refused = 0

    def __enter__(self):
        super().__enter__()
        self.wait_for_more(10)
        return self

    def _work(self):
        with self._system.deployment.administrator() as client:
            while not self.is_over.is_set():
                try:
                    made = self._system.create(wait=0, client=client)
                    self.acknowledged.append((made.access_token.token_id, made.secret))
                except grpc.RpcError:
                    self.refused += 1
                    self.is_over.wait(0.02)

    def wait_for_more(self, count):
        wanted = len(self.acknowledged) + count
        wait_until(lambda: len(self.acknowledged) >= wanted, 60, f"{count} more acknowledged tokens")
