"""Metrics, alerts and dashboard together: a real Prometheus scrapes real servers with deploy/prometheus, and whatever the alerts
and the dashboard ask for is there."""

import json
import re
import unittest

import yaml
from latchkey_test import Deployment, stubs
from latchkey_test.authority import Authority
from latchkey_test.ports import free_port
from latchkey_test.waiting import wait_until
from prometheus import CONFIGURATION, Prometheus, promtool, without_conditions

SERVERS = ("latchkey-token", "latchkey-whitelist", "latchkey-invitation")
DASHBOARD = CONFIGURATION.parent / "grafana/latchkey.json"
decision_pb2 = stubs.messages("latchkey/v1/decision.proto")
validation_pb2 = stubs.messages("latchkey/v1/validation.proto")
token_pb2 = stubs.messages("latchkey/v1/token.proto")


def list_alerts():
    """(name, expression) of each."""
    groups = yaml.safe_load((CONFIGURATION / "alerts.yml").read_text())["groups"]
    return [(rule["alert"], rule["expr"]) for group in groups for rule in group["rules"]]


def list_dashboard_queries():
    """(panel, expression) of each, with its variables as Grafana would fill them in."""
    for panel in json.loads(DASHBOARD.read_text())["panels"]:
        for target in panel.get("targets", ()):
            yield panel["title"], target["expr"].replace("$instance", ".*").replace("$__rate_interval", "1m")


class Files(unittest.TestCase):
    def check(self, *arguments):
        done = promtool(*arguments)
        self.assertEqual(done.returncode, 0, done.stdout)

    def test_prometheus_takes_the_configuration_and_its_rules(self):
        self.check("check", "config", "prometheus.yml")

    def test_each_alert_fires_when_it_should_and_is_quiet_when_it_should_not(self):
        self.check("test", "rules", "alerts_test.yml")

    def test_each_panel_has_a_place_of_its_own_and_a_query(self):
        panels = json.loads(DASHBOARD.read_text())["panels"]
        ids = [panel["id"] for panel in panels]
        self.assertEqual(len(set(ids)), len(ids))
        taken = set()
        for panel in panels:
            place = panel["gridPos"]
            cells = {(x, y) for x in range(place["x"], place["x"] + place["w"]) for y in range(place["y"], place["y"] + place["h"])}
            self.assertFalse(cells & taken, panel["title"])
            self.assertLessEqual(place["x"] + place["w"], 24, panel["title"])
            self.assertTrue(panel["type"] == "row" or panel["targets"], panel["title"])
            taken |= cells


class Scraped(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        authority = cls.enterClassContext(Authority())
        issued = authority.issue("server", ["IP:127.0.0.1"], ends_in_s=30 * 86400)
        cls.deployment = cls.enterClassContext(Deployment(http_listen=f"127.0.0.1:{free_port()}"))
        cls.servers = {"latchkeyd": cls.deployment.server}
        for name in SERVERS:
            cls.servers[name] = cls.deployment.beside(name)
        # With TLS and a snapshot file, so that what they count is there.
        cls.servers["latchkey-validator"] = cls.deployment.beside(
            "latchkey-validator", tls_certificate=issued.certificate, tls_key=issued.key,
            snapshot_file=authority.directory / "snapshot", http_listen=f"127.0.0.1:{free_port()}")
        for server in cls.servers.values():
            if server is not cls.deployment.server:
                cls.enterClassContext(server)
        cls.prometheus = cls.enterClassContext(Prometheus([server.admin_address for server in cls.servers.values()]))
        cls.prometheus.wait_scraped(5)

    def assert_series(self, expressions):
        for name, expression in expressions:
            with self.subTest(name, expression=expression):
                self.assertTrue(self.prometheus.query(expression))

    def test_the_metrics_of_each_server_are_as_promtool_wants_them(self):
        for name, server in self.servers.items():
            with self.subTest(name):
                done = promtool("check", "metrics", text=server.admin("/metrics")[1])
                self.assertEqual((done.returncode, done.stdout), (0, ""))

    def test_what_the_alerts_compare_is_there(self):
        self.assert_series((name, without_conditions(expression)) for name, expression in list_alerts())

    def test_what_the_dashboard_shows_is_there(self):
        self.assert_series(list_dashboard_queries())

    def test_prometheus_can_evaluate_each_alert_and_a_fresh_deployment_raises_none(self):
        def rules():
            return [rule for group in self.prometheus.ask("rules")["groups"] for rule in group["rules"]]
        wait_until(lambda: all(rule["health"] != "unknown" for rule in rules()), 30, "each rule to be evaluated")
        self.assertEqual(len(rules()), len(list_alerts()))
        self.assertEqual({rule["name"]: rule.get("lastError") for rule in rules() if rule["health"] != "ok"}, {})
        self.assertEqual([rule["name"] for rule in rules() if rule["state"] != "inactive"], [])

    def test_a_server_that_goes_on_has_started_once(self):
        self.assertEqual({series["value"][1] for series in self.prometheus.query("changes(process_start_time_seconds[5m])")}, {"0"})

    def test_every_program_tells_its_name_and_version(self):
        programs = {series["metric"]["program"] for series in self.prometheus.query("latchkey_build_info")}
        self.assertEqual(programs, set(self.servers))


class Fresh(unittest.TestCase):
    def series(self, server):
        lines = server.admin("/metrics")[1].splitlines()
        return {re.sub(r" [^ ]*$", "", line) for line in lines if not line.startswith("#")}

    def test_no_series_appears_with_use(self):
        with Deployment() as deployment:
            before = self.series(deployment.server)
            request = validation_pb2.ValidateRequest(token=deployment.secrets["LATCHKEY_TOKEN"], channel=decision_pb2.CHANNEL_API,
                                                     client_ip="127.0.0.1")
            with deployment.administrator() as client:
                client.validation.Validate(request, timeout=20)
                client.validation.Validate(validation_pb2.ValidateRequest(token="unknown"), timeout=20)
                client.tokens.GetCaller(token_pb2.GetCallerRequest(), timeout=20)
                for item in client.validation.ValidateStream(iter([validation_pb2.ValidateStreamRequest(id=1, request=request)]), timeout=20):
                    self.assertEqual(item.id, 1)
            with deployment.anybody() as client, self.assertRaises(Exception):
                client.tokens.GetCaller(token_pb2.GetCallerRequest(), timeout=20)
            after = self.series(deployment.server)
        self.assertEqual(after - before, set())


if __name__ == "__main__":
    unittest.main()
