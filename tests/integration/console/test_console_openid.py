"""Signing in to the console by an OpenID provider: what it says is believed where it is right, and nowhere else."""

import time
import unittest
import uuid
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import parse_qs, quote, urlencode, urlsplit

from console_case import HERE, URL, Browser, ConsoleCase, by_itself, error_info
from openid_case import CALLBACK, OVER, REFUSED, OpenIdCase

from latchkey_test import Deployment, free_port, stubs
from latchkey_test.mail import Certificates
from latchkey_test.openid import CLIENT, SECRET, EcKey, OpenIdProvider, RsaKey, encode, token_of
from latchkey_test.server import Server
from latchkey_test.waiting import wait_until

invitation_pb2 = stubs.messages("latchkey/v1/invitation.proto")
member_pb2 = stubs.messages("latchkey/v1/member.proto")

COOKIE = "__Host-latchkey-openid"
ELSEWHERE = "198.51.100.9"


def answer_of_size(size):
    def answer(handler):
        handler.reply(200, b'{"x":"' + b"x" * size + b'"}')
    return answer


class SigningIn(OpenIdCase):
    def test_whom_the_provider_vouches_for_is_signed_in_and_out(self):
        browser, email = self.browser(), self.new_member()
        self.assertEqual(browser.session(), {"signedIn": False, "ways": ["openid", "mail"], "company": None, "clientIp": HERE,
                                             "provider": urlsplit(self.provider.issuer).netloc})
        self.assertIsNone(self.try_to_sign_in(browser, email=email.upper()))
        caller = browser.call("TokenService/GetCaller", {}).json()["caller"]
        self.assertEqual((caller["email"], caller["companyId"], caller["kind"]), (email, self.company, "TOKEN_KIND_LOGIN"))
        self.assertNotIn(COOKIE, browser.cookies)
        self.assertEqual(browser.post("/session/end", {}).status, 204)
        self.assertFalse(browser.session()["signedIn"])

    def test_the_provider_is_asked_for_what_binds_the_answer_to_us(self):
        browser = self.browser()
        answer = self.begin(browser)
        location = urlsplit(answer.json()["location"])
        query = parse_qs(location.query)
        self.assertEqual(f"{location.scheme}://{location.netloc}{location.path}", self.provider.issuer + "/authorize")
        self.assertEqual({name: query[name] for name in ("response_type", "scope", "client_id", "redirect_uri", "code_challenge_method")},
                         {"response_type": ["code"], "scope": ["openid email"], "client_id": [CLIENT],
                          "redirect_uri": [URL + CALLBACK], "code_challenge_method": ["S256"]})
        self.assertEqual(len(query["code_challenge"][0]), 43)
        again = parse_qs(urlsplit(self.begin(self.browser()).json()["location"]).query)
        for name in ("state", "nonce", "code_challenge"):
            self.assertNotEqual(query[name], again[name])
        name, *attributes = answer.get("set-cookie").split("; ")
        self.assertRegex(name, rf"^{COOKIE}=[0-9A-Za-z]{{43}}$")
        self.assertEqual(attributes, ["Path=/", "HttpOnly", "Secure", "SameSite=Lax", "Max-Age=600"])

    def test_the_code_is_exchanged_with_the_clients_secret_and_the_verifier(self):
        self.assertIsNone(self.try_to_sign_in())
        (_, form, authorization), = [request for request in self.provider.requests if request[0] == "/token"]
        self.assertEqual(set(form), {"grant_type", "code", "redirect_uri", "code_verifier"})
        self.assertEqual(len(form["code_verifier"][0]), 64)
        pair = encode(f"{CLIENT}:{quote(SECRET, safe='')}".encode())
        self.assertEqual(authorization.rstrip("=").replace("+", "-").replace("/", "_"), "Basic " + pair)

    def test_the_member_whom_issuer_and_subject_name_needs_no_address(self):
        subject, number = f"s-{uuid.uuid4()}", str(uuid.uuid4())
        self.deployment.execute("INSERT INTO latchkey.member (member_id, company_id, email, issuer, subject) VALUES "
                                f"('{number}', '{self.company_uuid}', '{number}@example.com', '{self.provider.issuer}', '{subject}')")
        self.assertIsNone(self.try_to_sign_in(sub=subject, email=None, email_verified=None))

    def test_an_address_of_a_member_whom_the_provider_knows_as_another_is_not_enough(self):
        """Addresses move from one person to the next; who has a member's old one at the provider is not that member."""
        email, subject = self.new_member(), f"s-{uuid.uuid4()}"
        self.deployment.execute(f"UPDATE latchkey.member SET issuer = '{self.provider.issuer}', subject = '{subject}' WHERE email = '{email}'")
        self.refuse("MEMBER_NOT_FOUND", sub="another", email=email)
        self.assertIsNone(self.try_to_sign_in(sub=subject, email=email))

    def test_who_is_removed_has_no_other_members_address(self):
        email, subject = self.new_member(), f"s-{uuid.uuid4()}"
        self.deployment.execute(f"UPDATE latchkey.member SET issuer = '{self.provider.issuer}', subject = '{subject}', removed_at = now() "
                                f"WHERE email = '{email}'")
        self.refuse("MEMBER_NOT_FOUND", sub=subject, email=email)
        self.refuse("MEMBER_NOT_FOUND", sub=subject)

    def become_member(self, administrator, email):
        """By an invitation, whose link is in the mail; the member's id."""
        before = len([mail for mail in list(self.mail.mails) if email in mail.recipients])
        administrator.invitations.CreateInvitations(invitation_pb2.CreateInvitationsRequest(invitations=[{"email": email}]), timeout=30)
        secret = self.mail.mails_to(email, before + 1)[before].secret()
        return administrator.invitations.AcceptInvitation(invitation_pb2.AcceptInvitationRequest(
            secret=secret, display_name="Ada"), timeout=30).member.member_id

    def test_who_was_removed_and_is_invited_again_is_the_new_member(self):
        email, identity = f"{uuid.uuid4()}@example.com", {"issuer": self.provider.issuer, "subject": f"s-{uuid.uuid4()}"}
        vouched, first, second = {"sub": identity["subject"], "email": email}, self.browser(), self.browser()
        with self.deployment.administrator(self.invitations) as administrator:
            old = self.become_member(administrator, email)
            administrator.members.UpdateMember(member_pb2.UpdateMemberRequest(
                member={"member_id": old, **identity}, update_mask={"paths": list(identity)}), timeout=30)
            self.assertIsNone(self.try_to_sign_in(first, **vouched))
            self.assertEqual(first.caller_id(), old)
            administrator.members.RemoveMember(member_pb2.RemoveMemberRequest(member_id=old), timeout=30)
            self.refuse("MEMBER_NOT_FOUND", **vouched)
            new = self.become_member(administrator, email)
        self.assertFalse(first.session()["signedIn"])  # the log-in of before has ended for good
        self.assertIsNone(self.try_to_sign_in(second, **vouched))
        self.assertEqual(second.caller_id(), new)
        self.assertNotEqual(new, old)
        self.assertFalse(first.session()["signedIn"])

    def test_who_is_no_member_is_told_so(self):
        self.refuse("MEMBER_NOT_FOUND", email="stranger@example.com")

    def test_a_list_that_does_not_hold_the_address_is_named_with_it(self):
        email, browser = self.new_member(ips=[f"{ELSEWHERE}/32"]), self.browser()
        self.provider.claims = {"email": email}
        asked, code = self.go(browser)
        answer = browser.get(f"{CALLBACK}?{urlencode({'code': code, 'state': asked['state']})}")
        self.assertEqual((answer.status, answer.get("location")), (303, f"/sign-in?refused=MEMBER_IP_NOT_LISTED&address={HERE}"))
        self.assertIsNone(self.try_to_sign_in(self.browser(ELSEWHERE), email=email))

    def test_two_windows_of_one_browser_do_not_end_each_others_sign_in(self):
        browser = self.browser()
        self.provider.claims = {"email": self.new_member()}
        first, code = self.go(browser)
        self.go(browser)
        self.assertIsNone(self.come_back(browser, code=code, state=first["state"]))

    def test_who_turns_back_at_the_provider_is_told_so(self):
        browser = self.browser()
        asked, _ = self.go(browser)
        self.assertEqual(self.come_back(browser, error="access_denied", state=asked["state"]), "PROVIDER_CANCELLED")
        asked, _ = self.go(browser)
        self.assertEqual(self.come_back(browser, error="<script>", error_description="<b>", state=asked["state"]), REFUSED)

    def test_a_new_key_is_fetched_when_a_token_names_it(self):
        self.assertIsNone(self.try_to_sign_in())
        new = RsaKey("two")
        self.provider.keys = [self.provider.key.public(), new.public()]
        self.provider.make_token = lambda claims: token_of(new, claims)
        self.assertIsNone(self.try_to_sign_in())

    def test_each_algorithm_that_is_allowed_signs_people_in(self):
        for key in (RsaKey("rs"), RsaKey("ps", algorithm="PS256"), EcKey("es")):
            self.provider.keys = [key.public()]
            self.provider.make_token = lambda claims, key=key: token_of(key, claims)
            self.assertIsNone(self.try_to_sign_in(), key.algorithm)

    def test_a_clients_secret_that_is_none_is_told_in_the_log(self):
        self.addCleanup(self.provider.secret_file.write_text, SECRET + "\n", encoding="ascii")
        for text, words in (("\r\n", "the first line of the client's secret file is empty"), (None, str(self.provider.secret_file))):
            if text is None:
                self.provider.secret_file.unlink()
            else:
                self.provider.secret_file.write_text(text, encoding="ascii")
            self.refuse("PROVIDER_UNAVAILABLE")
            self.assertIn(words, self.console.log())
        self.assertEqual(self.provider.count("/token"), 0)

    def test_no_secret_of_it_is_logged(self):
        browser = self.browser()
        self.provider.claims = {"email": self.new_member()}
        asked, code = self.go(browser)
        self.assertIsNone(self.come_back(browser, code=code, state=asked["state"]))
        self.come_back(browser, code=code, state=asked["state"])
        self.assertEqual(self.try_to_sign_in(nonce="other"), REFUSED)
        log = self.console.log()
        self.assertIn("its ID token is for another sign-in", log)
        (_, form, authorization) = next(request for request in self.provider.requests if request[0] == "/token")
        for secret in (code, asked["state"], asked["nonce"], form["code_verifier"][0], authorization.split()[1], SECRET):
            self.assertNotIn(secret, log)


