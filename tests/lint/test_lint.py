"""The linter, held to its own word: for every rule a tree that keeps it, and trees that break it."""

import contextlib
import io
import subprocess
import tempfile
import unittest
from pathlib import Path

import lint
from tree import Tree

LAYERS = """\
latchkey_layer(base)
latchkey_layer(net DEPENDS base LIBRARIES PkgConfig::UV)
latchkey_layer(db DEPENDS base)
"""
HEADER = "#ifndef A_H\n#define A_H\n#include <stddef.h>\nstruct a {\n    size_t count;\n};\n#endif\n"
EXPANDING = """\
-- Why it may DROP nothing.
ALTER TABLE a ADD COLUMN b text, ADD COLUMN c text NOT NULL DEFAULT '', ADD COLUMN d int DEFAULT 1 NOT NULL;
CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    DROP TABLE IF EXISTS mine;
END
$$;
COMMENT ON TABLE a IS 'DROP is a word';
CREATE INDEX a_idx ON a (b);
"""
CLEAN = {
    ".clang-format": "BasedOnStyle: LLVM\nIndentWidth: 4\n",
    "CMakeLists.txt": "project(latchkey VERSION 0.2.0 LANGUAGES C)\n",
    "CHANGELOG.md": "# Changes\n\n## 0.2.0 - 2026-12-01\n\n## 0.1.0 - 2026-11-26\n",
    "common/CMakeLists.txt": LAYERS,
    "common/base/a.h": HEADER,
    "common/base/a.c": '#include "common/base/a.h"\n\n/* strcpy() in words, like TO DO, breaks nothing */\n',
    "common/net/loop.c": '#include <uv.h>\n\n#include "common/base/a.h"\n',
    "common/db/pool.c": "#include <libpq-fe.h>\n",
    "services/CMakeLists.txt": "latchkey_service(token ROOMS store rpc LIBRARIES x)\n",
    "services/token/token.h": HEADER,
    "services/token/store/a.h": HEADER,
    "services/token/rpc/b.c": '#include "services/token/rpc/b.h"\n\n#include "services/token/store/a.h"\n',
    "services/token/rpc/b.h": HEADER,
    "services/token/token_rpc.c": '#include "latchkey/v1/token.pb-c.h"\n#include "services/token/token.h"\n',
    "services/latchkeyd/main.c": '#include "services/token/token.h"\n',
    "tests/unit/test_a.c": '#include <uv.h>\n\n#include "common/db/pool.h"\n',
    "common/db/pool.h": '#include "common/base/a.h"\n',
    "common/db/schema/0026_old.sql": "DROP TABLE a;\n",
    "common/db/schema/0027_a.sql": EXPANDING,
    "common/db/schema/0028_b.sql": "-- Breaks programs before 0027: they read a.b, which goes.\nALTER TABLE a DROP COLUMN b;\n",
    "run.sh": "#!/usr/bin/env bash\nset -euo pipefail\n# shellcheck source=part.sh\nsource part.sh\necho ok\n",
    "docs/security.md": "| promise | shown by |\n| a | `unit/test_a.c` `pool`; `unit/test_a.c`, all of it |\n",
    "common/base/log_user.c": 'log_event(LEVEL, "a secret", LOG_TEXT("secret", reason)), wipe(secret);\n',
    "deploy/prometheus/alerts.yml": "groups:\n  - rules:\n      - alert: Down\n",
    "deploy/prometheus/alerts_test.yml": "tests:\n  - alert_rule_test:\n      - alertname: Down\n",
    "docs/operations.md": "#### Down\n\nLook.\n",
    "docs/console.md": "![Tokens](console/tokens.png) ![Elsewhere](https://example.com/a.png)\n",
    "docs/console/tokens.png": "",
    "tests/console/test_pictures.py": 'self.take(console, "tokens")\nself.take(self.eva(WIDE), "dark")\n',
    "part.sh": "# shellcheck shell=bash\necho part\n",
}

