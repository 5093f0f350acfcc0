"""What an allergy as written means: which conditions it stands for, if rules look at it, and which medicine it names."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from careplan.recognition.illness_read import IllnessRead
from careplan.recognition.illness_reader import IllnessReader
from careplan.recognition.medicine_catalogue import Catalogue
from careplan.recognition.plain_text import plain

OF_NO_ALLERGY = "No rule of this rulebook looks at this allergy."
COMPARED = "It names a medicine, and was compared with the list of medicines alone."
"""Why an allergy is not considered."""
_MOST_WORDS = 3
"""A name of a medicine beside other words has so many words at most."""


class AllergyRead(NamedTuple):
    """What an allergy says: the conditions that it stands for, and the ingredients of the medicines that it names.

    An allergy to a whole class of medicines names all of them.
    """

    tokens: tuple[str, ...] = ()
    ingredients: frozenset[str] = frozenset()


class Allergies:
    """Reads allergies by one rulebook.

    `substances` has, by condition, the ingredients of which an allergy is this condition, `classes` by class what an allergy
    to all of its medicines is called.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        reader: IllnessReader,
        substances: Mapping[str, Collection[str]],
        classes: Mapping[str, Collection[str]],
    ) -> None:
        self._catalogue = catalogue
        self._reader = reader
        self._substances = {token: frozenset(names) for token, names in substances.items()}
        rows = catalogue.ingredients.values()
        self._of_class = {
            _words_of(name): frozenset([row.ingredient for row in rows if of in row.classes])
            for of, names in classes.items()
            for name in names
        }

    def read(self, written: str) -> AllergyRead:
        """What an allergy says as it is written; nothing where it is denied."""
        read = self._reader.read(written, None)
        if read.denied:
            return AllergyRead()
        named = self._named(written, read)
        tokens = self._tokens(read, named)
        if self._reader.may_be_none(written):
            return AllergyRead(tokens, named)
        # What happened stands beside the name in any words: "Lamictal rash", "allergic to trazodone".
        words = re.findall(r"[^\W_]+", written)
        runs = [" ".join(words[at : at + many]) for at in range(len(words)) for many in range(1, _MOST_WORDS + 1)]
        beside = self._ingredients_of(runs)
        if beside and any(beside <= names for names in self._substances.values()):
            named |= beside  # No other medicine is named, in whatever language the rest is: "Ketamin-Unverträglichkeit".
        return AllergyRead(self._tokens(read, named), named | beside)

    def of_record(self, written: str) -> tuple[str, ...]:
        """The conditions of a name in a record, in which the substance may stand among any other words."""
        read = self._reader.read(written, None)
        if read.denied:
            return ()
        words = re.findall(r"[^\W_]+", written.casefold())
        return self._tokens(read, self._named(written, read) | self._ingredients_of(words) | set(words))

    def _tokens(self, read: IllnessRead, named: frozenset[str]) -> tuple[str, ...]:
        return tuple([token for token, names in self._substances.items() if token in read.tokens or named & names])

    def _named(self, written: str, read: IllnessRead) -> frozenset[str]:
        # What happened stands beside the name: "Ketalar - hives".
        return self._ingredients_of((written, *(written[one.start : one.end] for one in read.parts)))

    def _ingredients_of(self, texts: Iterable[str]) -> frozenset[str]:
        found: set[str] = set()
        for text in texts:
            match = self._catalogue.exactly(text)
            found |= {row.ingredient for row in match.ingredients} if match else set()
            found |= self._of_class.get(_words_of(text), frozenset())
        return frozenset(found)


def _words_of(text: str) -> str:
    return " ".join(plain(text)[0].replace("-", " ").split())