class WhoCameBack(OpenIdCase):
    """The callback, which any page of the web may send any browser to."""

    def test_a_browser_that_did_not_begin_it_is_refused(self):
        """Else whoever sends the address of their own sign-in to somebody has them work under their name."""
        attacker = self.browser()
        self.provider.claims = {"email": self.new_member()}
        asked, code = self.go(attacker)
        victim = self.browser()
        self.assertEqual(self.come_back(victim, code=code, state=asked["state"]), OVER)
        self.go(victim)
        self.assertEqual(self.come_back(victim, code=code, state=asked["state"]), OVER)
        self.assertEqual(self.provider.count("/token"), 0)
        self.assertIsNone(self.come_back(attacker, code=code, state=asked["state"]))

    def test_a_state_that_is_not_ours_is_refused(self):
        browser = self.browser()
        asked, code = self.go(browser)
        state = asked["state"]
        flipped = state[:-1] + ("0" if state[-1] != "0" else "1")
        renamed = state[:48] + "78" + state[50:]
        for wrong in ("", "x", flipped, renamed, state[2:], state + "00", state.upper(), "0" * len(state), "0" * 5000):
            self.assertEqual(self.come_back(browser, code=code, state=wrong), OVER, wrong)
        self.assertEqual(self.come_back(browser, code=code), OVER)
        self.assertEqual(self.provider.count("/token"), 0)

    def test_a_field_that_is_there_twice_is_none(self):
        browser = self.browser()
        asked, code = self.go(browser)
        good = urlencode({"code": code, "state": asked["state"]})
        for more in ("code=x", f"state={asked['state']}", "iss=a&iss=b", "error=&error=", "%zz"):
            self.assertEqual(self.reason_of(browser.get(f"{CALLBACK}?{good}&{more}")), OVER, more)

    def test_it_works_once_even_where_the_provider_takes_a_code_twice(self):
        browser = self.browser()
        self.provider.claims = {"email": self.new_member()}
        asked, code = self.go(browser)
        cookie = browser.cookies[COOKIE]
        self.assertIsNone(self.come_back(browser, code=code, state=asked["state"]))
        self.assertEqual(self.come_back(browser, code=code, state=asked["state"]), OVER)
        browser.cookies = {COOKIE: cookie}
        self.assertEqual(self.come_back(browser, code=code, state=asked["state"]), OVER)
        self.assertEqual(self.provider.count("/token"), 2)

    def test_an_answer_of_another_issuer_is_refused(self):
        for issuer, reason in (("https://evil.example", REFUSED), ("", REFUSED), (self.provider.issuer + "/", REFUSED),
                               (self.provider.issuer, None)):
            browser = self.browser()
            self.provider.claims = {"email": self.new_member()}
            asked, code = self.go(browser)
            self.assertEqual(self.come_back(browser, code=code, state=asked["state"], iss=issuer), reason, issuer)

    def test_a_code_that_is_no_code_never_reaches_the_provider(self):
        for code in ("", "x" * 2049, "a\nb", "\u00e4"):
            browser = self.browser()
            asked, _ = self.go(browser)
            self.assertEqual(self.come_back(browser, code=code, state=asked["state"]), REFUSED, code)
        self.assertEqual(self.provider.count("/token"), 0)

    def test_nobody_is_ever_led_to_another_site(self):
        browser = self.browser()
        answer = browser.post("/session/openid", {"company": self.company, "return": "https://evil.example"})
        self.assertNotIn("evil", answer.json()["location"])
        for query in ("return=https://evil.example", "redirect_uri=//evil.example", "state=x&location=//evil.example"):
            self.reason_of(browser.get(f"{CALLBACK}?{query}"))

    def test_another_site_can_not_begin_it(self):
        for fields in ([("origin", "https://evil.example")], [("origin", URL), ("sec-fetch-site", "cross-site")], []):
            answer = self.browser().ask("POST", "/session/openid", [("content-type", "application/json"), *fields], "{}")
            self.assertEqual(answer.status, 403, fields)
        self.assertEqual(self.browser().get("/session/openid").status, 405)
        self.assertEqual(self.browser().ask("GET", CALLBACK, [], host="evil.example").status, 421)

    def test_what_another_site_s_page_embeds_is_no_coming_back_and_uses_no_tries_up(self):
        browser = self.browser()
        self.provider.claims = {"email": self.new_member()}
        asked, code = self.go(browser)
        query = f"{CALLBACK}?{urlencode({'code': code, 'state': asked['state']})}"
        for destination in ("image", "iframe", "empty", "script"):
            self.assertEqual(self.reason_of(browser.get(query, ("sec-fetch-dest", destination))), OVER, destination)
        self.assertEqual(self.provider.count("/token"), 0)
        self.assertIsNone(self.reason_of(browser.get(query, ("sec-fetch-dest", "document"), ("sec-fetch-site", "cross-site"))))

    def test_a_body_that_is_none_is_refused(self):
        browser = self.browser()
        for message in ([], {"company": "x" * 256}, {"company": "a\nb"}):
            self.assertEqual(browser.post("/session/openid", message).status, 400, message)


