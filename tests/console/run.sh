#!/usr/bin/env bash
# Gets what drives and judges a browser into build/browser and runs tests/console: the pages of people, in Debian's Chromium, against
# latchkeyd, PostgreSQL and a mail server; with --pictures only makes those of docs/console.md again. Called by tests/run.sh after
# building; needs Node.js with npm and python3-venv on the machine, and their registries in reach. The last line is
# `N passed, M failed`.
set -euo pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
TOOLS=$ROOT/build/browser

PLAYWRIGHT=1.65.0
PILLOW=13.0.0
AXE=4.13.0
LIGHTHOUSE=12.8.2
OIDC_PROVIDER=9.13.3

say_missing() {
    echo "tests/console needs $1 on this machine: $2" >&2
    echo "0 passed, 1 failed"
    exit 1
}

check_machine() {
    command -v chromium-headless-shell >/dev/null || say_missing Chromium "package chromium-headless-shell"
    command -v npm >/dev/null || say_missing npm "Node.js 18 or later with npm, in PATH"
    /usr/bin/python3 -c 'import ensurepip' 2>/dev/null || say_missing "Python's venv" "package python3-venv"
}

# once NAME COMMAND...: not again while the stamp, which names the versions, stands.
once() {
    local stamp=$TOOLS/.installed-$1
    [[ -e $stamp ]] && return
    echo "getting $1"
    "${@:2}"
    touch "$stamp"
}

# Beside Debian's Python packages, which the rest of the tests is written with. Playwright's browsers are not asked for.
install_driver() {
    /usr/bin/python3 -m venv --system-site-packages "$TOOLS/venv"
    "$TOOLS/venv/bin/pip" install --quiet --disable-pip-version-check "playwright==$PLAYWRIGHT" "pillow==$PILLOW"
}

install_judges() {
    npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$TOOLS/tools" "axe-core@$AXE" "lighthouse@$LIGHTHOUSE"
}

install_provider() {
    npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$TOOLS/openid" "oidc-provider@$OIDC_PROVIDER"
}

main() {
    local only=()
    cd "$ROOT"
    if [[ ${1:-} == --pictures ]]; then
        only=(test_pictures.py)
        export LATCHKEY_PICTURES=$ROOT/docs/console
    fi
    check_machine
    mkdir -p "$TOOLS"
    once "driver-$PLAYWRIGHT-$PILLOW" install_driver
    once "judges-$AXE-$LIGHTHOUSE" install_judges
    once "provider-$OIDC_PROVIDER" install_provider
    /usr/bin/python3 tests/lib/with_postgres.py "$TOOLS/venv/bin/python" tests/lib/run_python.py tests/console "${only[@]}"
}

main "$@"
