"""What may be in the repository at all, and the checks that other people's linters make."""

import posixpath
import re
import subprocess
import sys
from pathlib import Path

from tree import Violation

sys.path += [str(Path(__file__).resolve().parents[1] / "bench"), str(Path(__file__).resolve().parents[2] / "docs")]
import page  # pylint: disable=wrong-import-position
import write_architecture  # pylint: disable=wrong-import-position

_GENERATED = re.compile(
    r"\.pb-c\.[ch]$|_pb2(_grpc)?\.pyi?$|\.pb\.(cc|h|go)$|\.(o|a|so|pyc|protoset|gcda|profraw)$"
    r"|(^|/)(node_modules|__pycache__|CMakeFiles|\.venv)/|^(build|var)/|(^|/)CMakeCache\.txt$")
_MACHINE_PATH = re.compile(r"(?<![\w.~}$)\-/*])/(?:work|home|root|Users|tmp/lk)/[\w.-]+")
_REGISTRY = re.compile(
    r"(?:proxy|sum)\.golang\.org|registry\.(?:npmjs|yarnpkg)\.\w+|files\.pythonhosted\.org|pypi\.org/simple"
    r"|(?:index|static)\.crates\.io|repo1?\.maven\.(?:org|apache\.org)|deb\.debian\.org|registry-1\.docker\.io"
    r"|GO[P]ROXY=http|--(?:extra-)?index-url|--registry[= ]http")
_SCRIPT = re.compile(r"#!.*\b(?:ba)?sh\b")


def nothing_generated_is_committed(tree):
    """Generated code and build output stay in the build tree."""
    for name in tree.files:
        if _GENERATED.search(name) or (tree.root / name).read_bytes()[:4] == b"\x7fELF":
            yield Violation(name, 1, "is generated")


def no_path_of_one_machine(tree):
    """No file names a directory of the machine it was written on."""
    for name in tree.files:
        for line, match in tree.search(name, _MACHINE_PATH):
            yield Violation(name, line, f"names {match[0]}")


def no_registry_host(tree):
    """Which mirror packages come from is the machine's business."""
    for name in tree.files:
        for line, match in tree.search(name, _REGISTRY):
            yield Violation(name, line, f"names {match[0]}")


def shell_scripts_are_clean(tree):
    """shellcheck finds nothing, and every script stops at the first error."""
    scripts = [name for name in tree.files if _SCRIPT.match(tree.text(name))]
    for name in scripts:
        if "set -euo pipefail" not in tree.text(name):
            yield Violation(name, 1, "lacks set -euo pipefail")
    if not scripts:
        return
    # -x and -a: sourced files too, found beside the script that sources them, knowing what it knows.
    result = subprocess.run(["shellcheck", "-x", "-a", "-P", "SCRIPTDIR", "-f", "gcc", *scripts],
                            cwd=tree.root, capture_output=True, text=True)
    for match in re.finditer(r"^([^:\n]+):(\d+):\d+: \w+: (.*)$", result.stdout, re.MULTILINE):
        yield Violation(match[1], int(match[2]), match[3])
    if result.returncode > 1:
        yield Violation("tests/lint/tree_rules.py", 1, result.stderr.strip())


_CODE = re.compile(r"`([^`]+)`")
_TEST_FILE = re.compile(r"[\w/]+\.(?:py|c)")
_PROMISES = ("docs/security.md", "docs/upgrade.md")


def named_tests_exist(tree):
    """Where a page says which test shows a promise, `FILE` is below tests/ and each `name` behind it stands there."""
    for name in _PROMISES:
        if name in tree.files:
            yield from _missing_tests(tree, name)


def _missing_tests(tree, name):
    for line, text in enumerate(tree.text(name).splitlines(), 1):
        shown, present = text.rpartition("| ")[2] if text.startswith("| ") else "", None
        for word in _CODE.findall(shown):
            if _TEST_FILE.fullmatch(word):
                present = tree.text(f"tests/{word}") if f"tests/{word}" in tree.files else None
                if present is None:
                    yield Violation(name, line, f"names tests/{word}, which is not there")
            elif present is not None and not re.search(rf"\b{re.escape(word)}\b", present):
                yield Violation(name, line, f"names {word}, which is no test there")


_ALERT = re.compile(r"^ *- alert: *(\w+)", re.MULTILINE)
_ALERT_HEADING = re.compile(r"^#### (\w+)$", re.MULTILINE)


