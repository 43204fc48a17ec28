"""A real Envoy with deploy/envoy/lanes.yaml: two validators serve a half of the lanes each, and each token comes to the one that
holds it, in whatever field it is presented. And long-lived connections of many clients that even out over two validators.
"""

import contextlib
import json
import sys
import unittest
import urllib.request
from pathlib import Path

import grpc
from proxies import Envoy, LanesGateway, socket_address
from test_envoy import ROUTES, Behind, bearer

from latchkey_test import ROOT, Deployment, secret_text, stubs
from latchkey_test.echo import Echo
from latchkey_test.http1 import Http1
from latchkey_test.waiting import wait_until

sys.path.insert(0, str(ROOT / "tests/integration"))
from member_case import Company  # noqa: E402

validation_pb2 = stubs.messages("latchkey/v1/validation.proto")
validation_grpc = stubs.services("latchkey/v1/validation.proto")

LOWER, UPPER = "0-31", "32-63"
PATIENCE = 60


def is_lower(secret):
    return secret_text.lane_of(secret) < 32


class ByLanes(Behind, unittest.TestCase):
    """All that holds of one validator holds of the half that serves the demo company."""

    @classmethod
    def start_validators(cls, **settings):
        cls.lower, cls.upper = (cls.enterClassContext(cls.deployment.beside("latchkey-validator", lanes=lanes, check_cookie="session",
                                                                            **settings)) for lanes in (LOWER, UPPER))
        return cls.lower if is_lower(cls.deployment.secrets["LATCHKEY_TOKEN"]) else cls.upper

    @classmethod
    def make_gateway(cls):
        return LanesGateway(cls.lower.address, cls.upper.address, cls.service.address, changes=cls.changes)

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.tokens = {}  # by half: (access token, secret)
        stack = cls.enterClassContext(contextlib.ExitStack())
        while len(cls.tokens) < 2:
            made = Company(cls.deployment, stack).company_token(["charges.read"], wait_for_validators={"seconds": 40})
            cls.tokens[is_lower(made[1])] = made

    def test_without_a_validator_nobody_is_let_in(self):
        """As of one validator; only what asks for no token is decided by the lower half."""
        before = self.service.count
        self.validator.stop()
        try:
            self.assertEqual(self.ask(bearer(self.secret)).status, 503)
            self.assertEqual(self.service.count, before)
        finally:
            self.validator.start()
        wait_until(lambda: self.ask(bearer(self.secret)).status == 200, PATIENCE, "Envoy to find the validator again")

    def presentations(self, secret, other):
        """Every form in which the validators find a token, beside others that they pass over for it."""
        return ([bearer(secret)], [("Authorization", f"bEARER   {secret}")], [("X-Access-Token", secret)],
                [("x-access-token", secret), bearer(other)], [("x-access-token", secret), ("authorization", "Basic eDp5")],
                [("cookie", f"session={secret}")], [("cookie", f"a=b; session={secret}; c=d")],
                [bearer(secret), ("cookie", f"session={other}")], [("x-access-token", secret), ("cookie", f"session={other}")])

    def test_a_token_comes_to_its_half_in_whatever_field_it_is_presented(self):
        for half, (token, secret) in self.tokens.items():
            for fields in self.presentations(secret, self.tokens[not half][1]):
                with self.subTest(half=half, fields=[name for name, _ in fields]):
                    told = dict(self.identity(self.seen(self.ask(*fields))))
                    self.assertEqual((told["latchkey-company"], told["latchkey-token"]), (token.company_id, token.token_id))

    def test_every_lane_comes_to_its_half(self):
        for lane in range(64):
            nobody = secret_text.make_secrets(1, lane)[0]
            for fields in self.presentations(nobody, nobody)[:3]:
                self.assert_refused(self.ask(*fields), 401, "UNKNOWN")

    def test_what_comes_to_the_wrong_half_is_503_and_never_let_in(self):
        before = self.service.count
        with LanesGateway(self.upper.address, self.lower.address, self.service.address) as crossed:
            def ask(fields):
                try:
                    with Http1(crossed.address) as http:
                        return http.ask("GET", "/charges", fields)
                except OSError:
                    return None
            wait_until(lambda: (told := ask([])) and told.status == 401, PATIENCE, "a half to answer")
            for half, (_, secret) in self.tokens.items():
                for fields in self.presentations(secret, self.tokens[not half][1]):
                    wait_until(lambda f=fields: ask(f).get("latchkey-reason") == "LANE_NOT_SERVED", PATIENCE, "both halves to be known")
                    answer = ask(fields)
                    self.assert_refused(answer, 503, "LANE_NOT_SERVED")
                    self.assertTrue(answer.get("retry-after"))
        self.assertEqual(self.service.count, before)

    def test_killed_one_half_the_tokens_of_the_other_go_on(self):
        for half, server in ((True, self.lower), (False, self.upper)):
            (_, mine), (_, others) = self.tokens[half], self.tokens[not half]
            server.kill()
            try:
                for _ in range(20):
                    self.assertEqual(self.ask(bearer(others)).status, 200)
                    self.assertEqual(self.ask(bearer(mine)).status, 503)
            finally:
                server.start()
            wait_until(lambda secret=mine: self.ask(bearer(secret)).status == 200, PATIENCE, "Envoy to find the half again")

    def test_each_route_asks_one_half_exactly(self):
        with urllib.request.urlopen(f"http://{self.gateway.admin_address}/config_dump", timeout=20) as response:
            dump = json.load(response)
        routes = [route for config in dump["configs"] for static in config.get("static_route_configs", ())
                  for host in static["route_config"]["virtual_hosts"] for route in host["routes"]]
        self.assertEqual(len(routes), 9)
        for route in routes:
            (name, config), = route["typed_per_filter_config"].items()
            self.assertIn(name, ("envoy.filters.http.ext_authz.lower", "envoy.filters.http.ext_authz.upper"))
            self.assertEqual(config["disabled"], True)

    def test_but_for_routes_filters_and_clusters_it_is_the_file_of_one_validator(self):
        lanes, one = (Path(ROOT / "deploy/envoy" / name).read_text(encoding="ascii") for name in ("lanes.yaml", "envoy.yaml"))
        for begin, end in (("admin:", "                      routes:\n"), ("                http_filters:\n", "                  - name: envoy.filters.http.ext_authz"),
                           ("                access_log:\n", "    - name: latchkey_"), ("    - name: service\n      type", None)):
            parts = [text[text.index(begin):text.index(end, text.index(begin)) if end else None] for text in (lanes, one)]
            self.assertEqual(*parts)


