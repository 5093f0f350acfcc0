"""What an allergy as written means: which conditions it stands for, if rules look at it, and which medicine it names."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping

from careplan.recognition.illness_read import IllnessRead
from careplan.recognition.illness_reader import IllnessReader
from careplan.recognition.medicine_catalogue import Catalogue

OF_NO_ALLERGY = "No rule of this rulebook looks at this allergy."
COMPARED = "It names a medicine, and was compared with the list of medicines alone."
"""Why an allergy is not considered."""
_MOST_WORDS = 3
"""A name of a medicine beside other words has so many words at most."""


class Allergies:
    """Reads allergies by one rulebook.

    `substances` has, by condition, the ingredients of which an allergy is this condition.
    """

    def __init__(self, catalogue: Catalogue, reader: IllnessReader, substances: Mapping[str, Collection[str]]) -> None:
        self._catalogue = catalogue
        self._reader = reader
        self._substances = {token: frozenset(names) for token, names in substances.items()}

    def tokens(self, written: str) -> tuple[str, ...]:
        """The conditions that an allergy stands for: by the medicine that it names, or as an illness in words."""
        return self._tokens(written, frozenset())

    def of_record(self, written: str) -> tuple[str, ...]:
        """The same for a name in a record, in which the substance may stand among any other words."""
        return self._tokens(written, frozenset(re.findall(r"\w+", written.casefold())))

    def ingredients(self, written: str) -> frozenset[str]:
        """The ingredients that an allergy names; none where it is denied or names no medicine under rules."""
        read = self._reader.read(written, None)
        if read.denied:
            return frozenset()
        if self._reader.may_be_none(written):
            return self._named(written, read)
        # What happened stands beside the name in any words: "Lamictal rash", "allergic to trazodone".
        words = re.findall(r"[^\W_]+", written)
        runs = (" ".join(words[at : at + many]) for at in range(len(words)) for many in range(1, _MOST_WORDS + 1))
        return self._named(written, read) | self._ingredients_of(runs)

    def _tokens(self, written: str, words: frozenset[str]) -> tuple[str, ...]:
        read = self._reader.read(written, None)
        if read.denied:
            return ()
        named = words | self._named(written, read)
        return tuple([token for token, names in self._substances.items() if token in read.tokens or named & names])

    def _named(self, written: str, read: IllnessRead) -> frozenset[str]:
        # What happened stands beside the name: "Ketalar - hives".
        return self._ingredients_of((written, *(written[one.start : one.end] for one in read.parts)))

    def _ingredients_of(self, texts: Iterable[str]) -> frozenset[str]:
        matches = (self._catalogue.exactly(text) for text in texts)
        return frozenset([row.ingredient for match in matches if match for row in match.ingredients])
