"""Validators of a part of the lanes: each answers about its own companies as one of all lanes does, and about others that it does
not serve them, whoever asks in whatever way; and who waits for a revocation waits for those who could admit it.
"""

import contextlib
import tempfile
import unittest
from pathlib import Path
from urllib.parse import urlencode

import grpc

from door_case import FORM, basic, bearer
from latchkey_test import Client, Deployment, FedServer, Server, error_info, free_port, secret_text
from latchkey_test.http1 import Http1
from latchkey_test.waiting import wait_until
from member_case import Company
from validate_case import ALLOW, API, ValidateCase, decision_pb2, token_pb2, validation_pb2

LOWER, UPPER = "0-31", "32-63"
PATIENCE = 60
WAIT = {"seconds": 40}


def is_lower(secret):
    return secret_text.lane_of(secret) < 32


class HalvesCase(ValidateCase):
    """latchkeyd serves all lanes, and two validators serve a half each. Companies in both, two at least."""

    settings = {"poll_interval": "200ms"}

    @classmethod
    def setUpClass(cls):
        cls.deployment = cls.enter(Deployment(**cls.settings))
        cls.lower, cls.upper = (cls.enter(cls.deployment.beside(
                "latchkey-validator", lanes=lanes, http_listen=f"127.0.0.1:{free_port()}", **cls.settings))
                                for lanes in (LOWER, UPPER))
        cls.whole = cls.enter(cls.deployment.anybody())
        cls.of_lower, cls.of_upper = (cls.enter(Client(half.address)) for half in (cls.lower, cls.upper))
        stack = cls.enter(contextlib.ExitStack())
        cls.companies = {True: [], False: []}  # by whether they are in the lower half
        while min(map(len, cls.companies.values())) < 2:
            company = Company(cls.deployment, stack)
            cls.companies[is_lower(cls.make(company)[1])].append(company)

    @staticmethod
    def make(company, permissions=("charges.read",), **fields):
        """(access token, secret) that every validator of its lane knows."""
        return company.company_token(permissions, wait_for_validators=WAIT, **fields)

    def each_company(self):
        return [*self.companies[True], *self.companies[False]]

    def deactivate(self, company, token, seconds=50):
        request = token_pb2.DeactivateAccessTokenRequest(token_id=token.token_id, wait_for_validators={"seconds": seconds})
        return company.operator.tokens.DeactivateAccessToken(request, timeout=seconds + 20).validators

    def outcome(self, client, secret, **fields):
        """What was decided, or the reason of an error."""
        try:
            answer = self.ask(secret, client=client, **fields)
        except grpc.RpcError as error:
            info = error_info(error)
            return (error.code().name, info.reason if info else "")
        return (answer.decision, decision_pb2.Reason.Name(answer.reason), answer.company_id, answer.token_id,
                tuple(answer.permissions))

    def halves(self, secret):
        """(the client of who serves it, that of who does not)"""
        return (self.of_lower, self.of_upper) if is_lower(secret) else (self.of_upper, self.of_lower)


NOT_SERVED = ("UNAVAILABLE", "LANE_NOT_SERVED")


