"""All benchmarks in one run, side by side and in turns: a table to read, JSON to keep, charts for the documentation.

python -m bench                       # everything; the million plans take most of the time
python -m bench --quick               # fewer rounds, to see that it runs
python -m bench --json figures.json --charts docs/performance
"""

from __future__ import annotations

import argparse
import platform
import sys
from pathlib import Path
from typing import Any

import msgspec

from bench.inside import engines, growth_of_patients, growth_of_rules, memory_apart, starting, views
from bench.measure import Figure, table


def measured(*, quick: bool, plans: int) -> dict[str, Any]:
    """Every benchmark, with a word on how far it is."""
    from bench.endtoend import end_to_end

    rounds, seconds = (1, 1.0) if quick else (5, 2.0)
    sizes = (100, 300) if quick else (100, 300, 1_000, 3_000, 10_000)
    parts: dict[str, Any] = {
        "engines": lambda: engines(2 if quick else 9, 5 if quick else 40),
        "medicines": lambda: growth_of_patients(3 if quick else 15),
        "rules": lambda: growth_of_rules(sizes),
        "starting": lambda: starting(1 if quick else 5),
        "memory": lambda: memory_apart(plans),
        "views": lambda: views(1 if quick else 7),
        "http": lambda: end_to_end(rounds, seconds),
    }
    found: dict[str, Any] = {"machine": {"python": platform.python_version(), "cores": len(_cores())}}
    for at, (name, part) in enumerate(parts.items(), start=1):
        print(f"{at}/{len(parts)} {name}", file=sys.stderr, flush=True)
        found[name] = part()
    return found


def _cores() -> set[int]:
    import os

    return os.sched_getaffinity(0)


def written(found: dict[str, Any]) -> str:
    """The figures as tables."""
    http, engine = found["http"], found["engines"]
    parts = [
        "Over HTTP, one worker and one client process on two cores",
        table(
            [[name, row["a_second"], row["of_ceiling"], row["p50_ms"], row["p99_ms"]] for name, row in http["rows"].items()],
            ["", "requests a second", "of the ceiling", "p50 ms", "p99 ms"],
        ),
        f"Two workers do {http['two_workers']} times what one does. "
        f"At {http['half_load']['a_second']:.0f} requests a second: "
        f"p50 {http['half_load']['p50_ms']} ms, p99 {http['half_load']['p99_ms']} ms.",
        f"Engines, {engine['rules']} rules on {engine['patients']} patients, all findings equal",
        table(
            [[name, row["microseconds"], row["of_python"]] for name, row in engine["rows"].items()],
            ["", "microseconds a patient", "times plain Python"],
        ),
        "By the number of medicines",
        table(
            [[count, row["known"], row["afresh"], row["bytes"]] for count, row in found["medicines"].items()],
            ["medicines", "microseconds, seen before", "nothing remembered", "bytes of plan"],
        ),
        "By the number of rules",
        table(
            [[count, f"{row['compile_ms']:.0f}", row["known"], row["afresh"]] for count, row in found["rules"].items()],
            ["rules", "compile ms", "microseconds, seen before", "nothing remembered"],
        ),
        "Starting, milliseconds",
        table([[name, figure] for name, figure in found["starting"].items()], ["", "ms"]),
        "Memory of a process that plans: "
        f"{found['memory']['planner']:.0f} MB at first, {found['memory']['warm']:.0f} MB once all that is remembered has "
        f"filled up, {found['memory']['grown_after']:+.1f} MB after {found['memory']['plans']:.0f} more plans.",
        "Other answers, as multiples of a plan",
        table([[name, figure] for name, figure in found["views"].items()], ["", "times a plan"]),
    ]
    return "\n\n".join(parts) + "\n"


def draw(found: dict[str, Any], folder: Path) -> None:
    """Charts of the ratios, as SVG."""
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "careplan"
    from matplotlib import pyplot

    folder.mkdir(parents=True, exist_ok=True)

    def bars(name: str, title: str, rows: dict[str, Figure], unit: str, *, log: bool = False) -> None:
        figure, axes = pyplot.subplots(figsize=(7, 0.45 * len(rows) + 1.2), layout="constrained")
        labels = list(rows)[::-1]
        values = [rows[label] for label in labels]
        spread = [[one.middle - one.lowest for one in values], [one.highest - one.middle for one in values]]
        axes.barh(labels, [one.middle for one in values], xerr=spread, color="#3b6ea5", ecolor="#555555")
        if log:
            axes.set_xscale("log")
        axes.set_title(title, fontsize=10)
        axes.set_xlabel(unit)
        figure.savefig(folder / f"{name}.svg", metadata={"Date": None})
        pyplot.close(figure)

    def lines(name: str, title: str, rows: dict[str, dict[str, Any]], below: str) -> None:
        figure, axes = pyplot.subplots(figsize=(7, 3.4), layout="constrained")
        counts = [int(count) for count in rows]
        for kind, label in (("known", "seen before"), ("afresh", "nothing remembered")):
            axes.plot(counts, [row[kind].middle for row in rows.values()], marker="o", label=label)
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set_title(title, fontsize=10)
        axes.set_xlabel(below)
        axes.set_ylabel("microseconds")
        axes.legend()
        figure.savefig(folder / f"{name}.svg", metadata={"Date": None})
        pyplot.close(figure)

    against = {name: row["of_ceiling"] for name, row in found["http"]["rows"].items()}
    bars("http", "Requests a second, as a share of the ceiling", against, "of the ceiling")
    peers = {name: row["of_python"] for name, row in found["engines"]["rows"].items()}
    bars("engines", "The same rules and patients on other engines", peers, "times plain Python", log=True)
    bars("views", "Other answers than a plan", found["views"], "times a plan")
    lines("medicines", "One plan by its number of medicines", found["medicines"], "medicines")
    lines("rules", "Matching one patient by the number of rules", found["rules"], "rules")


def main() -> None:
    """Measure, print, and write what is asked for."""
    options = argparse.ArgumentParser(
        prog="python -m bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--quick", action="store_true", help="fewer rounds and smaller sizes")
    options.add_argument("--plans", type=int, default=1_000_000, help="how many for the memory of a long run")
    options.add_argument("--json", type=Path, help="write the figures to this file")
    options.add_argument("--charts", type=Path, help="write charts into this folder")
    chosen = options.parse_args()
    found = measured(quick=chosen.quick, plans=500 if chosen.quick else chosen.plans)
    if chosen.json:
        chosen.json.write_bytes(msgspec.json.format(msgspec.json.encode(found), indent=2) + b"\n")
    if chosen.charts:
        draw(found, chosen.charts)
    print(written(found))


if __name__ == "__main__":
    main()
