"""What the token service does by itself: sweeping log-ins, ending unused tokens, notices of expiry. Time passes by moving the
times of rows."""

import os
import time
import unittest

from latchkey_test import Server, uuid_of_id
from latchkey_test.mail import MailServer
from latchkey_test.waiting import wait_until

from login_case import LoginCase, token_pb2, typeid

DAY = 24 * 60 * 60
SHARE = int(os.environ.get("LATCHKEY_TEST_SHARE", "100"))


class HousekeepingCase(LoginCase):
    settings = {"housekeeping_interval": "100ms"}

    def count(self, table, condition="true"):
        return self.execute(f"SELECT count(*) FROM latchkey.{table} WHERE {condition}")[0][0]

    def create(self, **fields):
        request = token_pb2.CreateAccessTokenRequest(**{"label": "of a test", **fields})
        return self.administrator.tokens.CreateAccessToken(request, timeout=20)


class Sweeping(HousekeepingCase):
    def age(self, created, age):
        number = uuid_of_id(created.login_token.token_id)
        self.execute(f"UPDATE latchkey.token SET created_at = now() - interval '{age}' - interval '3 h', "
                     f"expires_at = now() - interval '{age}' WHERE token_id = '{number}'")
        self.execute(f"UPDATE latchkey.token_secret SET expires_at = now() - interval '{age}' WHERE token_id = '{number}'")
        return number

    def test_a_secret_leaves_a_day_after_its_end_and_the_log_in_after_thirty(self):
        member, _ = self.new_member()
        expected = {"23 h": (1, 1), "25 h": (0, 1), "29 days": (0, 1), "31 days": (0, 0)}
        numbers = {age: self.age(self.log_in(member_id=member), age) for age in expected}

        def left():
            return {age: (self.count("token_secret", f"token_id = '{number}'"), self.count("token", f"token_id = '{number}'"))
                    for age, number in numbers.items()}

        wait_until(lambda: left() == expected, 30, "the sweeper")
        self.assertEqual(len(self.authentications(member_id=member)), 3)

    def test_refusals_leave_and_access_tokens_stay(self):
        member, number = self.new_member()
        access = self.create()
        self.execute("UPDATE latchkey.token SET created_at = now() - interval '2 years', expires_at = now() - interval "
                     f"'1 year' WHERE token_id = '{uuid_of_id(access.access_token.token_id)}'")
        for age in ("29 days", "31 days"):
            self.execute("INSERT INTO latchkey.login_refusal (refusal_id, company_id, member_id, minute, reason, refused_at) "
                         f"VALUES (gen_random_uuid(), '{self.company_uuid}', '{number}', now() - interval '{age}', 10, "
                         f"now() - interval '{age}')")
        wait_until(lambda: len(self.authentications(member_id=member)) == 1, 30, "the old refusal to leave")
        self.assertEqual(self.count("token_secret", f"token_id = '{uuid_of_id(access.access_token.token_id)}'"), 1)

    def test_100_000_old_log_ins_leave_in_small_batches_while_others_work(self):
        companies = [self.company_uuid] + [self.new_company() for _ in range(9)]
        of_each = 100 * SHARE
        for other in companies:
            self.new_member(company=other)
        self.deployment.server.stop()
        for other in companies:
            self.execute(
                "WITH made AS (INSERT INTO latchkey.token (token_id, company_id, member_id, kind, channels, created_at, "
                "expires_at) SELECT gen_random_uuid(), m.company_id, m.member_id, 'l', 2, now() - interval '60 days', now() "
                f"- interval '50 days' FROM (SELECT * FROM latchkey.member WHERE company_id = '{other}' LIMIT 1) AS m, "
                f"generate_series(1, {of_each}) RETURNING token_id, company_id, expires_at) INSERT INTO latchkey.token_secret "
                "(digest, token_id, company_id, hint, expires_at) SELECT sha256(convert_to(token_id::text, 'UTF8')), "
                "token_id, company_id, 'x', expires_at FROM made")
        self.execute("DELETE FROM latchkey.change")  # what follows is looked at
        first = self.execute("SELECT sum(head) FROM latchkey.change_lane")[0][0]
        old = "kind = 'l' AND expires_at < now() - interval '40 days'"
        self.assertEqual(self.count("token", old), 10 * of_each)

        began = time.monotonic()
        self.deployment.server.start()
        slowest = 0
        with Server("latchkey-token", database_url=self.deployment.url, housekeeping_interval="100ms"):  # a second sweeper
            while self.count("token", old):
                asked = time.monotonic()
                self.create()
                slowest = max(slowest, time.monotonic() - asked)
                self.assertLess(time.monotonic() - began, 240, "the sweeper takes too long")
                time.sleep(0.05)  # lets the sweeper have the cores
        took = time.monotonic() - began
        print(f"{10 * of_each} log-ins swept in {took:.1f} s, slowest creation meanwhile {slowest * 1000:.0f} ms", flush=True)
        self.assertEqual(self.count("token_secret", "hint = 'x'"), 0)
        self.assertLess(slowest, 5)
        whole = self.execute("SELECT count(*) FROM latchkey.change WHERE kind = 'token' AND objects IS NULL")[0][0]
        self.assertEqual(whole, 0, "changes that make validators read all tokens")
        self.assertGreaterEqual(self.execute("SELECT sum(head) FROM latchkey.change_lane")[0][0] - first, 2 * 10 * SHARE)