# Rule -> (file, its content, what the violation must say).
BROKEN = {
    "layers_look_down": [
        ("common/CMakeLists.txt", LAYERS.replace("(base", "(base DEPENDS net"), "not below"),
        ("common/CMakeLists.txt", LAYERS.replace("DEPENDS base", "DEPENDS bse"), "bse"),
    ],
    "layers_are_declared": [("common/drawer/x.c", "", "common/drawer")],
    "includes_go_down": [
        ("common/base/b.c", '#include "common/net/loop.h"\n', "common/net/loop.h"),
        ("common/net/b.c", '#include "common/db/pool.h"\n', "common/db/pool.h"),
        ("common/net/b.c", '#  include "services/token/token.h"\n', "services/token/token.h"),
        ("services/whitelist/b.c", '#include "services/token/token.h"\n', "services/token/token.h"),
        ("services/cli/b.c", '#include "services/token/token.h"\n', "services/token/token.h"),
        ("services/token/b.c", '#include "tests/unit/x.h"\n', "tests/unit/x.h"),
    ],
    "rooms_look_down": [
        ("services/token/store/b.c", '#include "services/token/rpc/b.h"\n', "services/token/rpc/b.h"),
        ("services/token/drawer/b.c", "", "services/token/drawer"),
    ],
    "one_public_header_per_service": [
        ("services/latchkeyd/b.c", '#include "services/token/token_store.h"\n', "token_store.h")],
    "includes_start_at_the_top": [
        ("common/base/b.c", '#include "a.h"\n', '"a.h"'),
        ("services/token/b.c", '#include "../token/token.h"\n', "../token/token.h"),
    ],
    "third_party_headers_are_pinned": [
        ("common/base/b.c", "#include <nghttp2/nghttp2.h>\n", "nghttp2"),
        ("common/net/b.c", "#include <libpq-fe.h>\n", "libpq-fe.h"),
        ("services/token/token_store.c", "#include <libpq-fe.h>\n", "libpq-fe.h"),
        ("common/net/stream.c", "#include <openssl/ssl.h>\n", "openssl"),
        ("services/token/token.c", '#include "latchkey/v1/token.pb-c.h"\n', "token.pb-c.h"),
        ("common/db/b.c", "#include <protobuf-c/protobuf-c.h>\n", "protobuf-c"),
        ("common/app/b.c", "#include <urcu/urcu-qsbr.h>\n", "urcu"),
        ("services/cli/b.c", "#include <uv.h>\n", "uv.h"),
        ("common/base/b.c", "#include <cmocka.h>\n", "cmocka.h"),
    ],
    "no_banned_calls": [
        ("common/base/b.c", f"int x(char *a, char *b) {{ return {call} (a, b); }}\n", call)
        for call in ("strcpy", "strcat", "sprintf", "vsprintf", "strtok", "gets", "atoi", "inet_aton", "inet_addr",
                     "alloca")
    ],
    "nothing_is_unfinished": [
        ("common/base/b.c", "/* TO" "DO: all of it */\n", "b.c:1"),
        ("services/token/x.sql", "-- FIX" "ME\n", "x.sql:1"),
    ],
    "schema_files_leave_older_programs_what_they_use": [
        ("common/db/schema/0029_c.sql", f"-- A reason.\n\n{statement};\n", "0029_c.sql:3")
        for statement in ("ALTER TABLE a DROP COLUMN b", "DROP FUNCTION f(integer)", "ALTER TABLE a RENAME TO c",
                          "ALTER TABLE a ALTER COLUMN b TYPE bigint", "ALTER TABLE a ALTER b SET DATA TYPE bigint",
                          "ALTER TABLE a ALTER COLUMN b SET NOT NULL", "ALTER TABLE a ADD COLUMN b integer NOT NULL",
                          "ALTER TABLE a ADD COLUMN b text CHECK (b <> '') NOT NULL, ADD COLUMN c int DEFAULT 0",
                          "ALTER TABLE a ADD CONSTRAINT c CHECK (b > 0)", "CREATE UNIQUE INDEX a_idx ON a (b)",
                          "REVOKE SELECT ON a FROM latchkey_app", "ALTER TABLE a SET SCHEMA other")
    ] + [
        ("common/db/schema/0029_c.sql", "-- Breaks programs before 0030: why\nDROP TABLE a;\n", "later than itself"),
        ("common/db/schema/0029_c.sql", "-- Breaks no program:\nDROP TABLE a;\n", "0029_c.sql:2"),
    ],
    "files_are_short": [("common/base/b.c", "\n" * 601, "601 lines")],
    "no_secret_is_logged": [
        ("common/base/b.c", 'log_event(LEVEL, "made", LOG_TEXT("x", f(a)), LOG_TEXT("it", minted->secret->text));\n', "secret"),
        ("services/token/b.c", 'log_write(LEVEL, "made", (struct f){smtpPassword}, 1);\n', "smtpPassword"),
    ],
    "headers_compile_alone": [("common/base/b.h", "size_t b_count(void);\n", "size_t")],
    "code_is_formatted": [("common/base/b.c", "int  x;\n", "clang-format")],
    "nothing_generated_is_committed": [
        ("proto/token.pb-c.c", "", "generated"),
        ("tests/integration/token_pb2_grpc.py", "", "generated"),
        ("build/x.txt", "", "generated"),
        ("deploy/latchkeyd", "\x7fELF", "generated"),
    ],
    "no_path_of_one_machine": [
        ("README.md", "cd /ho" "me/someone/latchkey\n", "someone"),
        ("deploy/x.sh", "ROOT=/wo" "rk/main\n", "main"),
    ],
    "no_registry_host": [
        ("tests/interop/package-lock.json", '"resolved": "https://registry.' 'npmjs.org/x"\n', "npmjs"),
        ("tests/interop/run.sh", "export GO" "PROXY=https://mirror\n", "PROXY"),
    ],
    "named_tests_exist": [
        ("docs/security.md", "| a | `unit/test_b.c` |\n", "test_b.c"),
        ("docs/security.md", "| a | `unit/test_a.c` `drained` |\n", "drained"),
    ],
    "alerts_are_explained": [
        ("docs/operations.md", "#### Up\n", "Down has no paragraph"),
        ("docs/operations.md", "#### Down\n\n#### Up\n", "Up is no alert"),
        ("deploy/prometheus/alerts_test.yml", "tests: []\n", "Down has no test"),
    ],
    "points_are_all_tested": [
        ("tests/integration/test_points.py", "def test_point_62_is_kept(self):\n", "point 61"),
    ],
    "figures_are_those_that_were_measured": [
        ("docs/performance.md", "<!-- figures: goals -->\nten\n<!-- end -->\n", "performance.md"),
    ],
    "layers_are_drawn_as_they_are": [
        ("docs/architecture.md", "<!-- from here on written by docs/write_architecture.py -->\nbase\n<!-- to here -->\n", "architecture.md"),
    ],
    "pictures_are_there_and_made_by_a_test": [
        ("docs/console.md", "![The door](console/door.png)\n", "docs/console/door.png, which is not there"),
        ("docs/console.md", "Nothing to see.\n", "docs/console/tokens.png:1: is shown on no page"),
        ("docs/console/door.png", "", "docs/console/door.png:1: is not made by"),
    ],
    "version_has_its_changes": [
        ("CHANGELOG.md", "# Changes\n\n## 0.1.0 - unreleased\n", "0.1.0"),
        ("CHANGELOG.md", "# Changes\n", "no release"),
    ],
    "shell_scripts_are_clean": [
        ("deploy/x.sh", "#!/bin/sh\necho ok\n", "pipefail"),
        ("deploy/x", "#!/usr/bin/env bash\nset -euo pipefail\necho $1\n", "Double quote"),
        ("part.sh", "# shellcheck shell=bash\necho $1\n", "part.sh:2"),
    ],
}


