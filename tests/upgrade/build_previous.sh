#!/usr/bin/env bash
# Builds the programs of the release before, the commit in tests/upgrade/previous, into build/previous: the quick way, as only what
# they do counts.
set -euo pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
PREVIOUS=$ROOT/build/previous
COMMIT=$(<"$ROOT/tests/upgrade/previous")

if [[ -e $PREVIOUS/built && $(<"$PREVIOUS/built") == "$COMMIT" ]]; then
    exit
fi
rm -rf "$PREVIOUS"
mkdir -p "$PREVIOUS/tree"
git -C "$ROOT" archive "$COMMIT" | tar -x -C "$PREVIOUS/tree"
cmake -G Ninja -S "$PREVIOUS/tree" -B "$PREVIOUS" -DCMAKE_C_COMPILER=gcc -DCMAKE_BUILD_TYPE=Quick -DCMAKE_C_FLAGS_QUICK=-O1 \
    -DBUILD_TESTING=OFF -DLATCHKEY_LTO=OFF -DLATCHKEY_NGHTTP2=static
cmake --build "$PREVIOUS" --target latchkeyd latchkey latchkey-validator
echo "$COMMIT" >"$PREVIOUS/built"
