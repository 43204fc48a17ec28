#!/usr/bin/env bash
# Builds the examples with the first block of commands of each examples/LANGUAGE/README.md, so that what is written
# there is what works. Needs Go, Node.js with npm, Rust, JDK 17 with Maven, python3-venv and protoc on the machine, and
# their registries in reach. A language of which nothing has changed since its last build here is not built again.
# usage: tests/interop/examples.sh [LANGUAGE...]
set -euo pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
STAMPS=$ROOT/build/interop/examples

# language -> what it must find in PATH.
declare -A PROGRAMS=([python]=python3 [go]="go protoc" [node]="npm protoc" [java]="java mvn" [rust]="cargo protoc")

check_machine() {
    local program
    for program in ${PROGRAMS[$1]}; do
        command -v "$program" >/dev/null || { echo "examples/$1 needs $program, in PATH" >&2 && exit 1; }
    done
}

# The first block of commands in a README.
read_commands() {
    awk '/^```sh$/ { inside = 1; next } /^```$/ && inside { exit } inside' "$ROOT/examples/$1/README.md"
}

# One number for all that a build is made from.
sum_sources() {
    (cd "$ROOT" && git ls-files -z --cached --others --exclude-standard "examples/$1" proto |
        xargs -0 cat | cksum | cut -d " " -f 1)
}

build() {
    local started=$SECONDS commands sum stamp=$STAMPS/$1
    sum=$(sum_sources "$1")
    if [[ -e $stamp && $(<"$stamp") == "$sum" ]]; then
        return
    fi
    check_machine "$1"
    rm -f "$stamp"
    commands=$(read_commands "$1")
    [[ -n $commands ]]
    (cd "$ROOT/examples/$1" && bash -euo pipefail -c "$commands")
    echo "$sum" >"$stamp"
    echo "built examples/$1 in $((SECONDS - started)) s"
}

main() {
    local language
    # Debian's Python first, which has all its modules: the machine may have others.
    export PATH=/usr/bin:$PATH
    mkdir -p "$STAMPS"
    [[ $# -gt 0 ]] || set -- "${!PROGRAMS[@]}"
    for language in "$@"; do
        build "$language"
    done
}

main "$@"
