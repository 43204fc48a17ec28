#!/usr/bin/env bash
# Gets what reads manifests into build/kubernetes: programs in bin, schemas of Kubernetes and of the operators that production uses in
# schemas, the operators' definitions in definitions. Needs Go 1.26.
set -euo pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
HERE=$ROOT/build/kubernetes
# shellcheck source=versions.sh
source "$ROOT/tests/kubernetes/versions.sh"

command -v go >/dev/null || { echo "tests/kubernetes needs Go 1.26 or later from go.dev/dl, in PATH" >&2 && exit 1; }

# module PATH@VERSION: where Go has put it.
module() {
    go mod download -json "$1" | sed -n 's/^\t"Dir": "\(.*\)",$/\1/p'
}

get_programs() {
    local program
    for program in "${GO_PROGRAMS[@]}"; do
        GOBIN=$HERE/bin CGO_ENABLED=0 go install -trimpath -ldflags "-s -w" "$program"
    done
}

# Pod security as the API server has it, as a program.
build_restricted() {
    mkdir -p "$HERE/restricted" && cd "$HERE/restricted"
    cp "$ROOT/tests/kubernetes/restricted.go" main.go
    printf 'module restricted\n\ngo 1.26.0\n\nrequire k8s.io/pod-security-admission v0.%s\n' "${KUBERNETES#*.}" >go.mod
    GOFLAGS=-mod=mod go mod tidy
    CGO_ENABLED=0 go build -trimpath -ldflags "-s -w" -o "$HERE/bin/restricted"
}

get_schemas() {
    local kubernetes cert_manager operator postgres
    kubernetes=$(module "k8s.io/kubernetes@v$KUBERNETES")
    cert_manager=$(module "github.com/cert-manager/cert-manager@v$CERT_MANAGER")
    operator=$(module "github.com/prometheus-operator/prometheus-operator@v$PROMETHEUS_OPERATOR")
    postgres=$(module "github.com/cloudnative-pg/cloudnative-pg@v$CLOUDNATIVEPG")
    mkdir -p "$HERE/definitions"
    cp "$cert_manager"/deploy/crds/cert-manager.io_{certificates,issuers}.yaml "$HERE/definitions"
    cp "$operator"/example/prometheus-operator-crd/monitoring.coreos.com_{servicemonitors,prometheusrules}.yaml "$HERE/definitions"
    chmod u+w "$HERE"/definitions/*
    /usr/bin/python3 "$ROOT/tests/kubernetes/schemas.py" "$HERE/schemas" "$kubernetes/api/openapi-spec/swagger.json" "$HERE"/definitions/*.yaml \
        "$postgres/config/crd/bases/postgresql.cnpg.io_clusters.yaml"
}

stamp=$HERE/.tools-$(cat "$ROOT"/tests/kubernetes/{versions.sh,get_tools.sh,schemas.py,restricted.go} | cksum | cut -d " " -f 1)
if [[ ! -e $stamp ]]; then
    mkdir -p "$HERE"
    get_programs
    (build_restricted)
    get_schemas
    touch "$stamp"
fi
