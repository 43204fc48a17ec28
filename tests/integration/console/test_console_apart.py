"""What is only true of latchkey-console, the console as a program of its own: whom the servers take its callers for, what it does
without them, and how it speaks to them."""

import subprocess
import tempfile
import time
import unittest
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
from console_case import HERE, NO_DATABASE, SESSION, URL, ByItself, ConsoleCase, error_info, token_pb2

from latchkey_test import Client, Deployment, free_port, stubs
from latchkey_test.authority import Authority
from latchkey_test.paths import program
from latchkey_test.server import Server
from latchkey_test.waiting import wait_until

reflection_pb2 = stubs.messages("grpc/reflection/v1/reflection.proto")
whitelist_pb2 = stubs.messages("latchkey/v1/whitelist.proto")

WHERE_THE_CONSOLE_IS = "127.0.0.1"
QUESTION = {"ValidationService/Validate": {"token": "x", "channel": "CHANNEL_UI"},
            "ValidationService/Explain": {"request": {"token": "x", "channel": "CHANNEL_UI"}}}
AWAY = (503, "SERVER_UNAVAILABLE")


class ApartCase(ByItself, ConsoleCase):
    def log_in(self, email, client_ip=WHERE_THE_CONSOLE_IS):
        """A session that was made by asking the server itself."""
        with Client(self.deployment.server.address, self.console_secret, self.company) as client:
            return client.tokens.CreateLoginToken(token_pb2.CreateLoginTokenRequest(email=email, client_ip=client_ip),
                                                  metadata=[("x-forwarded-for", WHERE_THE_CONSOLE_IS)], timeout=20).secret

    def ask_with(self, secret, client_ip=HERE, method="TokenService/GetCaller", message=None):
        return self.browser_with(secret, client_ip).call(method, message or {})

    def browser_with(self, secret, client_ip=HERE):
        browser = self.browser(client_ip)
        browser.cookies[SESSION] = secret
        return browser

    def assert_answer(self, answer, status, reason):
        self.assertEqual((answer.status, error_info(answer)[0]), (status, reason), answer)


class WhereTheConsoleIs(ApartCase):
    def test_a_list_with_the_consoles_own_address_lets_nobody_in_from_elsewhere(self):
        secret = self.log_in(self.new_member(ips=[f"{WHERE_THE_CONSOLE_IS}/32"]))
        self.assertEqual(self.ask_with(secret, WHERE_THE_CONSOLE_IS).status, 200)
        answer = self.ask_with(secret, HERE)
        self.assert_answer(answer, 403, "MEMBER_IP_NOT_LISTED")
        self.assertEqual(error_info(answer)[1]["clientIp"], HERE)

    def test_an_address_that_can_not_be_read_is_let_in_nowhere(self):
        secret = self.log_in(self.new_member())
        self.assertEqual(self.ask_with(secret).status, 200)
        self.assert_answer(self.ask_with(secret, "nonsense"), *AWAY)

    def test_the_list_of_addresses_is_what_the_nearest_proxy_saw(self):
        secret = self.log_in(self.new_member(ips=[f"{HERE}/32"]), HERE)
        self.assertEqual(self.ask_with(secret, f"198.51.100.1, {HERE}").status, 200)
        self.assert_answer(self.ask_with(secret, f"{HERE}, 198.51.100.1"), 403, "MEMBER_IP_NOT_LISTED")

    def test_what_a_browser_says_of_its_address_is_not_passed_on(self):
        secret = self.log_in(self.new_member(ips=[f"{WHERE_THE_CONSOLE_IS}/32"]))
        browser = self.browser(HERE)
        browser.cookies[SESSION] = secret
        answer = browser.call("TokenService/GetCaller", {}, ("latchkey-client-ip", WHERE_THE_CONSOLE_IS))
        self.assert_answer(answer, 403, "MEMBER_IP_NOT_LISTED")

    def test_a_validator_answers_nobody_for_the_console_being_on_its_machine(self):
        for method in QUESTION:
            for client_ip in (HERE, WHERE_THE_CONSOLE_IS):
                answer = self.browser(client_ip).call(method, QUESTION[method])
                self.assert_answer(answer, 401, "SECRET_MISSING")

    def test_explain_is_asked_of_a_validator(self):
        with self.deployment.administrator() as administrator:
            made = administrator.tokens.CreateAccessToken(token_pb2.CreateAccessTokenRequest(
                label="explained", permissions=["charges.read"], wait_for_validators={"seconds": 20}), timeout=30)
        answer = self.ask_with(self.deployment.secrets["LATCHKEY_TOKEN"], method="ValidationService/Explain", message={
            "tokenId": made.access_token.token_id, "request": {"channel": "CHANNEL_API", "clientIp": HERE}})
        self.assertEqual(answer.status, 200, answer)
        self.assertTrue(answer.json()["steps"])

    def test_the_browser_is_the_one_in_the_log_of_what_was_done(self):
        browser = self.browser()
        browser.cookies[SESSION] = self.deployment.secrets["LATCHKEY_TOKEN"]
        done = browser.call("TokenService/CreateAccessToken", {"label": "made in a browser", "permissions": ["charges.read"]},
                            ("user-agent", "Browser/7"))
        self.assertEqual(done.status, 200, done)
        self.assertTrue(done.json()["secret"].startswith("lka"))
        events = browser.call("AuditService/ListAuditEvents", {"pageSize": 1}).json()
        self.assertIn(HERE, str(events))
        self.assertIn("Browser/7", str(events))


