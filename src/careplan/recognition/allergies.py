"""What an allergy as written means: which conditions it stands for, if rules look at it."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping

from careplan.recognition.illness_reader import IllnessReader
from careplan.recognition.medicine_catalogue import Catalogue

OF_NO_ALLERGY = "No rule of this rulebook looks at this allergy."
"""Why an allergy is not considered."""


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

    def _tokens(self, written: str, words: frozenset[str]) -> tuple[str, ...]:
        read = self._reader.read(written, None)
        if read.denied:
            return ()
        # What happened stands beside the name: "Ketalar - hives".
        named = words | {
            name for text in (written, *(written[one.start : one.end] for one in read.parts)) for name in self._named(text)
        }
        return tuple([token for token, names in self._substances.items() if token in read.tokens or named & names])

    def _named(self, text: str) -> Iterator[str]:
        match = self._catalogue.exactly(text)
        for row in match.ingredients if match else ():
            yield row.ingredient
