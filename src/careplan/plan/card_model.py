"""The patient's card: what a patient reads standing up. Public contract."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from careplan.plan.part import Part
from careplan.rulebook.layers import CardSlot

Translated = Annotated[
    Literal["needs_review", "reviewed"] | None, Meta(description="whether a named translator has checked it")
]


class CardLine(Part, frozen=True, kw_only=True):
    """One line. `does` has a box to tick; `blank` is followed by room to write; `item` is the one that says it."""

    text: str
    does: bool = False
    blank: bool = False
    item: str | None = None
    language: Annotated[str | None, Meta(description="of the text, where it is not English")] = None
    translation: Translated = None


class Companion(Part, frozen=True, kw_only=True):
    """The card of whoever takes the patient home: at most 120 words."""

    title: str
    lines: list[CardLine]


class Card(Part, frozen=True, kw_only=True):
    """One page of at most 400 words and five actions. A blocked plan's card is who to call and the crisis line alone."""

    title: str
    notice: Annotated[str, Meta(description="that it is not signed yet, or who signed it and when")]
    titles: Annotated[dict[CardSlot, str], Meta(description="the titles of its parts")]
    sessions: list[CardLine] = []
    eat_and_drink: list[CardLine] = []
    medicines: list[CardLine] = []
    way_home: list[CardLine] = []
    what_it_feels_like: list[CardLine] = []
    afterwards: list[CardLine] = []
    goal: list[CardLine] = []
    call: list[CardLine] = []
    crisis: CardLine
    companion: Companion | None = None
    language: Annotated[str | None, Meta(description="of titles and notice, where it is not English")] = None
    translation: Translated = None

    def parts(self) -> list[tuple[str, list[CardLine]]]:
        """Its parts that have lines, in the order in which they are read, with their titles."""
        found = [(self.titles.get(slot, ""), getattr(self, slot)) for slot in self.titles]
        return [(title, lines) for title, lines in found if lines]
