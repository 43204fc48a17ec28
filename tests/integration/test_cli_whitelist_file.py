"""Whitelists in files: import and export of lines, CSV and JSON, bad lines, drafts, and imports that break off."""

import ipaddress
import itertools
import json
import os
import signal
import subprocess
import unittest
import uuid
from pathlib import Path

from cli_case import CommandCase
from latchkey_test import program
from latchkey_test.waiting import wait_until

GEOIP = "/usr/share/tor/geoip"  # tor-geoipdb
MEMORY_MAX_KIB = 64 << 10
SANITIZED_MEMORY_MAX_KIB = 512 << 10  # a sanitizer keeps what is freed for a while


def numbered(count, first=0):
    """So many ranges, one on each line."""
    return "".join(f"{10 + (i >> 16)}.{(i >> 8) & 255}.{i & 255}.0/24\n" for i in range(first, first + count))


class FileCase(CommandCase):
    def setUp(self):
        self.run_well("whitelist", "disable", "--force")
        self.run_command("whitelist", "confirm")
        draft = self.run_json("draft", "create", "--empty")["draft"]["draft_id"]
        self.run_well("draft", "publish", draft, "--yes", "--force")

    def file(self, text):
        path = self.path()
        path.write_text(text, encoding="utf-8")
        return path

    def entries(self):
        return self.run_json("whitelist", "show")["entries"]

    def count(self):
        return self.run_json("whitelist", "show", "--limit", "0")["whitelist"]["entry_count"]

    def import_text(self, text, *options, code=0):
        """What it says on standard output and on standard error."""
        done = self.run_command("whitelist", "import", self.file(text), *options)
        self.assertEqual(done.returncode, code, done.stderr)
        return done.stdout, done.stderr


class Reading(FileCase):
    def test_every_bad_line_is_told_by_number_and_nothing_is_changed(self):
        text = "203.0.113.0/24\n10.0.0.1/33 # two\n\n# four\n010.0.0.1\n1.2.3.4/96\n::1/129\n"
        said, error = self.import_text(text, code=2)
        self.assertEqual(said, "")
        self.assertIn("4 of 5 entries", error)
        self.assertIn("--skip-bad", error)
        for line, sentence in ((2, "type 0 to 32 checking bits"), (5, "10.0.0.1 rather than 010.0.0.1"),
                               (6, "type 0 to 32 checking bits"), (7, "type 0 to 32 checking bits")):
            self.assertRegex(error, rf'(?m)^  line {line}: ".*": .*{sentence}')
        self.assertEqual(self.entries(), [])

    def test_skip_bad_takes_the_others_and_says_which_it_passed_over(self):
        said, error = self.import_text("203.0.113.0/24\nnonsense\n198.51.100.7\n", "--skip-bad")
        self.assertRegex(said, "^added 2 entries to the live list")
        self.assertRegex(error, '1 entry is passed over:\n  line 2: "nonsense": type')
        self.assertEqual(len(self.entries()), 2)

    def test_what_many_bad_lines_have_in_common_is_not_told_without_end(self):
        _, error = self.import_text("x\n" * 250, code=2)
        self.assertEqual(error.count("\n  line "), 100)
        self.assertIn("and 150 more", error)

    def test_bad_lines_are_fields_for_programs(self):
        done = self.run_command("whitelist", "import", self.file("10.0.0.0/8\nx\n"), "--json")
        error = json.loads(done.stderr)["error"]
        self.assertEqual((done.returncode, [field["field"] for field in error["fields"]]), (2, ["line 2"]))

    def test_programs_learn_which_lines_were_passed_over(self):
        path = self.file("203.0.113.0/24\nnonsense\n")
        answer = self.run_json("whitelist", "import", path, "--skip-bad")
        self.assertEqual((answer["added"], answer["skipped_bad"]), (1, 1))
        self.assertEqual([line["field"] for line in answer["skipped"]], ["line 2"])
        self.assertEqual(self.run_json("whitelist", "import", self.file("203.0.113.0/24\n"))["skipped"], [])

    def test_a_file_without_entries_and_one_that_is_not_there_are_refused(self):
        self.import_text("# nothing\n\n", code=2)
        self.assert_fails(2, "can't read", "whitelist", "import", self.path())
        self.assert_fails(2, "can't read", "whitelist", "import", self.directory)

    def test_a_range_that_holds_every_address_takes_force(self):
        _, error = self.import_text("0.0.0.0/0\n", code=2)
        self.assertIn("--force", error)
        self.import_text("0.0.0.0/0\n", "--force")

    def test_lines_csv_and_json_say_the_same(self):
        texts = ["203.0.113.0/24 # office\n2001:db8::/32\n",
                 "note;cidr;address;bits\noffice;;203.0.113.0;24\n;;2001:db8::/32;\n",
                 json.dumps([{"address": "203.0.113.0/24", "note": "office"}, "2001:db8::/32"]),
                 '{"address": "203.0.113.0", "checking_bits": 24, "note": "office"}\n{"ip": "2001:db8::/32"}\n']
        for text in texts:
            with self.subTest(text):
                self.setUp()
                self.import_text(text)
                self.assertEqual(sorted((entry["cidr"], entry["note"]) for entry in self.entries()),
                                 [("2001:db8::/32", ""), ("203.0.113.0/24", "office")])

    def test_it_comes_from_a_pipe_too(self):
        done = self.run_command("whitelist", "import", "-", stdin="203.0.113.0/24\n")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(len(self.entries()), 1)

    def test_columns_that_entries_do_not_have_are_named(self):
        _, error = self.import_text("address,city\n203.0.113.0/24,Graz\n")
        self.assertIn('such as "city"', error)

    def test_entries_that_have_ended_are_left_out(self):
        _, error = self.import_text("address,expires\n203.0.113.0/24,2020-01-01\n198.51.100.0/24,never\n")
        self.assertIn("1 had ended already", error)
        self.assertEqual(len(self.entries()), 1)

    def test_entries_that_were_there_are_counted(self):
        self.import_text("203.0.113.0/24\n")
        _, error = self.import_text("203.0.113.0/24\n198.51.100.0/24\n")
        self.assertIn("1 of them were in the list already", error)


