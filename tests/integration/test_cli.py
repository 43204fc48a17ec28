"""The command line against real servers: wrong input first, then what each command does, says and exits with."""

import json
import os
import pty
import signal
import stat
import subprocess
import unittest
import uuid

from cli_case import SECRET, CommandCase
from latchkey_test import free_port, program

CREATE = ("token", "create", "--secret-file", "-")


class Calls(CommandCase):
    # ---- wrong input first ----

    def test_without_a_token_it_says_where_to_put_it(self):
        self.assert_fails(3, "put yours into LATCHKEY_TOKEN", "caller", without=["LATCHKEY_TOKEN"])
        self.assert_fails(3, "put yours into LATCHKEY_OPERATOR_TOKEN", "caller", "--operator",
                          without=["LATCHKEY_OPERATOR_TOKEN"])

    def test_a_token_that_is_none_is_refused_by_the_server(self):
        error = self.assert_fails(3, "MALFORMED", "caller", LATCHKEY_TOKEN="lka_nonsense")
        self.assertIn("\n  your token came from LATCHKEY_TOKEN\n", error)
        self.assertNotIn("nonsense", error)
        self.assert_fails(2, "LATCHKEY_TOKEN holds no secret", "caller", LATCHKEY_TOKEN="two words")
        self.assert_fails(2, "LATCHKEY_TOKEN holds no secret", "caller", LATCHKEY_TOKEN="x" * 4097)
        self.assert_fails(2, "standard input holds no secret", "caller", "--token-file", "-", stdin="x" * 4097)
        self.assert_fails(3, "MALFORMED", "caller", "--token-file", "-", stdin="x" * 4096 + "\n")

    def test_a_refused_token_is_told_where_it_came_from(self):
        path, nonsense = self.path(), "lka_nonsense"
        path.write_text(nonsense)
        self.assertIn(f"came from {path}\n", self.assert_fails(3, "MALFORMED", "caller", "--token-file", path))
        self.assertIn("came from standard input\n", self.assert_fails(3, "MALFORMED", "caller", "--token-file", "-", stdin=nonsense))
        self.assertIn("came from LATCHKEY_OPERATOR_TOKEN\n",
                      self.assert_fails(3, "MALFORMED", "caller", "--operator", LATCHKEY_OPERATOR_TOKEN=nonsense))

    def test_fields_are_called_by_what_was_typed_and_told_once(self):
        error = self.assert_fails(2, "INVALID_ARGUMENT", *CREATE, "--label", "x", "--permission", "charges.read,zzzz.qqqqqqqq")
        self.assertEqual(error, "latchkey: --permission zzzz.qqqqqqqq: there is no permission zzzz.qqqqqqqq; ListPermissions names "
                                "them all [INVALID_ARGUMENT]\n  `latchkey permissions` lists them\n")
        error = self.assert_fails(2, "INVALID_ARGUMENT", *CREATE, "--label", "", "--allowed-ip", "10.0.0.0/8,10.0.0.0/99")
        self.assertIn("\n  --label: ", error)
        self.assertIn("\n  --allowed-ip 10.0.0.0/99: ", error)

    def test_fields_whose_option_has_another_name_are_called_by_it(self):
        self.assert_fails(2, "--contains: type an address", "whitelist", "show", "--contains", "x")
        self.assert_fails(2, "--administrator: type one e-mail", "company", "create", "Acme", "--administrator", "x", "--operator")
        self.assert_fails(2, "--draft: ", "whitelist", "show", "--draft", "x")
        self.assert_fails(2, "--domain: .*\n  --channel ui says so", *CREATE, "--label", "x", "--domain", "example.com")
        self.assert_fails(2, "came from --company or LATCHKEY_COMPANY", "caller", "--company", "x")

    def test_a_server_that_is_not_there_is_unavailable(self):
        self.assert_fails(4, "NOT_REACHABLE.*\n.*is latchkeyd running", "caller", "--address", f"127.0.0.1:{free_port()}")
        self.assert_fails(4, "NOT_REACHABLE", "caller", "--address", "unix:/nowhere/at/all")
        self.assert_fails(4, "NAME_NOT_FOUND", "caller", "--address", "no-such-host.invalid:7070")

    def test_an_address_that_is_none_is_told(self):
        self.assert_fails(2, 'the address "127.0.0.1"', "caller", "--address", "127.0.0.1")
        self.assert_fails(2, 'the address "x:99999"', "caller", LATCHKEY_ADDRESS="x:99999")

    def test_a_port_that_speaks_something_else_is_told(self):
        self.assert_fails(6, "gRPC on port 7070", "caller", "--address", self.deployment.server.admin_address)

    def test_failures_are_json_for_programs(self):
        done = self.run_command(*CREATE, "--label", "", "--permission", "charge.create", "--json")
        error = json.loads(done.stderr)["error"]
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        self.assertEqual((error["status"], error["reason"], error["exit_code"]), ("INVALID_ARGUMENT", "INVALID_ARGUMENT", 2))
        self.assertEqual([field["field"] for field in error["fields"]], ["label", "permissions[0]"])
        self.assertIn("charges.create", error["fields"][1]["description"])

    def test_what_another_company_has_is_not_found(self):
        self.assert_fails(5, "NOT_FOUND", "token", "show", "tok_00000000000000000000000000")

    def test_what_the_token_may_not_do_is_not_allowed(self):
        weak = self.make_token("weak", "--permission", "charges.read")["secret"]
        self.assert_fails(3, "PERMISSION_MISSING", "token", "list", LATCHKEY_TOKEN=weak)

    # ---- who calls, and whom ----

    def test_the_caller_is_shown(self):
        shown = self.run_well("caller")
        self.assertRegex(shown, r"(?m)^company +cmp_[0-9a-z]{26}$")
        self.assertRegex(shown, r"(?m)^email +administrator@demo.example$")
        self.assertRegex(shown, r"(?m)^permissions +charges.create\n +charges.read$")
        caller = self.run_json("caller")["caller"]
        self.assertEqual((caller["email"], caller["kind"]), ("administrator@demo.example", "TOKEN_KIND_ACCESS"))
        self.assertNotIn("expires_at", caller)

    def test_the_token_comes_from_a_file_or_standard_input_too(self):
        secret, path = self.deployment.secrets["LATCHKEY_TOKEN"], self.path()
        path.write_text(secret + "\n")
        mine = self.run_well("caller")
        for options, changed in ((("--token-file", path), {}), (("--token-file", "-"), {"stdin": secret}),
                                 ((), {"LATCHKEY_TOKEN_FILE": str(path)})):
            with self.subTest(options):
                self.assertEqual(self.run_well("caller", *options, without=["LATCHKEY_TOKEN"], **changed), mine)
        self.assert_fails(2, "can't read", "caller", "--token-file", self.path())

    def test_two_tokens_of_the_environment_are_refused(self):
        """Else the file is not looked at, and the wrong company is changed."""
        path = self.path()
        path.write_text(self.deployment.secrets["LATCHKEY_TOKEN"])
        self.assert_fails(2, "LATCHKEY_TOKEN and LATCHKEY_TOKEN_FILE are both set", "caller", LATCHKEY_TOKEN_FILE=str(path))
        self.run_well("caller", "--token-file", path, LATCHKEY_TOKEN_FILE="/nowhere")
        self.run_well("caller", "--operator", LATCHKEY_TOKEN_FILE=str(path))

    def test_a_secret_is_asked_for_unseen_on_a_terminal(self):
        for words in (["caller", "--token-file", "-"], ["validate", "--secret-file", "-"], ["token", "report", "--secret-file", "-"]):
            with self.subTest(words):
                said, code, _ = self.answer_on_a_terminal(words, b"lka_nonsense\n")
                self.assertRegex(said, "^Paste the secret: ")
                self.assertNotIn("nonsense", said)
                self.assertNotIn(code, (None, -9))

    def test_the_terminal_shows_what_is_typed_again_after_ctrl_c(self):
        said, code, shown = self.answer_on_a_terminal(["token", "report"], b"\x03")
        self.assertRegex(said, "^Paste what was found: ")
        self.assertEqual((code, shown), (-signal.SIGINT, True))

    def test_watching_leaves_what_the_terminal_scrolled_off(self):
        words = ["token", "list", "--watch"]
        said, code, _ = self.answer_on_a_terminal(words, b"\x03")
        self.assertRegex(said, r"\A\x1b\[H\x1b\[2J[^\x1b]+\Z")
        self.assertEqual(code, -signal.SIGINT)
        self.assertNotIn("\x1b", self.answer_on_a_terminal(words, b"\x03", kind="dumb")[0])

    def test_the_operator_acts_for_a_company(self):
        own = self.run_json("caller")["caller"]["company_id"]
        operator = self.run_json("caller", "--operator")["caller"]
        self.assertIn("latchkey.operate", operator["permissions"])
        for options, changed in ((("--company", own), {}), ((), {"LATCHKEY_COMPANY": own})):
            acting = self.run_json("caller", "--operator", *options, **changed)["caller"]
            self.assertEqual((acting["company_id"], acting["acting_for_company"]), (own, True))
        self.assertRegex(self.run_well("caller", "--operator", "--company", own), "acting +as operator")
        self.assert_fails(3, "latchkey.operate", "caller", "--company", operator["company_id"])

    def test_an_operator_who_can_not_confirm_is_told_what_an_operator_can_do(self):
        own = self.run_json("caller")["caller"]["company_id"]
        draft = self.run_json("draft", "create", "--empty")["draft"]["draft_id"]
        self.run_well("whitelist", "add", "192.0.2.1", "--draft", draft)
        self.run_well("whitelist", "add", "127.0.0.0/8")
        self.run_well("whitelist", "enable")
        self.addCleanup(self.run_command, "whitelist", "disable", "--operator", "--company", own)
        self.run_well("draft", "publish", draft, "--confirm-within", "10m", "--force")
        acting = ("--operator", "--company", own)
        self.assert_fails(3, "COMPANY_IP_NOT_LISTED.\n  as the operator you can .*`latchkey whitelist disable`", "whitelist", "confirm", *acting)
        self.assert_fails(3, "COMPANY_IP_NOT_LISTED.\n  call from a listed address", "whitelist", "show")

    def test_each_service_may_have_an_address_of_its_own(self):
        nowhere, here = f"127.0.0.1:{free_port()}", self.deployment.server.address
        self.run_well("caller", LATCHKEY_ADDRESS=nowhere, LATCHKEY_TOKEN_ADDRESS=here)
        self.run_well("company", "show", LATCHKEY_ADDRESS=nowhere, LATCHKEY_INVITATION_ADDRESS=here)
        self.assert_fails(4, "NOT_REACHABLE", "company", "show", LATCHKEY_ADDRESS=nowhere, LATCHKEY_TOKEN_ADDRESS=here)
        self.run_well("company", "show", "--address", here, LATCHKEY_INVITATION_ADDRESS=nowhere)

    def test_the_catalogue_is_listed(self):
        self.assertRegex(self.run_well("permissions"), r"(?m)^charges.create +Charge a customer$")
        names = [permission["name"] for permission in self.run_json("permissions")["permissions"]]
        self.assertEqual(names, sorted(names))
        self.assertIn("latchkey.operate", names)


