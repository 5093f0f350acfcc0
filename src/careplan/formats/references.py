"""The works that a plan rests on, numbered, and the marks by which its items point to their places."""

from __future__ import annotations

from collections.abc import Sequence
from string import ascii_lowercase
from typing import Any

import msgspec

from careplan.plan.model import CarePlan, Item, Source, items_of
from careplan.rulebook.text_template import spaced

Json = dict[str, Any]
_OWN_MARK = 6
"""A place of a work that is named in so few signs, such as 2.10, is its own mark."""


class References:
    """The works that items of one plan rest on."""

    def __init__(self, plan: CarePlan, works: Sequence[Source]) -> None:
        self._works = works
        self._numbers = {work.id: number for number, work in enumerate(works, 1)}
        self._marks = {
            (work.id, place): mark for work in works for place, mark in zip(work.places, marks(work.places), strict=True)
        }
        self._strengths: dict[tuple[str, str], dict[str, None]] = {}
        for item in items_of(plan):
            for entry in item.evidence:
                self._strengths.setdefault((entry.source, entry.place), {})[spaced(entry.strength)] = None

    def of(self, item: Item) -> list[Json]:
        """What an item rests on: of each work its number and the places, in full and by their marks."""
        places: dict[tuple[int, str], list[tuple[str, str]]] = {}
        for entry in item.evidence:
            key = (self._numbers[entry.source], spaced(entry.strength))
            places.setdefault(key, []).append((entry.place, self._marks[entry.source, entry.place]))
        return [
            {
                "number": number,
                "places": f"{', '.join(place for place, _ in found)}; {strength}",
                "marks": ", ".join(mark for _, mark in found),
            }
            for (number, strength), found in places.items()
        ]

    def all(self) -> list[Json]:
        """Every work with how much of it was read, and its places by their marks, each with how strong it is as evidence."""
        return [self._work(number, work) for number, work in enumerate(self._works, 1)]

    def _work(self, number: int, work: Source) -> Json:
        each = [", ".join(self._strengths.get((work.id, place), ())) for place in work.places]
        shared = each[0] if len(set(each)) == 1 else ""
        marked = [
            {"mark": mark, "words": ", ".join(filter(None, ("" if mark == place else place, "" if shared else strength)))}
            for mark, place, strength in zip(marks(work.places), work.places, each, strict=True)
        ]
        return {
            "number": number,
            "title": work.title,
            "read": _read(work),
            "strength": shared,
            "places": "; ".join(work.places),
            "marked": [one for one in marked if one["words"]],
        }


def cited_alone(plan: CarePlan) -> list[Source]:
    """The works and places that what is not of the standing protocol rests on."""
    cited = {(entry.source, entry.place) for item in items_of(plan) if item.scope != "standing" for entry in item.evidence}
    found = [
        msgspec.structs.replace(work, places=[place for place in work.places if (work.id, place) in cited])
        for work in plan.sources
    ]
    return [work for work in found if work.places]


def marks(places: Sequence[str]) -> list[str]:
    """What stands for each place of a work: a letter, or the place itself where it is as short as a number."""
    letters = (f"{first}{letter}" for first in ("", *ascii_lowercase) for letter in ascii_lowercase)
    return [place if len(place) <= _OWN_MARK and any(map(str.isdigit, place)) else next(letters) for place in places]


def _read(work: Source) -> str:
    """How much of a work was read, and on which day at the latest."""
    read = spaced(work.read or "")
    return f"{read}, by {work.read_on}" if work.read_on else read
