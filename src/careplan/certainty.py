"""Whether a rule holds, does not hold, or cannot be decided yet, and which unanswered questions decide it.

The engine says which rules hold. This module looks only at the rest, for the questions worth asking: a rule that is
already ruled out by an answer asks nothing more.
"""

from __future__ import annotations

from collections.abc import Iterable

from careplan.facts import PROTECTED_INDICATIONS, Case, Fact
from careplan.fields import KINDS, member
from careplan.patient import Patient
from careplan.rulebook.conditions import Either, Expression, Group, Pattern, Test, When

Verdict = tuple[bool | None, frozenset[str]]
"""True, False or None for undecided; and the JSON Pointers of the answers on which an undecided one hangs."""

_NOTHING: frozenset[str] = frozenset()
_YES: Verdict = (True, _NOTHING)
_NO: Verdict = (False, _NOTHING)
_LISTS = {
    "medicine": "/medications",
    "medicine_check": "/medications",
    "shared_class": "/medications",
    "regimen": "/medications",
    "condition": "/conditions",
    "history": "/conditions",
    "goal": "/expectations/goals",
    "goals": "/expectations/goals",
}


class Certainty:
    """Three-valued evaluation of conditions on the facts of one case."""

    def __init__(self, case: Case) -> None:
        patient = case.patient
        self._patient = patient
        self._facts: dict[str, list[Fact]] = {}
        for fact in case.facts:
            self._facts.setdefault(fact.kind, []).append(fact)
        self._not_asked = not_asked(patient)

    def of(self, when: When) -> Verdict:
        """The verdict on a rule's conditions."""
        return _any(self._group(group) for group in when)

    def _group(self, group: Group) -> Verdict:
        return _all(self._pattern(pattern) for pattern in group)

    def _pattern(self, pattern: Pattern) -> Verdict:
        if KINDS[pattern.kind].many and (pointer := _LISTS[pattern.kind]) in self._not_asked:
            return None, frozenset({pointer})
        return _any(self._expression(pattern.tests, fact) for fact in self._facts.get(pattern.kind, ()))

    def _expression(self, expression: Expression, fact: Fact) -> Verdict:
        if isinstance(expression, Test):
            return self.of_test(expression, fact)
        verdicts = (self._expression(part, fact) for part in expression.parts)
        return _any(verdicts) if isinstance(expression, Either) else _all(verdicts)

    def of_test(self, test: Test, fact: Fact) -> Verdict:
        """The verdict on one test of one fact. A test for not being known hangs on the answer as long as there is none."""
        stands = as_it_stands(test, fact)
        if KINDS[fact.kind].fields[test.field].type == "tokens":
            if stands is not None:
                return _YES if stands else _NO
            pointer = _LISTS[fact.kind]
            # A list that was given but not understood entirely is a matter for its own item, not for another question.
            return (None, frozenset({pointer})) if pointer in self._not_asked else (None, _NOTHING)
        if test.field not in fact.properties and (unanswered := self._unanswered(test.field, fact)):
            return None, unanswered
        return _YES if stands else _NO

    def _unanswered(self, field: str, fact: Fact) -> frozenset[str]:
        """Where the answer to a missing field would go; nothing if nobody could answer it."""
        if fact.kind == "medicine":
            return self._unanswered_of_medicine(field, fact.indexes[0])
        if fact.kind == "goals":
            return frozenset({_LISTS["goals"]})
        if fact.kind == "treatment" and field == "sessions_left":
            treatment = self._patient.treatment
            missing = [name for name in ("sessions_planned", "sessions_completed") if getattr(treatment, name) is None]
            return frozenset(f"/treatment/{name}" for name in missing)
        if not KINDS[fact.kind].fields[field].sent:
            return _NOTHING
        return frozenset({f"/{field}" if fact.kind == "patient" else f"/{fact.kind}/{field}"})

    def _unanswered_of_medicine(self, field: str, at: int) -> frozenset[str]:
        entry = (self._patient.medications or [])[at]
        missing = {name for name in ("schedule", "indication") if getattr(entry, name) is None}
        if field in ("schedule", "indication"):
            return frozenset({f"/medications/{at}/{field}"})
        if field != "hold_question" or entry.indication in PROTECTED_INDICATIONS:
            return _NOTHING
        pointers = {f"/medications/{at}/{name}" for name in missing}
        return frozenset(pointers | ({"/conditions"} & self._not_asked))


def as_it_stands(test: Test, fact: Fact) -> bool | None:
    """Whether a test holds on what is known now; None if that is not known. This is what the engine decides by."""
    operation = test.operation
    if KINDS[fact.kind].fields[test.field].type == "tokens":
        held = [fact.properties.get(member(test.field, str(token))) is True for token in test.values]
        holds = all(held) if operation == "has_all" else any(held) == (operation == "has_any")
        # What is not in the list is known to be absent only where the whole list is known.
        sure = fact.whole or holds == (operation != "has_none")
        return holds if sure else None
    value = fact.properties.get(test.field)
    if value is None:
        return True if operation in ("unknown", "one_of_or_unknown") else None
    match operation:
        case "one_of" | "one_of_or_unknown":
            return value in test.values
        case "none_of":
            return value not in test.values
        case "known" | "unknown":
            return operation == "known"
        case "at_least":
            return value >= test.values[0]  # type: ignore[operator]
        case "at_most":
            return value <= test.values[0]  # type: ignore[operator]
        case "less_than":
            return value < test.values[0]  # type: ignore[operator]
        case _:
            return value > test.values[0]  # type: ignore[operator]


def list_pointer(kind: str) -> str:
    """The list of the request from which facts of a kind come."""
    return _LISTS[kind]


def not_asked(patient: Patient) -> frozenset[str]:
    """The lists that were not sent."""
    lists = (
        ("/medications", patient.medications),
        ("/conditions", patient.conditions),
        ("/expectations/goals", patient.expectations.goals),
    )
    return frozenset(pointer for pointer, value in lists if value is None)


def _any(verdicts: Iterable[Verdict]) -> Verdict:
    undecided: set[str] = set()
    open_ = False
    for holds, pointers in verdicts:
        if holds:
            return _YES
        if holds is None:
            open_ = True
            undecided |= pointers
    return (None, frozenset(undecided)) if open_ else _NO


def _all(verdicts: Iterable[Verdict]) -> Verdict:
    undecided: set[str] = set()
    open_ = False
    for holds, pointers in verdicts:
        if holds is False:
            return _NO
        if holds is None:
            open_ = True
            undecided |= pointers
    return (None, frozenset(undecided)) if open_ else _YES
