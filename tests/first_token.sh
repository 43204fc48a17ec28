#!/usr/bin/env bash
# How long a new operator's ways take, from nothing to the first token that is validated: out of a clone by deploy/quickstart.sh, and
# with the Debian packages. Debian's own packages are there already; ports 7070 and 7071 are free; the second wants root, and
# `tests/run.sh deploy` to have built. Prints a line for each.
# usage: tests/first_token.sh
set -euo pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT

# In seconds, to a tenth, since the moment named.
seconds_since() {
    awk -v from="$1" -v to="$EPOCHREALTIME" 'BEGIN { printf "%.1f", to - from }'
}

time_quickstart() {
    local began=$EPOCHREALTIME line cloned="" built="" allowed=""
    chmod 755 "$WORK" # PostgreSQL runs as another account
    git clone -q --no-hardlinks "$ROOT" "$WORK/latchkey"
    cloned=$(seconds_since "$began")
    while read -r line; do
        case $line in
            *"starting a private PostgreSQL"*) built=$(seconds_since "$began") ;;
            ALLOW*) allowed=${allowed:-$(seconds_since "$began")} ;;
        esac
    done < <("$WORK/latchkey/deploy/quickstart.sh" --check --no-install)
    echo "from a clone to the first validated token: ${allowed:?none was admitted} s (cloned after $cloned, built after $built)"
}

time_packages() {
    (cd "$ROOT/tests/deploy" && /usr/bin/python3 -m unittest test_packages.AnOperator 2>&1) | sed -n 's/^ *\(from the packages.*\)/\1/p'
}

time_quickstart
time_packages
