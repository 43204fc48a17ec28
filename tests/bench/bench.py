#!/usr/bin/python3
"""Runs the benchmarks, each a bench_NAME.py with run(world), which returns its figures."""

import datetime
import importlib
import json
import os
import sys
import time
import traceback
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lib"))

# pylint: disable=wrong-import-position
import arguments
import machine
import page
import plot
from figures import print_table
from latchkey_test import BUILD
from world import World

BENCHES = {name: importlib.import_module(f"bench_{name}") for name in arguments.NAMES}


def run(name, world):
    """Its records, or None when it failed."""
    print(f"{name} ...", flush=True)
    started = time.monotonic()
    try:
        records = [figure.record for figure in BENCHES[name].run(world)]
    except Exception:  # pylint: disable=broad-except
        traceback.print_exc(file=sys.stdout)
        return None
    print(f"    {time.monotonic() - started:.0f} s", flush=True)
    (_directory() / f"{name}.svg").write_text(plot.render(_title(name), records), encoding="utf-8")
    return records


def _title(name):
    return BENCHES[name].__doc__.split("\n", maxsplit=1)[0]


def _directory(name="."):
    directory = BUILD / "bench" / name
    directory.mkdir(parents=True, exist_ok=True)
    return directory


def print_summary(records, load):
    print()
    print_table(records)
    goals = [record for record in records if record.goal is not None]
    print(f"\nmedians; load of the machine at the start {load[0]:.1f} on {os.cpu_count()} cores; plots in {_directory()}")
    print(f"{sum(record.is_reached for record in goals)} of {len(goals)} goals reached")


# ---- the page: what one benchmark has found is kept, so that a run that was ended goes on where it was ----

def _kept(name):
    return _directory("page") / f"{name}.json"


def _names(options):
    if options.benches or not options.page:
        return options.benches or list(BENCHES)
    return [name for name in page.places() if name in BENCHES and not _kept(name).exists()]


def _keep(name, records):
    section = page.Section(_title(name), datetime.date.today().isoformat(), machine.find_commit(), records)
    _kept(name).write_text(section.to_json(), encoding="utf-8")


def _write_page(load):
    kept = {name: page.Section.of(json.loads(_kept(name).read_text(encoding="utf-8")))
            for name in page.places() if _kept(name).exists()}
    page.save(machine.describe(load[0]), {**page.load()[1], **kept})
    page.write()


def main(words):
    options = arguments.parse(words)
    load = os.getloadavg()
    found, failed = [], []
    names = _names(options)
    with World(options) as world:
        for name in names:
            records = run(name, world)
            found += records or []
            if not records:
                failed.append(name)
            elif options.page:
                _keep(name, records)
    if found:
        print_summary(found, load)
    if options.json:
        options.json.write_text("".join(record.to_json() + "\n" for record in found), encoding="utf-8")
    if options.page:
        _write_page(load)
    if failed:
        print(f"did not run: {', '.join(failed)}")
    print(f"{len(names) - len(failed)} passed, {len(failed)} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
