"""deploy/kubernetes as files: Kustomize and Helm make the same objects, the schemas of Kubernetes and of the operators take them, and
what they say fits the programs that they run. Needs what tests/kubernetes/get_tools.sh gets, and the built programs."""

import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import yaml
from latchkey_test import free_port, run_latchkey
from latchkey_test.authority import Authority
from latchkey_test.paths import ROOT, program
from manifests import (KUBE_VERSION, KUBERNETES, NAMESPACE, OVERLAYS, TOOLS, helm, index, key_of, kustomize, kustomize_with, load, of_kind,
                       plain_name, pods_of, settings_of, tool)

from one_node import make_secrets

sys.path.insert(0, str(KUBERNETES))
from write_prometheus_rule import RULE, make_rule  # noqa: E402

_DOCUMENT = ROOT / "docs/kubernetes.md"
_SERVERS = ("token", "whitelist", "invitation", "validator")
# Of each overlay, the component with the console, and what the chart is given for it.
_CONSOLES = {"single-node": "console-single-node", "production": "console-production"}
_CONSOLE_VALUES = ("console.enabled=true,console.settings.console-url=https://console.example.com,"
                   "console.settings.mail-from=latchkey@example.com,console.settings.smtp-url=smtp://mail.example.com:587")
# Findings of kube-score that are argued in docs/decisions/0041.
_ARGUED = ("container-image-pull-policy", "deployment-has-host-podantiaffinity")
_ARGUED_ON_ONE_NODE = ("container-security-context-user-group-id", "pod-networkpolicy", "deployment-replicas")


def conform(text):
    """Each object against the schema of its kind, which has to be there."""
    return tool("kubeconform", "-strict", "-summary", "-schema-location", f"{TOOLS}/schemas/{{{{.ResourceKind}}}}{{{{.KindSuffix}}}}.json", text=text)


class Overlay:
    def __init__(self, text):
        self.text = text
        self.items = load(self.text)


class Judging(unittest.TestCase):
    """By the programs of others."""

    def assert_done(self, done):
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def assert_same(self, items, others):
        expected, made = index(items), index(others)
        # Kustomize's user deletes the Job of the release before; Helm gives each a name of its own.
        for key in [key for key in made if key[0] == "Job"]:
            job = made.pop(key)
            job["metadata"]["name"] = plain_name(job)
            made[key_of(job)] = job
        self.assertEqual(sorted(made), sorted(expected))
        for key, item in expected.items():
            self.assertEqual(made[key], item, key)

    def assert_no_pod_violates(self, overlay):
        done = tool("restricted", text=overlay.text)
        self.assert_done(done)
        self.assertEqual(done.stdout, f"{len(pods_of(overlay.items))} Pods, 0 violate\n")

    def assert_no_finding(self, name, overlay):
        argued = _ARGUED + (_ARGUED_ON_ONE_NODE if name == "single-node" else ())
        ignored = [argument for test in argued for argument in ("--ignore-test", test)]
        self.assert_done(tool("kube-score", "score", "--output-format", "ci", "--exit-one-on-warning", "--ignore-container-cpu-limit",
                              *ignored, "-", text=overlay.text))


