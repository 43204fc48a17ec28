"""What the tests of the audit log have in common: a company of its own for each, its events, and the chain as documented."""

import hashlib
import json
import struct

from latchkey_test import CallCase, Deployment, stubs, uuid_of_id

audit_pb2 = stubs.messages("latchkey/v1/audit.proto")
company_pb2 = stubs.messages("latchkey/v1/company.proto")
token_pb2 = stubs.messages("latchkey/v1/token.proto")
whitelist_pb2 = stubs.messages("latchkey/v1/whitelist.proto")

_FORMAT = b"latchkey.audit.1"


class AuditCase(CallCase):
    settings = {}

    @classmethod
    def setUpClass(cls):
        cls.deployment = Deployment(**cls.settings)
        cls.deployment.__enter__()
        cls.addClassCleanup(cls.deployment.__exit__)

    def make_company(self):
        """A new company's id: its log has two events."""
        with self.deployment.operator() as client:
            return client.companies.CreateCompany(company_pb2.CreateCompanyRequest(
                name="Acme", administrator_email="ada@acme.example"), timeout=20).company.company_id

    def make_token(self, client, **fields):
        fields = {"label": "of a test", "company_owned": True, **fields}
        return client.tokens.CreateAccessToken(token_pb2.CreateAccessTokenRequest(**fields), timeout=20)

    def make_events(self, company, count):
        """A company's log grows by so many."""
        with self.deployment.operator(company) as client:
            for number in range(count):
                self.make_token(client, label=f"token {number}")

    def log_in(self, company, member_id, client_ip):
        with self.deployment.operator(company) as client:
            return client.tokens.CreateLoginToken(token_pb2.CreateLoginTokenRequest(
                member_id=member_id, client_ip=client_ip, channel="CHANNEL_UI"), timeout=10)

    def list(self, client, **filters):
        """All events that hold, newest first, over all pages."""
        events, request = [], audit_pb2.ListAuditEventsRequest(**filters)
        while True:
            page = client.audit.ListAuditEvents(request, timeout=20)
            events += page.events
            if not page.next_page_token:
                return events
            request.page_token = page.next_page_token

    def events(self, company, **filters):
        with self.deployment.operator(company) as client:
            return self.list(client, **filters)

    def verify(self, company, **fields):
        with self.deployment.operator(company) as client:
            return client.audit.VerifyAuditLog(audit_pb2.VerifyAuditLogRequest(**fields), timeout=30)

    def rows(self, company):
        """The chain as the database has it, as dictionaries."""
        names = ("number event_id company_id actor_member actor_token actor_operator actor_system action object_id before"
                 " after request_id count person at_us previous_hash hash salt email user_agent client_ip person_before"
                 " person_after").split()
        found = self.deployment.execute(
            "SELECT e.number, e.event_id::text, e.company_id::text, e.actor_member::text, e.actor_token::text,"
            " e.actor_operator::text, e.actor_system, e.action, e.object_id, e.before::text, e.after::text,"
            " e.request_id::text, e.count, e.person, (extract(epoch FROM e.at) * 1000000)::bigint, e.previous_hash, e.hash,"
            " p.salt, p.email, p.user_agent, host(p.client_ip), p.before::text, p.after::text"
            " FROM latchkey.audit_event e LEFT JOIN latchkey.audit_person p USING (company_id, number)"
            f" WHERE e.company_id = '{uuid_of_id(company)}' ORDER BY e.number")
        return [{name: bytes(value) if isinstance(value, memoryview) else value for name, value in zip(names, row)}
                for row in found]

    def tamper(self, *statements):
        """As the database's superuser may: with the triggers that keep the log switched off."""
        tables = ("audit_event", "audit_person")
        off = "".join(f"ALTER TABLE latchkey.{table} DISABLE TRIGGER {table}_kept;" for table in tables)
        on = "".join(f"ALTER TABLE latchkey.{table} ENABLE ALWAYS TRIGGER {table}_kept;" for table in tables)
        self.deployment.execute("BEGIN;" + off + ";".join(statements) + ";" + on + "COMMIT")


def after(event):
    return json.loads(event.after) if event.after else None


def before(event):
    return json.loads(event.before) if event.before else None


# ---- the chain, as common/app/audit_event.h documents it ----

_DIGITS = "0123456789abcdefghjkmnpqrstvwxyz"


def typeid(prefix, text):
    if not text:
        return ""
    number, digits = int(text.replace("-", ""), 16), ""
    for _ in range(26):
        number, digit = number >> 5, number & 31
        digits = _DIGITS[digit] + digits
    return f"{prefix}_{digits}"


def _fields(*fields):
    packed = b""
    for field in fields:
        field = field if isinstance(field, bytes) else (field or "").encode()
        packed += struct.pack(">I", len(field)) + field
    return packed


def person_digest(row):
    return hashlib.sha256(_fields(row["salt"], row["email"], row["user_agent"], row["client_ip"], row["person_before"],
                                  row["person_after"])).digest()


def content_digest(row):
    return hashlib.sha256(_fields(
        _FORMAT, typeid("aud", row["event_id"]), typeid("cmp", row["company_id"]), typeid("mbr", row["actor_member"]),
        typeid("tok", row["actor_token"]), typeid("cmp", row["actor_operator"]), row["actor_system"], row["action"],
        row["object_id"], row["before"], row["after"], row["request_id"], str(row["count"]),
        row["person"].hex() if row["person"] else "")).digest()


def chain_hash(previous, row):
    return hashlib.sha256(previous + struct.pack(">qq", row["number"], row["at_us"]) + content_digest(row)).digest()
