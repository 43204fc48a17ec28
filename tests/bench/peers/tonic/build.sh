#!/usr/bin/env bash
# usage: build.sh PROTO_DIRECTORY; makes ./server of a copy of this directory. Needs Rust with cargo, and protoc.
set -euo pipefail

LATCHKEY_PROTO=$1 cargo build --release --quiet
ln -sf target/release/tonic-server server
