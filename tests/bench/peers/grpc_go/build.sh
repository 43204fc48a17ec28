#!/usr/bin/env bash
# usage: build.sh PROTO_DIRECTORY; makes ./server of a copy of this directory. Needs Go 1.26 and protoc.
set -euo pipefail

export GOBIN=$PWD/bin
go install google.golang.org/protobuf/cmd/protoc-gen-go@v1.36.12
go install google.golang.org/grpc/cmd/protoc-gen-go-grpc@v1.5.1
PATH=$GOBIN:$PATH protoc -I "$1" --go_out=. --go_opt=module=latchkey.dev --go-grpc_out=. --go-grpc_opt=module=latchkey.dev \
    latchkey/v1/{decision,feed,validation}.proto
go mod tidy
go build -o server .
