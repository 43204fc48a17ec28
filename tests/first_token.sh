#!/usr/bin/env bash
# How long a new operator's ways take, from nothing to the first token that is validated; prints a line for each. Those that are not
# named are left out; none named is all of them.
#   quickstart  out of a clone by deploy/quickstart.sh, compiled and run; Debian's own packages are there already, ports 7070 and 7071 free
#   packages    from the Debian packages; as root, once `tests/run.sh deploy` has built
#   manifests   from overlays/single-node, its Pods as processes; as root, once `tests/run.sh kubernetes` has got its tools
#   compose     from `docker compose up`, all nine containers; as root, once `tests/run.sh containers` has made its images, of which ours
#               is built again where something has changed
# usage: tests/first_token.sh [quickstart|packages|manifests|compose...]
set -euo pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
WAYS=(quickstart packages manifests compose)
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

# print_line COMMAND...: what a test says of the time that it took, or why there is none.
print_line() {
    local log=$WORK/log
    "$@" >"$log" 2>&1 || true
    sed -n 's/.*\(from .*: [0-9.]* s\)$/\1/p' "$log" | grep . || grep '^skipped: ' "$log" || { cat "$log" >&2 && return 1; }
}

time_packages() {
    print_line run_tests tests/deploy test_packages.py
}

time_manifests() {
    print_line run_tests tests/kubernetes test_pods.py
}

time_compose() {
    print_line tests/containers/run.sh --no-install
}

run_tests() {
    LATCHKEY_BUILD_DIR=build /usr/bin/python3 tests/lib/run_python.py "$@"
}

cd "$ROOT"
ways=("$@")
[[ $# -gt 0 ]] || ways=("${WAYS[@]}")
for way in "${ways[@]}"; do
    [[ " ${WAYS[*]} " == *" $way "* ]] || { echo "no such way: $way" >&2 && exit 2; }
    "time_$way"
done
