"""A real control plane as processes: etcd, the API server and the controllers, in a directory and on ports of their own. There are no
nodes: machine.py stands in for one."""

import json
import secrets
import shutil
import ssl
import subprocess
import tempfile
import urllib.error
import urllib.request
from pathlib import Path

import yaml
from latchkey_test.ports import free_port
from latchkey_test.waiting import wait_until
from manifests import TOOLS

# Those that make Pods, count them, and say where they are; none that would take them from a node without a kubelet.
_CONTROLLERS = ("deployment-controller", "replicaset-controller", "statefulset-controller", "job-controller", "endpointslice-controller",
                "horizontal-pod-autoscaler-controller", "disruption-controller", "namespace-controller", "serviceaccount-controller",
                "root-ca-certificate-publisher-controller", "garbage-collector-controller", "persistentvolume-binder-controller")


def is_built():
    return all((TOOLS / "bin" / name).exists() for name in ("etcd", "kube-apiserver", "kube-controller-manager", "kubectl"))


class ControlPlane:
    def __init__(self):
        self._directory = Path(tempfile.mkdtemp(prefix="latchkey-kubernetes-"))
        self._processes = []
        self._token = secrets.token_hex(16)
        self._port = free_port()
        self.url = f"https://127.0.0.1:{self._port}"
        self.kubeconfig = self._directory / "kubeconfig"

    def __enter__(self):
        try:
            self._write_credentials()
            etcd = self._start_etcd()
            self._start_api(etcd)
            self._start("kube-controller-manager", kubeconfig=self.kubeconfig, service_account_private_key_file=self._directory / "sa.key",
                        use_service_account_credentials="false", leader_elect="false", secure_port=0, controllers=",".join(_CONTROLLERS),
                        root_ca_file=self._directory / "certificates/apiserver.crt", concurrent_deployment_syncs=2,
                        horizontal_pod_autoscaler_sync_period="1s")
            wait_until(lambda: self.find("serviceaccounts", "default", "default"), 120, "the controllers")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for process in reversed(self._processes):
            process.terminate()
        for process in reversed(self._processes):
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(60)
        shutil.rmtree(self._directory, ignore_errors=True)

    def _start(self, name, **flags):
        command = [TOOLS / "bin" / name, *(f"--{flag.replace('_', '-')}={value}" for flag, value in flags.items())]
        with open(self._directory / f"{name}.log", "wb") as log:
            self._processes.append(subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self._directory))

    def _write_credentials(self):
        for command in (["genrsa", "-out", "sa.key", "2048"], ["rsa", "-in", "sa.key", "-pubout", "-out", "sa.pub"]):
            subprocess.run(["openssl", *command], cwd=self._directory, check=True, capture_output=True)
        (self._directory / "tokens.csv").write_text(f"{self._token},admin,admin,system:masters\n")
        self.kubeconfig.write_text(yaml.safe_dump({
            "apiVersion": "v1", "kind": "Config", "current-context": "test",
            "clusters": [{"name": "test", "cluster": {"server": self.url, "insecure-skip-tls-verify": True}}],
            "users": [{"name": "test", "user": {"token": self._token}}],
            "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}]}))

    def _start_etcd(self):
        clients, peers = (f"http://127.0.0.1:{free_port()}" for _ in range(2))
        self._start("etcd", data_dir=self._directory / "etcd", listen_client_urls=clients, advertise_client_urls=clients,
                    listen_peer_urls=peers, initial_advertise_peer_urls=peers, initial_cluster=f"default={peers}", unsafe_no_fsync="true")
        return clients

    def _start_api(self, etcd):
        self._start("kube-apiserver", etcd_servers=etcd, bind_address="127.0.0.1", advertise_address="127.0.0.1", secure_port=self._port,
                    cert_dir=self._directory / "certificates", service_account_issuer="https://kubernetes.default.svc",
                    service_account_signing_key_file=self._directory / "sa.key", service_account_key_file=self._directory / "sa.pub",
                    service_cluster_ip_range="10.96.0.0/16", authorization_mode="RBAC", token_auth_file=self._directory / "tokens.csv",
                    endpoint_reconciler_type="none", shutdown_delay_duration="0s")
        wait_until(self._is_ready, 180, "the API server")

    def _is_ready(self):
        if any(process.poll() is not None for process in self._processes):
            raise AssertionError("\n".join(path.read_text(errors="replace")[-2000:] for path in self._directory.glob("*.log")))
        try:
            return self._send("GET", "/readyz") == b"ok"
        except OSError:
            return False

    def _send(self, method, path, body=None, kind="application/json"):
        request = urllib.request.Request(self.url + path, method=method, data=None if body is None else json.dumps(body).encode(),
                                         headers={"Authorization": f"Bearer {self._token}", "Content-Type": kind})
        # The one that this class has started itself, and that made its certificate for itself.
        unverified = ssl._create_unverified_context()  # pylint: disable=protected-access
        with urllib.request.urlopen(request, timeout=60, context=unverified) as answer:
            return answer.read()

    def ask(self, method, path, body=None, kind="application/json"):
        """What the API answers; None where there is no such thing."""
        try:
            return json.loads(self._send(method, path, body, kind))
        except urllib.error.HTTPError as error:
            if error.code == 404:
                return None
            raise AssertionError(f"{method} {path}: {error.code} {error.read().decode()}") from None

    def find(self, kinds, namespace, name):
        return self.ask("GET", f"/api/v1/namespaces/{namespace}/{kinds}/{name}")

    def kubectl(self, *arguments, text=None, check=True):
        """The finished process."""
        command = [TOOLS / "bin/kubectl", f"--kubeconfig={self.kubeconfig}", f"--cache-dir={self._directory}/cache", *map(str, arguments)]
        done = subprocess.run(command, input=text, capture_output=True, text=True, timeout=300, check=False)
        if check and done.returncode != 0:
            raise AssertionError(f"kubectl {arguments} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
        return done