class NotTrusted(ApartCase):
    """By servers that do not have it in their --trusted-proxies."""

    trusted_proxies = "192.0.2.1"

    def test_nobody_is_let_in_by_the_consoles_own_address(self):
        with Client(self.deployment.server.address, self.console_secret, self.company) as client:
            secret = client.tokens.CreateLoginToken(token_pb2.CreateLoginTokenRequest(
                email=self.new_member(ips=[f"{WHERE_THE_CONSOLE_IS}/32"]), client_ip=WHERE_THE_CONSOLE_IS), timeout=20).secret
        with Client(self.deployment.server.address, secret) as client:
            client.tokens.GetCaller(token_pb2.GetCallerRequest(), timeout=20)
        for client_ip in (HERE, "198.51.100.9"):
            answer = self.ask_with(secret, client_ip)
            self.assert_answer(answer, *AWAY)
        self.assertIn("PROXY_NOT_TRUSTED", self.console.log())
        for method, question in QUESTION.items():
            self.assert_answer(self.browser().call(method, question), *AWAY)


class Door(ApartCase):
    def test_nobody_asks_through_its_grpc_port(self):
        with Client(self.console.address, self.deployment.secrets["LATCHKEY_TOKEN"]) as client:
            for call in (client.tokens.GetCaller, client.whitelist.GetWhitelist):
                request = token_pb2.GetCallerRequest() if call == client.tokens.GetCaller else whitelist_pb2.GetWhitelistRequest()
                self.assert_refused(grpc.StatusCode.UNIMPLEMENTED, "METHOD_UNKNOWN", lambda call=call, request=request: call(request, timeout=20))
            question = reflection_pb2.ServerReflectionRequest(list_services="")
            answer = next(iter(client.reflection.ServerReflectionInfo(iter([question]), timeout=20)))
        names = {service.name for service in answer.list_services_response.service}
        self.assertEqual(names, {"grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection"})

    def test_it_has_what_latchkeyd_has_for_people(self):
        def methods(name):
            done = subprocess.run([program(name), "methods"], capture_output=True, text=True, check=True)
            return {line.split("\t")[0] for line in done.stdout.splitlines() if line.startswith("/latchkey.v1.")}
        between_servers = {f"/latchkey.v1.ValidationService/{name}" for name in
                           ("ValidateBatch", "ValidateStream", "WatchChanges", "CheckHistory")}
        self.assertEqual(methods("latchkeyd") - methods("latchkey-console"), between_servers)

    def test_its_calls_are_counted(self):
        self.browser().call("InvitationService/LookupInvitation", {"secret": "nonsense"})
        metrics = self.console.admin("/metrics")[1]
        self.assertRegex(metrics, r'latchkey_console_calls_total\{server="invitation",outcome="answered"\} [1-9]')