class RoundTrip(FileCase):
    TEXT = ('address,bits,note,owner,expires,disabled\n203.0.113.9,24,"say ""hi"", twice",it,2099-01-31T18:00:00.123Z,\n'
            '2001:db8::1,128,"Büro;x",,,yes\n198.51.100.0/24,24,=1+1,ops,,\n')

    def test_export_gives_back_what_came_in(self):
        self.import_text(self.TEXT)
        head, *lines = self.run_well("whitelist", "export").splitlines()
        self.assertEqual([head, *sorted(lines)], [self.TEXT.splitlines()[0], *sorted(self.TEXT.splitlines()[1:])])
        kept = [{name: value for name, value in entry.items() if name not in ("entry_id", "created_at", "etag")}
                for entry in self.entries()]
        for options in ((), ("--json",)):
            file = self.file(self.run_well("whitelist", "export", *options))
            self.run_well("whitelist", "import", file, "--replace", "--yes", "--force")
            again = [{name: value for name, value in entry.items() if name not in ("entry_id", "created_at", "etag")}
                     for entry in self.entries()]
            self.assertEqual(sorted(again, key=str), sorted(kept, key=str))

    def test_an_empty_list_and_a_call_that_failed_are_told_apart(self):
        self.assertEqual(self.run_well("whitelist", "export"), "address,bits,note,owner,expires,disabled\n")
        self.assertEqual(self.run_json("whitelist", "export"), [])
        self.assert_fails(3, "MALFORMED", "whitelist", "export", LATCHKEY_TOKEN="lka_x")

    def test_a_draft_is_exported_and_filled_alone(self):
        draft = self.run_json("draft", "create", "--empty")["draft"]["draft_id"]
        self.assertIn(f"the draft {draft}", self.import_text("203.0.113.0/24\n", "--draft", draft)[0])
        self.assertEqual(self.entries(), [])
        self.assertIn("203.0.113.0/24,24,,,,\n", self.run_well("whitelist", "export", "--draft", draft))
        self.assertEqual(len(self.run_json("whitelist", "show", "--draft", draft)["entries"]), 1)
        self.run_well("draft", "discard", draft, "--yes")


