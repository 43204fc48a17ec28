"""The pictures of docs/console.md, taken of a company as one might be; LATCHKEY_TAKE_PICTURES=yes puts them there."""

import os
import re
import shutil
import unittest

from console_case import LISTED, ConsoleCase, company_pb2, token_pb2, whitelist_pb2
from latchkey_test import ROOT
from playwright.sync_api import expect

_TAKEN = ROOT / "build/browser/pictures"
_KEPT = ROOT / "docs/console"
_MOST_BYTES = 60_000

_TOKENS = (("Billing", ["charges.create", "charges.read"]), ("Nightly export", ["charges.read"]), ("Refund desk", ["refunds.create"]),
           ("Old web shop", ["charges.*"]), ("Partner: Nordwind", ["customers.read"]))
_ENTRIES = (("203.0.113.0/24", "Office, Bremen"), ("198.51.100.64/26", "Data centre"), ("2001:db8:40::/44", "Office, IPv6"),
            ("192.0.2.17", "Accountant"))


class Pictures(ConsoleCase):
    settings = {"use_flush_interval": "100ms"}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        shutil.rmtree(_TAKEN, ignore_errors=True)
        _TAKEN.mkdir(parents=True)
        cls.furnish()

    @classmethod
    def furnish(cls):
        cls.administrator.companies.UpdateCompany(company_pb2.UpdateCompanyRequest(
            company=company_pb2.Company(name="Alder & Sons"), update_mask={"paths": ["name"]}), timeout=60)
        made = {label: cls.new_token(label, permissions=permissions).access_token.token_id for label, permissions in _TOKENS}
        cls.administrator.tokens.SuspendAccessToken(token_pb2.SuspendAccessTokenRequest(token_id=made["Refund desk"]), timeout=60)
        cls.administrator.tokens.DeactivateAccessToken(token_pb2.DeactivateAccessTokenRequest(token_id=made["Old web shop"]), timeout=60)
        cls.administrator.whitelist.AddWhitelistEntries(whitelist_pb2.AddWhitelistEntriesRequest(
            entries=[whitelist_pb2.NewWhitelistEntry(address=address, note=note) for address, note in _ENTRIES]), timeout=60)
        for name in ("Ada Alder", "Bela Brandt", "Chris Conrad"):
            cls.new_person(email=f"{name.split()[0].lower()}@alder.example", display_name=name)

    def picture(self, console, name):
        console.page.screenshot(path=_TAKEN / f"{name}.png", animations="disabled", caret="hide")

    def test_pictures_are_taken_and_small_and_the_page_shows_each(self):
        console = self.sign_in(viewport={"width": 1100, "height": 620})
        self.picture(console, "tokens")
        console.fill_new_token("Warehouse", "charges.create")
        console.create_token()
        self.hide_secret(console)
        self.picture(console, "secret")
        console.save_secret()
        for path, name in (("/security", "security"), ("/users", "users"), ("/audit", "audit")):
            console.open(path)
            self.picture(console, name)
        console.open("/explain")
        console.field("Token").select_option(label="Nightly export")
        console.field("Address").fill(LISTED)
        console.button("Explain").click()
        expect(console.page.get_by_role("heading", name="The answer")).to_be_visible()
        self.picture(console, "explain")
        phone = self.sign_in(viewport={"width": 360, "height": 640}, color_scheme="dark")
        self.picture(phone, "phone")
        self.assert_shown()

    def hide_secret(self, console):
        """No secret's form in a picture, lest scanners of repositories find one."""
        console.field("Secret").evaluate("input => { input.value = 'lka_' + '•'.repeat(51); }")

    def assert_shown(self):
        taken = {path.name: path.stat().st_size for path in _TAKEN.glob("*.png")}
        self.assertEqual({name: size for name, size in taken.items() if size > _MOST_BYTES}, {})
        shown = re.findall(r"\]\(console/(\w+\.png)\)", (ROOT / "docs/console.md").read_text(encoding="utf-8"))
        self.assertEqual(sorted(set(shown)), sorted(taken))
        if os.environ.get("LATCHKEY_TAKE_PICTURES"):
            _KEPT.mkdir(exist_ok=True)
            for name in taken:
                shutil.copy(_TAKEN / name, _KEPT / name)
        self.assertEqual(sorted(path.name for path in _KEPT.glob("*.png")), sorted(taken))


if __name__ == "__main__":
    unittest.main()
