"""The Pods of overlays/single-node, and the console's, run: as processes that have what the manifests give them and nothing else (machine.py), from the
manifests to the first token that is validated. Needs root, PostgreSQL and the built programs, and no API server: a shelf has the objects."""

import base64
import copy
import http.client
import json
import unittest

from latchkey_test.mail import MailServer
from latchkey_test.waiting import wait_until
from machine import PODS, Machine
from manifests import kustomize_with, load, of_kind, settings_of

from one_node import SERVERS, OneNode, enter_network, make_secrets

_CONSOLE = "latchkey-console"
_HOST = "console.example.com"
_BROWSER = "203.0.113.7"


def setUpModule():
    enter_network()


class Browser:
    """What an Ingress hands on to the console's Pod of one browser, and its cookies."""

    def __init__(self, address):
        self._address, self._cookies = address, {}

    def post(self, path, message):
        """(status, body)"""
        fields = {"host": _HOST, "x-forwarded-for": _BROWSER, "origin": f"https://{_HOST}", "content-type": "application/json",
                  "connect-protocol-version": "1", "cookie": "; ".join(f"{name}={value}" for name, value in self._cookies.items())}
        connection = http.client.HTTPConnection(self._address, 7090, timeout=60)
        try:
            connection.request("POST", path, json.dumps(message), fields)
            answer = connection.getresponse()
            for cookie in answer.headers.get_all("set-cookie", ()):
                name, _, value = cookie.split(";")[0].partition("=")
                self._cookies[name] = value
            return answer.status, json.loads(answer.read() or b"null")
        finally:
            connection.close()


class Shelf:
    """Has the objects, and one Pod of each that makes some, but of the console, for which Pods have to have addresses first; a Pod that is
    deleted gets a successor at once, and waits for its end."""

    def __init__(self, items):
        self._objects = {(f"{item['kind'].lower()}s", item["metadata"]["name"]): item for item in items}
        self._pods, self._count = {}, 0
        for item in of_kind(items, "Deployment", "Job"):
            if item["metadata"]["name"] != _CONSOLE:
                self.make_pod(item)

    def put(self, item):
        self._objects[f"{item['kind'].lower()}s", item["metadata"]["name"]] = item

    def find_deployment(self, name):
        return self._objects["deployments", name]

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


def encode(secret):
    """As an API server gives it back."""
    data = {name: base64.b64encode(text.encode()).decode() for name, text in secret["stringData"].items()}
    return {**secret, "data": data}


class Pods(OneNode, unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.prepare()
        secrets = make_secrets()
        cls.create_database(secrets)
        cls.mail = cls.enterClassContext(MailServer())
        cls.shelf = Shelf([*cls.overlay(), *map(encode, load(secrets))])
        cls.machine = Machine(cls.shelf, cls.services)
        cls.started = cls.machine.started
        cls.enterClassContext(cls.machine)
        cls.wait_ready()

    @classmethod
    def overlay(cls):
        """One of one's own, as docs/kubernetes.md has it: with the console, the mail server, and the network of the Pods."""
        items = load(kustomize_with("single-node", "console-single-node"))
        settings = settings_of(items)
        settings["console.conf"] = settings["console.conf"].replace("mail.example.com:587", f"127.0.0.1:{cls.mail.port}")
        settings["latchkey.conf"] += "trusted-proxies = 10.88.0.0/16\n"
        return items

    def restart_all(self):
        self.shelf.replace_servers()

    def run_console(self):
        """Its Pod, which is ready, and goes with the test."""
        for name in SERVERS:
            service = "latchkey-validator-headless" if name == "validator" else f"latchkey-{name}"
            self.machine.services[service] = self.pod(name).address
        self.shelf.make_pod(self.shelf.find_deployment(_CONSOLE))
        wait_until(self.machine.failed_or(lambda: [pod.is_ready for pod in self.machine.pods_of("console")] == [True]), 60, "the console to be ready")
        pod = self.pod("console")
        self.addCleanup(self.shelf.ask, "DELETE", f"{PODS}/{pod.name}")
        return pod

    def test_people_sign_in_at_the_console_by_a_link_and_only_from_where_the_whitelist_says(self):
        operator, secret = self.operator(), self.directory / "console-token"
        company = json.loads(self.latchkey("company", "create", "Example Ltd", "--administrator", "ada@example.com", "--operator", "--json",
                                           variables=operator))["company"]["company_id"]
        self.latchkey("token", "create", "--operator", "--label", "console", "--permission", "latchkey.logins.create",
                      "--allowed-ip", "10.88.0.0/16", "--secret-file", str(secret), variables=operator)
        self.shelf.put(encode({"kind": "Secret", "metadata": {"name": _CONSOLE}, "stringData": {"token": secret.read_text()}}))
        pod = self.run_console()
        self.sign_in(pod, company)
        acting = ("--operator", "--company", company, "--wait", "20s")
        self.latchkey("whitelist", "add", _BROWSER, *acting, variables=operator)
        self.latchkey("whitelist", "enable", *acting, variables=operator)
        self.sign_in(pod, company)
        self.latchkey("whitelist", "add", pod.address, self.pod("token").address, *acting, variables=operator)
        self.latchkey("whitelist", "remove", _BROWSER, *acting, variables=operator)
        status, answer = self.follow_link(pod, company, Browser(pod.address))
        refusal = answer["details"][0]["debug"]
        self.assertEqual((status, refusal["reason"], refusal["metadata"]["clientIp"]), (403, "COMPANY_IP_NOT_LISTED", _BROWSER), answer)

    def follow_link(self, pod, company, browser):
        before = len(self.mail.mails)
        self.assertEqual(browser.post("/session/mail", {"email": "ada@example.com", "company": company}), (202, {}), pod.log())
        return browser.post("/session/link", {"secret": self.mail.wait_for(before + 1)[before].secret()})

    def sign_in(self, pod, company):
        browser = Browser(pod.address)
        self.assertEqual(self.follow_link(pod, company, browser)[0], 200, pod.log())
        status, answer = browser.post("/latchkey.v1.TokenService/GetCaller", {})
        self.assertEqual((status, answer["caller"]["email"]), (200, "ada@example.com"), pod.log())


if __name__ == "__main__":
    unittest.main()