class Drafts(FileCase):
    def test_replacing_asks_and_takes_the_lists_place(self):
        self.import_text("203.0.113.0/24\n")
        path = self.file("198.51.100.0/24\n")
        self.assert_fails(2, "say --yes", "whitelist", "import", path, "--replace")
        self.run_well("whitelist", "import", path, "--replace", "--yes")
        self.assertEqual([entry["cidr"] for entry in self.entries()], ["198.51.100.0/24"])

    def test_a_replacement_comes_back_unless_it_is_confirmed(self):
        said = self.run_well("whitelist", "import", self.file("127.0.0.0/8\n"), "--replace", "--confirm-within", "10m")
        self.assertIn("unless `latchkey whitelist confirm` is said", said)
        self.assertIn("confirm_by", self.run_json("whitelist", "show")["whitelist"])
        self.assert_fails(5, "waits for its confirmation", "whitelist", "import", self.file("10.0.0.0/8\n"), "--replace", "--yes")
        self.run_well("whitelist", "confirm")
        self.assertNotIn("confirm_by", self.run_json("whitelist", "show")["whitelist"])

    def test_no_publish_leaves_a_draft_to_look_at(self):
        made = json.loads(self.run_well("whitelist", "import", self.file("203.0.113.0/24\n"), "--no-publish", "--json"))
        self.assertEqual((made["added"], self.entries()), (1, []))
        preview = self.run_json("whitelist", "preview", "--draft", made["draft_id"])
        self.assertEqual((preview["locks_out_caller"], preview["client_ip"]), (True, "127.0.0.1"))
        self.assertRegex(self.run_well("draft", "publish", made["draft_id"], "--yes"), "^published; ")
        self.assertEqual(len(self.entries()), 1)

    def test_locking_oneself_out_is_refused_and_leaves_the_draft(self):
        self.import_text("127.0.0.0/8\n")
        self.run_well("whitelist", "enable")
        error = self.assert_fails(5, "LOCKS_OUT_CALLER", "whitelist", "import", self.file("10.0.0.0/8\n"), "--replace", "--yes")
        draft = error.split("the draft ")[1].split(":")[0]
        self.assertEqual(self.run_json("draft", "show", draft)["draft"]["entry_count"], 1)
        self.run_well("draft", "discard", draft, "--yes")

    def test_more_than_a_call_takes_goes_through_a_draft_at_once(self):
        self.import_text("203.0.113.0/24\n")
        said, _ = self.import_text(numbered(25001), "--wait", "10s")
        self.assertRegex(said, r"^added 25001 entries; .*entries: 25002; confirmed by 1 of 1 validators")
        self.assertEqual(self.count(), 25002)

    def test_long_notes_make_smaller_calls(self):
        text = "".join(f"{line} # {'n' * 499}{i % 10}\n" for i, line in enumerate(numbered(2500).splitlines()))
        self.import_text(text)
        self.assertEqual(self.count(), 2500)


    def test_drafts_are_listed_and_shown_as_what_they_are(self):
        draft = self.run_json("draft", "create", "--empty")["draft"]["draft_id"]
        self.run_well("whitelist", "add", "203.0.113.0/24", "--draft", draft)
        listed = self.run_json("draft", "list")["drafts"]
        self.assertEqual((listed[0]["draft_id"], listed[0]["entry_count"]), (draft, 1))
        self.assertRegex(self.run_well("draft", "list"), rf"(?m)\ADRAFT +ENTRIES .*\n{draft} +1 .* no$")
        self.assertTrue(self.run_well("whitelist", "show", "--draft", draft).startswith(f"the draft {draft}; entries: 1\n"))
        for one in listed:
            self.run_well("draft", "discard", one["draft_id"], "--yes")
        self.assertEqual(self.run_well("draft", "list"), "there are no drafts; `latchkey draft create` begins one\n")


class Limited(FileCase):
    @classmethod
    def settings(cls):
        return {"whitelist_draft_entries_max": 12000}

    def test_what_is_too_much_is_no_matter_of_trying_again(self):
        self.run_well("whitelist", "add", "192.0.2.1")
        said, error = self.import_text(numbered(13000), code=5)
        self.assertEqual((said, self.count()), ("", 1))
        self.assertIn("DRAFT_ENTRIES_LIMIT", error)
        self.assertNotIn("--request-id", error)
        self.assertEqual(self.run_json("draft", "list")["drafts"], [])
        draft = self.run_json("draft", "create")["draft"]["draft_id"]
        _, error = self.import_text(numbered(13000), "--draft", draft, code=5)
        self.assertIn(f"of 13000 entries 10000 are in the draft {draft}", error)


