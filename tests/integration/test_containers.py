"""docker-compose.yml, deploy/compose and deploy/Dockerfile describe what exists: programs, settings, ports, routes, secrets.
tests/containers runs them."""

import ipaddress
import os
import re
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

import yaml

from latchkey_test import BUILD, ROOT, program

DOCKERFILE = (ROOT / "deploy/Dockerfile").read_text(encoding="utf-8")
PUBLIC_SERVICES = [name for path in (ROOT / "proto/latchkey/v1").glob("*.proto")
                   for name in re.findall(r"^service (\w+)", path.read_text(encoding="utf-8"), re.MULTILINE)]
EXIT_OK = 0


def compose(**variables):
    """With what its variables are, by default."""
    text = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    return yaml.safe_load(re.sub(r"\$\{(\w+):-([^}]*)\}", lambda found: variables.get(found[1], found[2]), text))


def our_services():
    """Name -> definition, of those that run our image; `command` is all of what is run."""
    services = {name: service for name, service in compose()["services"].items() if service["image"].startswith("latchkey:")}
    for service in services.values():
        service["command"] = service.get("entrypoint", []) + service["command"]
    return services


def servers():
    return {name: service for name, service in our_services().items() if "--listen" in service["command"]}


def console():
    return our_services()["console"]


def console_cluster():
    """Envoy's, and where it listens for browsers."""
    resources = yaml.safe_load((ROOT / "deploy/compose/envoy.yaml").read_text(encoding="utf-8"))["static_resources"]
    [listener] = [listener for listener in resources["listeners"] if listener["name"] == "browsers"]
    [cluster] = [cluster for cluster in resources["clusters"] if cluster["name"] == "console"]
    return cluster, listener


def image_command(instruction="CMD"):
    """The command that the image runs when none is given, or another of its commands."""
    return yaml.safe_load(re.search(rf"^{instruction} (\[.*\])$", DOCKERFILE, re.MULTILINE)[1])


def read_settings(command, environment=None):
    """Lets the program read its settings and do nothing more: --help is looked for when all of them have been read."""
    given = {name: value for name, value in (environment or {}).items() if value}
    return subprocess.run([program(command[0]), *command[1:], "--help"], env={**os.environ, **given},
                          capture_output=True, text=True, timeout=60, check=False)


def option(command, name):
    return command[command.index(name) + 1]


def secret_targets(service):
    """Name in /run/secrets -> name of the secret."""
    given = [secret if isinstance(secret, dict) else {"source": secret} for secret in service.get("secrets", [])]
    return {secret.get("target", secret["source"]): secret["source"] for secret in given}


def openssl(*arguments):
    return subprocess.run(["openssl", *map(str, arguments)], capture_output=True, text=True, check=True).stdout


