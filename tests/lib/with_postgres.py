#!/usr/bin/python3
"""with_postgres.py COMMAND...: runs it with LATCHKEY_TEST_DATABASE_URL naming a PostgreSQL that ends with it.

One server for a whole suite in place of one for each test program. A server that the variable names already is used
as it is.
"""

import os
import subprocess
import sys

from latchkey_test import shared_postgres


def main(command):
    if not command:
        sys.exit(__doc__)
    environment = {**os.environ, "LATCHKEY_TEST_DATABASE_URL": shared_postgres().url}
    return subprocess.run(command, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