class Large(FileCase):
    @staticmethod
    def memory_max():
        is_sanitized = b"__asan_init" in Path(program("latchkey")).read_bytes()
        return SANITIZED_MEMORY_MAX_KIB if is_sanitized else MEMORY_MAX_KIB

    def run_measured(self, *words):
        """(standard output, memory in KiB) of a command."""
        process = subprocess.Popen([program("latchkey"), *map(str, words)], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                   env={**os.environ, **self.environment()}, text=True)
        said, error = process.stdout.read(), process.stderr.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        process.stdout.close()
        process.stderr.close()
        self.assertEqual((process.returncode, error), (0, ""))
        return said, usage.ru_maxrss

    def test_a_countrys_table_goes_in_and_comes_out_in_bounded_memory(self):
        """The first 60 000 IPv4 ranges of Debian's tor-geoipdb; the client's memory does not grow with them."""
        with open(GEOIP, encoding="ascii") as file:
            rows = (line.strip().split(",") for line in file if not line.startswith("#"))
            networks = itertools.chain.from_iterable(
                ipaddress.summarize_address_range(ipaddress.ip_address(int(first)), ipaddress.ip_address(int(last)))
                for first, last, _ in rows)
            ranges = [str(network) for network in itertools.islice(networks, 60000)]
        said, memory = self.run_measured("whitelist", "import", self.file("\n".join(ranges)), "--replace", "--yes")
        self.assertRegex(said, "^added 60000 entries; ")
        self.assertLess(memory, self.memory_max())
        said, memory = self.run_measured("whitelist", "export")
        self.assertEqual(sorted(line.split(",")[0] for line in said.splitlines()[1:]), sorted(ranges))
        self.assertLess(memory, self.memory_max())

    def test_an_import_that_was_killed_goes_on_and_is_made_once(self):
        path, request = self.file(numbered(60000)), uuid.uuid4()
        words = ("whitelist", "import", path, "--replace", "--yes", "--request-id", request)
        process = subprocess.Popen([program("latchkey"), *map(str, words)], env={**os.environ, **self.environment()},
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until(lambda: self.staged() >= 20000, 60, "two batches to be there")
        process.send_signal(signal.SIGKILL)
        process.wait(60)
        self.assertRegex(self.run_well(*words), "^added 60000 entries; ")
        self.assertEqual(self.count(), 60000)
        self.run_well(*words)  # once more changes nothing
        self.assertEqual(self.count(), 60000)

    def test_ctrl_c_says_how_to_go_on(self):
        path = self.file(numbered(60000))
        words = ["whitelist", "import", str(path), "--replace", "--yes"]
        before = self.staged()
        process = subprocess.Popen([program("latchkey"), *words], env={**os.environ, **self.environment()}, text=True,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        wait_until(lambda: self.staged() > before, 60, "a batch to be there")
        process.send_signal(signal.SIGINT)
        said, error = process.communicate(timeout=60)
        self.assertEqual((process.returncode, said, self.count()), (4, "", 0))
        self.assertRegex(error, r"^latchkey: broken off after \d+0000 of 60000 entries\n")
        more = error.split("the same command with ")[1].split(" goes on")[0].split()
        self.assertRegex(self.run_well(*words, *more), "^added 60000 entries; ")
        self.assertEqual(self.count(), 60000)

    def staged(self):
        """Entries of drafts alone: of replaced lists the sweeper takes some away meanwhile."""
        return self.deployment.execute("SELECT count(*) FROM latchkey.whitelist_entry e JOIN latchkey.whitelist_list l"
                                       " USING (list_id) WHERE l.state = 'draft'")[0][0]

    def test_on_a_terminal_it_shows_how_far_it_is(self):
        said = self.on_a_terminal("whitelist", "import", str(self.file(numbered(40000))))
        self.assertRegex(said, r"adding \[#+ *\] \d+0000 of 40000, \d+ a second")
        self.assertRegex(said, r"\r\x1b\[Kadded 40000 entries")

    def test_a_narrow_terminal_gets_no_line_that_it_breaks(self):
        said = self.on_a_terminal("whitelist", "import", str(self.file(numbered(40000))), columns=40)
        shown = [line.split("\r")[0] for line in said.split("\r\x1b[K") if line.startswith("adding")]
        self.assertTrue(shown)
        for line in shown:
            self.assertLess(len(line), 40)
        self.assertNotIn("\x1b", self.on_a_terminal("whitelist", "import", str(self.file(numbered(20000))), kind="dumb"))


if __name__ == "__main__":
    unittest.main()
