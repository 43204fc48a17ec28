"""Fills a migrated database with tokens, quickly and in one transaction: companies with members who are administrators,
tokens of theirs in turn, and one company, the first, whose whitelist is on and whose secrets are known.

Rows are made by the server (generate_series); only secrets come from here.
"""

import io
import random
import uuid
from dataclasses import dataclass

from psycopg2.extras import execute_values

import country
from latchkey_test import secret_text

COMPANIES = 100
_MEMBERS_EACH = 10
_COUNTRY = "DK"
PERMISSION = "charges.create"

# Ids are UUIDv7 made from a name and a number, so that every statement can say which row it means. The function is one immutable
# expression, for PostgreSQL to put it in place of its call: a number is cast, as joining it to a text would be stable only.
_PREPARE = """
SET LOCAL session_replication_role = replica;  -- no foreign key is checked; the change log is written all the same
CREATE FUNCTION pg_temp.id(name text, number bigint) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$
    SELECT overlay(overlay(overlay(md5(name || number::text) PLACING lpad(to_hex(1764000000000 + number), 12, '0') FROM 1)
                           PLACING '7' FROM 13) PLACING '8' FROM 17)::uuid
$$;
"""
_COMPANIES = """
INSERT INTO latchkey.company (company_id, name) SELECT pg_temp.id('company', n), 'Bench ' || n
  FROM generate_series(0, %(companies)s - 1) AS n;
INSERT INTO latchkey.role (role_id, company_id, name, builtin)
SELECT pg_temp.id('role', n), pg_temp.id('company', n), 'administrator', 'administrator'
  FROM generate_series(0, %(companies)s - 1) AS n;
INSERT INTO latchkey.member (member_id, company_id, email)
SELECT pg_temp.id('member', n), pg_temp.id('company', n %% %(companies)s), 'member' || n || '@example.com'
  FROM generate_series(0, %(members)s - 1) AS n;
INSERT INTO latchkey.member_role (company_id, member_id, role_id)
SELECT pg_temp.id('company', n %% %(companies)s), pg_temp.id('member', n), pg_temp.id('role', n %% %(companies)s)
  FROM generate_series(0, %(members)s - 1) AS n;
INSERT INTO latchkey.whitelist_list (list_id, company_id) SELECT pg_temp.id('list', n), pg_temp.id('company', n)
  FROM generate_series(0, %(companies)s - 1) AS n;
INSERT INTO latchkey.whitelist (company_id, live_list_id, enabled)
SELECT pg_temp.id('company', n), pg_temp.id('list', n), n = 0 FROM generate_series(0, %(companies)s - 1) AS n;
"""
# Some of each: permissions, times, lists of addresses.
_TOKENS = """
INSERT INTO latchkey.token (token_id, company_id, member_id, kind, channels, label, permissions, expires_at, allowed_ips)
SELECT pg_temp.id('token', n), pg_temp.id('company', n %% %(companies)s), pg_temp.id('member', n %% %(members)s), 'a', 1,
       'bench ' || n,
       CASE WHEN n %% 4 < 3 THEN ARRAY['charges.create', 'charges.read', 'customers.read'] ELSE ARRAY['charges.*'] END,
       CASE WHEN n %% 2 = 1 THEN now() + interval '1 year' END,
       CASE WHEN n %% 10 = 7 THEN ARRAY['192.0.2.0/24', '198.51.100.7']::cidr[] ELSE '{}' END
  FROM generate_series(0, %(tokens)s - 1) AS n;
"""
_KNOWN = "CREATE TEMPORARY TABLE known (n bigint, digest bytea, hint text)"
_SECRETS = """
INSERT INTO latchkey.token_secret (digest, token_id, company_id, hint)
SELECT coalesce(known.digest, sha256(('token ' || n)::bytea)), pg_temp.id('token', n), pg_temp.id('company', n %% %(companies)s),
       coalesce(known.hint, 'lka_…none')
  FROM generate_series(0, %(tokens)s - 1) AS n LEFT JOIN known USING (n);
"""
# For a table that is only loaded: nothing enters the log, and no list is asked for.
_BARE = """
ALTER TABLE latchkey.token DISABLE TRIGGER USER;
ALTER TABLE latchkey.token_secret DISABLE TRIGGER USER;
DO $$
DECLARE name regclass;
BEGIN
    FOR name IN SELECT indexrelid FROM pg_index LEFT JOIN pg_constraint ON conindid = indexrelid
                 WHERE indrelid IN ('latchkey.token'::regclass, 'latchkey.token_secret'::regclass) AND conindid IS NULL LOOP
        EXECUTE format('DROP INDEX %s', name);
    END LOOP;
END $$;
"""
_ENTRIES = """
INSERT INTO latchkey.whitelist_entry (entry_id, company_id, list_id, address, cidr)
SELECT pg_temp.id('entry', entry.n), pg_temp.id('company', 0), pg_temp.id('list', 0), entry.cidr, entry.cidr::cidr
  FROM (VALUES %s) AS entry (n, cidr)
"""


@dataclass(frozen=True)
class Dataset:
    """Secrets of tokens that may do PERMISSION from `client_ip` on the API channel."""

    tokens: int
    secrets: list
    client_ip: str
    entries: int


def fill(connection, tokens):
    """`connection` is an autocommitting superuser's."""
    return _fill(connection, tokens, range(0, tokens, COMPANIES))


def fill_for_all(connection, tokens):
    """The same, but the secrets of a tenth of the tokens are known, of all companies, in no order."""
    with connection.cursor() as cursor:
        cursor.execute(_BARE)
    # Not one of those that have lists of addresses of their own.
    numbers = [10 * i + i % 7 for i in range(tokens // 10)]
    random.Random(1).shuffle(numbers)
    return _fill(connection, tokens, numbers)


def _fill(connection, tokens, known):
    numbers = {"companies": COMPANIES, "members": COMPANIES * _MEMBERS_EACH, "tokens": tokens}
    entries = country.prefixes(_COUNTRY, 4) + country.prefixes(_COUNTRY, 6)
    with connection.cursor() as cursor:
        cursor.execute("BEGIN")
        cursor.execute(_PREPARE)
        for statements in (_COMPANIES, _TOKENS):
            cursor.execute(statements, numbers)
        execute_values(cursor, _ENTRIES, [(n, str(entry)) for n, entry in enumerate(entries)], page_size=20000)
        secrets = _make_known(cursor, known)
        cursor.execute(_SECRETS, numbers)
        cursor.execute("COMMIT")
        cursor.execute("VACUUM (ANALYZE)")
    middle = entries[len(entries) // 4]
    return Dataset(tokens, secrets, str(middle.network_address + middle.num_addresses // 2), len(entries))


def _make_known(cursor, numbers):
    cursor.execute("SELECT pg_temp.id('company', n)::text FROM generate_series(0, %s - 1) AS n", (COMPANIES,))
    lanes = [uuid.UUID(company_id).bytes[15] & 63 for (company_id,) in cursor]
    source = random.Random(1)
    secrets = [secret_text.make_secret(source, lanes[n % COMPANIES]) for n in numbers]
    rows = io.StringIO("".join(f"{n}\t\\\\x{secret_text.digest(secret).hex()}\t{secret_text.hint(secret)}\n"
                               for n, secret in zip(numbers, secrets)))
    cursor.execute(_KNOWN)
    cursor.copy_from(rows, "known")
    cursor.execute("ANALYZE known")
    return secrets
