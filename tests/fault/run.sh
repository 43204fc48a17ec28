#!/usr/bin/env bash
# Faults that need more than a test may ask of any machine, a file system or a network of one's own: needs root. Those that
# every machine can bear are tests/integration/system/test_faults.py. The last line is `N passed, M failed`.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
if [[ $EUID -ne 0 ]]; then
    echo "tests/fault mounts a small file system and fills it, and cuts networks of its own: run it as root" >&2
    echo "0 passed, 1 failed"
    exit 1
fi
PYTHONPATH=tests/integration/system exec /usr/bin/python3 tests/lib/run_python.py tests/fault
