#!/usr/bin/python3
"""docs/performance.md: what stands between its marks, and its plots, are written from docs/performance.json, so that no figure
is typed. Run by itself it writes them again."""

import json
import re
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import plot
from figures import Record, show_number
from goals import GOALS

_DOCS = Path(__file__).resolve().parents[2] / "docs"
_NOTHING = "Not measured yet.\n"
_PLACE = re.compile(r"(<!-- figures: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


@dataclass(frozen=True)
class Section:
    """What one benchmark has found, when, and of which commit."""

    title: str
    day: str
    commit: str
    records: list

    def to_json(self):
        """A figure a line, so that the difference of two runs can be read."""
        head = json.dumps({"title": self.title, "day": self.day, "commit": self.commit}, ensure_ascii=False)[:-1]
        lines = ",\n".join(record.to_json() for record in self.records)
        return f'{head}, "records": [\n{lines}\n]}}'

    @staticmethod
    def of(loaded):
        return Section(**{**loaded, "records": [Record(**record) for record in loaded["records"]]})


def places(docs=_DOCS):
    """The names of what the page has places for, in its order."""
    return [name for _, name, _ in _PLACE.findall((docs / "performance.md").read_text(encoding="utf-8"))]


def load(docs=_DOCS):
    """(machine, sections) as save() takes them; of a page of which nothing is measured both are empty."""
    saved = docs / "performance.json"
    loaded = json.loads(saved.read_text(encoding="utf-8")) if saved.exists() else {"machine": {}, "sections": {}}
    return loaded["machine"], {bench: Section.of(section) for bench, section in loaded["sections"].items()}


def save(machine, sections, docs=_DOCS):
    """`machine`: what -> text. `sections`: bench -> Section, of which the page's order is kept."""
    lines = ",\n".join(f'"{bench}": {sections[bench].to_json()}' for bench in places(docs) if bench in sections)
    text = f'{{"machine": {json.dumps(machine, indent=1, ensure_ascii=False)},\n"sections": {{\n{lines}\n}}}}\n'
    (docs / "performance.json").write_text(text, encoding="utf-8")


def write(docs=_DOCS):
    (docs / "performance").mkdir(exist_ok=True)
    for path, text in _render(docs).items():
        path.write_text(text, encoding="utf-8")


def stale(docs=_DOCS):
    """Files that are not what performance.json says."""
    if not (docs / "performance.md").exists():
        return []
    return [path for path, text in _render(docs).items() if not path.exists() or path.read_text(encoding="utf-8") != text]


def _render(docs):
    """Path -> text."""
    machine, sections = load(docs)
    page = docs / "performance.md"
    texts = {docs / "performance" / f"{bench}.svg": plot.render(section.title, section.records) for bench, section in sections.items()}
    return {**texts, page: _PLACE.sub(lambda place: place[1] + _fill(place[2], machine, sections) + place[3],
                                      page.read_text(encoding="utf-8"))}


def _fill(name, machine, sections):
    records = [record for section in sections.values() for record in section.records]
    if name in ("machine", "missed") and not sections:
        return _NOTHING
    if name == "machine":
        return _table(("", ""), machine.items())
    if name == "goals":
        return _table(("goal", "ratio", "at most", ""), [_goal_row(goal, goal.find(records)) for goal in GOALS])
    if name == "missed":
        return _missed(records)
    return _show_section(name, sections[name]) if name in sections else _NOTHING


def _show_section(name, section):
    return (f"![{section.title}](performance/{name}.svg)\n\n" +
            _table(("what", "Latchkey", "peer", "", "unit", "ratio", "of one round", "at most"), _rows(section.records)) +
            f"\nMeasured on {section.day}, commit {section.commit}.\n")


def _table(head, rows):
    lines = [head, ["---"] * len(head), *rows]
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)


def _rows(records):
    """A case and what is ours stand in its first row only."""
    for _, group in groupby(records, lambda record: (record.case, record.ours)):
        for number, record in enumerate(group):
            ours = ("", "") if number else (record.case, show_number(record.ours))
            yield (*ours, record.peer_name, show_number(record.peer), record.unit, f"{record.ratio:.3g}",
                   f"{record.low:.3g} to {record.high:.3g}", _show_goal(record))


def _show_goal(record):
    if record.goal is None:
        return ""
    return f"{record.goal:.3g}" + ("" if record.is_reached else ", missed")


def _goal_row(goal, record):
    if not record:
        return goal.sentence, "", "", "not measured"
    verdict = "reached" if record.is_reached else f"**missed** by {_excess_percent(record):.0f} %"
    return goal.sentence, f"{record.ratio:.3g}", f"{record.goal:.3g}", verdict


def _excess_percent(record):
    return 100 * (record.ratio / record.goal - 1)


def _missed(records):
    found = [(goal, record) for goal in GOALS if (record := goal.find(records)) and not record.is_reached]
    return "".join(f"- {goal.sentence}: {record.ratio:.3g} where {record.goal:.3g} was wanted, {_excess_percent(record):.0f} % too much. "
                   f"Next: {goal.next_idea}\n" for goal, record in found) or "None.\n"


if __name__ == "__main__":
    write()
