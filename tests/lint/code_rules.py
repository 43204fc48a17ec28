"""What a source file must look like, and compile like, by itself."""

import os
import re
import subprocess
from concurrent.futures import ThreadPoolExecutor

from tree import Violation

_BANNED = re.compile(r"\b(strcpy|strcat|v?sprintf|strtok|gets|ato[fil]|atoll|inet_aton|inet_addr|alloca)\s*\(")
_UNFINISHED = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X|HA" r"CK)\b")
_DIAGNOSTIC = re.compile(r"^([^:\n]+):(\d+):\d+: (?:fatal )?error: (.*)$", re.MULTILINE)
_CODE = (".c", ".h", ".S", ".cc", ".py", ".sh", ".sql", ".cmake", ".js", ".ts", ".go", ".rs", ".java", ".html",
         ".css")
_MAX_LINES = 600
_PACKAGES = ("libnghttp2", "libprotobuf-c", "libpq", "libuv", "liburcu-qsbr", "libmicrohttpd", "jansson", "libpsl",
             "libidn2", "cjose")


def no_banned_calls(tree):
    """Calls that cannot be told their limit, or that hide a parse error."""
    for name in tree.c_files():
        for line, match in tree.search(name, _BANNED, tree.code(name)):
            yield Violation(name, line, f"{match[1]} is banned")


def nothing_is_unfinished(tree):
    """Main holds finished work; what is left to do stands in the issue tracker."""
    for name in tree.named(*_CODE, ".proto", "CMakeLists.txt"):
        for line, match in tree.search(name, _UNFINISHED):
            yield Violation(name, line, f"{match[1]} has no place here")


def files_are_short(tree):
    """Past 600 lines a file holds more than one idea. (The contract's files are fixed: one per service. All that the console's pages
    say is one table.)"""
    for name in tree.named(*_CODE, "CMakeLists.txt"):
        lines = tree.text(name).count("\n")
        if lines > _MAX_LINES and name != "console/src/strings.ts":
            yield Violation(name, lines, f"has {lines} lines, more than {_MAX_LINES}")


_LOGGED = re.compile(r"\blog_(?:event|write)\s*\(")
_SECRET = re.compile(r"\b\w*(?:secret|password|bearer|authorization|credential|digest)\w*", re.IGNORECASE)


def no_secret_is_logged(tree):
    """What peers send can't be passed to the log by its type; this looks for what is a text, and called a secret."""
    for name in tree.named(".c", under="common/") + tree.named(".c", under="services/"):
        code = tree.code(name)
        for line, match in tree.search(name, _LOGGED, code):
            named = _SECRET.search(code, match.end(), _end_of_arguments(code, match.end()))
            if named:
                yield Violation(name, line, f"{named[0]} has no place in the log")


def _end_of_arguments(code, at):
    """Behind the bracket that closes the one before `at`."""
    depth = 1
    while depth and at < len(code):
        depth += {"(": 1, ")": -1}.get(code[at], 0)
        at += 1
    return at


def headers_compile_alone(tree):
    """A header includes what it needs."""
    command = ["gcc", "-std=c17", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror", "-fsyntax-only",
               f"-I{tree.root}", f"-isystem{tree.build / 'proto'}", *_package_flags(), "-include"]

    def compile_header(name):
        return subprocess.run([*command, str(tree.root / name), "-x", "c", os.devnull], capture_output=True, text=True,
                              cwd=tree.root, env={**os.environ, "LC_ALL": "C"})

    headers = tree.named(".h")
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for name, result in zip(headers, pool.map(compile_header, headers)):
            if result.returncode != 0:
                yield Violation(name, 1, "does not compile alone: " + _first_error(result.stderr))


def _first_error(text):
    match = _DIAGNOSTIC.search(text)
    return f"{match[1]}:{match[2]}: {match[3]}" if match else text.strip()


def _package_flags():
    return subprocess.run(["pkg-config", "--cflags", *_PACKAGES], check=True, capture_output=True,
                          text=True).stdout.split()


def code_is_formatted(tree):
    """As .clang-format says."""
    names = tree.c_files()
    if not names:
        return
    result = subprocess.run(["clang-format-16", "--dry-run", "-Werror", "--style=file", *names],
                            cwd=tree.root, capture_output=True, text=True)
    reported = set()
    for match in _DIAGNOSTIC.finditer(result.stderr):
        if match[1] not in reported:
            reported.add(match[1])
            yield Violation(match[1], int(match[2]), "is not as clang-format-16 -i leaves it")
    if result.returncode != 0 and not reported:
        yield Violation(".clang-format", 1, result.stderr.strip())


RULES = (no_banned_calls, nothing_is_unfinished, files_are_short, no_secret_is_logged, headers_compile_alone,
         code_is_formatted)
