"""All that is known of one patient: small flat facts, and what texts will need to name their subjects."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, TypeAlias

import msgspec

from careplan.facts.hold_question import Bearing, HoldQuestion
from careplan.facts.hold_windows import Window
from careplan.facts.illnesses import Illnesses
from careplan.facts.measured import Measured
from careplan.facts.protocol_limits import Doubt
from careplan.facts.unread_entries import Entries
from careplan.recognition.goal_judge import GoalJudgement
from careplan.recognition.medicine_catalogue import Resolved
from careplan.recognition.medicine_rows import Ingredient
from careplan.request.patient import Patient
from careplan.rulebook.conditions import Pattern

Value: TypeAlias = str | bool | float
Properties: TypeAlias = dict[str, Value]

LEAST_NUMBER = 0.0001
"""Smaller positive numbers are raised to this one: the engine's JSON reader takes no exponents, and no rule tests finer."""


def bounded(value: float) -> float:
    """`value` as the engine can read it: a float that is written without an exponent."""
    return LEAST_NUMBER if 0 < value < LEAST_NUMBER else float(value) + 0.0  # -0.0 is 0


def written(value: Value) -> Value:
    """An answer as the engine can read it."""
    return value if isinstance(value, (str, bool)) else bounded(value)


class Fact(msgspec.Struct, frozen=True, gc=False):
    """One fact. `indexes` point into the list of the request that it is about; empty for facts about the patient.

    `id` is the kind where a patient has one fact of it.

    `whole` is False where a list was not given: what it does not name is then unknown. Where a list was given and an entry
    of it could not be read, what it does not name is presumed not to be there.
    """

    id: str
    kind: str
    properties: Properties
    indexes: tuple[int, ...] = ()
    ingredient: Ingredient | None = None
    whole: bool = True


class Basis(NamedTuple):
    """On what a derived fact rests: facts with what is asked of them.

    Where it `is_open`, it is not known whether it holds or how many there are; `pointers` are then the answers that could
    tell, none where nobody could.
    """

    behind: tuple[tuple[Pattern, Fact], ...] = ()
    pointers: frozenset[str] = frozenset()
    is_open: bool = False


class Case(msgspec.Struct, frozen=True, gc=False):
    """All that is known of one patient: the facts, and what texts will need to name their subjects.

    `of_any_medicine` is what would be so of every medicine that a list not sent could name. `holds` has the hold question
    of each ingredient, `doubts` what of the clinic's protocol cannot be meant. `unread` are the entries that nobody could
    read, `known` those that no rule concerns. `gaps` has, by ingredient, the longest time without it that the clinic's
    signed hold makes of the sessions; those of `too_long` are longer than the medicine's own limit. `measured` is what is
    known of the measures. `illnesses` are those of the patient; `read_off` are the places of those that what is treated was
    read off, where it was not sent; the patient then has it. `derived` has, by kind and field, on what each
    derived fact rests; `beside` has, by the id of a fact about a medicine, the same of what other medicines are beside it.
    """

    patient: Patient
    facts: tuple[Fact, ...]
    medicines: tuple[Resolved, ...]
    goals: tuple[GoalJudgement, ...]
    holds: dict[str, HoldQuestion]
    of_any_medicine: Properties
    doubts: tuple[Doubt, ...] = ()
    unread: Entries = Entries()
    known: Entries = Entries()
    gaps: Mapping[str, Window] = {}
    too_long: frozenset[str] = frozenset()
    measured: Measured = Measured()
    read_off: tuple[int, ...] = ()
    derived: Mapping[str, Mapping[str, Basis]] = {}
    beside: Mapping[str, Mapping[str, Basis]] = {}
    illnesses: Illnesses = Illnesses()

    @property
    def bearing(self) -> Bearing:
        """What bears on the hold question."""
        return Bearing(self.patient, self.illnesses.listed, self.medicines, self.unread, self.too_long)
