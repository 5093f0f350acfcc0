"""Rules with level, tasks and card, classes with their medicines, and what is derived: a list to be read aloud."""

from __future__ import annotations

from collections.abc import Iterator

from careplan.rulebook.conditions_in_words import Prose
from careplan.rulebook.interaction_rows import Interaction
from careplan.rulebook.interactions import INTERACTIONS
from careplan.rulebook.model import LEVELS
from tests.in_short.edition import Edition


def rules(now: Edition, asked: Edition) -> Iterator[str]:
    """The rules of a rulebook in short."""
    del asked
    book = now.book
    yield "# The rules in short: who does what by when, and what stands on the card\n"
    yield "Written by the tests. No stop or hold becomes milder or later unless somebody means it."
    for level in LEVELS:
        yield f"\n## {book.vocabulary.levels[level].label}\n"
        for rule in sorted((rule for rule in book.rules.values() if rule.file.level == level), key=lambda rule: rule.id):
            cleared = f"; cleared by a record on {', '.join(rule.file.clears_with)}" if rule.file.clears_with else ""
            yield f"- **{rule.id}** ({rule.section}, {rule.file.scope}, {rule.file.topic}{cleared}): {rule.file.title}"
            if rule.place == INTERACTIONS:
                yield f"  - {Prose(book).when(rule.when)}"
            yield from (f"  - {ask.who}, {ask.by.replace('_', ' ')}: {' '.join(ask.what.split())}" for ask, _ in rule.asks)
            if rule.file.then.card is not None:
                yield f"  - card: {' '.join(rule.file.then.card.says.split())}"
    yield "\n## What each class of medicines has\n"
    for name in sorted(book.classes):
        members = sorted(row.ingredient for row in book.catalogue.ingredients.values() if name in row.classes)
        daily = ", daily use closes the hold question" if book.classes[name].daily_use_closes_hold else ""
        yield f"- {name}{daily}: {', '.join(members)}"
    yield "\n## Half-lives\n"
    for group in ("short", "intermediate", "long", "varies"):
        members = sorted(row.ingredient for row in book.catalogue.ingredients.values() if row.half_life == group)
        yield f"- {group}: {', '.join(members)}"
    yield "\n## By which codes each illness is known\n"
    for name, one in sorted(book.conditions.items()):
        closes = ", closes the hold question" if one.closes_hold else ""
        yield f"- {name}{closes}: {', '.join((*one.icd10, *one.snomed))}"
    yield "\n## What is derived\n"
    for name, derived in sorted(book.derived.items()):
        yield f"- {name}: {Prose(book).derived(derived)}"
    yield "\n## The table of interactions, row by row\n"
    for at, row in enumerate(book.interactions, 2):
        yield from _row(at, row)


def _row(at: int, row: Interaction) -> Iterator[str]:
    but_not = f" but not {', '.join(row.but_not)}" if row.but_not else ""
    beside = f", beside {' or '.join(row.beside)}" if row.beside else ""
    about = f"{', '.join(row.medicine)}{but_not}{beside} ({row.product}, {row.route})"
    yield f"- line {at}: {about}: {row.level}, {row.strength}"
    yield f"  - {row.what_happens} {row.what_to_do}".rstrip()
    if row.rule:
        yield f"  - said by: {', '.join(row.rule)}"
    if not row.makes and (told := [cell for cell in (row.patient, row.card, row.who, row.does, row.by) if cell]):
        yield f"  - {'; '.join(told)}"
