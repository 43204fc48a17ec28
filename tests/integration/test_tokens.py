"""Access tokens: what a new one must be like, how they are listed, how they end. latchkey-token alone, no validator."""

import datetime
import threading
import unittest
import uuid

import grpc

from latchkey_test import Client, error_info, stubs, uuid_of_id
from token_case import API, DAY, DENIED, UI, TokenCase, decision_pb2, seconds_from_now, token_pb2


class Creation(TokenCase):
    # ---- one bad field, and what its sentence says to type instead ----

    def assert_sentence(self, field, words, **fields):
        sentence = self.assert_bad_fields(lambda: self.create(**fields), field)[field]
        for word in words:
            self.assertIn(word, sentence)

    def test_every_bad_field_is_named_at_once(self):
        request = token_pb2.CreateAccessTokenRequest(
            channels=[API, 7], permissions=["charges.craete"], allowed_domains=["*.com"],
            allowed_ips=["10.0.0.1", "10.0.0.1/33"], description="d" * 501, external_id="e" * 256,
            metadata={"": "empty"}, request_id="1")
        request.not_before.FromDatetime(datetime.datetime(2000, 1, 2))
        request.expires_at.FromDatetime(datetime.datetime(2000, 1, 1))
        request.expire_in.seconds = -1
        self.assert_bad_fields(
            lambda: self.client.tokens.CreateAccessToken(request, timeout=10),
            "label", "channels[1]", "permissions[0]", "allowed_domains[0]", "allowed_ips[1]", "allowed_domains",
            "description", "external_id", "metadata", "expire_in", "request_id")

    def test_an_expiry_in_the_past_is_refused(self):
        self.assert_sentence("expires_at", ["future"], expires_at=seconds_from_now(-1))
        self.assert_sentence("expires_at", ["future"], expires_at=datetime.datetime(1, 1, 1))

    def test_a_start_after_the_expiry_is_refused(self):
        later = seconds_from_now(DAY)
        self.assert_sentence("not_before", ["before the token expires"], not_before=later, expires_at=later)
        self.assert_sentence("not_before", ["before the token expires"], not_before=later, expire_in={"seconds": 60})

    def test_a_duration_and_a_time_together_are_refused(self):
        self.assert_sentence("expire_in", ["not both"], expires_at=seconds_from_now(DAY), expire_in={"seconds": DAY})
        for seconds in (0, -DAY, 1001 * 366 * DAY):
            self.assert_sentence("expire_in", ["above 0"], expire_in={"seconds": seconds})

    def test_a_time_that_no_calendar_has_is_refused(self):
        for bad in ({"seconds": 253402300800}, {"seconds": 1, "nanos": 1_000_000_000}, {"seconds": 1, "nanos": -1}):
            self.assert_sentence("not_before", ["year"], not_before=bad)

    def test_an_unknown_permission_names_the_nearest(self):
        self.assert_sentence("permissions[0]", ["charges.craete", "charges.create"], permissions=["charges.craete"])
        self.assert_sentence("permissions[1]", ["charges.*"], permissions=["charges.read", "Charges"])
        self.assert_sentence("permissions[0]", ["nothing.like.*"], permissions=["nothing.like.*"])

    def test_addresses_that_programs_read_in_several_ways_are_refused(self):
        for address, word in (("10.0.0.1/33", "0 to 32"), ("::1/129", "0 to 128"), ("010.0.0.1", "octal"),
                              ("1.2.3.4/96", "96 to 128"), ("::ffff:10.0.0.0/8", "IPv4"), ("10.0.0.0/08", "decimal"),
                              ("10.0.0.0/255.0.0.0", "decimal"), ("10.0.0", "four"), ("0x0a.0.0.1", "hexadecimal"),
                              ("[::1]", "brackets"), ("10.0.0.1:80", "port"), ("fe80::1%eth0", "zone"),
                              ("10.0.0.1 ", "spaces"), ("1:2:3:4:5:6:7", "eight"), ("", "type an address"),
                              ("256.0.0.1", "255"), ("example.com", "digits")):
            with self.subTest(address):
                self.assert_sentence("allowed_ips[0]", [word], allowed_ips=[address])

    def test_domains_that_would_match_anybody_or_nothing_are_refused(self):
        for domain, word in (("*.com", "*.example.com"), ("*.co.uk", "public suffix"), ("*", "*.example.com"),
                             ("https://example.com:8443", "rather than https://"), ("example.com:8443", "port"),
                             ("example.com/path", "path"), ("a@example.com", "@"), ("a..example.com", "empty"),
                             ("a.*.example.com", "first part"), ("10.0.0.1", "address"), ("-a.example.com", "hyphen"),
                             ("xn--a.example.com", "international"), ("", "app.example.com")):
            with self.subTest(domain):
                self.assert_sentence("allowed_domains[0]", [word], channels=[UI], allowed_domains=[domain])

    def test_domains_need_the_channel_that_they_count_on(self):
        self.assert_sentence("allowed_domains", ["CHANNEL_UI"], allowed_domains=["app.example.com"])

    def test_a_nul_in_a_text_does_not_cut_it_short(self):
        with self.assertRaises(grpc.RpcError) as caught:
            self.create(channels=[UI], allowed_domains=["example.com\0.evil.net"])
        self.assertIn(caught.exception.code(), (grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.INTERNAL))

    def test_labels_have_1_to_100_characters_of_any_script(self):
        self.assert_sentence("label", ["1 to 100"], label="")
        self.assert_sentence("label", ["1 to 100"], label="ä" * 101)
        self.assertEqual(self.create(label="ä" * 100).access_token.label, "ä" * 100)

    def test_lists_and_pairs_have_limits(self):
        self.assert_sentence("permissions", ["256", "257"], permissions=["charges.read"] * 257)
        self.assert_sentence("allowed_ips", ["10000", "10001"], allowed_ips=["10.0.0.1"] * 10001)
        self.assert_sentence("allowed_domains", ["1000", "1001"], channels=[UI], allowed_domains=["example.com"] * 1001)
        self.assert_sentence("metadata", ["16 pairs"], metadata={str(i): "" for i in range(17)})
        self.assert_sentence("metadata", ["1024 bytes"], metadata={"a": "b" * 1024})
        self.assert_sentence("metadata", ["1 to 64"], metadata={"k" * 65: ""})

    # ---- never more than its maker ----

    def test_a_token_never_has_a_permission_that_its_maker_lacks(self):
        maker = self.create(permissions=["latchkey.tokens.manage", "charges.read"])
        with self.caller_of(maker.secret) as client:
            self.create(client, permissions=["charges.read"])
            for permissions in (["charges.create"], ["charges.*"], ["charges.read", "refunds.create"]):
                error = self.assert_refused(DENIED, "GRANT_EXCEEDS_CALLER",
                                            lambda p=permissions: self.create(client, permissions=p))
                self.assertIn(permissions[-1], error_info(error).metadata["permissions"])

    def test_nobody_but_an_operator_grants_what_only_operators_may_do(self):
        self.assert_refused(DENIED, "GRANT_EXCEEDS_CALLER", lambda: self.create(permissions=["latchkey.operate"]))
        with self.deployment.operator() as client:
            self.create(client, permissions=["latchkey.operate"])

    def test_a_token_never_comes_from_where_its_maker_may_not(self):
        maker = self.create(permissions=["latchkey.tokens.manage"], allowed_ips=["127.0.0.0/8", "2001:db8::/32"])
        with self.caller_of(maker.secret) as client:
            self.create(client, allowed_ips=["127.1.0.0/16", "2001:db8:1::/48"])
            for ips in (["126.0.0.0/7"], ["10.0.0.1"], ["127.0.0.1", "2001:db9::"], []):
                self.assert_refused(DENIED, "GRANT_EXCEEDS_CALLER", lambda i=ips: self.create(client, allowed_ips=i))

    def test_a_token_never_appears_on_domains_that_its_maker_may_not(self):
        maker = self.create(channels=[API, UI], permissions=["latchkey.tokens.manage"],
                            allowed_domains=["*.example.com", "example.org"])
        with self.caller_of(maker.secret) as client:
            self.create(client, channels=[UI], allowed_domains=["a.b.example.com", "*.b.example.com", "EXAMPLE.org"])
            self.create(client)  # the list counts on the UI alone
            for domains in (["example.com"], ["badexample.com"], ["*.example.org"], []):
                self.assert_refused(DENIED, "GRANT_EXCEEDS_CALLER",
                                    lambda d=domains: self.create(client, channels=[UI], allowed_domains=d))

    def test_a_token_never_outlives_its_maker(self):
        end = seconds_from_now(DAY)
        maker = self.create(permissions=["latchkey.tokens.manage"], expires_at=end)
        with self.caller_of(maker.secret) as client:
            self.create(client, expires_at=end)
            for fields in ({}, {"expires_at": end + datetime.timedelta(seconds=1)}):
                self.assert_refused(DENIED, "GRANT_EXCEEDS_CALLER", lambda f=fields: self.create(client, **f))

    def test_who_may_not_make_tokens_makes_none(self):
        reader = self.create(permissions=["latchkey.tokens.read"])
        with self.caller_of(reader.secret) as client:
            self.assert_refused(DENIED, "PERMISSION_MISSING", lambda: self.create(client))
            # Who may call at all is decided before what is asked.
            self.assert_refused(DENIED, "PERMISSION_MISSING", lambda: self.create(client, label="", request_id="x"))

    def test_a_maker_that_ended_or_was_narrowed_while_it_waited_makes_nothing(self):
        for change, code, reason in (
                ("deactivated_at = now(), deactivate_reason = 1", grpc.StatusCode.UNAUTHENTICATED, "DEACTIVATED"),
                ("permissions = '{charges.create}'", DENIED, "PERMISSION_MISSING"),
                ("permissions = '{latchkey.tokens.manage}'", DENIED, "GRANT_EXCEEDS_CALLER"),
                ("allowed_ips = '{127.0.0.1}'", DENIED, "GRANT_EXCEEDS_CALLER")):
            with self.subTest(change):
                self.assert_refused(code, reason, lambda c=change: self.make_behind_a_lock(lambda client: self.create(
                    client, label="of who waited", permissions=["charges.create"], company_owned=True), c))
        self.assertEqual(list(self.list(label_contains="of who waited").access_tokens), [])

    # ---- what is made ----

    def test_what_was_asked_for_is_kept_in_its_canonical_form(self):
        end = seconds_from_now(DAY).replace(microsecond=123000)
        made = self.create(
            label="Größe 1", channels=[UI, API, UI], permissions=["charges.*", "customers.read"], expires_at=end,
            allowed_domains=["*.Example.COM.", "bücher.example"],
            allowed_ips=["10.1.2.3/8", "2001:DB8::0001", "::ffff:192.0.2.1"], external_id="crm-7",
            description="For tests.", metadata={"team": "billing"})
        token = made.access_token
        self.assertRegex(token.token_id, "^tok_[0-9a-z]{26}$")
        self.assertEqual(list(token.channels), [API, UI])
        self.assertEqual(list(token.permissions), ["charges.*", "customers.read"])
        self.assertEqual(token.expires_at.ToDatetime(), end.replace(tzinfo=None))
        self.assertEqual(list(token.allowed_domains), ["*.example.com", "xn--bcher-kva.example"])
        self.assertEqual(list(token.allowed_ips), ["10.0.0.0/8", "2001:db8::1/128", "192.0.2.1/32"])
        self.assertEqual((token.label, token.external_id, token.description, dict(token.metadata)),
                         ("Größe 1", "crm-7", "For tests.", {"team": "billing"}))
        self.assertEqual(token.state, token_pb2.TOKEN_STATE_ACTIVE)
        self.assertTrue(token.created_by.startswith("mbr_") and token.etag and made.revision)
        self.assertEqual(self.get(token.token_id), token)

    def test_a_secret_is_shown_once_and_told_apart_by_its_ends(self):
        made = self.create()
        self.assertRegex(made.secret, "^lka_[0-9A-Za-z]{51}$")
        (secret,) = made.access_token.secrets
        self.assertTrue(made.secret.startswith(secret.hint[:4]) and made.secret.endswith(secret.hint[-4:]))
        self.assertNotIn(made.secret, str(self.get(made.access_token.token_id)))

    def test_the_companys_own_token_has_no_member(self):
        made = self.create(company_owned=True, permissions=["latchkey.tokens.manage"])
        self.assertEqual(made.access_token.member_id, "")
        with self.caller_of(made.secret) as client:
            sentence = self.assert_bad_fields(lambda: self.create(client), "company_owned")["company_owned"]
            self.assertIn("type true", sentence)
            child = self.create(client, company_owned=True).access_token
        self.assertEqual(child.created_by, made.access_token.token_id)

    def test_an_external_id_is_unique_in_its_company(self):
        self.create(external_id="once")
        self.assert_refused(grpc.StatusCode.ALREADY_EXISTS, "EXTERNAL_ID_IN_USE",
                            lambda: self.create(external_id="once"))

    def test_a_token_that_starts_later_says_so(self):
        token = self.create(not_before=seconds_from_now(DAY), expire_in={"seconds": 2 * DAY}).access_token
        self.assertEqual(token.state, token_pb2.TOKEN_STATE_NOT_YET_VALID)

    def test_without_a_validator_there_is_nothing_to_wait_for(self):
        answer = self.create(wait_for_validators={"seconds": 10}).validators
        self.assertEqual((answer.live, answer.confirmed, answer.all_confirmed, list(answer.lagging)), (0, 0, True, []))
        self.assertFalse(self.create().HasField("validators"))


