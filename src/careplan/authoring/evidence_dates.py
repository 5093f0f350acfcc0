"""Dates of evidence: which stops and holds rest on nothing that was read lately, and which works are due again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date

import msgspec

from careplan.authoring.coverage import by_source, elsewhere_by_source, outside_of_rules
from careplan.authoring.tracked_documents import Tracked
from careplan.rulebook.model import Rule, Rulebook
from careplan.rulebook.sources import IN_THE_WORK, NOT_READ, Read, Source, SourceRef
from careplan.rulebook.text_template import one_line

MOST_YEARS = 2
"""So many years after it was read a work bears a stop or hold."""
GRAVE = frozenset({"stop", "hold"})


class Work(msgspec.Struct, frozen=True, kw_only=True):
    """One work of the bibliography with what was read of it and when, and how many rules rest on it."""

    id: str
    title: str
    by: str
    edition: str
    read: Read
    read_on: str | None
    dated_by: str
    check_by: str | None
    replaced_by: str | None
    rules: list[str]


class DueWork(msgspec.Struct, frozen=True, kw_only=True):
    """A work to be looked at again: why, since when, and the rules that rest on it; `levels` has the same by their level.

    `elsewhere` counts what else rests on it, by file: a work on which no rule rests may bear rows of a table.
    """

    id: str
    title: str
    because: str
    since: str
    rules: list[str]
    levels: dict[str, list[str]] = {}
    elsewhere: dict[str, int] = {}


class DueRule(msgspec.Struct, frozen=True, kw_only=True):
    """A rule that ends, or that is borne with until a day."""

    id: str
    level: str
    because: str
    since: str


class Due(msgspec.Struct, frozen=True, kw_only=True):
    """What is due by a day; `unborne` are the stops and holds that rest, on that day, on nothing read in the last years.

    `documents` are those that are tracked and on which no rule rests.
    """

    by: str
    sources: list[DueWork]
    rules: list[DueRule]
    unborne: list[DueRule] = []
    documents: list[DueWork] = []


def works(book: Rulebook) -> list[Work]:
    """The bibliography, in its own order."""
    resting = _resting(book)
    return [
        Work(
            id=name,
            title=source.title,
            by=source.by,
            edition=source.edition,
            read=source.read,
            read_on=source.read_on,
            dated_by=source.dated_by,
            check_by=source.check_by,
            replaced_by=source.replaced_by,
            rules=resting[name],
        )
        for name, source in book.sources.items()
    ]


def due(book: Rulebook, by: date, tracked: Mapping[str, Tracked] | None = None) -> Due:
    """What has to be looked at by a day: works, rules that end, rules that are exempt until then, and documents left out."""
    resting = _resting(book)
    elsewhere = elsewhere_by_source(book)
    sources = [
        DueWork(
            id=name,
            title=source.title,
            because=why,
            since=since,
            rules=resting[name],
            levels=_by_level(book, resting[name]),
            elsewhere=elsewhere.get(name, {}),
        )
        for name, source in book.sources.items()
        for since, why in [_due(source)]
        if since and since <= by.isoformat()
    ]
    rules = []
    for rule in book.in_order():
        if rule.term.last is not None and rule.term.last <= by:
            rules.append(_of_rule(rule, "its last day in force", rule.term.last.isoformat()))
        if rule.file.exempt is not None and rule.file.exempt.until <= by.isoformat():
            rules.append(_of_rule(rule, f"exempt until then: {rule.file.exempt.why}", rule.file.exempt.until))
    bare = [_of_rule(rule, why, by.isoformat()) for rule, why in unborne(book, by)]
    documents = [
        DueWork(id=name, title=one.title, because="to be looked for again", since=one.check_by, rules=[])
        for name, one in (tracked or {}).items()
        if one.why_not and one.is_due(by)
    ]
    works_due = sorted(sources, key=lambda one: (one.since, one.id))
    return Due(by=by.isoformat(), sources=works_due, rules=rules, unborne=bare, documents=documents)


def unborne(book: Rulebook, on: date) -> Iterator[tuple[Rule, str]]:
    """The stops and holds that rest, on a day, on nothing that was read in the last years, each with what is wrong."""
    for rule in book.in_order():
        if rule.file.level not in GRAVE or (rule.file.exempt is not None and on.isoformat() <= rule.file.exempt.until):
            continue
        refs = [(book.sources[ref.source], ref.place) for ref in rule.file.sources]
        if not any(_bears(source, place, on) for source, place in refs):
            yield rule, _why_not(refs, on)


def ended(book: Rulebook, on: date) -> list[Rule]:
    """The running rules whose last day has gone by."""
    return [rule for rule in book.in_order() if rule.term.last is not None and rule.term.last < on]


def without_passage(book: Rulebook) -> Iterator[tuple[Rule, SourceRef]]:
    """The places that stops and holds rest on, of works that were read, of which nobody has written down what they say."""
    for rule in book.in_order():
        for ref in rule.file.sources if rule.file.level in GRAVE else ():
            source = book.sources[ref.source]
            if source.read_at(ref.place) not in NOT_READ and not source.passage(ref.place):
                yield rule, ref


def unused_places(book: Rulebook) -> Iterator[tuple[str, str]]:
    """The places of sources that say something and on which nothing rests: no rule, running or not, no row, no check."""
    rules = (*book.rules.values(), *book.resting.values())
    used = {(ref.source, ref.place) for rule in rules for ref in rule.file.sources}
    used |= outside_of_rules(book)
    yield from ((name, place) for name, one in book.sources.items() for place in one.places if (name, place) not in used)


def _bears(source: Source, place: str, on: date) -> bool:
    if source.read_at(place) not in IN_THE_WORK or source.read_on is None:
        return False
    return on.isoformat() <= _years_after(source.read_on)


def _why_not(refs: list[tuple[Source, str]], on: date) -> str:
    in_the_work = [source for source, place in refs if source.read_at(place) in IN_THE_WORK]
    days = sorted(source.read_on for source in in_the_work if source.read_on is not None)
    if days:
        return f"rests on what was last read on {days[-1]}, more than {MOST_YEARS} years before {on}"
    if in_the_work:
        return "rests on works of which nobody noted when they were read"
    if all(source.read_at(place) in NOT_READ for source, place in refs):
        return "rests on memory and conventions alone"
    return "rests on summaries alone, and nobody has read the work itself"


def _due(source: Source) -> tuple[str | None, str]:
    """Since when somebody should look at a source again, and why; the first of its reasons."""
    reasons = [(source.check_by, "to be checked for a newer edition")] if source.check_by else []
    if source.read_on is not None:
        reasons.append((_years_after(source.read_on), f"read {MOST_YEARS} years before"))
    if source.read == "memory":
        reasons.append(("0000-00-00", "never read for this rulebook"))
    return min(reasons, default=(None, ""))


def _years_after(day: str) -> str:
    """The same day some years later, as days are written; the 29 February then comes before the first of March."""
    return f"{int(day[:4]) + MOST_YEARS:04}{day[4:]}"


def _of_rule(rule: Rule, because: str, since: str) -> DueRule:
    return DueRule(id=rule.id, level=rule.file.level, because=one_line(because), since=since)


def _by_level(book: Rulebook, rules: list[str]) -> dict[str, list[str]]:
    """The same rules under their levels, the gravest level first."""
    found = {level: [rule for rule in rules if book.rules[rule].file.level == level] for level in book.vocabulary.levels}
    return {level: named for level, named in found.items() if named}


def _resting(book: Rulebook) -> dict[str, list[str]]:
    """The rules that rest on each source, each once."""
    return {
        name: list(dict.fromkeys(rule.id for rules in places.values() for rule in rules))
        for name, places in by_source(book).items()
    }