class Answers(OpenIdCase):
    """What the provider's machine may do, whoever it has become."""

    own_settings = {"console_openid_timeout": "2s"}

    def test_what_is_too_large_late_or_elsewhere_is_no_answer(self):
        def redirect(handler):
            handler.reply(302, {}, [("location", self.provider.issuer + "/elsewhere")])

        def be_silent(handler):
            del handler
            time.sleep(4)

        def drip(handler):
            handler.send_response(200)
            handler.end_headers()
            for _ in range(40):
                handler.wfile.write(b" ")
                time.sleep(0.1)
        for answer, reason in ((redirect, REFUSED), (be_silent, "PROVIDER_UNAVAILABLE"), (drip, "PROVIDER_UNAVAILABLE"),
                               (answer_of_size(300_000), "PROVIDER_UNAVAILABLE"), (lambda handler: handler.reply(401, {}), REFUSED),
                               (lambda handler: handler.reply(200, b"[]"), REFUSED), (lambda handler: handler.reply(200, b"<"), REFUSED),
                               (lambda handler: handler.wfile.write(b"SSH-2.0\r\n"), "PROVIDER_UNAVAILABLE")):
            self.provider.answers = {"/token": answer}
            started = time.monotonic()
            self.refuse(reason)
            self.assertLess(time.monotonic() - started, 30)
        self.assertEqual(self.provider.count("/elsewhere"), 0)

    def test_who_waits_for_a_slow_provider_leaves_room_for_those_who_sign_in_by_mail(self):
        def be_slow(handler):
            time.sleep(1.9)
            handler.reply(400, {})
        browser = self.browser()
        secret = self.ask_for_link(browser, self.new_member())
        self.assertIsNone(self.try_to_sign_in())
        begun = [(slow, *self.go(slow)) for slow in (self.browser() for _ in range(8))]
        self.provider.answers = {"/token": be_slow}
        before = self.provider.count("/token")
        with ThreadPoolExecutor(8) as pool:
            waiting = [pool.submit(self.come_back, slow, code=code, state=asked["state"]) for slow, asked, code in begun]
            wait_until(lambda: self.provider.count("/token") - before >= 3, 30, "all that may to be on their way")
            self.assertEqual(browser.post("/session/link", {"secret": secret}).status, 200)
            self.assertLess(self.provider.count("/token") - before, 8, "they have all been answered before")
            self.assertEqual({result.result(60) for result in waiting}, {REFUSED})