class Compose(unittest.TestCase):
    def test_every_command_is_one_that_its_program_takes(self):
        for name, service in our_services().items():
            with self.subTest(name):
                done = read_settings(service["command"], service["environment"])
                self.assertEqual(done.returncode, EXIT_OK, done.stderr)

    def test_a_setting_that_does_not_exist_would_be_noticed(self):
        for name, service in servers().items():
            with self.subTest(name):
                self.assertNotEqual(read_settings([*service["command"], "--no-such-setting", "1"]).returncode, EXIT_OK)

    def test_every_variable_is_one_that_a_program_reads(self):
        commands = [service["command"] for service in our_services().values()]
        texts = "".join(read_settings(command[:1]).stdout for command in commands)
        for name, service in our_services().items():
            for variable in service["environment"]:
                with self.subTest(f"{name} {variable}"):
                    self.assertRegex(texts + "PGSERVICEFILE", rf"\b{variable}\b")

    def test_only_loopback_is_published_by_default_and_no_server_of_ours(self):
        published = []
        for name, service in compose()["services"].items():
            for port in service.get("ports", []):
                with self.subTest(f"{name} {port}"):
                    address, outside, inside = port.split(":")
                    self.assertEqual((address, outside), ("127.0.0.1", inside))
                    self.assertNotIn(name, our_services())
                    published.append(outside)
        self.assertIn("7070", published)
        self.assertEqual(len(published), len(set(published)))

    def test_envoy_alone_is_published_to_others(self):
        """Not the mails, which ask nobody who they are."""
        services = compose(LATCHKEY_PUBLISH="0.0.0.0")["services"]
        self.assertEqual({name for name, service in services.items() for port in service.get("ports", []) if not port.startswith("127.0.0.1:")},
                         {"envoy"})

    def test_every_server_listens_where_its_own_default_says(self):
        for name, service in servers().items():
            with self.subTest(name):
                text = read_settings(service["command"][:1]).stdout
                for setting in ("--listen", "--admin-listen"):
                    port = option(service["command"], setting).split(":")[1]
                    self.assertIn(f"127.0.0.1:{port};", text)

    def test_every_server_is_asked_for_its_health_by_itself(self):
        for name, service in {**servers(), "console": console()}.items():
            self.assertEqual(service["healthcheck"]["test"], ["CMD", service["command"][0], "ready"], name)

    def test_no_server_speaks_without_tls(self):
        for name, service in servers().items():
            self.assertNotIn("LATCHKEY_ALLOW_PLAINTEXT", service["environment"])
            targets = secret_targets(service)
            self.assertEqual((targets["tls.crt"], targets["tls.key"]), (f"{name}.crt", f"{name}.key"))

    def test_every_secret_that_is_read_is_given(self):
        defined = compose()["secrets"]
        for name, service in compose()["services"].items():
            targets = secret_targets(service)
            self.assertLessEqual(set(targets.values()), set(defined))
            for secret in re.findall(r"/run/secrets/([\w.-]+)", str({**service, "secrets": None})):
                with self.subTest(f"{name} {secret}"):
                    self.assertIn(secret, targets)

    def test_every_file_that_is_mounted_is_there(self):
        for name, service in compose()["services"].items():
            for volume in service.get("volumes", []):
                if volume.startswith("./"):
                    with self.subTest(f"{name} {volume}"):
                        self.assertTrue((ROOT / volume.split(":")[0]).exists())

    def test_grafana_finds_prometheus_and_the_dashboard_where_they_are(self):
        def read(kind):
            return yaml.safe_load((ROOT / f"deploy/grafana/provisioning/{kind}/latchkey.yml").read_text(encoding="utf-8"))
        source, = read("datasources")["datasources"]
        self.assertEqual((source["type"], source["url"]), ("prometheus", "http://prometheus:9090"))
        self.assertEqual(compose()["services"]["prometheus"]["ports"], ["127.0.0.1:9090:9090"])
        mounted = dict(volume.split(":")[:2] for volume in compose()["services"]["grafana"]["volumes"])
        path = read("dashboards")["providers"][0]["options"]["path"]
        self.assertEqual(mounted["./deploy/grafana/latchkey.json"], f"{path}/latchkey.json")
        self.assertEqual(mounted["./deploy/grafana/provisioning"], "/etc/grafana/provisioning")

    def test_a_server_is_given_the_time_that_it_takes_to_stop(self):
        for name, service in servers().items():
            with self.subTest(name):
                text = read_settings(service["command"][:1]).stdout
                grace = int(re.search(r"--drain-grace.*?\(default (\d+)s;", text, re.DOTALL)[1])
                delay = int(service["environment"]["LATCHKEY_DRAIN_DELAY"].removesuffix("s"))
                # Ten: a database that has gone silent.
                self.assertGreater(int(service["stop_grace_period"].removesuffix("s")), grace + delay + 10)


