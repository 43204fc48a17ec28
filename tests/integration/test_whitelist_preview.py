"""PreviewWhitelist: whom a change would refuse, of those who have lately logged in or used a token."""

import unittest

from whitelist_case import AWAY, HOME, WhitelistCase

NO_SUCH_ENTRY = "ent_01h455vb4pex5vsknk084sn02q"
NEVER_SEEN = "192.0.2.200"
ALL, LOGINS = 1, 2
ACCESS_KIND, LOGIN_KIND = 1, 2


class Preview(WhitelistCase):
    settings = {"use_flush_interval": "60s"}  # the uses of the test's own callers stay out of it

    def setUp(self):
        super().setUp()
        self.deployment.execute("DELETE FROM latchkey.token_use; DELETE FROM latchkey.token_secret s USING latchkey.token t "
                                "WHERE t.token_id = s.token_id AND t.description = 'of a test'; "
                                "DELETE FROM latchkey.token WHERE description = 'of a test'")

    def make(self, label, kind="a", ip=None, used="1 hour", made="2 hours", owned=True):
        """A token with its last use from an address, so long ago; a login token was made from there, too."""
        address, use = f"'{ip}'::inet" if ip else "NULL::inet", f"now() - interval '{used}'" if used else "NULL"
        self.deployment.execute(
            "WITH made AS (INSERT INTO latchkey.token (token_id, company_id, member_id, kind, channels, label, description, "
            "client_ip, created_at, expires_at) SELECT gen_random_uuid(), c.company_id, "
            f"CASE WHEN {owned} THEN (SELECT member_id FROM latchkey.member m WHERE m.company_id = c.company_id LIMIT 1) END, "
            f"'{kind}', 1, '{label}', 'of a test', {address}, now() - interval '{made}', now() + interval '1 hour' "
            "FROM latchkey.company c WHERE c.is_demo RETURNING token_id, company_id) "
            "INSERT INTO latchkey.token_use (digest, token_id, company_id, last_used_at, last_used_ip) "
            f"SELECT sha256(token_id::text::bytea), token_id, company_id, {use}, {address} FROM made WHERE {use} IS NOT NULL")

    def whom(self, **fields):
        """(labels or e-mails and addresses of log-ins, of tokens)."""
        answer = self.preview(**fields)
        return ([(refusal.label, refusal.client_ip) for refusal in answer.refused_logins],
                [(refusal.label, refusal.client_ip) for refusal in answer.refused_tokens])

    def test_tokens_are_judged_by_where_they_were_used_last(self):
        self.make("in", ip="10.0.0.1")
        self.make("out", ip="10.9.0.1", used="2 hours")
        self.make("out too", ip="2001:db8::1", used="3 hours", owned=False)
        self.make("mapped", ip="::ffff:10.0.0.2")
        self.make("long ago", ip="10.9.0.1", used="31 days")
        self.make("never used", used=None)
        self.add("10.0.0.0/24")
        self.assertEqual(self.whom(), ([], [("out", "10.9.0.1"), ("out too", "2001:db8::1")]))
        answer = self.preview()
        self.assertEqual((answer.refused_token_count, answer.refused_login_count), (2, 0))
        out, out_too = answer.refused_tokens
        self.assertTrue(out.token_id.startswith("tok_") and out.member_id.startswith("mbr_") and out.HasField("at"))
        self.assertEqual((out.kind, out_too.member_id), (ACCESS_KIND, ""))

    def test_log_ins_are_judged_by_where_they_came_from(self):
        self.make("", kind="l", ip="10.0.0.1")
        self.make("", kind="l", ip="10.9.0.1", used=None)
        self.make("", kind="l", ip="10.9.0.2", used=None, made="31 days")
        self.add("10.0.0.0/24")
        answer = self.preview()
        self.assertEqual([(refusal.client_ip, refusal.kind) for refusal in answer.refused_logins], [("10.9.0.1", LOGIN_KIND)])
        self.assertIn("@", answer.refused_logins[0].label)
        self.assertEqual(len(answer.refused_tokens), 0)

    def test_a_use_from_an_unknown_address_would_be_refused(self):
        self.make("unknown")
        self.add("10.0.0.0/24")
        self.assertEqual(self.whom(), ([], [("unknown", "")]))

    def test_a_list_for_log_ins_refuses_no_access_token(self):
        self.make("access", ip="10.9.0.1")
        self.make("", kind="l", ip="10.9.0.1")
        self.add("10.0.0.0/24")
        self.assertEqual([len(part) for part in self.whom(whitelist={"enabled": True, "scope": LOGINS})], [1, 1])
        self.assertEqual([len(part) for part in self.whom(whitelist={"enabled": True, "scope": ALL})], [1, 2])
        self.update(mask=["scope"], scope=LOGINS)
        self.assertEqual([len(part) for part in self.whom()], [1, 1], "as the settings are")

    def test_a_list_that_would_be_off_refuses_nobody(self):
        self.make("out", ip="10.9.0.1")
        self.assertEqual(self.whom(whitelist={"enabled": False}), ([], []))
        self.assertFalse(self.preview(whitelist={"enabled": False}).locks_out_caller)

    def test_what_can_not_be_used_any_more_is_left_out(self):
        for change in ("deactivated_at = now()", "expires_at = now()", "suspended = true"):
            self.make("dead", ip="10.9.0.1")
            self.deployment.execute(f"UPDATE latchkey.token SET {change} WHERE label = 'dead'")
        self.assertEqual(self.whom(), ([], []))

    def test_entries_as_if_removed_and_entries_that_are_dead_let_nobody_in(self):
        self.make("one", ip="10.0.0.1")
        wide, narrow = [entry.entry_id for entry in self.add("10.0.0.0/24", "10.0.0.1").entries]
        self.assertEqual(self.whom(entries_removed=[wide]), ([], []))
        self.assertEqual(self.whom(entries_removed=[wide, narrow, NO_SUCH_ENTRY]), ([], [("one", "10.0.0.1")]))
        self.assertEqual(self.get().entry_count, 2, "nothing was changed")
        self.change(wide, disabled=True)
        self.deployment.execute("UPDATE latchkey.whitelist_entry SET expires_at = now() WHERE NOT disabled")
        self.assertEqual(self.whom(), ([], [("one", "10.0.0.1")]))

    def test_a_draft_is_tried_as_if_published_and_on(self):
        self.make("one", ip="10.0.0.1")
        self.make("two", ip="10.0.0.2")
        self.add("10.0.0.1", HOME)
        draft_id = self.begin(empty=True).draft_id
        self.add("10.0.0.2", draft_id=draft_id)
        self.assertEqual(self.whom(draft_id=draft_id), ([], [("one", "10.0.0.1")]))
        self.assertTrue(self.preview(draft_id=draft_id).locks_out_caller)
        self.add("203.0.113.0/24", draft_id=draft_id)
        self.assertFalse(self.preview(draft_id=draft_id).locks_out_caller)

    def test_it_says_whether_it_locks_the_caller_out(self):
        entry_id = self.add(HOME).entries[0].entry_id
        answer = self.preview()
        self.assertEqual((answer.locks_out_caller, answer.client_ip), (False, HOME))
        self.assertTrue(self.preview(entries_removed=[entry_id]).locks_out_caller)
        answer = self.preview(address=AWAY)
        self.assertEqual((answer.locks_out_caller, answer.client_ip), (True, AWAY))
        self.assertFalse(self.preview(address=AWAY, whitelist={"enabled": True, "scope": LOGINS}).locks_out_caller)
        with self.deployment.operator(self.get().company_id) as operator:
            self.assertFalse(self.preview(address=AWAY, client=operator).locks_out_caller)

    def test_a_draft_and_another_change_are_not_tried_together(self):
        draft_id = self.begin().draft_id
        self.assertIn("draft_id", self.bad_fields(self.preview, draft_id=draft_id, whitelist={"enabled": True}))
        self.assertIn("draft_id", self.bad_fields(self.preview, draft_id=draft_id, entries_removed=[NO_SUCH_ENTRY]))
        bad = self.bad_fields(self.preview, entries_removed=["x"], whitelist={"scope": 7})
        self.assertEqual(set(bad), {"entries_removed[0]", "whitelist.scope"})
        self.assertIn("10000", self.bad_fields(self.preview, entries_removed=[NO_SUCH_ENTRY] * 10001)["entries_removed"])

    def test_at_most_a_thousand_are_named_and_all_are_counted(self):
        self.make("many", ip="10.9.0.1")
        self.deployment.execute(
            "WITH made AS (INSERT INTO latchkey.token (token_id, company_id, kind, channels, label, description) "
            "SELECT gen_random_uuid(), company_id, 'a', 1, 'many', 'of a test' FROM latchkey.company, generate_series(1, 1499) "
            "WHERE is_demo RETURNING token_id, company_id) INSERT INTO latchkey.token_use (digest, token_id, company_id, "
            f"last_used_at, last_used_ip) SELECT sha256(token_id::text::bytea), token_id, company_id, now(), '{NEVER_SEEN}' "
            "FROM made")
        answer = self.preview()
        self.assertEqual((len(answer.refused_tokens), answer.refused_token_count), (1000, 1500))
        self.assertEqual(answer.refused_tokens[0].client_ip, NEVER_SEEN, "the latest first")


if __name__ == "__main__":
    unittest.main()
