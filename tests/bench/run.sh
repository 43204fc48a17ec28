#!/usr/bin/env bash
# Our programs against their peers, every figure as a ratio of the same run: see --help and README.md.
# usage: tests/bench/run.sh [--quick] [--json FILE] [BENCH...]
set -euo pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)

# shellcheck source=../../deploy/packages.sh
source "$ROOT/deploy/packages.sh"

BENCH_PACKAGES=(
    "${BUILD_PACKAGES[@]}" "${SERVER_PACKAGES[@]}" libcmocka-dev g++ libgrpc++-dev protobuf-compiler-grpc
    nghttp2-client tor-geoipdb python3 python3-grpcio python3-protobuf python3-psycopg2
)

# Nothing is built where tests/run.sh, or anybody else, has.
build_once() {
    [[ -x $ROOT/build/bin/tests/bench-limit ]] && return
    (cd "$ROOT" && cmake --preset release && cmake --build --preset release)
}

install_packages "${BENCH_PACKAGES[@]}"
[[ -n ${LATCHKEY_BUILD_DIR:-} ]] || build_once
exec /usr/bin/python3 "$ROOT/tests/bench/bench.py" "$@"