class Tokens(CommandCase):
    def test_a_secret_file_holds_the_secret_and_nothing_else_does(self):
        for options in ((), ("--json",)):
            path = self.path()
            said = self.run_well("token", "create", "--label", "x", "--secret-file", path, *options)
            self.assertRegex(path.read_text(), f"^{SECRET}\n$")
            self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o600)
            self.assertNotRegex(said, SECRET)
            self.assertIn(str(path), said)
            self.run_well("caller", LATCHKEY_TOKEN=path.read_text().strip())

    def test_a_secret_file_is_not_written_over_and_not_left_behind(self):
        path, before = self.path(), len(self.run_json("token", "list")["access_tokens"])
        path.write_text("precious")
        self.assert_fails(5, "exists already", "token", "create", "--label", "x", "--secret-file", path)
        self.assertEqual(path.read_text(), "precious")
        self.assertEqual(len(self.run_json("token", "list")["access_tokens"]), before)
        path.unlink()
        self.assert_fails(2, "label", "token", "create", "--label", "", "--secret-file", path)
        self.assertFalse(path.exists())
        self.assert_fails(4, "NOT_REACHABLE", "token", "create", "--label", "x", "--secret-file", path,
                          LATCHKEY_ADDRESS=f"127.0.0.1:{free_port()}")
        self.assertFalse(path.exists())

    def test_without_a_secret_file_the_secret_is_the_last_line_on_a_terminal(self):
        said = self.on_a_terminal("token", "create", "--label", "x").replace("\r", "")
        self.assertRegex(said, f"(?m)shown this once: keep it now.*\n\n{SECRET}\n\\Z")
        self.run_well("caller", LATCHKEY_TOKEN=said.split()[-1])

    def test_a_secret_goes_into_a_pipe_only_where_that_is_said(self):
        before = len(self.run_json("token", "list")["access_tokens"])
        for options in ((), ("--json",)):
            self.assert_fails(2, "is no terminal.*--secret-file -", "token", "create", "--label", "x", *options)
        self.assertEqual(len(self.run_json("token", "list")["access_tokens"]), before)
        said = self.run_well("token", "create", "--label", "x", "--secret-file", "-")
        self.assertRegex(said, f"(?m)^{SECRET}\n\\Z")

    def test_every_option_of_a_token_arrives(self):
        made = self.make_token(
            "till 7", "--permission", "charges.create, charges.read", "--permission", "refunds.create", "--channel", "api,ui",
            "--allowed-ip", "127.0.0.0/8,203.0.113.7", "--domain", "*.shop.example", "--description", "by the door",
            "--metadata", "shop=12", "--external-id", uuid.uuid4().hex, "--company-owned",
            "--not-before", "2027-01-31", "--expires-at", "2027-01-31T18:00:00+01:00")["access_token"]
        self.assertEqual(made["label"], "till 7")
        self.assertEqual(sorted(made["permissions"]), ["charges.create", "charges.read", "refunds.create"])
        self.assertEqual(made["channels"], ["CHANNEL_API", "CHANNEL_UI"])
        self.assertEqual(sorted(made["allowed_ips"]), ["127.0.0.0/8", "203.0.113.7/32"])
        self.assertEqual((made["allowed_domains"], made["description"]), (["*.shop.example"], "by the door"))
        self.assertEqual((made["metadata"], made["member_id"]), ({"shop": "12"}, ""))
        self.assertEqual((made["not_before"], made["expires_at"]), ("2027-01-31T00:00:00Z", "2027-01-31T17:00:00Z"))
        shown = self.run_well("token", "show", made["token_id"])
        for part in ("owner +the company", "channels +api, ui", "domains +\\*.shop.example", "metadata +shop=12",
                     "state +not-yet-valid", "expires +2027-01-31T17:00:00Z"):
            self.assertRegex(shown, part)
        waiting = self.run_json("token", "list", "--state", "not-yet-valid", "--label", "till 7")["access_tokens"]
        self.assertEqual([token["token_id"] for token in waiting], [made["token_id"]])

    def test_a_repeated_request_makes_one_token_and_shows_no_second_secret(self):
        request, path = str(uuid.uuid4()), self.path()
        first = self.make_token("once", "--request-id", request)
        again = self.make_token("once", "--request-id", request)
        self.assertEqual(again["access_token"]["token_id"], first["access_token"]["token_id"])
        self.assertEqual((again["secret"], again["secret_withheld"]), ("", True))
        self.assertIn("not shown again", self.run_well("token", "create", "--label", "once", "--request-id", request,
                                                         "--secret-file", "-"))
        self.assert_fails(5, "can't be shown again", "token", "create", "--label", "once", "--request-id", request,
                          "--secret-file", path)
        self.assertFalse(path.exists())

    def test_a_token_without_permissions_is_said_to_have_none(self):
        create = ("token", "create", "--label", "x", "--secret-file", "-")
        self.assertIn("It has no permission", self.run_well(*create))
        self.assertNotIn("It has no permission", self.run_well(*create, "--permission", "charges.read"))

    def test_a_filter_that_nothing_matches_is_said_to_be_the_cause(self):
        self.assertEqual(self.run_well("token", "list", "--label", "no such label"), "nothing matches these options\n")
        self.assertRegex(self.run_well("whitelist", "show", "--note", "nosuch"), "\nnothing matches these options\n$")
        self.assertNotIn("nothing matches", self.run_well("whitelist", "show"))

    def test_lists_are_filtered_and_newest_first(self):
        old = self.make_token("filter one", "--permission", "customers.read")["access_token"]["token_id"]
        new = self.make_token("filter two")["access_token"]["token_id"]

        def ids(*options):
            return [token["token_id"] for token in self.run_json("token", "list", *options)["access_tokens"]]

        self.assertEqual(ids()[:2], [new, old])
        self.assertEqual(ids("--label", "FILTER"), [new, old])
        self.assertEqual(ids("--label", "filter", "--permission", "customers.read"), [old])
        self.assertNotIn(new, ids("--state", "deactivated"))
        self.assertIn("nothing matches", self.run_well("token", "list", "--label", "nothing like it"))
        self.assertRegex(self.run_well("token", "list", "--label", "filter"),
                         f"^TOKEN +LABEL +STATE.*\n{new} +filter two +active.*\n{old} +filter one +active")

    def test_what_others_wrote_can_not_command_the_terminal(self):
        token = self.make_token("evil\u009b31m \u202e")["access_token"]["token_id"]
        for words in (("token", "list"), ("token", "show", token), ("token", "deactivate", token, "--yes")):
            self.assertNotRegex(self.run_well(*words), "[\x00-\x09\x0b-\x1f\x7f-\x9f]")

    def test_a_deactivated_token_is_refused_and_ending_it_again_is_no_error(self):
        made = self.make_token()
        token = made["access_token"]["token_id"]
        self.assertRegex(
            self.run_well("token", "deactivate", token, "--yes", "--reason", "leaked", "--note", "on a forum", "--wait", "5s"),
            rf"^deactivated {token} \(of a test\); confirmed by \d+ of \d+ validators in \d+ ms\n$")
        self.assert_fails(3, "DEACTIVATED", "caller", LATCHKEY_TOKEN=made["secret"])
        self.assert_fails(2, "say --yes", "token", "deactivate", token)
        self.assertRegex(self.run_well("token", "deactivate", token, "--yes"),
                         rf"^nothing to do: {token} \(of a test\) was deactivated already at 20\S+Z\n$")
        ended = self.run_json("token", "show", token)["access_token"]
        self.assertEqual((ended["state"], ended["deactivate_reason"], ended["deactivate_note"]),
                         ("TOKEN_STATE_DEACTIVATED", "DEACTIVATE_REASON_LEAKED", "on a forum"))

    def test_waiting_for_a_validator_that_lags_is_told_by_name_and_exit_code(self):
        token, instance = self.make_token()["access_token"]["token_id"], uuid.uuid4()
        self.deployment.execute(f"SELECT latchkey.validator_register('{instance}', 'validator-7', '', 60000, "
                                "array_fill(0::bigint, ARRAY[65]))")
        try:
            said = self.run_well("token", "deactivate", token, "--yes", "--wait", "200ms", code=1)
            self.assertRegex(said, r"only confirmed by \d+ of \d+ validators in \d+ ms, not yet by: validator-7")
            validators = self.run_json("token", "deactivate", token, "--yes", "--wait", "200ms", code=1)["validators"]
            self.assertEqual((validators["all_confirmed"], validators["lagging"]), (False, ["validator-7"]))
        finally:
            self.deployment.execute(f"SELECT latchkey.validator_deregister('{instance}')")

    # ---- asking first ----

    def answer(self, token, typed):
        """(exit code, what was asked) of a deactivation on a terminal."""
        terminal, theirs = pty.openpty()
        process = subprocess.Popen([program("latchkey"), "token", "deactivate", token], stdin=theirs, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True, env={**os.environ, **self.environment()})
        os.close(theirs)
        os.write(terminal, typed)
        _, asked = process.communicate(timeout=60)
        os.close(terminal)
        return process.returncode, asked

    def test_on_a_terminal_it_asks_first(self):
        token = self.make_token()["access_token"]["token_id"]
        for typed in (b"n\n", b"\n", b"yikes\n", b"\x04"):
            code, asked = self.answer(token, typed)
            self.assertEqual(code, 1)
            self.assertIn(f"Deactivate {token} (of a test) for good? [y/N]", asked)
        self.assertEqual(self.run_json("token", "show", token)["access_token"]["state"], "TOKEN_STATE_ACTIVE")
        self.assertEqual(self.answer(token, b"y\n")[0], 0)
        self.assertEqual(self.run_json("token", "show", token)["access_token"]["state"], "TOKEN_STATE_DEACTIVATED")
        self.assertRegex(self.answer(token, b"n\n")[1], rf"Deactivate {token} \(of a test, deactivated already at 20\S+Z\) for good")


