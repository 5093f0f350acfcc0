"""Every rule with its level, who does what by when, and its line on the card, kept as a list that can be read aloud.

After a wanted change: `CAREPLAN_WRITE_GOLDEN=1 pytest tests/golden/test_rules_in_short.py`, then read the difference.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

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
            yield from (f"  - {ask.who}, {ask.by.replace('_', ' ')}: {' '.join(ask.what.split())}" for ask, _ in rule.asks)
            if rule.file.then.card is not None:
                yield f"  - card: {' '.join(rule.file.then.card.says.split())}"


def test_the_rules_in_short_are_those_on_file() -> None:
    text = "\n".join(told(BOOK)) + "\n"
    if os.environ.get("CAREPLAN_WRITE_GOLDEN"):
        GOLDEN.write_text(text)
    assert text == GOLDEN.read_text()
