"""How many days ago something was, as people write it: "3 days ago", "two weeks back", "vor 3 Tagen", "hace 2 meses"."""

from __future__ import annotations

import re
from datetime import date

import msgspec

from careplan.recognition.plain_text import any_of

_FIGURES = r"\d{1,4}"
_DATED = re.compile(r"(?<![\d/.-])(?:(\d{4})-(\d\d?)-(\d\d?)|(\d\d?)[/.](\d\d?)(?:[/.](\d{4}|\d\d))?)(?![\d/]|\.\d)")
"""A date with its year first, or with its month or its day first and perhaps no year."""
_CENTURY = 2000


class TimeWords(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Words of time: so many (`counts`) of a unit (`days_in`) stand `before` or `behind` a word that says they are over.

    `lasting` for them something is so, with words of `about` between. Behind `now` a dose of today stands.
    """

    days_in: dict[str, int] = {}
    counts: dict[str, int] = {}
    before: tuple[str, ...] = ()
    behind: tuple[str, ...] = ()
    lasting: tuple[str, ...] = ()
    about: tuple[str, ...] = ()
    now: tuple[str, ...] = ()


class TimesAgo:
    """Reads times in the words of one rulebook."""

    def __init__(self, words: TimeWords) -> None:
        self._words, self._before = words, tuple([f"{word} " for word in words.before])
        counts, units = any_of(words.counts), any_of(words.days_in)
        many, behind = rf"(?:{_FIGURES}|{counts})", any_of(words.behind)
        self.pattern = rf"{many} ?{units} {behind}"
        """What finds a time such as "3 days ago", without groups."""
        self._behind = re.compile(rf"\b({many}) ?({units}) {behind}\b")
        self._ago = re.compile(rf"\b{any_of(self._before)}({many}) ({units})\b")
        about = any_of([f"{word} " for word in words.about])
        self._for = re.compile(rf"\b{any_of(words.lasting)} ?{about}?({many}) ?({units})\b")

    def days_of(self, many: str, unit: str) -> int | None:
        """How many days so many of a unit are, in figures or a word; None if these are no count and unit of time."""
        count = int(many) if many.isdecimal() else self._words.counts.get(many)
        days = self._words.days_in.get(unit)
        return count * days if count is not None and days is not None else None

    def days_ago(self, words: str) -> int | None:
        """How many days ago plain words say that something was; of several times the latest, None if they name none."""
        found: list[tuple[str, str]] = []
        if any(word in words for word in self._words.behind):
            found += self._behind.findall(words)
        if any(word in words for word in self._before):
            found += self._ago.findall(words)
        return min((self.days_of(many, unit) or 0 for many, unit in found), default=None) if found else None

    def days_lasting(self, words: str) -> int | None:
        """For how many days plain words say that something is so, as "for 3 weeks" does; the least, None if they do not."""
        return min((self.days_of(many, unit) or 0 for many, unit in self._for.findall(words)), default=None)


def days_since(words: str, on: str) -> int | None:
    """How many days before a day the latest date among words is, with its month or its day first; None without one."""
    today = date.fromisoformat(on[:10])
    ago: list[int] = []
    for year, month, day, first, second, behind in _DATED.findall(words):
        said = int(year or behind or today.year)
        several = ((int(month), int(day)),) if year else ((int(first), int(second)), (int(second), int(first)))
        ago += [
            days
            for of_month, of_day in several
            if (days := _days_between(said + _CENTURY if said < 100 else said, of_month, of_day, today)) is not None
        ]
    return min(ago, default=None)


def _days_between(year: int, month: int, day: int, today: date) -> int | None:
    try:
        days = (today - date(year, month, day)).days
    except ValueError:
        return None
    return days if days >= 0 else None
