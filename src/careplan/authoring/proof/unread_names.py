"""Names that nobody can read, of medicines and of illnesses, for the patients that a proof writes down."""

from __future__ import annotations

from careplan.authoring.proof.answers import Unwritable
from careplan.facts.grave_entries import GraveEntryReader
from careplan.request.patient import Medication
from careplan.rulebook.model import Rulebook

UNHEARD_OF = "unheard-of medicine"
_OF_DANGER = "thoughts of killing everybody and myself"
_NOT_READ = "zzqblorptan"


def urgent_entry(book: Rulebook, kind: str) -> str:
    """An entry that cannot be read and is of a kind, `danger` or `grave`.

    Raises `Unwritable` if the rulebook has no words for one.
    """
    reader, grave = book.known_conditions.reader, GraveEntryReader(book)
    for called in (_OF_DANGER, *book.conditions):
        text = f"{called.replace('_', ' ')} {_NOT_READ}"
        if getattr(grave.of([text], [reader.read(text)]), kind):
            return text
    raise Unwritable("this rulebook has no words for such an entry")


def misspelled(book: Rulebook) -> str:
    """A name that nobody may take for a medicine, but near enough to one for an offer."""
    for row in book.catalogue.ingredients.values():
        name = f"{row.name}q"
        found = book.catalogue.resolve(0, Medication(name=name))
        if found.match is None and found.suggestions:
            return name
    return UNHEARD_OF
