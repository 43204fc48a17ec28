"""Roles, members, companies, invitations and log-ins from the command line; the mail goes to a real SMTP server."""

import json
import os
import pty
import subprocess
import unittest
import uuid

from cli_case import SECRET, CommandCase
from latchkey_test import program, uuid_of_id
from latchkey_test.mail import MailServer
from latchkey_test.waiting import wait_until

BROKEN = "This invitation link is broken. Please contact your system administrator"


def address():
    return f"{uuid.uuid4().hex}@example.com"


class Roles(CommandCase):
    def test_a_role_is_made_changed_and_deleted_by_its_name(self):
        name = uuid.uuid4().hex
        self.assertRegex(self.run_well("role", "create", name, "--permission", "charges.read"), r"(?m)^permissions +charges.read$")
        self.run_well("role", "update", name, "--permission", "charges.create,charges.read", "--name", name + "2")
        self.assertRegex(self.run_well("role", "list"), rf"(?m)^rol_\w{{26}} +{name}2 +your own +charges.create, charges.read$")
        self.assert_fails(2, "say --yes", "role", "delete", name + "2")
        self.assertRegex(self.run_well("role", "delete", name + "2", "--yes"), "^deleted;")
        self.assert_fails(5, "there is no role", "role", "update", name, "--name", "x")

    def test_the_built_in_role_stays(self):
        self.assertRegex(self.run_well("role", "list"), r"(?m)^rol_\w{26} +administrator +built in ")
        self.assert_fails(5, "BUILT_IN", "role", "delete", "administrator", "--yes")

    def test_an_update_names_something(self):
        self.assert_fails(2, "there is nothing to change", "role", "update", "administrator")


class Members(CommandCase):
    role = "Cashier"  # found in any case

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.deployment.latchkey("role", "create", "cashier", "--permission", "charges.read")

    def make(self, *options):
        email = address()
        return email, self.run_json("member", "create", email, *options)["member"]

    def test_a_member_is_named_by_e_mail_address(self):
        email, member = self.make("--display-name", "Ada", "--role", self.role, "--issuer", "https://id.example", "--subject", uuid.uuid4().hex)
        shown = self.run_well("member", "show", email.upper())
        self.assertRegex(shown, rf"^member +{member['member_id']}\n")
        self.assertRegex(shown, r"(?m)^roles +cashier$")
        self.assertRegex(self.run_well("member", "list", "--name", email), rf"\n{member['member_id']} +{email} +Ada +active +cashier\n$")
        self.assert_fails(5, "no member has the address", "member", "show", address())
        self.assertEqual(self.run_json("member", "show")["member"]["email"], "administrator@demo.example")

    def test_a_limit_is_none_of_what_is_looked_up(self):
        """The built-in role is the oldest, behind the page that --limit 1 would ask for."""
        self.assertEqual(len(self.run_json("member", "list", "--role", "administrator", "--limit", "1")["members"]), 1)
        self.make()
        self.run_well("login", "list", "administrator@demo.example", "--limit", "1")

    def test_lists_are_replaced_and_cleared(self):
        email, _ = self.make("--role", self.role, "--allowed-ip", "203.0.113.0/24")
        self.run_well("member", "update", email, "--role", "none", "--allowed-ip", "any", "--display-name", "Bob", "--wait", "5s")
        member = self.run_json("member", "show", email)["member"]
        self.assertEqual((member["role_ids"], member["allowed_ips"], member["display_name"]), ([], [], "Bob"))
        self.assert_fails(5, "there is no role \"nonsense\"", "member", "update", email, "--role", "nonsense")

    def test_removing_says_first_what_ends(self):
        email, member = self.make()
        self.assertRegex(self.run_well("member", "remove", email, "--dry-run"),
                         rf"^would remove {member['member_id']} \({email}\); access tokens ended: 0, log-ins ended: 0\n$")
        self.assert_fails(2, "say --yes", "member", "remove", email)
        self.assertRegex(self.run_well("member", "remove", email, "--yes", "--wait", "5s"), "^removed .*confirmed by 1 of 1")
        self.assertEqual(self.run_json("member", "show", member["member_id"])["member"]["state"], "MEMBER_STATE_REMOVED")

    def test_handing_over_says_what_the_members_own_list_does_to_the_tokens(self):
        email, member = self.make("--allowed-ip", "198.51.100.0/24")
        owner = uuid_of_id(member["member_id"])
        for ips in ("{}", "{198.51.100.7}", "{203.0.113.7}"):
            token = uuid_of_id(self.make_token()["access_token"]["token_id"])
            self.deployment.execute(f"UPDATE latchkey.token SET member_id = '{owner}', allowed_ips = '{ips}' "
                                    f"WHERE token_id = '{token}'")
        for options in (["--dry-run"], ["--yes"]):
            said = self.run_well("member", "remove", email, "--transfer-tokens-to", "administrator@demo.example", *options)
            self.assertRegex(said, r"access tokens handed over: 3, .*\n"
                                   r"with a narrower list of addresses, since their owner's bounds them: 1\n"
                                   r"ended, since no address is in both lists: 1\n")

    def test_the_last_administrator_stays(self):
        self.assert_fails(5, "LAST_ADMINISTRATOR", "member", "remove", "administrator@demo.example", "--yes")