class Unused(HousekeepingCase):
    def setUp(self):
        self.set_policy(30 * DAY)
        self.addCleanup(self.set_policy, None)

    def set_policy(self, seconds):
        value = "NULL" if seconds is None else seconds * 1000
        self.execute(f"UPDATE latchkey.company SET deactivate_unused_ms = {value} WHERE company_id = '{self.company_uuid}'")

    def age(self, created, age="31 days", secret="31 days"):
        """Made so long ago; its UUID."""
        number = uuid_of_id(created.access_token.token_id)
        self.execute(f"UPDATE latchkey.token SET created_at = now() - interval '{age}' WHERE token_id = '{number}'")
        self.execute(f"UPDATE latchkey.token_secret SET created_at = now() - interval '{secret}' WHERE token_id = '{number}'")
        return number

    def use(self, number, age):
        self.execute("SELECT latchkey.token_use_record(array_agg(digest), array_agg(now() - interval "
                     f"'{age}'), array_agg('203.0.113.7'::inet), array_agg('local'::text)) FROM latchkey.token_secret "
                     f"WHERE token_id = '{number}'")

    def wait_for_note(self, number):
        wait_until(lambda: self.count("token_unused", f"token_id = '{number}'"), 30, "the token to be noted as unused")

    def wait_for_round(self):
        """Until the job has looked at this company twice since: it forgets a note that is not true only when it looks."""
        ended = uuid_of_id(self.create().access_token.token_id)
        self.execute(f"UPDATE latchkey.token SET deactivated_at = now() WHERE token_id = '{ended}'")
        for _ in range(2):
            self.execute("INSERT INTO latchkey.token_unused (token_id, company_id, noticed_at) VALUES "
                         f"('{ended}', '{self.company_uuid}', now())")
            wait_until(lambda: not self.count("token_unused", f"token_id = '{ended}'"), 30, "a round of the job")

    def pass_grace(self):
        self.execute("UPDATE latchkey.token_unused SET noticed_at = noticed_at - interval '11 minutes'")

    def state(self, number):
        request = token_pb2.GetAccessTokenRequest(token_id=typeid("tok", number))
        token = self.administrator.tokens.GetAccessToken(request, timeout=10).access_token
        return token.state, token.deactivate_reason

    def test_an_unused_token_is_ended_after_the_grace_and_audited(self):
        number = self.age(self.create())
        self.wait_for_note(number)
        self.wait_for_round()
        self.assertEqual(self.state(number)[0], token_pb2.TOKEN_STATE_ACTIVE)
        self.pass_grace()
        wait_until(lambda: self.state(number)[0] == token_pb2.TOKEN_STATE_DEACTIVATED, 30, "the token to be ended")
        self.assertEqual(self.state(number)[1], token_pb2.DEACTIVATE_REASON_UNUSED)
        self.assertEqual(self.execute("SELECT actor_system, after ->> 'deactivate_reason' FROM latchkey.audit_event WHERE "
                                      f"object_id = '{typeid('tok', number)}' AND action = 'token.deactivated'"),
                         [("sweeper", "DEACTIVATE_REASON_UNUSED")])
        self.assertEqual(self.count("token_unused", f"token_id = '{number}'"), 0)

    def test_a_use_that_is_written_late_saves_the_token(self):
        number = self.age(self.create())
        self.wait_for_note(number)
        self.use(number, "5 seconds")
        self.pass_grace()
        wait_until(lambda: not self.count("token_unused", f"token_id = '{number}'"), 30, "the note to be forgotten")
        self.assertEqual(self.state(number)[0], token_pb2.TOKEN_STATE_ACTIVE)

    def test_tokens_with_a_reason_to_be_unused_are_left_alone(self):
        canary = self.age(self.create())
        young, rotated, used, suspended, waiting, resumed = (self.create() for _ in range(6))
        numbers = {"young": self.age(young, "29 days"), "rotated": self.age(rotated, secret="29 days"),
                   "used": self.age(used), "suspended": self.age(suspended), "waiting": self.age(waiting),
                   "resumed": self.age(resumed)}
        self.use(numbers["used"], "29 days")
        for name, change in (("suspended", "suspended = true"), ("waiting", "not_before = now() - interval '1 day'"),
                             ("resumed", "suspended = true, suspended_until = now() - interval '1 day'")):
            self.execute(f"UPDATE latchkey.token SET {change} WHERE token_id = '{numbers[name]}'")
        self.execute("DELETE FROM latchkey.token_unused")
        self.wait_for_note(canary)
        self.wait_for_round()
        noted = self.execute("SELECT token_id::text FROM latchkey.token_unused")
        self.assertFalse({number for (number,) in noted} & set(numbers.values()))

    def test_without_a_policy_nothing_is_ended(self):
        number = self.age(self.create())
        self.wait_for_note(number)
        self.set_policy(None)
        self.pass_grace()
        wait_until(lambda: not self.count("token_unused"), 30, "the notes to be forgotten")
        self.assertEqual(self.state(number)[0], token_pb2.TOKEN_STATE_ACTIVE)


