#!/usr/bin/python3
"""with_postgres.py COMMAND...: runs it with LATCHKEY_TEST_DATABASE_URL naming a new, empty database.

Its owner is no superuser but may create roles and databases. The server is a private one that ends with the command,
or, where the variable names a server already, that one.
"""

import os
import subprocess
import sys

from latchkey_test import shared_postgres


def main(command):
    if not command:
        sys.exit(__doc__)
    postgres = shared_postgres()
    url = postgres.create_database()
    try:
        return subprocess.run(command, env={**os.environ, "LATCHKEY_TEST_DATABASE_URL": url}, check=False).returncode
    finally:
        postgres.drop_database(url)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
