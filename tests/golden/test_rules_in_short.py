"""Rules with level, tasks and card, classes with their medicines, illnesses with their codes: a list to be read aloud.

After a wanted change: `CAREPLAN_WRITE_GOLDEN=1 pytest tests/golden/test_rules_in_short.py`, then read the difference.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from careplan.rulebook.conditions_in_words import Prose
from careplan.rulebook.interactions import INTERACTIONS
from careplan.rulebook.model import LEVELS, Rulebook
from tests.shipped import BOOK

GOLDEN = Path(__file__).parent / "rules_in_short.md"


def told(book: Rulebook) -> Iterator[str]:
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


def test_the_rules_in_short_are_those_on_file() -> None:
    text = "\n".join(told(BOOK)) + "\n"
    if os.environ.get("CAREPLAN_WRITE_GOLDEN"):
        GOLDEN.write_text(text)
    assert text == GOLDEN.read_text()
