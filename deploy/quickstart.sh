#!/usr/bin/env bash
# Latchkey on one machine, from nothing to a token that is admitted and refused. See --help.
set -euo pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
VAR=$ROOT/var
BIN=$ROOT/build/bin
ENV_FILE=var/demo.env # in $ROOT, as all that is shown
LISTEN=127.0.0.1:7070
ADMIN=127.0.0.1:7071

# shellcheck source=packages.sh
source "$ROOT/deploy/packages.sh"
# shellcheck source=quickstart/claim.sh
source "$ROOT/deploy/quickstart/claim.sh"
# shellcheck source=quickstart/postgres.sh
source "$ROOT/deploy/quickstart/postgres.sh"
# shellcheck source=quickstart/demo.sh
source "$ROOT/deploy/quickstart/demo.sh"

print_help() {
    cat <<END
usage: deploy/quickstart.sh [--check] [--fresh] [--no-install]

Installs what is needed (as root or with sudo), builds, starts a private PostgreSQL under var/ and latchkeyd on
$LISTEN (admin port $ADMIN), makes a demo company, validates a token from a listed and from an unlisted address,
deactivates it, prints what to try next and serves until Ctrl-C. Run again, it comes up with the data kept.

  --check       ends after the demonstration, with exit status 0 only if all of it went right
  --fresh       starts over: deletes all that is in var/, its database too
  --no-install  asks apt for nothing
  --help        this text

LATCHKEY_DATABASE_URL names a PostgreSQL database to use in place of the private one: an empty one, owned by a role that may
create roles, or one that an earlier run has made.

Exit status: 0 all went right, 64 wrong usage, 69 another run serves or a port is in use,
128 + N ended by signal N, others failed.
END
}

say() {
    printf '\n==> %s\n' "$*"
}

fail() {
    fail_with 1 "$@"
}

# fail_with STATUS SENTENCE
fail_with() {
    printf 'quickstart: %s\n' "${*:2}" >&2
    exit "$1"
}

build() {
    local log=$VAR/build.log
    if ! { cmake -S "$ROOT" --preset release -DBUILD_TESTING=OFF && cmake --build "$ROOT/build"; } >"$log" 2>&1; then
        tail -n 40 "$log" >&2
        fail "the build failed; all of its output is in $log"
    fi
    if ! has_console; then
        say "the console, the pages for people, is left out: npm is not here or could not build it (docs/console.md)"
    fi
}

has_console() {
    ! "$BIN/latchkeyd" --check-config --console-listen 127.0.0.1:0 2>&1 | grep -q "built without the console"
}

# ---- latchkeyd ----

server_pid=

# In a session of its own: a closed terminal or Ctrl-C must not kill it before it has given its lease back. A run that is
# killed takes it along.
start_server() {
    claim_ports # once more, building takes minutes
    setsid setpriv --pdeathsig TERM "$BIN/latchkeyd" --listen "$LISTEN" --admin-listen "$ADMIN" \
        2>>"$VAR/latchkeyd.log" 9>&- &
    server_pid=$!
    local tries
    for ((tries = 0; tries < 300; tries++)); do
        if is_ready && is_alive; then # ready, and it is ours that is
            return 0
        fi
        is_alive || fail_ended
        sleep 0.1
    done
    fail "latchkeyd is not ready after 30 s; its log is $VAR/latchkeyd.log"
}

is_alive() {
    kill -0 "$server_pid" 2>/dev/null
}

fail_ended() {
    fail "latchkeyd has ended: $(tail -n 1 "$VAR/latchkeyd.log")"
}

is_ready() {
    local status
    exec 3<>"/dev/tcp/${ADMIN%:*}/${ADMIN#*:}" || return 1
    printf 'GET /readyz HTTP/1.0\r\n\r\n' >&3
    read -r _ status _ <&3 || true
    exec 3>&-
    [[ ${status:-} == 200 ]]
} 2>/dev/null

# A closed terminal may say so twice.
stop_all() {
    trap - EXIT
    trap '' HUP INT TERM
    if [[ -n $server_pid ]]; then
        kill -TERM "$server_pid" 2>/dev/null || true
        wait "$server_pid" 2>/dev/null || true
    fi
    postgres_stop
}

# ---- the whole ----

# New secrets, where the database was kept and only the file is gone.
make_secrets() {
    local status=0 refused=5
    "$BIN/latchkey" bootstrap --demo --address "$LISTEN" --env-file "$ENV_FILE" || status=$?
    if [[ $status -eq $refused ]]; then
        "$BIN/latchkey" bootstrap --demo --rotate --address "$LISTEN" --env-file "$ENV_FILE" || status=$?
    fi
    [[ -e $ENV_FILE ]] || exit "$status"
}

prepare_database() {
    if [[ -z ${LATCHKEY_DATABASE_URL:-} ]]; then
        say "starting a private PostgreSQL in var/postgres"
        postgres_start
    fi
    "$BIN/latchkey" migrate --permissions-file "$ROOT/deploy/quickstart/permissions.txt"
    if [[ ! -e $ENV_FILE ]]; then
        make_secrets
    fi
}

start_over() {
    postgres_remove
    find "$VAR/" -mindepth 1 -maxdepth 1 ! -name "${LOCK##*/}" -exec rm -rf {} +
}

parse_arguments() {
    check=false fresh=false install=true
    local argument
    for argument in "$@"; do
        case $argument in
            --check) check=true ;;
            --fresh) fresh=true ;;
            --no-install) install=false ;;
            --help | -h) print_help && exit ;;
            *) print_help >&2 && fail_with 64 "unknown argument $argument" ;;
        esac
    done
}

prepare() {
    if $fresh; then
        start_over
    fi
    if $install; then
        install_packages "${BUILD_PACKAGES[@]}" "${SERVER_PACKAGES[@]}"
    fi
    say "building (minutes the first time, seconds after that)"
    build
}

start() {
    trap stop_all EXIT
    trap 'exit 129' HUP
    trap 'exit 130' INT
    trap 'exit 143' TERM
    prepare_database
    say "starting latchkeyd on $LISTEN; its log is var/latchkeyd.log"
    start_server
}

read_secrets() {
    set -a
    # shellcheck source=/dev/null
    source "$ENV_FILE"
    set +a
}

main() {
    parse_arguments "$@"
    cd "$ROOT"
    claim
    prepare
    start
    read_secrets
    demonstrate
    if $check; then
        say "all of it went right"
        return
    fi
    print_next
    say "serving until Ctrl-C"
    wait "$server_pid" || fail_ended
}

main "$@"
