"""axe on a page: what it finds wrong by WCAG 2.2 A and AA and its own best practices."""

from latchkey_test import ROOT

_AXE = ROOT / "build/browser/tools/node_modules/axe-core/axe.min.js"
ALL = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
# What another scheme of colours can break.
COLOURS = ["cat.color"]


def violations(page, rules):
    """`rule: target`, of each."""
    page.evaluate(_AXE.read_text(encoding="utf-8"))
    found = page.evaluate("rules => axe.run({runOnly: rules, resultTypes: ['violations']})", rules)
    return [f"{violation['id']} ({violation['help']}): {' '.join(map(str, node['target']))}: {node.get('failureSummary', '')}"
            for violation in found["violations"] for node in violation["nodes"]]
