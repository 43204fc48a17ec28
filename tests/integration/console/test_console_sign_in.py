"""Signing in to the console by a link in a mail, and out again."""

import unittest
from base64 import b64decode
from concurrent.futures import ThreadPoolExecutor

from console_case import BROWSER, HERE, SESSION, ConsoleCase, by_itself, error_info, token_pb2

from latchkey_test import stubs, uuid_of_id
from latchkey_test.row_lock import RowLock
from latchkey_test.waiting import wait_until

error_details_pb2 = stubs.messages("google/rpc/error_details.proto")

ELSEWHERE = "198.51.100.9"


class SigningIn(ConsoleCase):
    settings = {"console_links_per_address": 3}

    def test_a_link_signs_in_and_out(self):
        email, browser = self.new_member(), self.browser()
        self.assertEqual(browser.session(), {"signedIn": False, "ways": ["mail"], "company": None, "clientIp": HERE})
        self.sign_in(browser, email)
        self.assertTrue(browser.session()["signedIn"])
        caller = browser.call("TokenService/GetCaller", {}).json()["caller"]
        self.assertEqual((caller["email"], caller["companyId"], caller["kind"]), (email, self.company, "TOKEN_KIND_LOGIN"))
        secret = browser.cookies[SESSION]
        self.assertEqual(browser.post("/session/end", {}).status, 204)
        self.assertNotIn(SESSION, browser.cookies)
        self.assertFalse(browser.session()["signedIn"])
        browser.cookies[SESSION] = secret
        self.assertFalse(browser.session()["signedIn"], "the login token lives on")

    def test_the_cookie_is_out_of_reach_and_lives_as_long_as_the_log_in(self):
        email, browser = self.new_member(), self.browser()
        secret = self.ask_for_link(browser, email)
        cookie = browser.post("/session/link", {"secret": secret}).get("set-cookie")
        name, *attributes = cookie.split("; ")
        self.assertTrue(name.startswith(SESSION + "=lkl"))
        self.assertEqual(attributes[:4], ["Path=/", "HttpOnly", "Secure", "SameSite=Strict"])
        lifetime = int(attributes[4].removeprefix("Max-Age="))
        self.assertTrue(3 * 3600 - 120 < lifetime <= 3 * 3600, lifetime)

    def test_a_link_works_once(self):
        browser = self.browser()
        secret = self.ask_for_link(browser, self.new_member())
        self.assertEqual(browser.post("/session/link", {"secret": secret}).status, 200)
        answer = browser.post("/session/link", {"secret": secret})
        self.assertEqual((answer.status, error_info(answer)[0]), (403, "LINK_BROKEN"))

    def test_of_two_uses_at_once_one_signs_in(self):
        email, browser = self.new_member(), self.browser()
        secret = self.ask_for_link(browser, email)
        with ThreadPoolExecutor() as pool, RowLock(self.deployment, f"member WHERE email = '{email}'", "UPDATE") as lock:
            first = pool.submit(browser.post, "/session/link", {"secret": secret})
            lock.wait_for_others(1)
            self.assertEqual(error_info(browser.post("/session/link", {"secret": secret}))[0], "LINK_BROKEN")
            lock.release()
            self.assertEqual(first.result(60).status, 200)

    def test_a_link_works_in_the_browser_that_asked_for_it(self):
        browser, other = self.browser(), self.browser()
        secret = self.ask_for_link(browser, self.new_member())
        answer = other.post("/session/link", {"secret": secret})
        self.assertEqual((answer.status, error_info(answer)[0], other.cookies), (403, "LINK_OTHER_BROWSER", {}))
        self.assertEqual(browser.post("/session/link", {"secret": secret}).status, 200)

    def test_two_links_asked_for_one_after_the_other_both_work(self):
        email, browser = self.new_member(), self.browser()
        first, second = self.ask_for_link(browser, email), self.ask_for_link(browser, email)
        self.assertEqual([browser.post("/session/link", {"secret": secret}).status for secret in (second, first)], [200, 200])

    def test_what_is_no_link_is_broken(self):
        browser = self.browser()
        self.ask_for_link(browser, self.new_member())
        for secret in ("0" * 43, "x", "'; --", "ä"):
            answer = browser.post("/session/link", {"secret": secret})
            self.assertEqual((answer.status, error_info(answer)[0]), (403, "LINK_BROKEN"), secret)
        for body in ({}, {"secret": ""}, {"secret": 7}, [], "text"):
            self.assertEqual(browser.post("/session/link", body).status, 400, body)

    def test_nobody_learns_who_is_a_member(self):
        """The answers are the same to the byte, and the mail to the member, asked for last, comes after what the others caused."""
        answers = []
        for email in ("nobody@example.com", self.new_member()):
            answer = self.browser().post("/session/mail", {"email": email, "company": self.company})
            cookie = answer.get("set-cookie")
            self.assertTrue(cookie.startswith(BROWSER + "="))
            answers.append((answer.status, answer.body, [name for name, _ in answer.fields], cookie.split("; ")[1:]))
        self.assertEqual(answers[0], answers[1])
        for company in ("cmp_00000000000000000000000000", "no such company"):
            answer = self.browser().post("/session/mail", {"email": "nobody@example.com", "company": company})
            self.assertEqual((answer.status, answer.body), answers[0][:2])
        self.mail.mails_to(email)
        self.assertFalse([mail for mail in self.mail.mails if "nobody@example.com" in mail.recipients])

    def test_what_is_no_address_is_refused(self):
        for email in ("", "nobody", "a@b\r\nBcc: c@example.com", "a" * 250 + "@example.com", 7, None):
            answer = self.browser().post("/session/mail", {"email": email, "company": self.company})
            self.assertEqual((answer.status, error_info(answer)[0]), (400, "INVALID_ARGUMENT"), email)

    def test_who_asks_for_too_many_links_leaves_the_others_theirs(self):
        email, browser = self.new_member(), self.browser()
        for _ in range(3):
            self.ask_for_link(browser, email)
        self.assertEqual(browser.post("/session/mail", {"email": email, "company": self.company}).status, 202)
        self.ask_for_link(self.browser(ELSEWHERE), email)

    def test_a_removed_member_does_not_get_in_by_an_old_link(self):
        email, browser = self.new_member(), self.browser()
        secret = self.ask_for_link(browser, email)
        self.deployment.execute(f"UPDATE latchkey.member SET removed_at = now() WHERE email = '{email}'")
        answer = browser.post("/session/link", {"secret": secret})
        self.assertEqual((answer.status, error_info(answer)[0]), (403, "LINK_BROKEN"))

    def test_the_list_refuses_with_the_address_that_was_seen(self):
        email, browser = self.new_member(ips=["203.0.113.0/24"]), self.browser(ELSEWHERE)
        secret = self.ask_for_link(browser, email)
        answer = browser.post("/session/link", {"secret": secret})
        reason, metadata = error_info(answer)
        self.assertEqual((answer.status, reason, metadata["clientIp"]), (403, "MEMBER_IP_NOT_LISTED", ELSEWHERE))
        self.assertNotIn(SESSION, browser.cookies)
        self.assertEqual(metadata, {"clientIp": ELSEWHERE}, "what the list holds is not for who is not on it")
        info = error_details_pb2.ErrorInfo.FromString(b64decode(answer.json()["details"][0]["value"] + "=="))
        self.assertEqual((info.reason, info.domain, dict(info.metadata)), (reason, "latchkey.v1", metadata))
        browser.client_ip = HERE
        self.assertEqual(browser.post("/session/link", {"secret": secret}).status, 200)

    def test_no_secret_is_logged(self):
        browser = self.browser()
        secret = self.ask_for_link(browser, self.new_member())
        browser.post("/session/link", {"secret": secret})
        browser.call("TokenService/GetCaller", {})
        log = self.console.log()
        for text in (secret, browser.cookies[SESSION], browser.cookies[BROWSER], self.console_secret):
            self.assertNotIn(text, log)

    def test_the_console_without_its_permission_signs_nobody_in(self):
        browser, email = self.browser(), self.new_member()
        secret = self.ask_for_link(browser, email)
        self.token_file.write_text(self.deployment.secrets["LATCHKEY_TOKEN"] + "\n", encoding="ascii")
        self.addCleanup(self.token_file.write_text, self.console_secret + "\n", encoding="ascii")
        self.assertEqual(browser.post("/session/link", {"secret": secret}).status, 503)
        self.assertIn("the console can't log people in", self.console.log())
        self.token_file.write_text(self.console_secret + "\n", encoding="ascii")
        self.assertEqual(browser.post("/session/link", {"secret": secret}).status, 200)


    def wait_for_log(self, *words):
        wait_until(lambda: any(all(word in line for word in words) for line in self.console.log().splitlines()), 60, words)

    def test_a_console_that_is_refused_itself_sends_nobody_a_mail_and_tells_nobody_of_a_list(self):
        """The list of whoever made its token does not hold the console: the words are those of a person who is not listed."""
        browser, email = self.browser(), self.new_member()
        secret = self.ask_for_link(browser, email)
        with self.deployment.operator() as operator:
            maker = uuid_of_id(operator.tokens.GetCaller(token_pb2.GetCallerRequest(), timeout=10).caller.member_id)
        lists = "UPDATE latchkey.member SET allowed_ips = ARRAY[{}]::cidr[] WHERE member_id = '" + maker + "'"
        self.deployment.execute(lists.format("'192.0.2.0/24'"))
        self.addCleanup(self.deployment.execute, lists.format(""))
        answer = browser.post("/session/link", {"secret": secret})
        self.assertEqual((answer.status, error_info(answer)), (503, ("UNAVAILABLE", {})))
        self.assertEqual(browser.post("/session/mail", {"email": "stranger@example.net", "company": self.company}).status, 202)
        self.wait_for_log("the console can't ask for members", "503")
        self.deployment.execute(lists.format(""))
        self.assertEqual(browser.post("/session/link", {"secret": secret}).status, 200)
        self.ask_for_link(self.browser(), self.new_member())
        self.assertFalse([mail for mail in self.mail.mails if "stranger@example.net" in mail.recipients])

    def test_another_spelling_of_an_address_gets_no_more_mails(self):
        email, browser = self.new_member(), self.browser("198.51.100.77")
        for _ in range(3):
            self.ask_for_link(browser, email)
        browser.post("/session/mail", {"email": email.upper(), "company": self.company})
        self.wait_for_log("too many links for signing in", browser.client_ip)
        self.assertFalse([mail for mail in self.mail.mails if email.upper() in mail.recipients])


class Limits(ConsoleCase):
    settings = {"console_link_tries": 2, "console_link_try_refill": "1d"}

    def test_one_address_asks_so_often_and_others_go_on(self):
        asked = {"email": "nobody@example.com", "company": self.company}
        browser = self.browser("192.0.2.1")
        self.assertEqual([browser.post("/session/mail", asked).status for _ in range(3)], [202, 202, 429])
        self.assertEqual(self.browser("192.0.2.2").post("/session/mail", asked).status, 202)


class Leaving(ConsoleCase):
    settings = {"drain_delay": "10m"}

    def test_people_sign_in_as_long_as_it_serves_on(self):
        self.console.tell_to_end()
        wait_until(lambda: not self.console.is_ready(), 30, "the console to leave")
        self.assertTrue(self.sign_in().session()["signedIn"])


globals().update(by_itself(SigningIn, Limits, Leaving))

if __name__ == "__main__":
    unittest.main()
