"""What all other tests stand on: databases made by several processes at once on one server."""

import os
import subprocess
import sys
import unittest

from latchkey_test import PrivatePostgres
from latchkey_test.postgres import Cluster

PROCESSES = 6
MAKE_DATABASE = "import sys; from latchkey_test.postgres import Cluster; print(Cluster(sys.argv[1]).create_database())"


class Databases(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.postgres = PrivatePostgres()
        cls.addClassCleanup(cls.postgres.remove)
        cls.postgres.start()

    def test_processes_that_make_databases_at_once_do_not_meet(self):
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        makers = [subprocess.Popen([sys.executable, "-c", MAKE_DATABASE, self.postgres.url], env=environment,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(PROCESSES)]
        urls = set()
        for maker in makers:
            output, errors = maker.communicate(timeout=60)
            self.assertEqual(maker.returncode, 0, errors)
            urls.add(output)
        self.assertEqual(len(urls), PROCESSES)

    def test_a_user_who_is_no_superuser_owns_what_it_makes(self):
        outer = Cluster(self.postgres.create_database())
        url = outer.create_database()
        owners = Cluster(url).execute("SELECT rolname, rolsuper FROM pg_database JOIN pg_roles r ON r.oid = datdba "
                                      "WHERE datname = current_database()")
        self.assertEqual(owners, [("deployer", False)])
        outer.drop_database(url)


if __name__ == "__main__":
    unittest.main()
