"""The parts of the benchmarks that are more than measuring."""

import contextlib
import io
import json
import unittest
import xml.etree.ElementTree
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import arguments
import country
import goals
import page
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


FIGURE = Figure("validate", "a case", [2.0, 4.0, 3.0], [2.0, 2.0, 1.0], "peer <1>", "ns", 1.6)


class FigureTest(unittest.TestCase):
    def test_the_ratio_is_that_of_the_medians(self):
        found = json.loads(FIGURE.record.to_json())
        self.assertEqual(found, {"bench": "validate", "case": "a case", "ours": 3.0, "peer": 2.0, "peer_name": "peer <1>",
                                 "unit": "ns", "ratio": 1.5, "low": 1.0, "high": 3.0, "goal": 1.6})
        self.assertTrue(FIGURE.record.is_reached)

    def test_a_plot_has_a_bar_for_us_and_one_for_each_peer_of_a_case(self):
        slow = replace(FIGURE.record, peer=1e6, peer_name="slow", goal=None)
        root = xml.etree.ElementTree.fromstring(plot.render("A & B", [FIGURE.record, slow]))
        self.assertEqual(len(root.findall("{*}rect")), 1 + 3)
        self.assertEqual(len(root.findall("{*}line")), 1)
        for bar in root.findall("{*}rect")[1:]:
            self.assertLess(float(bar.get("x")) + float(bar.get("width")), 900)


class PageTest(unittest.TestCase):
    """A page of its own, with a place for each thing that is filled."""

    def setUp(self):
        directory = TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.docs = Path(directory.name)
        places = ("machine", "goals", "missed", "validate", "tls")
        self.page = self.docs / "performance.md"
        self.page.write_text("Prose.\n" + "".join(f"<!-- figures: {place} -->\n<!-- end -->\n" for place in places), encoding="utf-8")

    def save(self, *records):
        page.save({"cores": "2"}, {"validate": page.Section("Unary calls", "2026-01-02", "abc", list(records))}, self.docs)

    def test_what_is_written_is_not_stale_and_a_figure_typed_by_hand_is(self):
        self.save(FIGURE.record)
        page.write(self.docs)
        self.assertEqual(page.stale(self.docs), [])
        self.page.write_text(self.page.read_text(encoding="utf-8").replace("1.5", "1.4"), encoding="utf-8")
        self.assertEqual(page.stale(self.docs), [self.page])

    def test_places_are_filled_and_prose_is_kept(self):
        goal = goals.GOALS[1]
        self.save(replace(FIGURE.record, case=goal.case, peer_name=goal.peer_name, goal=1.2))
        page.write(self.docs)
        text = self.page.read_text(encoding="utf-8")
        self.assertIn("Prose.", text)
        self.assertIn("| cores | 2 |", text)
        self.assertIn(f"| {goal.sentence} | 1.5 | 1.2 | **missed** by 25 % |", text)
        self.assertIn(goal.next_idea, text)
        self.assertIn("Measured on 2026-01-02, commit abc.", text)
        self.assertIn("<!-- figures: tls -->\nNot measured yet.\n<!-- end -->", text)

    def test_where_nothing_was_measured_no_goal_counts_as_reached(self):
        page.write(self.docs)
        text = self.page.read_text(encoding="utf-8")
        self.assertIn("<!-- figures: missed -->\nNot measured yet.\n<!-- end -->", text)
        self.assertNotIn("reached |", text)

    def test_the_page_has_one_place_for_each_benchmark_that_a_goal_is_about(self):
        found = page.places()
        self.assertEqual(len(found), len(set(found)))
        self.assertLessEqual({goal.bench for goal in goals.GOALS} | {"machine", "goals", "missed"}, set(found))


class ArgumentsTest(unittest.TestCase):
    def test_a_duration_is_a_number_with_its_unit(self):
        self.assertEqual(arguments.parse(["--soak", "10m", "soak"]).soak, 600)
        for words in (["--soak", "10"], ["--soak", "0s"], ["--page", "--quick"], ["nothing"]):
            with self.assertRaises(SystemExit), contextlib.redirect_stderr(io.StringIO()):
                arguments.parse(words)


if __name__ == "__main__":
    unittest.main()
