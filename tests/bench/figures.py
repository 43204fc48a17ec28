"""What a benchmark finds: a cost of ours beside its peer's, measured in the same run in turn.

Every figure is a cost, so a ratio below 1 is better than the peer, and a goal is a ratio that must not be exceeded.
"""

import json
from dataclasses import asdict, dataclass
from statistics import median


@dataclass(frozen=True)
class Record:
    """What is kept of a figure: medians, and the smallest and the largest ratio of a round, which is the noise."""

    bench: str
    case: str
    ours: float
    peer: float
    peer_name: str
    unit: str
    ratio: float
    low: float
    high: float
    goal: float = None

    @property
    def is_reached(self):
        return self.goal is None or self.ratio <= self.goal

    def to_json(self):
        return json.dumps(asdict(self), ensure_ascii=False)



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
    def record(self):
        ours, peer = median(self.ours), median(self.peer)
        ratios = [one / other for one, other in zip(self.ours, self.peer)]
        return Record(self.bench, self.case, _round(ours), _round(peer), self.peer_name, self.unit, _round(ours / peer),
                      _round(min(ratios)), _round(max(ratios)), self.goal)


def _round(number):
    """Four digits that count."""
    return float(f"{number:.4g}")


def show_number(number):
    return f"{number:,.0f}".replace(",", " ") if number >= 1000 else f"{number:.3g}"


def print_table(records):
    """Aligned columns; the goals and whether they are reached in the last one."""
    rows = [("bench", "case", "ours", "peer", "", "unit", "ratio", "of one round", "goal")]
    rows += [_row(record) for record in records]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        print("  ".join(cell.rjust(width) if column in (2, 3, 6) else cell.ljust(width)
                        for column, (cell, width) in enumerate(zip(row, widths))).rstrip())


def _row(record):
    goal = ""
    if record.goal is not None:
        goal = f"<= {record.goal:g}  {'reached' if record.is_reached else 'MISSED'}"
    return (record.bench, record.case, show_number(record.ours), show_number(record.peer), record.peer_name, record.unit,
            f"{record.ratio:.3g}", f"{record.low:.3g}..{record.high:.3g}", goal)