class Deciding(HalvesCase):
    def test_each_half_answers_about_its_own_as_the_whole_does_and_about_others_not_at_all(self):
        for company in self.each_company():
            ended, ended_secret = self.make(company)
            self.deactivate(company, ended)
            secrets = [self.make(company)[1], self.make(company, allowed_ips=["192.0.2.0/24"])[1], ended_secret,
                       secret_text.make_secrets(1, secret_text.lane_of(ended_secret))[0]]
            for secret in secrets:
                for fields in ({}, {"permissions": ["charges.create"]}, {"client_ip": "192.0.2.1"}):
                    served, other = self.halves(secret)
                    self.assertEqual(self.outcome(served, secret, **fields), self.outcome(self.whole, secret, **fields))
                    self.assertEqual(self.outcome(other, secret, **fields), NOT_SERVED)

    def test_what_is_no_secret_is_malformed_everywhere(self):
        for client in (self.of_lower, self.of_upper):
            for text in ("", "nonsense", secret_text.make_secrets(1, 40)[0][:-1]):
                self.assertEqual(self.outcome(client, text)[1], "REASON_MALFORMED")

    def test_a_revision_of_another_lane_is_not_served_either(self):
        (token, secret), other = self.make(self.companies[True][0]), self.companies[False][0]
        made = other.operator.tokens.CreateAccessToken(token_pb2.CreateAccessTokenRequest(label="x", company_owned=True), timeout=20)
        self.assertEqual(self.outcome(self.of_lower, secret, min_revision=made.revision), NOT_SERVED)
        self.assertEqual(self.outcome(self.whole, secret, min_revision=made.revision)[3], token.token_id)

    def test_of_many_questions_those_of_other_lanes_alone_are_not_decided(self):
        secrets = [self.make(company)[1] for company in self.each_company()]
        questions = [validation_pb2.ValidateRequest(token=secret, channel=API) for secret in secrets]
        told = self.of_lower.validation.ValidateBatch(validation_pb2.ValidateBatchRequest(requests=questions), timeout=20).responses
        streamed = {answer.id: answer.response for answer in self.of_lower.validation.ValidateStream(
            iter([validation_pb2.ValidateStreamRequest(id=i, request=question) for i, question in enumerate(questions)]), timeout=20)}
        for i, secret in enumerate(secrets):
            expected = (ALLOW, decision_pb2.REASON_OK) if is_lower(secret) else (0, decision_pb2.REASON_NOT_CURRENT)
            for answer in (told[i], streamed[i]):
                self.assertEqual((answer.decision, answer.reason), expected)
                self.assertEqual(bool(answer.company_id), is_lower(secret))

    def test_proxies_are_told_503_and_no_verdict(self):
        (_, secret), (_, asker) = self.make(self.companies[False][0]), self.make(self.companies[True][0])
        with Http1(self.lower.settings["http_listen"]) as http:
            checked = http.ask("GET", "/check", [bearer(secret)])
            self.assertEqual((checked.status, checked.get("latchkey-reason"), checked.get("www-authenticate")),
                             (503, "LANE_NOT_SERVED", None))
            self.assertTrue(checked.get("retry-after"))
            introspected = http.ask("POST", "/introspect", [FORM, basic(asker)], urlencode({"token": secret}))
            self.assertEqual((introspected.status, introspected.json()["error"]), (503, "temporarily_unavailable"))

    def test_a_bearer_of_another_lane_is_nobody_that_this_one_could_know(self):
        for company in (self.companies[True][0], self.companies[False][0]):
            _, secret = self.make(company, ("latchkey.validate.*",))
            for half, served in ((self.lower, is_lower(secret)), (self.upper, not is_lower(secret))):
                with Client(half.address, secret) as client, self.subTest(served=served):
                    explain = lambda c=client, s=secret: c.validation.Explain(
                        validation_pb2.ExplainRequest(request={"token": s, "channel": API}), timeout=20)
                    if served:
                        self.assertEqual(explain().response.decision, ALLOW)
                    else:
                        error = self.assert_fails(grpc.StatusCode.UNAVAILABLE, explain)
                        self.assertEqual(error_info(error).reason, "LANE_NOT_SERVED")

    def assert_fails(self, code, call):
        with self.assertRaises(grpc.RpcError) as caught:
            call()
        self.assertEqual(caught.exception.code(), code)
        return caught.exception


class Waiting(HalvesCase):
    def test_who_waits_waits_for_those_who_serve_the_lane(self):
        for company in self.each_company():
            token, secret = self.make(company)
            validators = self.deactivate(company, token)
            self.assertEqual((validators.live, validators.confirmed, validators.all_confirmed), (2, 2, True))
            self.assertEqual(self.outcome(self.halves(secret)[0], secret)[1], "REASON_DEACTIVATED")

    def test_the_row_of_a_half_has_positions_in_its_own_lanes_and_the_deployments(self):
        told = self.deployment.execute("SELECT array_positions(ARRAY(SELECT p IS NULL FROM unnest(positions) AS p), true) "
                                       "FROM latchkey.validator ORDER BY 1")
        self.assertEqual(told, [([],), (list(range(1, 33)),), (list(range(33, 65)),)])

    @contextlib.contextmanager
    def killed(self, staleness):
        """One more of the upper half, which has served a token that it gives, and was killed then."""
        settings = {**self.settings, "max_staleness": staleness}
        with self.deployment.beside("latchkey-validator", lanes=UPPER, **settings) as half, Client(half.address) as client:
            made = self.make(self.companies[False][0])
            wait_until(lambda: self.outcome(client, made[1])[0] == ALLOW, PATIENCE, "the third to know a token")
            half.kill()
            try:
                yield made
            finally:
                self.deployment.execute(f"DELETE FROM latchkey.validator WHERE address = '{half.address}'")

    def test_one_that_was_killed_is_waited_for_in_its_own_lanes_alone(self):
        here, there = self.companies[True][0], self.companies[False][0]
        with self.killed("30m") as (token, _):  # for longer than anybody waits
            elsewhere, secret = self.make(here)
            told = self.deactivate(here, elsewhere)
            self.assertEqual((told.live, told.confirmed, told.all_confirmed), (2, 2, True))
            self.assertEqual(self.outcome(self.of_lower, secret)[1], "REASON_DEACTIVATED")
            told = self.deactivate(there, token, 1)
            self.assertEqual((told.live, told.confirmed, told.all_confirmed, len(told.lagging)), (3, 2, False, 1))

    def test_one_that_was_killed_is_waited_for_until_it_can_admit_nobody(self):
        with self.killed("5s") as (token, secret):
            told = self.deactivate(self.companies[False][0], token)
            self.assertEqual((told.live, told.confirmed, told.all_confirmed), (2, 2, True))
            self.assertEqual(self.outcome(self.of_upper, secret)[1], "REASON_DEACTIVATED")


