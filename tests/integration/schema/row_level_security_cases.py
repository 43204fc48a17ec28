"""Who may see and touch what, tried as each of the database roles."""

import unittest

import psycopg2

from database import Company, act_for, connect, new_id, run, run_value
from database import prepare as setUpModule  # noqa: F401

Refused = psycopg2.errors.InsufficientPrivilege  # also what a policy's WITH CHECK raises

# Tables that hold rows of several companies on purpose: the log, and what it lost, which the application can't read.
NOT_TENANT = {"change", "change_pending", "lost_change"}


def tenant_tables(connection):
    rows = run(connection, "SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid"
                           " WHERE c.relnamespace = 'latchkey'::regnamespace AND c.relkind IN ('r', 'p')"
                           "   AND a.attname = 'company_id' AND NOT a.attisdropped ORDER BY 1")
    return [name for (name,) in rows if name not in NOT_TENANT]


def append_event(connection, company, refusals_max=0):
    run(connection, "SELECT latchkey.audit_append(%s, NULL, NULL, NULL, 'test', NULL, 'ada@acme.example', '', NULL,"
                    " ARRAY[%s]::uuid[], ARRAY['test.done'], ARRAY[''], ARRAY[''], ARRAY['{}'], ARRAY[1]::bigint[],"
                    " ARRAY[%s]::bigint[], ARRAY[sha256('a')], ARRAY[sha256('b')], ARRAY[sha256('c')], ARRAY[''],"
                    " ARRAY[''])", company, new_id(), refusals_max)


