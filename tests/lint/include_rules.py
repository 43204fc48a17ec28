"""Who may include whom: layers only look down, and each third-party header is known in one place."""

import re

from tree import Violation, line_of

_LAYER = re.compile(r"^latchkey_layer\((\w+)([^)]*)\)", re.MULTILINE)
_SERVICE = re.compile(r"^latchkey_service\((\w+)(?:[^)]*\bROOMS ([a-z_ ]+))?", re.MULTILINE)

# Third-party header -> the places of common/ and services/ that may see it. Tests may see all.
_RPC = r"services/\w+/(\w+/)?\w+_rpc\.[ch]"
_PINNED = [(re.compile(header), re.compile(places)) for header, places in (
    (r"nghttp2/", r"common/grpc(_client)?/"),
    (r"libpq|postgres|pg_config", r"common/db/"),
    (r"openssl/", r"common/crypto/"),
    (r"uv\.h|uv/", r"common/net/"),
    (r".*\.pb-c\.h", rf"common/(protobuf|grpc|grpc_client)/|{_RPC}|services/cli/"),
    (r"protobuf-c/", rf"common/(protobuf|grpc|grpc_client|app)/|{_RPC}|services/cli/"),
    (r"urcu", r"services/validator/"),
    (r"zlib\.h", r"common/grpc/"),
    (r"idn2\.h|libpsl\.h", r"common/access/"),
    (r"microhttpd\.h", r"common/app/"),
    (r"jansson\.h", r"common/(protobuf|grpc_client|openid|app)/|services/(cli|console)/"),
    (r"curl/", r"common/(mail|openid)/"),
    (r"cjose/", r"common/openid/"),
    (r"cmocka\.h", r"nowhere"),
)]


def layers(tree):
    """Layer -> the layers it may include, as common/CMakeLists.txt declares them, in its order."""
    table = {}
    for match in _LAYER.finditer(tree.text("common/CMakeLists.txt")):
        words = match[2].split("LIBRARIES")[0].split()
        table[match[1]] = words[1:] if words[:1] == ["DEPENDS"] else []
    return table


def libraries(tree):
    """Layer -> the libraries of others that it wraps, as there."""
    table = {}
    for match in _LAYER.finditer(tree.text("common/CMakeLists.txt")):
        words = match[2].partition("LIBRARIES")[2].split()
        table[match[1]] = [word.rpartition("::")[2].removeprefix("latchkey_").lower() for word in words if word != "latchkey_proto"]
    return table


def layers_look_down(tree):
    """A layer depends only on layers declared before it."""
    lower = []
    for layer, depends in layers(tree).items():
        for below in depends:
            if below not in lower:
                yield Violation("common/CMakeLists.txt", 1, f"{layer} depends on {below}, which is not below it")
        lower.append(layer)


def layers_are_declared(tree):
    """Every directory of common/ is a layer."""
    known = layers(tree)
    for name in sorted({name.split("/")[1] for name in tree.named(".c", ".h", under="common/")}):
        if name not in known:
            yield Violation("common/CMakeLists.txt", 1, f"common/{name} is no declared layer")


def services(tree):
    """Service -> its rooms, as services/CMakeLists.txt declares them, in its order."""
    return {match[1]: (match[2] or "").split() for match in _SERVICE.finditer(tree.text("services/CMakeLists.txt"))}


def rooms_look_down(tree):
    """A room of a service is declared, and includes of its service only itself and rooms declared before it."""
    known = services(tree)
    for name in tree.named(".c", ".h", under="services/"):
        service, room, rest = (name.split("/")[1:] + [""])[:3]
        if not rest:
            continue
        if room not in known.get(service, []):
            yield Violation("services/CMakeLists.txt", 1, f"services/{service}/{room} is no declared room")
            continue
        below = known[service][:known[service].index(room) + 1]
        for line, header in tree.includes(name):
            if header.startswith(f"services/{service}/") and header.split("/")[2] not in below:
                yield Violation(name, line, f"may not include {header}")


def includes_go_down(tree):
    """common/ includes what its layer depends on; a service includes common/ and itself, its program also AuditService."""
    depends = layers(tree)
    for name in tree.c_files():
        allowed = _included_directories(name, depends)
        if allowed is None:
            continue
        for line, header in tree.includes(name):
            if header.startswith(("common/", "services/", "tests/")) and not header.startswith(allowed):
                yield Violation(name, line, f"may not include {header}")


def _included_directories(name, depends):
    """The directories a file may include from, as a tuple of prefixes; None: no restriction."""
    part, directory = (name.split("/") + [""])[:2]
    if part == "common":
        return tuple(f"common/{layer}/" for layer in [directory, *depends.get(directory, [])])
    if part != "services":
        return None
    if directory == "latchkeyd":
        return ("common/", "services/")
    if name.endswith("/main.c"):  # a program may hold the audit log, which has none of its own
        return ("common/", f"services/{directory}/", "services/audit/audit_service.h")
    return ("common/", f"services/{directory}/")


def one_public_header_per_service(tree):
    """latchkeyd, which holds the four, includes one header of each."""
    seen = {}
    for name in tree.named(".c", ".h", under="services/latchkeyd/"):
        for line, header in tree.includes(name):
            service = header.split("/")[1] if header.startswith("services/") else "latchkeyd"
            if service != "latchkeyd" and seen.setdefault(service, header) != header:
                yield Violation(name, line, f"includes {header} beside {seen[service]}")


def includes_start_at_the_top(tree):
    """Our headers are named by their path from the top of the tree."""
    for name in tree.c_files():
        text = tree.text(name)
        for match in re.finditer(r'^[ \t]*#[ \t]*include[ \t]*"([^"\n]+)"', text, re.MULTILINE):
            header = match[1]
            if (tree.root / header).is_file() or header.endswith(".pb-c.h"):
                continue
            yield Violation(name, line_of(text, match.start(1)), f'"{header}" is no path from the top of the tree')


def third_party_headers_are_pinned(tree):
    """A third-party header is seen only by the layer that wraps its library."""
    for name in tree.named(".c", ".h", under="common/") + tree.named(".c", ".h", under="services/"):
        for line, header in tree.includes(name):
            for pattern, places in _PINNED:
                if pattern.match(header) and not places.match(name):
                    yield Violation(name, line, f"may not include {header}")


RULES = (layers_look_down, layers_are_declared, includes_go_down, rooms_look_down, one_public_header_per_service,
         includes_start_at_the_top, third_party_headers_are_pinned)
