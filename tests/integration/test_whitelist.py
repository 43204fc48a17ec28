"""The whitelist's entries: what is taken, what is refused, how it is listed, what CheckIp says."""

import concurrent.futures
import unittest
import uuid

import grpc

from latchkey_test import error_info, uuid_of_id
from latchkey_test.row_lock import RowLock
from whitelist_case import AWAY, HOME, INVALID_ARGUMENT, WhitelistCase, token_pb2, whitelist_pb2

NO_SUCH_ENTRY = "ent_01h455vb4pex5vsknk084sn02q"
NO_SUCH_DRAFT = "dra_01h455vb4pex5vsknk084sn02q"


class Adding(WhitelistCase):
    def test_what_programs_read_differently_is_refused_and_told_what_to_type(self):
        addresses = {"": "type an address", "10.0.0.1/33": "0 to 32", "::1/129": "0 to 128", "010.0.0.1": "leading zeros",
                     "1.2.3.4/96": "::ffff:1.2.3.0/120", "1.2.3": "all four numbers", "0300.0xA8.257": "type",
                     "1052215181": "type", "1.2.3.4 x": "without spaces", "fe80::1%eth0": "without a zone",
                     "[::1]": "without brackets", "10.0.0.0/255.0.0.0": "one decimal number", "10.0.0.0/": "after the slash",
                     "10.0.0.0/08": "one decimal number", "::ffff:10.0.0.0/8": "IPv4 form", "256.1.1.1": "0 to 255",
                     "1::2::3": "at most once", "example.com": "type an address"}
        bad = self.bad_fields(self.add, *addresses)
        self.assertEqual(list(bad), [f"entries[{i}].address" for i in range(len(addresses))])
        for (address, hint), sentence in zip(addresses.items(), bad.values()):
            self.assertTrue(sentence.startswith("type"), sentence)
            self.assertIn(hint, sentence, address)

    def test_every_bad_field_is_named_and_none_of_the_entries_is_added(self):
        bad = self.bad_fields(self.add, "10.0.0.1", {"address": "10.0.0.300", "note": "n" * 501, "owner": "o" * 101},
                              "10.0.0.2", {"address": "10.0.0.3", "expires_at": {"seconds": 1}},
                              {"address": "10.0.0.4", "expires_at": {"seconds": 1 << 60}})
        self.assertEqual(set(bad), {"entries[1].address", "entries[1].note", "entries[1].owner", "entries[3].expires_at",
                                    "entries[4].expires_at"})
        self.assertEqual(self.get().entry_count, 0)

    def test_of_ten_thousand_bad_entries_the_number_is_told(self):
        error = self.assert_refused(INVALID_ARGUMENT, "INVALID_ARGUMENT", self.add, *["10.0.0.300"] * 10000)
        self.assertIn("entries[0].address", error.details())
        self.assertIn("and 9999 more bad fields", error.details())

    def test_a_call_has_one_to_ten_thousand_entries(self):
        self.assertIn("1 to 10000", self.bad_fields(self.add)["entries"])
        self.assertIn("not 10001", self.bad_fields(self.add, *["10.0.0.1"] * 10001)["entries"])

    def test_the_bits_in_both_places_must_be_the_same(self):
        for bits in (0, 9, 32, 33, 2**32 - 1):
            bad = self.bad_fields(self.add, {"address": "10.0.0.0/8", "checking_bits": bits}, force=True)
            self.assertIn("type", bad["entries[0].address"])
        entry = self.add({"address": "10.0.0.0/8", "checking_bits": 8}).entries[0]
        self.assertEqual(entry.cidr, "10.0.0.0/8")

    def test_bits_of_their_own_are_those_of_the_address(self):
        for bits in (33, 2**32 - 2, 2**32 - 1):
            self.bad_fields(self.add, {"address": "10.0.0.1", "checking_bits": bits})
        entries = self.add({"address": "10.20.30.40", "checking_bits": 12}, {"address": "2001:db8::1", "checking_bits": 32})
        self.assertEqual([entry.cidr for entry in entries.entries], ["10.16.0.0/12", "2001:db8::/32"])

    def test_everybody_is_let_in_only_by_force(self):
        for entry in ("0.0.0.0/0", "::/0", {"address": "1.2.3.4", "checking_bits": 0}):
            self.assertIn("set force", self.bad_fields(self.add, entry)["entries[0].address"])
        added = self.add("0.0.0.0/0", "::/0", {"address": "1.2.3.4", "checking_bits": 0}, force=True)
        self.assertEqual([entry.checking_bits for entry in added.entries], [0, 0, 0])
        self.assertTrue(all(entry.HasField("checking_bits") for entry in added.entries))

    def test_a_draft_that_does_not_exist_is_told(self):
        for function, arguments in ((self.add, ("10.0.0.1",)), (self.remove, (NO_SUCH_ENTRY,)), (self.list_page, ())):
            self.assert_refused(grpc.StatusCode.NOT_FOUND, "DRAFT_NOT_FOUND", function, *arguments, draft_id=NO_SUCH_DRAFT)
            self.assertIn("live list", self.bad_fields(function, *arguments, draft_id="draft")["draft_id"])

    def test_the_address_stays_as_typed_and_the_range_is_canonical(self):
        typed = {"203.0.113.77/24": "203.0.113.0/24", "2001:DB8:0:0::1/32": "2001:db8::/32",
                 "::ffff:192.0.2.1": "192.0.2.1/32", "::FFFF:c000:0201/120": "192.0.2.0/24", "10.1.2.3": "10.1.2.3/32"}
        added = self.add(*typed)
        self.assertEqual([(entry.address, entry.cidr) for entry in added.entries], list(typed.items()))
        listed = self.list_page().entries
        self.assertEqual(list(reversed(listed)), list(added.entries))

    def test_everything_about_an_entry_is_kept(self):
        entry = {"address": "10.0.0.0/8", "note": "Büro ☺", "owner": "ops", "disabled": True,
                 "expires_at": {"seconds": 4102444800, "nanos": 123456789}}
        added = self.add(entry).entries[0]
        self.assertEqual((added.note, added.owner, added.disabled), ("Büro ☺", "ops", True))
        self.assertEqual((added.expires_at.seconds, added.expires_at.nanos), (4102444800, 123000000))
        self.assertTrue(added.entry_id.startswith("ent_") and added.created_by.startswith("mbr_") and added.etag)
        self.assertTrue(added.HasField("created_at") and not added.HasField("last_hit_at"))
        self.assertEqual(self.list_page().entries[0], added)

    def test_adding_does_not_switch_the_list_on(self):
        self.add("10.0.0.1")
        self.assertFalse(self.get().enabled)
        self.assertEqual(self.get().entry_count, 1)

    def test_a_company_can_not_exceed_its_limit(self):
        self.assertEqual(self.get().entry_count, 0)
        self.deployment.execute("UPDATE latchkey.whitelist_list SET entry_count = 1999999 FROM latchkey.company c "
                                "WHERE c.company_id = whitelist_list.company_id AND c.is_demo")
        try:
            error = self.assert_refused(grpc.StatusCode.RESOURCE_EXHAUSTED, "COMPANY_ENTRIES_LIMIT", self.add, "10.0.0.1",
                                        "10.0.0.2")
            self.assertIn("remove some", error.details())
            self.add("10.0.0.1")
        finally:
            self.deployment.execute("UPDATE latchkey.whitelist_list l SET entry_count = (SELECT count(*) "
                                    "FROM latchkey.whitelist_entry e WHERE e.list_id = l.list_id)")

    def test_a_repeated_request_adds_once(self):
        request_id = str(uuid.uuid4())
        first = self.add("10.0.0.0/8", "10.0.0.0/8", request_id=request_id)
        second = self.add("10.0.0.0/8", "10.0.0.0/8", request_id=request_id)
        self.assertEqual((first.entries, first.warnings), (second.entries, second.warnings))
        self.assertEqual(self.get().entry_count, 2)
        self.assert_refused(grpc.StatusCode.ALREADY_EXISTS, "REQUEST_ID_REUSED", self.add, "10.0.0.0/9",
                            request_id=request_id)


