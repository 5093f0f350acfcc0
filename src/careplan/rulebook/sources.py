"""The bibliography: the works that rules rest on, what of each was read and when, and the passages that bear a rule."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from msgspec import Meta

from careplan.rulebook.entries import Entry, Line
from careplan.rulebook.validity import Day

Strength = Literal[
    "label",
    "guideline",
    "systematic_review",
    "randomized_trial",
    "observational",
    "pharmacokinetic",
    "expert_opinion",
    "clinic_practice",
    "convention",
]
Read = Literal["full", "section", "abstract", "secondary", "memory", "convention"]
NOT_READ = frozenset({"memory", "convention"})
"""What stands for a work that nobody has read for this rulebook, or that is none."""
IN_THE_WORK = frozenset({"full", "section", "abstract"})
"""What stands for words of the work itself, and not of somebody who tells of it."""
MOST_WORDS = 40
"""A passage has so many words at most."""


class SourceRef(Entry, frozen=True, kw_only=True):
    """The place in a source that a rule rests on."""

    source: str
    place: Line
    strength: Strength


class Exempt(Entry, frozen=True, kw_only=True):
    """Why a stop or hold may rest on nothing that was read of late, and the day until which that is borne."""

    why: Line
    until: Day


class Place(Entry, frozen=True, kw_only=True):
    """One place of a source: what it `says` in our words, and what was read of it where that differs from the rest."""

    says: Line | None = None
    read: Read | None = None


class Source(Entry, frozen=True, kw_only=True):
    """One entry of the bibliography. `advice` lists the pieces of advice of a text, by place.

    `said` has for each of them an expression that matches the words of a text which gives it.

    `edition` names what exactly was read, `read_on` the day; with `dated_by: entry` nobody noted the day of reading, and it
    is that on which the work was written into the bibliography. `check_by` is the day by which somebody should look whether
    there is a newer edition. `replaced_by` is the id of the source that has taken its place. `places` has what single places
    say.
    """

    title: str
    by: str
    read: Read
    where: str = ""
    edition: str = ""
    read_on: Day | None = None
    dated_by: Literal["reader", "entry"] = "reader"
    check_by: Day | None = None
    replaced_by: str | None = None
    advice: Mapping[str, str] = {}
    said: Mapping[str, str] = {}
    places: Mapping[str, Place] = {}

    def passage(self, place: str) -> str:
        """What a place says, in our words; "" where nobody has written it down."""
        entry = self.places.get(place)
        return " ".join(((entry and entry.says) or self.advice.get(place, "")).split())

    def read_at(self, place: str) -> Read:
        """What was read of a place."""
        entry = self.places.get(place)
        return (entry and entry.read) or self.read


Passage = Annotated[str, Meta(description="what the place says, in the words of the rulebook")]
