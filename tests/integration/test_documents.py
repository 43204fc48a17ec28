"""What is written about the programs is what they are: the page of the API."""

import os
import subprocess
import unittest

from latchkey_test import BUILD, ROOT


class Documents(unittest.TestCase):
    def test_the_page_of_the_api_is_what_the_method_tables_say(self):
        done = subprocess.run([ROOT / "docs/write_api.py", "--check"], env={**os.environ, "LATCHKEY_BUILD_DIR": str(BUILD)},
                              capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)


if __name__ == "__main__":
    unittest.main()