class Repetitions(TokenCase):
    def test_the_same_request_makes_one_token_and_shows_its_secret_once(self):
        request_id = str(uuid.uuid4())
        first = self.create(request_id=request_id)
        second = self.create(request_id=request_id.upper())
        self.assertEqual(second.access_token, first.access_token)
        self.assertTrue(first.secret and not first.secret_withheld)
        self.assertTrue(second.secret_withheld and not second.secret and second.revision)

    def test_other_content_under_the_same_id_is_refused(self):
        request_id = str(uuid.uuid4())
        self.create(request_id=request_id)
        self.assert_refused(grpc.StatusCode.ALREADY_EXISTS, "REQUEST_ID_REUSED",
                            lambda: self.create(request_id=request_id, label="another"))

    def test_another_method_may_use_the_same_id(self):
        request_id = str(uuid.uuid4())
        made = self.create(request_id=request_id)
        self.deactivate(made.access_token.token_id, request_id=request_id)

    def test_twins_at_the_same_time_make_one_token(self):
        request_id, answers = str(uuid.uuid4()), []
        start = threading.Barrier(12)

        def call():
            with self.deployment.administrator() as client:
                start.wait()
                answers.append(self.create(client, request_id=request_id))

        threads = [threading.Thread(target=call) for _ in range(12)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(len(answers), 12)
        self.assertEqual(len({answer.access_token.token_id for answer in answers}), 1)
        self.assertEqual(len([answer for answer in answers if answer.secret]), 1)

    def test_a_repeated_end_is_the_first_one_again(self):
        token_id, request_id = self.create().access_token.token_id, str(uuid.uuid4())
        first = self.deactivate(token_id, request_id=request_id, note="lost")
        second = self.deactivate(token_id, request_id=request_id, note="lost")
        self.assertEqual(first.access_token, second.access_token)


class Lists(TokenCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        case = cls()
        later = {"not_before": seconds_from_now(DAY)}
        cls.made = [case.create(label=f"Lot {number:02}", permissions=grants, **fields).access_token
                    for number, (grants, fields) in enumerate([
                        (["charges.create"], {}), (["charges.*"], {}), (["refunds.create"], {"external_id": "lot-2"}),
                        (["charges.read"], {"expire_in": {"seconds": DAY}}), ([], later),
                        ([], {"company_owned": True}), ([], {})])]
        case.deactivate(cls.made[6].token_id)
        # What has expired can only be made to have: no clock of the server's moves for a test.
        cls.deployment.execute("UPDATE latchkey.token SET expires_at = now() - interval '1 s' "
                               f"WHERE token_id = '{uuid_of_id(cls.made[3].token_id)}'")

    def ids(self, *numbers):
        return [self.made[number].token_id for number in numbers]

    def test_the_newest_come_first_on_pages_of_the_size_asked_for(self):
        self.assertEqual(self.list_ids(label_contains="lot "), self.ids(6, 5, 4, 3, 2, 1, 0))

    def test_each_filter_picks_what_it_says(self):
        member = self.made[0].member_id
        for numbers, fields in (
                ([1, 0], {"permission": "charges.create"}), ([3, 1], {"permission": "charges.read"}),
                ([2], {"external_id": "lot-2"}), ([], {"external_id": "LOT-2"}), ([5], {"label_contains": "OT 05"}),
                ([6, 4, 3, 2, 1, 0], {"member_id": member}), ([], {"label_contains": "%"}),
                ([6], {"state": token_pb2.TOKEN_STATE_DEACTIVATED}), ([3], {"state": token_pb2.TOKEN_STATE_EXPIRED}),
                ([4], {"state": token_pb2.TOKEN_STATE_NOT_YET_VALID}), ([], {"state": token_pb2.TOKEN_STATE_SUSPENDED}),
                ([5, 2, 1, 0], {"state": token_pb2.TOKEN_STATE_ACTIVE}),
                ([1], {"permission": "charges.create", "label_contains": "01"})):
            with self.subTest(fields):
                self.assertEqual(self.list_ids(**{"label_contains": "lot", **fields}), self.ids(*numbers))

    def test_times_filter_too(self):
        soon = token_pb2.ListAccessTokensRequest(label_contains="lot")
        soon.expires_before.FromDatetime(seconds_from_now(DAY).replace(tzinfo=None))
        answer = self.client.tokens.ListAccessTokens(soon, timeout=10)
        self.assertEqual([token.token_id for token in answer.access_tokens], self.ids(3))
        unused = token_pb2.ListAccessTokensRequest(label_contains="lot")
        unused.unused_since.FromDatetime(seconds_from_now(-DAY).replace(tzinfo=None))
        self.assertEqual(len(self.client.tokens.ListAccessTokens(unused, timeout=10).access_tokens), 0)

    def test_bad_filters_are_named_at_once(self):
        self.assert_bad_fields(
            lambda: self.list(page_size=-1, state=99, member_id="tok_x", permission="charges.*", page_token="?",
                              label_contains="l" * 101, external_id="e" * 256),
            "page_size", "state", "member_id", "permission", "page_token", "label_contains", "external_id")

    def test_a_page_token_belongs_to_its_question(self):
        page = self.list(page_size=2, label_contains="lot")
        self.assertEqual(len(page.access_tokens), 2)
        for bad in (page.next_page_token[:-2], page.next_page_token + "AA", "x"):
            self.assert_bad_fields(lambda b=bad: self.list(label_contains="lot", page_token=b), "page_token")
        self.assert_bad_fields(lambda: self.list(label_contains="other", page_token=page.next_page_token), "page_token")
        more = self.list(page_size=1000, label_contains="lot", page_token=page.next_page_token)
        self.assertEqual([token.token_id for token in more.access_tokens], self.ids(4, 3, 2, 1, 0))

    def test_a_size_beyond_the_largest_is_the_largest(self):
        self.assertFalse(self.list(page_size=2**31 - 1).next_page_token)

    def test_permissions_are_listed_by_name(self):
        names, page_token = [], ""
        while True:
            page = self.client.tokens.ListPermissions(
                token_pb2.ListPermissionsRequest(page_size=7, page_token=page_token), timeout=10)
            names += [permission.name for permission in page.permissions]
            page_token = page.next_page_token
            if not page_token:
                break
        self.assertEqual(names, sorted(names))
        for name in ("charges.create", "customers.read", "latchkey.operate", "latchkey.tokens.manage"):
            self.assertEqual(names.count(name), 1)
        self.assert_bad_fields(lambda: self.client.tokens.ListPermissions(
            token_pb2.ListPermissionsRequest(page_size=-1, page_token="x"), timeout=10), "page_size", "page_token")


class Ends(TokenCase):
    def test_a_token_ends_once_and_keeps_its_first_reason(self):
        token_id = self.create().access_token.token_id
        first = self.deactivate(token_id, reason=token_pb2.DEACTIVATE_REASON_LEAKED, note="in a public repository")
        self.assertEqual(first.access_token.state, token_pb2.TOKEN_STATE_DEACTIVATED)
        self.assertEqual(first.access_token.deactivate_reason, token_pb2.DEACTIVATE_REASON_LEAKED)
        again = self.deactivate(token_id, reason=token_pb2.DEACTIVATE_REASON_UNUSED, note="other")
        self.assertEqual(again.access_token, first.access_token)
        self.assertEqual(self.get(token_id), first.access_token)
        self.assertTrue(first.revision and again.revision)

    def test_no_reason_is_stored_as_other(self):
        token = self.deactivate(self.create().access_token.token_id).access_token
        self.assertEqual(token.deactivate_reason, token_pb2.DEACTIVATE_REASON_OTHER)

    def test_bad_fields_are_named_at_once(self):
        self.assert_bad_fields(lambda: self.deactivate("mbr_x", reason=77, note="n" * 501, request_id="x"),
                               "token_id", "reason", "note", "request_id")
        self.assert_bad_fields(lambda: self.get("tok_0"), "token_id")

    def test_a_token_of_another_company_is_not_found(self):
        with self.deployment.operator() as client:
            other = self.create(client).access_token
        absent = "tok_00000000000000000000000000"
        for token_id in (other.token_id, absent):
            errors = [self.assert_refused(grpc.StatusCode.NOT_FOUND, "TOKEN_NOT_FOUND", call) for call in (
                lambda t=token_id: self.get(t), lambda t=token_id: self.deactivate(t))]
            for error in errors:
                self.assertNotIn("Operator", error.details())
        self.assertNotIn(other.token_id, self.list_ids())
        with self.deployment.operator() as client:
            self.assertEqual(self.get(other.token_id, client), other)

    def test_a_token_may_see_and_end_itself_and_no_other(self):
        made, other = self.create(), self.create()
        with self.caller_of(made.secret) as client:
            self.assertEqual(self.get(made.access_token.token_id, client), made.access_token)
            for call in (self.get, self.deactivate):
                self.assert_refused(DENIED, "PERMISSION_MISSING", lambda c=call: c(other.access_token.token_id, client))
            self.deactivate(made.access_token.token_id, client)
            self.assert_refused(grpc.StatusCode.UNAUTHENTICATED, "DEACTIVATED",
                                lambda: self.get(made.access_token.token_id, client))

    def test_without_a_validator_an_end_is_confirmed_at_once(self):
        answer = self.deactivate(self.create().access_token.token_id, wait_for_validators={"seconds": 30}).validators
        self.assertEqual((answer.live, answer.confirmed, answer.all_confirmed), (0, 0, True))

    def test_a_wait_for_validators_outside_its_range_is_refused_and_not_cut(self):
        for bad in ({"seconds": -1}, {"nanos": -1_000_000}, {"nanos": -1}, {"seconds": 50, "nanos": 1_000_000},
                    {"seconds": 3600}, {"seconds": 1 << 62}, {"seconds": 1, "nanos": -1}, {"nanos": 2_000_000_000}):
            with self.subTest(bad):
                named = self.assert_bad_fields(lambda b=bad: self.create(label="waits", wait_for_validators=b), "wait_for_validators")
                self.assertIn("from 0 to 50s", named["wait_for_validators"])
        self.assertEqual(self.list_ids(label_contains="waits"), [])
        self.create(wait_for_validators={"seconds": 50})


class Caller(TokenCase):
    def test_a_caller_is_told_who_it_is_and_what_it_may_do(self):
        made = self.create(label="Who am I", permissions=["charges.*"], expire_in={"seconds": DAY})
        with self.caller_of(made.secret) as client:
            caller = client.tokens.GetCaller(token_pb2.GetCallerRequest(), timeout=10).caller
        token = made.access_token
        self.assertEqual((caller.token_id, caller.company_id, caller.member_id, caller.label),
                         (token.token_id, token.company_id, token.member_id, "Who am I"))
        self.assertEqual(list(caller.permissions), ["charges.create", "charges.read"])
        self.assertEqual((caller.kind, caller.client_ip), (decision_pb2.TOKEN_KIND_ACCESS, "127.0.0.1"))
        self.assertEqual(caller.expires_at, token.expires_at)
        self.assertTrue(caller.company_name and caller.email and not caller.acting_for_company)


class Silence(TokenCase):
    def test_no_secret_is_in_a_log_a_metric_an_error_or_the_database(self):
        made = self.create(label="kept quiet")
        ended = self.create()
        self.deactivate(ended.access_token.token_id)
        errors = []
        for secret in (ended.secret, made.secret[:-1] + ("0" if made.secret[-1] != "0" else "1"), made.secret + "0"):
            with self.caller_of(secret) as client, self.assertRaises(grpc.RpcError) as caught:
                self.list_with(client)
            errors.append(str(caught.exception) + str(caught.exception.trailing_metadata()))
        with self.caller_of(made.secret) as client:
            client.tokens.GetCaller(token_pb2.GetCallerRequest(), timeout=10)
        dump = self.deployment.execute("SELECT string_agg(t::text, ' ') FROM latchkey.token t")[0][0]
        dump += self.deployment.execute("SELECT string_agg(e::text, ' ') FROM latchkey.audit_event e")[0][0] or ""
        places = {"log": self.deployment.server.log(), "metrics": self.deployment.server.admin("/metrics")[1],
                  "errors": " ".join(errors), "database": dump}
        for place, text in places.items():
            self.assertTrue(text, place)
            for secret in (made.secret, ended.secret, self.deployment.secrets["LATCHKEY_TOKEN"]):
                # Neither whole nor the part that nobody can guess.
                self.assertNotIn(secret[6:49], text, place)

    def list_with(self, client):
        return client.tokens.ListAccessTokens(token_pb2.ListAccessTokensRequest(), timeout=10)


if __name__ == "__main__":
    unittest.main()
