"""Stands in for a node: does what a kubelet does, without containers. A Pod is its containers' programs as processes, as the user that it
names, with an address of its own on the loopback interface, its ConfigMaps and Secrets as files of the mode that a kubelet gives
them, and its probes asked. Paths below /etc/latchkey and /run/secrets are those of a directory for each Pod, in
arguments, variables and files. Needs root, and a network of its own (a namespace), since Pods have fixed ports.

    with Machine(plane, {"latchkey-postgres": "127.0.0.1:5433"}) as machine:
        machine.pods_of("token")
"""

import base64
import os
import shutil
import signal
import subprocess
import tempfile
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

from latchkey_test.paths import program
from manifests import NAMESPACE

PODS = f"/api/v1/namespaces/{NAMESPACE}/pods"
_NODE = "machine"
_MOUNTS = ("/etc/latchkey", "/run/secrets")


class _Pod:
    """One Pod, from its binding to its end."""

    def __init__(self, machine, item, address):
        self.machine, self.address = machine, address
        self.name, self.spec = item["metadata"]["name"], item["spec"]
        self.container = self.spec["containers"][0]
        self.directory = Path(tempfile.mkdtemp(prefix=f"{self.name}-", dir=machine.directory))
        self.process, self.restarts, self.is_ready, self.told = None, 0, False, None
        self.ending_since = self.start_at = None
        self.prepare()

    # ---- files ----

    def prepare(self):
        """Volumes as a kubelet mounts them: root's, and of the Pod's group."""
        self.directory.chmod(0o755)
        volumes = {volume["name"]: volume for volume in self.spec["volumes"]}
        for mount in self.container["volumeMounts"]:
            directory = self.directory / mount["mountPath"].lstrip("/")
            directory.mkdir(parents=True)
            for name, content, mode in self.machine.read_volume(volumes[mount["name"]]):
                path = directory / name
                path.write_bytes(self.translate(content.decode()).encode())
                os.chown(path, 0, self.spec["securityContext"]["fsGroup"])
                path.chmod(mode | (mode & 0o400) >> 3)  # what fsGroup does to modes

    def translate(self, text):
        """As it is on this machine: paths, the address of wildcards, and names of services."""
        for mount in _MOUNTS:
            text = text.replace(mount, f"{self.directory}{mount}")
        for name, address in self.machine.services.items():
            text = text.replace(f"@{name}/", f"@{address}/").replace(f"-address = {name}:", f"-address = {address}:")
        return text.replace("listen = *:", f"listen = {self.address}:")

    def environment(self):
        found = {"PATH": os.environ["PATH"]}
        for source in self.container.get("envFrom", ()):
            found.update(self.machine.find("configmaps", source["configMapRef"]["name"])["data"])
        return {name: self.translate(text) for name, text in found.items()}

    # ---- life ----

    def start(self):
        command = self.container["command"]
        user = self.spec["securityContext"]
        with open(self.directory / "log", "ab") as log:
            self.process = subprocess.Popen(
                [self.machine.program(command[0]), *command[1:], *map(self.translate, self.container.get("args", ()))], env=self.environment(),
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/", user=user["runAsUser"], group=user["runAsGroup"],
                extra_groups=[user["fsGroup"]])

    def log(self):
        return (self.directory / "log").read_text(errors="replace")

    def probe(self, name):
        probe = self.container.get(f"{name}Probe")
        if probe is None:
            return True
        ports = {port["name"]: port["containerPort"] for port in self.container["ports"]}
        try:
            with urllib.request.urlopen(f"http://{self.address}:{ports[probe['httpGet']['port']]}{probe['httpGet']['path']}", timeout=5) as answer:
                return answer.status == 200
        except (OSError, urllib.error.HTTPError):
            return False

    def turn(self, is_deleted):
        """One look at it. False: it is gone."""
        if is_deleted and self.ending_since is None:
            self.ending_since = time.monotonic()
            if self.process:
                self.process.send_signal(signal.SIGTERM)
        if self.process is None:
            if self.ending_since is not None:
                return self.leave()
            if self.start_at is None or time.monotonic() >= self.start_at:
                self.start()
        elif self.process.poll() is not None:
            if self.ending_since is not None:
                return self.leave()
            self.restart()
        elif self.ending_since is not None and time.monotonic() > self.ending_since + self.spec["terminationGracePeriodSeconds"]:
            self.process.kill()
        self.is_ready = self.process is not None and self.process.poll() is None and self.probe("readiness")
        self.tell()
        return True

    def restart(self):
        """After a second; of a Job never."""
        if self.spec["restartPolicy"] == "Always":
            self.process, self.restarts, self.start_at = None, self.restarts + 1, time.monotonic() + 1

    def leave(self):
        self.machine.ask("DELETE", f"{PODS}/{self.name}", {"apiVersion": "v1", "kind": "DeleteOptions", "gracePeriodSeconds": 0})
        self.stop()
        return False

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def tell(self):
        """The status, where it has changed."""
        code = self.process.returncode if self.process else None
        phase = "Running" if self.spec["restartPolicy"] == "Always" or code is None else "Succeeded" if code == 0 else "Failed"
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        state = {"running": {"startedAt": now}} if code is None else {
            "terminated": {"exitCode": code, "startedAt": now, "finishedAt": now, "reason": "Completed" if code == 0 else "Error"}}
        told = (phase, self.is_ready, self.restarts)
        if told == self.told:
            return
        self.told = told
        ready = {"status": "True" if self.is_ready else "False", "lastTransitionTime": now}
        self.machine.ask("PATCH", f"{PODS}/{self.name}/status", {"status": {
            "phase": phase, "podIP": self.address, "podIPs": [{"ip": self.address}], "startTime": now,
            "conditions": [{"type": kind, **ready} for kind in ("Ready", "ContainersReady")],
            "containerStatuses": [{"name": self.container["name"], "image": self.container["image"], "imageID": "", "ready": self.is_ready,
                                   "started": True, "restartCount": self.restarts, "state": state}]}}, "application/strategic-merge-patch+json")


