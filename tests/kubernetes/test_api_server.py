"""deploy/kubernetes against Kubernetes' own API server and controllers: what production's overlay makes is accepted as it stands, under
Pod security `restricted`, and an operator's way with the single node's, from `kubectl apply` to the first token that is validated, with a
stand-in for the node (machine.py). Needs root, the built programs, PostgreSQL, and what tests/kubernetes/build_control_plane.sh builds."""

import ctypes
import json
import os
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

import yaml
from control_plane import ControlPlane, is_built
from latchkey_test import PrivatePostgres
from latchkey_test.paths import program
from latchkey_test.waiting import wait_until
from machine import Machine
from manifests import KUBERNETES, NAMESPACE, OVERLAYS, TOOLS, kustomize, load, of_kind, tool

_CLONE_NEWNET = 0x40000000
_SERVERS = ("token", "whitelist", "invitation", "validator")


def setUpModule():
    """In a network of their own, as Pods have fixed ports: for this process, which runs nothing else."""
    if not is_built():
        raise unittest.SkipTest("the control plane is not built: tests/kubernetes/build_control_plane.sh does it, in a quarter of an hour")
    if os.geteuid() != 0:
        raise unittest.SkipTest("Pods are given addresses and users, which takes root")
    if ctypes.CDLL(None, use_errno=True).unshare(_CLONE_NEWNET) != 0:
        raise unittest.SkipTest("this machine gives no network of one's own")
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)


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
            return {f"latchkey-{name}": names.count(name) for name in _SERVERS} == wanted
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


