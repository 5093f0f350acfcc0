"""Which words and figures of a record a person has to read before anything else."""

from __future__ import annotations

import re
from collections.abc import Mapping

from careplan.facts.grave_entries import GraveEntryReader
from careplan.fhir.read.conflicting_answers import gravity
from careplan.recognition.illness_words import ReadingWords
from careplan.recognition.plain_text import plain, whole
from careplan.rulebook.model import Rulebook

_ALLERGY = re.compile(r"allerg", re.IGNORECASE)
_LISTED = re.compile(r"[,;/\n]|\band\b")


class Dangers:
    """Knows for one rulebook which words and figures of a record a person has to read first."""

    def __init__(self, book: Rulebook) -> None:
        self._grave = GraveEntryReader(book)
        self._illnesses = book.known_conditions.reader
        words = book.known_conditions.words
        self.affirming, self.denying = frozenset(words.answers_yes), frozenset(words.answers_no)
        self._of_others = whole((*words.family, *words.first_degree, *words.of_others, *words.asks_of_others))
        self._advises = whole(book.codes.notes_that_advise)
        asked = book.codes.asks_for_medicines
        self._asks_for_medicines, self._asks_for_others = whole(asked.words), whole(asked.unless)
        self.readings: Mapping[str, ReadingWords] = {
            code: kind for kind in book.known_conditions.words.readings for code in kind.loinc
        }

    def in_sentence(self, sentence: str, *, flagged: bool = False) -> bool:
        """Whether danger for this patient is read in words; of what is `flagged` also where it may be over or a risk."""
        if self._advises.search(plain(sentence)[0]):
            return False  # What to do should it come up tells of nobody in whom it has.
        read = self._grave.with_more_told(sentence, self._illnesses.read(sentence, None))
        found = self._grave.of([sentence], [read])
        answers = [token.split("=", 1) for token in read.tokens if "=" in token]
        return bool(found.danger or (flagged and found.grave)) or any(gravity(*answer) > 0 for answer in answers)

    def in_finding(self, finding: str) -> bool:
        """Whether a danger is read in what is told of a finding with its value, as of a scale in words."""
        read = self._grave.finding(finding)
        is_reading = any(part.status == "reading" for part in read.parts)
        return is_reading and bool(self._grave.of([finding], [read]).danger)

    def asked(self, question: str, said: str) -> str:
        """What a person has to look at of an answer to a question of a form that nobody knows; "" if nothing.

        That is a yes to a question for something that a stop or hold names, and words that name it themselves,
        unless the question is for others.
        """
        if self._of_others.search(plain(question)[0]):
            return ""
        if _ALLERGY.search(question):
            pieces = (f"allergic to {piece.strip()}" for piece in _LISTED.split(said))
            told = (one for one in pieces if self._grave.names_what_holds(self._illnesses.read(one, None)))
            return next(told, "")
        text = f"{question}: {said}" if said.casefold() in self.affirming else said
        read = self._illnesses.read(said if text == said else question, None)
        return text if self._grave.names_what_holds(read) else ""

    def is_about_medicines(self, question: str) -> bool:
        """Whether a question of a form that nobody knows asks for the medicines that are taken now."""
        said = plain(question)[0]
        return bool(self._asks_for_medicines.search(said)) and not self._asks_for_others.search(said)

    def names_what_holds(self, sentence: str) -> bool:
        """Whether words name an illness for which there is a stop or hold."""
        return self._grave.names_what_holds(self._illnesses.read(sentence, None))

    def in_reading(self, reading: str) -> bool:
        """Whether a reading of no measure is beyond what needs nobody's look."""
        return self._grave.is_beyond(reading)