def alerts_are_explained(tree):
    """Each alert of deploy/prometheus has its paragraph in docs/operations.md and a test, and no other has."""
    alerts, tests, manual = "deploy/prometheus/alerts.yml", "deploy/prometheus/alerts_test.yml", "docs/operations.md"
    if alerts not in tree.files:
        return
    raised = {match[1]: line for line, match in tree.search(alerts, _ALERT)}
    explained = {match[1]: line for line, match in tree.search(manual, _ALERT_HEADING)} if manual in tree.files else {}
    tested = re.findall(r"alertname: *(\w+)", tree.text(tests)) if tests in tree.files else ()
    for name, line in raised.items():
        if name not in explained:
            yield Violation(alerts, line, f"{name} has no paragraph in {manual}")
        if name not in tested:
            yield Violation(alerts, line, f"{name} has no test in {tests}")
    for name, line in explained.items():
        if name not in raised:
            yield Violation(manual, line, f"{name} is no alert of {alerts}")


_POINT = re.compile(r"def test_point_(\d+)_")
_POINTS = range(1, 63)


def points_are_all_tested(tree):
    """Of what a gRPC server must do over HTTP/2 each point, by its number, has a test that is named after it."""
    files = tree.named(".py", under="tests/integration/")
    tested = {int(number) for name in files for number in _POINT.findall(tree.text(name))}
    missing = [number for number in _POINTS if number not in tested]
    if tested and missing:
        yield Violation("tests/integration", 1, "has no test of " + ", ".join(f"point {number}" for number in missing))


def figures_are_those_that_were_measured(tree):
    """docs/performance.md and its plots say what docs/performance.json does: run tests/bench/page.py to write them again."""
    for path in page.stale(tree.root / "docs"):
        yield Violation(path.relative_to(tree.root), 1, "is not what tests/bench/page.py writes")


def layers_are_drawn_as_they_are(tree):
    """docs/architecture.md shows what the build declares: run docs/write_architecture.py to draw it again."""
    if write_architecture.PAGE in tree.files and write_architecture.is_stale(tree):
        yield Violation(write_architecture.PAGE, 1, "is not what docs/write_architecture.py draws")


_PICTURE = re.compile(r"!\[[^\]]+\]\(([^)\s]+)\)")
_TAKEN = re.compile(r"self\.take\(.*?, \"([\w-]+)\"\)")


def pictures_are_there_and_made_by_a_test(tree):
    """Each picture that a page shows is in the tree; of docs/console each is shown and made by tests/console/test_pictures.py."""
    shown = set()
    for page_name in tree.named(".md"):
        for line, match in tree.search(page_name, _PICTURE):
            picture = posixpath.normpath(posixpath.join(posixpath.dirname(page_name), match[1]))
            shown.add(picture)
            if "://" not in match[1] and picture not in tree.files:
                yield Violation(page_name, line, f"shows {picture}, which is not there")
    camera = "tests/console/test_pictures.py"
    taken = {match[1] for _, match in tree.search(camera, _TAKEN)} if camera in tree.files else set()
    for picture in tree.named(".png", under="docs/console/"):
        if picture not in shown:
            yield Violation(picture, 1, "is shown on no page")
        if Path(picture).stem not in taken:
            yield Violation(picture, 1, f"is not made by {camera}")


_RELEASE = re.compile(r"^## \[?(\d+\.\d+\.\d+)\b", re.MULTILINE)


def version_has_its_changes(tree):
    """The newest release in CHANGELOG.md is the version that cmake builds."""
    page, build = "CHANGELOG.md", "CMakeLists.txt"
    if page not in tree.files:
        return
    newest, built = _RELEASE.search(tree.text(page)), re.search(r"project\(latchkey VERSION ([\d.]+)", tree.text(build))
    if not newest or newest[1] != built[1]:
        yield Violation(page, 1, f"begins with {newest[1] if newest else 'no release'}, and {build} builds {built[1]}")


def contract_is_clean(tree):
    """buf lint STANDARD finds nothing in proto/latchkey (buf is no Debian package: asked for by name)."""
    result = subprocess.run(["buf", "lint", "--path", "proto/latchkey"], cwd=tree.root, capture_output=True, text=True)
    for match in re.finditer(r"^([^:\n]+):(\d+):\d+:(.*)$", result.stdout, re.MULTILINE):
        yield Violation(match[1], int(match[2]), match[3])
    if result.returncode != 0 and not result.stdout:
        yield Violation("proto", 1, result.stderr.strip())


RULES = (nothing_generated_is_committed, no_path_of_one_machine, no_registry_host, shell_scripts_are_clean,
         named_tests_exist, alerts_are_explained, points_are_all_tested, figures_are_those_that_were_measured,
         layers_are_drawn_as_they_are, pictures_are_there_and_made_by_a_test, version_has_its_changes)
EXTRA_RULES = (contract_is_clean,)