class Notices(HousekeepingCase):
    """Each test has a company of its own, so that the mails are its own."""

    @classmethod
    def setUpClass(cls):
        cls.mail = cls.enter(MailServer())
        cls.settings = {**HousekeepingCase.settings, **cls.mail.settings()}
        del cls.settings["invitation_url"]
        super().setUpClass()

    def setUp(self):
        self.number = self.new_company()
        self.email = f"ada@{self.number}.example"
        self.member, self.member_number = self.new_member(self.email, company=self.number)

    def make_administrator(self, email):
        _, number = self.new_member(email, company=self.number)
        self.execute("INSERT INTO latchkey.role (role_id, company_id, name, builtin) VALUES (gen_random_uuid(), "
                     f"'{self.number}', 'administrator', 'administrator') ON CONFLICT DO NOTHING")
        self.execute("INSERT INTO latchkey.member_role (company_id, member_id, role_id) SELECT company_id, "
                     f"'{number}', role_id FROM latchkey.role WHERE company_id = '{self.number}'")

    def token(self, expires_in, label="till", owner=None, age="30 days", **columns):
        """An access token that expires then; its UUID. `owner` "" = the company."""
        owner = self.member_number if owner is None else owner
        names = "".join(f", {name}" for name in columns)
        values = "".join(f", {value}" for value in columns.values())
        return self.execute(
            f"INSERT INTO latchkey.token (token_id, company_id, member_id, kind, channels, label, created_at, expires_at{names}) "
            f"VALUES (gen_random_uuid(), '{self.number}', nullif('{owner}', '')::uuid, 'a', 1, '{label}', "
            f"now() - interval '{age}', now() + interval '{expires_in}'{values}) RETURNING token_id::text")[0][0]

    def look_again(self):
        """Lets the job look from where the first look ever begins, and waits until it has."""
        self.execute("DELETE FROM latchkey.token_notice_progress")
        began = self.execute("SELECT clock_timestamp()")[0][0]
        wait_until(lambda: self.count("token_notice_progress", f"done_until > '{began}'") == 2, 30, "a round of the job")

    def mails(self):
        return [mail for mail in self.mail.mails if mail.recipients[0].endswith(f"@{self.number}.example")]

    def wait_for_mails(self, count):
        wait_until(lambda: len(self.mails()) >= count, 30, "mails about tokens")
        return self.mails()

    def notices(self):
        return self.execute("SELECT t.label, n.before_ms / 86400000 FROM latchkey.token_notice n JOIN latchkey.token t "
                            f"USING (token_id) WHERE n.company_id = '{self.number}' ORDER BY 1, 2")

    def test_the_owner_hears_of_it_seven_days_and_one_day_before(self):
        number = self.token("6 days", label="till & <shop>")
        self.look_again()
        (mail,) = self.wait_for_mails(1)
        self.assertEqual(mail.recipients, [self.email])
        self.assertIn('Access token "till & <shop>" of another expires', mail.message["Subject"])
        self.assertIn("till & <shop> (" + typeid("tok", number), mail.body("plain"))
        self.assertIn("never used", mail.body("plain"))
        self.assertIn("till &amp; &lt;shop&gt;", mail.body("html"))
        # Six days later: the clock has passed the second point.
        self.execute(f"UPDATE latchkey.token SET expires_at = now() + interval '20 h' WHERE token_id = '{number}'")
        self.look_again()
        self.wait_for_mails(2)
        self.assertEqual(self.notices(), [("till & <shop>", 1), ("till & <shop>", 7)])

    def test_each_notice_comes_once_however_often_and_by_how_many_it_is_looked_for(self):
        self.token("6 days")
        with Server("latchkey-token", database_url=self.deployment.url, **self.settings):
            for _ in range(3):
                self.look_again()
        self.wait_for_mails(1)
        self.assertEqual(self.execute(f"SELECT count(*) FROM latchkey.mail_outbox WHERE company_id = '{self.number}'"), [(1,)])

    def test_a_killed_server_loses_no_notice_and_repeats_none(self):
        for i in range(300):
            self.token("6 days", label=f"number {i}", owner="" if i % 2 else None)
        self.make_administrator(f"boss@{self.number}.example")
        self.execute("DELETE FROM latchkey.token_notice_progress")
        for _ in range(3):
            self.deployment.server.kill()
            self.deployment.server.start()
        self.addCleanup(self.renew_clients)
        wait_until(lambda: self.count("token_notice", f"company_id = '{self.number}'") == 300, 60, "all notices")
        rows = self.execute("SELECT count(*), count(DISTINCT (object_id, recipient)) FROM latchkey.mail_outbox "
                            f"WHERE company_id = '{self.number}'")
        self.assertEqual(rows[0][0], rows[0][1])
        notices = self.execute(f"SELECT count(DISTINCT notice_id) FROM latchkey.token_notice WHERE company_id = '{self.number}'")
        self.assertEqual(rows[0][0], notices[0][0])

    def renew_clients(self):
        type(self).administrator = self.enter(self.deployment.administrator())
        type(self).checker = self.enter(self.check_for(self.company))

    def test_tokens_of_one_owner_that_come_due_together_are_one_mail(self):
        for i in range(3):
            self.token(f"{4 + i} days", label=f"till {i}")
        self.look_again()
        (mail,) = self.wait_for_mails(1)
        self.assertEqual(mail.message["Subject"], "3 access tokens of another expire soon")
        self.assertLess(mail.body("plain").index("till 0"), mail.body("plain").index("till 2"))

    def test_the_administrators_hear_of_the_company_s_own(self):
        self.make_administrator(f"boss@{self.number}.example")
        self.make_administrator(f"vice@{self.number}.example")
        self.token("6 days", owner="")
        self.look_again()
        self.wait_for_mails(2)
        self.assertEqual({mail.recipients[0] for mail in self.mails()},
                         {f"boss@{self.number}.example", f"vice@{self.number}.example"})

    def test_the_late_notice_takes_the_place_of_an_early_one_that_was_missed(self):
        self.token("20 h")
        self.look_again()
        self.wait_for_mails(1)
        self.assertEqual(self.notices(), [("till", 1)])

    def test_tokens_that_need_no_notice_have_none(self):
        self.token("6 days", age="1 h", label="short-lived")
        self.token("8 days", label="far away")
        self.token("-1 h", label="expired")
        self.token("6 days", label="ended", deactivated_at="now()")
        self.token("6 days", label="told")
        self.look_again()
        self.wait_for_mails(1)
        self.assertEqual(self.notices(), [("told", 7)])

    def test_a_new_end_has_notices_of_its_own(self):
        number = self.token("6 days")
        self.look_again()
        self.wait_for_mails(1)
        self.execute(f"UPDATE latchkey.token SET expires_at = now() + interval '5 days' WHERE token_id = '{number}'")
        self.look_again()
        self.wait_for_mails(2)

    def test_what_is_no_more_true_when_the_mail_is_written_is_not_sent(self):
        self.mail.stop()
        try:
            number = self.token("6 days")
            self.look_again()
            self.execute(f"UPDATE latchkey.token SET deactivated_at = now() WHERE token_id = '{number}'")
        finally:
            self.mail.start()
        wait_until(lambda: self.execute("SELECT count(*) FROM latchkey.mail_outbox WHERE company_id = "
                                        f"'{self.number}' AND state = 'q'") == [(0,)], 60, "the mail to be dropped")
        self.assertEqual(self.mails(), [])


if __name__ == "__main__":
    unittest.main()
