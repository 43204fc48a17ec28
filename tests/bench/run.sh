#!/usr/bin/env bash
# Our programs against their peers, every figure as a ratio of the same run: see --help and README.md.
# usage: tests/bench/run.sh [--quick] [--page] [--soak DURATION] [--json FILE] [BENCH...]
set -euo pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)

# shellcheck source=../../deploy/packages.sh
source "$ROOT/deploy/packages.sh"

BENCH_PACKAGES=(
    "${BUILD_PACKAGES[@]}" "${SERVER_PACKAGES[@]}" openssl libcmocka-dev g++ libgrpc++-dev protobuf-compiler-grpc
    linux-perf nghttp2-client tor-geoipdb python3 python3-grpcio python3-protobuf python3-psycopg2
)

build() {
    (cd "$ROOT" && cmake --preset release && cmake --build --preset release) >&2
}

/usr/bin/python3 "$ROOT/tests/bench/arguments.py" "$@"
for argument in "$@"; do
    if [[ $argument == -h || $argument == --help ]]; then exit 0; fi
done
install_packages "${BENCH_PACKAGES[@]}"
[[ -n ${LATCHKEY_BUILD_DIR:-} ]] || build
exec /usr/bin/python3 "$ROOT/tests/bench/bench.py" "$@"
