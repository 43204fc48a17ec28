#!/usr/bin/env bash
# usage: build.sh PROTO_DIRECTORY; makes ./server of a copy of this directory. Needs JDK 17 and Maven.
set -euo pipefail

mkdir -p src/main/proto/latchkey/v1
cp "$1"/latchkey/v1/{decision,feed,validation}.proto src/main/proto/latchkey/v1
mvn --quiet --batch-mode package
printf '#!/bin/sh\nexec java -cp "%s/target/*:%s/target/lib/*" dev.latchkey.bench.Main\n' "$PWD" "$PWD" >server
chmod +x server
