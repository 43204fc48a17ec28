"""The pictures of docs/console.md: each is made here, by who does in a browser what it shows, and none is there that is not.

`tests/console/run.sh --pictures` writes them; a test only makes them and looks whether those in the tree are of the same size. What they
show is the same each time but for times, IDs and fonts.
"""

import io
import os
import tempfile
import unittest
from pathlib import Path

from console_case import LISTED, UNLISTED, ConsoleCase, company_pb2, member_pb2, token_pb2, whitelist_pb2
from latchkey_test import ROOT, Client
from latchkey_test.waiting import wait_until
from pages import Console
from PIL import Image
from playwright.sync_api import expect

PICTURES = ROOT / "docs/console"
BYTES_MAX = 80 * 1024
# Few enough to be small, enough for the edges of letters in both schemes.
COLOURS = 128
SCALE = 1.25
# As high as what is on them: fixed, so that a picture has the same size wherever it is made.
WIDE, PHONE = {"width": 1280, "height": 800}, {"width": 360, "height": 740}

EVA, NOAH, MEI = "eva.lindqvist@acme.example", "noah.okafor@acme.example", "mei.tanaka@acme.example"
DATA_CENTRE = "2001:db8:42::15"
BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


class Pictures(ConsoleCase):
    settings = {"use_flush_interval": "100ms"}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.directory = Path(os.environ.get("LATCHKEY_PICTURES") or cls.enter(tempfile.TemporaryDirectory(prefix="latchkey-pictures-")))
        cls.name_company()
        cls.make_people()
        cls.make_whitelist()
        cls.make_tokens()

    # ---- Acme ----

    @classmethod
    def name_company(cls):
        cls.administrator.companies.UpdateCompany(company_pb2.UpdateCompanyRequest(
            company=company_pb2.Company(name="Acme"), update_mask={"paths": ["name"]}), timeout=60)

    @classmethod
    def make_people(cls):
        support = cls.administrator.members.CreateRole(member_pb2.CreateRoleRequest(
            name="support", permissions=["charges.read", "customers.read"]), timeout=60).role
        cls.new_person(email=EVA, display_name="Eva Lindqvist")
        cls.new_person(email=NOAH, display_name="Noah Okafor")
        cls.new_person(email=MEI, display_name="Mei Tanaka", role_ids=[support.role_id], allowed_ips=["2001:db8:42::/48"])
        cls.eva, cls.noah = cls.caller(EVA), cls.caller(NOAH)

    @classmethod
    def caller(cls, email):
        return cls.enter(Client(cls.deployment.server.address, cls.log_in(email, LISTED, BROWSER).secret))

    @classmethod
    def make_whitelist(cls):
        entries = [("203.0.113.0", 24, "Office, Stockholm", "IT"), ("198.51.100.16", 28, "VPN", "IT"),
                   ("2001:db8:42::", 48, "Data centre, Falun", "Platform"), ("192.0.2.10", 32, "Build server", "Platform"),
                   ("192.0.2.77", 32, "Auditors, until spring", "Finance")]
        cls.ask(cls.eva.whitelist.AddWhitelistEntries, whitelist_pb2.AddWhitelistEntriesRequest(entries=[
            whitelist_pb2.NewWhitelistEntry(address=address, checking_bits=bits, note=note, owner=owner) for address, bits, note, owner in entries]))

    @classmethod
    def make_tokens(cls):
        import_ = cls.make_token(cls.noah, "Import of the old shop", permissions=["charges.create"])
        cls.make_token(cls.eva, "Month-end report", permissions=["charges.read"], expire_in={"seconds": 90 * 86400})
        partner = cls.make_token(cls.noah, "Partner sandbox", permissions=["charges.*"])
        cls.make_token(cls.noah, "Support desk", permissions=["customers.read"], channels=["CHANNEL_UI"], allowed_domains=["desk.acme.example"])
        refunds = cls.make_token(cls.eva, "Refunds", permissions=["refunds.create"], allowed_ips=["203.0.113.0/25"])
        billing = cls.make_token(cls.eva, "Billing", permissions=["charges.*", "customers.read"], company_owned=True)
        cls.ask(cls.noah.tokens.DeactivateAccessToken, token_pb2.DeactivateAccessTokenRequest(token_id=import_.access_token.token_id))
        cls.ask(cls.noah.tokens.SuspendAccessToken, token_pb2.SuspendAccessTokenRequest(token_id=partner.access_token.token_id))
        cls.use(billing, DATA_CENTRE)
        cls.use(refunds, LISTED)

    @classmethod
    def make_token(cls, caller, label, **fields):
        return cls.ask(caller.tokens.CreateAccessToken, token_pb2.CreateAccessTokenRequest(label=label, **fields))

    @staticmethod
    def ask(method, request):
        """From where the listed are."""
        return method(request, timeout=60, metadata=[("x-forwarded-for", LISTED)])

    @classmethod
    def use(cls, made, address):
        token_id = made.access_token.token_id
        cls.reason(made.secret, address)
        wait_until(lambda: cls.administrator.tokens.GetAccessToken(token_pb2.GetAccessTokenRequest(token_id=token_id), timeout=60)
                   .access_token.last_used_ip == address, 60, "the use to be written")

    # ---- a camera ----

    def eva_signs_in(self, viewport, **options):
        return self.sign_in(EVA, **{"viewport": viewport, "device_scale_factor": SCALE, **options})

    def take(self, console, name):
        """What is to be seen now, as docs/console/NAME.png."""
        console.wait_until_loaded()
        expect(console.page.locator(".toast")).to_have_count(0)
        picture = shrunk(console.page.screenshot(animations="disabled", caret="hide"))
        (self.directory / f"{name}.png").write_bytes(picture)
        self.assertLessEqual(len(picture), BYTES_MAX)
        self.assertEqual(size_of(picture), size_of((PICTURES / f"{name}.png").read_bytes()),
                         "make the pictures again: tests/console/run.sh --pictures")

    # ---- pictures ----

    def test_sign_in(self):
        console = self.open_console(self.visit(viewport={"width": 1280, "height": 560}, device_scale_factor=SCALE))
        console.field("E-mail address").fill(EVA)
        self.take(console, "sign-in")

    def test_tokens(self):
        self.take(self.eva_signs_in(WIDE), "tokens")

    def test_tokens_in_the_dark(self):
        self.take(self.eva_signs_in(WIDE, color_scheme="dark"), "tokens-dark")

    def test_tokens_on_a_phone(self):
        self.take(self.eva_signs_in(PHONE, is_mobile=True, has_touch=True), "tokens-phone")

    def test_secret(self):
        """Of a token that is gone when the picture is there; but for its beginning it is no secret at all."""
        console = self.eva_signs_in({"width": 1280, "height": 640})
        console.fill_new_token("Webhooks", "charges.read")
        console.create_token()
        console.field("Secret").evaluate("field => { field.value = field.value.slice(0, 4) + '•'.repeat(51); }")
        self.take(console, "secret")

    def test_whitelist(self):
        self.addCleanup(self.switch_off)
        console = self.eva_signs_in({"width": 1280, "height": 1570}, device_scale_factor=1)
        console.go_to("Security")
        console.button("Switch on").click()
        console.button("Switch on", console.dialog).click()
        console.said("The whitelist is on")
        console.check_address("198.51.100.40")
        expect(console.page.get_by_text("198.51.100.40 is not on the list.")).to_be_visible()
        self.take(console, "whitelist")

    def switch_off(self):
        self.ask(self.eva.whitelist.UpdateWhitelist, whitelist_pb2.UpdateWhitelistRequest(
            whitelist={"enabled": False}, update_mask={"paths": ["enabled"]}))

    def test_users(self):
        console = self.eva_signs_in(WIDE)
        console.go_to("Users")
        self.take(console, "users")

    def test_audit(self):
        console = self.eva_signs_in({"width": 1280, "height": 900})
        console.go_to("Audit")
        console.button("Verify").click()
        expect(console.page.get_by_text("The chain is intact")).to_be_visible()
        self.take(console, "audit")

    def test_explain(self):
        console = self.eva_signs_in({"width": 1280, "height": 1590}, device_scale_factor=1)
        console.open("/explain")
        console.choose_token("Refunds")
        console.field("Address").fill("203.0.113.200")
        console.button("Explain").click()
        expect(console.page.get_by_text("24 leading bits in common")).to_be_visible()
        self.take(console, "explain")

    def test_invitation(self):
        email = "sam.reyes@acme.example"
        self.invite(email)
        guest = Console(self.visit(UNLISTED, viewport={"width": 1280, "height": 640}, device_scale_factor=SCALE))
        guest.page.goto(self.mail.mails_to(email)[0].link())
        guest.field("Your name").fill("Sam Reyes")
        self.take(guest, "invitation")


def shrunk(picture):
    image = Image.open(io.BytesIO(picture)).convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
    written = io.BytesIO()
    image.save(written, "png", optimize=True)
    return written.getvalue()


def size_of(picture):
    return Image.open(io.BytesIO(picture)).size


if __name__ == "__main__":
    unittest.main()