class OneNode(unittest.TestCase):
    """The way of docs/kubernetes.md."""

    @classmethod
    def setUpClass(cls):
        cls.directory = Path(cls.enterClassContext(tempfile.TemporaryDirectory()))
        cls.plane = cls.enterClassContext(ControlPlane())
        cls.postgres = cls.enterClassContext(PrivatePostgres())
        cls.machine = cls.enterClassContext(Machine(cls.plane, {"latchkey-postgres": f"127.0.0.1:{cls.postgres.port}"}))
        cls.started = time.monotonic()
        cls.plane.kubectl("apply", "-k", KUBERNETES / "overlays/single-node")
        secret = subprocess.run([KUBERNETES / "secrets.sh"], check=True, capture_output=True, text=True).stdout
        cls.plane.kubectl("create", "-f", "-", text=secret)
        cls.create_database(yaml.safe_load(secret)["stringData"]["password"])
        try:
            cls.plane.kubectl("wait", "-n", NAMESPACE, "--for=condition=complete", "--timeout=180s", "job/latchkey-migrate")
            for name in _SERVERS:
                cls.plane.kubectl("rollout", "status", "-n", NAMESPACE, "--timeout=180s", f"deployment/latchkey-{name}")
        except AssertionError as error:
            raise AssertionError(f"{error}\n{cls.machine.failure}\n{cls.machine.logs()}") from None

    @classmethod
    def create_database(cls, password):
        """What the image's entrypoint does: by the overlay's own script, and with passwords asked for."""
        (cls.directory / "password").write_text(password)
        script = (KUBERNETES / "components/postgres/create-database.sh").read_text().replace("/run/secrets/postgres", str(cls.directory))
        subprocess.run(["bash", "-c", script], check=True, capture_output=True,
                       env={**os.environ, "POSTGRES_USER": "postgres", "PGHOST": str(cls.postgres.directory), "PGPORT": str(cls.postgres.port)})
        rules = cls.postgres.directory / "data/pg_hba.conf"
        rules.write_text("host all latchkey all scram-sha-256\n" + rules.read_text())
        cls.postgres.execute("SELECT pg_reload_conf()")

    def latchkey(self, *arguments, variables=None, expected=0):
        """The command line as `kubectl exec` runs it in a Pod of the token service; what it prints."""
        [pod] = self.machine.pods_of("token")
        environment = {**pod.environment(), "LATCHKEY_ALLOW_PLAINTEXT": "on", **(variables or {})}
        for name, port in zip(_SERVERS, (7072, 7074, 7076, 7078)):
            [pod] = self.machine.pods_of(name)
            environment[f"LATCHKEY_{name.upper()}_ADDRESS"] = f"{pod.address}:{port}"
        done = subprocess.run([program("latchkey"), *arguments], env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=120, check=False)
        self.assertEqual(done.returncode, expected, done.stdout + done.stderr)
        return done.stdout

    def make_operator(self):
        """The variables of its token."""
        path = self.directory / "operator.env"
        self.latchkey("bootstrap", "--env-file", str(path))
        lines = dict(line.split("=", 1) for line in path.read_text().splitlines() if "=" in line and not line.startswith("#"))
        return {"LATCHKEY_OPERATOR_TOKEN": lines["LATCHKEY_OPERATOR_TOKEN"].strip("'\"")}

    def test_two_commands_lead_to_a_token_that_is_validated(self):
        operator, secret = self.make_operator(), self.directory / "token"
        company = json.loads(self.latchkey("company", "create", "Example Ltd", "--administrator", "it@example.com", "--operator", "--json",
                                           variables=operator))
        self.latchkey("token", "create", "--operator", "--company", company["company"]["company_id"], "--company-owned", "--label", "first",
                      "--permission", "charges.read", "--secret-file", str(secret), "--wait", "20s", variables=operator)
        token = secret.read_text().strip()
        asked = ("validate", "--permission", "charges.read")
        self.latchkey(*asked, variables={"LATCHKEY_VALIDATE_TOKEN": token, "LATCHKEY_TOKEN": token})
        print(f"from `kubectl apply` to a validated token: {time.monotonic() - self.started:.1f} s")
        # Another Pod is not on the validator's machine, so who asks says who he is.
        self.latchkey(*asked, variables={"LATCHKEY_VALIDATE_TOKEN": token}, expected=3)

    def test_the_headless_service_leads_to_the_validator_that_is_ready(self):
        [pod] = self.machine.pods_of("validator")

        def addresses():
            slices = json.loads(self.plane.kubectl("get", "endpointslices", "-n", NAMESPACE, "-o", "json", "-l",
                                                   "kubernetes.io/service-name=latchkey-validator-headless").stdout)["items"]
            return [address for each in slices for endpoint in each["endpoints"] or () if endpoint["conditions"]["ready"]
                    for address in endpoint["addresses"]]
        wait_until(lambda: addresses() == [pod.address], 60, "the endpoint of the validator")

    def test_a_restart_of_all_pods_ends_the_old_ones_in_order(self):
        before = len(self.machine.gone)
        for name in _SERVERS:
            self.plane.kubectl("rollout", "restart", "-n", NAMESPACE, f"deployment/latchkey-{name}")
        for name in _SERVERS:
            self.plane.kubectl("rollout", "status", "-n", NAMESPACE, "--timeout=180s", f"deployment/latchkey-{name}")
        wait_until(lambda: len(self.machine.gone) == before + len(_SERVERS), 120, "the end of the old Pods")
        self.assertEqual([pod.process.returncode for pod in self.machine.gone[before:]], [0] * len(_SERVERS))

    def test_without_the_database_no_pod_is_ended(self):
        pods = [self.machine.pods_of(name)[0] for name in _SERVERS]
        restarts = [pod.restarts for pod in pods]
        self.postgres.stop()
        try:
            wait_until(lambda: not any(pod.is_ready for pod in pods), 120, "all servers to be not ready")
            self.assertTrue(all(pod.probe("liveness") for pod in pods))
        finally:
            self.postgres.start()
        wait_until(lambda: all(pod.is_ready for pod in pods), 120, "all servers to be ready again")
        self.assertEqual([pod.restarts for pod in pods], restarts)

    def test_a_second_apply_changes_nothing(self):
        text = kustomize("single-node")
        again = self.plane.kubectl("diff", "-f", "-", text=text, check=False)
        self.assertEqual((again.returncode, again.stdout), (0, ""), again.stderr)


if __name__ == "__main__":
    unittest.main()
