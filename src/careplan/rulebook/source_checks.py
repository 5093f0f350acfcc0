"""What makes the bibliography fit: real days, works that there are, and passages that are short and were read."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from careplan.rulebook.conditions import Path
from careplan.rulebook.model import RuleFile
from careplan.rulebook.presumption import FaultList
from careplan.rulebook.sources import MOST_WORDS, NOT_READ, Source
from careplan.rulebook.validity import is_a_day


def check_bibliography(sources: Mapping[str, Source], note: FaultList) -> None:
    """Note every fault of the bibliography."""
    for name, source in sources.items():
        for path, problem, mend in (
            *_of_days(source),
            *_of_places(source),
            *_of_words(source),
            *_of_successor(name, sources),
        ):
            note.fault((name, *path), problem, mend, code="source")


def check_exemption(file: RuleFile, note: FaultList) -> None:
    """Note an exemption of a rule that needs none, or whose last day is no day."""
    if file.exempt is None:
        return
    if file.level not in ("stop", "hold"):
        note.fault(("exempt",), "Only a stop or hold can be exempt.", "Take it out.", code="source")
    if not is_a_day(file.exempt.until):
        note.fault(("exempt", "until"), "This is no day of the calendar.", "Write a day such as 2026-12-31.", code="dates")


_Fault = tuple[Path, str, str]


def _of_days(source: Source) -> Iterator[_Fault]:
    days = {"read_on": source.read_on, "check_by": source.check_by}
    real = {field: day for field, day in days.items() if day is not None and is_a_day(day)}
    for field, day in days.items():
        if day is not None and field not in real:
            yield (field,), "This is no day of the calendar.", "Write a day such as 2026-12-31."
    if len(real) == 2 and real["check_by"] <= real["read_on"]:
        yield ("check_by",), "It would have to be checked before it was read.", "Name a later day."
    if source.read in NOT_READ and source.read_on is not None:
        yield ("read_on",), "What was not read has no day of reading.", "Take it out, or say what was read."
    if source.read_on is None and source.dated_by == "entry":
        yield ("dated_by",), "There is no day whose kind this could be.", "Take it out, or add read_on."


def _of_places(source: Source) -> Iterator[_Fault]:
    for place, entry in source.places.items():
        path: Path = ("places", place)
        if entry.says is not None and len(entry.says.split()) > MOST_WORDS:
            yield (*path, "says"), f"This passage has more than {MOST_WORDS} words.", "Say it shorter."
        if entry.says is not None and source.read_at(place) == "memory":
            yield (*path, "says"), "Nobody has read this place, so it has no passage.", "Read it, or take the passage out."
        if place in source.advice:
            yield path, "The advice of this place says what it says.", "Take this out."


def _of_words(source: Source) -> Iterator[_Fault]:
    """Each expression that finds a piece of advice in a text is one, and of advice that there is."""
    for place, words in source.said.items():
        if place not in source.advice:
            yield ("said", place), "There is no advice of this place.", "Correct the place."
        try:
            re.compile(words)
        except re.error:
            yield ("said", place), "This is no regular expression.", "Correct it."


def _of_successor(name: str, sources: Mapping[str, Source]) -> Iterator[_Fault]:
    """A work is replaced by another one that is in the bibliography, and in the end by one that nothing has replaced."""
    seen, now = {name}, sources[name].replaced_by
    while now is not None:
        if now not in sources:
            yield ("replaced_by",), f"There is no source {now}.", "Add it, or correct the id."
            return
        if now in seen:
            yield ("replaced_by",), "These works replace each other.", "Leave one of them standing."
            return
        seen.add(now)
        now = sources[now].replaced_by
