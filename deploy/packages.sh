# shellcheck shell=bash
# What Debian and Ubuntu call the things that building, running and testing need; sourced by deploy/quickstart.sh and
# tests/run.sh.

# shellcheck disable=SC2034  # read by those who source this file
BUILD_PACKAGES=(
    gcc libc6-dev dpkg-dev cmake ninja-build pkg-config ccache protobuf-compiler protobuf-c-compiler libprotobuf-dev
    libnghttp2-dev libprotobuf-c-dev libpq-dev libssl-dev libuv1-dev liburcu-dev zlib1g-dev libidn2-dev libpsl-dev
    libcurl4-openssl-dev libmicrohttpd-dev libjansson-dev libcjose-dev
)
# What builds the console's pages, too, where npm is not there already and nobody has built them (console/dist).
# shellcheck disable=SC2034
CONSOLE_PACKAGES=(nodejs npm)
# What the container image holds files of, beside what the programs are linked with.
# shellcheck disable=SC2034
IMAGE_PACKAGES=(ca-certificates)
# shellcheck disable=SC2034
SERVER_PACKAGES=(postgresql postgresql-client)

is_installed() {
    [[ $(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null) == installed ]]
}

as_root() {
    if [[ $EUID -eq 0 ]]; then
        "$@"
    else
        sudo "$@"
    fi
}

# install_packages PACKAGE...: those that are missing; asks apt for nothing when all are there.
install_packages() {
    local package missing=()
    for package in "$@"; do
        is_installed "$package" || missing+=("$package")
    done
    [[ ${#missing[@]} -gt 0 ]] || return 0
    echo "installing ${missing[*]}"
    as_root apt-get update -q
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${missing[@]}"
}
