"""What came out of proving a rulebook."""

from __future__ import annotations

from collections.abc import Set
from typing import Any, Literal

import msgspec

FailureKind = Literal[
    "unreachable",
    "implied",
    "decision",
    "unknown_as_answer",
    "unread_takes_away",
    "one_more_takes_away",
    "vacuous",
    "invariant",
    "disagreement",
    "not_decided",
]
ShownKind = Literal["can_fire", "needed", "not_vacuous"]
Demand = Literal["some_item", "no_item", "one_item", "at_most_one_item"]


class Failure(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Something that does not hold. `patient` is a smallest one that shows it, `replayed` whether the engine agrees."""

    kind: FailureKind
    subject: str
    detail: str
    patient: dict[str, Any] | None = None
    replayed: bool | None = None


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """Something that must be possible, and a patient of whom the engine has shown that it is."""

    kind: ShownKind
    subject: str
    patient: dict[str, Any]


class Report(msgspec.Struct, kw_only=True):
    """What was proved: for each claim how many subjects it holds for, and all failures, in the order of proving.

    `shown` are the patients who show that something can be.
    """

    rulebook: str
    version: str
    digest: str
    holds: dict[str, int] = {}
    failures: list[Failure] = []
    shown: list[Shown] = []


def broken(demand: Demand, wanted: Set[str], there: Set[str]) -> bool:
    """Whether the items that are there break a demand about some of them."""
    count = len(wanted & there)
    match demand:
        case "some_item":
            return count == 0
        case "no_item":
            return count > 0
        case "one_item":
            return count != 1
        case _:
            return count > 1
