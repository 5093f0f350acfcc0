"""Illnesses in words that nobody can read and that may be grave, for the patients that a proof writes down."""

from __future__ import annotations

from careplan.authoring.proof.answers import Unwritable
from careplan.facts.grave_entries import GraveEntryReader
from careplan.rulebook.model import Rulebook

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
