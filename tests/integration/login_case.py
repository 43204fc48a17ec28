"""What tests about log-ins have in common: a deployment with people in it, and the system that checks their passwords."""

import uuid

from latchkey_test import CallCase, Client, Deployment, stubs, uuid_of_id

token_pb2 = stubs.messages("latchkey/v1/token.proto")
decision_pb2 = stubs.messages("latchkey/v1/decision.proto")

LISTED, UNLISTED = "203.0.113.7", "198.51.100.7"
_DIGITS = "0123456789abcdefghjkmnpqrstvwxyz"


def typeid(prefix, text):
    """The TypeID of a UUID as text."""
    number = uuid.UUID(text).int
    return prefix + "_" + "".join(_DIGITS[number >> 5 * place & 31] for place in reversed(range(26)))


class LoginCase(CallCase):
    """latchkey-token with `checker`, the caller that holds latchkey.logins.create and nothing else."""

    settings = {}

    @classmethod
    def setUpClass(cls):
        cls.deployment = cls.enter(Deployment(server="latchkey-token", **cls.settings))
        cls.administrator = cls.enter(cls.deployment.administrator())
        cls.operator = cls.enter(cls.deployment.operator())
        cls.own = cls.administrator.tokens.GetCaller(token_pb2.GetCallerRequest(), timeout=10).caller
        cls.company, cls.company_uuid = cls.own.company_id, uuid_of_id(cls.own.company_id)
        cls.checker_secret = cls.operator.tokens.CreateAccessToken(token_pb2.CreateAccessTokenRequest(
            label="checks passwords", permissions=["latchkey.logins.create"]), timeout=20).secret
        cls.checker = cls.enter(cls.check_for(cls.company))

    @classmethod
    def check_for(cls, company):
        return Client(cls.deployment.server.address, cls.checker_secret, company)

    @classmethod
    def execute(cls, statement):
        return cls.deployment.execute(statement)

    def new_member(self, email=None, ips=(), company=None, issuer="", subject=""):
        """(id, UUID as text) of a new person."""
        number = str(uuid.uuid4())
        lists = ",".join(f"'{ip}'" for ip in ips)
        self.execute("INSERT INTO latchkey.member (member_id, company_id, email, allowed_ips, issuer, subject) VALUES "
                     f"('{number}', '{company or self.company_uuid}', '{email or number + '@example.com'}', "
                     f"ARRAY[{lists}]::cidr[], '{issuer}', '{subject}')")
        return typeid("mbr", number), number

    def new_company(self):
        """UUID as text; with a whitelist that is off, as CreateCompany makes it."""
        number, list_id = str(uuid.uuid4()), str(uuid.uuid4())
        self.execute(f"INSERT INTO latchkey.company (company_id, name) VALUES ('{number}', 'another'); "
                     f"INSERT INTO latchkey.whitelist_list (list_id, company_id) VALUES ('{list_id}', '{number}'); "
                     f"INSERT INTO latchkey.whitelist (company_id, live_list_id) VALUES ('{number}', '{list_id}')")
        return number

    def log_in(self, client=None, **fields):
        request = token_pb2.CreateLoginTokenRequest(**{"client_ip": LISTED, "user_agent": "test", **fields})
        return (client or self.checker).tokens.CreateLoginToken(request, timeout=20)

    def authentications(self, client=None, **fields):
        """All pages, small ones."""
        rows, page_token = [], ""
        while True:
            request = token_pb2.ListRecentAuthenticationsRequest(page_size=2, page_token=page_token, **fields)
            page = (client or self.administrator).tokens.ListRecentAuthentications(request, timeout=20)
            self.assertLessEqual(len(page.authentications), 2)
            rows += page.authentications
            page_token = page.next_page_token
            if not page_token:
                return rows

    def whitelist(self, *cidrs, enabled=True, scope=1):
        """Makes these the company's entries, and the list what it is said to be, until the test ends."""
        values = ",".join(f"(gen_random_uuid(), w.company_id, w.live_list_id, '{cidr}', '{cidr}'::cidr)"
                          for cidr in (*cidrs, "127.0.0.0/8"))
        self.execute(f"DELETE FROM latchkey.whitelist_entry WHERE company_id = '{self.company_uuid}'")
        self.execute("INSERT INTO latchkey.whitelist_entry (entry_id, company_id, list_id, address, cidr) "
                     f"SELECT new.* FROM latchkey.whitelist w CROSS JOIN LATERAL (VALUES {values}) AS new "
                     f"WHERE w.company_id = '{self.company_uuid}'")
        self.execute(f"UPDATE latchkey.whitelist SET enabled = {enabled}, scope = {scope} "
                     f"WHERE company_id = '{self.company_uuid}'")
        self.addCleanup(self.execute, "UPDATE latchkey.whitelist SET enabled = false, scope = 1 "
                                      f"WHERE company_id = '{self.company_uuid}'")