class WithoutServers(ApartCase):
    way_to_servers = {"services_timeout": "2s"}

    def ask_whitelist(self):
        return self.ask_with(self.deployment.secrets["LATCHKEY_TOKEN"], method="WhitelistService/GetWhitelist")

    def test_a_server_that_is_away_is_told_of_without_its_address_and_asked_again(self):
        self.assertEqual(self.ask_whitelist().status, 200)
        before = self.console.log().count("a server can't be asked")
        self.whitelists.stop()
        self.addCleanup(lambda: self.whitelists.is_ready() or self.whitelists.start())
        for _ in range(3):
            answer = self.ask_whitelist()
            self.assert_answer(answer, *AWAY)
            self.assertNotIn(self.whitelists.address.split(":")[1].encode(), answer.body)
        self.assertEqual(self.console.log().count("a server can't be asked"), before + 1)
        self.assertIn(self.whitelists.address, self.console.log())
        self.assertEqual(self.ask_with(self.deployment.secrets["LATCHKEY_TOKEN"]).status, 200, "the others answer")
        self.assertTrue(self.console.is_ready())
        self.whitelists.start()
        wait_until(lambda: self.ask_whitelist().status == 200, 30, "the server to be asked again")
        self.assertIn("a server can be asked again", self.console.log())

    def test_a_change_of_which_nothing_was_heard_may_have_been_done(self):
        self.assertEqual(self.ask_whitelist().status, 200)  # so that there is a connection
        self.whitelists.pause()
        try:
            answer = self.ask_with(self.deployment.secrets["LATCHKEY_TOKEN"], method="WhitelistService/AddWhitelistEntries",
                                   message={"entries": [{"address": "192.0.2.9"}]})
        finally:
            self.whitelists.resume()
        self.assert_answer(answer, 503, "OUTCOME_UNKNOWN")


class Stopping(ApartCase):
    def test_what_is_under_way_when_it_is_told_to_stop_is_answered(self):
        browser = self.browser_with(self.deployment.secrets["LATCHKEY_TOKEN"])
        caller = browser.caller_id()  # asked first: that call would be under way, too
        self.whitelists.pause()
        with ThreadPoolExecutor() as pool:
            asked = pool.submit(browser.call, "WhitelistService/GetWhitelist", {}, caller=caller)
            wait_until(lambda: "latchkey_workers_running 1\n" in self.console.admin("/metrics")[1], 30, "the call to be under way")
            stopped = pool.submit(self.console.stop)
            wait_until(lambda: "draining" in self.console.log(), 30, "the console to drain")
            self.whitelists.resume()
            self.assertEqual(asked.result(60).status, 200)
            stopped.result(60)


class StoppingBehindASilentServer(ApartCase):
    settings = {"services_timeout": "3s", "drain_grace": "1s"}

    def test_what_has_not_begun_does_not_hold_up_the_end(self):
        """Of people who ask for links, and of who signs out, each would wait for as long as a call may take, one after the other."""
        self.deployment.server.pause()
        self.addCleanup(self.deployment.server.resume)
        for i in range(10):
            asked = self.browser(f"192.0.2.{i}").post("/session/mail", {"email": f"{i}@example.com", "company": self.company})
            self.assertEqual(asked.status, 202)
        with ThreadPoolExecutor(12) as pool:
            leaving = [pool.submit(self.browser_with(self.console_secret).post, "/session/end", {}) for _ in range(12)]
            wait_until(lambda: "latchkey_console_requests_under_way 22\n" in self.console.admin("/metrics")[1], 30, "all to be under way")
            began = time.monotonic()
            self.console.stop(timeout=120)
            took = time.monotonic() - began
            self.assertEqual({answer.result(60).status for answer in leaving}, {503})
        self.assertLess(took, 12)


