"""What the tests of WhitelistService share: a deployment whose demo company has an empty list, switched off, before each test,
and callers from any address, told by a trusted proxy."""

import unittest

import grpc

from latchkey_test import Deployment, error_info, field_violations, stubs

whitelist_pb2 = stubs.messages("latchkey/v1/whitelist.proto")
token_pb2 = stubs.messages("latchkey/v1/token.proto")

# Where the administrator calls from, unless a test says otherwise.
HOME = "203.0.113.9"
AWAY = "198.51.100.7"

FAILED_PRECONDITION = grpc.StatusCode.FAILED_PRECONDITION
INVALID_ARGUMENT = grpc.StatusCode.INVALID_ARGUMENT


class WhitelistCase(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.deployment = Deployment(trusted_proxies="127.0.0.1")
        cls.deployment.__enter__()
        cls.addClassCleanup(cls.deployment.__exit__)
        cls.client = cls.deployment.administrator()
        cls.addClassCleanup(cls.client.close)

    def setUp(self):
        self.deployment.execute("UPDATE latchkey.whitelist SET enabled = false, scope = 1; "
                                "DELETE FROM latchkey.whitelist_entry")

    # ---- calls ----

    def call(self, method, request, address=HOME, client=None):
        metadata = [("x-forwarded-for", address)] if address else []
        return getattr((client or self.client).whitelist, method)(request, metadata=metadata, timeout=60)

    def get(self):
        return self.call("GetWhitelist", whitelist_pb2.GetWhitelistRequest()).whitelist

    def update(self, mask=None, address=HOME, client=None, etag="", force=False, **fields):
        request = whitelist_pb2.UpdateWhitelistRequest(whitelist=whitelist_pb2.Whitelist(etag=etag, **fields), force=force)
        request.update_mask.paths.extend(fields if mask is None else mask)
        return self.call("UpdateWhitelist", request, address, client).whitelist

    def add(self, *entries, client=None, **fields):
        """Entries as texts, or as dictionaries of their fields."""
        new = [whitelist_pb2.NewWhitelistEntry(**(entry if isinstance(entry, dict) else {"address": entry}))
               for entry in entries]
        return self.call("AddWhitelistEntries", whitelist_pb2.AddWhitelistEntriesRequest(entries=new, **fields), client=client)

    def remove(self, *entry_ids, address=HOME, client=None, **fields):
        request = whitelist_pb2.RemoveWhitelistEntriesRequest(entry_ids=entry_ids, **fields)
        return self.call("RemoveWhitelistEntries", request, address, client)

    def list_page(self, **fields):
        return self.call("ListWhitelistEntries", whitelist_pb2.ListWhitelistEntriesRequest(**fields))

    def list_cidrs(self, **fields):
        return [entry.cidr for entry in self.list_page(**fields).entries]

    def check(self, client_ip, address=HOME):
        return self.call("CheckIp", whitelist_pb2.CheckIpRequest(client_ip=client_ip), address)

    # ---- refusals ----

    def assert_refused(self, code, reason, function, *arguments, **fields):
        with self.assertRaises(grpc.RpcError) as caught:
            function(*arguments, **fields)
        error = caught.exception
        self.assertEqual((error.code(), error_info(error).reason), (code, reason), error.details())
        return error

    def bad_fields(self, function, *arguments, **fields):
        """Field -> sentence; the message repeats the first."""
        error = self.assert_refused(INVALID_ARGUMENT, "INVALID_ARGUMENT", function, *arguments, **fields)
        violations = field_violations(error)
        self.assertTrue(error.details().startswith(next(iter(violations))), error.details())
        return violations
