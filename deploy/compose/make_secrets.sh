#!/usr/bin/env bash
# What docker-compose.yml reads as secrets, in var/compose: passwords, an authority, and a certificate of it for each server. See
# --help.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
DIRECTORY=var/compose
SERVERS=(token whitelist invitation validator mail)
AUTHORITY_DAYS=3650
CERTIFICATE_DAYS=397

print_help() {
    cat <<END
usage: deploy/compose/make_secrets.sh [--renew] [NAME...]

Makes the files of $DIRECTORY that are missing. Clients reach Envoy by the names or IPv4 addresses NAME..., and always by
localhost and 127.0.0.1; $DIRECTORY/ca.crt is what they trust.

  --renew  makes all certificates anew, with the same authority: before they end, after $CERTIFICATE_DAYS days, and for other
           names. Our servers take them by themselves, others by \`docker compose restart envoy mail\`
  --help   this text

Nobody but the owner of the directory can enter it. The files in it can be read by whoever has them mounted, so that containers
need no user of this machine; ca.key, which no container has, is the owner's alone.
END
}

make_password() {
    [[ -e $1 ]] || openssl rand -hex 24 >"$1"
}

# libpq reads the password of a service from this file whoever can read it, as it would not from a password file.
make_service() {
    [[ -e pg_service.conf ]] || printf '[latchkey]\nhost=postgres\ndbname=latchkey\nuser=latchkey\npassword=%s\n' \
        "$(<database-password)" >pg_service.conf
}

# The console reads at each log-in what it may log people in by: nothing, until an operator has made that token.
make_console_token() {
    [[ -e console-token ]] || : >console-token
}

make_key() {
    openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1"
}

make_authority() {
    [[ ! -e ca.crt ]] || return 0
    make_key ca.key
    openssl req -x509 -new -key ca.key -days "$AUTHORITY_DAYS" -subj "/CN=Latchkey's authority on $(uname -n)" -out ca.crt \
        -addext "basicConstraints=critical,CA:true,pathlen:0" -addext "keyUsage=critical,keyCertSign,cRLSign"
}

# make_certificate SERVER ALTERNATIVE-NAME...: written in place, as the containers have these very files.
make_certificate() {
    local server=$1 names
    shift
    names=$(IFS=, && echo "$*")
    [[ $renew == yes || ! -e $server.crt ]] || return 0
    make_key "$server.key"
    openssl req -new -key "$server.key" -subj "/CN=$server" -addext "subjectAltName=$names" \
        -addext "basicConstraints=critical,CA:false" -addext "extendedKeyUsage=serverAuth" |
        openssl x509 -req -CA ca.crt -CAkey ca.key -days "$CERTIFICATE_DAYS" -copy_extensions copy -out "$server.crt" 2>/dev/null
}

make_certificates() {
    local server
    for server in "${SERVERS[@]}"; do
        make_certificate "$server" "DNS:$server"
    done
    make_certificate envoy DNS:envoy DNS:localhost IP:127.0.0.1 "$@"
}

# list_alternatives NAME...: as certificates have them.
list_alternatives() {
    local name
    for name in "$@"; do
        if [[ $name =~ ^[0-9.]+$ ]]; then echo "IP:$name"; else echo "DNS:$name"; fi
    done
}

main() {
    local alternatives
    renew=no
    case ${1:-} in
        --help | -h) print_help && exit 0 ;;
        --renew) renew=yes && shift ;;
        -*) print_help >&2 && exit 64 ;;
    esac
    mapfile -t alternatives < <(list_alternatives "$@")
    umask 077
    mkdir -p "$DIRECTORY"
    chmod 0700 "$DIRECTORY"
    cd "$DIRECTORY"
    make_password postgres-password
    make_password database-password
    make_password grafana-password
    make_service
    make_console_token
    make_authority
    make_certificates "${alternatives[@]}"
    chmod 0644 -- *
    chmod 0600 ca.key
}

main "$@"
