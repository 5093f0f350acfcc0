"""What makes numbers to call fit: places that can be known, days in their order, and lines that somebody has read of."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date
from itertools import pairwise

from careplan.request.clinic import Region
from careplan.rulebook.conditions import Path
from careplan.rulebook.numbers_to_call import Country, CountryNumbers, RegionalNumbers, zones_of
from careplan.rulebook.presumption import FaultList
from careplan.rulebook.sources import NOT_READ, Source
from careplan.rulebook.validity import Term
from careplan.rulebook.validity_checks import term_between

_NUMBER = re.compile(r"\d[\d -]*\d")


def check_numbers(
    regions: Mapping[Region, RegionalNumbers],
    countries: Mapping[Country, CountryNumbers],
    sources: Mapping[str, Source],
    note: FaultList,
) -> None:
    """Note every fault of numbers to call: sources and zones that there are not, days that do not fit."""
    places: list[tuple[Path, RegionalNumbers]] = [(("regions", name), one) for name, one in regions.items()]
    places += [(("countries", name), one) for name, one in countries.items()]
    claimed: dict[str, Path] = {}
    for path, numbers in places:
        for at, ref in enumerate(numbers.sources):
            if ref.source not in sources:
                mend = "Add it to sources.yaml or correct the id."
                note.fault(
                    (*path, "sources", at, "source"), f"There is no source {ref.source}.", mend, code="unknown-source"
                )
        for at, zone in enumerate(numbers.zones):
            if next(zones_of([zone]), None) is None:
                mend = "Use the IANA name of one, or the beginning of several, with a slash."
                note.fault((*path, "zones", at), f"There is no time zone {zone}.", mend, code="unknown-token")
        _check_days(path, numbers, note)
        for zone in zones_of(numbers.zones):
            if (other := claimed.setdefault(zone, path)) is not path:
                problem = f"{'.'.join(map(str, other))} has the time zone {zone} as well."
                note.fault((*path, "zones"), problem, "Leave it to one of them.", code="said-twice")


def numbers_not_read(numbers: RegionalNumbers, sources: Mapping[str, Source]) -> Iterator[Path]:
    """The texts that name a line to call which nobody has read of, by the sources of the place."""
    read = any(ref.source in sources and sources[ref.source].read_at(ref.place) not in NOT_READ for ref in numbers.sources)
    if not read:
        emergency = {numbers.emergency, *(one.emergency for one in numbers.by_day)}
        yield from (path for path, text in numbers.lines if set(_NUMBER.findall(text)) - emergency)


def _check_days(path: Path, numbers: RegionalNumbers, note: FaultList) -> None:
    terms: list[Term] = []
    for at, text in enumerate(numbers.by_day):
        here: Path = (*path, "by_day", at)
        term = term_between(note, text.valid_from, text.valid_until, "text", here)
        if term is not None and not term:
            note.fault(here, "A text of some days needs its first or its last day.", "Add valid_from.", code="dates")
        elif term is not None and not term.is_never:
            terms.append(term)
    terms.sort(key=lambda term: term.first or date.min)
    if any(one.meets(other) for one, other in pairwise(terms)):
        note.fault((*path, "by_day"), "Two of these texts hold on the same day.", "Let one end first.", code="dates")
