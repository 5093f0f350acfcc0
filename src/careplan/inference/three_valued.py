"""Whether a rule holds, does not hold, or cannot be decided yet, and which unanswered questions decide it.

The engine says which rules hold. This module looks only at the rest, for the questions worth asking: a rule that is
already ruled out by an answer asks nothing more.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from typing import NamedTuple

import msgspec

from careplan.facts.build import Case, Fact, Properties
from careplan.request.patient import Patient
from careplan.rulebook.conditions import Either, Every, Expression, Group, Pattern, Test, When, tests_of
from careplan.rulebook.factors import KINDS, LIMITS, member

Verdict = tuple[bool | None, frozenset[str]]
"""True, False or None for undecided; and the JSON Pointers of the answers on which an undecided one hangs."""

_NOTHING: frozenset[str] = frozenset()
_YES: Verdict = (True, _NOTHING)
_NO: Verdict = (False, _NOTHING)
_SESSIONS = ("sessions_planned", "sessions_completed")
_COUNTS = frozenset({*_SESSIONS, "sessions_left"})
_FROM_COUNTS = frozenset({"sessions_left", "beyond_plan"})
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


class Alternative(NamedTuple):
    """A group of a rule's conditions, the fact it is put to where there can be many, and the verdict on both together."""

    group: Group
    subject: str
    fact: Fact | None
    verdict: Verdict


