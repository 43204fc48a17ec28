"""Bad and odd input of access tokens: domains from tests/vectors, texts of every kind, times that are none, lists of every
length. What is good comes back unchanged."""

import re
import unittest

import grpc

from latchkey_test import field_violations
from latchkey_test.vectors import read_vectors
from token_case import ABSENT, API, DAY, UI, TokenCase, token_pb2

INVALID = grpc.StatusCode.INVALID_ARGUMENT
NAMED = 20  # bad fields that an answer has room for

# What breaks out of SQL, JSON, HTML, shells, logs and terminals, if anything lets it.
INJECTIONS = [
    "'; DROP TABLE latchkey.token; --", "' OR '1'='1", "\" OR \"\"=\"", "\\'; SELECT pg_sleep(10); --", "$1", "$$", "%s%n%x",
    "{\"a\":1}", "\\u0000", "\\x00", "<script>alert(1)</script>", "&lt;", "$(reboot)", "`reboot`", "../../etc/passwd",
    "a\nb\r\nlevel=error", "\x1b[31mred\x1b[0m", "\x7f", "\u202eabc", "\u200b", "\ufeffx", "ﷺ", "👩‍👩‍👧‍👦", "Ω≈ç√", "NULL", "{}", "{\"", "a,b",
    "\t", " leading and trailing ", "latchkey.operate", "lka_" + "0" * 51]


def is_stored(expected):
    return not re.fullmatch("[A-Z_]+", expected)


class Domains(TokenCase):
    def test_what_is_good_is_stored_in_its_canonical_form(self):
        good = [(expected, typed) for expected, typed in read_vectors("domain_patterns.txt") if is_stored(expected)]
        self.assertGreaterEqual(len(good), 50)
        token = self.create(channels=[UI], allowed_domains=[typed for _, typed in good]).access_token
        self.assertEqual(list(token.allowed_domains), [expected for expected, _ in good])
        changed = self.update(token.token_id, "label", label="other")
        self.assertEqual(list(changed.allowed_domains), list(token.allowed_domains))

    def test_what_is_bad_is_refused_with_the_sentence_of_its_reason_on_creation_and_update(self):
        bad = [(expected, typed) for expected, typed in read_vectors("domain_patterns.txt") if not is_stored(expected)]
        self.assertGreaterEqual(len(bad), 150)
        token_id = self.create(channels=[UI]).access_token.token_id
        sentences = {}
        for begin in range(0, len(bad), NAMED):
            part = bad[begin:begin + NAMED]
            domains = [typed for _, typed in part]
            named = self.violations(lambda d=domains: self.create(channels=[UI], allowed_domains=d))
            again = self.violations(lambda d=domains: self.update(token_id, "allowed_domains", allowed_domains=d))
            for index, (expected, typed) in enumerate(part):
                sentence = named[f"allowed_domains[{index}]"]
                self.assertEqual(sentence, again[f"access_token.allowed_domains[{index}]"])
                self.assertTrue(sentence.startswith("type "), typed)
                self.assertEqual(sentences.setdefault(expected, sentence), sentence, typed)
        self.assertEqual(len(set(sentences.values())), len(sentences))

    def violations(self, call):
        return field_violations(self.assert_refused(INVALID, "INVALID_ARGUMENT", call))