class OtherLimits(OpenIdCase):
    """What the other classes have refused by the defaults."""

    own_settings = {"console_openid_answer_max": "1MiB", "console_openid_skew": "5m"}

    def test_larger_answers_are_read(self):
        for size, reason in ((300_000, REFUSED), (1_000_000, REFUSED), (1_048_577, "PROVIDER_UNAVAILABLE")):
            self.provider.answers = {"/token": answer_of_size(size)}
            self.refuse(reason)

    def test_the_providers_clock_may_differ_by_more(self):
        now = int(time.time())
        for claims in ({"exp": now - 120}, {"iat": now + 120}, {"nbf": now + 120}):
            self.assertIsNone(self.try_to_sign_in(**claims), claims)
        for claims in ({"exp": now - 400}, {"iat": now + 400}, {"nbf": now + 400}):
            self.refuse(**claims)


class Discovery(OpenIdCase):
    own_settings = {"console_openid_cache": "1s"}

    def wait_for_refusal(self):
        """Once what is kept is too old."""
        wait_until(lambda: self.begin(self.browser()).status == 503, 30, "the provider to be taken for gone")
        answer = self.begin(self.browser())
        self.assertEqual((answer.status, error_info(answer)[0]), (503, "PROVIDER_UNAVAILABLE"))

    def test_a_document_that_is_not_the_issuers_or_leads_off_encryption_is_not_believed(self):
        issuer = self.provider.issuer
        for document in ({"issuer": "https://evil.example"}, {"issuer": issuer + "/"}, {"issuer": issuer + "\0"}, {"issuer": None},
                         {"authorization_endpoint": "http://id.example.com/"}, {"token_endpoint": "http://id.example.com/"},
                         {"jwks_uri": "http://id.example.com/"}, {"jwks_uri": "file:///etc/passwd"}, {"token_endpoint": 7},
                         {"authorization_endpoint": "javascript:alert(1)"}, {"token_endpoint": "https://a:b@id.example.com/"},
                         {"token_endpoint": "https://id.example.com/\n"}, {"authorization_endpoint": ""}):
            self.provider.document = document
            self.wait_for_refusal()
            self.provider.document = {}
            self.assertIsNone(self.try_to_sign_in(), document)

    def test_a_document_that_is_none_is_not_believed(self):
        for answer in (answer_of_size(300_000), lambda handler: handler.reply(500, {}), lambda handler: handler.reply(200, b"[]"),
                       lambda handler: handler.reply(302, {}, [("location", self.provider.issuer + "/elsewhere")])):
            self.provider.answers = {"/.well-known/openid-configuration": answer}
            self.wait_for_refusal()
        self.assertEqual(self.provider.count("/elsewhere"), 0)

    def test_keys_that_can_not_be_had_let_nobody_in(self):
        for answer in (answer_of_size(300_000), lambda handler: handler.reply(500, {}), lambda handler: handler.reply(200, b"[]")):
            self.provider.answers = {"/keys": answer}
            wait_until(lambda: self.try_to_sign_in() == REFUSED, 30, "the keys to be too old")
        self.provider.answers = {}
        self.assertIsNone(self.try_to_sign_in())

    def test_a_provider_that_says_it_names_itself_in_each_answer_has_to(self):
        self.provider.document = {"authorization_response_iss_parameter_supported": True}
        wait_until(lambda: self.try_to_sign_in() == REFUSED, 30, "the new document to be known")
        browser = self.browser()
        self.provider.claims = {"email": self.new_member()}
        asked, code = self.go(browser)
        self.assertIsNone(self.come_back(browser, code=code, state=asked["state"], iss=self.provider.issuer))
        self.provider.document = {}
        wait_until(lambda: self.try_to_sign_in() is None, 30, "the old one to be known")


