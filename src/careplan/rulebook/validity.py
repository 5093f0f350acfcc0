"""From when until when a rule is in force, as a law or a label with an end wants it, and how its texts say so."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Annotated, NamedTuple, TypeAlias

from msgspec import Meta

DAY = re.compile(r"\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])")
Day: TypeAlias = Annotated[str, Meta(pattern=f"^{DAY.pattern}$")]
"""A day as the files of a rulebook write it, such as 2026-12-31."""

PLACEHOLDERS = ("valid_from", "valid_until")
"""The words by which a text says the days; they are filled in when the rulebook is loaded, alike for every patient."""


class Term(NamedTuple):
    """The first and the last day on which something is in force; None where there is no such day."""

    first: date | None = None
    last: date | None = None

    @classmethod
    def of(cls, valid_from: str | None, valid_until: str | None) -> Term:
        """The term between two days as written. Raises `ValueError` where one is no day of the calendar."""
        return cls(*(None if day is None else date.fromisoformat(day) for day in (valid_from, valid_until)))

    def __bool__(self) -> bool:
        """Whether there is any day on which it begins or ends."""
        return self != ALWAYS

    @property
    def is_never(self) -> bool:
        """Whether it would end before it begins."""
        return self.first is not None and self.last is not None and self.last < self.first

    def meets(self, other: Term) -> bool:
        """Whether there is a day on which both are in force."""
        first = max(self.first or date.min, other.first or date.min)
        return first <= min(self.last or date.max, other.last or date.max)

    def holds_on(self, day: date | None) -> bool:
        """Whether it is in force on a day. Where the day is not known it is: what could be in force is not left out."""
        return day is None or ((self.first is None or self.first <= day) and (self.last is None or day <= self.last))

    def in_words(self) -> str:
        """The term as a text says it, such as "until December 31, 2026"."""
        first = f"from {day_in_words(self.first)}" if self.first else ""
        return f"{first} {f'until {day_in_words(self.last)}' if self.last else ''}".strip()

    def filled(self, text: str) -> str:
        """A text with the days in place of their placeholders."""
        for name, day in zip(PLACEHOLDERS, self, strict=True):
            text = text.replace(f"{{{name}}}", day_in_words(day)) if day else text
        return text


ALWAYS = Term()
"""In force on every day."""
Terms: TypeAlias = Mapping[str, Term]
"""The terms of the rules that have one, by id."""


def out_of_force(terms: Terms, as_of: str | None) -> frozenset[str]:
    """The rules that are not in force on the day of a plan; none where no day was given."""
    if not terms or as_of is None:
        return frozenset()
    day = date.fromisoformat(as_of)
    return frozenset(name for name, term in terms.items() if not term.holds_on(day))


def day_in_words(day: date | None) -> str:
    """A day as it is said in a text."""
    return f"{day:%B} {day.day}, {day.year}" if day else ""


def is_a_day(text: str) -> bool:
    """Whether a day as written is one of the calendar."""
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True
