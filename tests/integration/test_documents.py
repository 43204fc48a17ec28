"""What is written about the programs is what they are: the page of the API, its errors and its table of methods."""

import os
import re
import subprocess
import unittest

from latchkey_test import BUILD, ROOT, stubs

_PAGE = (ROOT / "docs/api.md").read_text(encoding="utf-8")


def section(title):
    return re.search(rf"^## {title}$(.*?)^## ", _PAGE, re.MULTILINE | re.DOTALL)[1]


def column(title, index):
    """The words in capitals in one column of a section's table."""
    rows = [line.split("|")[1:-1] for line in section(title).splitlines() if line.startswith("| ")]
    return [word for row in rows for word in re.findall(r"\b[A-Z][A-Z_]+\b", row[index])]


class Documents(unittest.TestCase):
    def test_every_reason_of_a_decision_has_its_place_in_http_once(self):
        reasons = set(stubs.messages("latchkey/v1/decision.proto").Reason.keys())
        wanted = {name.removeprefix("REASON_") for name in reasons - {"REASON_UNSPECIFIED", "REASON_NOT_CURRENT"}}
        named = [word for word in column("A decision as HTTP", 0) if word != "UNAVAILABLE"]
        self.assertEqual(sorted(named), sorted(wanted))

    def test_every_error_on_the_page_is_one_that_a_program_gives(self):
        sources = "".join(path.read_text(encoding="utf-8") for part in ("common", "services")
                          for path in (ROOT / part).rglob("*.[ch]"))
        reasons = column("Errors", 1)
        self.assertGreater(len(reasons), 20)
        for reason in reasons:
            with self.subTest(reason):
                self.assertRegex(sources, rf'"{reason}"|\bREASON_{reason}\b')

    def test_the_page_of_the_api_is_what_the_method_tables_say(self):
        done = subprocess.run([ROOT / "docs/write_api.py", "--check"], env={**os.environ, "LATCHKEY_BUILD_DIR": str(BUILD)},
                              capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)


if __name__ == "__main__":
    unittest.main()
