"""deploy/kubernetes against Kubernetes' own API server and controllers: what production's overlay makes is accepted as it stands, under
Pod security `restricted`, and an operator's way with the single node's, from `kubectl apply` to the first token that is validated, with a
stand-in for the node (machine.py). Needs root, the built programs, PostgreSQL, and what tests/kubernetes/build_control_plane.sh builds."""

import json
import time
import unittest

import yaml
from control_plane import ControlPlane, is_built
from latchkey_test.waiting import wait_until
from machine import Machine
from manifests import KUBERNETES, NAMESPACE, OVERLAYS, TOOLS, kustomize, load, of_kind, tool
from one_node import SERVERS, OneNode, enter_network, make_secrets


def setUpModule():
    if not is_built():
        raise unittest.SkipTest("the control plane is not built: tests/kubernetes/build_control_plane.sh does it, in a quarter of an hour")
    enter_network()


class Accepted(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.plane = cls.enterClassContext(ControlPlane())
        for path in (TOOLS / "definitions").glob("*.yaml"):
            cls.plane.kubectl("apply", "--server-side", "-f", path)
        cls.plane.kubectl("wait", "--for=condition=Established", "--timeout=120s", "crd", "--all")
        cls.plane.kubectl("apply", "-f", KUBERNETES / "base/namespace.yaml")
        cls.text = kustomize("production")
        cls.items = load(cls.text)

    def read(self, kinds):
        return json.loads(self.plane.kubectl("get", kinds, "-n", NAMESPACE, "-o", "json").stdout)["items"]

    def test_the_server_takes_every_object_without_a_warning_and_a_second_time_changes_nothing(self):
        tried = self.plane.kubectl("apply", "--dry-run=server", "-f", "-", text=self.text)
        self.assertNotIn("Warning", tried.stderr)
        self.plane.kubectl("apply", "-f", "-", text=self.text)
        again = self.plane.kubectl("diff", "-f", "-", text=self.text, check=False)
        self.assertEqual((again.returncode, again.stdout), (0, ""), again.stderr)
        self.plane.kubectl("get", "-f", "-", text=self.text)

    def test_the_controllers_make_as_many_pods_as_the_autoscalers_want_at_least(self):
        self.plane.kubectl("apply", "-f", "-", text=self.text)
        scalers = [scaler["spec"] for scaler in of_kind(self.items, "HorizontalPodAutoscaler")]
        wanted = {scaler["scaleTargetRef"]["name"]: scaler["minReplicas"] for scaler in scalers}

        def count():
            names = [pod["metadata"]["labels"]["app.kubernetes.io/component"] for pod in self.read("pods")]
            return {f"latchkey-{name}": names.count(name) for name in SERVERS} == wanted
        wait_until(count, 120, f"Pods: {wanted}; {self.plane.kubectl('get', 'events', '-n', NAMESPACE).stdout}")
        refused = [event["message"] for event in self.read("events") if event["reason"] == "FailedCreate"]
        self.assertEqual(refused, [])

    def test_no_template_may_lose_what_restricted_asks_for(self):
        pod = of_kind(self.items, "Deployment")[0]["spec"]["template"]
        for change in (lambda spec: spec["securityContext"].pop("seccompProfile"), lambda spec: spec["securityContext"].pop("runAsNonRoot"),
                       lambda spec: spec["containers"][0]["securityContext"].pop("capabilities"), lambda spec: None):
            spec = json.loads(json.dumps(pod["spec"]))
            is_changed = change(spec) is not None
            text = yaml.safe_dump({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "one", "namespace": NAMESPACE}, "spec": spec})
            self.plane.kubectl("apply", "-f", "-", text=yaml.safe_dump_all(of_kind(self.items, "ServiceAccount")))
            done = self.plane.kubectl("create", "--dry-run=server", "-f", "-", text=text, check=False)
            self.assertEqual(done.returncode != 0, is_changed, done.stderr)
            if is_changed:
                self.assertIn("violates PodSecurity", done.stderr)


    def helm(self, *arguments):
        done = tool("helm", *arguments, "--kubeconfig", self.plane.kubeconfig, "--namespace", "by-helm")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_helm_installs_upgrades_and_goes_back(self):
        def migrations():
            jobs = self.plane.kubectl("get", "jobs", "-n", "by-helm", "-o", "name").stdout.split()
            self.assertEqual(len(jobs), 1)
            return jobs
        chart = (KUBERNETES / "chart", *OVERLAYS["production"])
        self.helm("install", "latchkey", *chart, "--create-namespace")
        first = migrations()
        self.helm("upgrade", "latchkey", *chart, "--set", "permissions=charges.read  See charges")
        self.assertNotEqual(migrations(), first)
        self.helm("rollback", "latchkey")
        self.assertEqual(migrations(), first)


class OneNodeOfKubernetes(OneNode, unittest.TestCase):
    """The way of docs/kubernetes.md, with Pods that the controllers make."""

    @classmethod
    def setUpClass(cls):
        cls.plane = cls.enterClassContext(ControlPlane())
        cls.prepare()
        cls.machine = cls.enterClassContext(Machine(cls.plane, cls.services))
        cls.started = time.monotonic()
        secrets = make_secrets()
        cls.plane.kubectl("apply", "-k", KUBERNETES / "overlays/single-node")
        cls.plane.kubectl("create", "-f", "-", text=secrets)
        cls.create_database(secrets)
        cls.wait_ready()
        cls.plane.kubectl("wait", "-n", NAMESPACE, "--for=condition=complete", "--timeout=180s", "job/latchkey-migrate")
        cls.wait_rolled_out()

    @classmethod
    def wait_rolled_out(cls):
        for name in SERVERS:
            cls.plane.kubectl("rollout", "status", "-n", NAMESPACE, "--timeout=180s", f"deployment/latchkey-{name}")

    def restart_all(self):
        for name in SERVERS:
            self.plane.kubectl("rollout", "restart", "-n", NAMESPACE, f"deployment/latchkey-{name}")
        self.wait_rolled_out()

    def test_the_headless_service_leads_to_the_validator_that_is_ready(self):
        def addresses():
            slices = json.loads(self.plane.kubectl("get", "endpointslices", "-n", NAMESPACE, "-o", "json", "-l",
                                                   "kubernetes.io/service-name=latchkey-validator-headless").stdout)["items"]
            return [address for each in slices for endpoint in each["endpoints"] or () if endpoint["conditions"]["ready"]
                    for address in endpoint["addresses"]]
        wait_until(lambda: addresses() == [self.pod("validator").address], 60, "the endpoint of the validator")

    def test_a_second_apply_changes_nothing(self):
        text = kustomize("single-node")
        again = self.plane.kubectl("diff", "-f", "-", text=text, check=False)
        self.assertEqual((again.returncode, again.stdout), (0, ""), again.stderr)


if __name__ == "__main__":
    unittest.main()