class Warnings(WhitelistCase):
    def warn(self, *entries):
        kinds = {1: "duplicate", 2: "inside", 3: "translated"}
        return [(warning.index, kinds[warning.kind], warning.other_cidr, bool(warning.other_entry_id))
                for warning in self.add(*entries).warnings]

    def test_what_is_there_already_and_what_lies_inside_is_told(self):
        present = {entry.cidr: entry.entry_id for entry in self.add("10.0.0.0/8", "10.1.0.0/16", "2001:db8::/32").entries}
        added = self.add("10.1.2.3", "10.2.0.0/16", "10.0.0.0/8", "10.0.0.0/7", "11.0.0.0/8", "2001:db8::/32", "2001:db8::5")
        told = [(warning.index, warning.kind, warning.other_entry_id, warning.other_cidr) for warning in added.warnings]
        self.assertEqual(told, [
            (0, 2, present["10.1.0.0/16"], "10.1.0.0/16"), (1, 2, present["10.0.0.0/8"], "10.0.0.0/8"),
            (2, 1, present["10.0.0.0/8"], "10.0.0.0/8"), (4, 2, "", "10.0.0.0/7"),
            (5, 1, present["2001:db8::/32"], "2001:db8::/32"), (6, 2, present["2001:db8::/32"], "2001:db8::/32")])
        self.assertIn("which is in the list", added.warnings[0].detail)

    def test_the_same_request_counts_too(self):
        self.assertEqual(self.warn("10.0.0.0/8", "10.0.0.9/8", "10.4.0.0/16"),
                         [(1, "duplicate", "10.0.0.0/8", False), (2, "inside", "10.0.0.0/8", False)])

    def test_ipv4_inside_ipv6_is_told_to_be_never_taken_as_ipv4(self):
        self.assertEqual([kind for _, kind, _, _ in self.warn("64:ff9b::192.0.2.1", "2002:c000:201::/48", "2001::/32",
                                                              "::192.0.2.1", "2001:db8::/32")], ["translated"] * 4)
        self.assertFalse(self.check("192.0.2.1").listed)

    def test_at_most_a_thousand_warnings_are_told(self):
        self.assertEqual(len(self.add(*["10.0.0.1"] * 3000).warnings), 1000)


