"""The command line before any server is asked: words, help, and completion in a shell."""

import json
import subprocess
import tempfile
import tempfile
import unittest
from pathlib import Path

from latchkey_test import program, run_latchkey


class Words(unittest.TestCase):
    """What is typed, before any server is asked."""

    def assert_fails(self, pattern, *arguments, code=2):
        done = run_latchkey(*arguments)
        self.assertEqual((done.returncode, done.stdout), (code, ""), done.stderr)
        self.assertRegex(done.stderr, pattern)
        return done.stderr

    def test_an_unknown_command_is_told_with_the_nearest_one(self):
        self.assert_fails('no command "tokn"; did you mean "token"', "tokn", "list")
        self.assert_fails('no command "token creat"; did you mean "token create"', "token", "creat")
        self.assert_fails("`latchkey help` lists them", "frobnicate")
        self.assert_fails("`latchkey help token` lists them", "token", "frobnicate")
        self.assert_fails("needs a second word", "whitelist")
        self.assert_fails("no command", "help", "frobnicate")
        self.assert_fails('did you mean "token create"', "help", "token", "creat")

    def test_a_secret_on_the_command_line_is_refused_and_not_repeated(self):
        secret = "lka_0m349ZeX5RtOaPohwcjiVuTp4gDTKlnLktiko2WtcuE2122ceei"
        for words in (["validate", secret], ["caller", f"--token={secret}"], ["--token", "x", "caller"],
                      ["token", "create", "--label", f"my {secret}"], ["caller", "--token-file", secret]):
            with self.subTest(words):
                error = self.assert_fails("never stands on the command line", *words)
                self.assertNotIn(secret, error)
                self.assertIn("LATCHKEY_VALIDATE_TOKEN", error)

    def test_options_and_arguments_that_a_command_lacks_are_told(self):
        self.assert_fails("no option --lable; did you mean --label", "token", "create", "--lable", "x")
        self.assert_fails("--label needs a value", "token", "create", "--label")
        self.assert_fails("one argument too many", "caller", "me")
        self.assert_fails("usage: latchkey token show TOKEN-ID", "token", "show")
        self.assert_fails("usage: latchkey whitelist add ADDRESS...", "whitelist", "add")
        self.assert_fails("two dashes: --json", "caller", "-json")

    def test_bad_values_are_told_with_what_to_type_instead(self):
        create = ("token", "create", "--label", "x")
        self.assert_fails("must be a duration such as", *create, "--expires-in", "30")
        self.assert_fails("from 1ms to 36500d", *create, "--expires-in", "99999999999d")
        self.assert_fails("--label is given twice", *create, "--label", "y")
        self.assert_fails("no option -j: options are words behind two dashes", "caller", "-j")
        self.assert_fails("2027-01-31T18:00:00Z", *create, "--expires-at", "soon")
        self.assert_fails("one of api ui", *create, "--channel", "api,web")
        self.assert_fails("must be KEY=VALUE", *create, "--metadata", "x")
        self.assert_fails("--label is missing", "token", "create")
        self.assert_fails("one of leaked rotated", "token", "deactivate", "tok_x", "--reason", "bored")
        self.assert_fails("one of all logins", "whitelist", "enable", "--scope", "some")
        self.assert_fails("from 0 to 128", "whitelist", "add", "::1", "--bits", "129")
        self.assert_fails("--administrator is missing", "company", "create", "Acme")
        self.assert_fails("one of api ui", "validate", "--channel", "x")

    def test_what_is_empty_never_means_all_or_nothing(self):
        """What scripts type whose variable was never set."""
        for words in (["token", "create", "--label", "x", "--allowed-ip", ""], ["token", "update", "tok_x", "--allowed-ip", ""],
                      ["token", "update", "tok_x", "--permission", ""], ["member", "update", "x", "--role", ""],
                      ["token", "deactivate", "--label", "", "--unused-since", "2026-01-01", "--yes"],
                      ["whitelist", "add", "192.0.2.1", "--draft", ""], ["caller", "--company", ""],
                      ["validate", "--client-ip", ""], ["token", "create", "--label", "x", "--secret-file", ""]):
            with self.subTest(words):
                self.assert_fails("^latchkey: --[a-z-]+ is empty: type [A-Z-]+, or ", *words)

    def test_what_contradicts_itself_is_refused(self):
        self.assert_fails("--expires-in or --expires-at, not both",
                          "token", "update", "tok_x", "--expires-at", "never", "--expires-in", "5d")
        self.assert_fails("--for or --until, not both", "token", "suspend", "tok_x", "--for", "2h", "--until", "2027-01-31")
        self.assert_fails("--expires-in or --expires-at, not both",
                          "whitelist", "add", "192.0.2.1", "--expires-at", "2027-01-31", "--expires-in", "5d")
        for option in (["--no-publish"], ["--draft", "dra_x"]):
            self.assert_fails(f"{option[0]} or --confirm-within, not both",
                              "whitelist", "import", "/dev/null", "--confirm-within", "10m", *option)
        self.assert_fails("key shop twice", "token", "create", "--label", "x", "--metadata", "shop=12,shop=13")

    def test_what_is_not_utf8_is_told(self):
        self.assert_fails("--label is not UTF-8", "token", "create", "--label", "\udcff")
        self.assert_fails("argument 2 behind the command is not UTF-8", "whitelist", "add", "192.0.2.1", "\udcff")

    def test_errors_before_a_call_are_json_too(self):
        done = run_latchkey("token", "show", "--json")
        self.assertEqual(done.returncode, 2)
        error = json.loads(done.stderr)["error"]
        self.assertEqual((error["status"], error["exit_code"]), ("INVALID_ARGUMENT", 2))
        self.assertIn("TOKEN-ID", error["message"])

    def test_nothing_typed_is_help_and_wrong(self):
        done = run_latchkey()
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        self.assertIn("usage: latchkey COMMAND", done.stderr)

    def test_help_is_had_in_every_way(self):
        everything = run_latchkey("help")
        self.assertEqual((everything.returncode, everything.stderr), (0, ""))
        self.assertEqual(run_latchkey("--help").stdout, everything.stdout)
        one = run_latchkey("token", "create", "--help")
        self.assertEqual((one.returncode, one.stderr), (0, ""))
        self.assertIn("--secret-file FILE", one.stdout)
        self.assertEqual(run_latchkey("help", "token", "create").stdout, one.stdout)
        self.assertEqual(run_latchkey("-h").stdout, everything.stdout)
        self.assertEqual(run_latchkey("token", "create", "-h").stdout, one.stdout)
        self.assertEqual(run_latchkey("token", "--help").stdout, run_latchkey("help", "token").stdout)

    def test_the_version_is_told(self):
        self.assertRegex(run_latchkey("version").stdout, r"^latchkey \d+\.\d+\.\d+\n$")
        self.assertEqual(run_latchkey("--version").stdout, run_latchkey("version").stdout)
        self.assertRegex(json.loads(run_latchkey("version", "--json").stdout)["version"], r"^\d+\.\d+\.\d+$")

    def test_output_that_does_not_arrive_is_a_failure(self):
        with open("/dev/full", "w", encoding="ascii") as full:
            done = subprocess.run([program("latchkey"), "help"], stdout=full, stderr=subprocess.PIPE, text=True, check=False)
        self.assertEqual(done.returncode, 6)
        self.assertIn("could not be written", done.stderr)

    def test_validate_and_explain_say_where_the_token_belongs(self):
        self.assert_fails("LATCHKEY_VALIDATE_TOKEN.*--secret-file", "validate")
        self.assert_fails("TOKEN-ID.*LATCHKEY_VALIDATE_TOKEN.*--secret-file", "explain")