class Manifests(Judging):
    @classmethod
    def setUpClass(cls):
        cls.overlays = {name: Overlay(kustomize(name)) for name in OVERLAYS}

    def test_helm_makes_the_very_objects_that_kustomize_makes(self):
        for name, overlay in self.overlays.items():
            with self.subTest(name):
                self.assert_same(overlay.items, load(helm(name)))

    def test_an_overlay_with_one_more_component_is_a_value_of_the_chart(self):
        self.assert_same(load(kustomize_with("single-node", "grpc-readiness")), load(helm("single-node", "--set", "grpcReadiness.enabled=true")))

    def test_another_catalogue_or_image_is_another_migration(self):
        def name(*arguments):
            return [key_of(item) for item in of_kind(load(helm("single-node", *arguments)), "Job")]
        self.assertEqual(name(), name())
        self.assertNotEqual(name(), name("--set", "permissions=charges.read"))
        self.assertNotEqual(name(), name("--set", "image.tag=0.2.0"))

    def test_the_schemas_take_every_object(self):
        for name, overlay in self.overlays.items():
            with self.subTest(name):
                for text in (overlay.text, helm(name)):
                    self.assert_done(conform(text))

    def test_the_operator_of_postgresql_takes_its_cluster(self):
        self.assert_done(conform((ROOT / "deploy/postgres/cloudnativepg.yaml").read_text(encoding="utf-8")))

    def test_the_schemas_refuse_a_field_that_is_typed_wrong(self):
        for wrong in ("terminationGracePeriod: 45", "automountServiceAccountTokens: false"):
            done = conform(self.overlays["production"].text.replace("enableServiceLinks: false", wrong, 1))
            self.assertNotEqual(done.returncode, 0)
            self.assertIn(wrong.split(":", maxsplit=1)[0], done.stdout)

    def test_pod_security_restricted_admits_every_pod(self):
        for name, overlay in self.overlays.items():
            with self.subTest(name):
                self.assert_no_pod_violates(overlay)

    def test_pod_security_restricted_refuses_a_pod_that_says_less(self):
        for line in ("runAsNonRoot: true", "allowPrivilegeEscalation: false", "type: RuntimeDefault"):
            done = tool("restricted", text=self.overlays["production"].text.replace(line, line.replace("RuntimeDefault", "Unconfined")
                                                                                    .replace("true", "null").replace("false", "true"), 1))
            self.assertEqual(done.returncode, 1, done.stdout + done.stderr)

    def test_kube_score_finds_nothing_that_is_not_argued(self):
        for name, overlay in self.overlays.items():
            with self.subTest(name):
                self.assert_no_finding(name, overlay)

    def test_the_chart_refuses_values_that_no_deployment_should_have(self):
        for wrong in ("image.tag=latest", "database.url=postgresql://latchkey:secret@host/latchkey", "setings.latchkey.loops=2",
                      "settings.token.listen=*:1", "tls.enabled=true,grpcReadiness.enabled=true", "tls.enabled=perhaps",
                      "servers.validator.replicas=-1", "image.digest=sha256:0"):
            with self.subTest(wrong):
                done = tool("helm", "template", "latchkey", KUBERNETES / "chart", *KUBE_VERSION, "--set", wrong)
                self.assertNotEqual(done.returncode, 0)
                self.assertIn("values", done.stderr)

    def test_the_chart_refuses_less_time_to_end_than_a_drain_may_take(self):
        def make(**values):
            words = [f"{name.replace('__', '.').replace('_', '-')}={value}" for name, value in values.items()]
            return tool("helm", "template", "latchkey", KUBERNETES / "chart", *KUBE_VERSION, "--set", ",".join(words))
        for drain, needed in (({}, 35), ({"settings__latchkey__drain_grace": "2m"}, 135), ({"settings__token__drain_grace": "300ms"}, 35),
                              ({"settings__validator__drain_delay": "45s"}, 75), ({"settings__latchkey__drain_delay": "null"}, 30),
                              ({"settings__latchkey__drain_grace": "null"}, 35), ({"settings__latchkey__drain_grace": "20001ms"}, 36)):
            with self.subTest(drain):
                self.assert_done(make(**drain, terminationGracePeriodSeconds=needed))
                done = make(**drain, terminationGracePeriodSeconds=needed - 1)
                self.assertNotEqual(done.returncode, 0)
                self.assertIn("terminationGracePeriodSeconds", done.stderr)
        self.assertNotEqual(make(settings__token__drain_grace="20").returncode, 0)

    def test_the_packed_chart_is_whole(self):
        with tempfile.TemporaryDirectory() as directory:
            self.assert_done(tool("helm", "package", KUBERNETES / "chart", "--destination", directory))
            [packed] = Path(directory).iterdir()
            done = tool("helm", "template", "latchkey", packed, *KUBE_VERSION, "--namespace", NAMESPACE, "--set", "createNamespace=true")
            self.assertEqual(load(done.stdout), load(helm("single-node")), done.stderr)

    def test_the_chart_is_clean_by_its_own_linter(self):
        for _, arguments in OVERLAYS.items():
            self.assert_done(tool("helm", "lint", "--strict", *KUBE_VERSION, KUBERNETES / "chart", *arguments))

    def test_the_alerts_are_those_of_prometheus(self):
        self.assertEqual(RULE.read_text(), make_rule(), "run deploy/kubernetes/write_prometheus_rule.py")
        alerts = yaml.safe_load((ROOT / "deploy/prometheus/alerts.yml").read_text())
        [rule] = of_kind(self.overlays["production"].items, "PrometheusRule")
        self.assertEqual(rule["spec"], alerts)

    def test_the_page_lists_the_objects(self):
        rows = re.findall(r"^\| ([A-Z]\w+) \| `([^`]+)` \| (x?) \| (x?) \|", _DOCUMENT.read_text(), re.MULTILINE)
        for column, name in ((2, "single-node"), (3, "production")):
            listed = sorted((row[0], each) for row in rows if row[column] for each in row[1].split(", "))
            made = sorted((item["kind"], plain_name(item)) for item in self.overlays[name].items)
            self.assertEqual(listed, made)