class Companies(CommandCase):
    def test_the_policy_is_changed_field_by_field(self):
        self.run_well("company", "update", "--require-expiry", "yes", "--max-token-lifetime", "90d", "--leak-action", "suspend")
        self.assert_fails(5, "POLICY_REQUIRES_EXPIRY", "token", "create", "--label", "x", "--secret-file", "-")
        self.run_well("company", "update", "--require-expiry", "no", "--name", "Demo 2", "--deactivate-unused-after", "30d")
        shown = self.run_well("company", "show")
        for line in (r"name +Demo 2", r"token lifetime +90d", r"expiry +not required", r"unused tokens +30d", r"leaked tokens +suspend"):
            self.assertRegex(shown, f"(?m)^{line}$")
        self.run_well("company", "update", "--max-token-lifetime", "none", "--deactivate-unused-after", "never", "--name", "Demo")
        self.assertRegex(self.run_well("company", "show"), r"(?m)^token lifetime +unlimited\n")

    def test_the_operator_lists_suspends_and_resumes(self):
        company = self.run_json("company", "create", "Other", "--administrator", address(), "--operator")["company"]["company_id"]
        self.assertIn(company, self.run_well("company", "list", "--operator", "--name", "OTHER"))
        self.assertNotIn(company, self.run_well("company", "list"))
        self.assertRegex(self.run_well("company", "suspend", company, "--note", "not paid", "--operator", "--wait", "5s"),
                         rf"^{company} \(Other\) is suspended; confirmed by 1 of 1")
        self.assertRegex(self.run_well("company", "resume", company, "--operator"), "is active;")
        self.assert_fails(3, "latchkey.operate", "company", "suspend", company)


class Invitations(CommandCase):
    @classmethod
    def settings(cls):
        cls.mail = MailServer()
        cls.mail.__enter__()
        cls.addClassCleanup(cls.mail.__exit__)
        return cls.mail.settings(mails_per_recipient_day=1000)

    def invite(self, email, *options):
        [result] = self.run_json("invitation", "create", email, *options)["results"]
        return result["invitation"]["invitation_id"]

    def link(self, email):
        """Of the latest mail to that address."""
        return wait_until(lambda: [mail for mail in self.mail.mails if email in mail.recipients], 60, "a mail")[-1].link()

    def test_people_are_invited_with_a_result_each(self):
        one, two = address(), address()
        done = self.run_command("invitation", "create", one, "nonsense", two, "--role", "administrator")
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stdout, rf"(?m)^{one} +inv_\w{{26}} +link good until 20")
        self.assertRegex(done.stdout, r"(?m)^nonsense +not invited +\S")
        self.assertRegex(self.run_well("invitation", "list", "--state", "pending"), rf"(?m)^inv_\w{{26}} +{two} +pending +20\S+Z +administrator ")

    def test_a_file_of_more_than_a_call_takes(self):
        path = self.path()
        path.write_text("# people\n" + "".join(f"{address()}\n" for _ in range(120)), encoding="utf-8")
        self.assertEqual(len(self.run_json("invitation", "create", "--file", path)["results"]), 120)
        self.assert_fails(2, "name whom to invite", "invitation", "create")
        self.assert_fails(2, "name whom to invite", "invitation", "create", address(), "--file", path)

    def test_the_invited_person_looks_and_accepts_once(self):
        email = address()
        self.invite(email)
        path = self.path()
        path.write_text(self.link(email) + "\n", encoding="utf-8")
        anybody = {"without": ["LATCHKEY_TOKEN", "LATCHKEY_OPERATOR_TOKEN"]}
        self.assertRegex(self.run_well("invitation", "lookup", "--secret-file", path, **anybody), r"^company +Demo\ninvites +\w\*\*\*@example.com\n")
        self.assert_fails(2, "--display-name is missing", "invitation", "accept", "--secret-file", path, **anybody)
        said = self.run_well("invitation", "accept", "--display-name", "Ada", stdin=path.read_text(), **anybody)
        self.assertRegex(said, rf"^welcome, Ada: you are the member mbr_\w{{26}} \({email}\)\n")
        self.assert_fails(5, BROKEN, "invitation", "accept", "--display-name", "Ada", "--secret-file", path, **anybody)

    def test_a_link_never_stands_on_the_command_line(self):
        self.assert_fails(2, "never stands on the command line", "invitation", "lookup", "https://x.example/#lki_" + "a" * 40)

    def test_a_link_is_typed_unseen_on_a_terminal(self):
        email = address()
        self.invite(email)
        link = self.link(email)
        ours, theirs = pty.openpty()
        process = subprocess.Popen([program("latchkey"), "invitation", "lookup"], stdin=theirs, stdout=subprocess.PIPE,
                                   stderr=theirs, text=True, env={**os.environ, **self.environment()})
        os.close(theirs)
        shown = b""
        while b"Paste the link: " not in shown:
            shown += os.read(ours, 1024)
        os.write(ours, link.encode() + b"\n")
        said, _ = process.communicate(timeout=60)
        shown += os.read(ours, 1024)
        os.close(ours)
        self.assertIn("company", said)
        self.assertNotIn(link.split("#")[1].encode(), shown)

    def test_resending_and_deactivating_say_what_became_of_the_links(self):
        email = address()
        invitation = self.invite(email)
        self.link(email)
        self.deployment.execute("UPDATE latchkey.invitation SET created_at = created_at - interval '2 minutes'"
                                f" WHERE email = '{email}'")
        self.assertRegex(self.run_well("invitation", "resend", invitation), rf"^a new link goes to {email} and is good until 20")
        self.assertRegex(self.run_well("invitation", "show", invitation), r"(?m)^sent again +1 times$")
        self.assert_fails(2, "say --yes", "invitation", "deactivate", invitation)
        self.assertIn("every link of it is dead", self.run_well("invitation", "deactivate", invitation, "--yes"))
        self.assertEqual(self.run_json("invitation", "show", invitation)["invitation"]["state"], "INVITATION_STATE_DEACTIVATED")