class Completion(unittest.TestCase):
    """The script is sourced by a real bash, which is asked what it would offer."""

    SCRIPT = """source <("$0" completion bash); COMP_WORDS=("${@:1}"); COMP_CWORD=$(($# - 1))
_latchkey || true; ((${#COMPREPLY[@]} == 0)) || printf '%s\\n' "${COMPREPLY[@]}"; complete -p latchkey >&2"""

    def complete(self, *words):
        done = subprocess.run(["bash", "-euc", self.SCRIPT, program("latchkey"), "latchkey", *words],
                              capture_output=True, text=True, check=True)
        self.assertIn("-F _latchkey latchkey", done.stderr)
        return done.stdout.splitlines()

    def test_nouns(self):
        nouns = self.complete("")
        for noun in ("migrate", "bootstrap", "caller", "company", "token", "whitelist", "validate", "help"):
            self.assertIn(noun, nouns)
        self.assertEqual(len(nouns), len(set(nouns)))
        self.assertEqual(self.complete("wh"), ["whitelist"])
        self.assertEqual(self.complete("zz"), [])

    def test_arguments_that_are_files(self):
        with tempfile.TemporaryDirectory() as directory:
            (Path(directory) / "list.csv").touch()
            start = f"{directory}/li"
            for words in (("whitelist", "import"), ("whitelist", "import", "--replace"), ("token", "import"), ("permissions", "set"),
                          ("token", "create", "--secret-file"), ("invitation", "create", "--file"), ("caller", "--tls-ca"),
                          ("caller", "--tls-certificate"), ("caller", "--tls-key")):
                with self.subTest(words):
                    self.assertEqual(self.complete(*words, start), [f"{directory}/list.csv"])
        self.assertEqual(self.complete("whitelist", "import"), ["import"])
        self.assertEqual(self.complete("whitelist", "import", "--rep"), ["--replace"])

    def test_verbs(self):
        self.assertEqual(self.complete("token", ""), ["create", "list", "show", "update", "suspend", "resume", "rotate", "deactivate", "import",
                                                        "report"])
        self.assertEqual(self.complete("whitelist", "en"), ["enable"])
        self.assertEqual(self.complete("help", "vali"), ["validate"])
        self.assertEqual(self.complete("help", "whitelist", "en"), ["enable"])
        self.assertEqual(self.complete("permissions", ""), ["set"])
        self.assertEqual(self.complete("completion", ""), ["bash"])
        self.assertEqual(self.complete("caller", ""), [])

    def test_options_of_the_command_and_common_ones(self):
        self.assertEqual(self.complete("token", "create", "--ex"), ["--expires-in", "--expires-at", "--external-id"])
        self.assertEqual(self.complete("validate", "--client"), ["--client-ip"])
        self.assertEqual(self.complete("token", "show", "--js"), ["--json"])
        self.assertEqual(self.complete("token", "show", "tok_x", "--oper"), ["--operator"])
        self.assertEqual(self.complete("token", "list", "--secret"), [])

    def test_values_of_which_there_are_few(self):
        self.assertEqual(self.complete("whitelist", "enable", "--scope", ""), ["all", "logins"])
        self.assertEqual(self.complete("token", "deactivate", "tok_x", "--reason", "l"), ["leaked"])
        self.assertEqual(self.complete("validate", "--channel", "u"), ["ui"])
        self.assertEqual(self.complete("token", "create", "--channel", ""), ["api", "ui"])
        self.assertEqual(self.complete("caller", "--tls", "o"), ["on", "off"])

    def test_common_options_in_front_of_the_command(self):
        self.assertEqual(self.complete("--json", "wh"), ["whitelist"])
        self.assertEqual(self.complete("--address", "127.0.0.1:1", "token", "de"), ["deactivate"])
        self.assertEqual(self.complete("--operator", "token", "create", "--ex"), ["--expires-in", "--expires-at", "--external-id"])
        self.assertEqual(self.complete("--oper"), ["--operator"])
        self.assertEqual(self.complete("--address", ""), [])

    def test_files(self):
        with tempfile.TemporaryDirectory() as directory:
            (Path(directory) / "secret one").touch()
            self.assertEqual(self.complete("validate", "--secret-file", f"{directory}/sec"), [f"{directory}/secret one"])

    def test_another_shell_is_refused(self):
        done = run_latchkey("completion", "tcsh")
        self.assertEqual((done.returncode, done.stdout), (2, ""))


if __name__ == "__main__":
    unittest.main()
