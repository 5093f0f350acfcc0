"""Every stop and hold with who does what by when, kept as a list that a medical director can read aloud.

After a wanted change: `CAREPLAN_WRITE_GOLDEN=1 pytest tests/golden/test_stops_and_holds.py`, then read the
difference.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from tests.shipped import BOOK

GOLDEN = Path(__file__).parent / "stops_and_holds.md"


def told() -> Iterator[str]:
    yield "# Stops and holds, and who does what by when\n"
    yield "Written by the tests. No line here may become milder, later or fall away without somebody meaning it."
    for level in ("stop", "hold"):
        yield f"\n## {BOOK.vocabulary.levels[level].label}\n"
        for rule in sorted((rule for rule in BOOK.rules.values() if rule.file.level == level), key=lambda rule: rule.id):
            cleared = f"; cleared by a record on {', '.join(rule.file.clears_with)}" if rule.file.clears_with else ""
            yield f"- **{rule.id}** ({rule.section}, {rule.file.topic}{cleared}): {rule.file.title}"
            yield from (f"  - {ask.who}, {ask.by.replace('_', ' ')}: {' '.join(ask.what.split())}" for ask, _ in rule.asks)


def test_the_list_of_stops_and_holds_is_that_on_file() -> None:
    text = "\n".join(told()) + "\n"
    if os.environ.get("CAREPLAN_WRITE_GOLDEN"):
        GOLDEN.write_text(text)
    assert text == GOLDEN.read_text()
