#!/usr/bin/env bash
# The file system of an image that programs run in, and nothing more: they, the shared libraries that they load, who vouches for
# servers elsewhere, and of each Debian package whose file is there its copyright and its entry of dpkg's, where scanners look for
# it. Runs in the build stage of deploy/Dockerfile.
# usage: make_root.sh ROOT PROGRAM...
set -euo pipefail

ROOT=$1
shift
PROGRAMS=("$@")
AUTHORITIES=/etc/ssl/certs/ca-certificates.crt
declare -A packages

# The loader, what is linked, and what the C library opens when a thread ends.
list_libraries() {
    ldd "${PROGRAMS[@]}" | awk '$2 == "=>" {print $3} $1 ~ "^/" && NF == 2 && $1 !~ ":$" {print $1}'
    readlink -f "$(gcc -print-file-name=libgcc_s.so.1)"
}

# find_package FILE: dpkg knows a file of /lib by the name that its package gave it, which may be below /usr.
find_package() {
    local file
    for file in "$1" "/usr$1" "${1#/usr}" "$(readlink -f "$1")" "$(readlink -f "$1" | sed 's|^/usr||')"; do
        dpkg-query -S "$file" 2>/dev/null | cut -d : -f 1 | head -n 1 && return
    done
    echo "$1 is of no package" >&2
    return 1
}

# place FILE: below /usr, under the name that it is loaded by.
place() {
    local place=$1
    [[ $place != /lib* ]] || place=/usr$place
    mkdir -p "$ROOT${place%/*}"
    cp -L "$1" "$ROOT$place"
}

take_libraries() {
    local library package
    while read -r library; do
        place "$library"
        package=$(find_package "$library")
        packages[$package]=1
    done < <(list_libraries | sort -u)
}

# OpenSSL and libcurl look for those who vouch at different places.
take_authorities() {
    packages[ca-certificates]=1
    place "$AUTHORITIES"
    place /etc/ssl/openssl.cnf
    mkdir -p "$ROOT/usr/lib/ssl"
    ln -s "$AUTHORITIES" "$ROOT/usr/lib/ssl/cert.pem"
    ln -s /etc/ssl/openssl.cnf "$ROOT/usr/lib/ssl/openssl.cnf"
}

describe_packages() {
    local package
    mkdir -p "$ROOT/var/lib/dpkg/status.d"
    for package in "${!packages[@]}"; do
        dpkg-query -s "$package" >"$ROOT/var/lib/dpkg/status.d/$package"
        place "/usr/share/doc/$package/copyright"
    done
}

write_system_files() {
    mkdir -p "$ROOT"/{etc,tmp,run,usr/bin,usr/lib,usr/lib64}
    chmod 1777 "$ROOT/tmp"
    ln -s usr/lib "$ROOT/lib"
    ln -s usr/lib64 "$ROOT/lib64"
    place /etc/os-release
    echo "hosts: files dns" >"$ROOT/etc/nsswitch.conf"
    echo "latchkey:x:65532:65532::/nonexistent:/nonexistent" >"$ROOT/etc/passwd"
    echo "latchkey:x:65532:" >"$ROOT/etc/group"
}

write_system_files
cp "${PROGRAMS[@]}" "$ROOT/usr/bin/"
take_libraries
take_authorities
describe_packages
