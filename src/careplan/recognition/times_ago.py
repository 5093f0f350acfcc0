"""How many days ago something was, as people write it: "3 days ago", "two weeks back", "vor 3 Tagen", "hace 2 meses"."""

from __future__ import annotations

import re

import msgspec

from careplan.recognition.plain_text import any_of

_DAYS_IN = {"day": 1, "week": 7, "wk": 7, "month": 30, "mo": 30, "mth": 30, "year": 365, "yr": 365}
_COUNTS = {"a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "ten": 10}
AGO = rf"(?:\d{{1,4}}|{any_of(_COUNTS)}) ?(?:{any_of(_DAYS_IN)})s? (?:ago|back)"
"""The pattern of such a time in English, without groups."""
_AGO = re.compile(rf"\b(\d{{1,4}}|{any_of(_COUNTS)}) ?({any_of(_DAYS_IN)})s? (?:ago|back)\b")
_SPANS = ("for", "x", "past", "last")


class TimesAbroad(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Words of time in other languages: `before` so many (`counts`) of a unit (`days_in`), `lasting` for them, and `now`."""

    days_in: dict[str, int] = {}
    counts: dict[str, int] = {}
    before: tuple[str, ...] = ()
    lasting: tuple[str, ...] = ()
    now: tuple[str, ...] = ()


def days_of(many: str, unit: str) -> int | None:
    """How many days so many of a unit are, in figures or a word; None if these are no count and unit of time."""
    count = int(many) if many.isdecimal() else _COUNTS.get(many)
    days = _DAYS_IN.get(unit) or _DAYS_IN.get(unit.removesuffix("s"))
    return count * days if count is not None and days is not None else None


def days_ago(words: str) -> int | None:
    """How many days ago plain English words say that something was; of several times the latest, None if they name none."""
    if "ago" not in words and "back" not in words:
        return None
    return min((days_of(many, unit) or 0 for many, unit in _AGO.findall(words)), default=None)


class TimesAgo:
    """Reads times also in the other languages of one rulebook."""

    def __init__(self, abroad: TimesAbroad) -> None:
        self._abroad, self._before = abroad, tuple([f"{word} " for word in abroad.before])
        counts, units = any_of(abroad.counts), any_of(abroad.days_in)
        self._ago = re.compile(rf"\b{any_of(self._before)}(\d{{1,4}}|{counts}) ({units})\b")
        spans = rf"\b{any_of((*_SPANS, *abroad.lasting))} ?(?:the past |the last |about )?"
        self._for = re.compile(
            rf"{spans}(?:(\d{{1,4}}|{any_of(_COUNTS)}) ?({any_of(_DAYS_IN)})s?|(\d{{1,4}}|{counts}) ?({units}))\b"
        )

    def days_ago(self, words: str) -> int | None:
        """How many days ago plain words say that something was; of several times the latest, None if they name none."""
        ago = days_ago(words)
        if not any(word in words for word in self._before):
            return ago
        found = [self._days(many, unit) for many, unit in self._ago.findall(words)]
        return min([*found, *(() if ago is None else (ago,))], default=None)

    def days_lasting(self, words: str) -> int | None:
        """For how many days plain words say that something is so, as "for 3 weeks" does; the least, None if they do not."""
        found = [
            self._days(count, of) if count else days_of(many, unit) or 0
            for many, unit, count, of in self._for.findall(words)
        ]
        return min(found, default=None)

    def _days(self, many: str, unit: str) -> int:
        return (self._abroad.counts.get(many) or int(many)) * self._abroad.days_in[unit]
