"""Who can use the pages: axe finds nothing in light and dark, nothing scrolls sideways on the narrowest phone, and no mouse is needed."""

import unittest

from accessibility import PHONE, flaws, too_small, too_wide
from console_case import ConsoleCase, member_pb2
from pages import PAGES, Console
from playwright.sync_api import expect

# The pages behind a list, and those that need nobody to be signed in.
MORE = {"/tokens/new": "New access token", "/users/invite": "Invite", "/users?list=roles": "Users", "/users/roles/new": "New role",
        "/no-such-page": "There is no such page"}
OPEN = ("/sign-in", "/sign-in/link", "/somebody-else", "/invitation", "/sign-in?refused=COMPANY_IP_NOT_LISTED&address=198.51.100.7")


class Reach(ConsoleCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        with_a_long_name = "a token whose label is so long that no column of any table has room for it on any phone " + "x" * 12
        cls.token_id = cls.new_token(with_a_long_name, allowed_ips=["203.0.113.0/24"]).access_token.token_id
        cls.member_id = cls.new_person(display_name="Wolfeschlegelsteinhausenbergerdorff, " * 2).member_id
        cls.role_id = cls.administrator.members.CreateRole(member_pb2.CreateRoleRequest(
            name="a role whose name has no room anywhere, either, " + "x" * 40, permissions=["charges.*", "customers.read"]), timeout=60).role.role_id

    def paths(self):
        return [*PAGES, *MORE, f"/tokens/{self.token_id}", f"/tokens/{self.token_id}/edit", f"/users/{self.member_id}",
                f"/users/roles/{self.role_id}"]

    def open_all(self, console):
        for path in self.paths():
            console.open(path)
            yield path

    def test_axe_finds_nothing_on_any_page_in_light_and_dark_on_a_desktop_and_on_a_phone(self):
        console = self.sign_in()
        for path in self.open_all(console):
            with self.subTest(path=path):
                self.assertEqual(flaws(console.page), [])
        nobody = Console(self.visit())
        for path in OPEN:
            nobody.open(path)
            with self.subTest(path=path):
                self.assertEqual(flaws(nobody.page), [])

    def test_dark_is_dark_and_light_is_light(self):
        shades = {}
        for scheme in ("light", "dark"):
            console = self.open_console(self.visit(color_scheme=scheme))
            shades[scheme] = console.page.evaluate("""() => {
                const canvas = new OffscreenCanvas(1, 1).getContext("2d");
                canvas.fillStyle = getComputedStyle(document.documentElement).backgroundColor;
                canvas.fillRect(0, 0, 1, 1);
                return Math.max(...canvas.getImageData(0, 0, 1, 1).data.slice(0, 3));
            }""")
        self.assertGreater(shades["light"], 200)
        self.assertLess(shades["dark"], 80)

    def test_a_phone_of_360_pixels_scrolls_no_page_sideways(self):
        phone = {"viewport": PHONE, "is_mobile": True, "has_touch": True, "device_scale_factor": 2}
        console = self.sign_in(**phone)
        for path in self.open_all(console):
            self.assert_fits(console.page, path)
        nobody = Console(self.visit(**phone))
        for path in OPEN:
            nobody.open(path)
            self.assert_fits(nobody.page, path)

    def assert_fits(self, page, path):
        with self.subTest(path=path):
            self.assertEqual(too_wide(page), [])

    def test_no_width_between_scrolls_a_page_sideways(self):
        """Just above those at which the pages are laid out otherwise, and at what most people have."""
        console = self.sign_in()
        for path in self.open_all(console):
            for width in (769, 897, 993, 1024, 1200, 1280):
                console.page.set_viewport_size({"width": width, "height": 800})
                self.assert_fits(console.page, f"{path} at {width}")

    def test_what_is_pressed_is_44_pixels_high_on_a_phone(self):
        console = self.sign_in(viewport=PHONE, is_mobile=True, has_touch=True)
        for path in self.open_all(console):
            with self.subTest(path=path):
                self.assertEqual(too_small(console.page), [])

    def test_the_main_job_needs_no_mouse(self):
        console = self.sign_in()
        page = console.page
        self.press_until(page, console.link("Create new"))
        page.keyboard.press("Enter")
        console.wait_for_page("New access token")
        self.assertEqual(page.evaluate("document.activeElement.tagName"), "H1")
        self.press_until(page, console.field("Label"))
        page.keyboard.type("made by keyboard")
        self.press_until(page, page.get_by_role("checkbox", name="charges.read"))
        page.keyboard.press("Space")
        self.press_until(page, console.button("Create"))
        page.keyboard.press("Enter")
        console.secret()
        self.press_until(page, console.button("I have saved it"))
        page.keyboard.press("Enter")
        expect(console.field("Secret")).to_have_count(0)
        console.open("/tokens")
        self.press_until(page, console.link("made by keyboard"))
        page.keyboard.press("Enter")
        console.wait_for_page("made by keyboard")
        self.press_until(page, console.button("Deactivate"))
        page.keyboard.press("Enter")
        expect(console.dialog).to_be_visible()
        page.keyboard.press("Escape")
        expect(console.dialog).to_have_count(0)
        expect(console.button("Deactivate")).to_be_focused()

    def press_until(self, page, wanted):
        """Tab, to where it has the focus, which must be seen."""
        expect(wanted).to_be_visible()
        for _ in range(200):
            if wanted.evaluate("element => element === document.activeElement"):
                outline = wanted.evaluate("element => { const style = getComputedStyle(element); return style.outlineStyle !== 'none' || style.boxShadow !== 'none'; }")
                self.assertTrue(outline, "the focus is not seen")
                return
            page.keyboard.press("Tab")
        self.fail(f"no Tab leads to {wanted}")

    def test_the_first_tab_skips_the_navigation(self):
        console = self.sign_in()
        console.open("/tokens")
        console.page.keyboard.press("Tab")
        console.page.keyboard.press("Enter")
        self.assertEqual(console.page.evaluate("document.activeElement.tagName"), "MAIN")


if __name__ == "__main__":
    unittest.main()
