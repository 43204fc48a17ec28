"""What may hold a secret as it was sent is no argument of the log: a compiler says so, not a reviewer."""

import subprocess
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = """
#include "common/base/bytes.h"
#include "common/base/log.h"
#include "common/crypto/secret.h"

void tell(struct bytes sent, const struct secret *made, const char *text);
void tell(struct bytes sent, const struct secret *made, const char *text) {
    (void)sent, (void)made, (void)text;
    log_event(LOG_LEVEL_INFO, "seen", LOG_TEXT("value", %s));
}
"""


def compiles(value):
    done = subprocess.run(["gcc", "-std=c17", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror", "-fsyntax-only", f"-I{ROOT}", "-x", "c", "-"],
                          input=PROGRAM % value, capture_output=True, text=True, check=False)
    return done.returncode == 0


class LogTypes(unittest.TestCase):
    def test_a_text_is_taken(self):
        self.assertTrue(compiles("text"))

    def test_bytes_as_a_peer_sent_them_are_refused_by_the_compiler(self):
        self.assertFalse(compiles("sent"))
        self.assertFalse(compiles("sent.data"))

    def test_a_new_secret_is_refused_by_the_compiler(self):
        self.assertFalse(compiles("*made"))
        self.assertFalse(compiles("made"))


if __name__ == "__main__":
    unittest.main()
