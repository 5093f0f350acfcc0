"""All benchmarks in one run, side by side and in turns.

Writes the figures as JSON and charts into docs/performance, and the tables of docs/performance.md from that one file.

python -m bench                  # everything, about twenty minutes
python -m bench --quick          # fewer rounds and smaller sizes, to see that it runs: prints, and writes nothing
python -m bench --quick --into FOLDER     # writes JSON and charts there, and leaves the manual alone
python -m bench.soak --keep      # apart from these, as it takes longer: a million plans
python -m bench.manual           # write the tables and charts again from what was kept
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from bench.growth import growth_of_medicines, growth_of_requests, growth_of_rules
from bench.inside import engines, few_and_many, patients, starting, views
from bench.manual import CHARTS, FIGURES, SOAK, draw, tables, write_manual
from bench.memory import worker_memory
from careplan.web.process.worker import settle


def measured(*, quick: bool) -> dict[str, Any]:
    """Every benchmark, with a word on how far it is."""
    from bench.endtoend import end_to_end

    sizes = (100, 300) if quick else (100, 300, 1_000, 3_000, 10_000)
    parts: dict[str, Any] = {
        "engines": lambda: engines(2 if quick else 9, 4 if quick else 15),
        "patients": lambda: patients(2 if quick else 11, 20 if quick else 100),
        "few_and_many": lambda: few_and_many(2, 40) if quick else few_and_many(31),
        "medicines": lambda: growth_of_medicines(2 if quick else 15),
        "requests": lambda: growth_of_requests(1 if quick else 11),
        "rules": lambda: growth_of_rules(sizes, 2 if quick else 5, 5 if quick else 20),
        "starting": lambda: starting(1 if quick else 7),
        "memory": lambda: worker_memory(500 if quick else 50_000),
        "views": lambda: views(6 if quick else 60),
        "http": lambda: end_to_end(1 if quick else 7, 1.0 if quick else 3.0),
    }
    when = datetime.now(UTC).date().isoformat()
    machine = {"python": platform.python_version(), "cores": len(os.sched_getaffinity(0)), "when": when, "quick": quick}
    found: dict[str, Any] = {"machine": machine}
    settle()  # as workers are, so that no part waits for what others left behind
    for at, (name, part) in enumerate(parts.items(), start=1):
        began = time.perf_counter()
        print(f"{at}/{len(parts)} {name}", end="", file=sys.stderr, flush=True)
        found[name] = part()
        print(f", {time.perf_counter() - began:.0f} s", file=sys.stderr, flush=True)
    return found


def main() -> None:
    """Measure, print, and write."""
    options = argparse.ArgumentParser(
        prog="python -m bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--quick", action="store_true", help="fewer rounds and smaller sizes")
    options.add_argument("--into", type=Path, metavar="FOLDER", help="write JSON and charts there, not into the manual")
    chosen = options.parse_args()
    found = measured(quick=chosen.quick)
    kept = msgspec.json.format(msgspec.json.encode(found), indent=2) + b"\n"
    if chosen.into:
        draw(found, chosen.into)
        (chosen.into / FIGURES.name).write_bytes(kept)
    elif not chosen.quick:
        CHARTS.mkdir(exist_ok=True)
        FIGURES.write_bytes(kept)
        write_manual()
    soak = msgspec.json.decode(SOAK.read_bytes()) if SOAK.exists() and not chosen.quick else None
    print(tables(found, soak, charts=False))


if __name__ == "__main__":
    main()
