"""Whom a patient calls in an emergency or a crisis: as it is where the clinic is, in the language that the patient reads."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from careplan.request.clinic import Clinic, Region
from careplan.rulebook.entries import ENGLISH, Language
from careplan.rulebook.model import Rulebook
from careplan.rulebook.numbers_to_call import NumbersOfSomeDays, RegionalNumbers, zones_of
from careplan.rulebook.text_template import one_line

NAMES = frozenset({"crisis", "emergency"})
"""The placeholders that stand for these numbers; they may be in any text that a patient reads."""


class EmergencyNumbers:
    """The crisis lines and emergency numbers of one rulebook."""

    def __init__(self, book: Rulebook) -> None:
        about = book.about
        self._anywhere = {ENGLISH: {"crisis": one_line(about.crisis), "emergency": about.emergency}}
        for language, closing in about.in_languages.items():
            emergency = closing.emergency or about.emergency
            self._anywhere[language] = {"crisis": one_line(closing.crisis), "emergency": emergency}
        self._regions = {name: _Place(numbers) for name, numbers in about.regions.items()}
        self._in_zones: dict[str, tuple[Region | None, _Place]] = {}
        for name, numbers in about.regions.items():
            self._in_zones |= dict.fromkeys(zones_of(numbers.zones), (name, self._regions[name]))
        for country in about.countries.values():
            place = _Place(country)
            self._in_zones |= dict.fromkeys(zones_of(country.zones), (country.region, place))

    def of(self, clinic: Clinic | None, language: Language = ENGLISH, day: str | None = None) -> Mapping[str, str]:
        """The words of the placeholders at this clinic on a day; where its place is not known, those that are safe anywhere.

        The region that was sent counts for more than the time zone, and the right number for more than the language: without
        a translation it is said in English.
        """
        there = self._place_of(clinic) if clinic else None
        if there is None:
            return self._anywhere.get(language) or self._anywhere[ENGLISH]
        return there.words(language, day)

    def _place_of(self, clinic: Clinic) -> _Place | None:
        """The place that the time zone is of, if it lies in the region that was sent; else the region."""
        region, place = self._in_zones.get(clinic.zone or "", (None, None))
        if clinic.region is None or region == clinic.region:
            return place
        return self._regions.get(clinic.region)


class _Place:
    """The numbers of one place, in words that were put together once."""

    def __init__(self, numbers: RegionalNumbers) -> None:
        self._by_day = [(one.term, _in_words(one, numbers.emergency)) for one in numbers.by_day]
        self._always = _in_words(numbers, numbers.emergency)

    def words(self, language: Language, day: str | None) -> Mapping[str, str]:
        """The words of a day in a language, or in English where there is no translation."""
        said = self._always
        if self._by_day and day is not None:
            said = next((words for term, words in self._by_day if term.holds_on(date.fromisoformat(day))), said)
        return said.get(language) or said[ENGLISH]


def _in_words(said: RegionalNumbers | NumbersOfSomeDays, emergency: str) -> Mapping[Language, Mapping[str, str]]:
    texts = {ENGLISH: said.crisis, **said.in_languages}
    return {
        language: {"crisis": one_line(crisis), "emergency": said.emergency or emergency}
        for language, crisis in texts.items()
    }