class Patience(OpenIdCase):
    own_settings = {"console_openid_retry": "1h"}

    def test_a_provider_that_is_down_is_not_asked_again_for_a_while(self):
        self.provider.answers = {"/.well-known/openid-configuration": lambda handler: handler.reply(500, {})}
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda _: self.begin(self.browser()).status, range(20)))
        self.assertEqual(set(answers), {503})
        self.assertEqual(self.provider.count("/.well-known/openid-configuration"), 1)


class FewKeys(OpenIdCase):
    own_settings = {"console_openid_retry": "1h"}

    def test_tokens_by_unknown_keys_do_not_have_the_keys_fetched_each_time(self):
        unknown = RsaKey("unknown")
        good = self.provider.make_token
        self.assertIsNone(self.try_to_sign_in())
        self.provider.make_token = lambda claims: token_of(unknown, claims)
        for _ in range(3):
            self.refuse()
        self.assertEqual(self.provider.count("/keys"), 1)
        self.provider.make_token = good
        self.assertIsNone(self.try_to_sign_in())


class Often(OpenIdCase):
    own_settings = {"console_openid_tries": 4, "console_openid_try_refill": "1h", "console_openid_sign_ins_max": 2}

    def test_one_address_may_not_try_for_ever(self):
        browser = self.browser("192.0.2.1")
        for _ in range(9):
            self.assertEqual(self.reason_of(browser.get(f"{CALLBACK}?state=x", ("sec-fetch-dest", "image"))), OVER)
        for _ in range(2):
            self.assertEqual(self.begin(browser).status, 200)
            self.assertEqual(self.come_back(browser, state="x"), OVER)
        answer = self.begin(browser)
        self.assertEqual((answer.status, error_info(answer)[0]), (429, "TOO_MANY_TRIES"))
        self.assertEqual(self.come_back(browser, state="x"), "TOO_MANY_TRIES")
        self.assertEqual(self.begin(self.browser("192.0.2.2")).status, 200)

    def test_so_many_are_remembered_and_one_more_is_refused(self):
        for address in ("192.0.2.11", "192.0.2.12"):
            self.assertIsNone(self.try_to_sign_in(self.browser(address)))
        self.assertEqual(self.try_to_sign_in(self.browser("192.0.2.13")), OVER)


