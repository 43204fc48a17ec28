#!/usr/bin/env bash
set -euo pipefail

PATH=$(echo /usr/lib/postgresql/*/bin):$PATH
SOCKETS=/var/run/postgresql

as_postgres() {
    setpriv --reuid=postgres --regid=postgres --init-groups "$@"
}

make_cluster() {
    local script
    as_postgres initdb --auth-local=trust --auth-host=scram-sha-256 --pwfile="$POSTGRES_PASSWORD_FILE" >/dev/null
    echo "host all all all scram-sha-256" >>"$PGDATA/pg_hba.conf"
    as_postgres pg_ctl -w -s -o "-c listen_addresses=''" start
    for script in /docker-entrypoint-initdb.d/*.sh; do
        as_postgres bash "$script"
    done
    as_postgres pg_ctl -w -s -m fast stop
}

mkdir -p "$PGDATA" "$SOCKETS"
chown postgres:postgres "$PGDATA" "$SOCKETS"
chmod 0700 "$PGDATA"
[[ -s $PGDATA/PG_VERSION ]] || make_cluster
exec setpriv --reuid=postgres --regid=postgres --init-groups postgres -c "listen_addresses=*"