class Texts(TokenCase):
    def test_whatever_a_text_holds_comes_back_unchanged(self):
        for number, text in enumerate(INJECTIONS):
            with self.subTest(text):
                fields = {"label": text, "description": text, "external_id": f"{text}{number}", "metadata": {text: text}}
                token = self.create(**fields).access_token
                changed = self.update(token.token_id, "label", "description", "metadata", label=text + "!",
                                      description=text * 2, metadata={text: "", "k": text})
                read = self.get(token.token_id)
                self.assertEqual(read, changed)
                self.assertEqual((token.label, token.description, token.external_id, dict(token.metadata)),
                                 (text, text, f"{text}{number}", {text: text}))
                self.assertEqual((read.label, read.description, dict(read.metadata)),
                                 (text + "!", text * 2, {text: "", "k": text}))
                self.assertEqual(self.list_ids(external_id=f"{text}{number}"), [token.token_id])
                self.assertIn(token.token_id, self.list_ids(label_contains=text))
                ended = self.deactivate(token.token_id, note=text).access_token
                self.assertEqual(ended.deactivate_note, text)
        self.assertGreater(len(self.list_ids()), len(INJECTIONS))

    def test_texts_are_measured_in_characters_of_any_width(self):
        for text in ("a", "ä", "漢", "😀"):
            token = self.create(label=text * 100, description=text * 500, external_id=text * 255).access_token
            self.assertEqual((token.label, token.description, token.external_id), (text * 100, text * 500, text * 255))
            self.assert_bad_fields(lambda t=text: self.create(label=t * 101, description=t * 501, external_id=t * 256),
                                   "label", "description", "external_id")
            self.deactivate(token.token_id)

    def test_metadata_has_16_pairs_of_1024_bytes_together_and_keys_of_1_to_64_characters(self):
        for metadata in ({str(number): "" for number in range(16)}, {"k" * 64: "v" * 960}, {"ä" * 64: ""}, {}):
            token = self.create(metadata=metadata).access_token
            self.assertEqual(dict(token.metadata), metadata)
            self.assertEqual(dict(self.update(token.token_id, "metadata", metadata=metadata).metadata), metadata)
        for metadata in ({str(number): "" for number in range(17)}, {"k" * 65: ""}, {"": ""}, {"k": "v" * 1024}, {"k": "ä" * 512}):
            self.assert_bad_fields(lambda m=metadata: self.create(metadata=m), "metadata")

    def test_a_nul_is_refused_wherever_it_stands(self):
        token_id = self.create().access_token.token_id
        for fields in ({"label": "a\0b"}, {"label": "l", "description": "\0"}, {"label": "l", "external_id": "\0"},
                       {"label": "l", "metadata": {"a\0": ""}}, {"label": "l", "metadata": {"a": "\0"}},
                       {"label": "l", "permissions": ["charges.read\0"]}, {"label": "l", "allowed_ips": ["10.0.0.1\0"]}):
            with self.subTest(fields), self.assertRaises(grpc.RpcError) as caught:
                self.create(**fields)
            self.assertIn(caught.exception.code(), (INVALID, grpc.StatusCode.INTERNAL))
        with self.assertRaises(grpc.RpcError):
            self.update(token_id, "label", label="a\0b")
        self.assertEqual(self.get(token_id).label, "of a test")

    def test_ids_that_are_none_are_named(self):
        for bad in ("", "tok_", "tok_x", ABSENT[:-1], ABSENT + "0", ABSENT.upper(), "mbr" + ABSENT[3:], " " + ABSENT, "tok_" + "8" + "0" * 25,
                    "tok_01h455vb4pex5vsknk084sn02i", "x" * 100_000):
            with self.subTest(bad[:40]):
                for call in (self.get, self.deactivate, self.suspend, self.resume, self.rotate):
                    self.assert_bad_fields(lambda c=call, b=bad: c(b), "token_id")
                self.assert_bad_fields(lambda b=bad: self.update(b, "label", label="x"), "access_token.token_id")


