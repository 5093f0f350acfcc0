"""An encoding that says something else than the rules is caught by the examples of the rules."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest
import z3

from careplan.authoring.proof import formulas
from careplan.authoring.proof.answers import YES, Answer
from careplan.authoring.proof.symbols import SymbolicPatient
from careplan.authoring.proof.terms import all_of
from careplan.inference.derived import CaseMaker
from careplan.planner import Planner
from careplan.rulebook.conditions import Test, tests_of
from careplan.rulebook.model import Rule
from tests import reference
from tests.proof.assignment import Chosen, assigned
from tests.shipped import BOOK

FACTS = CaseMaker(BOOK)
MOST_RULES = 4


class Agreement:
    """Whether formulas, made as they are made now, say of the examples of rules what the reference evaluator says."""

    def __init__(self, planner: Planner) -> None:
        self._planner = planner
        self.symbolic = SymbolicPatient(BOOK)
        self._solver = z3.Solver()
        self._solver.add(*self.symbolic.constraints)

    def holds(self, rules: list[Rule]) -> bool:
        """Of all examples of these rules, in which the first of each kind of fact is looked at."""
        return all(self._agrees(rule, example.patient) for rule in rules for example in examples(rule))

    def _agrees(self, rule: Rule, body: dict[str, Any]) -> bool:
        case = FACTS.case(self._planner.intake.decode(msgspec.json.encode(body)))
        chosen = Chosen.of(case, 0)
        expected = bool(reference.findings({rule.id: rule.when}, chosen.looked_at(case.facts)))
        self._solver.push()
        try:
            self._solver.add(all_of(assigned(self.symbolic, case, chosen)))
            fires = formulas.of_when(self.symbolic, rule.when)
            return bool(self._solver.check(fires if not expected else z3.Not(fires)) == z3.unsat)
        finally:
            self._solver.pop()


def examples(rule: Rule) -> Iterator[Any]:
    yield from (*rule.file.examples.fires, *rule.file.examples.silent)


def rules_that_test(*operations: str, kinds: tuple[str, ...] = ()) -> list[Rule]:
    """Shipped rules that use one of these operations."""
    found = [
        rule
        for rule in BOOK.in_order()
        if any(
            test.operation in operations
            and (not kinds or pattern.kind in kinds)
            # Of one token any is all.
            and (test.operation != "has_any" or len(test.values) > 1)
            for group in rule.when
            for pattern in group
            for test in tests_of(pattern.tests)
        )
    ]
    assert found, f"no rule tests {operations}"
    return found[:MOST_RULES]


@pytest.fixture(scope="module")
def agreement(planner: Planner) -> Agreement:
    return Agreement(planner)


def swapped(name: str, other: str) -> Callable[[pytest.MonkeyPatch], None]:
    """One comparison written for another."""
    return lambda patch: patch.setitem(formulas._COMPARE, name, formulas._COMPARE[other])


def with_tests(change: Callable[[Test], Test]) -> Callable[[pytest.MonkeyPatch], None]:
    """Every test written as another one."""
    plain = formulas.of_test
    return lambda patch: patch.setattr(formulas, "of_test", lambda symbolic, kind, test: plain(symbolic, kind, change(test)))


def turned(before: str, after: Any) -> Callable[[Test], Test]:
    return lambda test: msgspec.structs.replace(test, operation=after) if test.operation == before else test


def presumed(patch: pytest.MonkeyPatch) -> None:
    """What is not known to be there counts as absent, also where nobody asked for the list."""

    def members(self: SymbolicPatient, kind: str, field: str, token: str) -> tuple[Any, Any]:
        there, _ = plain(self, kind, field, token)
        return there, z3.Not(there)

    plain = SymbolicPatient.members
    patch.setattr(SymbolicPatient, "members", members)


def always_known(patch: pytest.MonkeyPatch) -> None:
    """An answer that is missing counts as one that was given."""
    plain = formulas.of_test

    class Known:
        def __init__(self, symbolic: SymbolicPatient) -> None:
            self._symbolic = symbolic
            self.answers = {place: Answer(YES, answer.value, answer.tokens) for place, answer in symbolic.answers.items()}

        def __getattr__(self, name: str) -> Any:
            return getattr(self._symbolic, name)

    patch.setattr(formulas, "of_test", lambda symbolic, kind, test: plain(Known(symbolic), kind, test))


LONG = pytest.mark.long
DAMAGE: list[Any] = [
    pytest.param(swapped("at_least", "more_than"), rules_that_test("at_least"), id="at-least-for-more-than"),
    pytest.param(
        swapped("less_than", "at_most"), rules_that_test("less_than"), id="less-than-for-at-most", marks=pytest.mark.long
    ),
    pytest.param(
        with_tests(turned("has_any", "has_all")), rules_that_test("has_any"), id="any-for-all", marks=pytest.mark.long
    ),
    pytest.param(
        with_tests(turned("has_none", "has_any")), rules_that_test("has_none"), id="none-for-any", marks=pytest.mark.long
    ),
    pytest.param(
        with_tests(turned("one_of_or_unknown", "one_of")), rules_that_test("one_of_or_unknown"), id="unknown-dropped"
    ),
    pytest.param(
        with_tests(turned("unknown", "known")), rules_that_test("unknown"), id="unknown-for-known", marks=pytest.mark.long
    ),
    pytest.param(presumed, rules_that_test("has_none", kinds=("regimen",)), id="absent-though-not-asked"),
    pytest.param(
        always_known, rules_that_test("at_most", "less_than", "none_of"), id="missing-answers-count", marks=pytest.mark.long
    ),
]


@pytest.mark.parametrize(("damage", "rules"), DAMAGE)
def test_a_damaged_encoding_is_caught_and_the_whole_one_is_not(
    agreement: Agreement, monkeypatch: pytest.MonkeyPatch, damage: Callable[[pytest.MonkeyPatch], None], rules: list[Rule]
) -> None:
    assert agreement.holds(rules)
    damage(monkeypatch)
    assert not agreement.holds(rules)