class Removing(WhitelistCase):
    def test_what_is_no_entry_id_is_named(self):
        bad = self.bad_fields(self.remove, "ent_x", NO_SUCH_ENTRY, "tok_01h455vb4pex5vsknk084sn02q")
        self.assertEqual(list(bad), ["entry_ids[0]", "entry_ids[2]"])
        self.assertIn("type an entry's id", bad["entry_ids[0]"])
        self.assertIn("1 to 10000", self.bad_fields(self.remove)["entry_ids"])
        self.bad_fields(self.remove, *[NO_SUCH_ENTRY] * 10001)

    def test_what_is_gone_already_is_no_error(self):
        ids = [entry.entry_id for entry in self.add("10.0.0.1", "10.0.0.2").entries]
        self.assertEqual(self.remove(ids[0], ids[0], NO_SUCH_ENTRY).count, 1)
        self.assertEqual(self.remove(ids[0]).count, 0)
        self.assertTrue(self.remove(ids[0]).revision)
        self.assertEqual([entry.entry_id for entry in self.list_page().entries], [ids[1]])

    def test_ten_thousand_go_at_once(self):
        ids = [entry.entry_id for entry in self.add(*[f"10.0.{i >> 8}.{i & 255}" for i in range(10000)]).entries]
        self.assertEqual(self.remove(*ids).count, 10000)
        self.assertEqual(self.get().entry_count, 0)

    def test_another_company_s_entries_are_not_there(self):
        with self.deployment.operator() as operator:
            entry = self.add("192.0.2.55", client=operator).entries[0]
            self.assertEqual(self.remove(entry.entry_id).count, 0)
            self.assertEqual(self.list_cidrs(), [])
            self.assertFalse(self.check("192.0.2.55").listed)
            self.assertFalse(self.add("192.0.2.55").warnings)
            self.assertEqual(self.remove(entry.entry_id, client=operator).count, 1)

    def test_a_repeated_request_answers_the_same(self):
        entry_id, request_id = self.add("10.0.0.1").entries[0].entry_id, str(uuid.uuid4())
        self.assertEqual(self.remove(entry_id, request_id=request_id).count, 1)
        self.assertEqual(self.remove(entry_id, request_id=request_id).count, 1)