class Whitelist(CommandCase):
    def setUp(self):
        self.run_well("whitelist", "disable", "--force")
        entries = [entry["entry_id"] for entry in self.run_json("whitelist", "show")["entries"]]
        for first in range(0, len(entries), 1000):
            self.run_well("whitelist", "remove", *entries[first:first + 1000], "--force")

    def add(self, *words):
        return self.run_json("whitelist", "add", *words)["entries"]

    # ---- wrong input first ----

    def test_every_bad_address_is_told_and_none_added(self):
        error = self.assert_fails(2, "INVALID_ARGUMENT", "whitelist", "add", "203.0.113.7", "10.0.0.1/33", "010.0.0.1", "::1/129")
        for typed in ("10.0.0.1/33", "010.0.0.1", "::1/129"):
            self.assertIn(f"\n  {typed}: ", error)
        self.assertNotIn("203.0.113.7", error)
        self.assertEqual(self.run_json("whitelist", "show")["entries"], [])

    def test_what_is_neither_an_id_nor_a_range_is_not_removed(self):
        self.assert_fails(2, "neither an entry's id", "whitelist", "remove", "office")
        self.assert_fails(5, "no entry is exactly 203.0.113.0/24", "whitelist", "remove", "203.0.113.0/24")

    def test_locking_oneself_out_takes_force(self):
        self.assert_fails(5, "LOCKS_OUT_CALLER.*\n.*--force", "whitelist", "enable")
        self.add("203.0.113.0/24")
        self.assert_fails(5, "127.0.0.1", "whitelist", "enable")
        self.add("127.0.0.0/8")
        self.run_well("whitelist", "enable")
        self.assert_fails(5, "LOCKS_OUT_CALLER", "whitelist", "remove", "127.0.0.0/8")
        self.assert_fails(2, "0.0.0.0/0: .*\n.*--force", "whitelist", "add", "0.0.0.0/0")

    # ---- what it does ----

    def test_entries_are_added_as_typed_and_shown(self):
        said = self.run_command("whitelist", "add", "203.0.113.9", "2001:db8::1", "--bits", "24", "--note", "office",
                                "--owner", "it", "--expires-in", "1h")
        self.assertEqual((said.returncode, said.stderr), (0, ""))
        self.assertRegex(said.stdout, r"(?m)^ent_[0-9a-z]{26} +203\.0\.113\.0/24 +active +20\S+Z +never +office$")
        self.assertRegex(said.stdout, r"(?m)^ent_[0-9a-z]{26} +2001:d00::/24 ")
        entry = self.run_json("whitelist", "show", "--contains", "203.0.113.200")["entries"][0]
        self.assertEqual((entry["address"], entry["checking_bits"], entry["owner"]), ("203.0.113.9", 24, "it"))
        self.assertIn("expires_at", entry)
        self.assertIn("the whitelist is off", self.run_well("whitelist", "show"))

    def test_an_entry_inside_another_is_added_with_a_warning(self):
        self.add("203.0.113.0/24")
        said = self.run_command("whitelist", "add", "203.0.113.7")
        self.assertEqual(said.returncode, 0)
        self.assertRegex(said.stderr, r"203\.0\.113\.7: .*203\.0\.113\.0/24")

    def test_an_entry_that_was_there_is_added_once_more_and_said_to_be(self):
        self.add("203.0.113.7")
        said = self.run_command("whitelist", "add", "203.0.113.7")
        self.assertEqual((said.returncode, said.stderr),
                         (0, "latchkey: 203.0.113.7: added once more: 203.0.113.7/32 was in the list already\n"))
        self.assertEqual(len(self.run_json("whitelist", "show")["entries"]), 2)

    def test_what_a_range_stands_for_is_said_where_bits_were_dropped(self):
        said = self.run_well("whitelist", "add", "2001:db8::1/32", "203.0.113.0/24", "::ffff:10.1.2.3/104")
        self.assertEqual([line for line in said.splitlines() if "stands for" in line],
                         ["2001:db8::1/32 stands for 2001:db8::/32", "::ffff:10.1.2.3/104 stands for 10.0.0.0/8"])
        said = self.run_command("whitelist", "add", "198.51.100.9", "--bits", "24").stdout
        self.assertIn("\n198.51.100.9/24 stands for 198.51.100.0/24\n", said)
        said = self.run_well("token", "create", "--label", "x", "--allowed-ip", "10.0.0.1/8,192.0.2.0/24", "--secret-file", "-")
        self.assertIn("\n10.0.0.1/8 stands for 10.0.0.0/8\n", said)
        self.assertNotIn("192.0.2.0/24 stands", said)

    def test_removing_nothing_is_refused(self):
        entry = self.add("203.0.113.0/24")[0]["entry_id"]
        self.assertRegex(self.run_well("whitelist", "remove", entry, "ent_01jd2v8x3xfmvrnb2ed2ktqaaa"), "^removed 1 of 2; ")
        self.assert_fails(5, "removed 0 of 1: the list holds no such entries", "whitelist", "remove", entry)
        self.assert_fails(5, '"exit_code": 5', "whitelist", "remove", entry, "--json")

    def test_switched_on_it_says_so(self):
        self.add("127.0.0.0/8")
        self.assertRegex(self.run_well("whitelist", "enable"), "^the whitelist is on, for every token; entries: 1;")
        self.assertRegex(self.run_well("whitelist", "enable", "--scope", "logins", "--wait", "5s"),
                         "^the whitelist is on, for log-ins only; entries: 1; confirmed by")
        settings = self.run_json("whitelist", "disable")["whitelist"]
        self.assertEqual((settings["enabled"], settings["scope"]), (False, "WHITELIST_SCOPE_LOGINS"))

    def test_switched_on_for_a_time_it_says_what_comes_then_and_is_confirmed(self):
        self.add("127.0.0.0/8")
        said = self.run_well("whitelist", "enable", "--scope", "logins", "--confirm-within", "10m")
        self.assertRegex(said, "^the whitelist is on, for log-ins only; entries: 1; it goes off at .* unless `latchkey whitelist confirm` is said")
        self.assertRegex(self.run_well("whitelist", "show"), "; it goes off at ")
        self.assert_fails(5, "CONFIRMATION_PENDING", "whitelist", "enable", "--scope", "all")
        self.assertRegex(self.run_well("whitelist", "confirm"), "^the whitelist is on, for log-ins only; entries: 1; validators")
        said = self.run_well("whitelist", "enable", "--scope", "all", "--confirm-within", "10m")
        self.assertIn("; it covers log-ins only again at ", said)
        self.assertEqual(self.run_json("whitelist", "confirm")["whitelist"]["scope"], "WHITELIST_SCOPE_ALL")
        again = self.run_command("whitelist", "enable", "--confirm-within", "10m")
        self.assertEqual((again.returncode, "nothing waits to be confirmed" in again.stderr), (0, True))
        self.assert_fails(2, "confirm-within", "whitelist", "disable", "--confirm-within", "10m")

    def test_an_address_is_checked_with_its_entry_or_the_nearest_one(self):
        entry = self.add("203.0.113.0/24", "--note", "office")[0]["entry_id"]
        said = self.run_well("whitelist", "check", "203.0.113.7")
        self.assertRegex(said, rf'^LISTED 203\.0\.113\.7: 203\.0\.113\.0/24 \({entry}, "office"\)')
        self.assertIn("the whitelist is off", said)
        said = self.run_well("whitelist", "check", "203.0.114.7", code=1)
        self.assertRegex(said, rf"^NOT LISTED 203\.0\.114\.7: the nearest entry is 203\.0\.113\.0/24 \({entry}, \"office\"\), "
                               "with 22 of its 24 bits in common")
        self.assertIn("no entry of its kind", self.run_well("whitelist", "check", "2001:db8::1", code=1))
        answer = self.run_json("whitelist", "check", "203.0.114.7", code=1)
        self.assertEqual((answer["listed"], answer["nearest_miss"]["entry_id"], answer["nearest_miss_common_bits"]),
                         (False, entry, 22))
        self.assertRegex(self.run_well("whitelist", "check", code=1), "^NOT LISTED 127.0.0.1")
        self.assert_fails(2, "client_ip", "whitelist", "check", "nonsense")

    def test_entries_are_removed_by_id_and_by_exact_range(self):
        first, second = (entry["entry_id"] for entry in self.add("203.0.113.0/24", "203.0.113.7"))
        self.assertRegex(self.run_well("whitelist", "remove", "203.0.113.99/24"), "^removed 1 of 1; ")
        self.assertEqual([entry["entry_id"] for entry in self.run_json("whitelist", "show")["entries"]], [second])
        self.assertEqual(self.run_json("whitelist", "remove", second, first)["count"], 1)

    def test_a_long_list_is_shown_whole(self):
        self.add(*(f"10.{i // 250}.{i % 250}.0/24" for i in range(2345)))
        shown = self.run_json("whitelist", "show")
        self.assertEqual(len({entry["cidr"] for entry in shown["entries"]}), 2345)
        self.assertEqual(shown["whitelist"]["entry_count"], 2345)
        self.assertEqual(len(self.run_well("whitelist", "show").splitlines()), 2345 + 2)

    def test_a_terminal_gets_what_can_be_read(self):
        self.add(*(f"10.{i // 250}.{i % 250}.0/24" for i in range(1100)))
        said = self.on_a_terminal("whitelist", "show").splitlines()
        self.assertEqual((len(said), said[-1]), (1000 + 3, "these are the first 1000; --limit shows more"))
        self.assertEqual(len(self.on_a_terminal("whitelist", "show", "--limit", "1050").splitlines()), 1050 + 2)