class Telling(unittest.TestCase):
    def serving(self, server):
        lines = [line for line in server.admin("/metrics")[1].splitlines() if line.startswith("latchkey_validator_lane_serving{")]
        return {int(line.split('"')[1]): float(line.split()[-1]) for line in lines}

    def test_which_lanes_are_served_is_told_by_metrics_and_the_doctor(self):
        with Deployment(server="latchkey-token") as deployment:
            with deployment.beside("latchkey-validator", lanes="0-30,62") as half:
                self.assertEqual(self.serving(half), {lane: float(lane <= 30 or lane == 62) for lane in range(64)})
                said = deployment.latchkey("doctor", check=False)
                self.assertIn("nobody decides about companies of the lanes 31-61,63", said.stdout)
                self.assertEqual(said.returncode, 1)
                with deployment.beside("latchkey-validator", lanes="31-63"):
                    self.assertIn("each lane by 1 to 2 validators", deployment.latchkey("doctor", check=False).stdout)

    def test_one_that_can_not_decide_says_of_which_lanes(self):
        server = Server("latchkey-validator", database_url="postgresql://127.0.0.1:1/nothing", lanes=UPPER)
        self.addCleanup(server.remove)
        server.start(ready=False)
        wait_until(lambda: "validator of lanes 32-63: loading" in server.admin("/readyz")[1], PATIENCE, "its lanes to be told")
        self.assertEqual(set(self.serving(server).values()), {0.0})

    def test_what_are_no_lanes_and_foreign_secrets_are_refused_at_the_start(self):
        for settings, said in (({"lanes": "0-64"}, "type lanes from 0 to 63"), ({"lanes": "31-0"}, "type lanes from 0 to 63"),
                               ({"lanes": LOWER, "accept_foreign_secrets": True}, "foreign secrets name none")):
            server = Server("latchkey-validator", database_url="postgresql://127.0.0.1:1/nothing", **settings)
            self.addCleanup(server.remove)
            server.start(ready=False)
            self.assertNotEqual(server.wait(), 0)
            self.assertIn(said, server.log())


class Fed(HalvesCase):
    def feed(self, lanes):
        return FedServer(self.deployment, self.deployment.server.address, lanes=lanes, poll_interval="200ms")

    def test_one_that_is_fed_serves_a_part_and_is_waited_for_there(self):
        with self.feed(LOWER) as fed, Client(fed.address) as client:
            for company in self.each_company():
                token, secret = self.make(company)
                served = is_lower(secret)
                if served:
                    wait_until(lambda s=secret: self.outcome(client, s)[0] == ALLOW, PATIENCE, "the fed one to know a token")
                self.assertEqual(self.outcome(client, secret), self.outcome(self.whole, secret) if served else NOT_SERVED)
                told = self.deactivate(company, token)
                self.assertEqual((told.live, told.confirmed), (2, 2))
                self.assertEqual(self.outcome(client, secret)[1], "REASON_DEACTIVATED" if served else NOT_SERVED[1])
            self.assertEqual(self.count_tokens(fed), self.count_tokens(self.lower))

    @staticmethod
    def count_tokens(server):
        return [line for line in server.admin("/metrics")[1].splitlines() if line.startswith("latchkey_image_tokens ")]

    def test_one_that_is_fed_never_serves_more_than_its_feeder(self):
        operator = self.deployment.secrets["LATCHKEY_OPERATOR_TOKEN"]
        feeder, lanes = (self.lower, LOWER) if is_lower(operator) else (self.upper, UPPER)
        with FedServer(self.deployment, feeder.address, lanes=lanes) as fed, Client(fed.address) as client:
            company = self.companies[is_lower(operator)][0]
            _, secret = self.make(company)
            wait_until(lambda: self.outcome(client, secret)[0] == ALLOW, PATIENCE, "the fed one to know a token")
        greedy = FedServer(self.deployment, feeder.address)
        self.addCleanup(greedy.remove)
        greedy.start(ready=False)
        wait_until(lambda: f"serves the lanes {lanes} alone" in greedy.admin("/readyz")[1], PATIENCE, "the reason to be told")
        self.assertFalse(greedy.is_ready())


class Files(HalvesCase):
    def test_a_snapshot_file_of_other_lanes_is_none(self):
        with tempfile.TemporaryDirectory(prefix="latchkey-lanes-") as directory:
            path = Path(directory) / "file"
            for lanes, said in ((LOWER, "there is no snapshot file yet"), (LOWER, "from=file"),
                                (UPPER, "it has other lanes than are served now"), (UPPER, "from=file")):
                with self.deployment.beside("latchkey-validator", lanes=lanes, snapshot_file=path, **self.settings) as half:
                    self.assertIn(said, half.log())
                    with Client(half.address) as client:
                        for company in self.each_company():
                            _, secret = self.make(company)
                            expected = self.outcome(self.whole, secret) if is_lower(secret) == (lanes == LOWER) else NOT_SERVED
                            self.assertEqual(self.outcome(client, secret), expected)
                    half.stop()


if __name__ == "__main__":
    unittest.main()
