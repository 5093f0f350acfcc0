"""Illnesses in words that nobody could read, and that may name a danger or something for which there is a stop.

What is not read sets nothing. But nobody takes it for harmless either: what a near name stands for, and words that speak of
danger wherever they stand, say which of these entries a person reads before anything else.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from careplan.recognition.goal_judge import GoalJudge
from careplan.recognition.illness_read import IllnessRead
from careplan.rulebook.conditions import tests_of
from careplan.rulebook.derived import behind
from careplan.rulebook.factors import GRAVER
from careplan.rulebook.model import Rulebook

_OF_DANGER = frozenset({"self_harm", "harm_to_others"})
_ONESELF = frozenset({"i", "me", "myself", "self"})
_RED_FLAG = "red_flags."


class GraveEntries(NamedTuple):
    """The places in the list of other conditions.

    What is in `danger` may be a red flag, or somebody says in it that they would harm themselves or others. What is in
    `grave` may be what a stop names, or speaks of death and harm as lists do of what others did and of losses.
    """

    danger: tuple[int, ...] = ()
    grave: tuple[int, ...] = ()


class GraveEntryReader:
    """Knows for one rulebook what a stop names, and which words speak of danger."""

    def __init__(self, book: Rulebook) -> None:
        self._judge: GoalJudge = book.goals
        self._named_by_stops = frozenset(
            str(value) if value in book.conditions else f"{_factor(pattern.kind, test.field)}={value}"
            for rule in book.rules.values()
            if rule.file.level == "stop"
            for pattern in behind(book.derived, rule.when)
            for test in tests_of(pattern.tests)
            for value in test.values
        )

    def of(self, written: Sequence[str], read: Sequence[IllnessRead]) -> GraveEntries:
        """The grave ones among entries as they were written, with what was read of each."""
        danger, grave = [], []
        for at, (text, one) in enumerate(zip(written, read, strict=True)):
            unread = [part for part in one.parts if part.recognition == "unread"]
            spoken = [part for part in (text[one.start : one.end] for one in unread) if self._speaks_of_danger(part)]
            offers = [offer for part in unread for offer in part.offers]
            if any(map(_is_red_flag, offers)) or any(map(_is_of_oneself, spoken)):
                danger.append(at)
            elif spoken or not self._named_by_stops.isdisjoint(offers):
                grave.append(at)
        return GraveEntries(tuple(danger), tuple(grave))

    def _speaks_of_danger(self, text: str) -> bool:
        return self._judge.judge(text).safety in _OF_DANGER


def _factor(kind: str, field: str) -> str:
    return field if kind == "patient" else f"{kind}.{field}"


def _is_of_oneself(text: str) -> bool:
    return not _ONESELF.isdisjoint(text.casefold().split())


def _is_red_flag(offer: str) -> bool:
    """Whether an offer is an answer that tells of a red flag, and not the one that there is none."""
    factor, _, value = offer.partition("=")
    return factor.startswith(_RED_FLAG) and value != GRAVER.get(factor, ("",))[0]