class LogIns(CommandCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company = json.loads(cls.deployment.latchkey("caller", "--json").stdout)["caller"]["company_id"]

    def log_in(self, member="administrator@demo.example", *options):
        return self.run_json("login", "create", member, "--client-ip", "203.0.113.7", "--user-agent", "test", "--secret-file", "-",
                             "--operator", "--company", self.company, *options)

    def test_a_person_is_named_in_one_way(self):
        self.assert_fails(2, "name the person in one way", "login", "create", "--secret-file", "-")
        self.assert_fails(2, "name the person in one way", "login", "create", "mbr_x", "--subject", "7", "--secret-file", "-")
        self.assert_fails(2, "name a log-in", "login", "end", "--yes")

    def test_a_log_in_is_made_listed_and_ended(self):
        made = self.log_in("administrator@demo.example", "--wait", "5s")
        token = made["login_token"]["token_id"]
        self.assertRegex(made["secret"], f"^{SECRET}$")
        self.run_well("caller", LATCHKEY_TOKEN=made["secret"])
        self.assertRegex(self.run_well("login", "list", "administrator@demo.example"),
                         rf"(?m)^20\S+Z +mbr_\w{{26}} +active +203\.0\.113\.7 +{token} +\S+ +test$")
        self.assert_fails(2, "say --yes", "login", "end", token)
        self.assertRegex(self.run_well("login", "end", token, "--yes", "--wait", "5s"), rf"^ended {token} of mbr_\w{{26}}; confirmed by 1")
        self.assert_fails(3, "DEACTIVATED", "caller", LATCHKEY_TOKEN=made["secret"])

    def test_every_log_in_of_a_member_is_ended(self):
        email = address()
        self.run_well("member", "create", email)
        for _ in range(2):
            self.log_in(email)
        self.assertRegex(self.run_well("login", "end", "--member", email, "--yes"), "^ended 2 log-ins;")

    def test_a_refused_log_in_is_listed_with_its_reason(self):
        email = address()
        self.run_well("member", "create", email, "--allowed-ip", "198.51.100.0/24")
        self.assert_fails(3, "MEMBER_IP_NOT_LISTED", "login", "create", email, "--client-ip", "203.0.113.7", "--secret-file", "-",
                          "--operator", "--company", self.company)
        self.assertRegex(self.run_well("login", "list", email), r"refused: member-ip-not-listed +203\.0\.113\.7 +none ")


if __name__ == "__main__":
    unittest.main()
