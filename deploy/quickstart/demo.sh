# shellcheck shell=bash
# What deploy/quickstart.sh shows: a token made, admitted, refused by its address, and ended everywhere. Each step checks what it
# shows; the commands are those that a user would type.

LISTED_IP=203.0.113.7   # in the demo company's whitelist
UNLISTED_IP=203.0.114.7 # just beside it

show() {
    local word
    printf '$ latchkey'
    for word in "$@"; do
        if [[ $word == *[[:space:]]* ]]; then word="\"$word\""; fi
        printf ' %s' "$word"
    done
    printf '\n'
}

# expect PATTERN EXIT_STATUS COMMAND...: runs `latchkey COMMAND`, shows it and fails unless it says what it should.
expect() {
    local pattern=$1 wanted=$2 status=0 output
    shift 2
    show "$@"
    output=$("$BIN/latchkey" "$@" 2>&1) || status=$?
    printf '%s\n\n' "$output"
    [[ $status -eq $wanted ]] || fail "exit status $status in place of $wanted"
    grep -qE "$pattern" <<<"$output" || fail "expected to read $pattern"
}

newest_token() {
    local listed
    listed=$("$BIN/latchkey" token list --json --limit 1)
    [[ $listed =~ tok_[0-9a-z]{26} ]] && echo "${BASH_REMATCH[0]}"
}

# One that was killed counts among the validators until its lease has run out: until then no change is confirmed by all.
# Only a real change waits for it, so a token is made and ended.
await_validators() {
    local output file=var/probe-token token_id
    rm -f "$file"
    if ! "$BIN/latchkey" token create --label "quickstart probe" --secret-file "$file" --wait 2s >/dev/null 2>&1; then
        say "waiting until the lease of a latchkeyd that was killed has run out (at most 32 s)"
    fi
    rm -f "$file"
    token_id=$(newest_token)
    output=$("$BIN/latchkey" token deactivate "$token_id" --yes --wait 40s 2>&1) || fail "$output"
}

demonstrate() {
    local secret_file=var/demo-token token_id
    say "the demo company lists 203.0.113.0/24 and switches its whitelist on"
    if ! "$BIN/latchkey" whitelist check "$LISTED_IP" >/dev/null 2>&1; then
        expect '203\.0\.113\.0/24' 0 whitelist add 203.0.113.0/24 --note "office"
        expect '127\.0\.0\.0/8' 0 whitelist add 127.0.0.0/8 --note "this machine"
    fi
    expect 'on|enabled' 0 whitelist enable
    await_validators

    say "an access token that may create charges"
    rm -f "$secret_file"
    expect 'tok_' 0 token create --label "quickstart demo" --permission charges.create \
        --secret-file "$secret_file" --wait 5s
    token_id=$(newest_token)

    say "validated from a listed and from an unlisted address"
    expect '^ALLOW' 0 validate --secret-file "$secret_file" --client-ip "$LISTED_IP" --permission charges.create
    expect 'COMPANY_IP_NOT_LISTED' 1 validate --secret-file "$secret_file" --client-ip "$UNLISTED_IP" \
        --permission charges.create

    say "deactivated for good, confirmed by every validator, and refused at once"
    expect 'confirmed' 0 token deactivate "$token_id" --yes --wait 5s
    expect 'DEACTIVATED' 1 validate --secret-file "$secret_file" --client-ip "$LISTED_IP" --permission charges.create
    rm -f "$secret_file"
}

print_next() {
    cat <<END

What to try next, in another terminal:

  set -a; source var/demo.env; set +a; PATH=\$PWD/build/bin:\$PATH
  latchkey caller
  rm -f var/my-token
  latchkey token create --label mine --permission charges.read --expires-in 30d --secret-file var/my-token --wait 5s
  latchkey validate --secret-file var/my-token --client-ip $LISTED_IP --permission charges.read
  latchkey whitelist show
  latchkey help

  grpcurl -plaintext $LISTEN list
  grpcurl -plaintext -expand-headers -H 'authorization: Bearer \${LATCHKEY_TOKEN}' $LISTEN latchkey.v1.TokenService/GetCaller
  grpcurl -plaintext -d @ $LISTEN latchkey.v1.ValidationService/Validate <<JSON
  {"token": "\$(cat var/my-token)", "channel": "CHANNEL_API", "client_ip": "$LISTED_IP"}
JSON
  curl http://$ADMIN/metrics
END
}
