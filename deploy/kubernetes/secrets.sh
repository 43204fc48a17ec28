#!/usr/bin/env bash
# Prints the Secret of overlays/single-node, with passwords that nobody has seen: secrets.sh | kubectl create -f -
# why `create` and not `apply`: the passwords of a database that is there already must not be replaced.
set -euo pipefail

namespace=${1:-latchkey}

new_password() {
    head -c 24 /dev/urandom | base64 | tr '+/' '-_'
}

password=$(new_password)
cat <<END
apiVersion: v1
kind: Secret
metadata:
  name: latchkey-database
  namespace: $namespace
  labels:
    app.kubernetes.io/name: latchkey
type: Opaque
stringData:
  password: $password
  superuser-password: $(new_password)
  pg_service.conf: |
    [latchkey]
    password=$password
END
