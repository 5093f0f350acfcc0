"""The figures of one run as tables and charts, and both put into the manual between its marks."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

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
    both = found["few_and_many"]

    def chart(name: str, title: str) -> str:
        return f"![{title}](performance/{name}.svg)" if charts else ""

    short = ", a short run: not for publication" if machine["quick"] else ""
    over_http = ("a_second", "of_ceiling", "p50_ms", "p99_ms", "processor_us", "of_fixed")
    parts = [
        f"Python {machine['python']}, {machine['cores']} cores, {machine['when']}{short}.",
        "### What is reached",
        targets(found, soak),
        "### Over HTTP, one worker and one client process",
        table(
            _rows(http["rows"], *over_http),
            [
                "",
                "requests a second",
                "of the ceiling",
                "p50 ms",
                "p99 ms",
                "microseconds of the processor",
                "times the fixed work",
            ],
        ),
        chart("http", "Over HTTP"),
        f"Two workers answer {figure(http['two_workers'])} times the requests of one, beside the client on the same cores. "
        f"By what a request takes of the processor they could answer {figure(http['two_by_processor'])} times as many.",
        "### At half load",
        table(
            _rows({"plans": http["half_load"]}, "a_second", "p50_ms", "p99_ms"),
            ["", "requests a second", "p50 ms", "p99 ms"],
        ),
        "### One plan in process: decoding the request, planning, encoding the plan",
        table(_rows(found["patients"]["rows"], "microseconds", "of_fixed"), ["", "microseconds", "times the fixed work"]),
        "Where the time goes, by package of the service:",
        table([[name, f"{share:.0%}"] for name, share in found["patients"]["shares"].items()], ["", "share"]),
        f"### Among few and among many: {both['few']:,} different patients, {both['many']:,} different patients",
        table(
            [
                [f"one of {both['few']:,}", figure(both["microseconds"]["few"]), "1"],
                [f"one of {both['many']:,}", figure(both["microseconds"]["many"]), figure(both["many_to_few"])],
            ],
            ["", "microseconds a plan", "times one of few"],
        ),
        f"### Engines, {engine['rules']} rules on {engine['patients']} patients, all findings equal",
        table(
            _rows(engine["rows"], "microseconds", "of_python", "of_unfilled"),
            ["", "microseconds a patient", "times plain Python", "times ours with nothing filled"],
        ),
        chart("engines", "Engines"),
        "### By the number of medicines",
        table(_rows(found["medicines"], "never_seen", "bytes"), ["medicines", "microseconds a plan", "bytes of plan"]),
        chart("medicines", "By the number of medicines"),
        "### By what else a request says",
        table(
            _rows(found["requests"], "request", "never_seen", "bytes"),
            ["", "bytes of request", "microseconds a plan", "bytes of plan"],
        ),
        "### By the number of rules, from files",
        table(
            [
                [
                    size,
                    f"{row['load_ms']:.0f}",
                    f"{row['ready_ms']:.0f}",
                    f"{row['items']:.0f}",
                    figure(row["never_seen"]),
                ]
                for size, row in found["rules"].items()
            ],
            ["rules", "load ms", "planner ms", "items a plan", "microseconds a plan"],
        ),
        chart("rules", "By the number of rules"),
        "### Starting",
        table([[name, figure(value)] for name, value in found["starting"].items()], ["", "milliseconds"]),
        "### Memory of one worker of a running service, megabytes, all patients different",
        table(_memory(memory, soak), ["", "RSS", "PSS"]),
        "### Other answers, as multiples of a plan of the same patient",
        table([[name, figure(value)] for name, value in found["views"].items()], ["", "times a plan"]),
        chart("views", "Other answers"),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _memory(memory: Json, soak: Json | None) -> list[list[str]]:
    rows = [
        ["at first", *_mb(memory["first"])],
        [f"after {memory['met']:,} patients", *_mb(memory["warm"])],
        [f"after {memory['plans']:,} more", *_mb(memory["last"])],
        ["growth for 100,000 of these", *(f"{memory['growth'][kind]:+.2f}" for kind in ("rss", "pss"))],
    ]
    if soak:
        grown = soak["grown"]
        rows += [
            [f"*the long run:* warm, after {soak['plans'] // 10:,} patients", *_mb(soak["warm"])],
            [f"*the long run:* {soak['plans']:,} patients later", f"{grown['rss']:+.1f}", f"{grown['pss']:+.1f}"],
        ]
    return rows


class Target(NamedTuple):
    """One figure that is aimed at: what it is called, the bound in words, the figure, and whether it holds."""

    name: str
    wanted: str
    at: float | None
    reached: bool

    @classmethod
    def at_most(cls, name: str, bound: float, at: float | None, *, slack: float = 1.0) -> Target:
        """Reached when no more than the bound; `slack` is what chance may add."""
        return cls(name, f"at most {bound:.3g}", at, at is not None and at <= bound * slack)

    @classmethod
    def at_least(cls, name: str, bound: float, at: float | None) -> Target:
        """Reached when no less than the bound."""
        return cls(name, f"at least {bound:.3g}", at, at is not None and at >= bound)


def targets(found: Json, soak: Json | None) -> str:
    """Every target with its figure, and whether it is reached."""
    http, memory, both = found["http"], found["memory"], found["few_and_many"]
    engines = {name: figure(row["of_unfilled"]).middle for name, row in found["engines"]["rows"].items()}
    plan, views = found["patients"]["rows"]["a plan"], {name: figure(one).middle for name, one in found["views"].items()}
    started = found["starting"].get("until ready")
    plans = http["rows"]["plans"]
    long_enough = soak is not None and soak["plans"] >= 1_000_000
    steps = [
        *_steps(found["medicines"], "medicines", {"": "never_seen"}),
        *_steps(found["rules"], "rules", {"": "never_seen", ", loading": "load_ms"}),
    ]
    name, steepest = max(steps, key=lambda step: step[1])
    rows = [
        Target.at_most("a request over HTTP, times the fixed work", 1.2, figure(plans["of_fixed"]).middle),
        Target.at_least("requests a second over HTTP, of the ceiling", 0.5, figure(plans["of_ceiling"]).middle),
        Target.at_most("microseconds a plan in process", 300, figure(plan["microseconds"]).middle),
        Target.at_most("one of many, times one of few", 1, figure(both["many_to_few"]).middle, slack=1.05),
        Target.at_least("CLIPS, times our engine with nothing filled", 1, engines["CLIPS (clipspy)"]),
        Target.at_least("zen, times our engine with nothing filled", 5, engines["zen-engine"]),
        Target.at_least("two workers, times one, by time of the processor", 1.8, figure(http["two_by_processor"]).middle),
        Target.at_most("growth of memory for 100,000 patients, MB (RSS)", 0.1, memory["growth"]["rss"]),
        Target.at_most(
            "the same over a million, MB (RSS)", 1, soak["grown"]["rss"] if soak is not None and long_enough else None
        ),
        Target.at_most("ready, seconds", 0.6, figure(started).middle / 1000 if started else None),
        Target.at_most("a worker at first, MB (RSS)", 80, memory["first"]["rss"]),
        Target.at_most("a FHIR Bundle, times a plan", 4, views["FHIR Bundle"]),
        Target.at_most("a call of CDS Hooks, times a plan", 4, views["CDS Hooks call"]),
        Target.at_most("p99 at half load, ms", 10, figure(http["half_load"]["p99_ms"]).middle),
        Target.at_most(f"the steepest growth, of its size ({name})", 1, steepest, slack=1.1),
    ]
    said = [
        [row.name, row.wanted, "not measured" if row.at is None else f"{row.at:.3g}", "yes" if row.reached else "**no**"]
        for row in rows
    ]
    return table(said, ["", "target", "found", "reached"])


def _steps(found: Json, of: str, kinds: dict[str, str]) -> list[tuple[str, float]]:
    """How much a figure grows from one size to the next, over how much the size does: 1 is linear."""
    return [
        (
            f"{less} to {more} {of}{label}",
            _middle(found[more][kind]) / _middle(found[less][kind]) / (int(more) / int(less)),
        )
        for less, more in pairwise(found)
        for label, kind in kinds.items()
    ]


def _keep(drawn: Any, path: Path) -> None:
    """Write a chart, without the blanks that matplotlib leaves at the ends of lines and the day on which it was drawn."""
    drawn.savefig(path, metadata={"Date": None})
    path.write_text("".join(f"{line.rstrip()}\n" for line in path.read_text().splitlines()))


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
        _keep(drawn, folder / f"{name}.svg")
        pyplot.close(drawn)

    def lines(name: str, title: str, rows: Json) -> None:
        drawn, axes = pyplot.subplots(figsize=(7, 3.4), layout="constrained")
        counts = [int(count) for count in rows]
        axes.plot(counts, [figure(row["never_seen"]).middle for row in rows.values()], marker="o")
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set_title(title, fontsize=10)
        axes.set_xlabel(name)
        axes.set_ylabel("microseconds")
        _keep(drawn, folder / f"{name}.svg")
        pyplot.close(drawn)

    against = {name: figure(row["of_ceiling"]) for name, row in found[HTTP]["rows"].items()}
    bars("http", "Requests a second, as a share of the ceiling", against, "of the ceiling")
    peers = {name: figure(row["of_python"]) for name, row in found[ENGINES]["rows"].items()}
    bars("engines", "The same rules and patients on other engines", peers, "times plain Python", log=True)
    views = {name: figure(value) for name, value in found[VIEWS].items()}
    bars("views", "Other answers than a plan", views, "times a plan")
    lines("medicines", "One plan by its number of medicines", found["medicines"])
    lines("rules", "One plan by the number of rules", found["rules"])


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