class Pods(unittest.TestCase):
    """What the manifests say to the kubelet."""

    @classmethod
    def setUpClass(cls):
        cls.overlays = {name: load(kustomize(name)) for name in OVERLAYS}

    def each_pod(self):
        for overlay, items in self.overlays.items():
            for name, template in pods_of(items):
                yield f"{overlay}: {name}", items, template["spec"], template

    def test_a_pod_is_given_longer_to_end_than_a_drain_may_take(self):
        for label, items, pod, _ in self.each_pod():
            with self.subTest(label):
                settings = dict(line.split(" = ", 1) for line in settings_of(items)["latchkey.conf"].splitlines())
                drain = sum(int(settings[name].removesuffix("s")) for name in ("drain-delay", "drain-grace"))
                self.assertGreaterEqual(pod["terminationGracePeriodSeconds"], drain + 10)

    def test_no_probe_that_ends_a_pod_asks_the_database(self):
        for label, _, pod, _ in self.each_pod():
            with self.subTest(label):
                for container in pod["containers"]:
                    if container["name"] == "server":
                        self.assertEqual([container[f"{probe}Probe"]["httpGet"]["path"] for probe in ("startup", "liveness", "readiness")],
                                         ["/livez", "/livez", "/readyz"])

    def test_no_pod_can_speak_to_kubernetes_write_to_its_image_or_become_more_than_it_is(self):
        for label, _, pod, _ in self.each_pod():
            with self.subTest(label):
                self.assertIs(pod["automountServiceAccountToken"], False)
                self.assertIs(pod["enableServiceLinks"], False)
                self.assertTrue(pod["securityContext"]["runAsNonRoot"])
                for container in pod["containers"]:
                    context = container["securityContext"]
                    self.assertEqual((context["readOnlyRootFilesystem"], context["allowPrivilegeEscalation"], context["capabilities"]),
                                     (True, False, {"drop": ["ALL"]}))
                    self.assertIn("memory", container["resources"]["limits"])

    def test_no_sidecar_comes_between_a_validator_and_those_who_ask_it(self):
        for label, _, pod, template in self.each_pod():
            with self.subTest(label):
                if pod["containers"][0]["name"] != "postgres":
                    self.assertEqual(template["metadata"]["labels"]["sidecar.istio.io/inject"], "false")
                    self.assertEqual(template["metadata"]["annotations"]["linkerd.io/inject"], "disabled")

    def test_no_secret_stands_in_an_object_or_in_the_environment(self):
        for label, items, pod, _ in self.each_pod():
            with self.subTest(label):
                self.assertEqual(of_kind(items, "Secret"), [])
                for container in pod["containers"]:
                    self.assertNotIn("secretKeyRef", str(container.get("env")) + str(container.get("envFrom")))

    def test_no_server_is_given_the_superuser_s_password(self):
        """Nor anything else that PostgreSQL's own Pod has."""
        secrets = {name: {volume["secret"]["secretName"] for volume in pod["spec"]["volumes"] if "secret" in volume}
                   for name, pod in pods_of(self.overlays["single-node"])}
        superuser = {item["metadata"]["name"] for item in load(make_secrets()) if "superuser-password" in item["stringData"]}
        self.assertEqual(secrets.pop("latchkey-postgres"), superuser)
        for name, mounted in secrets.items():
            self.assertEqual(mounted & superuser, set(), name)

    def test_every_image_has_a_version(self):
        for label, _, pod, _ in self.each_pod():
            with self.subTest(label):
                for container in pod["containers"]:
                    self.assertRegex(container["image"], r":\d+\.\d+[\w.-]*$")


