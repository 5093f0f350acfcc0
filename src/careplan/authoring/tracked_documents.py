"""`tracked_documents.yaml`: documents that a clinician expects, used by rules or left out for a reason."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path, PurePosixPath

from careplan.errors import RuleFault
from careplan.rulebook.entries import Entry, Line
from careplan.rulebook.model import Rulebook
from careplan.rulebook.validity import Day, is_a_day
from careplan.rulebook.yaml_and_csv import Document

TRACKED = "tracked_documents.yaml"


class Tracked(Entry, frozen=True, kw_only=True):
    """One document. Where it is in the bibliography, `sources` has its entries, `changed` the rules, `changes` in what way.

    Else `why_not` says why nothing rests on it. `looked_on` is the day on which it was last looked for, and by `check_by`
    somebody should look again.
    """

    title: Line
    by: Line
    looked_on: Day
    check_by: Day
    where: str = ""
    sources: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    changes: Line | None = None
    why_not: Line | None = None

    @property
    def came_of_it(self) -> str:
        """What became of it, in a sentence or two on one line."""
        return " ".join((self.why_not or self.changes or "").split())

    def is_due(self, by: date) -> bool:
        """Whether somebody should have looked for it again by a day."""
        return self.check_by <= by.isoformat()


def tracked_documents(folder: Path) -> tuple[Mapping[str, Tracked], list[RuleFault]]:
    """The documents that the rulebook in a folder tracks, by id, and what is wrong with the form of their file."""
    path = folder / TRACKED
    if not path.is_file():
        return {}, []
    document = Document(PurePosixPath(TRACKED), path.read_text(encoding="utf-8"))
    found = document.convert(dict[str, Tracked]) if not document.faults else None
    return found or {}, list(document.faults)


def faults_of_tracked(book: Rulebook, tracked: Mapping[str, Tracked]) -> Iterator[RuleFault]:
    """Documents of which it is not said what came of them, or whose rules rest on something else."""
    for name, one in tracked.items():
        for problem, mend in _wrong(book, one):
            yield RuleFault(file=TRACKED, line=1, field=name, problem=problem, mend=mend, code="tracked")


def _wrong(book: Rulebook, document: Tracked) -> Iterator[tuple[str, str]]:
    if not (is_a_day(document.looked_on) and is_a_day(document.check_by) and document.looked_on < document.check_by):
        yield (
            "Its days are none of the calendar, or in the wrong order.",
            "Write the day of looking and a later one.",
        )
    if bool(document.sources) == bool(document.why_not):
        yield "It is neither in the bibliography nor left out for a reason, or both.", "Say sources and changed, or why_not."
    if bool(document.sources) != bool(document.changed and document.changes):
        yield "Nobody says which rules it changed, and in what.", "Name them under changed, and say changes."
    for name in document.sources:
        if name not in book.sources:
            yield f"There is no source {name}.", "Add it to sources.yaml or correct the id."
    for name in document.changed:
        rule = book.rules.get(name)
        if rule is None or not {ref.source for ref in rule.file.sources} & set(document.sources):
            yield f"No running rule {name} rests on it.", "Correct the id, or let the rule rest on it."
