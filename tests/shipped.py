"""The shipped rulebook, read once for all tests: it is read only. And its lists, to put few or other rules beside them."""

from __future__ import annotations

import shutil
from collections.abc import Collection, Hashable
from functools import cache
from pathlib import Path
from typing import Any

from careplan.fhir.read.bundle import FhirReader
from careplan.planner import Planner
from careplan.rulebook.folder import Files, read_folder
from careplan.rulebook.interactions import INTERACTIONS
from careplan.rulebook.kept_parts import KeptParts
from careplan.rulebook.load import INVARIANTS, load_files, shipped
from careplan.rulebook.model import SECTIONS, Rulebook


class _Parts(KeptParts):
    """Parts of the loading before, and beside them always those of the rulebooks that most tests begin with."""

    def __init__(self) -> None:
        super().__init__()
        self._always: dict[Hashable, Any] = {}

    def begin(self) -> None:
        super().begin()
        self._before = self._always | self._before

    def keep_for_all(self, files: Files) -> Rulebook:
        """The rulebook that these files make, of which the parts are kept until the tests end."""
        book = load_files(files, self)
        self._always |= self._now
        return book


FILES = read_folder(shipped())
PARTS = _Parts()
BOOK = PARTS.keep_for_all(FILES)


@cache
def shared_planner() -> Planner:
    """One planner for the whole run: it is read only, and the engine belongs to this thread."""
    return Planner(BOOK)


@cache
def reader_of(planner: Planner) -> FhirReader:
    """What reads records by the rulebook of a planner, made once for each: it keeps nothing of a record."""
    return FhirReader(planner.book, planner.intake)


MADE_UP_RULE = """\
id: made-up-rule
version: 1
status: trial
level: caution
title: A made-up rule
rationale: It exists for a test.
sources:
  - {source: founding, place: "2.2", strength: expert_opinion}
when:
  lifestyle:
    sleep_hours_per_night: {less_than: 5}
then:
  patient: Sleep matters. You told us about {lifestyle.sleep_hours_per_night} hours.
  clinician: Short sleep.
examples:
  fires:
    - {why: short, patient: {lifestyle: {sleep_hours_per_night: 4}}}
  silent:
    - {why: long, patient: {lifestyle: {sleep_hours_per_night: 8}}}
scope: personal
topic: sleep
line: Short sleep to be looked at.
"""
"""A rule file that has all it must have, and nothing else."""


def lists_in(folder: Path, keep: Collection[str] = ()) -> Path:
    """A new folder with the shipped lists and, of rules and invariants, those to keep; without the table of interactions."""

    def left_out(inside: str, names: list[str]) -> list[str]:
        if Path(inside) == shipped():
            return ["rules.lock", INTERACTIONS]
        return [name for name in names if Path(inside).name in (*SECTIONS, INVARIANTS) and Path(name).stem not in keep]

    return Path(shutil.copytree(shipped(), folder, ignore=left_out))


def few_rules_in(folder: Path) -> Path:
    """A new folder with the shipped lists, and of the rules one about sleep and those without which no plan is whole.

    For tests of what happens to a rulebook, whichever it is: a rehearsal of all rules takes ten times as long.
    """
    few = lists_in(folder, ("sleep-under-five-hours", *(path.stem for path in (shipped() / "route").glob("*.yaml"))))
    PARTS.keep_for_all(read_folder(few))
    return few
