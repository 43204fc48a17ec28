"""Bar charts as SVG, written by hand: one file a benchmark, two bars a figure, the goal as a line."""

from html import escape

from figures import show_number

_WIDTH, _LABEL, _BAR, _GAP, _TOP = 900, 330, 14, 16, 56
_ROOM = _WIDTH - _LABEL - 110  # what the longest bar may take; its number stands behind it
_OURS, _PEER, _GOAL = "#1f6f8b", "#b8c4cc", "#c0392b"


def write(path, title, figures):
    """Figures of one unit share one scale."""
    longest = {}
    for figure in figures:
        longest[figure.unit] = max(longest.get(figure.unit, 0), figure.ours_median, figure.peer_median)
    height = _TOP + len(figures) * (2 * _BAR + _GAP) + 12
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{height}" '
             f'font-family="sans-serif" font-size="12">',
             f'<rect width="{_WIDTH}" height="{height}" fill="white"/>',
             _text(12, 24, title, size=16), _text(12, 42, "less is better; the red line is the goal", color="#555")]
    for number, figure in enumerate(figures):
        parts += _group(figure, _TOP + number * (2 * _BAR + _GAP), _ROOM / longest[figure.unit])
    path.write_text("\n".join([*parts, "</svg>", ""]), encoding="utf-8")


def _group(figure, top, scale):
    """The two bars of one figure, under each other."""
    yield _text(_LABEL - 10, top + _BAR - 2, figure.case, anchor="end")
    yield _text(_LABEL - 10, top + 2 * _BAR - 2, figure.peer_name, anchor="end", color="#555")
    yield from _bar(top, figure.ours_median, scale, _OURS, f"{figure.unit}  (x {figure.ratio:.3g})")
    yield from _bar(top + _BAR, figure.peer_median, scale, _PEER, figure.unit)
    if figure.goal is not None:
        x = min(_LABEL + figure.goal * figure.peer_median * scale, _WIDTH - 4)
        yield (f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{top - 3}" y2="{top + 2 * _BAR + 2}" stroke="{_GOAL}" '
               f'stroke-width="2"/>')


def _bar(top, value, scale, color, unit):
    width = max(value * scale, 1)
    yield f'<rect x="{_LABEL}" y="{top}" width="{width:.1f}" height="{_BAR - 1}" fill="{color}"/>'
    yield _text(_LABEL + width + 6, top + _BAR - 3, f"{show_number(value)} {unit}", size=11)


def _text(x, y, text, size=12, anchor="start", color="#222"):
    return (f'<text x="{x:.1f}" y="{y}" font-size="{size}" text-anchor="{anchor}" fill="{color}">'
            f'{escape(text)}</text>')
