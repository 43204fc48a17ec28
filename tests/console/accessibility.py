"""What keeps somebody from using a page: what axe finds wrong by WCAG 2.2 A and AA and its own best practices, and what does not fit a phone."""

from latchkey_test import ROOT

_AXE = ROOT / "build/browser/tools/node_modules/axe-core/axe.min.js"
ALL = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
# What another scheme of colours can break.
COLOURS = ["cat.color"]

DESKTOP, PHONE = {"width": 1280, "height": 800}, {"width": 360, "height": 740}
# The last one is left behind.
_VIEWS = [(size, scheme, rules) for size in (PHONE, DESKTOP) for scheme, rules in (("dark", COLOURS), ("light", ALL))]


def violations(page, rules):
    """`rule: target`, of each."""
    page.evaluate(_AXE.read_text(encoding="utf-8"))
    found = page.evaluate("rules => axe.run({runOnly: rules, resultTypes: ['violations']})", rules)
    return [f"{violation['id']} ({violation['help']}): {' '.join(map(str, node['target']))}: {node.get('failureSummary', '')}"
            for violation in found["violations"] for node in violation["nodes"]]


def flaws(page):
    """Violations of a page as it stands, in light and dark, on a desktop and on a phone, and what scrolls sideways or is too small there."""
    found = []
    for size, scheme, rules in _VIEWS:
        page.set_viewport_size(size)
        page.emulate_media(color_scheme=scheme)
        found += [f"{scheme}, {size['width']} pixels: {violation}" for violation in violations(page, rules)]
        if (size, scheme) == (PHONE, "light"):
            found += [f"scrolls sideways: {words}" for words in too_wide(page)] + [f"is small: {words}" for words in too_small(page)]
    return found


def too_wide(page):
    """What has the page, or a dialog on it, scroll sideways."""
    return page.evaluate("""() => {
        const boxes = [document.documentElement, ...document.querySelectorAll("dialog[open]")].filter(box => box.scrollWidth > box.clientWidth);
        return boxes.flatMap(box => [box, ...box.querySelectorAll("*")]
            .filter(element => element === box || element.getBoundingClientRect().right > box.getBoundingClientRect().left + box.clientWidth + 1)
            .map(element => `${element.tagName} ${element.className} ${element.textContent.slice(0, 40)}`).slice(-3));
    }""")


def too_small(page):
    """What is pressed, and less than 44 pixels high."""
    return page.evaluate("""() => [...document.querySelectorAll("button, a.button, select, input:not([type=checkbox], [type=radio]), textarea")]
        .filter(element => element.checkVisibility() && element.getBoundingClientRect().height < 44)
        .map(element => element.outerHTML.slice(0, 80))""")
