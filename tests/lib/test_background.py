"""A watch that died would have seen nothing: its block must fail."""

import threading
import unittest

from latchkey_test.background import Background


class BackgroundTest(unittest.TestCase):
    def test_what_a_thread_fails_with_fails_the_block_at_its_end(self):
        def fail():
            raise ValueError("seen")

        with self.assertRaisesRegex(ValueError, "seen"):
            with Background(fail):
                pass

    def test_what_the_block_itself_fails_with_is_told_first(self):
        with self.assertRaises(KeyError):
            with Background(lambda: [][0]):
                raise KeyError

    def test_all_threads_run_until_the_end_of_the_block_and_no_longer(self):
        met, ended = threading.Barrier(3), []

        def work():
            met.wait(60)
            background.is_over.wait(60)
            ended.append(background.is_over.is_set())

        background = Background(work, work)
        with background:
            met.wait(60)
            self.assertEqual(ended, [])
        self.assertEqual(ended, [True, True])


if __name__ == "__main__":
    unittest.main()