class Late(OpenIdCase):
    own_settings = {"console_openid_lifetime": "1s"}

    def test_who_took_too_long_begins_again(self):
        browser = self.browser()
        asked, code = self.go(browser)
        cookie = browser.cookies[COOKIE]

        def is_over():
            browser.cookies[COOKIE] = cookie
            return self.come_back(browser, code="no code" * 1000, state=asked["state"]) == OVER
        self.assertFalse(is_over())
        wait_until(is_over, 30, "the state to be too old")
        browser.cookies[COOKIE] = cookie
        self.assertEqual(self.come_back(browser, code=code, state=asked["state"]), OVER)


class Encrypted(OpenIdCase):
    @classmethod
    def setUpClass(cls):
        cls.certificates = Certificates()
        cls.addClassCleanup(cls.certificates.remove)
        super().setUpClass()

    def test_a_provider_over_tls_is_known_by_its_authority(self):
        self.assertIsNone(self.try_to_sign_in())

    def test_a_certificate_of_another_authority_is_not_believed(self):
        address = f"127.0.0.1:{free_port()}"
        with Deployment(**{"console_listen": address, "console_url": URL, "console_token_file": self.token_file,
                           **self.provider.settings(), "console_openid_ca_file": self.certificates.other_authority}):
            answer = Browser(address).post("/session/openid", {})
        self.assertEqual((answer.status, error_info(answer)[0]), (503, "PROVIDER_UNAVAILABLE"))
        self.assertEqual(self.provider.requests, [])