class Certainty:
    """Three-valued evaluation of conditions on the facts of one case."""

    def __init__(self, case: Case) -> None:
        patient = case.patient
        self._patient = patient
        self._holds = case.holds
        self._of_any_medicine = case.of_any_medicine
        self._known = case.facts
        self._not_asked = not_asked(patient)

    @cached_property
    def _facts(self) -> dict[str, list[Fact]]:
        found: dict[str, list[Fact]] = {}
        for fact in self._known:
            found.setdefault(fact.kind, []).append(fact)
        return found

    def of(self, when: When) -> Verdict:
        """The verdict on a rule's conditions. One that holds for one medicine can still hang on answers about another."""
        return taken_together(self.alternatives(when))

    def alternatives(self, when: When) -> Iterator[Alternative]:
        """Each group of conditions that is not ruled out, on each of the facts of which there can be many."""
        for group in when:
            many = None
            verdict = _YES
            for pattern in group:
                if KINDS[pattern.kind].many:
                    many = pattern
                elif verdict[0] is not False:
                    verdict = _both(verdict, self.of_pattern(pattern))
            if verdict[0] is False:
                continue
            if many is None:
                yield Alternative(group, "", None, verdict)
            elif self.list_is_missing(many.kind):
                yield Alternative(group, many.kind, None, _both(verdict, self.of_pattern(many)))
            else:
                for fact in self.known_facts(many.kind):
                    yield Alternative(group, fact.id, fact, _both(verdict, self.of_fact(many, fact)))

    def of_pattern(self, pattern: Pattern) -> Verdict:
        """The verdict on one pattern: whether any fact of its kind satisfies it."""
        if KINDS[pattern.kind].many and (pointer := _LISTS[pattern.kind]) in self._not_asked:
            return _NO if self._ruled_out(pattern) else (None, frozenset({pointer}))
        return _any(self.of_fact(pattern, fact) for fact in self._facts.get(pattern.kind, ()))

    def of_fact(self, pattern: Pattern, fact: Fact) -> Verdict:
        """The verdict on whether one fact satisfies a pattern of its kind."""
        verdict = self._expression(pattern.tests, fact)
        if verdict[0] is None and pattern.kind == "treatment" and not self._sessions_could(pattern.tests):
            return _NO
        return verdict

    def _ruled_out(self, pattern: Pattern) -> bool:
        """Whether no entry of a list that was not sent could be what the pattern asks for."""
        supposed = Fact("", pattern.kind, self._of_any_medicine)
        return pattern.kind == "medicine" and any(
            isinstance(part, Test) and part.field in supposed.properties and as_it_stands(part, supposed) is False
            for part in pattern.tests.parts
        )

    def _sessions_could(self, tests: Every) -> bool:
        """Whether some number of sessions could make the tests hold: those left follow from those planned and done.

        Taken one by one, "3 done" and "1 left" are each open while the number done is not known; of 3 planned sessions
        they are never true together.
        """
        (fact,) = self._facts["treatment"]
        given = [getattr(self._patient.treatment, name) for name in _SESSIONS]
        missing = [name for name, value in zip(_SESSIONS, given, strict=True) if value is None]
        limits = [float(str(value)) for test in tests_of(tests) if test.field in _COUNTS for value in test.values]
        if len(missing) != 1 or not any(test.field in _FROM_COUNTS for test in tests_of(tests)):
            return True
        known = next(float(value) for value in given if value is not None)
        allowed = LIMITS[f"treatment.{missing[0]}"]
        near = {base + limit + step for limit in limits for base in (0, known) for step in (-1, 0, 1)}
        near |= {known - limit + step for limit in (0, *limits) for step in (-1, 0, 1)} | {allowed.least}
        for number in sorted(one for one in near if allowed.least <= one <= allowed.most):
            planned, completed = (number, known) if missing[0] == "sessions_planned" else (known, number)
            counted: Properties = {"sessions_left": max(0.0, planned - completed), "beyond_plan": completed > planned}
            supposed = fact.properties | {missing[0]: number} | counted
            if self._expression(tests, msgspec.structs.replace(fact, properties=supposed))[0] is not False:
                return True
        return False

    def _expression(self, expression: Expression, fact: Fact) -> Verdict:
        if isinstance(expression, Test):
            return self.of_test(expression, fact)
        verdicts = (self._expression(part, fact) for part in expression.parts)
        return _any(verdicts) if isinstance(expression, Either) else _all(verdicts)

    def known_facts(self, kind: str) -> Sequence[Fact]:
        """The facts of a kind."""
        return self._facts.get(kind, ())

    def stands(self, expression: Expression, fact: Fact) -> bool | None:
        """Whether an expression holds on what is known now; None where an answer or a list is missing."""
        if isinstance(expression, Test):
            stands = as_it_stands(expression, fact)
            return stands if stands is not None else self.of_test(expression, fact)[0]
        parts = [self.stands(part, fact) for part in expression.parts]
        if isinstance(expression, Either):
            return True if True in parts else None if None in parts else False
        return False if False in parts else None if None in parts else True

    def of_missing(self, pattern: Pattern) -> bool | None:
        """Whether what a pattern is about could still turn up, where it has not: None if so, False if not."""
        return None if self.list_is_missing(pattern.kind) and not self._ruled_out(pattern) else False

    def list_is_missing(self, kind: str) -> bool:
        """True when the list from which facts of a kind come was not sent."""
        return KINDS[kind].many and _LISTS[kind] in self._not_asked

    def of_test(self, test: Test, fact: Fact) -> Verdict:
        """The verdict on one test of one fact. A test for not being known hangs on the answer as long as there is none."""
        stands = as_it_stands(test, fact)
        if KINDS[fact.kind].fields[test.field].type == "tokens":
            if stands is not None:
                return _YES if stands else _NO
            pointer = _LISTS[fact.kind]
            # A list that was given but not understood entirely is a matter for its own item, not for another question.
            return (None, frozenset({pointer})) if pointer in self._not_asked else (None, _NOTHING)
        if stands is None and test.field == "hold_question" and test.operation == "one_of" and not self._may_be(test, fact):
            return _NO
        if test.field not in fact.properties and (unanswered := self._unanswered(test.field, fact)):
            return None, unanswered
        return _YES if stands else _NO

    def _may_be(self, test: Test, fact: Fact) -> bool:
        may_open = fact.ingredient is None or self._holds[fact.ingredient.ingredient].may_open
        return may_open or not {"closed", "unclear"}.isdisjoint(map(str, test.values))

    def _unanswered(self, field: str, fact: Fact) -> frozenset[str]:
        """Where the answer to a missing field would go; nothing if nobody could answer it."""
        if fact.kind == "medicine":
            if field == "hold_question" and fact.ingredient:
                return self._holds[fact.ingredient.ingredient].waits_for
            return frozenset({f"/medications/{fact.indexes[0]}/{field}"} if field in ("schedule", "indication") else ())
        if fact.kind == "goals":
            return frozenset({_LISTS["goals"]})
        if fact.kind == "treatment" and field in _FROM_COUNTS:
            treatment = self._patient.treatment
            missing = [name for name in _SESSIONS if getattr(treatment, name) is None]
            return frozenset(f"/treatment/{name}" for name in missing)
        if not KINDS[fact.kind].fields[field].sent:
            return _NOTHING
        if fact.kind == "protocol" and getattr(self._patient.protocol, field, None) is not None:
            return _NOTHING  # a figure that cannot be meant: an item asks for it to be checked
        return frozenset({f"/{field}" if fact.kind == "patient" else f"/{fact.kind}/{field}"})


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


def taken_together(alternatives: Iterable[Alternative]) -> Verdict:
    """The verdict on a rule: for each subject one alternative is enough."""
    by_subject: dict[str, list[Verdict]] = {}
    for one in alternatives:
        by_subject.setdefault(one.subject, []).append(one.verdict)
    held: bool | None = False
    undecided: set[str] = set()
    for found in by_subject.values():
        holds, pointers = found[0] if len(found) == 1 else _any(found)
        held = held if held is True or holds is False else holds
        undecided |= pointers
    return held, frozenset(undecided)


def _both(one: Verdict, other: Verdict) -> Verdict:
    if one[0] is True or other[0] is False:
        return other
    if one[0] is False or other[0] is True:
        return one
    # What hangs on no answer, as on a list that could not be read, no other answer helps.
    return None, one[1] | other[1] if one[1] and other[1] else _NOTHING


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
    """Where one of the parts that must all hold hangs on no answer, as on a list that could not be read, none helps."""
    undecided: set[str] = set()
    open_, helpless = False, False
    for holds, pointers in verdicts:
        if holds is False:
            return _NO
        if holds is None:
            open_ = True
            helpless |= not pointers
            undecided |= pointers
    if not open_:
        return _YES
    return None, _NOTHING if helpless else frozenset(undecided)
