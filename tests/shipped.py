"""The shipped rulebook, read once for all tests: it is read only. And its lists, to put few or other rules beside them."""

from __future__ import annotations

import shutil
from collections.abc import Collection
from functools import cache
from pathlib import Path

from careplan.planner import Planner
from careplan.rulebook.folder import read_folder
from careplan.rulebook.interactions import INTERACTIONS
from careplan.rulebook.load import INVARIANTS, load_files, shipped
from careplan.rulebook.model import SECTIONS

FILES = read_folder(shipped())
BOOK = load_files(FILES)


@cache
def shared_planner() -> Planner:
    """One planner for the whole run: it is read only, and the engine belongs to this thread."""
    return Planner(BOOK)


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
    return lists_in(folder, ("sleep-under-five-hours", *(path.stem for path in (shipped() / "route").glob("*.yaml"))))
