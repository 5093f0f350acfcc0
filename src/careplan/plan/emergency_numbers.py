"""Whom a patient calls in an emergency or a crisis: as it is where the clinic is, in the language that the patient reads."""

from __future__ import annotations

from collections.abc import Mapping

from careplan.request.clinic import Clinic
from careplan.rulebook.entries import ENGLISH, Language
from careplan.rulebook.model import Rulebook
from careplan.rulebook.text_template import one_line

NAMES = frozenset({"crisis", "emergency"})
"""The placeholders that stand for these numbers; they may be in any text that a patient reads."""


class EmergencyNumbers:
    """The crisis lines and emergency numbers of one rulebook."""

    def __init__(self, book: Rulebook) -> None:
        about = book.about
        here = {"crisis": one_line(about.crisis), "emergency": about.emergency}
        self._words: dict[tuple[str | None, Language], Mapping[str, str]] = {(None, ENGLISH): here}
        for language, closing in about.in_languages.items():
            self._words[None, language] = {**here, "crisis": one_line(closing.crisis)}
        for region, numbers in about.regions.items():
            there = {"crisis": one_line(numbers.crisis), "emergency": numbers.emergency}
            self._words[region, ENGLISH] = there
            for language, crisis in numbers.in_languages.items():
                self._words[region, language] = {**there, "crisis": one_line(crisis)}

    def of(self, clinic: Clinic | None, language: Language = ENGLISH) -> Mapping[str, str]:
        """The words of the placeholders at this clinic; those of the rulebook's own country where no other is known.

        The right number counts for more than the language: without a translation it is said in English.
        """
        region = clinic.region if clinic else None
        if (region, ENGLISH) not in self._words:
            region = None
        return self._words.get((region, language)) or self._words[region, ENGLISH]
