"""`latchkey migrate` and `latchkey bootstrap`: what they make, what they refuse, and what they say when the database refuses them."""

import concurrent.futures
import contextlib
import json
import os
import shlex
import stat
import subprocess
import tempfile
import unittest
from pathlib import Path

import psycopg2

from latchkey_test import ROOT, Client, PrivatePostgres, Server, free_port, run_latchkey, shared_postgres, stubs

member_pb2 = stubs.messages("latchkey/v1/member.proto")

PERMISSIONS = ROOT / "deploy/quickstart/permissions.txt"
SECRET = "lka_[0-9A-Za-z]{51}"


class DatabaseCase(unittest.TestCase):
    """Each test has an empty database and a directory."""

    def setUp(self):
        self.postgres = shared_postgres()
        self.url = self.postgres.create_database()
        self.addCleanup(self.postgres.drop_database, self.url)
        directory = tempfile.TemporaryDirectory(prefix="latchkey-cli-")
        self.addCleanup(directory.cleanup)
        self.directory = Path(directory.name)

    def run_command(self, *arguments, url=None, **options):
        return run_latchkey(*arguments, LATCHKEY_DATABASE_URL=url or self.url, **options)

    def run_well(self, *arguments, **options):
        done = self.run_command(*arguments, **options)
        self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)
        return done.stdout

    def assert_fails(self, code, pattern, *arguments, **options):
        done = self.run_command(*arguments, **options)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        self.assertRegex(done.stderr, pattern)
        self.assertEqual(done.stdout, "")
        self.assertNotIn("SELECT", done.stderr)
        return done.stderr

    def query(self, statement):
        connection = self.postgres.connect(psycopg2.extensions.parse_dsn(self.url)["dbname"])
        try:
            with connection.cursor() as cursor:
                cursor.execute(statement)
                return cursor.fetchall() if cursor.description else []
        finally:
            connection.close()

    def write(self, text):
        path = self.directory / "permissions"
        path.write_text(text)
        return path

    def url_of_user(self, user):
        return psycopg2.extensions.make_dsn(**{**psycopg2.extensions.parse_dsn(self.url), "user": user})