class Companies(CommandCase):
    def test_the_own_company_is_shown(self):
        shown = self.run_well("company", "show")
        self.assertRegex(shown, r"^company +cmp_[0-9a-z]{26}\nname +Demo\nstate +active\n")
        self.assertEqual(self.run_json("company", "show")["company"]["name"], "Demo")

    def test_the_operator_makes_companies_and_shows_them(self):
        made = self.run_json("company", "create", "Example Ltd", "--administrator", "it@example.com", "--external-id", "crm-7",
                             "--operator")
        company = made["company"]["company_id"]
        self.assertEqual(made["administrator"]["email"], "it@example.com")
        self.assertRegex(self.run_well("company", "show", company, "--operator"), r"external id +crm-7")
        self.assert_fails(5, "NOT_FOUND", "company", "show", company)
        self.assert_fails(5, "crm-7", "company", "create", "Another", "--administrator", "it@example.com", "--external-id",
                          "crm-7", "--operator")

    def test_the_operator_makes_a_new_companys_first_token_and_lets_a_locked_out_one_in_again(self):
        """What docs/operations.md tells an operator to type."""
        company = self.run_json("company", "create", "New Ltd", "--administrator", "it@example.com", "--operator")["company"]
        acting, first = ("--operator", "--company", company["company_id"]), self.path()
        self.assert_fails(2, "--company-owned: .*\n  say --company-owned", *CREATE, "--label", "first", *acting)
        self.run_well("token", "create", *acting, "--company-owned", "--label", "administrator", "--permission", "latchkey.*",
                      "--permission", "charges.*", "--secret-file", first)
        own = {"without": ["LATCHKEY_TOKEN"], "LATCHKEY_TOKEN_FILE": str(first)}
        self.run_well("whitelist", "add", "203.0.113.0/24", **own)
        self.run_well("whitelist", "enable", "--force", **own)
        self.assert_fails(3, "COMPANY_IP_NOT_LISTED.*\n.*--operator --company", "whitelist", "disable", **own)
        self.run_well("whitelist", "add", "127.0.0.1", *acting)
        self.run_well("whitelist", "disable", **own)

    def test_nobody_else_makes_companies(self):
        self.assert_fails(3, "latchkey.operate", "company", "create", "Mine", "--administrator", "me@example.com")


if __name__ == "__main__":
    unittest.main()
