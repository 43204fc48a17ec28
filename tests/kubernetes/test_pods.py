"""The Pods of overlays/single-node run: as processes that have what the manifests give them and nothing else (machine.py), from the
manifests to the first token that is validated. Needs root, PostgreSQL and the built programs, and no API server: a shelf has the objects."""

import base64
import copy
import unittest

from machine import PODS, Machine
from manifests import kustomize, load, of_kind
from one_node import OneNode, enter_network, make_secrets


def setUpModule():
    enter_network()


class Shelf:
    """Has the objects, and one Pod of each that makes some; a Pod that is deleted gets a successor at once, and waits for its end."""

    def __init__(self, items):
        self._objects = {(f"{item['kind'].lower()}s", item["metadata"]["name"]): item for item in items}
        self._pods, self._count = {}, 0
        for item in of_kind(items, "Deployment", "Job"):
            self.make_pod(item)

    def make_pod(self, owner):
        self._count += 1
        name = f"{owner['metadata']['name']}-{self._count}"
        spec = {"restartPolicy": "Always", **copy.deepcopy(owner["spec"]["template"]["spec"])}
        self._pods[name] = {"spec": spec, "metadata": {"name": name, "ownerReferences": [{"kind": owner["kind"], "name": owner["metadata"]["name"]}]}}

    def replace_servers(self):
        for pod in list(self._pods.values()):
            owner = self._objects.get(("deployments", pod["metadata"]["ownerReferences"][0]["name"]))
            if owner:
                pod["metadata"]["deletionTimestamp"] = "now"
                self.make_pod(owner)

    def ask(self, method, path, _body=None, _kind=None):
        """What machine.py asks of an API server."""
        if path == PODS:
            return {"items": list(self._pods.values())}
        if method == "DELETE":
            return self._pods.pop(path.rpartition("/")[2])
        return self._objects.get(tuple(path.split("/")[-2:]))


class Pods(OneNode, unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.prepare()
        secrets = make_secrets()
        cls.create_database(secrets)
        held = load(secrets)
        for secret in held:
            secret["data"] = {name: base64.b64encode(text.encode()).decode() for name, text in secret.pop("stringData").items()}
        cls.shelf = Shelf([*load(kustomize("single-node")), *held])
        cls.machine = Machine(cls.shelf, cls.services)
        cls.started = cls.machine.started
        cls.enterClassContext(cls.machine)
        cls.wait_ready()

    def restart_all(self):
        self.shelf.replace_servers()


if __name__ == "__main__":
    unittest.main()