class RowLevelSecurity(unittest.TestCase):
    def setUp(self):
        self.ours, self.theirs = Company(), Company()
        self.app = connect("latchkey_app")
        self.owner = connect()
        for company in (self.ours, self.theirs):
            act_for(self.app, company.id)
            _, company.digest = company.add_token(self.app, company.administrator)
            company.add_entries(self.app, ["192.0.2.0/24"])
            run(self.app, "INSERT INTO latchkey.request VALUES (%s, %s, 'm', %s, sha256('x'))", company.id, new_id(),
                new_id())
            append_event(self.app, company.id)
            for _ in range(3):  # two are in one minute, of which the second is counted
                append_event(self.app, company.id, refusals_max=1)
            run(self.app, "INSERT INTO latchkey.login_refusal (refusal_id, company_id, member_id, minute, reason, refused_at)"
                          " VALUES (%s, %s, %s, now(), 10, now())", new_id(), company.id, company.administrator)
            token, _ = company.add_token(self.app, company.administrator)
            run(self.app, "INSERT INTO latchkey.token_unused VALUES (%s, %s, now())", token, company.id)
            run(self.app, "INSERT INTO latchkey.token_notice VALUES (%s, 1, now(), %s, %s)", token, company.id, new_id())
            run(self.app, "INSERT INTO latchkey.mail_outbox (mail_id, company_id, kind, object_id, recipient)"
                          " VALUES (%s, %s, 'invitation', %s, 'e@e.example')", new_id(), company.id, new_id())
            run(self.app, "WITH made AS (INSERT INTO latchkey.invitation (invitation_id, company_id, email, expires_at)"
                          " VALUES (%s, %s, 'e@e.example', now()) RETURNING company_id, invitation_id)"
                          " INSERT INTO latchkey.invitation_secret (digest, company_id, invitation_id, generation)"
                          " SELECT sha256(convert_to(invitation_id::text, 'UTF8')), company_id, invitation_id, 1 FROM made",
                new_id(), company.id)
            run(self.app, "SELECT latchkey.token_use_record(ARRAY[%s], ARRAY[now()], ARRAY[NULL::inet], ARRAY[''])",
                company.digest)
            _, spent = company.add_token(self.app, company.administrator)
            run(self.app, "UPDATE latchkey.token_secret SET rotated_at = now(), expires_at = '-infinity' WHERE digest = %s",
                spent)
            run(self.app, "SELECT latchkey.token_reuse_record(ARRAY[%s], ARRAY[now()], ARRAY[NULL::inet], ARRAY[''])", spent)
            run(self.app,
                "SELECT latchkey.whitelist_use_record(array_agg(company_id), array_agg(entry_id), array_agg(now()))"
                          "  FROM latchkey.whitelist_entry")
        self.app.commit()
        self.addCleanup(self.app.close)
        self.addCleanup(self.owner.close)

    def assert_refused(self, connection, statement, *parameters):
        with self.assertRaises(Refused, msg=statement):
            run(connection, statement, *parameters)
        connection.rollback()

    def test_every_table_with_a_company_forces_its_policies(self):
        unforced = run(self.owner, "SELECT relname FROM pg_class WHERE relnamespace = 'latchkey'::regnamespace"
                                   " AND relname = ANY (%s) AND NOT (relrowsecurity AND relforcerowsecurity)",
                       tenant_tables(self.owner))
        self.assertEqual(unforced, [])

    def test_no_role_of_ours_bypasses_them(self):
        self.assertEqual(run(self.owner, "SELECT rolname FROM pg_roles WHERE rolname LIKE 'latchkey\\_%%'"
                                         " AND (rolsuper OR rolbypassrls OR rolcreaterole)", ), [])

    def test_definer_functions_fix_their_search_path_and_no_function_is_for_everybody(self):
        self.assertEqual(run(self.owner,
                             "SELECT proname FROM pg_proc WHERE pronamespace = 'latchkey'::regnamespace AND"
                                         " (prosecdef AND NOT coalesce(proconfig::text LIKE '%search_path=%', false)"
                                         "  OR has_function_privilege('pg_monitor', oid, 'EXECUTE'))"), [])

    def test_the_application_sees_nothing_while_no_company_is_set(self):
        for spent in (False, True):  # a spent SET LOCAL reads back as ''
            if spent:
                act_for(self.app, self.ours.id)
                self.app.commit()
            for table in tenant_tables(self.owner):
                with self.subTest(table=table, spent=spent):
                    self.assertEqual(run_value(self.app, f"SELECT count(*) FROM latchkey.{table}"), 0)

    def test_the_application_sees_the_rows_of_its_company_alone(self):
        for table in tenant_tables(self.owner):
            with self.subTest(table=table):
                act_for(self.app, self.ours.id)
                self.assertEqual(run(self.app, f"SELECT DISTINCT company_id FROM latchkey.{table}"),
                                 [(self.ours.id,)])

    def test_the_application_can_not_read_digests_of_another_company(self):
        act_for(self.app, self.ours.id)
        self.assertEqual(run(self.app, "SELECT 1 FROM latchkey.token_secret WHERE digest = %s", self.theirs.digest),
                         [])
        self.assertEqual(len(run(self.app, "SELECT 1 FROM latchkey.token_secret WHERE digest = %s",
                                 self.ours.digest)), 1)

    def test_the_application_can_not_change_rows_of_another_company(self):
        for table, column in (("company", "name"), ("member", "display_name"), ("token", "label"),
                              ("whitelist_entry", "note")):
            with self.subTest(table=table), self.app.cursor() as cursor:
                act_for(self.app, self.ours.id)
                cursor.execute(f"UPDATE latchkey.{table} SET {column} = 'changed'")
                self.assertGreater(cursor.rowcount, 0)
                cursor.execute(f"UPDATE latchkey.{table} SET {column} = 'changed' WHERE company_id = %s",
                               (self.theirs.id,))
                self.assertEqual(cursor.rowcount, 0)
                self.app.rollback()

    def test_the_application_can_not_put_a_row_into_another_company(self):
        act_for(self.app, self.ours.id)
        self.assert_refused(self.app,
                            "INSERT INTO latchkey.member (member_id, company_id, email) VALUES (%s, %s, 'e@e.e')",
                            new_id(), self.theirs.id)
        act_for(self.app, self.ours.id)
        self.assert_refused(self.app, "UPDATE latchkey.whitelist_entry SET company_id = %s", self.theirs.id)

    def test_a_secret_can_not_be_tied_to_the_token_of_another_company(self):
        (token,) = run(self.owner, "SELECT token_id FROM latchkey.token WHERE company_id = %s", self.theirs.id)[0]
        act_for(self.app, self.ours.id)
        with self.assertRaises(psycopg2.errors.ForeignKeyViolation):
            run(self.app, "INSERT INTO latchkey.token_secret (digest, token_id, company_id, hint)"
                          " VALUES (sha256('stolen'), %s, %s, 'h')", token, self.ours.id)

    def test_the_application_makes_no_operator_and_leaves_log_catalogue_and_audit_alone(self):
        for statement in ("UPDATE latchkey.company SET is_operator = true",
                          "UPDATE latchkey.company SET is_demo = true",
                          "INSERT INTO latchkey.company (company_id, name, is_demo) VALUES (gen_random_uuid(), 'x', true)",
                          "DELETE FROM latchkey.token",
                          "DELETE FROM latchkey.company",
                          "UPDATE latchkey.audit_event SET action = 'x'",
                          "DELETE FROM latchkey.audit_event",
                          "INSERT INTO latchkey.audit_event DEFAULT VALUES",
                          "UPDATE latchkey.audit_head SET number = 0",
                          "DELETE FROM latchkey.audit_person",
                          "UPDATE latchkey.audit_person SET email = ''",
                          "SELECT latchkey.audit_erase(gen_random_uuid(), '', 1)",
                          "TRUNCATE latchkey.whitelist_entry",
                          "SELECT 1 FROM latchkey.change",
                          "INSERT INTO latchkey.change VALUES (0, 1, 1, 'x', NULL, NULL, NULL, now())",
                          "UPDATE latchkey.change_lane SET head = head + 1",
                          "DELETE FROM latchkey.change_pending",
                          "INSERT INTO latchkey.permission (name) VALUES ('a.b')",
                          "DELETE FROM latchkey.validator",
                          "UPDATE latchkey.mail_outbox SET recipient = 'x'",
                          "DELETE FROM latchkey.mail_outbox",
                          "DELETE FROM latchkey.invitation",
                          "SELECT latchkey.bootstrap_begin()",
                          "SELECT latchkey.timeline_accept('app')"):
            with self.subTest(statement=statement):
                act_for(self.app, self.ours.id)
                self.assert_refused(self.app, statement)

    def test_the_validator_reads_all_companies_and_writes_none(self):
        validator = connect("latchkey_validator")
        for table in ("company", "member", "role", "member_role", "token", "token_secret",
                      "whitelist", "whitelist_list", "whitelist_entry"):
            with self.subTest(table=table):
                seen = {company for (company,) in run(validator, f"SELECT DISTINCT company_id FROM latchkey.{table}")}
                self.assertLessEqual({self.ours.id, self.theirs.id}, seen)
                self.assert_refused(validator, f"UPDATE latchkey.{table} SET company_id = company_id")
                self.assert_refused(validator, f"DELETE FROM latchkey.{table}")
        self.assert_refused(validator, "UPDATE latchkey.validator SET renewal = 0")
        self.assert_refused(validator, "SELECT 1 FROM latchkey.audit_event")
        validator.close()

    def test_the_auditor_reads_the_audit_log_and_no_token(self):
        auditor = connect("latchkey_auditor")
        seen = {company for (company,) in run(auditor, "SELECT company_id FROM latchkey.audit_event")}
        self.assertLessEqual({self.ours.id, self.theirs.id}, seen)
        self.assert_refused(auditor, "SELECT 1 FROM latchkey.token")
        self.assert_refused(auditor, "SELECT 1 FROM latchkey.token_secret")
        self.assert_refused(auditor, "DELETE FROM latchkey.audit_event")
        auditor.close()

    def test_even_the_owner_can_not_rewrite_the_audit_log(self):
        for statement in ("UPDATE latchkey.audit_event SET action = 'x'", "DELETE FROM latchkey.audit_event",
                          "TRUNCATE latchkey.audit_event", "UPDATE latchkey.audit_person SET email = ''",
                          "TRUNCATE latchkey.audit_person"):
            self.assert_refused(self.owner, statement)


