"""docker-compose.yml as it is, brought up by docker compose, and an operator's whole way through the published ports: from the
first start to a decision, a mail, the console, restarts, and a stop that loses no call. Of its parts PostgreSQL and Prometheus are Debian's,
Envoy and mailpit the real ones in images of our own making. Grafana can't be had here and does not run."""

import http.client
import json
import os
import re
import signal
import ssl
import sys
import time
import unittest
import urllib.error
import urllib.request
from pathlib import Path

import grpc

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lib"))
from engine import Engine, inspect, podman  # noqa: E402

from latchkey_test import run_latchkey, stubs  # noqa: E402
from latchkey_test.background import Background  # noqa: E402
from latchkey_test.waiting import wait_until  # noqa: E402

ADDRESS = "127.0.0.1:7070"
CONSOLE = "https://localhost:7090"
SERVERS = ("token", "whitelist", "invitation", "validator", "console")
EVERYTHING = ("postgres", "migrate", *SERVERS, "envoy", "mail", "prometheus")  # but Grafana
VALIDATORS = 2
LISTED, UNLISTED = "203.0.113.7", "203.0.114.7"
ADA = "ada@example.com"
PATIENCE_S = 120

decision_pb2 = stubs.messages("latchkey/v1/decision.proto")
validation_pb2 = stubs.messages("latchkey/v1/validation.proto")
validation_grpc = stubs.services("latchkey/v1/validation.proto")


def read(url):
    with urllib.request.urlopen(url, timeout=30) as answer:
        return json.load(answer)


class Browser:
    """What a browser sends from the console's pages, and its cookies; and what one would that lies about where it is."""

    def __init__(self, authority):
        self._context = ssl.create_default_context(cafile=authority)
        self._cookies = {}

    def ask(self, method, path, message=None, caller=None):
        """(status, body); `caller`: for whom the page is."""
        fields = {"x-forwarded-for": UNLISTED, "cookie": "; ".join(f"{name}={value}" for name, value in self._cookies.items())}
        if message is not None:
            fields |= {"origin": CONSOLE, "content-type": "application/json", "connect-protocol-version": "1"}
        if caller is not None:
            fields["latchkey-caller"] = caller
        connection = http.client.HTTPSConnection(CONSOLE.removeprefix("https://"), context=self._context, timeout=60)
        try:
            connection.request(method, path, None if message is None else json.dumps(message), fields)
            answer = connection.getresponse()
            for cookie in answer.headers.get_all("set-cookie", ()):
                name, _, value = cookie.split(";")[0].partition("=")
                self._cookies[name] = value
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def post(self, path, message, caller=None):
        """The answer, which has to be a good one."""
        status, body = self.ask("POST", path, message, caller)
        if status not in (200, 202):
            raise AssertionError(f"{path}: {status} {body}")
        return json.loads(body)


class Questions(Background):
    """Asks without end whether a token is admitted, and keeps what is no yes."""

    def __init__(self, authority, token):
        credentials = grpc.ssl_channel_credentials(authority.read_bytes())
        self._channel = grpc.secure_channel(ADDRESS, credentials)
        self._validate = validation_grpc.ValidationServiceStub(self._channel).Validate
        self._token = token
        super().__init__(self._ask)
        self.count, self.failures = 0, []

    def __exit__(self, *error):
        with self._channel:
            super().__exit__(*error)

    def _ask(self):
        request = validation_pb2.ValidateRequest(token=self._token, channel=decision_pb2.CHANNEL_API, client_ip=LISTED)
        while not self.is_over.is_set():
            try:
                answer = self._validate(request, timeout=60, metadata=[("authorization", f"Bearer {self._token}")])
                if answer.decision != decision_pb2.DECISION_ALLOW:
                    self.failures.append(answer)
            except grpc.RpcError as error:
                self.failures.append(error)
            self.count += 1


