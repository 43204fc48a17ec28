"""The fence of a confirmed deactivation, with PostgreSQL in a network of its own and two validators whose links to it are
taken down: no packet passes, and nobody is told.
"""

import unittest

import psycopg2.extensions
from latchkey_test import PrivatePostgres

import fence_case
from namespace import NETWORK, Namespace


class Way:
    def __init__(self, link, url):
        self.url = psycopg2.extensions.make_dsn(url, host=link.address)
        self.cut, self.heal = link.cut, link.heal


class Partition(fence_case.FenceCase):
    def enter_database(self, stack):
        self.namespace = stack.enter_context(Namespace())
        postgres = PrivatePostgres(listen_addresses="*")
        stack.callback(postgres.remove)
        with open(postgres.directory / "data/pg_hba.conf", "a", encoding="utf-8") as rules:
            rules.write(f"host all all {NETWORK} trust\n")
        with self.namespace.inside():
            postgres.start()
        return postgres

    def enter_way(self, _, url):
        return Way(self.namespace.add_link(), url)


if __name__ == "__main__":
    unittest.main()
