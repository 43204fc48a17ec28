#!/usr/bin/env bash
# Builds Kubernetes' own API server, controllers and kubectl into build/kubernetes/bin, and gets Debian's etcd there: a quarter of an
# hour on two cores where Go's cache has nothing of them. Needs Go 1.26.
set -euo pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
HERE=$ROOT/build/kubernetes
PROGRAMS=(kube-apiserver kube-controller-manager kubectl)
# shellcheck source=versions.sh
source "$ROOT/tests/kubernetes/versions.sh"

# A module of our own that asks for Kubernetes': its go.mod has the parts that are modules themselves in a directory beside it, so each
# is asked for by its version.
write_module() {
    local source=$1
    {
        printf 'module control-plane\n\ngo 1.26.0\n\ngodebug default=go1.26\n\nrequire k8s.io/kubernetes v%s\n\n' "$KUBERNETES"
        sed -n "s|^\t\(k8s.io/[a-z0-9.-]*\) => ./staging/.*|replace \1 => \1 v0.${KUBERNETES#*.}|p" "$source/go.mod"
    } >go.mod
    {
        printf '//go:build programs\n\npackage programs\n\n'
        printf 'import _ "k8s.io/kubernetes/cmd/%s"\n' "${PROGRAMS[@]}"
    } >programs.go
}

build_programs() {
    local program version=k8s.io/component-base/version
    mkdir -p "$HERE/module" && cd "$HERE/module"
    write_module "$(go mod download -json "k8s.io/kubernetes@v$KUBERNETES" | sed -n 's/^\t"Dir": "\(.*\)",$/\1/p')"
    GOFLAGS=-mod=mod go mod tidy
    for program in "${PROGRAMS[@]}"; do
        CGO_ENABLED=0 nice go build -trimpath -buildvcs=false -o "$HERE/bin/$program" \
            -ldflags "-s -w -X $version.gitVersion=v$KUBERNETES" "k8s.io/kubernetes/cmd/$program"
    done
}

# Out of its package and not installed, which would have it run on this machine.
get_etcd() {
    mkdir -p "$HERE/etcd" && cd "$HERE/etcd"
    apt-get download -q etcd-server
    dpkg -x etcd-server_*.deb .
    mv usr/bin/etcd "$HERE/bin/etcd"
}

mkdir -p "$HERE/bin"
[[ -x $HERE/bin/etcd ]] || (get_etcd)
stamp=$HERE/.control-plane-$KUBERNETES
[[ -e $stamp ]] || { (build_programs) && touch "$stamp"; }
