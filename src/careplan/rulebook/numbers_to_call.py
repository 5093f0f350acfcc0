"""Whom patients call where a clinic is: emergency numbers and crisis lines, by region and country."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated

from msgspec import Meta

from careplan.request.clinic import Region
from careplan.rulebook.conditions import Path
from careplan.rulebook.entries import Entry, Language, Line
from careplan.rulebook.sources import SourceRef
from careplan.rulebook.validity import Day, Term
from careplan.zones import ZONES

EmergencyNumber = Annotated[str, Meta(pattern=r"^[0-9]{2,6}$")]
EmergencyWords = Annotated[str, Meta(pattern=r"^[0-9]{2,6}( (or|o) [0-9]{2,6}){0,2}$")]
"""One number or a choice of some, for a text such as "Call 911 or 112 now"."""
Country = Annotated[str, Meta(pattern=r"^[a-z]{2}$")]
"""A country by its two letters of ISO 3166."""
Zones = tuple[Annotated[str, Meta(min_length=3, max_length=40)], ...]
"""Time zones of one country; one that ends with a slash stands for all that begin so."""


class NumbersOfSomeDays(Entry, frozen=True, kw_only=True):
    """What is said on some days in place of the numbers of a place."""

    emergency: EmergencyNumber | None = None
    crisis: Line
    in_languages: Mapping[Language, Line] = {}
    valid_from: Day | None = None
    valid_until: Day | None = None

    @property
    def term(self) -> Term:
        """The days on which it is said."""
        return Term.of(self.valid_from, self.valid_until)


class RegionalNumbers(Entry, frozen=True, kw_only=True):
    """Whom patients call where a clinic is: the emergency number, and the crisis line, also in other languages.

    `zones` are the time zones of the place, by which it is known where no region was sent; `sources` where the numbers were
    read; `by_day` has what is said on some days.
    """

    emergency: EmergencyNumber
    crisis: Line
    in_languages: Mapping[Language, Line] = {}
    zones: Zones = ()
    sources: tuple[SourceRef, ...] = ()
    by_day: tuple[NumbersOfSomeDays, ...] = ()

    @property
    def lines(self) -> Iterator[tuple[Path, str]]:
        """Every text with a line to call, and where it stands."""
        yield ("crisis",), self.crisis
        yield from ((("by_day", at, "crisis"), one.crisis) for at, one in enumerate(self.by_day))


class CountryNumbers(RegionalNumbers, frozen=True, kw_only=True):
    """The same for one country; `region` is the one that it belongs to, if there is one."""

    region: Region | None = None


def zones_of(zones: Iterable[str]) -> Iterator[str]:
    """The names of all time zones of a place, whether each is named or only how they begin."""
    exact = frozenset(zones)
    beginnings = tuple(one for one in exact if one.endswith("/"))
    return (zone for zone in ZONES if zone in exact or zone.startswith(beginnings))