class Balancer(Envoy):
    """Connections, not calls, over validators in turn: what stands in front of clients that keep one each."""

    def configuration(self, servers):
        proxy = {"@type": "type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy", "stat_prefix": "clients",
                 "cluster": "validators", "max_connect_attempts": 3}
        cluster = {"name": "validators", "type": "STATIC", "connect_timeout": "5s", "lb_policy": "ROUND_ROBIN",
                   "health_checks": [{"timeout": "2s", "interval": "0.1s", "no_traffic_interval": "0.1s", "unhealthy_threshold": 1,
                                      "healthy_threshold": 1, "grpc_health_check": {}, "event_log_path": "/dev/null"}],
                   "typed_extension_protocol_options": {"envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
                       "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
                       "explicit_http_config": {"http2_protocol_options": {}}}},
                   "load_assignment": {"cluster_name": "validators", "endpoints": [{"lb_endpoints": [
                       {"endpoint": {"address": socket_address(server)}} for server in servers]}]}}
        return json.dumps({"static_resources": {
            "listeners": [{"address": socket_address(self.address),
                           "filter_chains": [{"filters": [{"name": "clients", "typed_config": proxy}]}]}],
            "clusters": [cluster]}}, indent=1)


class Balancing(unittest.TestCase):
    CLIENTS = 16

    def test_connections_that_live_long_even_out_over_a_validator_that_is_added(self):
        with contextlib.ExitStack() as stack:
            deployment = stack.enter_context(Deployment())
            first, second = (deployment.beside("latchkey-validator", max_connection_age="2s", max_connection_age_grace="60s")
                             for _ in range(2))
            stack.callback(second.remove)
            stack.enter_context(first)
            balancer = stack.enter_context(Balancer([first.address, second.address]))
            # With what they try again by themselves: a call that comes to a connection as it ends.
            options = [("grpc.use_local_subchannel_pool", 1)]
            channels = [stack.enter_context(grpc.insecure_channel(balancer.address, options)) for _ in range(self.CLIENTS)]
            question = validation_pb2.ValidateRequest(token=deployment.secrets["LATCHKEY_TOKEN"], channel=1)

            def ask_all():
                for channel in channels:
                    answer = validation_grpc.ValidationServiceStub(channel).Validate(question, timeout=PATIENCE, wait_for_ready=True)
                    self.assertEqual(answer.decision, 1)

            ask_all()
            self.assertGreaterEqual(self.connections(first), self.CLIENTS)
            second.start()

            def is_even():
                ask_all()  # none fails
                return min(self.connections(first), self.connections(second)) >= self.CLIENTS // 4

            wait_until(is_even, PATIENCE, "the connections to even out")

    @staticmethod
    def connections(server):
        """Open ones; the balancer has one of its own."""
        return sum(float(line.split()[-1]) - 1 for line in server.admin("/metrics")[1].splitlines()
                   if line.startswith("latchkey_connections "))


if __name__ == "__main__":
    unittest.main()