class Compose(unittest.TestCase):
    """One story: each chapter begins where the one before has ended."""

    @classmethod
    def setUpClass(cls):
        cls.engine = cls.enterClassContext(Engine())

    def latchkey(self, *arguments, status=0, **environment):
        """The command line of this machine, through the published port."""
        done = run_latchkey(*arguments, "--address", f"https://{ADDRESS}", "--tls-ca", self.engine.secrets / "ca.crt",
                            **self.tokens, **environment)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done.stdout

    def test_an_operator_s_way(self):
        self.engine_runs()
        self.tokens = self.bootstrap()
        self.first_token()
        print(f"    from `compose up` to the first decision: {time.monotonic() - self.began:.1f} s", file=sys.stderr)
        self.other_protocols()
        self.whitelist()
        self.invitation_by_mail()
        self.sign_in_by_mail()
        self.shut_in()
        self.print_memory()
        self.a_stop_loses_no_call()
        self.one_that_dies_comes_back()
        self.restarts_lose_nothing()
        self.metrics()

    def engine_runs(self):
        self.engine.make_secrets()
        self.began = time.monotonic()
        self.engine.compose("--profile", "metrics", "up", "--detach", "--no-build", *EVERYTHING)
        self.wait_healthy()
        self.assertEqual(len(self.engine.names("validator")), VALIDATORS)
        self.assertEqual(inspect(self.engine.names("migrate")[0])["State"]["ExitCode"], 0)

    def wait_healthy(self):
        names = [name for service in SERVERS for name in self.engine.names(service)]
        try:
            wait_until(lambda: all(inspect(name)["State"]["Health"]["Status"] == "healthy" for name in names), PATIENCE_S,
                       "every server to be healthy")
        except TimeoutError as error:
            raise AssertionError(f"{error}\n{self.engine.logs()}") from None

    def bootstrap(self):
        """The two tokens of an operator's environment: its own, and the one of the demo company's administrator."""
        made = json.loads(self.engine.compose("run", "--rm", "-T", "latchkey", "bootstrap", "--demo", "--json").stdout)
        return {"LATCHKEY_OPERATOR_TOKEN": made["operator"]["secret"], "LATCHKEY_TOKEN": made["demo"]["secret"]}

    def first_token(self):
        self.latchkey("caller", "--wait-for-ready", "--timeout", "60s")
        created = self.latchkey("token", "create", "--label", "first", "--permission", "charges.create", "--wait", "30s",
                                "--secret-file", "-", "--timeout", "60s", "--json")
        self.secret = json.loads(created)["secret"]
        self.assertIn("ALLOW", self.validate())

    def other_protocols(self):
        """Connect over HTTP/1.1; and nothing of the servers but their services."""
        context = ssl.create_default_context(cafile=self.engine.secrets / "ca.crt")
        fields = {"content-type": "application/json", "authorization": f"Bearer {self.tokens['LATCHKEY_TOKEN']}"}
        def ask(method):
            request = urllib.request.Request(f"https://{ADDRESS}/{method}", b"{}", fields)
            with urllib.request.urlopen(request, timeout=60, context=context) as answer:
                return json.load(answer)
        self.assertIn("companyId", str(ask("latchkey.v1.TokenService/GetCaller")))
        for method in ("grpc.health.v1.Health/Check", "grpc.reflection.v1.ServerReflection/ServerReflectionInfo", "metrics"):
            with self.assertRaises(urllib.error.HTTPError) as refused:
                ask(method)
            self.assertEqual(refused.exception.code, 404)

    def validate(self, address=LISTED, status=0):
        return self.latchkey("validate", "--client-ip", address, "--permission", "charges.create", status=status,
                             LATCHKEY_VALIDATE_TOKEN=self.secret)

    def whitelist(self):
        """The caller's address is the one that Envoy saw, which the guard against locking oneself out proves."""
        self.latchkey("whitelist", "add", "203.0.113.0/24", "--wait", "30s")
        refused = run_latchkey("whitelist", "enable", "--address", f"https://{ADDRESS}", "--tls-ca",
                               self.engine.secrets / "ca.crt", **self.tokens)
        ours = re.search(r"\b10\.70\.70\.\d+\b", refused.stdout + refused.stderr)
        self.assertTrue(ours and refused.returncode != 0, refused.stdout + refused.stderr)
        self.assertNotEqual(ours[0], "10.70.70.10")
        self.latchkey("whitelist", "add", ours[0], "--wait", "30s")
        self.latchkey("whitelist", "enable", "--wait", "30s")
        self.assertIn("ALLOW", self.validate())
        self.assertIn("COMPANY_IP_NOT_LISTED", self.validate(UNLISTED, status=1))

    def invitation_by_mail(self):
        """The link leads to the console, where who was invited accepts."""
        browser = Browser(self.engine.secrets / "ca.crt")
        status, page = browser.ask("GET", "/invitation")
        self.assertEqual(status, 200)
        named = re.findall(r'(?:src|href)="/([\w.-]+)"', page)
        self.assertIn("app-", str(named))
        for name in named:
            self.assertEqual(browser.ask("GET", f"/{name}")[0], 200, name)
        self.latchkey("invitation", "create", ADA, "--role", "administrator")
        secret = self.secret_of_mail(rf"{CONSOLE}/invitation#(lki_\w+)")
        browser.post("/latchkey.v1.InvitationService/AcceptInvitation",
                     {"secret": secret, "displayName": "Ada Lovelace", "waitForValidators": "30s"})

    def secret_of_mail(self, pattern):
        """What the link in a mail to Ada ends with."""
        def find():
            for mail in read("http://127.0.0.1:8025/api/v1/messages")["messages"]:
                found = re.search(pattern, read(f"http://127.0.0.1:8025/api/v1/message/{mail['ID']}")["Text"])
                if found and mail["To"][0]["Address"] == ADA:
                    return found[1]
            return None
        return wait_until(find, PATIENCE_S, f"a mail with {pattern}")

    def sign_in_by_mail(self):
        """The whitelist, which is on, has the address that the browser comes from, and none of Envoy's, the console's, and what is said."""
        company = json.loads(self.latchkey("caller", "--json"))["caller"]["company_id"]
        token = self.make_console_token()
        browser = Browser(self.engine.secrets / "ca.crt")
        browser.post("/session/mail", {"email": ADA, "company": company})
        browser.post("/session/link", {"secret": self.secret_of_mail(rf"{CONSOLE}/sign-in/link#(\S+)")})
        caller = browser.post("/latchkey.v1.TokenService/GetCaller", {})["caller"]
        self.assertEqual(caller["email"], ADA)
        listed = "/latchkey.v1.TokenService/ListAccessTokens"
        self.assertIn("first", json.dumps(browser.post(listed, {}, caller["memberId"])))
        self.assertEqual(browser.ask("POST", listed, {})[0], 401)
        elsewhere = run_latchkey("caller", "--address", f"https://{ADDRESS}", "--tls-ca", self.engine.secrets / "ca.crt", LATCHKEY_TOKEN=token)
        self.assertNotEqual(elsewhere.returncode, 0)
        self.assertIn("TOKEN_IP_NOT_LISTED", elsewhere.stdout + elsewhere.stderr)
        for name in ("whitelist", "validator"):
            self.assertNotIn("PROXY_NOT_TRUSTED", podman("logs", self.engine.names(name)[0]).stdout)
        status, _ = Browser(self.engine.secrets / "ca.crt").ask("POST", "/latchkey.v1.TokenService/GetCaller", {})
        self.assertEqual(status, 401)

    def make_console_token(self):
        """Its secret, good from the console's own address alone, as docs/operations.md has it."""
        made = self.engine.compose("run", "--rm", "-T", "latchkey", "token", "create", "--operator", "--label", "console", "--permission",
                                   "latchkey.logins.create", "--allowed-ip", "10.70.70.11", "--secret-file", "-", **self.tokens).stdout
        secret = made.splitlines()[-1]
        (self.engine.secrets / "console-token").write_text(secret + "\n", encoding="ascii")
        return secret

    def metrics(self):
        def up():
            found = read("http://127.0.0.1:9090/api/v1/query?query=sum(up%7Bjob%3D%22latchkey%22%7D)")["data"]["result"]
            return found and float(found[0]["value"][1]) == len(SERVERS) - 1 + VALIDATORS
        wait_until(up, PATIENCE_S, "Prometheus to scrape every server")

    def shut_in(self):
        """As the kernel sees their processes: no program of the image could tell."""
        for name in (name for service in (*SERVERS, "envoy", "mail") for name in self.engine.names(service)):
            with self.subTest(name):
                process = Path("/proc") / str(inspect(name)["State"]["Pid"])
                status = (process / "status").read_text(encoding="ascii")
                self.assertRegex(status, r"(?m)^CapEff:\s+0+$")
                self.assertRegex(status, r"(?m)^CapBnd:\s+0+$")
                self.assertRegex(status, r"(?m)^NoNewPrivs:\s+1$")
                self.assertRegex(status, r"(?m)^Uid:\s+65532\s+65532\s+65532\s+65532$")
                root = [line for line in (process / "mountinfo").read_text(encoding="utf-8").splitlines() if line.split()[4] == "/"]
                self.assertIn("ro", root[-1].split()[5].split(","))

    def print_memory(self):
        for name in (name for service in SERVERS for name in self.engine.names(service)):
            status = Path(f"/proc/{inspect(name)['State']['Pid']}/status").read_text(encoding="ascii")
            anonymous, whole = (int(re.search(rf"(?m)^{key}:\s+(\d+) kB", status)[1]) / 1024 for key in ("RssAnon", "VmRSS"))
            print(f"    {name}: {anonymous:.1f} MiB of its own, {whole:.1f} MiB with libraries", file=sys.stderr)

    def a_stop_loses_no_call(self):
        stopped = self.engine.names("validator")[0]
        with Questions(self.engine.secrets / "ca.crt", self.secret) as questions:
            wait_until(lambda: questions.count >= 100, PATIENCE_S, "questions to be answered")
            podman("stop", "--time", 60, stopped)
            after = questions.count
            wait_until(lambda: questions.count >= after + 100, PATIENCE_S, "questions to be answered by the other validator")
        self.assertEqual(questions.failures, [])
        self.assertEqual(inspect(stopped)["State"]["ExitCode"], 0)
        self.assertIn('"stopped"', podman("logs", stopped).stderr + podman("logs", stopped).stdout)
        podman("start", stopped)
        self.wait_healthy()

    def one_that_dies_comes_back(self):
        name = self.engine.names("whitelist")[0]
        died = inspect(name)["State"]["Pid"]
        os.kill(died, signal.SIGKILL)
        wait_until(lambda: inspect(name)["State"]["Pid"] not in (0, died), PATIENCE_S, "another process in its place")
        self.wait_healthy()

    def restarts_lose_nothing(self):
        self.engine.compose("restart", "postgres", "token", "validator")
        self.wait_healthy()
        self.assertIn("ALLOW", wait_until(self.try_validate, PATIENCE_S, "an answer after the restart"))
        self.assertIn("COMPANY_IP_NOT_LISTED", self.validate(UNLISTED, status=1))
        self.assertIn("first", self.latchkey("token", "list", "--wait-for-ready"))

    def try_validate(self):
        """Empty until Envoy has found out who is ready."""
        done = run_latchkey("validate", "--client-ip", LISTED, "--permission", "charges.create", "--address", f"https://{ADDRESS}",
                            "--tls-ca", self.engine.secrets / "ca.crt", LATCHKEY_VALIDATE_TOKEN=self.secret, **self.tokens)
        return done.stdout if done.returncode == 0 else ""


if __name__ == "__main__":
    unittest.main()
