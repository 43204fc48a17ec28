#!/usr/bin/env bash
# Gets what tests/ha runs into build/ha: etcd and PgBouncer as this Debian 12 has them, Patroni of Debian 13 (docs/postgres.md says why), and
# PgBouncer of Debian 13, built. Out of their packages and not installed, which would have them run on this machine.
set -euo pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
HERE=$ROOT/build/ha
# What those are linked with, and what Patroni imports; none of them starts anything.
PACKAGES=(
    gcc libc-ares2 libevent-dev libssl-dev make pkg-config
    python3-cdiff python3-click python3-dateutil python3-etcd python3-idna python3-prettytable python3-psutil python3-psycopg2
    python3-urllib3 python3-yaml
)

# shellcheck source=../../deploy/packages.sh
source "$ROOT/deploy/packages.sh"

# Debian 13's archive beside the machine's own, from the same place.
write_apt_configuration() {
    local archive
    apt-cache show etcd-server &>/dev/null || as_root apt-get -q update
    archive=$(apt-get indextargets --format "\$(REPO_URI)" "Codename: bookworm" "Created-By: Packages" | sed -n 1p)
    [[ -n $archive ]] || { echo "tests/ha needs a Debian 12, whose archive has what it runs" >&2 && exit 1; }
    mkdir -p "$HERE"/apt/{lists,cache/archives}/partial
    printf '%s [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] %s trixie main\n' deb "$archive" deb-src "$archive" \
        >"$HERE/apt/sources.list"
    cat >"$HERE/apt/apt.conf" <<END
Dir::Etc::SourceList "$HERE/apt/sources.list";
Dir::Etc::SourceParts "-";
Dir::State::Lists "$HERE/apt/lists";
Dir::Cache "$HERE/apt/cache";
Acquire::Languages "none";
Acquire::IndexTargets::deb::DEP-11::DefaultEnabled "false";
END
}

of_debian_13() {
    APT_CONFIG=$HERE/apt/apt.conf apt-get -q -o APT::Sandbox::User= "$@"
}

# unpack PACKAGE DIRECTORY COMMAND...: as COMMAND downloads it.
unpack() {
    mkdir -p "$2"
    (cd "$2" && "${@:3}" download "$1" && dpkg -x "$1"_*.deb . && rm "$1"_*.deb)
}

build_pgbouncer() {
    local source=$HERE/pgbouncer-source
    mkdir -p "$source" "$1"
    (
        cd "$source"
        of_debian_13 source --download-only pgbouncer
        tar -x --strip-components=1 -f pgbouncer_*.orig.tar.gz
        ./configure --quiet
        make --silent -j2 pgbouncer
    )
    mv "$source/pgbouncer" "$1"
    rm -r "$source"
}

stamp=$HERE/.got-$(cksum <"${BASH_SOURCE[0]}" | cut -d " " -f 1)
if [[ ! -e $stamp ]]; then
    install_packages "${PACKAGES[@]}"
    rm -rf "$HERE"
    write_apt_configuration
    of_debian_13 update
    unpack etcd-server "$HERE/etcd" apt-get -q -o APT::Sandbox::User=
    unpack pgbouncer "$HERE/pgbouncer-12" apt-get -q -o APT::Sandbox::User=
    unpack patroni "$HERE/patroni" of_debian_13
    build_pgbouncer "$HERE/pgbouncer-13/usr/sbin"
    rm -r "$HERE/apt"
    touch "$stamp"
fi
