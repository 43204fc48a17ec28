#!/usr/bin/env bash
# Prints the Secrets of overlays/single-node, with passwords that nobody has seen: secrets.sh | kubectl create -f -
# Two of them, since a Pod that mounts one can read all of it: servers are not to know the superuser.
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
  name: latchkey-postgres
  namespace: $namespace
  labels:
    app.kubernetes.io/name: latchkey-postgres
type: Opaque
stringData:
  password: $password
  superuser-password: $(new_password)
---
apiVersion: v1
kind: Secret
metadata:
  name: latchkey-database
  namespace: $namespace
  labels:
    app.kubernetes.io/name: latchkey
type: Opaque
stringData:
  pg_service.conf: |
    [latchkey]
    password=$password
END
