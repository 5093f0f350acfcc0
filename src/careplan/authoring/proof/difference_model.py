"""What is said of a change of the rules, for all patients."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from careplan.authoring.proof.report import Failure

Json = dict[str, Any]
Fires = Literal["same", "more", "fewer", "others", "new", "gone", "not_decided"]
"""For whom a rule comes up now: the same patients as before, more, fewer, or some more and some fewer."""


class Turn(msgspec.Struct, frozen=True, kw_only=True):
    """A smallest patient for whom a rule comes up on one side only, and the titles of the plan on both.

    `replayed` says whether the engine's plans show it.
    """

    patient: Json
    before: list[str]
    after: list[str]
    replayed: bool


class RuleDifference(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One rule that is not what it was. `gains` is a patient who has it only now, `loses` one who had it only before.

    `words` says whether what it says changed, or where in a plan it says it.
    """

    rule: str
    title: str
    level: str
    fires: Fires
    words: bool = False
    gains: Turn | None = None
    loses: Turn | None = None


class InvariantDifference(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An invariant that rests on what changed: whether it held, whether it holds, and who breaks it now."""

    invariant: str
    title: str
    held: bool | None = None
    holds: bool | None = None
    breaks: Failure | None = None


class NameDifference(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Names of medicines that are read otherwise, all of them alike: `before` and `after` say as what, "" as nothing.

    `rules` are those that name it or one of its classes. `turn` is a patient who sends the first name and nothing else.
    """

    names: tuple[str, ...]
    before: str
    after: str
    rules: list[str]
    turn: Turn | None = None


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """All that a change of rules changes for any patient.

    `names` are read otherwise. All else is said of patients who send none of them, nor anything near enough for one of them
    to be offered. `unchanged` counts the rules that come up for the same patients and say the same. `lists` names what else
    changed, of which it is not proved what it does.
    """

    before: str
    after: str
    rules: list[RuleDifference]
    invariants: list[InvariantDifference]
    unchanged: int
    names: list[NameDifference]
    lists: list[str]
