#!/usr/bin/env bash
# The source of nghttp2 exactly as the distribution built it, security patches included, by apt: checked against the keys
# that apt trusts, and without a change to the machine's own lists.
# usage: fetch_nghttp2.sh DIRECTORY VERSION; leaves DIRECTORY/lib and DIRECTORY/version
set -euo pipefail

DIRECTORY=$1 VERSION=$2
WORK=$DIRECTORY.fetch

# name_sources: the archives that binaries come from, as archives of sources.
name_sources() {
    local file
    for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
        [[ -f $file ]] || continue
        sed -n 's/^deb[[:space:]]/deb-src /p' "$file" >"$WORK/parts/$(basename "$file" .list).list"
    done
    for file in /etc/apt/sources.list.d/*.sources; do
        [[ -f $file ]] || continue
        sed 's/^Types:.*/Types: deb-src/' "$file" >"$WORK/parts/$(basename "$file")"
    done
}

ask_apt() {
    timeout 120 apt-get -q -o Dir::Etc::sourcelist=/dev/null -o Dir::Etc::sourceparts="$WORK/parts" \
        -o Dir::State::lists="$WORK/lists" -o Dir::Cache="$WORK/cache" -o APT::Sandbox::User=root \
        -o Acquire::http::Timeout=10 -o Acquire::https::Timeout=10 "$@"
}

rm -rf "$WORK" "$DIRECTORY"
mkdir -p "$WORK"/{parts,lists/partial,cache/archives/partial,unpacked}
trap 'rm -rf "$WORK"' EXIT
name_sources
ask_apt update || true # an archive that has no sources is no reason to give up
(cd "$WORK/unpacked" && ask_apt source --only-source "nghttp2=$VERSION")
mv "$WORK"/unpacked/nghttp2-*/ "$DIRECTORY"
echo "$VERSION" >"$DIRECTORY/version"
