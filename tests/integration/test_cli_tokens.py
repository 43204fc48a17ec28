"""Access tokens from the command line: changed, suspended, rotated, imported, reported, and ended in bulk."""

import hashlib
import json
import os
import secrets
import signal
import subprocess
import unittest
import uuid

from cli_case import SECRET, CommandCase
from latchkey_test import program


class Tokens(CommandCase):
    def token(self, label="of a test", *options):
        return self.make_token(label, *options)["access_token"]["token_id"]

    def shown(self, token):
        return self.run_json("token", "show", token)["access_token"]

    # ---- wrong input first ----

    def test_an_update_names_something(self):
        error = self.assert_fails(2, "there is nothing to change: say --label", "token", "update", "tok_x")
        self.assertIn(" or --metadata", error)
        error = self.assert_fails(2, "INVALID_ARGUMENT", "token", "update", self.token(), "--allowed-ip", "10.0.0.0/8,10.0.0.0/99")
        self.assertIn("--allowed-ip 10.0.0.0/99: ", error)
        self.assert_fails(2, "--metadata is .*KEY=VALUE", "token", "update", "tok_x", "--metadata", "novalue")

    def test_deactivation_takes_a_token_or_filters(self):
        self.assert_fails(2, "name a token, or filters", "token", "deactivate", "--yes")
        self.assert_fails(2, "not both", "token", "deactivate", "tok_x", "--label", "x", "--yes")
        self.assert_fails(2, "say --yes", "token", "deactivate", "--label", "x")

    def test_a_file_with_bad_tokens_changes_nothing(self):
        path = self.path()
        path.write_text("sha256,label\nabc,one\n" + "0" * 64 + ",two\n", encoding="utf-8")
        error = self.assert_fails(2, "1 of 2 tokens", "token", "import", path)
        self.assertIn("\n  line 2: sha256 must be 64 hexadecimal digits", error)
        self.assertEqual(self.run_json("token", "list", "--label", "two")["access_tokens"], [])

    # ---- what they do ----

    def test_what_is_typed_is_changed_and_nothing_else(self):
        token = self.token("before", "--permission", "charges.read", "--description", "kept", "--expires-in", "1h")
        said = self.run_well("token", "update", token, "--label", "after", "--allowed-ip", "203.0.113.0/24,127.0.0.0/8", "--wait", "5s")
        self.assertRegex(said, r"(?m)^label +after$")
        self.assertRegex(said, r"(?m)^confirmed by 1 of 1 validators")
        shown = self.shown(token)
        self.assertEqual((shown["label"], shown["description"], sorted(shown["allowed_ips"])),
                         ("after", "kept", ["127.0.0.0/8", "203.0.113.0/24"]))
        self.assertIn("expires_at", shown)
        self.run_well("token", "update", token, "--allowed-ip", "any", "--expires-at", "never", "--description", "",
                      "--metadata", "shop=12,city=Graz")
        shown = self.shown(token)
        self.assertEqual((shown["allowed_ips"], shown["description"], shown["metadata"]),
                         ([], "", {"shop": "12", "city": "Graz"}))
        self.assertNotIn("expires_at", shown)

    def test_an_etag_that_is_stale_is_refused(self):
        token = self.token()
        etag = self.shown(token)["etag"]
        self.run_well("token", "update", token, "--label", "one", "--etag", etag)
        self.assert_fails(5, "ETAG_STALE", "token", "update", token, "--label", "two", "--etag", etag)

    def test_a_suspension_ends_by_hand_or_by_itself(self):
        made = self.make_token()
        token = made["access_token"]["token_id"]
        self.assertRegex(self.run_well("token", "suspend", token, "--for", "2h"), rf"^suspended {token} \(of a test\) until 20\S+Z;")
        self.assert_fails(3, "SUSPENDED", "caller", LATCHKEY_TOKEN=made["secret"])
        self.assertIn("until it is resumed", self.run_well("token", "suspend", token, "--note", "odd traffic"))
        self.assertRegex(self.run_well("token", "resume", token), rf"^resumed {token} \(of a test\), which is active now;")
        self.run_well("caller", LATCHKEY_TOKEN=made["secret"])

    def test_rotation_shows_a_new_secret_and_asks_where_the_old_one_dies(self):
        made, path = self.make_token(), self.path()
        token = made["access_token"]["token_id"]
        self.assert_fails(2, "say --yes", "token", "rotate", token, "--secret-file", path)
        self.assertFalse(path.exists())
        self.run_well("token", "rotate", token, "--grace", "1h", "--secret-file", path)
        self.assertRegex(path.read_text(), f"^{SECRET}\n$")
        for secret in (made["secret"], path.read_text().strip()):
            self.run_well("caller", LATCHKEY_TOKEN=secret)
        self.assertRegex(self.run_well("token", "show", token), r"(?m)^secret .*\n +.*, ends 20\S+Z")

    def test_a_rotation_whose_secret_was_lost_is_superseded(self):
        made = self.make_token()
        token = made["access_token"]["token_id"]
        lost = self.run_json("token", "rotate", token, "--grace", "1h", "--secret-file", "-")["secret"]
        rotate = ("token", "rotate", token, "--grace", "1h", "--secret-file", "-", "--json")
        self.assert_fails(5, "ROTATION_IN_GRACE", *rotate)
        self.assert_fails(5, "\n  --supersede does that\n", *rotate[:-1])
        self.run_well(*rotate, "--supersede")
        self.run_well("caller", LATCHKEY_TOKEN=made["secret"])
        self.assert_fails(3, "latchkey: ", "caller", LATCHKEY_TOKEN=lost)

    def test_a_rotation_without_grace_ends_the_old_secret(self):
        made = self.make_token()
        said = self.run_json("token", "rotate", made["access_token"]["token_id"], "--yes", "--secret-file", "-")
        self.run_well("caller", LATCHKEY_TOKEN=said["secret"])
        self.assert_fails(3, "EXPIRED", "caller", LATCHKEY_TOKEN=made["secret"])

    def test_making_with_wait_says_who_confirmed(self):
        said = self.run_well("token", "create", "--label", "x", "--wait", "5s", "--secret-file", "-")
        self.assertRegex(said, r"(?m)^confirmed by 1 of 1 validators in \d+ ms$")

    def test_filters_say_which_tokens_end(self):
        label = uuid.uuid4().hex
        tokens = [self.token(f"{label} {i}") for i in range(3)]
        self.assertEqual(self.run_well("token", "deactivate", "--label", label, "--dry-run").splitlines(),
                         [*reversed(tokens), "3 would be deactivated"])
        self.assertEqual(self.shown(tokens[0])["state"], "TOKEN_STATE_ACTIVE")
        self.assertRegex(self.run_well("token", "deactivate", "--label", label, "--yes", "--reason", "unused", "--wait", "5s"),
                         r"\n3 deactivated; confirmed by 1 of 1")
        for token in tokens:
            self.assertEqual(self.shown(token)["deactivate_reason"], "DEACTIVATE_REASON_UNUSED")
        self.assertEqual(self.run_json("token", "deactivate", "--label", label, "--yes")["count"], 0)

    def test_what_a_bulk_deactivation_ended_is_found_and_proved_by_its_event(self):
        label = uuid.uuid4().hex
        tokens = [self.token(f"{label} {i}") for i in range(12)]
        self.run_well("token", "deactivate", "--label", label, "--yes")
        after = json.loads(self.run_json("audit", "list", "--action", "token.deactivated", "--limit", "1")["events"][0]["after"])
        listed = self.run_json("token", "list", "--state", "deactivated")["access_tokens"]
        found = sorted(token["token_id"] for token in listed if token["deactivated_at"] == after["deactivated_at"])
        self.assertEqual(found, sorted(tokens))
        self.assertEqual(after["token_ids_sha256"], hashlib.sha256("".join(f"{t}\n" for t in found).encode()).hexdigest())

    def test_tokens_made_elsewhere_are_taken_over_with_a_result_each(self):
        known, other = (secrets.token_hex(16) for _ in range(2))
        digest = hashlib.sha256(known.encode()).hexdigest()
        path = self.path()
        path.write_text(json.dumps([{"sha256": digest, "label": known, "permissions": ["charges.read", "charges.create"],
                                     "channels": "api", "created": "2024-01-31", "hint": "ab12"},
                                    {"sha256": hashlib.sha256(other.encode()).hexdigest().upper(), "label": other,
                                     "permissions": "no.such"}]), encoding="utf-8")
        done = self.run_command("token", "import", path)
        self.assertEqual((done.returncode, done.stdout), (1, "took over 1 tokens; not taken: 1\n"), done.stderr)
        self.assertRegex(done.stderr, "^latchkey: line 1: .*no.such")
        [token] = self.run_json("token", "list", "--label", known)["access_tokens"]
        self.assertEqual((sorted(token["permissions"]), token["created_at"]), (["charges.create", "charges.read"], "2024-01-31T00:00:00Z"))
        self.assertEqual(self.run_command("token", "import", path, "--json").returncode, 1)

    def test_many_go_over_in_several_calls_and_once(self):
        label, request, path = uuid.uuid4().hex, str(uuid.uuid4()), self.path()
        path.write_text("label,sha256\n" + "".join(f"{label},{secrets.token_hex(32)}\n" for _ in range(2100)), encoding="utf-8")
        for _ in range(2):
            self.assertEqual(self.run_well("token", "import", path, "--request-id", request),
                             "took over 2100 tokens; not taken: 0\n")
        self.assertEqual(len(self.run_json("token", "list", "--label", label)["access_tokens"]), 2100)

    def test_a_limit_shows_the_newest(self):
        old, new = self.token("limit"), self.token("limit")
        listed = self.run_json("token", "list", "--label", "limit", "--limit", "1")["access_tokens"]
        self.assertEqual([token["token_id"] for token in listed], [new])
        self.assertEqual(len(self.run_json("token", "list", "--label", "limit", "--limit", "2")["access_tokens"]), 2)
        self.assertNotEqual(old, new)

    def test_a_limit_of_none_does_not_say_that_there_are_none(self):
        self.token("limit")
        self.assertNotIn("there are no tokens", self.run_well("token", "list", "--limit", "0"))

    def test_watching_shows_a_list_again_when_it_has_changed(self):
        label = uuid.uuid4().hex
        watching = subprocess.Popen([program("latchkey"), "token", "list", "--label", label, "--watch"], text=True,
                                    stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**os.environ, **self.environment()})
        try:
            self.assertEqual(watching.stdout.readline(), "nothing matches these options\n")
            token = self.token(label)
            self.assertRegex(watching.stdout.readline(), "^TOKEN +LABEL")
            self.assertIn(token, watching.stdout.readline())
        finally:
            watching.send_signal(signal.SIGINT)
            watching.communicate(timeout=60)
        self.assertEqual(watching.returncode, -signal.SIGINT)

    def test_the_catalogue_is_replaced_by_the_operator(self):
        path = self.path()
        before = [permission for permission in self.run_json("permissions")["permissions"]
                  if not permission["name"].startswith("latchkey.")]
        text = "".join(f"{permission['name']} {permission['description']}\n" for permission in before)
        path.write_text(text + "cakes.bake Bake a cake\n", encoding="utf-8")
        self.assert_fails(3, "latchkey.operate", "permissions", "set", path)
        self.assertRegex(self.run_well("permissions", "set", path, "--operator"), r"(?m)^cakes.bake +Bake a cake$")
        self.assertIn("cakes.bake", self.run_well("permissions"))
        self.run_well("permissions", "set", "-", "--operator", stdin=text)
        self.assertNotIn("cakes.bake", self.run_well("permissions"))


if __name__ == "__main__":
    unittest.main()
