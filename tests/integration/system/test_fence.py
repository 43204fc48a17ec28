"""The fence of a confirmed deactivation, with validators whose connections to the database stall. tests/fault has the same
with a network that is really cut.
"""

import unittest

from latchkey_test import PrivatePostgres

import fence_case
from stalling_way import StallingWay


class Fence(fence_case.FenceCase):
    def enter_database(self, stack):
        self.postgres = stack.enter_context(PrivatePostgres())
        return self.postgres

    def enter_way(self, stack, url):
        return stack.enter_context(StallingWay(self.postgres, url))


if __name__ == "__main__":
    unittest.main()
