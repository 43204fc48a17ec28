#!/usr/bin/env bash
# What is in the image, as SPDX 2.3: ours, what is linked into it, and the Debian packages that make_root.sh has taken files of.
# The same content gives the same document.
# usage: write_sbom.sh BUILD ROOT; writes ROOT/usr/share/doc/latchkey/latchkey.spdx.json
set -euo pipefail

BUILD=$1 ROOT=$2
DOCUMENT=$ROOT/usr/share/doc/latchkey/latchkey.spdx.json
VERSION=$(sed -n 's/^CMAKE_PROJECT_VERSION:STATIC=//p' "$BUILD/CMakeCache.txt")
DISTRIBUTION=debian-$(sed -n 's/^VERSION_ID="\(.*\)"$/\1/p' "$ROOT/etc/os-release")

# print_package NAME VERSION SUPPLIER LICENSE PURPOSE PURL SOURCE
print_package() {
    local reference=SPDXRef-$1
    printf ',\n    {"SPDXID": "%s", "name": "%s", "versionInfo": "%s", "supplier": "Organization: %s",\n' \
        "${reference//[^A-Za-z0-9.-]/-}" "$1" "$2" "$3"
    printf '     "licenseConcluded": "NOASSERTION", "licenseDeclared": "%s", "copyrightText": "NOASSERTION",\n' "$4"
    printf '     "downloadLocation": "NOASSERTION", "filesAnalyzed": false, "primaryPackagePurpose": "%s",\n' "$5"
    printf '     "sourceInfo": "%s", "externalRefs": [{"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl",\n' "$7"
    printf '       "referenceLocator": "%s"}]}' "$6"
}

# make_purl NAME VERSION ARCHITECTURE
make_purl() {
    local version=${2//+/%2B}
    echo "pkg:deb/debian/${1//+/%2B}@${version//:/%3A}?arch=$3&distro=$DISTRIBUTION"
}

print_debian_package() {
    local name version architecture source
    IFS=$'\t' read -r name version architecture source < <(
        dpkg-query -W -f '${Package}\t${Version}\t${Architecture}\t${source:Package} ${source:Version}\n' "$1")
    print_package "$name" "$version" Debian NOASSERTION LIBRARY "$(make_purl "$name" "$version" "$architecture")" \
        "built by Debian from $source"
}

# Debian's source of that version, compiled into our programs (docs/decisions/0025).
print_nghttp2() {
    local version patches=""
    version=$(<"$BUILD/nghttp2/version")
    [[ ! -e $BUILD/nghttp2-patched/made_of ]] || patches=", with the patches of cmake/nghttp2"
    print_package nghttp2 "$version" Debian MIT LIBRARY "$(make_purl nghttp2 "$version" source)" "linked into Latchkey's programs$patches"
}

# What the console's pages are bundled of: what its lock file has that is not for building alone.
list_bundled() {
    awk -F '"' '
        /^    "node_modules\// {name = substr($2, length("node_modules/") + 1); version = license = ""; bundled = 1}
        /^      "dev(Optional)?": true/ {bundled = 0}
        /^      "version":/ {version = $4}
        /^      "license":/ {license = $4}
        /^    }/ && name {if (bundled) print name, version, license; name = ""}' console/package-lock.json
}

print_bundled() {
    local name version license
    list_bundled | while read -r name version license; do
        print_package "$name" "$version" npm "$license" LIBRARY "pkg:npm/${name/@/%40}@$version" "in the console's pages"
    done
}

list_packages() {
    find "$ROOT/var/lib/dpkg/status.d" -type f -printf '%f\n' | sort
}

print_packages() {
    local package
    printf '    {"SPDXID": "SPDXRef-image", "name": "latchkey-image", "versionInfo": "%s", "filesAnalyzed": false,\n' "$VERSION"
    printf '     "downloadLocation": "NOASSERTION", "primaryPackagePurpose": "CONTAINER"}'
    print_package latchkey "$VERSION" Latchkey Apache-2.0 APPLICATION "pkg:generic/latchkey@$VERSION" "this repository"
    [[ ! -e $BUILD/nghttp2/version ]] || print_nghttp2
    print_bundled
    for package in $(list_packages); do
        print_debian_package "$package"
    done
}

print_relations() {
    local reference
    printf '    {"spdxElementId": "SPDXRef-DOCUMENT", "relationshipType": "DESCRIBES", "relatedSpdxElement": "SPDXRef-image"}'
    grep -o '"SPDXID": "[^"]*"' <<<"$1" | cut -d '"' -f 4 | grep -vx SPDXRef-image | while read -r reference; do
        printf ',\n    {"spdxElementId": "SPDXRef-image", "relationshipType": "CONTAINS", "relatedSpdxElement": "%s"}' "$reference"
    done
}

# The date of this version (CMakeLists.txt).
read_epoch() {
    sed -n 's/^ *set(ENV{SOURCE_DATE_EPOCH} \([0-9]*\))$/\1/p' CMakeLists.txt
}

print_document() {
    local packages name=latchkey-$VERSION
    packages=$(print_packages)
    printf '{\n  "spdxVersion": "SPDX-2.3", "dataLicense": "CC0-1.0", "SPDXID": "SPDXRef-DOCUMENT", "name": "%s",\n' "$name"
    printf '  "documentNamespace": "https://latchkey.dev/spdx/%s-%s",\n' "$name" "$(sha256sum <<<"$packages" | cut -d ' ' -f 1)"
    printf '  "creationInfo": {"created": "%s", "creators": ["Tool: latchkey-write_sbom"]},\n' \
        "$(date -u -d "@${SOURCE_DATE_EPOCH:-$(read_epoch)}" +%Y-%m-%dT%H:%M:%SZ)"
    printf '  "packages": [\n%s\n  ],\n  "relationships": [\n%s\n  ]\n}\n' "$packages" "$(print_relations "$packages")"
}

mkdir -p "${DOCUMENT%/*}"
print_document >"$DOCUMENT"