class Listing(WhitelistCase):
    def test_bad_filters_are_all_named(self):
        bad = self.bad_fields(self.list_page, page_size=-1, page_token="?", contains_ip="10.0.0.0/8", within="10.0.0.300",
                              expires_before={"seconds": 1 << 60}, note_contains="n" * 501)
        self.assertEqual(set(bad), {"page_size", "page_token", "contains_ip", "within", "expires_before", "note_contains"})

    def test_pages_give_everything_once_newest_first(self):
        added = [entry.entry_id for entry in self.add(*[f"10.0.0.{i}" for i in range(25)]).entries]
        added += [entry.entry_id for entry in self.add("10.9.9.9").entries]
        seen, token = [], ""
        while True:
            page = self.list_page(page_size=7, page_token=token)
            self.assertLessEqual(len(page.entries), 7)
            seen += [entry.entry_id for entry in page.entries]
            token = page.next_page_token
            if not token:
                break
        self.assertEqual(seen, added[::-1])

    def test_a_page_token_of_another_question_is_refused(self):
        self.add(*[f"10.0.0.{i}" for i in range(3)])
        token = self.list_page(page_size=1).next_page_token
        self.list_page(page_size=2, page_token=token)
        self.assertIn("page_token", self.bad_fields(self.list_page, page_size=1, page_token=token, within="10.0.0.0/8"))

    def test_filters_must_all_hold(self):
        self.add({"address": "10.0.0.0/8", "note": "Head Office"}, {"address": "10.1.0.0/16", "note": "branch office"},
                 {"address": "10.1.255.255", "expires_at": {"seconds": 4000000000}}, "11.0.0.0/8", "10.0.0.0/7",
                 "2001:db8::/32", {"address": "2001:db8:ffff::/48", "expires_at": {"seconds": 4000000100}})
        self.assertEqual(self.list_cidrs(contains_ip="10.1.255.255"),
                         ["10.0.0.0/7", "10.1.255.255/32", "10.1.0.0/16", "10.0.0.0/8"])
        self.assertEqual(self.list_cidrs(contains_ip="::ffff:10.200.0.1"), ["10.0.0.0/7", "10.0.0.0/8"])
        self.assertEqual(self.list_cidrs(within="10.0.0.0/8"), ["10.1.255.255/32", "10.1.0.0/16", "10.0.0.0/8"])
        self.assertEqual(self.list_cidrs(within="2001:db8::/32"), ["2001:db8:ffff::/48", "2001:db8::/32"])
        self.assertEqual(self.list_cidrs(within="0.0.0.0/0", note_contains="OFFICE"), ["10.1.0.0/16", "10.0.0.0/8"])
        self.assertEqual(self.list_cidrs(note_contains="%"), [])
        self.assertEqual(self.list_cidrs(expires_before={"seconds": 4000000050}), ["10.1.255.255/32"])
        self.assertEqual(self.list_cidrs(contains_ip="10.1.2.3", note_contains="branch"), ["10.1.0.0/16"])
        self.assertEqual(self.list_cidrs(contains_ip="192.0.2.1"), [])

    def test_entries_that_have_never_let_anybody_in_can_be_asked_for(self):
        self.add("10.0.0.1", "10.0.0.2")
        self.deployment.execute("INSERT INTO latchkey.whitelist_entry_use (entry_id, company_id, last_hit_at) SELECT entry_id, "
                                "company_id, '2030-01-02' FROM latchkey.whitelist_entry WHERE cidr = '10.0.0.1'")
        self.assertEqual(self.list_cidrs(never_hit=True), ["10.0.0.2/32"])
        self.assertEqual([entry.last_hit_at.seconds for entry in self.list_page().entries], [0, 1893542400])


class CheckingAddresses(WhitelistCase):
    def test_what_is_no_address_is_refused(self):
        for client_ip in ("10.0.0.0/8", "x", "10.0.0.1:80", "010.0.0.1"):
            self.assertIn("type", self.bad_fields(self.check, client_ip)["client_ip"])
        self.assertIn("client_ip", self.bad_fields(self.check, "", address="not an address"))

    def test_the_longest_live_entry_is_named_also_while_the_list_is_off(self):
        self.add("10.0.0.0/8", "10.1.0.0/16", {"address": "10.1.1.0/24", "disabled": True})
        answer = self.check("10.1.1.1")
        self.assertEqual((answer.listed, answer.matched_entry.cidr, answer.enabled), (True, "10.1.0.0/16", False))
        self.assertFalse(answer.HasField("nearest_miss"))

    def test_the_nearest_miss_is_named(self):
        self.assertFalse(self.check("10.0.0.1").HasField("nearest_miss"))
        self.add("10.1.0.0/16", "10.1.128.0/17", "2001:db8::/32")
        answer = self.check("10.0.0.1")
        self.assertEqual((answer.listed, answer.nearest_miss.cidr, answer.nearest_miss_common_bits), (False, "10.1.0.0/16", 15))
        self.add({"address": "10.0.0.0/24", "disabled": True})
        self.assertEqual(self.check("10.0.0.1").nearest_miss.cidr, "10.0.0.0/24")
        self.assertTrue(self.check("10.0.0.1").nearest_miss.disabled)

    def test_an_expired_entry_lets_nobody_in(self):
        self.add({"address": "10.0.0.0/8", "expires_at": {"seconds": 4000000000}})
        self.assertTrue(self.check("10.0.0.1").listed)
        self.deployment.execute("UPDATE latchkey.whitelist_entry SET expires_at = now() - interval '1 second'")
        answer = self.check("10.0.0.1")
        self.assertEqual((answer.listed, answer.nearest_miss.cidr), (False, "10.0.0.0/8"))

    def test_without_an_address_it_is_the_caller_s_own(self):
        self.add(HOME)
        self.assertEqual((self.check("").client_ip, self.check("").listed), (HOME, True))
        self.assertFalse(self.check("", address=AWAY).listed)

    def test_a_mapped_address_is_that_ipv4_address(self):
        self.add("192.0.2.0/24")
        answer = self.check("::ffff:192.0.2.1")
        self.assertEqual((answer.client_ip, answer.listed), ("192.0.2.1", True))