class Machine:
    """`services`: where those are that no Pod here serves. Pods of StatefulSets are left alone."""

    def __init__(self, plane, services):
        self.ask, self.services = plane.ask, services
        self.directory = Path(tempfile.mkdtemp(prefix="latchkey-machine-"))
        self.directory.chmod(0o755)
        self.pods, self.gone, self.failure = {}, [], None
        self._addresses, self.started = 0, time.monotonic()
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self):
        self.ask("POST", "/api/v1/nodes", {"apiVersion": "v1", "kind": "Node", "metadata": {"name": _NODE}})
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._ends.set()
        self._thread.join()
        for pod in self.pods.values():
            pod.stop()
        shutil.rmtree(self.directory, ignore_errors=True)

    def program(self, name):
        """A copy: the tree may be where the users of Pods can't go."""
        path = self.directory / name
        if not path.exists():
            shutil.copy(program(name), path)
            path.chmod(0o755)
        return path

    def find(self, kinds, name):
        return self.ask("GET", f"/api/v1/namespaces/{NAMESPACE}/{kinds}/{name}")

    def read_volume(self, volume):
        """(name, content, mode) of each file."""
        if "configMap" in volume:
            found = self.find("configmaps", volume["configMap"]["name"])
            return [(name, text.encode(), volume["configMap"].get("defaultMode", 0o644)) for name, text in found["data"].items()]
        found = self.find("secrets", volume["secret"]["secretName"]) or {"data": {}}
        return [(name, base64.b64decode(text), volume["secret"]["defaultMode"]) for name, text in found["data"].items()]

    def pods_of(self, component):
        return [pod for pod in list(self.pods.values()) if pod.name.startswith(f"latchkey-{component}-")]

    def failed_or(self, condition):
        """The condition, or AssertionError where this machine has failed: nothing will happen any more then."""
        def ask():
            if self.failure:
                raise AssertionError(f"the stand-in for a node has failed: {self.failure!r}")
            return condition()
        return ask

    def logs(self):
        return "\n".join(f"==== {pod.name}\n{pod.log()[-2000:]}" for pod in self.pods.values())

    def _run(self):
        try:
            while not self._ends.wait(0.2):
                self._turn()
        except Exception as error:  # pylint: disable=broad-except
            self.failure = error  # whoever waits for a Pod looks here
            raise

    def _turn(self):
        items = {item["metadata"]["name"]: item for item in self.ask("GET", PODS)["items"]}
        for name, item in items.items():
            owner = item["metadata"]["ownerReferences"][0]["kind"]
            if name not in self.pods and owner != "StatefulSet" and "deletionTimestamp" not in item["metadata"] and not item["spec"].get("nodeName"):
                self._take(name, item)
        for name, pod in list(self.pods.items()):
            if name not in items or not pod.turn("deletionTimestamp" in items[name]["metadata"]):
                pod.stop()
                self.gone.append(self.pods.pop(name))

    def _take(self, name, item):
        if not self._has_its_secrets(item):
            return
        self._addresses += 1
        address = f"10.88.{self._addresses // 250}.{self._addresses % 250 + 1}"
        subprocess.run(["ip", "address", "add", f"{address}/32", "dev", "lo"], check=True)
        self.ask("POST", f"{PODS}/{name}/binding", {"apiVersion": "v1", "kind": "Binding", "metadata": {"name": name},
                                                     "target": {"apiVersion": "v1", "kind": "Node", "name": _NODE}})
        self.pods[name] = _Pod(self, item, address)

    def _has_its_secrets(self, item):
        names = [volume["secret"]["secretName"] for volume in item["spec"]["volumes"]
                 if "secret" in volume and not volume["secret"].get("optional")]
        return all(self.find("secrets", name) for name in names)
