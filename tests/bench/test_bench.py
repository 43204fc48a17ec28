"""The parts of the benchmarks that are more than measuring."""

import json
import unittest
import xml.etree.ElementTree
from pathlib import Path
from tempfile import TemporaryDirectory

import country
import plot
from latchkey_test import secret_text
from figures import Figure


class SecretTest(unittest.TestCase):
    def test_base62_digits_are_in_the_order_of_ascii(self):
        self.assertEqual(secret_text.base62(61, 2), "0z")
        self.assertEqual(secret_text.base62(2**256 - 1, 43), "yhjskwdA6OZ1AL1YmHWZWm8LLG7HjnuCA2j5rOw8Xp1")

    def test_a_seed_makes_the_same_secrets_of_55_characters(self):
        secrets = secret_text.make_secrets(3, 63)
        self.assertEqual(secrets, secret_text.make_secrets(3, 63))
        self.assertEqual(len(set(secrets)), 3)
        self.assertEqual({(len(secret), secret[:6]) for secret in secrets}, {(55, "lka_11")})


class CountryTest(unittest.TestCase):
    def test_prefixes_of_a_country_are_sorted_and_apart(self):
        for version in (4, 6):
            found = country.prefixes("DK", version)
            self.assertGreater(len(found), 100)
            for before, after in zip(found, found[1:]):
                self.assertLess(before.broadcast_address, after.network_address)


class FigureTest(unittest.TestCase):
    figure = Figure("validate", "a case", [2.0, 4.0, 3.0], [2.0, 2.0, 1.0], "peer <1>", "ns", 1.6)

    def test_the_ratio_is_that_of_the_medians(self):
        found = json.loads(self.figure.to_json())
        self.assertEqual(found, {"bench": "validate", "case": "a case", "ours": 3.0, "peer": 2.0, "peer_name": "peer <1>",
                                 "unit": "ns", "ratio": 1.5, "goal": 1.6})
        self.assertTrue(self.figure.is_reached)
        self.assertEqual(self.figure.spread, (1.0, 3.0))

    def test_a_plot_is_well_formed(self):
        with TemporaryDirectory() as directory:
            path = Path(directory) / "plot.svg"
            plot.write(path, "A & B", [self.figure, self.figure])
            root = xml.etree.ElementTree.parse(path).getroot()
        self.assertEqual(len(root.findall("{*}rect")), 1 + 4)
        self.assertEqual(len(root.findall("{*}line")), 2)


if __name__ == "__main__":
    unittest.main()
