"""What the benchmarks share: patients never seen before, rounds taken in turns, medians with their spread."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec

from careplan.authoring.realistic_patients import realistic
from careplan.authoring.synthetic_patients import synthetic
from careplan.planner import Planner
from careplan.rulebook.load import load, shipped
from careplan.rulebook.model import Rulebook

ROOT = Path(__file__).parents[1]
MICRO = 1e6
MOST_PATIENTS = 10_000_000
"""Of one seed: more than any run asks for."""

clock = time.process_time
"""What is timed inside of one process waits for nothing, so the time that others take of a busy machine need not count."""


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """The middle of several rounds, with the lowest and the highest."""

    middle: float
    lowest: float
    highest: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Figure:
        """From the values of all rounds."""
        return cls(middle=statistics.median(values), lowest=min(values), highest=max(values))

    def __str__(self) -> str:
        return f"{self.middle:.3g} ({self.lowest:.3g} to {self.highest:.3g})"


def golden_bodies(root: Path = ROOT) -> list[bytes]:
    """The requests of the golden patients and of the examples."""
    folders = (root / "tests" / "golden" / "patients", root / "examples")
    return [path.read_bytes() for folder in folders for path in sorted(folder.glob("*.json"))]


def made_up_bodies(book: Rulebook, count: int, seed: int = 7) -> list[bytes]:
    """Requests of made-up patients, no two alike."""
    return [msgspec.json.encode(body) for body in synthetic([book], count, seed)]


class NeverSeen:
    """Requests of the realistic cohort, of which none is handed out twice."""

    def __init__(self, seed: int, book: Rulebook | None = None) -> None:
        self._left = map(msgspec.json.encode, realistic(book or load(shipped()), MOST_PATIENTS, seed))

    def some(self, count: int) -> list[bytes]:
        """So many more. Raises `ValueError` once there are no more."""
        bodies = list(islice(self._left, count))
        if len(bodies) < count:
            raise ValueError("the cohort has no more patients")
        return bodies


def planned(planner: Planner, body: bytes) -> bytes:
    """What a plan is made of here: decoding the request, planning, and encoding the plan."""
    return msgspec.json.encode(planner.plan(planner.intake.decode(body)))


def seconds_of(do: Callable[[bytes], object], bodies: Sequence[bytes]) -> float:
    """Seconds of the processor for each of these requests, one after the other."""
    began = clock()
    for body in bodies:
        do(body)
    return (clock() - began) / len(bodies)


def in_turns(work: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, list[float]]:
    """Seconds of the processor of each kind of work in each round, taken in turns: a slow moment hits all alike."""
    taken: dict[str, list[float]] = {name: [] for name in work}
    for _ in range(rounds):
        for name, do in work.items():
            began = clock()
            do()
            taken[name].append(clock() - began)
    return taken


def ratios(taken: Mapping[str, Sequence[float]], base: str) -> dict[str, Figure]:
    """Each kind of work as a multiple of one of them, round by round."""
    return {name: Figure.of([one / of for one, of in zip(times, taken[base], strict=True)]) for name, times in taken.items()}


def table(rows: Sequence[Sequence[Any]], head: Sequence[str]) -> str:
    """Rows as a table in Markdown, which a terminal shows well enough."""
    lines = [list(map(str, head)), *([str(cell) for cell in row] for row in rows)]
    widths = [max(len(line[at]) for line in lines) for at in range(len(head))]
    text = [" | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in lines]
    text.insert(1, " | ".join("-" * width for width in widths))
    return "\n".join(f"| {line} |" for line in text)
