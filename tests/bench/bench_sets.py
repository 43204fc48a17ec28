"""Validate with a whitelist of 0 to 1 000 000 prefixes: CPU time for each call

A company, with one token, for each size of list; addresses that are in it, 4096 of them in turn. The peer is the company whose
whitelist is off. The database stands still while they are asked.
"""

import random
import uuid
from contextlib import ExitStack, closing
from ipaddress import IPv4Address

import open_loop
from figures import Figure
from latchkey_test import Client, secret_text
from pinned import SERVER_CORE, on_core
from validation import PATH, decision, framed, messages
from world import Migrated

_SIZES = (0, 1, 10, 1000, 50000, 1000000)
_FIRST = int(IPv4Address("10.0.0.0"))
_APART = 16  # a prefix of eight addresses, eight that are in none
_ADDRESSES = 4096
_STREAMS, _SECONDS = 100, 1

_COMPANY = """
INSERT INTO latchkey.company (company_id, name) VALUES (%(company)s, %(name)s);
INSERT INTO latchkey.whitelist_list (list_id, company_id) VALUES (%(company)s, %(company)s);
INSERT INTO latchkey.whitelist (company_id, live_list_id, enabled) VALUES (%(company)s, %(company)s, %(size)s > 0);
INSERT INTO latchkey.whitelist_entry (entry_id, company_id, list_id, address, cidr)
SELECT ('01900000-0000-7000-8000-' || lpad(to_hex(%(first)s + n), 12, '0'))::uuid, %(company)s, %(company)s, '10.0.0.0/29',
       set_masklen(('10.0.0.0'::inet + n * %(apart)s)::cidr, 29)
  FROM generate_series(0, %(size)s - 1) AS n;
INSERT INTO latchkey.token (token_id, company_id, kind, channels, label) VALUES (%(company)s, %(company)s, 'a', 1, %(name)s);
INSERT INTO latchkey.token_secret (digest, token_id, company_id, hint) VALUES (%(digest)s, %(company)s, %(company)s, 'lka_…none');
"""


def run(world):
    sizes = _SIZES[:-1] if world.quick else _SIZES
    migrated = Migrated(world.postgres())
    with closing(migrated.connect()) as connection, connection.cursor() as cursor:
        secrets = {size: _add_company(cursor, size) for size in sizes}
    asked = {size: list(_questions(secret, size)) for size, secret in secrets.items()}
    samples = {size: [] for size in sizes}
    with ExitStack() as stack:
        with on_core(SERVER_CORE):
            server = stack.enter_context(migrated.validator(max_staleness="1h"))
        _check_admits(server, asked)
        bodies = {size: world.file(f"sets.{size}", b"".join(map(framed, questions))) for size, questions in asked.items()}
        stack.enter_context(world.database_at_rest())
        for _ in world.rounds(3 if world.quick else 10):
            for size in sizes:
                samples[size].append(open_loop.cpu_ns_per_call(server, PATH, bodies[size], _STREAMS, _SECONDS))
    return [Figure("sets", f"{size} prefixes", samples[size], samples[0], "none", "CPU-ns/call") for size in sizes[1:]]


def _add_company(cursor, size):
    """Its token's secret."""
    company = uuid.UUID(f"01900000-0000-7000-8000-{size:012x}")
    secret = secret_text.make_secret(random.Random(size), company.bytes[15] & 63)
    cursor.execute(_COMPANY, {"company": str(company), "name": f"{size} prefixes", "size": size, "first": 2 * size, "apart": _APART,
                              "digest": secret_text.digest(secret)})
    return secret


def _questions(secret, size):
    source = random.Random(1)
    for _ in range(_ADDRESSES):
        address = _FIRST + _APART * source.randrange(max(size, 1)) + source.randrange(8)
        yield messages().ValidateRequest(token=secret, client_ip=str(IPv4Address(address)), channel=decision().CHANNEL_API)


def _check_admits(server, asked):
    with Client(server.address) as client:
        for size, questions in asked.items():
            answer = client.validation.Validate(questions[0], timeout=10)
            if answer.decision != decision().DECISION_ALLOW:
                raise RuntimeError(f"the company with {size} prefixes is not admitted: {answer}")
