"""A whitelist of a million entries on the page that shows it: paged, and never all of it in the browser."""

import os
import unittest

from console_case import ConsoleCase
from playwright.sync_api import expect

ENTRIES = 1_000_000 * int(os.environ.get("LATCHKEY_TEST_SHARE", 100)) // 100

# Past the triggers, which would tell validators what no test here asks them.
_FILL = """
    SET session_replication_role = replica;
    INSERT INTO latchkey.whitelist_entry (entry_id, company_id, list_id, address, cidr, note)
    SELECT lpad(to_hex(n), 32, '0')::uuid, company_id, live_list_id, host(address), address, 'entry ' || n
      FROM latchkey.whitelist JOIN latchkey.company USING (company_id), generate_series(1, {count}) AS n,
           LATERAL (SELECT set_masklen('10.0.0.0'::inet + n, 32)::cidr) AS made (address)
     WHERE is_demo;
    UPDATE latchkey.whitelist_list SET entry_count = {count}
      FROM latchkey.whitelist JOIN latchkey.company USING (company_id) WHERE list_id = live_list_id AND is_demo"""

# Of what keeps a page from answering, the browser's own word: tasks of more than 50 ms while one scrolls.
_WATCH_TASKS = """() => {
    window.slow = [];
    new PerformanceObserver(list => slow.push(...list.getEntries().map(entry => Math.round(entry.duration)))).observe({type: "longtask"});
}"""
_SCREENS = 60


class ManyEntries(ConsoleCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.deployment.execute(_FILL.format(count=ENTRIES))

    def rows(self, page):
        return page.evaluate("document.querySelectorAll('main tr').length")

    def test_a_list_of_all_entries_scrolls_and_holds_only_what_is_near(self):
        console = self.sign_in()
        page = console.page
        console.go_to("Security")
        expect(page.get_by_text(f"{ENTRIES:,}").first).to_be_visible()
        first = page.get_by_role("rowheader").first.inner_text()
        page.evaluate(_WATCH_TASKS)
        most = console.scroll_list(_SCREENS, lambda: self.rows(page))
        self.assertLess(most, 1000, "rows of the document")
        self.assertNotEqual(page.get_by_role("rowheader").first.inner_text(), first)
        slow = page.evaluate("slow")
        print(f"{ENTRIES} entries, {_SCREENS} screens: at most {most} rows; tasks over 50 ms: {len(slow)}, the longest {max(slow, default=0)} ms;"
              f" {page.evaluate('Math.round(performance.memory.usedJSHeapSize / 2 ** 20)')} MiB of JavaScript")

    def test_one_of_them_is_found(self):
        console = self.sign_in()
        console.go_to("Security")
        console.filter_entries("10.0.3.233")
        expect(console.row("10.0.3.233")).to_be_visible()


if __name__ == "__main__":
    unittest.main()
