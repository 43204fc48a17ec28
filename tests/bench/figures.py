"""What a benchmark finds: a cost of ours beside its peer's, measured in the same run in turn.

Every figure is a cost, so a ratio below 1 is better than the peer, and a goal is a ratio that must not be exceeded.
"""

import json
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True)
class Figure:
    """`ours` and `peer` are lists of samples, one a round, in the order of the rounds."""

    bench: str
    case: str
    ours: list
    peer: list
    peer_name: str
    unit: str
    goal: float = None

    @property
    def ours_median(self):
        return median(self.ours)

    @property
    def peer_median(self):
        return median(self.peer)

    @property
    def ratio(self):
        return self.ours_median / self.peer_median

    @property
    def is_reached(self):
        return self.goal is None or self.ratio <= self.goal

    @property
    def spread(self):
        """Smallest and largest ratio of a round: how much of the figure is noise."""
        ratios = [ours / peer for ours, peer in zip(self.ours, self.peer)]
        return min(ratios), max(ratios)

    def to_json(self):
        return json.dumps({"bench": self.bench, "case": self.case, "ours": _round(self.ours_median),
                           "peer": _round(self.peer_median), "peer_name": self.peer_name, "unit": self.unit,
                           "ratio": _round(self.ratio), "goal": self.goal})


def _round(number):
    """Four digits that count."""
    return float(f"{number:.4g}")


def show_number(number):
    return f"{number:,.0f}".replace(",", " ") if number >= 1000 else f"{number:.3g}"


def print_table(figures):
    """Aligned columns; the goals and whether they are reached in the last one."""
    rows = [("bench", "case", "ours", "peer", "", "unit", "ratio", "of one round", "goal")]
    rows += [_row(figure) for figure in figures]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        print("  ".join(cell.rjust(width) if column in (2, 3, 6) else cell.ljust(width)
                        for column, (cell, width) in enumerate(zip(row, widths))).rstrip())


def _row(figure):
    goal = ""
    if figure.goal is not None:
        goal = f"<= {figure.goal:g}  {'reached' if figure.is_reached else 'MISSED'}"
    return (figure.bench, figure.case, show_number(figure.ours_median), show_number(figure.peer_median),
            figure.peer_name, figure.unit, f"{figure.ratio:.3g}", "{:.3g}..{:.3g}".format(*figure.spread), goal)
