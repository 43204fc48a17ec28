"""The database under test: a small migration runner, connections in a role, and rows to work with.

LATCHKEY_TEST_DATABASE_URL names an empty database; its user owns it and is a superuser or has CREATEROLE.
LATCHKEY_SEED repeats a run.
"""

import functools
import hashlib
import os
import pathlib
import random
import time
import uuid

import psycopg2
import psycopg2.extensions
import psycopg2.extras

psycopg2.extras.register_uuid()
psycopg2.extras.register_ipaddress()

URL = os.environ.get("LATCHKEY_TEST_DATABASE_URL", "")
SEED = int(os.environ.get("LATCHKEY_SEED") or random.SystemRandom().randrange(2**32))
SCHEMA_DIRECTORY = pathlib.Path(__file__).parents[3] / "common" / "db" / "schema"
LANES = 65


def connect(role=None, company=None, **overrides):
    """A connection that has become `role`, in a transaction for `company` if one is given."""
    connection = psycopg2.connect(URL, **overrides)
    if role:
        with connection.cursor() as cursor:
            cursor.execute(f"SET ROLE {role}")
        connection.commit()
    if company:
        act_for(connection, company)
    return connection


def act_for(connection, company):
    run(connection, "SELECT set_config('latchkey.company', %s, true)", str(company))


def run(connection, statement, *parameters):
    """Executes one statement and returns its rows, or None if it has none."""
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters or None)
        return cursor.fetchall() if cursor.description else None


def run_value(connection, statement, *parameters):
    return run(connection, statement, *parameters)[0][0]


def run_row(connection, statement, *parameters):
    """The only row of the answer, as a dictionary."""
    with connection.cursor(cursor_factory=psycopg2.extras.RealDictCursor) as cursor:
        cursor.execute(statement, parameters or None)
        (row,) = cursor.fetchall()
        return row


def migrate(connection):
    """What `latchkey migrate` does: every file not yet recorded, each in its transaction, under one lock."""
    applied = 0
    for path in sorted(SCHEMA_DIRECTORY.glob("[0-9]*.sql")):
        text = path.read_text(encoding="utf-8")
        run(connection, "SELECT pg_advisory_xact_lock(7263546)")
        run(connection, "CREATE SCHEMA IF NOT EXISTS latchkey")
        run(connection,
            "CREATE TABLE IF NOT EXISTS latchkey.migration (number integer PRIMARY KEY, name text NOT NULL,"
                        " sha256 bytea NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())")
        number = int(path.name.split("_")[0])
        if not run(connection, "SELECT 1 FROM latchkey.migration WHERE number = %s", number):
            with connection.cursor() as cursor:
                cursor.execute(text)
            run(connection, "INSERT INTO latchkey.migration VALUES (%s, %s, %s)",
                number, path.stem, hashlib.sha256(text.encode()).digest())
            applied += 1
        connection.commit()
    return applied


@functools.cache
def prepare():
    """Once in a run: the schema in the empty database. Every module of cases has this as its setUpModule."""
    print(f"LATCHKEY_SEED={SEED}", flush=True)
    random.seed(SEED)
    connection = connect()
    if run(connection, "SELECT 1 FROM pg_namespace WHERE nspname = 'latchkey'"):
        raise RuntimeError("the database that LATCHKEY_TEST_DATABASE_URL names is not empty")
    migrate(connection)
    connection.close()


def new_id(lane=None):
    """A UUIDv7, in the given lane when it is a company's."""
    version, variant = 0x7 << 76, 0b10 << 62
    bits = int(time.time() * 1000) << 80 | version | random.getrandbits(12) << 64 | variant | random.getrandbits(62)
    if lane is not None:
        bits = bits & ~63 | lane
    return uuid.UUID(int=bits)


class Company:
    """A company made the way the application makes one: list, whitelist, administrator role and member."""

    def __init__(self, lane=None):
        self.id = new_id(lane)
        self.lane = self.id.int & 63
        self.list = new_id()
        self.administrator_role = new_id()
        self.administrator = new_id()
        app = connect("latchkey_app", self.id)
        run(app, "INSERT INTO latchkey.company (company_id, name) VALUES (%s, 'Acme')", self.id)
        run(app, "INSERT INTO latchkey.whitelist_list (list_id, company_id) VALUES (%s, %s)", self.list, self.id)
        run(app, "INSERT INTO latchkey.whitelist (company_id, live_list_id) VALUES (%s, %s)", self.id, self.list)
        run(app, "INSERT INTO latchkey.role (role_id, company_id, name, builtin)"
                 " VALUES (%s, %s, 'Administrator', 'administrator')", self.administrator_role, self.id)
        self.add_member(app, self.administrator, "ada@example.com", self.administrator_role)
        app.commit()
        app.close()

    def add_member(self, app, member, email, *roles):
        run(app, "INSERT INTO latchkey.member (member_id, company_id, email) VALUES (%s, %s, %s)", member, self.id,
            email)
        for role in roles:
            run(app, "INSERT INTO latchkey.member_role VALUES (%s, %s, %s)", self.id, member, role)

    def add_token(self, app, member=None, permissions=(), kind="a"):
        """Makes a token with one secret; returns its id and digest."""
        token, digest = new_id(), hashlib.sha256(random.randbytes(32)).digest()
        run(app,
            "INSERT INTO latchkey.token (token_id, company_id, member_id, kind, channels, permissions, expires_at)"
                 " VALUES (%s, %s, %s, %s, 1, %s, now() + interval '1 day')",
            token, self.id, member, kind, list(permissions))
        run(app,
            "INSERT INTO latchkey.token_secret (digest, token_id, company_id, hint) VALUES (%s, %s, %s, 'lk_a_x9Qz')",
            digest, token, self.id)
        return token, digest

    def add_entries(self, app, cidrs, list_id=None):
        """Inserts entries with one statement; returns their ids."""
        ids = [new_id() for _ in cidrs]
        run(app, "INSERT INTO latchkey.whitelist_entry (entry_id, company_id, list_id, address, cidr)"
                 " SELECT id, %s, %s, host(cidr), cidr FROM unnest(%s::uuid[], %s::cidr[]) AS new (id, cidr)",
            self.id, list_id or self.list, ids, [str(cidr) for cidr in cidrs])
        return ids


def heads(connection):
    """The head of every lane, as a follower's positions."""
    return [head for (head,) in run(connection, "SELECT head FROM latchkey.change_lane ORDER BY lane")]


def changes(connection, lane, after):
    """The log of one lane above a position, as (kind, company, list, set of objects or None) by seq."""
    rows = run(connection, "SELECT seq, kind, company_id, list_id, objects FROM latchkey.change"
                           " WHERE lane = %s AND seq > %s ORDER BY seq", lane, after)
    return {seq: (kind, company, list_id, objects if objects is None else set(objects))
            for seq, kind, company, list_id, objects in rows}
