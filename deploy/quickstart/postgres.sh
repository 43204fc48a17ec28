# shellcheck shell=bash
# A private PostgreSQL for deploy/quickstart.sh: data and log in var/postgres, one free port on 127.0.0.1, a database whose owner
# is no superuser and has a password (var/pgpass). PostgreSQL refuses to run as root: then it runs as the account postgres.

POSTGRES=$VAR/postgres
postgres_socket= # its directory while the server runs; a short path, because a socket's may have 107 bytes

postgres_bin() {
    local newest
    newest=$(find /usr/lib/postgresql/*/bin -maxdepth 0 2>/dev/null | sort -V | tail -n 1)
    [[ -n $newest ]] || fail "PostgreSQL is not installed; run without --no-install"
    echo "$newest"
}

# postgres_run COMMAND...: as an account that PostgreSQL accepts, in a directory that it may enter.
postgres_run() {
    if [[ $EUID -eq 0 ]]; then
        (cd / && runuser -u postgres -- "$@")
    else
        "$@"
    fi
}

postgres_data() {
    echo "$(readlink -f "$POSTGRES")/data"
}

# The account postgres can't reach a checkout below /root: then the data is elsewhere, and var/postgres leads there.
postgres_make_directory() {
    [[ ! -e $POSTGRES ]] || return 0
    if postgres_run test -x "$VAR"; then
        mkdir -m 0700 "$POSTGRES"
    else
        ln -s "$(mktemp -d /var/tmp/latchkey-postgres-XXXXXXXX)" "$POSTGRES"
    fi
    if [[ $EUID -eq 0 ]]; then
        chown postgres:postgres "$POSTGRES/."
    fi
}

postgres_initialize() {
    postgres_make_directory
    postgres_run "$(postgres_bin)/initdb" -D "$(postgres_data)" -U postgres --auth-local=trust \
        --auth-host=scram-sha-256 --encoding=UTF8 --locale=C.UTF-8 >"$VAR/initdb.log" 2>&1 ||
        fail "initdb failed; its output is $VAR/initdb.log"
    free_port >"$VAR/postgres.port"
}

free_port() {
    local port
    while true; do
        port=$((20000 + RANDOM % 12000))
        if ! port_is_taken "127.0.0.1:$port"; then
            echo "$port"
            return
        fi
    done
}

postgres_psql() {
    postgres_run psql -X -q -v ON_ERROR_STOP=1 -h "$postgres_socket" -p "$(<"$VAR/postgres.port")" -U postgres "$@"
}

# The password is new at every start, so that it need not be kept anywhere but in var/pgpass.
postgres_make_database() {
    local password
    password=$(od -An -N 18 -t x1 /dev/urandom | tr -d ' \n')
    (umask 077 && printf '127.0.0.1:*:latchkey:latchkey:%s\n' "$password" >"$VAR/pgpass")
    if [[ -z $(postgres_psql -A -t -c "SELECT 1 FROM pg_roles WHERE rolname = 'latchkey'") ]]; then
        postgres_psql -c "CREATE ROLE latchkey LOGIN NOSUPERUSER CREATEROLE"
        postgres_psql -c "CREATE DATABASE latchkey OWNER latchkey"
    fi
    postgres_psql <<<"ALTER ROLE latchkey PASSWORD '$password'"
}

# Exports LATCHKEY_DATABASE_URL.
postgres_start() {
    local data port
    [[ -e $VAR/postgres.port ]] || postgres_initialize
    data=$(postgres_data)
    port=$(<"$VAR/postgres.port")
    postgres_clear
    postgres_socket=$(mktemp -d /tmp/latchkey-XXXXXXXX)
    if [[ $EUID -eq 0 ]]; then
        chown postgres:postgres "$postgres_socket"
    fi
    postgres_run "$(postgres_bin)/pg_ctl" -D "$data" -l "$data/../log" -w -t 60 -s \
        -o "-c port=$port -c listen_addresses=127.0.0.1 -c unix_socket_directories=$postgres_socket" start 9>&- ||
        fail "PostgreSQL did not start; its log is $(readlink -f "$data/../log")"
    postgres_make_database
    export LATCHKEY_DATABASE_URL="postgresql://latchkey@127.0.0.1:$port/latchkey?passfile=$VAR/pgpass"
}

# What this run has started.
postgres_stop() {
    [[ -n $postgres_socket ]] || return 0
    postgres_end
    rm -rf "$postgres_socket"
    postgres_socket=
}

# What a killed run has left: a server that still runs, or its file. PostgreSQL takes that for a running server as long as the
# number in it is any process's, even a zombie's.
postgres_clear() {
    postgres_end
    if ! postgres_is_running; then
        postgres_run rm -f "$(postgres_data)/postmaster.pid"
    fi
}

# Whatever serves our data.
postgres_end() {
    if postgres_is_running; then
        postgres_run "$(postgres_bin)/pg_ctl" -D "$(postgres_data)" -w -s -m fast stop || true
    fi
}

# Not by the pid alone: after a crash the number in the file may be another program's.
postgres_is_running() {
    local data pid
    data=$(postgres_data)
    pid=$(postgres_run head -n 1 "$data/postmaster.pid" 2>/dev/null) || return 1
    [[ $(postgres_run readlink "/proc/$pid/cwd") == "$data" ]]
}

postgres_remove() {
    [[ -e $POSTGRES ]] || return 0
    postgres_end
    rm -rf "$(readlink -f "$POSTGRES")" "$POSTGRES"
}