class Uniqueness(unittest.TestCase):
    def setUp(self):
        self.company = Company()
        self.app = connect("latchkey_app", self.company.id)
        self.addCleanup(self.app.close)

    def test_an_email_is_one_live_member_whatever_its_case(self):
        with self.assertRaises(psycopg2.errors.UniqueViolation) as refused:
            self.company.add_member(self.app, new_id(), "ADA@Example.com")
        self.assertEqual(refused.exception.diag.constraint_name, "member_email_key")

    def test_the_email_of_a_removed_member_is_free_again(self):
        run(self.app, "UPDATE latchkey.member SET removed_at = now()")
        self.company.add_member(self.app, new_id(), "ada@example.com")
        self.assertEqual(run_value(self.app, "SELECT count(*) FROM latchkey.member"), 2)

    def test_a_company_has_one_administrator_role(self):
        with self.assertRaises(psycopg2.errors.UniqueViolation):
            run(self.app, "INSERT INTO latchkey.role (role_id, company_id, name, builtin)"
                          " VALUES (%s, %s, 'Second', 'administrator')", new_id(), self.company.id)

    def test_an_external_id_names_one_live_token(self):
        insert = ("INSERT INTO latchkey.token (token_id, company_id, kind, channels, external_id)"
                  " VALUES (%s, %s, 'a', 1, 'order-7')")
        run(self.app, insert, new_id(), self.company.id)
        run(self.app, "UPDATE latchkey.token SET deactivated_at = now()")
        run(self.app, insert, new_id(), self.company.id)
        with self.assertRaises(psycopg2.errors.UniqueViolation):
            run(self.app, insert, new_id(), self.company.id)

    def test_every_update_moves_the_version(self):
        run(self.app, "UPDATE latchkey.member SET display_name = 'Ada', version = 99")
        self.assertEqual(run(self.app, "SELECT version FROM latchkey.member"), [(2,)])

    def test_a_request_is_kept_once_and_its_twin_sees_it(self):
        insert = ("INSERT INTO latchkey.request (company_id, caller, method, request_id, request_hash)"
                  " VALUES (%s, %s, 'Create', %s, sha256('x')) ON CONFLICT DO NOTHING RETURNING 1")
        key = (self.company.id, new_id(), new_id())
        self.assertEqual(run(self.app, insert, *key), [(1,)])
        self.assertEqual(run(self.app, insert, *key), [])


class Bootstrap(unittest.TestCase):
    def test_there_is_one_operator_and_bootstrap_is_told_of_it_and_of_strangers(self):
        stranger = Company()
        owner = connect()
        self.assertIsNone(run_value(owner, "SELECT operator_company FROM latchkey.bootstrap_begin()"))
        operator = new_id()
        run(owner, "INSERT INTO latchkey.company (company_id, name, is_operator) VALUES (%s, 'Operator', true)",
            operator)
        ((found, member, demo, strangers),) = run(owner, "SELECT * FROM latchkey.bootstrap_begin()")
        self.assertEqual((found, member, demo), (operator, None, None))
        self.assertGreaterEqual(strangers, 1, stranger.id)
        with self.assertRaises(psycopg2.errors.UniqueViolation):
            run(owner, "INSERT INTO latchkey.company (company_id, name, is_operator) VALUES (%s, 'Second', true)",
                new_id())
        owner.close()
