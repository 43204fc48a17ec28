# shellcheck shell=bash
# One run at a time: a lock in var/ for as long as the run lives, and two ports that nobody else listens on. Both are asked for
# before anything is touched, --fresh included.

LOCK=$VAR/quickstart.lock # holds the pid of the run; what is started to stay closes 9, so that it ends with the run

claim() {
    claim_var
    claim_ports
}

claim_var() {
    mkdir -p "$VAR"
    exec 9<>"$LOCK"
    flock -n 9 || fail_with 69 "already running (pid $(<"$LOCK")); end that one first"
    echo $$ >"$LOCK"
}

claim_ports() {
    local address
    for address in "$LISTEN" "$ADMIN"; do
        if port_is_taken "$address"; then
            fail_with 69 "port ${address#*:} is in use: another program listens on $address; end it first"
        fi
    done
}

# port_is_taken HOST:PORT
port_is_taken() {
    (exec 3<>"/dev/tcp/${1%:*}/${1#*:}") 2>/dev/null
}