class Migration(unittest.TestCase):
    """Which of the codes that `latchkey migrate` ends with make Kubernetes try again."""

    def test_what_waiting_may_mend_is_tried_again_and_what_it_can_not_is_not(self):
        for overlay in OVERLAYS:
            [job] = of_kind(load(kustomize(overlay)), "Job")
            [rule] = job["spec"]["podFailurePolicy"]["rules"]
            self.assertEqual((rule["action"], rule["onExitCodes"]["operator"]), ("FailJob", "In"))
            for url, is_given_up in (("postgresql://host/latchkey?nonsense=1", True), (f"postgresql://127.0.0.1:{free_port()}/latchkey", False)):
                done = run_latchkey("migrate", LATCHKEY_DATABASE_URL=url)
                self.assertNotEqual(done.returncode, 0)
                self.assertEqual(done.returncode in rule["onExitCodes"]["values"], is_given_up, done.stderr)


class Settings(unittest.TestCase):
    """The servers themselves read what the ConfigMaps give them."""

    @classmethod
    def setUpClass(cls):
        cls.authority = cls.enterClassContext(Authority())

    def put_files(self, directory, items):
        """As they are mounted, below another root."""
        for name, text in settings_of(items).items():
            here = text.replace("/etc/latchkey", str(directory)).replace("/run/secrets/tls", str(directory))
            (directory / name).write_text(here.replace("/run/secrets/console", str(directory / "console")))
        issued = self.authority.issue("server", ["DNS:latchkey-token"], usage="serverAuth")
        for name, path in (("tls.crt", issued.certificate), ("tls.key", issued.key), ("ca.crt", self.authority.certificate)):
            (directory / name).write_bytes(Path(path).read_bytes())

    def check(self, name, items):
        with tempfile.TemporaryDirectory() as parent:
            directory = Path(parent)
            self.put_files(directory, items)
            (directory / "console").mkdir()
            (directory / "console/token").touch()
            [container] = [pod["spec"]["containers"][0] for pod_name, pod in pods_of(items) if pod_name == f"latchkey-{name}"]
            arguments = [argument.replace("/etc/latchkey", str(directory)) for argument in container["args"]]
            return subprocess.run([program(*container["command"]), *arguments, "--check-config"], capture_output=True, text=True, check=False)

    def test_each_server_takes_its_files(self):
        for overlay in OVERLAYS:
            items = load(kustomize(overlay))
            for name in _SERVERS:
                with self.subTest(overlay=overlay, server=name):
                    done = self.check(name, items)
                    self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_the_console_takes_its_files(self):
        for overlay, component in _CONSOLES.items():
            with self.subTest(overlay):
                done = self.check("console", load(kustomize_with(overlay, component)))
                self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_without_a_word_about_tls_no_server_starts(self):
        items = load(kustomize("single-node"))
        del settings_of(items)["transport.conf"]
        self.assertNotEqual(self.check("token", items).returncode, 0)

    def test_the_ports_are_those_that_the_servers_listen_on(self):
        for overlay in OVERLAYS:
            items = load(kustomize(overlay))
            for name in _SERVERS:
                conf = settings_of(items)[f"{name}.conf"]
                [server] = [item for item in of_kind(items, "Deployment") if item["metadata"]["name"] == f"latchkey-{name}"]
                [service] = [item for item in of_kind(items, "Service") if item["metadata"]["name"] == f"latchkey-{name}"]
                ports = {port["name"]: port["containerPort"] for port in server["spec"]["template"]["spec"]["containers"][0]["ports"]}
                self.assertEqual(conf, f"admin-listen = *:{ports['admin']}\nlisten = *:{ports['grpc']}\n")
                self.assertEqual({port["name"]: port["port"] for port in service["spec"]["ports"]}, ports)


