"""What stands around the name of an illness, and a name with it: when it was, whose it is, whether it is there."""

from __future__ import annotations

from typing import NamedTuple

from careplan.recognition.illness_codes import System
from careplan.recognition.illness_words import Qualifier

_AFTER_ALL_YEARS = 10_000


class Around(NamedTuple):
    """What stands around a name: the kinds of its phrases, a year, how many days ago, and codes.

    The year is 0 for this one and -1 for the last. What was `within` so many days was on any of them; `lasting` are those
    for which it has been so.
    """

    kinds: frozenset[Qualifier] = frozenset()
    year: int | None = None
    days_ago: int | None = None
    codes: tuple[tuple[System, str], ...] = ()
    within: int | None = None
    lasting: int | None = None

    @property
    def has_a_day(self) -> bool:
        """Whether a year is named, or how many days ago it was."""
        return self.year is not None or self.days_ago is not None

    def and_also(self, other: Around) -> Around:
        """What both say."""
        if self is NOTHING_AROUND or other is NOTHING_AROUND:
            return other if self is NOTHING_AROUND else self
        year = self.year if self.year is not None else other.year
        ago = self.days_ago if self.days_ago is not None else other.days_ago
        within = self.within if self.within is not None else other.within
        lasting = self.lasting if self.lasting is not None else other.lasting
        return Around(self.kinds | other.kinds, year, ago, self.codes + other.codes, within, lasting)

    def with_newest(self, other: Around) -> Around:
        """What both say; of two times, as in "2014, 2026", the newest."""
        both = self.and_also(other)
        years = [year for year in (self.year, other.year) if year is not None]
        days = [ago for ago in (self.days_ago, other.days_ago) if ago is not None]
        newest = max(years, key=lambda year: year if year > 0 else _AFTER_ALL_YEARS + year, default=None)
        return both._replace(year=newest, days_ago=min(days, default=None))


NOTHING_AROUND = Around()
"""Nothing stands there."""


class Unit(NamedTuple):
    """A part that was understood: a name, by what it stands for, between what stands before and behind it.

    `tokens` is None where there is no name, so that the words are about another part, or say that there is nothing. With
    `may_be` the words can mean this or something else. What of the tokens `lasts` is none of the past whatever its time.
    """

    tokens: tuple[str, ...] | None
    before: Around = NOTHING_AROUND
    behind: Around = NOTHING_AROUND
    nothing: bool = False
    may_be: bool = False
    lasts: tuple[str, ...] = ()

    @property
    def around(self) -> Around:
        """All that stands around the name."""
        return self.before.and_also(self.behind)
