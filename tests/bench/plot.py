"""Bar charts as SVG, written by hand: one file a benchmark, a bar for us and one for each peer in every case, the goals as
lines. A peer that takes many times what we do is cut short, and its number says so."""

from html import escape
from itertools import groupby

from figures import show_number

_WIDTH, _LABEL, _BAR, _GAP, _TOP = 900, 330, 14, 16, 56
_ROOM = _WIDTH - _LABEL - 170  # what the longest bar may take; its number stands behind it
_OURS, _PEER, _GOAL = "#1f6f8b", "#b8c4cc", "#c0392b"
_TIMES = 20  # what a bar may take, in those of our longest of its unit


def render(title, records):
    """Records of one unit share one scale."""
    groups = [list(group) for _, group in groupby(records, lambda record: (record.case, record.ours, record.unit))]
    height = _TOP + sum((1 + len(group)) * _BAR + _GAP for group in groups) + 12
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{height}" '
             f'font-family="sans-serif" font-size="12">',
             f'<rect width="{_WIDTH}" height="{height}" fill="white"/>',
             _text(12, 24, title, size=16), _text(12, 42, "less is better; a red line is the goal beside that peer", color="#555")]
    scales, top = _find_scales(records), _TOP
    for group in groups:
        parts += _group(group, top, scales[group[0].unit])
        top += (1 + len(group)) * _BAR + _GAP
    return "\n".join([*parts, "</svg>", ""])


def _find_scales(records):
    """Unit -> pixels of one."""
    ours, longest = {}, {}
    for record in records:
        ours[record.unit] = max(ours.get(record.unit, 0), record.ours)
        longest[record.unit] = max(longest.get(record.unit, 0), record.ours, record.peer)
    return {unit: _ROOM / (min(longest[unit], ours[unit] * _TIMES) or 1) for unit in longest}


def _group(group, top, scale):
    """The bars of one case, under each other."""
    first = group[0]
    yield _text(_LABEL - 10, top + _BAR - 2, first.case, anchor="end")
    yield from _bar(top, first.ours, scale, _OURS, first.unit)
    for number, record in enumerate(group, 1):
        y = top + number * _BAR
        yield _text(_LABEL - 10, y + _BAR - 2, record.peer_name, anchor="end", color="#555")
        yield from _bar(y, record.peer, scale, _PEER, f"{record.unit}  (x {record.ratio:.3g})")
        x = _LABEL + (record.goal or 0) * record.peer * scale
        if record.goal is not None and x <= _LABEL + _ROOM:
            yield f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{y - 1}" y2="{y + _BAR}" stroke="{_GOAL}" stroke-width="2"/>'


def _bar(top, value, scale, color, unit):
    width = max(min(value * scale, _ROOM), 1)
    cut = "» " if value * scale > _ROOM * 1.001 else ""
    yield f'<rect x="{_LABEL}" y="{top}" width="{width:.1f}" height="{_BAR - 1}" fill="{color}"/>'
    yield _text(_LABEL + width + 6, top + _BAR - 3, f"{cut}{show_number(value)} {unit}", size=11)


def _text(x, y, text, size=12, anchor="start", color="#222"):
    return (f'<text x="{x:.1f}" y="{y}" font-size="{size}" text-anchor="{anchor}" fill="{color}">'
            f'{escape(text)}</text>')