class LintTest(unittest.TestCase):
    def tree_with(self, changes):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        for name, text in {**CLEAN, **changes}.items():
            path = Path(directory.name, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        subprocess.run(["git", "init", "-q", directory.name], check=True)
        return Tree(directory.name)

    def test_every_rule_is_kept_by_a_clean_tree(self):
        tree = self.tree_with({})
        for rule in lint.RULES:
            with self.subTest(rule=rule.__name__):
                self.assertEqual([], [str(violation) for violation in rule(tree)])

    def test_every_rule_is_broken_by_its_examples(self):
        for rule in lint.RULES:
            for name, text, expected in BROKEN[rule.__name__]:
                with self.subTest(rule=rule.__name__, file=name, text=text[:60]):
                    found = "\n".join(str(violation) for violation in rule(self.tree_with({name: text})))
                    self.assertIn(expected, found)

    def test_ignored_files_are_not_looked_at(self):
        tree = self.tree_with({".gitignore": "/build/\n", "build/token.pb-c.h": ""})
        self.assertEqual([], list(lint.BY_NAME["nothing_generated_is_committed"](tree)))

    def test_a_violation_makes_the_program_fail_and_a_clean_tree_does_not(self):
        for changes, status, totals in (({}, 0, "1 passed, 0 failed"),
                                        ({"common/base/b.c": "int  x;\n"}, 1, "0 passed, 1 failed")):
            tree = self.tree_with(changes)
            with contextlib.redirect_stdout(io.StringIO()) as output:
                self.assertEqual(status, lint.main(["--root", str(tree.root), "code_is_formatted"]))
            self.assertEqual(totals, output.getvalue().splitlines()[-1])

    def test_an_unknown_rule_is_refused(self):
        with contextlib.redirect_stderr(io.StringIO()), self.assertRaises(SystemExit) as refused:
            lint.main(["no_such_rule"])
        self.assertEqual(2, refused.exception.code)


if __name__ == "__main__":
    unittest.main()