class Envoy(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        resources = yaml.safe_load((ROOT / "deploy/compose/envoy.yaml").read_text(encoding="utf-8"))["static_resources"]
        manager = resources["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"]
        cls.routes = {route["match"]["prefix"]: route.get("route", {}).get("cluster")
                      for route in manager["route_config"]["virtual_hosts"][0]["routes"]}
        cls.clusters = {cluster["name"]: cluster for cluster in resources["clusters"] if cluster["name"] != "console"}

    def test_every_service_goes_to_a_server_that_has_it_and_nothing_else_goes_anywhere(self):
        for service in PUBLIC_SERVICES:
            with self.subTest(service):
                command = servers()[self.routes[f"/latchkey.v1.{service}/"]]["command"]
                methods = subprocess.run([program(command[0]), "methods"], capture_output=True, text=True, check=True).stdout
                self.assertIn(f"/latchkey.v1.{service}/", methods)
        self.assertEqual(set(self.routes), {f"/latchkey.v1.{service}/" for service in PUBLIC_SERVICES} | {"/"})
        self.assertIsNone(self.routes["/"])

    def test_every_server_is_called_where_it_listens_and_by_its_own_name(self):
        self.assertEqual(set(self.clusters), set(servers()))
        for name, cluster in self.clusters.items():
            endpoint = cluster["load_assignment"]["endpoints"][0]["lb_endpoints"][0]["endpoint"]["address"]["socket_address"]
            self.assertEqual(f"*:{endpoint['port_value']}", option(servers()[name]["command"], "--listen"))
            self.assertEqual(endpoint["address"], name)
            tls = cluster["transport_socket"]["typed_config"]
            self.assertTrue(tls["auto_host_sni"] and tls["auto_sni_san_validation"])
            self.assertEqual(cluster["common_lb_config"]["healthy_panic_threshold"]["value"], 0)

    def test_it_knows_who_stops_before_that_one_turns_calls_away(self):
        for name, cluster in self.clusters.items():
            check, = cluster["health_checks"]
            interval, timeout = (int(check[key].removesuffix("s")) for key in ("interval", "timeout"))
            delay = int(servers()[name]["environment"]["LATCHKEY_DRAIN_DELAY"].removesuffix("s"))
            self.assertGreater(delay, interval * check["unhealthy_threshold"] + timeout, name)

    def test_it_may_ask_silent_connections_as_often_as_it_does(self):
        for name, cluster in self.clusters.items():
            options, = cluster["typed_extension_protocol_options"].values()
            keepalive = options["explicit_http_config"]["http2_protocol_options"]["connection_keepalive"]
            environment = servers()[name]["environment"]
            self.assertEqual(environment["LATCHKEY_PERMIT_PINGS_WITHOUT_CALLS"], "on", name)
            least = int(environment["LATCHKEY_MIN_PING_INTERVAL"].removesuffix("s"))
            self.assertGreater(int(keepalive["interval"].removesuffix("s")), least, name)

    def test_it_and_the_console_alone_are_believed_about_addresses(self):
        addresses = [compose()["services"][name]["networks"]["front"]["ipv4_address"] for name in ("envoy", "console")]
        for name, service in servers().items():
            self.assertEqual(service["environment"]["LATCHKEY_TRUSTED_PROXIES"], ",".join(addresses), name)

    def test_no_other_container_is_ever_given_an_address_that_is_believed(self):
        definition = compose()
        config, = definition["networks"]["front"]["ipam"]["config"]
        for name in ("envoy", "console"):
            address = ipaddress.ip_address(definition["services"][name]["networks"]["front"]["ipv4_address"])
            self.assertIn(address, ipaddress.ip_network(config["subnet"]))
            self.assertNotIn(address, ipaddress.ip_network(config["ip_range"]))
            self.assertNotEqual(str(address), config["gateway"])

    def test_prometheus_scrapes_every_server(self):
        text = (ROOT / "deploy/compose/prometheus.yml").read_text(encoding="utf-8")
        scraped = {(target["names"][0], target["port"]) for target in yaml.safe_load(text)["scrape_configs"][0]["dns_sd_configs"]}
        listening = {(name, int(option(service["command"], "--admin-listen").split(":")[1]))
                     for name, service in {**servers(), "console": console()}.items()}
        self.assertEqual(scraped, listening)


class Console(unittest.TestCase):
    def test_it_listens_for_envoy_on_a_network_that_nobody_else_is_on(self):
        definition = compose()
        on_it = {name for name, service in definition["services"].items() if "pages" in service.get("networks", ())}
        self.assertEqual(on_it, {"envoy", "console"})
        self.assertTrue(definition["networks"]["pages"]["internal"])
        address = console()["networks"]["pages"]["ipv4_address"]
        self.assertEqual(option(console()["command"], "--console-listen"), f"{address}:7090")
        pages, front = (ipaddress.ip_network(definition["networks"][name]["ipam"]["config"][0]["subnet"]) for name in ("pages", "front"))
        self.assertIn(ipaddress.ip_address(address), pages)
        self.assertFalse(pages.overlaps(front))

    def test_envoy_calls_it_there_and_is_the_one_that_it_believes(self):
        cluster, _ = console_cluster()
        endpoint = cluster["load_assignment"]["endpoints"][0]["lb_endpoints"][0]["endpoint"]["address"]["socket_address"]
        self.assertEqual((endpoint["address"], endpoint["port_value"]), ("pages", 7090))
        self.assertEqual(console()["networks"]["pages"]["aliases"], ["pages"])
        self.assertEqual(console()["environment"]["LATCHKEY_TRUSTED_PROXIES"], compose()["services"]["envoy"]["networks"]["pages"]["ipv4_address"])

    def test_envoy_ends_an_idle_connection_to_it_first(self):
        options, = console_cluster()[0]["typed_extension_protocol_options"].values()
        ends = int(options["common_http_protocol_options"]["idle_timeout"].removesuffix("s"))
        there = int(re.search(r"--http-idle-timeout.*?\(default (\d+)s;", read_settings(["latchkey-console"]).stdout, re.DOTALL)[1])
        self.assertLess(ends, there)

    def test_its_token_is_made_for_the_address_at_which_the_servers_see_it(self):
        page = (ROOT / "docs/operations.md").read_text(encoding="utf-8")
        [allowed] = re.findall(r"^ +--allowed-ip (\S+) .*>var/compose/console-token$", page, re.MULTILINE)
        self.assertEqual(allowed, console()["networks"]["front"]["ipv4_address"])

    def test_its_links_lead_to_what_envoy_publishes_with_tls(self):
        _, listener = console_cluster()
        port = listener["address"]["socket_address"]["port_value"]
        self.assertIn("transport_socket", listener["filter_chains"][0])
        self.assertIn(f"127.0.0.1:{port}:{port}", compose()["services"]["envoy"]["ports"])
        self.assertEqual(console()["environment"]["LATCHKEY_CONSOLE_URL"], f"https://localhost:{port}")
        for service in (console(), our_services()["invitation"]):
            self.assertEqual(service["environment"]["LATCHKEY_INVITATION_URL"], f"https://localhost:{port}/invitation")

    def test_it_asks_each_server_where_that_one_listens_by_tls_and_has_no_way_to_the_database(self):
        environment = console()["environment"]
        for name, service in servers().items():
            port = option(service["command"], "--listen").split(":")[1]
            self.assertEqual(environment[f"LATCHKEY_{name.upper()}_ADDRESS"], f"{name}:{port}")
        self.assertEqual(environment["LATCHKEY_SERVICES_CA_FILE"], "/run/secrets/ca.crt")
        self.assertNotIn("LATCHKEY_SERVICES_ALLOW_PLAINTEXT", environment)
        self.assertNotIn("back", console()["networks"])
        self.assertNotIn("pg_service.conf", secret_targets(console()))


class EnvoyInFrontOfServices(unittest.TestCase):
    """deploy/envoy, which tests/interop runs."""

    def test_a_late_answer_is_forgiven_once_and_the_page_says_how_long_who_stops_has_to_serve_on(self):
        page = (ROOT / "docs/envoy.md").read_text(encoding="utf-8")
        delay = int(re.search(r"^    latchkey-validator .*--drain-delay (\d+)s", page, re.MULTILINE)[1])
        for path in (ROOT / "deploy/envoy").glob("*.yaml"):
            clusters = yaml.safe_load(path.read_text(encoding="utf-8"))["static_resources"]["clusters"]
            checks = [check for cluster in clusters for check in cluster.get("health_checks", ())]
            self.assertTrue(checks, path.name)
            for check in checks:
                interval, timeout = (int(check[key].removesuffix("s")) for key in ("interval", "timeout"))
                self.assertGreater(check["unhealthy_threshold"], 1, path.name)
                self.assertGreater(delay, interval * check["unhealthy_threshold"] + timeout, path.name)


class Secrets(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="latchkey-secrets-")
        self.addCleanup(directory.cleanup)
        self.tree = Path(directory.name)
        (self.tree / "deploy").mkdir()
        shutil.copytree(ROOT / "deploy/compose", self.tree / "deploy/compose")
        self.made = self.tree / "var/compose"

    def make(self, *arguments):
        subprocess.run([self.tree / "deploy/compose/make_secrets.sh", *arguments], check=True, capture_output=True)
        return {path.name: path.read_bytes() for path in self.made.iterdir()}

    def test_it_makes_what_the_file_reads_and_shows_it_to_nobody_else(self):
        files = self.make()
        self.assertEqual(set(files), {Path(secret["file"]).name for secret in compose()["secrets"].values()} | {"ca.key"})
        self.assertEqual(self.made.stat().st_mode & 0o777, 0o700)
        self.assertEqual((self.made / "ca.key").stat().st_mode & 0o777, 0o600)
        self.assertIn(b"password=" + files["database-password"].strip() + b"\n", files["pg_service.conf"])

    def test_what_is_there_is_kept(self):
        self.make()
        (self.made / "console-token").write_text("lka_...", encoding="ascii")
        before = {path.name: path.read_bytes() for path in self.made.iterdir()}
        self.assertEqual(before, self.make("gate.example.com"))

    def test_until_an_operator_has_made_it_the_console_has_a_token_that_is_none(self):
        self.assertEqual(self.make()["console-token"], b"")

    def test_each_server_has_a_certificate_of_its_own_name_and_envoy_of_all_that_it_is_called(self):
        self.make("gate.example.com", "192.0.2.7")
        for name in (*servers(), "mail", "envoy"):
            certificate = self.made / f"{name}.crt"
            openssl("verify", "-purpose", "sslserver", "-verify_hostname", name, "-CAfile", self.made / "ca.crt", certificate)
        for check in (("-verify_hostname", "gate.example.com"), ("-verify_hostname", "localhost"), ("-verify_ip", "192.0.2.7")):
            openssl("verify", *check, "-CAfile", self.made / "ca.crt", self.made / "envoy.crt")

    def test_renewing_makes_other_certificates_of_the_same_authority(self):
        before, after = self.make(), self.make("--renew", "gate.example.com")
        changed = {name for name in before if before[name] != after[name]}
        self.assertEqual(changed, {name for name in before if re.fullmatch(r".+\.(crt|key)", name) and not name.startswith("ca.")})
        openssl("verify", "-verify_hostname", "gate.example.com", "-CAfile", self.made / "ca.crt", self.made / "envoy.crt")


class Image(unittest.TestCase):
    def test_it_holds_every_program_that_is_run_from_it_and_no_test(self):
        with tempfile.TemporaryDirectory(prefix="latchkey-install-") as directory:
            subprocess.run(["cmake", "--install", BUILD, "--prefix", directory], stdout=subprocess.DEVNULL, check=True)
            installed = {path.name for path in (Path(directory) / "bin").iterdir()}
        commands = [service["command"] for service in our_services().values()]
        self.assertLessEqual({command[0] for command in [*commands, image_command()]}, installed)
        for name in installed:
            self.assertRegex(name, "^latchkey")

    def test_its_own_command_is_one_that_the_program_takes(self):
        done = read_settings([*image_command(), "--allow-plaintext"])
        self.assertEqual(done.returncode, EXIT_OK, done.stderr)

    def test_its_health_is_asked_of_that_program(self):
        self.assertEqual(image_command("HEALTHCHECK .* CMD"), [image_command()[0], "ready"])

    def test_every_file_that_its_build_copies_is_there(self):
        sources = [source for source in re.findall(r"^COPY (\S+) ", DOCKERFILE, re.MULTILINE) if not source.startswith("-")]
        self.assertTrue(sources)
        for source in sources:
            self.assertTrue((ROOT / source).exists(), source)


if __name__ == "__main__":
    unittest.main()