class Migrate(DatabaseCase):
    def catalogue(self):
        return self.query("SELECT name, description FROM latchkey.permission WHERE NOT fixed ORDER BY name")

    # ---- wrong input first ----

    def test_without_a_database_it_says_where_to_name_one(self):
        done = run_latchkey("migrate")
        self.assertEqual(done.returncode, 2)
        self.assertIn("LATCHKEY_DATABASE_URL", done.stderr)

    def test_a_bad_connection_string_is_told_without_showing_it(self):
        error = self.assert_fails(2, "postgresql://user@host", "migrate", url="postgresql://u:hidden@h/d?nonsense=1")
        self.assertNotIn("hidden", error)

    def test_a_database_that_nobody_serves_is_unavailable(self):
        self.assert_fails(4, "nothing listens there; is PostgreSQL running", "migrate",
                          url=f"host=127.0.0.1 port={free_port()} dbname=x user=x")

    def test_a_database_that_nobody_has_made_yet_may_be_waited_for_and_a_user_is_refused(self):
        missing = psycopg2.extensions.make_dsn(**{**psycopg2.extensions.parse_dsn(self.url), "dbname": "no_such_thing"})
        self.assert_fails(4, "does not exist; create it", "migrate", url=missing)
        self.assert_fails(3, "user does not exist", "migrate", url=self.url_of_user("no_such_user"))

    def test_a_migration_that_is_locked_out_may_be_tried_again(self):
        database = psycopg2.extensions.parse_dsn(self.url)["dbname"]
        self.query(f'ALTER DATABASE "{database}" SET lock_timeout = 1')
        with contextlib.closing(self.postgres.connect(database)) as connection, connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(7809651199139603833)")  # as another `latchkey migrate` has it
            self.assert_fails(4, "SQLSTATE 55P03", "migrate")
        self.query(f'ALTER DATABASE "{database}" RESET lock_timeout')
        self.run_well("migrate")

    def test_a_user_without_rights_is_told_whose_they_are(self):
        self.query("DO $$ BEGIN CREATE ROLE latchkey_test_stranger LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$")
        stranger = self.url_of_user("latchkey_test_stranger")
        self.assert_fails(3, "use the user that owns the database", "migrate", url=stranger)
        self.run_well("migrate")
        self.assert_fails(3, "use the user that owns the database", "migrate", url=stranger)
        self.assert_fails(3, "use the user that owns the database", "bootstrap", url=stranger)
        self.assertEqual(self.query("SELECT count(*) FROM latchkey.company"), [(0,)])

    def test_a_wrong_password_is_told_as_one(self):
        with PrivatePostgres() as postgres:
            rules = postgres.directory / "data/pg_hba.conf"
            rules.write_text("host all locked 127.0.0.1/32 scram-sha-256\n" + rules.read_text())
            postgres.stop()
            postgres.start()
            postgres.execute("CREATE ROLE locked LOGIN PASSWORD 'right'")
            url = f"host=127.0.0.1 port={postgres.port} dbname=postgres user=locked"
            for password in ("", " password=wrong"):
                error = self.assert_fails(3, "password for the user is wrong or missing", "migrate", url=url + password)
                self.assertNotIn("password=wrong", error)

    def test_a_bad_permissions_file_is_told_line_by_line_and_nothing_is_touched(self):
        path = self.write("# ours\ncharges.create ok\nCharges ?\nlatchkey.operate mine\n")
        error = self.assert_fails(2, "no list of permissions", "migrate", "--permissions-file", path)
        self.assertRegex(error, "line 3: .*such as charges.create")
        self.assertRegex(error, "line 4: .*always there")
        self.assert_fails(2, "can't read", "migrate", "--permissions-file", self.directory / "nothing")
        self.assertEqual(self.query("SELECT to_regnamespace('latchkey')"), [(None,)])

    def test_a_schema_of_a_newer_release_is_refused(self):
        self.run_well("migrate")
        self.query("INSERT INTO latchkey.migration VALUES (9999, '9999_later.sql', '\\x00')")
        self.assert_fails(5, r"newer latchkey \(9999_later.sql\)", "migrate")
        self.assert_fails(5, r"newer latchkey \(9999_later.sql\)", "bootstrap")

    # ---- what it does ----

    def test_it_brings_an_empty_database_to_the_schema_and_is_done_the_second_time(self):
        first = self.run_well("migrate")
        files = sorted(path.name for path in (ROOT / "common/db/schema").glob("*.sql"))
        self.assertEqual([line for line in first.splitlines() if line.startswith("applied ")],
                         [f"applied {name}" for name in files])
        self.assertEqual(self.run_well("migrate"), f"the schema is at {files[-1][:4]} already\n")

    def test_four_at_once_apply_every_file_once(self):
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            runs = list(pool.map(lambda _: self.run_command("migrate", "--permissions-file", PERMISSIONS), range(4)))
        self.assertEqual([(run.returncode, run.stderr) for run in runs], [(0, "")] * 4)
        applied = [line for run in runs for line in run.stdout.splitlines() if line.startswith("applied ")]
        self.assertEqual(len(applied), len(set(applied)))
        self.assertEqual(len(applied), len(list((ROOT / "common/db/schema").glob("*.sql"))))
        self.assertEqual(len(self.catalogue()), 4)

    def test_the_catalogue_becomes_what_the_file_says(self):
        self.run_well("migrate", "--permissions-file", PERMISSIONS)
        self.assertEqual(self.catalogue(), [("charges.create", "Charge a customer"), ("charges.read", "See charges"),
                                            ("customers.read", "See customers"), ("refunds.create", "Give money back")])
        path = self.write("charges.create  Charge anybody\nreports.read\n")
        said = self.run_well("migrate", "--permissions-file", path, "--drop-permissions")
        self.assertEqual(self.catalogue(), [("charges.create", "Charge anybody"), ("reports.read", "")])
        self.assertIn("dropped charges.read", said)
        self.assertIn("dropped refunds.create", said)
        self.run_well("migrate")
        self.assertEqual(len(self.catalogue()), 2)

    def test_a_file_that_lacks_permissions_is_refused_by_name_and_nothing_is_changed(self):
        self.run_well("migrate", "--permissions-file", PERMISSIONS)
        before = self.catalogue()
        path = self.write("charges.create  Charge anybody\ncustomers.read\nreports.read\n")
        error = self.assert_fails(5, "the catalogue stays as it was", "migrate", "--permissions-file", path)
        self.assertRegex(error, r"DROPS_PERMISSIONS(.|\n)*charges.read: (.|\n)*refunds.create: ")
        self.assertIn("--drop-permissions", error)
        self.assertNotIn("customers.read", error)
        self.assertEqual(self.catalogue(), before)

    def test_the_same_catalogue_again_is_no_change(self):
        self.run_well("migrate", "--permissions-file", PERMISSIONS)
        head = "SELECT head FROM latchkey.change_lane WHERE lane = 64"
        before = self.query(head)
        self.run_well("migrate", "--permissions-file", PERMISSIONS)
        self.assertEqual(self.query(head), before)

    def test_the_catalogue_comes_from_standard_input_too(self):
        self.run_well("migrate", "--permissions-file", "-", stdin="a.b One\n")
        self.assertEqual(self.catalogue(), [("a.b", "One")])

    def test_json_says_what_was_done(self):
        first = json.loads(self.run_well("migrate", "--json", "--permissions-file", PERMISSIONS))
        self.assertEqual(first["applied"], first["schema"])
        self.assertEqual((first["permissions"], first["dropped_permissions"]), (4, []))
        second = json.loads(self.run_well("migrate", "--json"))
        self.assertEqual(second, {"applied": 0, "schema": first["schema"]})