class Times(TokenCase):
    # Seconds and nanos that are no moment of the years 1 to 9999.
    NONE = [{"seconds": 253402300800}, {"seconds": -62135596801}, {"seconds": 2**63 - 1}, {"seconds": -2**63},
            {"seconds": 1, "nanos": 1_000_000_000}, {"seconds": 1, "nanos": -1}, {"nanos": 2**31 - 1}, {"nanos": -2**31}]

    def test_what_is_no_moment_is_named_wherever_it_stands(self):
        token_id = self.create().access_token.token_id
        for bad in self.NONE:
            with self.subTest(bad):
                self.assert_bad_fields(lambda b=bad: self.create(not_before=b, expires_at=b), "not_before", "expires_at")
                request = token_pb2.UpdateAccessTokenRequest(access_token={"token_id": token_id, "expires_at": bad},
                                                             update_mask={"paths": ["expires_at"]})
                self.assert_bad_fields(lambda r=request: self.client.tokens.UpdateAccessToken(r, timeout=10),
                                       "access_token.expires_at")
                self.assert_bad_fields(lambda b=bad: self.list(expires_before=b, unused_since=b),
                                       "expires_before", "unused_since")
                self.assert_bad_fields(lambda b=bad: self.deactivate_many(expires_before=b, unused_since=b, dry_run=True),
                                       "expires_before", "unused_since")

    def test_what_is_no_span_is_named(self):
        for bad in ({"seconds": 2**63 - 1}, {"seconds": -2**63}, {"seconds": 1, "nanos": -1}, {"seconds": -1, "nanos": 1},
                    {"nanos": 1_000_000_000}, {"seconds": 0}, {"nanos": 1}, {"seconds": 365_001 * DAY}):
            with self.subTest(bad):
                self.assert_bad_fields(lambda b=bad: self.create(expire_in=b), "expire_in")

    def test_the_first_and_last_moments_that_there_are_come_back(self):
        first, last = {"seconds": -62135596800}, {"seconds": 253402300799, "nanos": 999_000_000}
        token = self.create(not_before=first, expires_at=last).access_token
        self.assertEqual((token.not_before.seconds, token.expires_at.seconds, token.expires_at.nanos),
                         (-62135596800, 253402300799, 999_000_000))
        self.assertEqual(token.state, token_pb2.TOKEN_STATE_ACTIVE)
        self.assertEqual(self.get(token.token_id), token)


class Lists(TokenCase):
    def test_the_longest_lists_are_kept_and_one_more_is_refused(self):
        ips = [f"10.{number // 256}.{number % 256}.0/24" for number in range(10_000)]
        domains = [f"d{number}.example.com" for number in range(1000)]
        token = self.create(channels=[API, UI], allowed_ips=ips, allowed_domains=domains,
                            permissions=["charges.read"] * 256).access_token
        self.assertEqual((list(token.allowed_ips), list(token.allowed_domains), len(token.permissions)), (ips, domains, 256))
        changed = self.update(token.token_id, "allowed_ips", "allowed_domains", allowed_ips=ips[::-1],
                              allowed_domains=domains[::-1])
        self.assertEqual((list(changed.allowed_ips), list(changed.allowed_domains)), (ips[::-1], domains[::-1]))
        self.assert_bad_fields(
            lambda: self.update(token.token_id, "allowed_ips", "allowed_domains", "permissions",
                                allowed_ips=ips + ["192.0.2.0/24"], allowed_domains=domains + ["one.example.com"],
                                permissions=["charges.read"] * 257),
            "access_token.allowed_ips", "access_token.allowed_domains", "access_token.permissions")
        self.assertEqual(self.get(token.token_id), changed)

    def test_a_hundred_bad_fields_are_counted_though_not_all_fit(self):
        error = self.assert_refused(INVALID, "INVALID_ARGUMENT", lambda: self.create(allowed_ips=["bad"] * 10_000))
        self.assertGreater(len(field_violations(error)), 10)
        self.assertIn("9999 more", error.details())

    def test_a_message_beyond_the_limit_is_refused_whole(self):
        with self.assertRaises(grpc.RpcError) as caught:
            self.create(description="d" * 2_000_000)
        self.assertEqual(caught.exception.code(), grpc.StatusCode.RESOURCE_EXHAUSTED)

    def test_masks_have_every_name_once_or_more(self):
        token_id = self.create().access_token.token_id
        self.assertEqual(self.update(token_id, *["label"] * 1000, label="again").label, "again")
        self.assert_bad_fields(lambda: self.update(token_id, "", "label.", "LABEL", "label\n", label="x"),
                               *(f"update_mask.paths[{index}]" for index in range(4)))


if __name__ == "__main__":
    unittest.main()