class Console(Judging):
    """The component with it, and `console.enabled`."""

    @classmethod
    def setUpClass(cls):
        cls.overlays = {overlay: Overlay(kustomize_with(overlay, component)) for overlay, component in _CONSOLES.items()}

    def find(self, overlay, kind, name="latchkey-console"):
        [found] = [item for item in of_kind(self.overlays[overlay].items, kind) if item["metadata"]["name"] == name]
        return found

    def setting(self, overlay, file, name):
        return dict(line.split(" = ", 1) for line in settings_of(self.overlays[overlay].items)[file].splitlines())[name]

    def test_helm_makes_the_very_objects_that_kustomize_makes(self):
        for name, overlay in self.overlays.items():
            with self.subTest(name):
                self.assert_same(overlay.items, load(helm(name, "--set", _CONSOLE_VALUES)))

    def test_the_rules_of_others_find_nothing(self):
        for name, overlay in self.overlays.items():
            with self.subTest(name):
                self.assert_done(conform(overlay.text))
                self.assert_no_pod_violates(overlay)
                self.assert_no_finding(name, overlay)

    def test_an_overlay_s_other_objects_are_what_they_are_without_it(self):
        for name, overlay in self.overlays.items():
            with self.subTest(name):
                plain, with_it = ({(item["kind"], plain_name(item)) for item in items} for items in (load(kustomize(name)), overlay.items))
                self.assertEqual(plain - with_it, set())
                self.assertTrue(all(each.startswith("latchkey-console") for _, each in with_it - plain), with_it - plain)

    def test_it_listens_at_the_ports_that_its_service_and_its_policy_lead_to(self):
        for overlay in _CONSOLES:
            ports = {"http": 7090, "admin": 7089}
            self.assertEqual(self.setting(overlay, "console.conf", "console-listen"), f"*:{ports['http']}")
            self.assertEqual(self.setting(overlay, "console.conf", "admin-listen"), f"*:{ports['admin']}")
            container = self.find(overlay, "Deployment")["spec"]["template"]["spec"]["containers"][0]
            self.assertEqual({port["name"]: port["containerPort"] for port in container["ports"]}, ports)
            self.assertEqual({port["name"]: port["port"] for port in self.find(overlay, "Service")["spec"]["ports"]}, ports)

    def test_it_asks_each_server_at_a_service_that_is_there_and_that_its_policy_lets_it_reach(self):
        for overlay in _CONSOLES:
            asked = {name: self.setting(overlay, "services.conf", f"{name}-address").rsplit(":", 1) for name in _SERVERS}
            for name, (service, port) in asked.items():
                self.assertIn(name, service)
                self.assertIn(int(port), [each["port"] for each in self.find(overlay, "Service", service)["spec"]["ports"]])
        egress = self.find("production", "NetworkPolicy")["spec"]["egress"][0]
        self.assertEqual([str(port["port"]) for port in egress["ports"]], [port for _, port in asked.values()])

    def test_many_nodes_never_ask_the_servers_without_tls(self):
        self.assertNotIn("plaintext", settings_of(self.overlays["production"].items)["services.conf"])

    def test_the_page_s_objects_are_some_and_its_policy_is_about_the_console_s_pods_alone(self):
        blocks = re.findall(r"(?:^    .*\n)+", _DOCUMENT.read_text(encoding="utf-8"), re.MULTILINE)
        documents = {item["kind"]: item for item in map(yaml.safe_load, filter(lambda block: "apiVersion: networking" in block, blocks))}
        self.assertEqual(set(documents), {"Ingress", "NetworkPolicy"})
        self.assert_done(conform(yaml.safe_dump_all(documents.values())))
        selected = documents["NetworkPolicy"]["spec"]["podSelector"]["matchLabels"].items()
        pods = {item["metadata"]["name"]: item["spec"]["template"]["metadata"]["labels"].items()
                for item in of_kind(self.overlays["production"].items, "Deployment")}
        self.assertEqual([name for name, labels in pods.items() if selected <= labels], ["latchkey-console"])

    def test_its_token_is_a_file_that_may_come_later(self):
        for overlay in _CONSOLES:
            [volume] = [volume for volume in self.find(overlay, "Deployment")["spec"]["template"]["spec"]["volumes"] if volume["name"] == "console"]
            self.assertTrue(volume["secret"]["optional"])

    def test_the_chart_refuses_a_console_that_nobody_could_use_and_one_whose_cookies_anybody_reads(self):
        values = _CONSOLE_VALUES.split(",")
        def make(words):
            return tool("helm", "template", "latchkey", KUBERNETES / "chart", *KUBE_VERSION, "--set", ",".join(words))
        self.assert_done(make(values))
        for wrong in ([word for word in values if "console-url" not in word], [word for word in values if "smtp-url" not in word],
                      [*values, "console.settings.console-url=http://console.example.com"], [*values, "console.settings.console-listen=*:1"],
                      [*values, "console.settings.drain-grace=45s"], [*values, "console.replica=2"]):
            with self.subTest(wrong):
                done = make(wrong)
                self.assertNotEqual(done.returncode, 0)
                self.assertIn("values", done.stderr)


if __name__ == "__main__":
    unittest.main()