class Encrypted(ApartCase):
    """One latchkeyd behind it, with TLS, that wants a certificate."""

    @classmethod
    def start(cls, settings):
        cls.authority, cls.stranger = cls.enter(Authority()), cls.enter(Authority())
        cls.directory = Path(cls.enter(tempfile.TemporaryDirectory(prefix="latchkey-console-tls-")))
        issued = cls.authority.issue("server", ["IP:127.0.0.1"])
        cls.deployment = cls.enter(Deployment(server="latchkey-token", trusted_proxies=cls.trusted_proxies))
        cls.behind = cls.enter(cls.deployment.beside(
            "latchkeyd", trusted_proxies=cls.trusted_proxies, tls_certificate=issued.certificate, tls_key=issued.key,
            tls_client_ca=cls.authority.certificate, tls_client_certificates="required"))
        cls.show(cls.authority)
        cls.console = cls.enter(Server("latchkey-console", environment=NO_DATABASE, **{
            "services_address": f"https://{cls.behind.address}", **cls.files(), **settings}))

    @classmethod
    def files(cls):
        return {"services_ca_file": cls.authority.certificate, "services_certificate_file": cls.directory / "console.crt",
                "services_key_file": cls.directory / "console.key"}

    @classmethod
    def show(cls, authority):
        """From now on the console's certificate is one of this authority's."""
        for name, content in zip(("console.crt", "console.key"), authority.issue("console", ["DNS:console.test"]).pem):
            (cls.directory / "new").write_bytes(content)
            (cls.directory / "new").rename(cls.directory / name)

    def ask(self):
        return self.ask_with(self.deployment.secrets["LATCHKEY_TOKEN"])

    def test_a_certificate_is_shown_and_one_that_was_replaced_no_more(self):
        self.assertEqual(self.sign_in().call("TokenService/GetCaller", {}).json()["caller"]["clientIp"], HERE)
        self.addCleanup(self.show, self.authority)
        self.show(self.stranger)
        wait_until(lambda: self.ask().status == 503, 30, "the certificate of another authority to be shown")
        self.show(self.authority)
        wait_until(lambda: self.ask().status == 200, 30, "the good one to be shown again")

    def test_a_file_that_is_no_certificate_changes_nothing(self):
        self.addCleanup(self.show, self.authority)
        (self.directory / "console.crt").write_text("none\n")
        wait_until(lambda: "can't be used" in self.console.log(), 30, "the file to be read")
        self.assertEqual(self.ask().status, 200)


class Configuration(ConsoleCase):
    def check(self, **settings):
        full = {"console_listen": self.address, "console_url": URL, "console_token_file": self.token_file,
                "smtp_url": "smtp://127.0.0.1:25", **settings}
        server = Server("latchkey-console", check_config=True, environment=NO_DATABASE,
                        **{name: value for name, value in full.items() if value is not None})
        self.addCleanup(server.remove)
        server.start(ready=False)
        return server.wait(), server.log()

    def test_what_it_needs_is_said(self):
        self.assertEqual(self.check(), (0, "latchkey-console: the configuration is good\n"))
        for settings, words in (({"console_listen": None}, "--console-listen"), ({"console_url": None}, "--console-url"),
                                ({"console_company": "acme"}, "--console-company"),
                                ({"http_listen": f"127.0.0.1:{free_port()}"}, "--http-listen"),
                                ({"services_key_file": "/nowhere"}, "--services-certificate-file"),
                                ({"services_ca_file": "/nowhere"}, "/nowhere"),
                                ({"whitelist_address": "http://:0"}, "whitelist"), ({"smtp_url": None}, "--smtp-url")):
            status, log = self.check(**settings)
            self.assertEqual(status, 78, settings)
            self.assertIn(words, log)


if __name__ == "__main__":
    unittest.main()
