#!/usr/bin/env bash
# deploy/Dockerfile and docker-compose.yml for real: buildah builds the image, podman and runc run it, and docker compose itself
# brings the file up through podman's socket. As root, in a network, a tree of mounts and a tree of processes of its own, which
# end with it; images stay in build/containers, or in LATCHKEY_CONTAINERS_DIR, for the next run. Called by tests/run.sh after building. The last line is `N passed, M failed`.
# usage: tests/containers/run.sh [--no-install]
set -euo pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
WORK=${LATCHKEY_CONTAINERS_DIR:-$ROOT/build/containers}
PACKAGES=(podman buildah runc netavark aardvark-dns iptables iproute2 mmdebstrap unzip python3-pip python3-yaml)

# shellcheck source=../../deploy/packages.sh
source "$ROOT/deploy/packages.sh"
# shellcheck source=images.sh
source "$ROOT/tests/containers/images.sh"

skip() {
    echo "skipped: tests/containers: $1"
    echo "0 passed, 0 failed"
    exit 0
}

check_machine() {
    [[ $EUID -eq 0 ]] || skip "containers are made as root"
    unshare --mount --net --pid --fork true 2>/dev/null || skip "this machine gives no network and no processes of one's own"
    grep -qw overlay /proc/filesystems || modprobe overlay 2>/dev/null || skip "this kernel has no overlay file system"
    [[ -n $(compgen -G "/etc/apt/sources.list.d/*debian*.sources") ]] || skip "this is no Debian 12, whose archives it needs"
    command -v go >/dev/null || skip "there is no Go, which builds mailpit"
}

# Where apt is not to be asked: neither for packages nor for what images are made of.
check_installed() {
    local package
    for package in "${PACKAGES[@]}"; do
        is_installed "$package" || skip "$package is not installed"
    done
    [[ -e $WORK/images-made ]] || skip "the images were not made yet, which asks apt"
}

# Nothing of the machine's own podman is read or written.
write_configuration() {
    mkdir -p "$WORK"/{storage,networks,tmp}
    cat >"$WORK/storage.conf" <<END
[storage]
driver = "overlay"
graphroot = "$WORK/storage"
runroot = "/run/latchkey-containers"
END
    cat >"$WORK/containers.conf" <<END
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=4096:4096"]
[network]
network_backend = "netavark"
network_config_dir = "$WORK/networks"
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
runtime = "runc"
END
    # In TMPDIR buildah keeps what the compiler has made, for the next time.
    export CONTAINERS_STORAGE_CONF=$WORK/storage.conf CONTAINERS_CONF=$WORK/containers.conf DISABLE_HC_SYSTEMD=true TMPDIR=$WORK/tmp
}

# Its children, mounts and what podman keeps in /run end with it.
enter_namespaces() {
    exec unshare --mount --pid --fork --kill-child --mount-proc "$0" inside
}

run_inside() {
    mount -t tmpfs tmpfs /run
    write_configuration
    exec 9>"$WORK/lock"
    flock 9
    make_images
    touch "$WORK/images-made"
    # First goes what is left of a run that was killed: not later, as tests run beside each other.
    LATCHKEY_BUILD_DIR=build exec unshare --net bash -euc '
        ip link set lo up
        podman rm --all --force --volumes >/dev/null
        podman volume prune --force >/dev/null
        podman network prune --force >/dev/null
        exec /usr/bin/python3 tests/lib/run_python.py tests/containers'
}

cd "$ROOT"
if [[ ${1:-} == inside ]]; then
    run_inside
fi
check_machine
if [[ ${1:-} == --no-install ]]; then check_installed; else install_packages "${PACKAGES[@]}"; fi
enter_namespaces
