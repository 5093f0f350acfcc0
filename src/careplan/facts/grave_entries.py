"""Illnesses in words that nobody could read, and that may name a danger or something for which there is a stop.

What is not read sets nothing. But nobody takes it for harmless either: what a near name stands for, and words that speak of
danger wherever they stand, say which of these entries a person reads before anything else.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from careplan.recognition.goal_judge import GoalJudge
from careplan.recognition.illness_read import IllnessPart, IllnessRead
from careplan.rulebook.conditions import tests_of
from careplan.rulebook.derived import behind
from careplan.rulebook.factors import GRAVER
from careplan.rulebook.model import Rulebook

_OF_DANGER = frozenset({"self_harm", "harm_to_others"})
_RED_FLAG = "red_flags."


class GraveEntries(NamedTuple):
    """The places in the list of other conditions: of `danger` may be a red flag, of `grave` what a stop names."""

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
            if any(self._may_be_a_danger(text[part.start : part.end], part) for part in unread):
                danger.append(at)
            elif any(offer in self._named_by_stops for part in unread for offer in part.offers):
                grave.append(at)
        return GraveEntries(tuple(danger), tuple(grave))

    def _may_be_a_danger(self, text: str, part: IllnessPart) -> bool:
        return any(map(_is_red_flag, part.offers)) or self._judge.judge(text).safety in _OF_DANGER


def _factor(kind: str, field: str) -> str:
    return field if kind == "patient" else f"{kind}.{field}"


def _is_red_flag(offer: str) -> bool:
    """Whether an offer is an answer that tells of a red flag, and not the one that there is none."""
    factor, _, value = offer.partition("=")
    return factor.startswith(_RED_FLAG) and value != GRAVER.get(factor, ("",))[0]
