#!/usr/bin/python3
"""Runs the benchmarks that arguments.py names, in its order."""

import os
import sys
import time
import traceback
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lib"))

# pylint: disable=wrong-import-position
import arguments
import bench_batch
import bench_cold_start
import bench_create
import bench_currency
import bench_envoy
import bench_ip_set
import bench_latency
import bench_memory
import bench_overload
import bench_pages
import bench_revoke
import bench_timing
import bench_tls
import bench_token_table
import bench_transport
import bench_trips
import bench_validate
import bench_whitelist
import plot
from figures import print_table
from latchkey_test import BUILD
from world import World

BENCHES = {module.__name__.removeprefix("bench_"): module
           for module in (bench_ip_set, bench_token_table, bench_transport, bench_validate, bench_batch, bench_envoy, bench_tls, bench_latency, bench_cold_start,
                          bench_memory, bench_revoke, bench_currency, bench_create, bench_trips, bench_whitelist, bench_pages, bench_overload,
                          bench_timing)}
assert tuple(BENCHES) == arguments.NAMES


def run(name, world):
    """Its figures, or None when it failed."""
    print(f"{name} ...", flush=True)
    started = time.monotonic()
    try:
        figures = BENCHES[name].run(world)
    except Exception:  # pylint: disable=broad-except
        traceback.print_exc(file=sys.stdout)
        return None
    print(f"    {time.monotonic() - started:.0f} s", flush=True)
    plot.write(plot_directory() / f"{name}.svg", BENCHES[name].__doc__.split("\n", maxsplit=1)[0], figures)
    return figures


def plot_directory():
    directory = BUILD / "bench"
    directory.mkdir(parents=True, exist_ok=True)
    return directory


def print_summary(figures, load):
    print()
    print_table(figures)
    goals = [figure for figure in figures if figure.goal is not None]
    print(f"\nmedians; load of the machine at the start {load[0]:.1f} on {os.cpu_count()} cores; "
          f"plots in {plot_directory()}")
    print(f"{sum(figure.is_reached for figure in goals)} of {len(goals)} goals reached")


def main(words):
    options = arguments.parse(words)
    load = os.getloadavg()
    figures, failed = [], []
    names = options.benches or list(BENCHES)
    with World(options.quick) as world:
        for name in names:
            found = run(name, world)
            figures += found or []
            if not found:
                failed.append(name)
    print_summary(figures, load)
    if options.json:
        options.json.write_text("".join(figure.to_json() + "\n" for figure in figures), encoding="utf-8")
    if failed:
        print(f"did not run: {', '.join(failed)}")
    print(f"{len(names) - len(failed)} passed, {len(failed)} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
