#!/usr/bin/env bash
# Installs what the tests need, builds, runs them, and says how many passed and failed. See --help.
set -euo pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
LIB=$ROOT/tests/lib
DEFAULT_SUITES=(lint unit fuzz-replay integration asan tsan)
EXTRA_SUITES=(model quickstart deploy containers kubernetes interop console upgrade reproducible attack fault ha fuzz valgrind bench)

# shellcheck source=../deploy/packages.sh
source "$ROOT/deploy/packages.sh"

TEST_PACKAGES=(
    "${BUILD_PACKAGES[@]}" "${SERVER_PACKAGES[@]}" git curl ca-certificates openssl libcmocka-dev
    clang-16 clang-format-16 faketime libclang-rt-16-dev lintian llvm-16 mandoc shellcheck
    python3 python3-aiosmtpd python3-cryptography python3-grpcio python3-h2 python3-hyperframe python3-protobuf python3-psycopg2 python3-seccomp
    python3-yaml protobuf-compiler-grpc caddy g++ libgrpc++-dev haproxy iproute2 nghttp2-client nginx-light spin systemd tor-geoipdb
)

print_help() {
    cat <<END
usage: tests/run.sh [--no-install] [--help] [SUITE...]

Suites, and what they need beyond Debian's packages (nothing, for those that run by default):
  lint         who includes whom, pinned headers, formatting, shellcheck, what may be committed
  unit         tests/unit (cmocka), the ones of the database against a private PostgreSQL; among them ten million random decisions
               beside a second implementation (test_validate_oracle; half a million under sanitizers)
  fuzz-replay  every input of tests/fuzz/corpus once
  integration  tests/integration: our servers, PostgreSQL and Debian's gRPC clients
  asan, tsan   unit, fuzz-replay and integration under AddressSanitizer with UndefinedBehaviorSanitizer, and
               under ThreadSanitizer
  model        docs/model: the protocols of log, lease and feed in every state, and with faults that must be found
  quickstart   deploy/quickstart.sh in a copy of the tree, and README's transcript of it (ports 7070, 7071)
  deploy       deploy/: what Debian's Prometheus makes of our metrics, alerts and dashboard; as root the Debian packages, installed,
               run and removed again
  kubernetes   deploy/kubernetes: Kustomize and Helm make the same, schemas and servers take it (Go); and where they are built, or
               with LATCHKEY_KUBERNETES=build (a quarter of an hour), Kubernetes' own API server and controllers, as root
  containers   deploy/Dockerfile built, and docker-compose.yml run, by buildah, podman and docker compose, none of whose images
               come from a registry: as root
  interop      clients and public suites of other ecosystems (npm, PyPI, Go)
  console      what people see, in Debian's Chromium: each flow, what may go wrong, axe, Lighthouse, and the pages' own tests (npm, PyPI)
  upgrade      the programs of the release before (tests/upgrade/previous), built from the history, beside these ones
  reproducible two whole builds, whose packages must be the same bytes
  attack       every attack of tests/attack, LATCHKEY_ATTACK_SECONDS (default 30) each, and a table of what became of it
  fault        a disk that gets full and networks that are cut, on purpose: as root, in a file system and networks of its own
  ha           PostgreSQL on several nodes of Patroni, of which LATCHKEY_HA_CYCLES (default 20) are killed (with fewer no two primaries); PgBouncer; backup and restore
  fuzz         libFuzzer on every target, LATCHKEY_FUZZ_SECONDS (default 60) each
  valgrind     what peers reach (transport, JSON, TLS, HTTP, decisions), and the corpus of fuzzing, under valgrind: each
               program for LATCHKEY_VALGRIND_SECONDS (default 20) at most
  bench        the quick benchmarks: do they run, and are their goals reached

Default: ${DEFAULT_SUITES[*]}

  --no-install  use what is installed, ask apt for nothing
  --help        this text

LATCHKEY_TEST_DATABASE_URL names a PostgreSQL to use in place of a private one, by a user who may create roles and
databases; LATCHKEY_SEED the seed that a failed test printed; LATCHKEY_TEST_SHARE the percentage of the greatest
numbers, such as 10 000 revocations, that is done (default 100, under sanitizers 5). LATCHKEY_TEST_KILLS=all kills each
process at each point of every change, in place of a seeded choice of them. Logs are kept in build/test-logs.
A test that waited in vain beside others is run again, alone, and named in the totals when that was so. The last line is
\`N passed, M failed\`, and the exit status is 0 only when nothing failed.
END
}

# ---- one step: a command whose last line of the form `N passed, M failed` is its count ----

total_passed=0
total_failed=0
summary=()
failures=() # by step and test
again=()    # those of tests that passed when they were run a second time, alone

# step NAME COMMAND...: a command that says no count is one test, passed or failed by its exit status.
step() {
    local name=$1 log=$LOGS/${1//[ \/]/-}.log status=0 count passed failed started=$SECONDS
    shift
    printf '\n==== %s\n' "$name"
    "$@" 2>&1 | tee "$log" || status=$?
    count=$(grep -aE '^[0-9]+ passed, [0-9]+ failed$' "$log" | tail -n 1 || true)
    read -r passed _ failed _ <<<"${count:-$((status == 0)) passed, $((status != 0)) failed}"
    if [[ $status -ne 0 && $failed -eq 0 ]]; then
        failed=1
    fi
    mapfile -t -O ${#again[@]} again < <(sed -n "s|^again: |$name: |p" "$log")
    if [[ $failed -gt 0 ]]; then
        mapfile -t -O ${#failures[@]} failures < <(sed -n "s|^failed: |$name: |p" "$log")
    fi
    total_passed=$((total_passed + passed))
    total_failed=$((total_failed + failed))
    summary+=("$(printf '%-36s %5d passed %5d failed %5d s' "$name" "$passed" "$failed" $((SECONDS - started)))")
}

print_totals() {
    printf '\n'
    printf '%s\n' "${summary[@]}"
    [[ ${#again[@]} -eq 0 ]] || printf 'run again: %s\n' "${again[@]}"
    [[ ${#failures[@]} -eq 0 ]] || printf 'failed: %s\n' "${failures[@]}"
    printf '%d passed, %d failed\n' "$total_passed" "$total_failed"
}

# ---- building ----

build_directory() {
    if [[ $1 == release ]]; then echo build; else echo "build/$1"; fi
}

build_preset() {
    cmake --preset "$1" && cmake --build --preset "$@"
}

# build PRESET [cmake's build option...]: shows the compiler's words only when it fails, which counts as a failed test.
build() {
    local log=$LOGS/build-$1.log
    printf '\n==== build %s\n' "$*"
    if build_preset "$@" >"$log" 2>&1; then
        return 0
    fi
    tail -n 100 "$log"
    total_failed=$((total_failed + 1))
    summary+=("build $* failed, see $log")
    return 1
}

# ---- suites ----

suite_lint() {
    build release --target latchkey_proto latchkey_test_proto || true
    step "lint rules" /usr/bin/python3 "$LIB/run_python.py" tests/lint
    step "test counts" /usr/bin/python3 "$LIB/run_python.py" tests/lib
    step lint /usr/bin/python3 tests/lint/lint.py
}

suite_unit() {
    if build release; then ctest_step unit release unit; fi
}

suite_fuzz-replay() {
    if build release; then ctest_step fuzz-replay release fuzz-replay; fi
}

suite_integration() {
    if build release; then integration_step integration release; fi
}

suite_asan() {
    under_sanitizer asan
}

suite_tsan() {
    under_sanitizer tsan
}

under_sanitizer() {
    build release --target grpcpp_clients && build "$1" || return 0
    ctest_step "$1 unit" "$1" unit
    ctest_step "$1 fuzz-replay" "$1" fuzz-replay
    LATCHKEY_TEST_SHARE=${LATCHKEY_TEST_SHARE:-5} integration_step "$1 integration" "$1"
}

# ctest_step NAME PRESET LABEL
ctest_step() {
    with_postgres "$1" "$2" "$LIB/run_ctest.py" "$3"
}

# Management's own rules, one statement after the other: every_method calls each of its methods with threads watched, and
# system and killed all of it at once. The command line has one thread.
NOTHING_FOR_TSAN="test_cli*.py test_token_*.py test_whitelist*.py test_member*.py test_audit_*.py test_roles.py test_grants.py
test_permissions.py test_compan*.py test_documents.py test_tour.py test_housekeeping.py test_logins.py test_management_model.py
test_configuration.py test_containers.py test_harness.py test_invitations.py test_links.py test_no_alert.py"

# integration_step NAME PRESET: one step, so that no directory's last file is waited for by all others. None of our programs
# runs in the tests of the schema, so that a sanitizer would see nothing there; those of hardening look at the process from
# outside, where a sanitizer's own memory and system calls would stand.
integration_step() {
    local directories not_seen='^$' without=
    [[ $2 == release ]] || not_seen='/(schema|hardening)$'
    [[ $2 != tsan ]] || without=$NOTHING_FOR_TSAN
    mapfile -t directories < <(find tests/integration -name 'test_*.py' -printf '%h\n' | sort -ur | grep -vE "$not_seen")
    LATCHKEY_TEST_WITHOUT=$without with_postgres "$1" "$2" "$LIB/run_python.py" "${directories[@]}"
}

# with_postgres NAME PRESET PYTHON-PROGRAM ARGUMENT...
with_postgres() {
    step "$1" env LATCHKEY_BUILD_DIR="$(build_directory "$2")" \
        /usr/bin/python3 "$LIB/with_postgres.py" /usr/bin/python3 "${@:3}"
}

suite_model() {
    step model /usr/bin/python3 "$LIB/run_python.py" tests/model
}

suite_quickstart() {
    step quickstart /usr/bin/python3 "$LIB/run_python.py" tests/quickstart
}

suite_deploy() {
    build release || return 0
    get_prometheus
    with_postgres deploy release "$LIB/run_python.py" tests/deploy
}

suite_containers() {
    local options=()
    [[ $install == yes ]] || options=(--no-install)
    build release --target latchkey latchkeyd latchkey_proto && step containers tests/containers/run.sh "${options[@]}"
}

# Out of its package and not installed, which would have it run on this machine.
get_prometheus() {
    local directory=build/deploy/prometheus
    [[ $install == yes && ! -x $directory/usr/bin/promtool ]] || return 0
    mkdir -p "$directory"
    (cd "$directory" && apt-get download -q prometheus && dpkg -x prometheus_*.deb . && rm prometheus_*.deb)
}

suite_kubernetes() {
    local without=
    build release --target latchkey latchkey-{token,whitelist,invitation,validator} || return 0
    [[ $install == no ]] || step "kubernetes tools" tests/kubernetes/get_tools.sh
    [[ ${LATCHKEY_KUBERNETES:-} != build ]] || step "kubernetes control plane" tests/kubernetes/build_control_plane.sh
    if [[ ! -x build/kubernetes/bin/kubectl ]]; then # the last that is built
        without=test_api_server.py
        echo "left out: $without; LATCHKEY_KUBERNETES=build builds what it needs"
    fi
    step kubernetes env LATCHKEY_TEST_WITHOUT=$without LATCHKEY_BUILD_DIR=build /usr/bin/python3 "$LIB/run_python.py" tests/kubernetes
}

suite_interop() {
    build release && step interop tests/interop/run.sh || return 0
    step contract lint_contract
    public_suites release
    build asan --target conformance-server plain-server interop-server || return 0
    public_suites asan
}

# public_suites PRESET
public_suites() {
    local suite
    for suite in conformance-grpc conformance-beyond-grpc conformance-connect-http1 h2spec grpc-go; do
        step "$suite $1" env LATCHKEY_BUILD_DIR="$(build_directory "$1")" /usr/bin/python3 tests/interop/suites.py "$suite"
    done
}

suite_console() {
    [[ $install == no ]] || install_packages chromium-headless-shell python3-venv
    [[ $install == no ]] || command -v npm >/dev/null || install_packages "${CONSOLE_PACKAGES[@]}"
    build release --target latchkeyd latchkey latchkey_proto || return 0
    # The copy in which the pages are built has the contract beside it; their tests read vectors, too.
    ln -sfn "$ROOT/tests" build/console/tests
    step "console types" npm --prefix build/console/console run --silent check
    step "console parts" npm --prefix build/console/console run --silent test
    step console tests/console/run.sh
}

# tests/interop/run.sh has installed buf.
lint_contract() {
    PATH=$PWD/build/interop/buf/node_modules/.bin:$PATH /usr/bin/python3 tests/lint/lint.py contract_is_clean
}

suite_upgrade() {
    local commit
    commit=$(<tests/upgrade/previous)
    if ! git cat-file -e "$commit^{commit}"; then
        echo "upgrade is left out: this copy of the repository lacks commit $commit of tests/upgrade/previous"
        return
    fi
    build release || return 0
    step "build previous" tests/upgrade/build_previous.sh
    with_postgres upgrade release "$LIB/run_python.py" tests/upgrade
}

suite_reproducible() {
    step reproducible /usr/bin/python3 "$LIB/run_python.py" tests/reproducible
}

suite_attack() {
    build release --target call-server latchkey-validator || return 0
    # One file at a time: each has the server on a core of its own.
    step attack env LATCHKEY_TEST_JOBS=1 LATCHKEY_BUILD_DIR=build /usr/bin/python3 "$LIB/run_python.py" tests/attack
}

suite_fault() {
    build release && step fault tests/fault/run.sh
}

suite_ha() {
    [[ $install == no ]] || step "ha programs" tests/ha/get_programs.sh
    build release || return 0
    local without=
    # Two minutes and more beside others.
    [[ ${LATCHKEY_HA_CYCLES:-20} -ge 20 ]] || without=test_two_primaries.py
    # Of the 10 000 revocations before a restore the same part as of the twenty nodes.
    step ha env LATCHKEY_TEST_WITHOUT="$without" LATCHKEY_TEST_SHARE="${LATCHKEY_TEST_SHARE:-$((5 * ${LATCHKEY_HA_CYCLES:-20}))}" \
        LATCHKEY_BUILD_DIR=build PYTHONPATH=tests/integration/system /usr/bin/python3 "$LIB/run_python.py" tests/ha
}

suite_bench() {
    step "bench parts" /usr/bin/python3 "$LIB/run_python.py" tests/bench
    build release && step bench tests/bench/run.sh --quick
}

suite_fuzz() {
    local target
    build fuzz || return 0
    for target in build/fuzz/bin/tests/fuzz_*; do
        step "${target##*/}" fuzz_target "$target"
    done
}

# What valgrind sees and no sanitizer here does is memory that is read before it was written, also inside of the libraries: so it
# gets what reads peers' bytes or makes them, and no model of millions of steps.
suite_valgrind() {
    [[ $install == no ]] || install_packages valgrind
    build release || return 0
    step valgrind /usr/bin/python3 "$LIB/run_valgrind.py" build/bin/tests/fuzz_* \
        build/bin/tests/test_{arena,buffer,field,loop,scan,domain,bearer,secret,smtp,mail_*,client_*,ip_address,ip_prefix} \
        build/bin/tests/test_{grpc_*,protojson*,message_json,stream_tls,tls_identity,http_*,local_call} \
        build/bin/tests/test_{cli_*,image,policy,validate_{asker,decide,rpc,wire}}
}

# What the fuzzer finds goes to the logs; the corpus in the tree grows only by hand.
fuzz_target() {
    local name=${1##*/fuzz_}
    mkdir -p "build/fuzz/corpus/$name"
    "$1" -max_total_time="${LATCHKEY_FUZZ_SECONDS:-60}" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
        -artifact_prefix="$LOGS/$name-" "build/fuzz/corpus/$name" "tests/fuzz/corpus/$name"
}

# ---- command line ----

is_suite() {
    [[ " ${DEFAULT_SUITES[*]} ${EXTRA_SUITES[*]} " == *" $1 "* ]]
}

refuse() {
    echo "no such suite or option: $1 (see --help)" >&2
    exit 2
}

parse_arguments() {
    install=yes
    suites=()
    while [[ $# -gt 0 ]]; do
        case $1 in
            --help | -h) print_help && exit 0 ;;
            --no-install) install=no ;;
            *) is_suite "$1" || refuse "$1" && suites+=("$1") ;;
        esac
        shift
    done
    [[ ${#suites[@]} -gt 0 ]] || suites=("${DEFAULT_SUITES[@]}")
}

export_sanitizer_options() {
    # Suppressions match names of functions, for which clang's run-time library asks this program.
    local symbolizer=external_symbolizer_path=/usr/lib/llvm-16/bin/llvm-symbolizer
    export ASAN_OPTIONS=strict_string_checks=1:detect_stack_use_after_return=1:$symbolizer
    export UBSAN_OPTIONS=print_stacktrace=1
    export TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1:suppressions=$ROOT/tests/tsan.supp:$symbolizer
}

main() {
    parse_arguments "$@"
    cd "$ROOT"
    LOGS=$ROOT/build/test-logs
    mkdir -p "$LOGS"
    [[ $install == no ]] || install_packages "${TEST_PACKAGES[@]}"
    export_sanitizer_options
    for suite in "${suites[@]}"; do
        "suite_$suite" || true
    done
    print_totals
    [[ $total_failed -eq 0 ]]
}

main "$@"
