"""The figures of one run as tables and charts, and both put into the manual between its marks."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec

from bench.measure import ROOT, Figure, table

MANUAL = ROOT / "docs" / "performance.md"
CHARTS = ROOT / "docs" / "performance"
FIGURES = CHARTS / "figures.json"
SOAK = CHARTS / "soak.json"

Json = dict[str, Any]
HTTP, ENGINES, VIEWS = "http", "engines", "views"


def figure(value: Any) -> Figure:
    """A figure as it was, or as it comes from JSON."""
    return value if isinstance(value, Figure) else msgspec.convert(value, Figure)


def _rows(found: Json, *names: str) -> list[list[Any]]:
    return [
        [label, *(figure(row[name]) if isinstance(row[name], dict | Figure) else row[name] for name in names)]
        for label, row in found.items()
    ]


def _middle(value: Any) -> float:
    return float(value) if isinstance(value, int | float) else figure(value).middle


def _mb(memory: Json) -> list[str]:
    return [f"{memory[kind]:.0f}" if memory[kind] else "not shown" for kind in ("rss", "pss")]


def tables(found: Json, soak: Json | None = None, *, charts: bool = True) -> str:
    """Everything that was measured, in Markdown."""
    http, engine, machine, memory = found["http"], found["engines"], found["machine"], found["memory"]

    def chart(name: str, title: str) -> str:
        return f"![{title}](performance/{name}.svg)" if charts else ""

    half = http["half_load"]
    short = ", a short run: not for publication" if machine["quick"] else ""
    parts = [
        f"Python {machine['python']}, {machine['cores']} cores, {machine['when']}{short}.",
        "### Over HTTP, one worker and one client process",
        table(
            _rows(http["rows"], "a_second", "of_ceiling", "of_hello", "p50_ms", "p99_ms", "processor_us"),
            ["", "requests a second", "of the ceiling", "of hello", "p50 ms", "p99 ms", "microseconds of the processor"],
        ),
        chart("http", "Over HTTP"),
        f"Two workers do {figure(http['two_workers'])} times what one does. The last column is what the service takes of "
        "the processor for each request; the client and the kernel share the two cores with it.",
        "### At half load",
        table(_rows(half, "a_second", "p50_ms", "p99_ms"), ["", "requests a second", "p50 ms", "p99 ms"]),
        "### One plan in process: reading the request, planning, writing the plan",
        table(_rows(found["patients"]["rows"], "microseconds", "of_golden"), ["", "microseconds", "times golden"]),
        "Where the time goes:",
        table(
            [
                [name, f"{row['golden']:.0%}", f"{row['never_seen']:.0%}"]
                for name, row in found["patients"]["shares"].items()
            ],
            ["", "golden, seen before", "made up, never seen"],
        ),
        f"### Engines, {engine['rules']} rules on {engine['patients']} patients, all findings equal",
        table(_rows(engine["rows"], "microseconds", "of_python"), ["", "microseconds a patient", "times plain Python"]),
        chart("engines", "Engines"),
        "### By the number of medicines",
        table(
            _rows(found["medicines"], "known", "afresh", "bytes"),
            ["medicines", "microseconds, seen before", "nothing remembered", "bytes of plan"],
        ),
        chart("medicines", "By the number of medicines"),
        "### By what else a request says",
        table(
            _rows(found["requests"], "request", "known", "afresh", "bytes"),
            ["", "bytes of request", "microseconds, seen before", "nothing remembered", "bytes of plan"],
        ),
        "### By the number of rules, from files",
        table(
            [
                [
                    size,
                    f"{row['load_ms']:.0f}",
                    f"{row['ready_ms']:.0f}",
                    f"{row['items']:.0f}",
                    *map(figure, (row["known"], row["never_seen"], row["afresh"])),
                ]
                for size, row in found["rules"].items()
            ],
            [
                "rules",
                "load ms",
                "planner ms",
                "items a plan",
                "microseconds, seen before",
                "never seen",
                "nothing remembered",
            ],
        ),
        chart("rules", "By the number of rules"),
        "### Starting",
        table([[name, figure(value)] for name, value in found["starting"].items()], ["", "milliseconds"]),
        "### Memory of one worker of a running service, megabytes",
        table(
            [
                ["at first", *_mb(memory["first"])],
                [f"once it has met {memory['met']:,} different patients", *_mb(memory["warm"])],
                [f"{memory['plans']:,} plans later", *_mb(memory["last"])],
                *(
                    [
                        [f"*the long run:* warm, after {soak['plans'] // 10:,} plans", *_mb(soak["warm"])],
                        [
                            f"*the long run:* {soak['plans']:,} plans later",
                            f"{soak['grown']['rss']:+.1f}",
                            f"{soak['grown']['pss']:+.1f}",
                        ],
                    ]
                    if soak
                    else []
                ),
            ],
            ["", "RSS", "PSS"],
        ),
        "### Other answers, as multiples of a plan of the same patient",
        table([[name, figure(value)] for name, value in found["views"].items()], ["", "times a plan"]),
        chart("views", "Other answers"),
        "### What is reached",
        targets(found, soak),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def targets(found: Json, soak: Json | None) -> str:
    """Every target with its figure, and whether it is reached."""
    http, engine = found["http"], {name: figure(row["of_python"]).middle for name, row in found["engines"]["rows"].items()}
    golden, anew = "plans, golden patients", "this service, nothing remembered"
    memory, medicines, rules = found["memory"], found["medicines"], found["rules"]
    grown = soak["grown"]["rss"] if soak else None
    per_plan = figure(found["patients"]["rows"]["golden, seen before"]["microseconds"]).middle
    kinds = {"seen before": "known", "never seen": "never_seen", "nothing remembered": "afresh", "loading": "load_ms"}
    cliffs = [
        (f"{less} to {more} rules, {label}", _middle(rules[more][kind]) / _middle(rules[less][kind]), int(more) / int(less))
        for less, more in pairwise(rules)
        for label, kind in kinds.items()
    ]
    steepest = max(cliffs, key=lambda cliff: cliff[1] / cliff[2])
    medicine = figure(medicines["50"]["known"]).middle / figure(medicines["5"]["known"]).middle
    started = found["starting"].get("until ready")
    ready = figure(started).middle / 1000 if started else None
    rows: list[tuple[str, str, float | None, bool | None]] = [
        (
            "of the ceiling, one worker",
            "at least 0.75",
            (at := figure(http["rows"][golden]["of_ceiling"]).middle),
            at >= 0.75,
        ),
        ("p99 at half load, ms, golden", "under 10", (at := figure(http["half_load"]["golden"]["p99_ms"]).middle), at < 10),
        (
            "p99 at half load, ms, never seen",
            "under 10",
            (at := figure(http["half_load"]["never seen"]["p99_ms"]).middle),
            at < 10,
        ),
        ("two workers, times one", "near 2", (at := figure(http["two_workers"]).middle), at >= 1.8),
        ("microseconds a plan, golden", "little more than 50", per_plan, per_plan < 75),
        ("engine, times plain Python", "at most 15", engine["this service"], engine["this service"] <= 15),
        ("the same, nothing remembered", "at most 15", engine[anew], engine[anew] <= 15),
        (
            "CLIPS, times ours with nothing remembered",
            "more than 1",
            (at := engine["CLIPS (clipspy)"] / engine[anew]),
            at > 1,
        ),
        ("zen, times ours with nothing remembered", "at least 5", (at := engine["zen-engine"] / engine[anew]), at >= 5),
        ("50 medicines, times 5", "at most 10", medicine, medicine <= 10),
        (
            f"{steepest[0]}, the steepest step",
            f"{steepest[2]:.1f}, a tenth more for chance",
            steepest[1],
            steepest[1] <= steepest[2] * 1.1,
        ),
        ("ready, seconds", "under 1", ready, ready is not None and ready < 1),
        ("a worker at first, MB (PSS)", "under 80", memory["first"]["pss"] or None, memory["first"]["pss"] < 80),
        ("a worker at first, MB (RSS)", "under 80", memory["first"]["rss"], memory["first"]["rss"] < 80),
        (
            "growth over a million plans, MB (RSS)",
            "under 1",
            grown,
            grown is not None and grown < 1 and soak is not None and soak["plans"] >= 1_000_000,
        ),
    ]
    said = [
        [name, wanted, "not measured" if at is None else f"{at:.3g}", "yes" if fine and at is not None else "**no**"]
        for name, wanted, at, fine in rows
    ]
    return table(said, ["", "target", "found", "reached"])


def draw(found: Json, folder: Path) -> None:
    """Charts of the ratios, as SVG."""
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "careplan"
    from matplotlib import pyplot

    folder.mkdir(parents=True, exist_ok=True)

    def bars(name: str, title: str, rows: dict[str, Figure], unit: str, *, log: bool = False) -> None:
        drawn, axes = pyplot.subplots(figsize=(7, 0.45 * len(rows) + 1.2), layout="constrained")
        labels = list(rows)[::-1]
        values = [rows[label] for label in labels]
        spread = [[one.middle - one.lowest for one in values], [one.highest - one.middle for one in values]]
        axes.barh(labels, [one.middle for one in values], xerr=spread, color="#3b6ea5", ecolor="#555555")
        if log:
            axes.set_xscale("log")
        axes.set_title(title, fontsize=10)
        axes.set_xlabel(unit)
        drawn.savefig(folder / f"{name}.svg", metadata={"Date": None})
        pyplot.close(drawn)

    def lines(name: str, title: str, rows: Json, kinds: dict[str, str]) -> None:
        drawn, axes = pyplot.subplots(figsize=(7, 3.4), layout="constrained")
        counts = [int(count) for count in rows]
        for kind, label in kinds.items():
            axes.plot(counts, [figure(row[kind]).middle for row in rows.values()], marker="o", label=label)
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set_title(title, fontsize=10)
        axes.set_xlabel(name)
        axes.set_ylabel("microseconds")
        axes.legend()
        drawn.savefig(folder / f"{name}.svg", metadata={"Date": None})
        pyplot.close(drawn)

    against = {name: figure(row["of_ceiling"]) for name, row in found[HTTP]["rows"].items()}
    bars("http", "Requests a second, as a share of the ceiling", against, "of the ceiling")
    peers = {name: figure(row["of_python"]) for name, row in found[ENGINES]["rows"].items()}
    bars("engines", "The same rules and patients on other engines", peers, "times plain Python", log=True)
    views = {name: figure(value) for name, value in found[VIEWS].items()}
    bars("views", "Other answers than a plan", views, "times a plan")
    seen = {"known": "seen before", "afresh": "nothing remembered"}
    lines("medicines", "One plan by its number of medicines", found["medicines"], seen)
    lines("rules", "One plan by the number of rules", found["rules"], seen | {"never_seen": "never seen"})


_BETWEEN = re.compile(r"(<!-- figures: begin.*?-->\n).*?(<!-- figures: end -->)", re.DOTALL)


def put_between(text: str, figures: str) -> str:
    """The manual with these figures. Raises `ValueError` if its marks are gone."""
    if len(_BETWEEN.findall(text)) != 1:
        raise ValueError("the manual has no marks, or several, to put the figures between")
    return _BETWEEN.sub(lambda marks: f"{marks[1]}\n{figures}\n{marks[2]}", text)


def write_manual() -> None:
    """Put the figures that were kept last into the manual, and draw them."""
    found = msgspec.json.decode(FIGURES.read_bytes())
    soak = msgspec.json.decode(SOAK.read_bytes()) if SOAK.exists() else None
    draw(found, CHARTS)
    MANUAL.write_text(put_between(MANUAL.read_text(), tables(found, soak)))


if __name__ == "__main__":
    write_manual()