class Leaving(OpenIdCase):
    own_settings = {"drain_delay": "10m"}

    def test_people_sign_in_as_long_as_it_serves_on(self):
        self.console.tell_to_end()
        wait_until(lambda: not self.console.is_ready(), 30, "the console to leave")
        self.assertIsNone(self.try_to_sign_in())


class Stopping(OpenIdCase):
    own_settings = {"console_openid_timeout": "1m"}

    def test_a_provider_that_never_answers_does_not_hold_up_the_end(self):
        address = f"127.0.0.1:{free_port()}"
        self.provider.answers = {"/.well-known/openid-configuration": lambda handler: time.sleep(50)}
        with ThreadPoolExecutor(1) as pool:
            with Deployment(**{"console_listen": address, "console_url": URL, "console_token_file": self.token_file, **self.settings}):
                waiting = pool.submit(Browser(address).post, "/session/openid", {})
                wait_until(lambda: self.provider.requests, 30, "the provider to be asked")
                started = time.monotonic()
            self.assertLess(time.monotonic() - started, 20)
            waiting.exception(60)


class Ways(ConsoleCase):
    """What is on, and what is not."""

    def test_without_a_provider_there_is_no_such_way(self):
        browser = self.browser()
        self.assertEqual(browser.session()["ways"], ["mail"])
        answer = browser.post("/session/openid", {})
        self.assertEqual((answer.status, error_info(answer)[0]), (404, "WAY_OFF"))
        answer = browser.get(f"{CALLBACK}?state=x&code=y")
        self.assertEqual((answer.status, answer.get("location")), (303, "/sign-in?refused=WAY_OFF"))

    def test_without_a_mail_server_there_is_the_provider_alone(self):
        address = f"127.0.0.1:{free_port()}"
        with OpenIdProvider() as provider, Deployment(**{
                "console_listen": address, "console_url": URL, "console_token_file": self.token_file,
                "console_openid_name": "Example \u00dc \"ID\"", **provider.settings()}):
            browser = Browser(address)
            session = browser.session()
            answer = browser.post("/session/mail", {"email": "a@example.com"})
        self.assertEqual((session["ways"], session["provider"]), (["openid"], "Example \u00dc \"ID\""))
        self.assertEqual((answer.status, error_info(answer)[0]), (404, "WAY_OFF"))

    def check(self, **settings):
        full = {"console_listen": self.address, "console_url": URL, "console_token_file": self.token_file,
                "console_openid_issuer": "https://id.example.com", "console_openid_client_id": CLIENT,
                "console_openid_client_secret_file": self.token_file, "invitation_url": "https://example.com/join", **settings}
        server = Server("latchkeyd", check_config=True, database_url=self.deployment.url,
                        **{name: value for name, value in full.items() if value is not None})
        self.addCleanup(server.remove)
        server.start(ready=False)
        return server.wait(), server.log()

    def test_what_it_needs_is_said(self):
        self.assertEqual(self.check()[0], 0)
        for issuer in ("http://127.0.0.1:8080", "http://[::1]:8080/realm", "http://localhost", "https://id.example.com/tenant/"):
            self.assertEqual(self.check(console_openid_issuer=issuer)[0], 0, issuer)
        for settings, words in (({"console_openid_issuer": None}, "--console-openid-issuer"),
                                ({"console_openid_client_id": None}, "--console-openid-client-id"),
                                ({"console_openid_client_secret_file": None}, "--console-openid-client-secret-file"),
                                *(({"console_openid_issuer": issuer}, "console-openid-issuer") for issuer in (
                                    "http://id.example.com", "id.example.com", "https://", "https://a@id.example.com", "https://id.example.com/#x",
                                    "https://id.example.com?x", "ftp://id.example.com", "https://id.example.com/ x", "http://127.0.0.1.evil.example",
                                    "https://id.example.com/" + "x" * 1024)),
                                ({"console_openid_client_id": "a\nb"}, "console-openid-client-id"),
                                ({"console_openid_name": "a\x7fb"}, "console-openid-name")):
            status, log = self.check(**settings)
            self.assertEqual(status, 78, settings)
            self.assertIn(words, log)


globals().update(by_itself(SigningIn))

if __name__ == "__main__":
    unittest.main()
