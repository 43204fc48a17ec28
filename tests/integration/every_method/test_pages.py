"""Lists of every kind in pages: what a page token is good for, and that nothing else is."""

import unittest
from contextlib import closing

from latchkey_test import CallCase, Client, Deployment, Server, Stage, contract, missing_requests

LISTS = [method for method in contract.served_methods() if "page_token" in method.request.DESCRIPTOR.fields_by_name]
# List -> the method that makes one more of what it lists, for whoever lists.
MAKERS = {
    "ListAccessTokens": "CreateAccessToken", "ListWhitelistEntries": "AddWhitelistEntries",
    "ListRecentAuthentications": "CreateLoginToken", "ListInvitations": "CreateInvitations",
    "ListMembers": "CreateMember", "ListRoles": "CreateRole", "ListCompanies": "CreateCompany",
    "ListAuditEvents": "CreateAccessToken", "ListPermissions": None,  # there are enough of them
}
BY_NAME = {method.name: method for method in contract.served_methods()}


def items(answer):
    """What tells the items of a page apart: their ids, since fields such as last_used_at change by themselves."""
    (field,) = (field for field in answer.DESCRIPTOR.fields if field.label == field.LABEL_REPEATED)
    return [identity(item) for item in getattr(answer, field.name)]


def identity(item):
    """The value of the first field, or of the first field of that."""
    first = getattr(item, item.DESCRIPTOR.fields[0].name)
    if isinstance(first, str):
        return first
    return identity(first) or item.SerializeToString()


class Pages(CallCase):
    @classmethod
    def setUpClass(cls):
        cls.deployment = Deployment(trusted_proxies="127.0.0.1")
        cls.deployment.__enter__()
        cls.addClassCleanup(cls.deployment.__exit__)
        cls.ours, cls.theirs = Stage(cls.deployment), Stage(cls.deployment)
        for stage in (cls.ours, cls.theirs):
            cls.addClassCleanup(stage.close)
            for method in LISTS:
                for _ in range(5):
                    cls.make(stage, method)

    @staticmethod
    def make(stage, method):
        maker = BY_NAME.get(MAKERS[method.name])
        if maker:
            stage.caller(maker).call(maker, stage.request(maker))

    def each(self):
        """(method, its client, its first page) as subtests."""
        for method in LISTS:
            with self.subTest(method.name):
                client = self.ours.caller(method)
                first = client.call(method, method.request(page_size=2))
                self.assertEqual(len(items(first)), 2)
                self.assertTrue(first.next_page_token)
                yield method, client, first

    def assert_token_refused(self, client, method, **arguments):
        self.assert_bad_fields(lambda: client.call(method, method.request(**arguments)), "page_token")

    def test_every_list_has_a_line_in_the_table(self):
        self.assertEqual([method.name for method in LISTS if method.name not in MAKERS], [])
        self.assertEqual(missing_requests(), [])

    def test_a_token_that_was_changed_anywhere_is_a_bad_field(self):
        for method, client, first in self.each():
            token = first.next_page_token
            for at, character in enumerate(token):
                wrong = token[:at] + ("A" if character != "A" else "B") + token[at + 1:]
                self.assert_token_refused(client, method, page_size=2, page_token=wrong)
            for wrong in (token[:-1], token + "A", token + "=", token[::-1], "AAAA", "0"):
                self.assert_token_refused(client, method, page_size=2, page_token=wrong)

    def test_a_token_of_one_list_is_no_token_of_another(self):
        tokens = {method.name: first.next_page_token for method, _, first in self.each()}
        for method, client, _ in self.each():
            for name, token in tokens.items():
                if name != method.name:
                    self.assert_token_refused(client, method, page_size=2, page_token=token)

    def test_a_token_of_one_company_is_none_of_another(self):
        for method, client, first in self.each():
            if client is self.ours.administrator:
                self.assert_token_refused(self.theirs.administrator, method, page_token=first.next_page_token)

    def test_a_token_goes_with_its_filters_and_with_any_page_size(self):
        for method, client, first in self.each():
            rest = client.call(method, method.request(page_size=1000, page_token=first.next_page_token))
            self.assertTrue(items(rest))
            for field in method.request.DESCRIPTOR.fields:
                if field.type == field.TYPE_STRING and field.name.endswith("_contains"):
                    self.assert_token_refused(client, method, page_token=first.next_page_token, **{field.name: "x"})

    def test_a_token_of_one_replica_is_good_at_the_others_and_after_a_restart(self):
        with Server("latchkeyd", database_url=self.deployment.url, trusted_proxies="127.0.0.1") as replica:
            secrets = {self.ours.administrator: self.ours.secret,
                       self.ours.operator_at_home: self.deployment.secrets["LATCHKEY_OPERATOR_TOKEN"]}
            for method, client, first in self.each():
                with closing(Client(replica.address, secrets[client])) as other:
                    request = method.request(page_size=2, page_token=first.next_page_token)
                    self.assertEqual(items(other.call(method, request)), items(client.call(method, request)))

    def test_what_is_made_between_two_pages_neither_shifts_nor_repeats_what_was_there(self):
        for method, client, _ in self.each():
            there = self.read_all(method, client)
            seen = self.read_all(method, client, between=lambda: self.make(self.ours, method))
            self.assertEqual([item for item in seen if item in set(there)], there)
            self.assertEqual(len(set(seen)), len(seen))

    def read_all(self, method, client, between=lambda: None):
        found, page_token = [], ""
        while True:
            page = client.call(method, method.request(page_size=3, page_token=page_token))
            found += items(page)
            page_token = page.next_page_token
            if not page_token:
                return found
            if len(found) < 20:
                between()

    def test_a_page_has_at_most_what_was_asked_and_the_last_has_no_token(self):
        for method, client, _ in self.each():
            everything = client.call(method, method.request(page_size=1000))
            self.assertFalse(everything.next_page_token)
            self.assertEqual(self.read_all(method, client), items(everything))
            self.assert_bad_fields(lambda m=method, c=client: c.call(m, m.request(page_size=-1)), "page_size")


if __name__ == "__main__":
    unittest.main()
