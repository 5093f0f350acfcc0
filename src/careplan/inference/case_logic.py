"""The three-valued logic on all facts of one patient: which rules hold, which do not, and which hang on an answer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from typing import NamedTuple

from careplan.facts.case import Case, Fact
from careplan.inference import three_valued
from careplan.inference.three_valued import (
    BESIDE,
    NO,
    NOTHING,
    THE_HOLD,
    THIS,
    YES,
    Situation,
    Verdict,
    any_of,
    every,
    list_pointer,
    some,
)
from careplan.request.patient import Patient
from careplan.rulebook.conditions import Either, Expression, Group, Pattern, Test, When
from careplan.rulebook.factors import KINDS, OF_DERIVED, OF_MEASURES, most_of


class Alternative(NamedTuple):
    """A group of a rule's conditions, the fact it is put to where there can be many, and the verdict on both together."""

    group: Group
    subject: str
    fact: Fact | None
    verdict: Verdict


class CaseLogic:
    """Evaluates conditions on the facts of one case."""

    def __init__(self, case: Case) -> None:
        self._case = case
        self._not_asked = not_asked(case.patient)

    @cached_property
    def _facts(self) -> dict[str, list[Fact]]:
        found: dict[str, list[Fact]] = {}
        for fact in self._case.facts:
            found.setdefault(fact.kind, []).append(fact)
        return found

    def of(self, when: When) -> Verdict:
        """The verdict on a rule's conditions. One that holds for one medicine can still hang on answers about another."""
        return taken_together(self.alternatives(when))

    def alternatives(self, when: When) -> Iterator[Alternative]:
        """Each group of conditions that is not ruled out, on each of the facts of which there can be many."""
        for group in when:
            many = None
            verdict = YES
            for pattern in group:
                if KINDS[pattern.kind].many:
                    many = pattern
                elif verdict[0] is not False:
                    verdict = both(verdict, self.of_pattern(pattern))
            if verdict[0] is False:
                continue
            if many is None:
                yield Alternative(group, "", None, verdict)
            elif self.list_is_missing(many.kind):
                yield Alternative(group, many.kind, None, both(verdict, self.of_pattern(many)))
            else:
                for fact in self.known_facts(many.kind):
                    yield Alternative(group, fact.id, fact, both(verdict, self.of_fact(many, fact)))

    def of_pattern(self, pattern: Pattern) -> Verdict:
        """The verdict on one pattern: whether any fact of its kind satisfies it."""
        if self.list_is_missing(pattern.kind):
            of_any = self._case.of_any_medicine
            return NO if ruled_out(pattern, of_any) else (None, frozenset({list_pointer(pattern.kind)}))
        return any_of(self.of_fact(pattern, fact) for fact in self._facts.get(pattern.kind, ()))

    def of_fact(self, pattern: Pattern, fact: Fact) -> Verdict:
        """The verdict on whether one fact satisfies a pattern of its kind."""
        verdict = three_valued.of_tests(pattern, fact.properties, situation_of(self._case, fact))
        return verdict[0], answers(self._case, fact, verdict[1])

    def stands(self, expression: Expression, fact: Fact) -> bool | None:
        """Whether an expression holds on what is known now; None where an answer or a list is missing."""
        if isinstance(expression, Test):
            stands = three_valued.as_it_stands(fact.kind, expression, fact.properties, whole=fact.whole)
            if stands is not None:
                return stands
            return three_valued.of_test(fact.kind, expression, fact.properties, situation_of(self._case, fact))[0]
        parts = [self.stands(part, fact) for part in expression.parts]
        return some(parts) if isinstance(expression, Either) else every(parts)

    def of_missing(self, pattern: Pattern) -> bool | None:
        """Whether what a pattern is about could still turn up, where it has not: None if so, False if not."""
        missing = self.list_is_missing(pattern.kind)
        return None if missing and not ruled_out(pattern, self._case.of_any_medicine) else False

    def list_is_missing(self, kind: str) -> bool:
        """True when the list from which facts of a kind come was not sent."""
        return KINDS[kind].many and list_pointer(kind) in self._not_asked

    def known_facts(self, kind: str) -> Sequence[Fact]:
        """The facts of a kind."""
        return self._facts.get(kind, ())


def situation_of(case: Case, fact: Fact) -> Situation:
    """What decides about a fact of a case besides its properties."""
    if fact.kind == "medicine" and fact.ingredient is not None:
        hold = case.holds[fact.ingredient.ingredient]
        helpless = NOTHING
        if bases := case.beside.get(fact.id):
            helpless = frozenset(name for name, basis in bases.items() if basis.is_open and not basis.pointers)
        return Situation(may_open=hold.may_open, waits=bool(hold.waits_for), unusable=helpless)
    if fact.kind == "treatment":
        treatment = case.patient.treatment
        return Situation(sessions=(treatment.sessions_planned, treatment.sessions_completed))
    if fact.kind == "protocol" and case.doubts:
        return Situation(unusable=frozenset(doubt.pointer.removeprefix("/protocol/") for doubt in case.doubts))
    if fact.kind in OF_MEASURES:
        return Situation(unusable=case.measured.not_asked)
    if fact.kind in OF_DERIVED:
        bases = case.derived.get(fact.kind, {})
        unknown = [name for name, basis in bases.items() if not basis.pointers]
        return Situation(unusable=frozenset((*unknown, *map(most_of, unknown)))) if unknown else three_valued.NO_SITUATION
    return three_valued.NO_SITUATION if fact.whole else _NOT_SENT


_NOT_SENT = Situation(whole=False)


def answers(case: Case, fact: Fact, pointers: frozenset[str]) -> frozenset[str]:
    """The answers on which a verdict on one fact hangs: of a medicine with its place, of what is derived those behind it."""
    if fact.kind in OF_DERIVED and pointers:
        bases = case.derived[fact.kind]
        return frozenset().union(*(bases[pointer.rpartition("/")[2]].pointers for pointer in pointers))
    if fact.kind != "medicine" or not pointers or fact.ingredient is None:
        return pointers
    own = {pointer.replace(THIS, f"/medications/{fact.indexes[0]}/", 1) for pointer in pointers if pointer != THE_HOLD}
    for pointer in [one for one in own if one.startswith(BESIDE)]:
        own.remove(pointer)
        own |= case.beside[fact.id][pointer.removeprefix(BESIDE)].pointers
    return frozenset(own) | (case.holds[fact.ingredient.ingredient].waits_for if THE_HOLD in pointers else NOTHING)


def ruled_out(pattern: Pattern, of_any_medicine: three_valued.Properties) -> bool:
    """Whether no entry of a list that was not sent could be what the pattern asks for."""
    return pattern.kind == "medicine" and any(
        isinstance(part, Test)
        and part.field in of_any_medicine
        and three_valued.as_it_stands("medicine", part, of_any_medicine) is False
        for part in pattern.tests.parts
    )


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
    for alternative in alternatives:
        by_subject.setdefault(alternative.subject, []).append(alternative.verdict)
    held: bool | None = False
    undecided: set[str] = set()
    for found in by_subject.values():
        holds, pointers = found[0] if len(found) == 1 else any_of(found)
        held = held if held is True or holds is False else holds
        undecided |= pointers
    return held, frozenset(undecided)


def both(left: Verdict, right: Verdict) -> Verdict:
    """The verdict on two things that must hold together."""
    if left[0] is True or right[0] is False:
        return right
    if left[0] is False or right[0] is True:
        return left
    # What hangs on no answer, no other answer helps.
    return None, left[1] | right[1] if left[1] and right[1] else NOTHING
