"""Every line of tests/vectors/ip_prefixes.txt through AddWhitelistEntries and UpdateWhitelistEntry: what is typed becomes that range,
or is refused with the sentence of its reason."""

import unittest

import grpc

from latchkey_test.vectors import read_vectors
from whitelist_case import WhitelistCase

NAMED = 20  # bad fields that an answer has room for


def is_range(expected):
    return "/" in expected


class Vectors(WhitelistCase):
    @classmethod
    def setUpClass(cls):
        cls.vectors = read_vectors("ip_prefixes.txt")
        super().setUpClass()

    def test_there_are_many(self):
        self.assertGreaterEqual(len(self.vectors), 200)
        self.assertGreaterEqual(len({expected for expected, _ in self.vectors if not is_range(expected)}), 15)

    def test_what_is_good_becomes_its_range_and_stays_as_typed(self):
        good = [(expected, typed) for expected, typed in self.vectors if is_range(expected)]
        entries = self.add(*[typed for _, typed in good], force=True).entries
        self.assertEqual([(entry.cidr, entry.address) for entry in entries], good)

    def test_what_is_bad_is_refused_with_the_sentence_of_its_reason(self):
        bad = [(expected, typed) for expected, typed in self.vectors if not is_range(expected) and "\0" not in typed]
        sentences = {}
        for begin in range(0, len(bad), NAMED):
            named = self.bad_fields(self.add, *[typed for _, typed in bad[begin:begin + NAMED]])
            for i, (expected, typed) in enumerate(bad[begin:begin + NAMED]):
                sentence = named[f"entries[{i}].address"]
                self.assertTrue(sentence.startswith("type "), typed)
                self.assertEqual(sentences.setdefault(expected, sentence), sentence, typed)
        self.assertEqual(len(set(sentences.values())), len(sentences))
        self.assertEqual(self.get().entry_count, 0)

    def test_a_nul_is_refused_wherever_it_stands(self):
        hidden = [typed for _, typed in self.vectors if "\0" in typed]
        self.assertGreaterEqual(len(hidden), 3)
        for typed in hidden:
            self.assert_refused(grpc.StatusCode.INTERNAL, "MESSAGE_MALFORMED", self.add, typed)

    def test_an_update_takes_and_refuses_the_same(self):
        entry = self.add("192.0.2.1").entries[0]
        for expected, typed in self.vectors[::4]:
            if is_range(expected):
                self.assertEqual(self.change(entry.entry_id, address=typed, force=True).entry.cidr, expected)
            elif "\0" not in typed:
                self.assertIn("entry.address", self.bad_fields(self.change, entry.entry_id, address=typed))


if __name__ == "__main__":
    unittest.main()
