"""What the tests of WhitelistService share: a deployment whose demo company has an empty list, switched off, before each test,
and callers from any address, told by a trusted proxy."""

import unittest

import grpc

from latchkey_test import Deployment, error_info, field_violations, stubs
from latchkey_test.waiting import wait_until

whitelist_pb2 = stubs.messages("latchkey/v1/whitelist.proto")
token_pb2 = stubs.messages("latchkey/v1/token.proto")

# Where the administrator calls from, unless a test says otherwise.
HOME = "203.0.113.9"
AWAY = "198.51.100.7"

FAILED_PRECONDITION = grpc.StatusCode.FAILED_PRECONDITION
INVALID_ARGUMENT = grpc.StatusCode.INVALID_ARGUMENT


class WhitelistCase(unittest.TestCase):
    settings = {}

    @classmethod
    def setUpClass(cls):
        cls.deployment = Deployment(trusted_proxies="127.0.0.1", **cls.settings)
        cls.deployment.__enter__()
        cls.addClassCleanup(cls.deployment.__exit__)
        cls.client = cls.deployment.administrator()
        cls.addClassCleanup(cls.client.close)

    def setUp(self):
        self.deployment.execute("UPDATE latchkey.whitelist SET enabled = false, scope = 1, previous_list_id = NULL, "
                                "confirm_by = NULL; UPDATE latchkey.whitelist_list l SET state = 'replaced' WHERE NOT EXISTS "
                                "(SELECT FROM latchkey.whitelist w WHERE w.live_list_id = l.list_id); "
                                "DELETE FROM latchkey.whitelist_entry")

    # ---- calls ----

    def call(self, method, request, address=HOME, client=None):
        metadata = [("x-forwarded-for", address)] if address else []
        return getattr((client or self.client).whitelist, method)(request, metadata=metadata, timeout=60)

    def get(self, address=HOME, client=None):
        return self.call("GetWhitelist", whitelist_pb2.GetWhitelistRequest(), address, client).whitelist

    def update(self, mask=None, address=HOME, client=None, etag="", force=False, confirm_within=0, request_id="", **fields):
        request = whitelist_pb2.UpdateWhitelistRequest(whitelist=whitelist_pb2.Whitelist(etag=etag, **fields), force=force,
                                                       request_id=request_id)
        request.update_mask.paths.extend(fields if mask is None else mask)
        if confirm_within:
            request.confirm_within.FromSeconds(confirm_within)
        return self.call("UpdateWhitelist", request, address, client).whitelist

    def add(self, *entries, address=HOME, client=None, **fields):
        """Entries as texts, or as dictionaries of their fields."""
        new = [whitelist_pb2.NewWhitelistEntry(**(entry if isinstance(entry, dict) else {"address": entry}))
               for entry in entries]
        request = whitelist_pb2.AddWhitelistEntriesRequest(entries=new, **fields)
        return self.call("AddWhitelistEntries", request, address, client)

    def change(self, entry_id, mask=None, draft_id="", force=False, request_id="", caller=HOME, client=None, **fields):
        """UpdateWhitelistEntry of the fields given, or of those that the mask names; called from `caller`."""
        request = whitelist_pb2.UpdateWhitelistEntryRequest(
            draft_id=draft_id, force=force, request_id=request_id,
            entry=whitelist_pb2.WhitelistEntry(entry_id=entry_id, **fields))
        request.update_mask.paths.extend([name for name in fields if name != "etag"] if mask is None else mask)
        return self.call("UpdateWhitelistEntry", request, caller, client)

    def remove(self, *entry_ids, address=HOME, client=None, **fields):
        request = whitelist_pb2.RemoveWhitelistEntriesRequest(entry_ids=entry_ids, **fields)
        return self.call("RemoveWhitelistEntries", request, address, client)

    def list_page(self, **fields):
        return self.call("ListWhitelistEntries", whitelist_pb2.ListWhitelistEntriesRequest(**fields))

    def list_cidrs(self, **fields):
        return [entry.cidr for entry in self.list_page(**fields).entries]

    def check(self, client_ip, address=HOME, draft_id=""):
        return self.call("CheckIp", whitelist_pb2.CheckIpRequest(client_ip=client_ip, draft_id=draft_id), address)

    def begin(self, address=HOME, client=None, **fields):
        request = whitelist_pb2.CreateWhitelistDraftRequest(**fields)
        return self.call("CreateWhitelistDraft", request, address, client).draft

    def get_draft(self, draft_id):
        return self.call("GetWhitelistDraft", whitelist_pb2.GetWhitelistDraftRequest(draft_id=draft_id)).draft

    def drafts(self):
        return list(self.call("GetWhitelist", whitelist_pb2.GetWhitelistRequest()).drafts)

    def discard(self, draft_id, client=None, **fields):
        request = whitelist_pb2.DiscardWhitelistDraftRequest(draft_id=draft_id, **fields)
        return self.call("DiscardWhitelistDraft", request, client=client)

    def publish(self, draft_id, confirm_within=0, address=HOME, client=None, **fields):
        request = whitelist_pb2.PublishWhitelistDraftRequest(draft_id=draft_id, **fields)
        if confirm_within:
            request.confirm_within.FromSeconds(confirm_within)
        return self.call("PublishWhitelistDraft", request, address, client).whitelist

    def confirm(self, address=HOME, client=None, **fields):
        return self.call("ConfirmWhitelist", whitelist_pb2.ConfirmWhitelistRequest(**fields), address, client).whitelist

    def pass_confirm_by(self):
        """As if the time to confirm were over."""
        self.deployment.execute("UPDATE latchkey.whitelist SET confirm_by = now() WHERE confirm_by IS NOT NULL")

    def preview(self, address=HOME, client=None, **fields):
        return self.call("PreviewWhitelist", whitelist_pb2.PreviewWhitelistRequest(**fields), address, client)

    def await_value(self, function, value, what, timeout=20):
        """Until function() returns it."""
        wait_until(lambda: function() == value, timeout, what)

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