class Bootstrap(DatabaseCase):
    def setUp(self):
        super().setUp()
        self.env_file = self.directory / "demo.env"

    def migrate(self):
        self.run_well("migrate", "--permissions-file", PERMISSIONS)

    def read_env(self):
        return dict(shlex.split(line)[0].split("=", 1) for line in self.env_file.read_text().splitlines())

    def serve(self):
        server = Server("latchkeyd", database_url=self.url)
        self.addCleanup(server.remove)
        server.start()
        return server

    def caller(self, server, secret):
        """The answer of GetCaller, or the exit code."""
        done = run_latchkey("caller", "--json", LATCHKEY_ADDRESS=server.address, LATCHKEY_TOKEN=secret)
        return json.loads(done.stdout)["caller"] if done.returncode == 0 else done.returncode

    # ---- wrong input first ----

    def test_a_database_without_the_schema_is_told_how_to_get_it(self):
        self.assert_fails(5, "latchkey migrate", "bootstrap", "--env-file", self.env_file)
        self.assertFalse(self.env_file.exists())

    def test_bad_values_are_told(self):
        self.migrate()
        self.assert_fails(2, "two lower-case letters", "bootstrap", "--brand", "LK")
        self.assert_fails(2, "must be an e-mail address", "bootstrap", "--email", "nobody")
        self.assertEqual(self.query("SELECT count(*) FROM latchkey.company"), [(0,)])

    def test_an_env_file_that_exists_is_not_written_over_and_nothing_is_made(self):
        self.migrate()
        self.env_file.write_text("precious")
        self.assert_fails(5, "exists already", "bootstrap", "--env-file", self.env_file)
        self.assert_fails(2, "can't create", "bootstrap", "--env-file", self.directory / "no" / "file")
        self.assertEqual(self.env_file.read_text(), "precious")
        self.assertEqual(self.query("SELECT count(*) FROM latchkey.company"), [(0,)])

    def test_it_refuses_a_second_time_and_leaves_no_file(self):
        self.migrate()
        self.run_well("bootstrap", "--demo", "--env-file", self.directory / "first.env")
        for options in ((), ("--demo",)):
            self.assert_fails(5, "--rotate", "bootstrap", "--env-file", self.env_file, *options)
            self.assertFalse(self.env_file.exists())
        self.assertEqual(self.query("SELECT count(*) FROM latchkey.token_secret"), [(2,)])

    def test_rotating_before_the_first_time_is_refused(self):
        self.migrate()
        self.assert_fails(5, "without --rotate", "bootstrap", "--rotate")

    def test_a_database_with_companies_of_others_gets_no_demo(self):
        self.migrate()
        self.query("INSERT INTO latchkey.company (company_id, name) VALUES (gen_random_uuid(), 'Acme')")
        self.assert_fails(5, "companies that bootstrap did not make", "bootstrap", "--demo", "--env-file", self.env_file)
        self.assertFalse(self.env_file.exists())
        self.assertEqual(self.query("SELECT name FROM latchkey.company"), [("Acme",)])
        self.run_well("bootstrap", "--env-file", self.env_file)

    # ---- what it makes ----

    def test_the_env_file_is_the_owners_alone_and_a_shell_reads_it(self):
        self.migrate()
        mask = os.umask(0)
        self.addCleanup(os.umask, mask)
        said = self.run_well("bootstrap", "--demo", "--address", "127.0.0.1:7070", "--env-file", self.env_file)
        self.assertEqual(stat.S_IMODE(self.env_file.stat().st_mode), 0o600)
        self.assertNotRegex(said, SECRET)
        variables = self.read_env()
        self.assertEqual(set(variables), {"LATCHKEY_ADDRESS", "LATCHKEY_TOKEN", "LATCHKEY_OPERATOR_TOKEN"})
        self.assertEqual(variables["LATCHKEY_ADDRESS"], "127.0.0.1:7070")
        sourced = subprocess.run(["sh", "-c", '. "$0"; printf %s "$LATCHKEY_TOKEN"', self.env_file], check=True,
                                 capture_output=True, text=True).stdout
        self.assertEqual(sourced, variables["LATCHKEY_TOKEN"])
        self.assertRegex(sourced, f"^{SECRET}$")

    def test_the_env_file_names_the_four_servers_where_each_has_an_address(self):
        self.migrate()
        named = {f"LATCHKEY_{name}_ADDRESS": f"127.0.0.1:{port}"
                 for name, port in (("TOKEN", 1), ("WHITELIST", 2), ("INVITATION", 3), ("VALIDATOR", 4))}
        self.run_well("bootstrap", "--env-file", self.env_file, **named)
        variables = self.read_env()
        self.assertEqual({name: variables.get(name) for name in named}, named)
        self.assertEqual(set(variables) - set(named), {"LATCHKEY_OPERATOR_TOKEN"})
        self.env_file.unlink()
        self.run_well("bootstrap", "--rotate", "--address", "127.0.0.1:5", "--env-file", self.env_file, **named)
        self.assertEqual(self.read_env()["LATCHKEY_ADDRESS"], "127.0.0.1:5")

    def test_without_an_env_file_the_secrets_are_shown_once(self):
        self.migrate()
        said = self.run_well("bootstrap")
        self.assertRegex(said, f"(?m)^LATCHKEY_OPERATOR_TOKEN='{SECRET}'$")
        self.assertNotIn("LATCHKEY_TOKEN=", said)

    def test_json_holds_the_ids_and_only_without_an_env_file_the_secrets(self):
        self.migrate()
        made = json.loads(self.run_well("bootstrap", "--demo", "--json", "--env-file", self.env_file))
        self.assertEqual(set(made), {"operator", "demo", "env_file"})
        self.assertEqual(set(made["demo"]), {"company_id", "member_id", "token_id"})
        again = json.loads(self.run_well("bootstrap", "--rotate", "--json"))
        self.assertRegex(again["operator"]["secret"], f"^{SECRET}$")
        self.assertEqual(again["operator"]["token_id"], made["operator"]["token_id"])

    def test_the_database_holds_no_secret(self):
        self.migrate()
        self.run_well("bootstrap", "--demo", "--env-file", self.env_file)
        variables = self.read_env()
        dump = str(self.query("SELECT t::text FROM latchkey.token t UNION ALL SELECT s::text FROM latchkey.token_secret s"))
        for name in ("LATCHKEY_TOKEN", "LATCHKEY_OPERATOR_TOKEN"):
            self.assertNotIn(variables[name][4:-4], dump)
            self.assertIn(variables[name][-4:], dump)

    def test_the_tokens_are_an_administrators_and_the_operators(self):
        self.migrate()
        self.run_well("bootstrap", "--demo", "--email", "ops@example.com", "--env-file", self.env_file)
        variables, server = self.read_env(), self.serve()
        administrator = self.caller(server, variables["LATCHKEY_TOKEN"])
        operator = self.caller(server, variables["LATCHKEY_OPERATOR_TOKEN"])
        everything = {name for (name,) in self.query("SELECT name FROM latchkey.permission")}
        operators = {name for (name,) in self.query("SELECT name FROM latchkey.permission WHERE operator_only")}
        self.assertEqual(set(administrator["permissions"]), everything - operators)
        self.assertEqual(set(operator["permissions"]), everything)
        self.assertEqual(operator["email"], "ops@example.com")
        self.assertNotEqual(operator["company_id"], administrator["company_id"])

    def test_a_permission_added_later_to_a_known_resource_is_covered(self):
        self.migrate()
        self.run_well("bootstrap", "--demo", "--env-file", self.env_file)
        self.run_well("migrate", "--drop-permissions", "--permissions-file", self.write("charges.create\ncharges.void\n"))
        caller = self.caller(self.serve(), self.read_env()["LATCHKEY_TOKEN"])
        self.assertIn("charges.void", caller["permissions"])

    # ---- rotation ----

    def test_rotation_gives_new_secrets_and_the_old_ones_are_dead(self):
        self.migrate()
        first_file = self.directory / "first.env"
        self.run_well("bootstrap", "--demo", "--env-file", first_file)
        server = self.serve()
        self.env_file = first_file
        old = self.read_env()
        self.env_file = self.directory / "second.env"
        self.run_well("bootstrap", "--demo", "--rotate", "--env-file", self.env_file)
        new = self.read_env()
        for name in ("LATCHKEY_TOKEN", "LATCHKEY_OPERATOR_TOKEN"):
            self.assertEqual(self.caller(server, old[name]), 3)
            self.assertIn("latchkey.tokens.manage", self.caller(server, new[name])["permissions"])
        self.assertEqual(self.query("SELECT count(*) FROM latchkey.token"), [(2,)])
        self.assertEqual(self.query("SELECT count(*) FROM latchkey.company"), [(2,)])

    def test_rotating_the_operator_leaves_the_demo_alone(self):
        self.migrate()
        self.run_well("bootstrap", "--demo", "--env-file", self.env_file)
        demo = self.read_env()["LATCHKEY_TOKEN"]
        self.run_well("bootstrap", "--rotate")
        self.assertEqual(self.caller(self.serve(), demo)["email"], "administrator@demo.example")

    def test_rotation_replaces_a_token_that_can_not_be_used_any_more(self):
        self.migrate()
        self.run_well("bootstrap", "--env-file", self.directory / "first.env")
        for damage in ("deactivated_at = now()", "suspended = true", "expires_at = now() - interval '1 hour'"):
            with self.subTest(damage):
                self.query(f"UPDATE latchkey.token SET {damage} WHERE deactivated_at IS NULL")
                made = json.loads(self.run_well("bootstrap", "--rotate", "--json"))
                alive = self.query("SELECT count(*), count(*) FILTER (WHERE expires_at IS NULL AND NOT suspended) "
                                   "FROM latchkey.token WHERE deactivated_at IS NULL")
                self.assertEqual(alive, [(1, 1)])
        self.assertIn("latchkey.operate", self.caller(self.serve(), made["operator"]["secret"])["permissions"])

    def test_rotation_brings_a_removed_operator_back(self):
        self.migrate()
        self.run_well("bootstrap", "--env-file", self.env_file)
        self.query("UPDATE latchkey.member SET removed_at = now()")
        made = json.loads(self.run_well("bootstrap", "--rotate", "--json"))
        server = self.serve()
        self.assertIn("latchkey.operate", self.caller(server, made["operator"]["secret"])["permissions"])
        self.assertEqual(self.caller(server, self.read_env()["LATCHKEY_OPERATOR_TOKEN"]), 3)

    def test_rotation_finds_an_administrator_and_gives_back_the_role_by_which_he_operates(self):
        self.migrate()
        first = json.loads(self.run_well("bootstrap", "--json"))["operator"]
        server = self.serve()
        with Client(server.address, first["secret"]) as operator:
            create = lambda email, roles: operator.members.CreateMember(member_pb2.CreateMemberRequest(
                email=email, role_ids=roles), timeout=20).member.member_id
            role_ids = operator.members.GetMember(member_pb2.GetMemberRequest(), timeout=20).member.role_ids
            administrator = next(role.role_id for role in operator.members.ListRoles(
                member_pb2.ListRolesRequest(), timeout=20).roles if role.built_in)
            self.assertEqual(len(role_ids), 2)
            create("employee@example.com", [])
            heir = create("heir@example.com", [administrator])
            operator.members.RemoveMember(member_pb2.RemoveMemberRequest(member_id=first["member_id"]), timeout=20)
        made = json.loads(self.run_well("bootstrap", "--rotate", "--json"))["operator"]
        self.assertEqual(made["member_id"], heir)
        caller = self.caller(server, made["secret"])
        self.assertIn("latchkey.operate", caller["permissions"])
        self.assertEqual(caller["email"], "heir@example.com")

    def test_of_four_at_once_one_makes_the_operator(self):
        self.migrate()
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            codes = list(pool.map(lambda _: self.run_command("bootstrap", "--demo").returncode, range(4)))
        self.assertEqual(sorted(codes), [0, 5, 5, 5])
        self.assertEqual(self.query("SELECT count(*) FROM latchkey.company"), [(2,)])

    def test_another_brand_is_that_of_the_secrets(self):
        self.migrate()
        said = self.run_well("bootstrap", "--brand", "qz")
        self.assertRegex(said, "LATCHKEY_OPERATOR_TOKEN='qza_")


if __name__ == "__main__":
    unittest.main()