class Permissions(WhitelistCase):
    def make_client(self, *permissions):
        created = self.client.tokens.CreateAccessToken(
            token_pb2.CreateAccessTokenRequest(label="of a test", permissions=permissions), timeout=10)
        return self.deployment.anybody(created.secret)

    def assert_lacks(self, permission, function, *arguments, **fields):
        error = self.assert_refused(grpc.StatusCode.PERMISSION_DENIED, "PERMISSION_MISSING", function, *arguments, **fields)
        self.assertEqual(error_info(error).metadata["permission"], permission)

    def test_who_may_only_read_can_not_change(self):
        with self.make_client("latchkey.whitelist.read") as reader:
            self.call("GetWhitelist", whitelist_pb2.GetWhitelistRequest(), client=reader)
            self.call("CheckIp", whitelist_pb2.CheckIpRequest(client_ip="10.0.0.1"), client=reader)
            self.assert_lacks("latchkey.whitelist.manage", self.add, "10.0.0.1", client=reader)
            self.assert_lacks("latchkey.whitelist.manage", self.remove, NO_SUCH_ENTRY, client=reader)
            self.assert_lacks("latchkey.whitelist.manage", self.update, enabled=True, client=reader)

    def test_who_may_do_something_else_sees_nothing(self):
        with self.make_client("charges.read") as stranger:
            for method in ("GetWhitelist", "ListWhitelistEntries", "CheckIp"):
                request = getattr(whitelist_pb2, method + "Request")()
                self.assert_lacks("latchkey.whitelist.read", self.call, method, request, client=stranger)

    def assert_asked_again(self, change, row):
        """change(client) waits for the row, and is refused where its caller has ended before it is free again."""
        made = self.client.tokens.CreateAccessToken(token_pb2.CreateAccessTokenRequest(
            label="of a test", permissions=["latchkey.whitelist.manage"]), timeout=10)
        with self.deployment.anybody(made.secret) as client, concurrent.futures.ThreadPoolExecutor(1) as threads, \
                RowLock(self.deployment, row) as lock:
            waiting = threads.submit(change, client)
            lock.wait_for_others(1)
            lock.release("UPDATE latchkey.token SET deactivated_at = now(), deactivate_reason = 1 "
                         f"WHERE token_id = '{uuid_of_id(made.access_token.token_id)}'")
            self.assert_refused(grpc.StatusCode.UNAUTHENTICATED, "DEACTIVATED", waiting.result)

    def test_who_ended_while_it_waited_changes_nothing(self):
        entry_id = self.add("10.0.0.1").entries[0].entry_id
        draft_id = self.begin().draft_id
        before = self.get()
        live = "whitelist WHERE company_id = (SELECT company_id FROM latchkey.company WHERE is_demo)"
        draft = f"whitelist_list WHERE list_id = '{uuid_of_id(draft_id)}'"
        for name, row, change in (
                ("settings", live, lambda client: self.update(client=client, scope=2)),
                ("add", live, lambda client: self.add("10.0.0.2", client=client)),
                ("remove", live, lambda client: self.remove(entry_id, client=client)),
                ("change", live, lambda client: self.change(entry_id, client=client, note="x")),
                ("publish", live, lambda client: self.publish(draft_id, client=client)),
                ("add to a draft", draft, lambda client: self.add("10.0.0.2", client=client, draft_id=draft_id)),
                ("discard", draft, lambda client: self.discard(draft_id, client=client))):
            with self.subTest(name):
                self.assert_asked_again(change, row)
        self.assertEqual(self.get(), before)
        self.assertEqual((self.list_cidrs(), self.list_cidrs(draft_id=draft_id)), (["10.0.0.1/32"], ["10.0.0.1/32"]))

    def test_a_permission_is_asked_for_before_the_input_is_judged(self):
        with self.make_client("charges.read") as stranger:
            self.assert_lacks("latchkey.whitelist.manage", self.add, "no address", client=stranger)


if __name__ == "__main__":
    unittest.main()
