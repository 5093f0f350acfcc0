"""Rules gone wrong in one place each, and whether anything notices."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

import msgspec
import z3

from careplan.authoring.proof.formulas import of_when
from careplan.authoring.proof.symbols import SymbolicPatient
from careplan.authoring.rule_examples import examples_of, holds
from careplan.inference.derived import CaseMaker
from careplan.request.decode import Intake
from careplan.rulebook.conditions import (
    COMPARISONS,
    Either,
    Every,
    Expression,
    Operation,
    Pattern,
    Test,
    Value,
    When,
    tests_of,
)
from careplan.rulebook.model import Rule, Rulebook


class Mutant(NamedTuple):
    """The conditions of a rule, changed in one place in one way."""

    rule: str
    how: str
    when: When


_FLIPPED: Mapping[Operation, Operation] = {
    "at_least": "less_than",
    "less_than": "at_least",
    "at_most": "more_than",
    "more_than": "at_most",
}
_STRICTER: Mapping[Operation, Operation] = {
    "at_least": "more_than",
    "more_than": "at_least",
    "at_most": "less_than",
    "less_than": "at_most",
}
_TURNED: Mapping[Operation, Sequence[Operation]] = {
    "one_of": ("none_of", "one_of_or_unknown"),
    "one_of_or_unknown": ("one_of", "none_of"),
    "none_of": ("one_of",),
    "known": ("unknown",),
    "unknown": ("known",),
    "has_any": ("has_none", "has_all"),
    "has_all": ("has_none", "has_any"),
    "has_none": ("has_any",),
}


def mutants(book: Rulebook, rule: Rule) -> Iterator[Mutant]:
    """Every change of one place that is tried."""
    for at, group in enumerate(rule.when):
        if len(rule.when) > 1:
            yield Mutant(rule.id, "drop an alternative", (*rule.when[:at], *rule.when[at + 1 :]))
        for place, pattern in enumerate(group):
            before, after = group[:place], group[place + 1 :]
            if len(group) > 1:
                changed = (*before, *after)
                yield Mutant(rule.id, "drop a kind of fact", (*rule.when[:at], changed, *rule.when[at + 1 :]))
            for how, tests in _changed(book, pattern.kind, pattern.tests):
                assert isinstance(tests, Every)
                changed = (*before, Pattern(pattern.kind, tests), *after)
                yield Mutant(rule.id, how, (*rule.when[:at], changed, *rule.when[at + 1 :]))


def _changed(book: Rulebook, kind: str, expression: Expression) -> Iterator[tuple[str, Expression]]:
    if isinstance(expression, Test):
        yield from _changed_test(book, kind, expression)
        return
    for at, part in enumerate(expression.parts):
        before, after = expression.parts[:at], expression.parts[at + 1 :]
        if len(expression.parts) > 1:
            how = "drop a choice" if isinstance(expression, Either) else "drop a condition"
            yield how, type(expression)((*before, *after))
        for how, other in _changed(book, kind, part):
            yield how, type(expression)((*before, other, *after))


def _changed_test(book: Rulebook, kind: str, test: Test) -> Iterator[tuple[str, Test]]:
    change = msgspec.structs.replace
    if test.operation in COMPARISONS:
        limit = float(str(test.values[0]))
        yield "flip a comparison", change(test, operation=_FLIPPED[test.operation])
        yield "change strictness", change(test, operation=_STRICTER[test.operation])
        yield "raise a limit by one", change(test, values=(limit + 1,))
        if limit >= 1:
            yield "lower a limit by one", change(test, values=(limit - 1,))
        return
    for operation in _TURNED[test.operation]:
        if len(test.values) > 1 or operation != "has_all" != test.operation or operation == "has_none":
            yield "turn an operation", change(test, operation=operation)
    others = _other_tokens(book, kind, test)
    for at, value in enumerate(test.values):
        rest = (*test.values[:at], *test.values[at + 1 :])
        if rest:
            yield "drop a value", change(test, values=rest)
        if isinstance(value, bool):
            yield "swap a value", change(test, values=(not value,))
        elif others:
            yield "swap a value", change(test, values=(*rest, others[at % len(others)]))
    if others and test.values and not isinstance(test.values[0], bool):
        yield "add a value", change(test, values=(*test.values, others[0]))


def _other_tokens(book: Rulebook, kind: str, test: Test) -> list[Value]:
    field = book.kinds[kind].fields[test.field]
    lists: Mapping[str, Sequence[str]] = {
        "": field.tokens,
        "classes": sorted(book.classes),
        "ingredients": sorted(book.catalogue.ingredients),
        "classes_or_ingredients": sorted(book.classes),
        "conditions": sorted(book.conditions),
    }
    tokens = lists[field.vocabulary]
    return [token for token in tokens if token not in test.values]


class ByExamples:
    """Notices a mutant when an example of its rule comes out otherwise than it should."""

    def __init__(self, book: Rulebook) -> None:
        self._book = book
        self._intake = Intake(book.conditions, book.classes, book.forms)

    def caught(self, rule: Rule, found: Sequence[Mutant]) -> list[bool]:
        """For each mutant of a rule whether it is noticed."""
        maker = CaseMaker(self._book, [mutant.when for mutant in found])
        cases = [
            (expected == "fires", maker.case(self._intake.decode(msgspec.json.encode(example.patient))).facts)
            for expected, _, example in examples_of(rule)
        ]
        return [any(holds(mutant.when, facts) != fires for fires, facts in cases) for mutant in found]


class ByProof:
    """Tells mutants that hold for other patients than their rule from those that hold for exactly the same ones."""

    def __init__(self, book: Rulebook) -> None:
        self._symbolic = SymbolicPatient(book)
        self._solver = z3.Solver()
        self._solver.add(*self._symbolic.constraints)

    def same(self, rule: Rule, mutant: Mutant) -> bool:
        """True when no patient at all can tell the two apart."""
        before, after = (of_when(self._symbolic, when) for when in (rule.when, mutant.when))
        self._solver.push()
        try:
            self._solver.add(z3.Xor(before, after))
            return bool(self._solver.check() == z3.unsat)
        finally:
            self._solver.pop()


class Tally(NamedTuple):
    """How many mutants of a way of going wrong were made, noticed, and the same as their rule for every patient."""

    made: int = 0
    noticed: int = 0
    same: int = 0


def hunt(
    book: Rulebook, rules: Sequence[Rule], progress: Callable[[int], None] = lambda _at: None
) -> tuple[dict[str, Tally], list[Mutant]]:
    """Make all mutants of some rules; the tallies by way of going wrong, and the mutants that nothing noticed."""
    examples, proof = ByExamples(book), ByProof(book)
    tallies: dict[str, Tally] = {}
    survivors: list[Mutant] = []
    for at, rule in enumerate(rules):
        progress(at)
        found = [mutant for mutant in mutants(book, rule) if mutant.when != rule.when]
        for mutant, noticed in zip(found, examples.caught(rule, found), strict=True):
            same = not noticed and proof.same(rule, mutant)
            before = tallies.get(mutant.how, Tally())
            tallies[mutant.how] = Tally(before.made + 1, before.noticed + noticed, before.same + same)
            if not noticed and not same:
                survivors.append(mutant)
    return tallies, survivors


def share(tallies: Mapping[str, Tally]) -> float:
    """The share of mutants noticed, out of those that some patient can tell from their rule."""
    made = sum(tally.made - tally.same for tally in tallies.values())
    return sum(tally.noticed for tally in tallies.values()) / made


def fields_of(mutant: Mutant) -> str:
    """The conditions of a mutant in short, for a list of survivors."""
    return "; ".join(
        f"{pattern.kind}.{test.field} {test.operation} {', '.join(map(str, test.values))}"
        for group in mutant.when
        for pattern in group
        for test in tests_of(pattern.tests)
    )
