"""The examples of a rulebook, run through the engine, and what of its conditions they have shown.

A condition counts as shown true when it is true in an example for which its alternative fires; as shown false when an
example stays silent because of it alone, so that leaving it out of the rule would be noticed. Of a list each value is
to be shown, and of a comparison its limit.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import product
from typing import Literal

import msgspec

from careplan.errors import InvalidPatient
from careplan.facts.case import Case, Fact
from careplan.inference.derived import CaseMaker
from careplan.inference.durable_rules import Engine
from careplan.inference.three_valued import as_it_stands
from careplan.request.decode import Intake
from careplan.rulebook.conditions import COMPARISONS, Either, Expression, Group, Test, Value, When, property_of, tests_of
from careplan.rulebook.factors import KINDS, member
from careplan.rulebook.model import Example, Rule, Rulebook
from careplan.rulebook.validity import out_of_force

Aspect = Literal["true", "false", "value", "limit"]


class Shown(msgspec.Struct, frozen=True):
    """One thing that examples should show: of the condition `test` in a group, an aspect, and for a list which value."""

    group: int
    kind: str
    test: Test
    aspect: Aspect
    value: Value | None = None


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one example. `why_not` names the conditions that were not met where it should have fired."""

    rule: str
    expected: Literal["fires", "silent"]
    place: int
    passed: bool
    problem: str = ""
    unmet: tuple[tuple[str, Test], ...] = ()


class Trial(msgspec.Struct, frozen=True):
    """The examples of one rule after running: each outcome, and what no example has shown."""

    rule: str
    outcomes: tuple[Outcome, ...]
    wanted: int
    missing: tuple[Shown, ...]


class Trials:
    """Runs examples."""

    def __init__(self, book: Rulebook) -> None:
        self._intake = Intake(book.conditions, book.classes, book.forms)
        self._facts = CaseMaker(book, [rule.when for rule in book.resting.values()])
        self._engine = Engine({rule.id: rule.when for rule in (*book.rules.values(), *book.resting.values())})

    def close(self) -> None:
        """Free the engine's memory."""
        self._engine.close()

    def run(self, rule: Rule) -> Trial:
        """Run the examples of one rule."""
        outcomes: list[Outcome] = []
        seen: set[Shown] = set()
        for expected, place, example in examples_of(rule):
            try:
                case = self._case(example)
            except InvalidPatient as error:
                problem = "; ".join(f"{fault.pointer}: {fault.detail}" for fault in error.faults)
                outcomes.append(
                    Outcome(rule=rule.id, expected=expected, place=place, passed=False, problem=f"not a patient: {problem}")
                )
                continue
            in_force = not out_of_force({rule.id: rule.term}, case.patient.as_of)
            fired = {finding.group for finding in self._engine.evaluate(case.facts) if in_force and finding.rule == rule.id}
            passed = bool(fired) == (expected == "fires")
            outcomes.append(
                Outcome(
                    rule=rule.id,
                    expected=expected,
                    place=place,
                    passed=passed,
                    problem="" if passed else _problem(rule, expected, in_force=in_force),
                    unmet=tuple(unmet(rule, case)) if in_force and not passed and not fired else (),
                )
            )
            if passed and in_force:
                seen |= set(_shown(rule, case, fires=bool(fired)))
        wanted = list(wanted_of(rule))
        return Trial(rule.id, tuple(outcomes), len(wanted), tuple(one for one in wanted if one not in seen))

    def _case(self, example: Example) -> Case:
        return self._facts.case(self._intake.decode(msgspec.json.encode(example.patient)))


def _problem(rule: Rule, expected: Literal["fires", "silent"], *, in_force: bool) -> str:
    if expected == "silent":
        return "fires"
    return "stays silent" if in_force else f"stays silent, as it is in force {rule.term.in_words()}"


def examples_of(rule: Rule) -> Iterator[tuple[Literal["fires", "silent"], int, Example]]:
    """The examples of a rule with what is expected of each and their place in their list."""
    for at, example in enumerate(rule.file.examples.fires):
        yield "fires", at, example
    for at, example in enumerate(rule.file.examples.silent):
        yield "silent", at, example


def wanted_of(rule: Rule) -> Iterator[Shown]:
    """Everything that examples of a rule should show."""
    for at, group in enumerate(rule.when):
        for pattern in group:
            for test in tests_of(pattern.tests):
                yield Shown(at, pattern.kind, test, "true")
                if not _cannot_fail(pattern.kind, test):
                    yield Shown(at, pattern.kind, test, "false")
                if test.operation in COMPARISONS:
                    yield Shown(at, pattern.kind, test, "limit")
                elif len(test.values) > 1 and test.operation in ("one_of", "one_of_or_unknown", "has_any"):
                    yield from (Shown(at, pattern.kind, test, "value", value) for value in test.values)


def holds(when: When, facts: Sequence[Fact]) -> bool:
    """Whether conditions hold on these facts, without the engine."""
    return any(
        all(fact is not None and _holds(pattern.tests, fact) for pattern, fact in zip(group, chosen, strict=True))
        for group in when
        for chosen in _choices(group, facts)
    )


def unmet(rule: Rule, case: Case) -> Iterator[tuple[str, Test]]:
    """The conditions of the nearest group that are not met, by kind of fact."""
    groups = [list(_unmet(group, facts)) for group in rule.when for facts in _choices(group, case.facts, some=True)]
    yield from min(groups, key=len, default=[])


def _unmet(group: Group, facts: Sequence[Fact | None]) -> Iterator[tuple[str, Test]]:
    for pattern, fact in zip(group, facts, strict=True):
        for part in pattern.tests.parts:
            if fact is None or not _holds(part, fact):
                yield from ((pattern.kind, test) for test in tests_of(part))


def _cannot_fail(kind: str, test: Test) -> bool:
    """A test of a field that is always known, for being known."""
    return test.operation == "known" and not KINDS[kind].field(test.field).sent


def _shown(rule: Rule, case: Case, *, fires: bool) -> Iterator[Shown]:
    for at, group in enumerate(rule.when):
        for facts in _choices(group, case.facts):
            assert all(fact is not None for fact in facts)
            held = [_holds(pattern.tests, fact) for pattern, fact in zip(group, facts, strict=True) if fact]
            for place, (pattern, fact) in enumerate(zip(group, facts, strict=True)):
                assert fact is not None
                others = all(held[:place]) and all(held[place + 1 :])
                for test in tests_of(pattern.tests):
                    if fires and all(held) and _holds(test, fact):
                        yield from _seen_true(at, pattern.kind, test, fact)
                    elif not fires and others and _holds(pattern.tests, fact, but=test):
                        yield Shown(at, pattern.kind, test, "false")
                        if (
                            test.operation in COMPARISONS
                            and fact.properties.get(property_of(pattern.kind, test)) == test.values[0]
                        ):
                            yield Shown(at, pattern.kind, test, "limit")


def _seen_true(group: int, kind: str, test: Test, fact: Fact) -> Iterator[Shown]:
    yield Shown(group, kind, test, "true")
    if test.operation in COMPARISONS:
        if fact.properties.get(property_of(kind, test)) == test.values[0]:
            yield Shown(group, kind, test, "limit")
    elif len(test.values) > 1:
        for value in test.values:
            if fact.properties.get(test.field) == value or fact.properties.get(member(test.field, str(value))) is True:
                yield Shown(group, kind, test, "value", value)


def _holds(expression: Expression, fact: Fact, *, but: Test | None = None) -> bool:
    """Whether an expression is known to hold, or would if the condition `but` were met."""
    if isinstance(expression, Test):
        return expression is but or as_it_stands(fact.kind, expression, fact.properties, whole=fact.whole) is True
    parts = (_holds(part, fact, but=but) for part in expression.parts)
    return any(parts) if isinstance(expression, Either) else all(parts)


def _choices(group: Group, facts: Iterable[Fact], *, some: bool = False) -> Iterator[tuple[Fact | None, ...]]:
    """Every way of giving each pattern a fact of its kind; with `some`, None where there is no such fact."""
    by_kind: dict[str, list[Fact | None]] = {pattern.kind: [] for pattern in group}
    for fact in facts:
        if fact.kind in by_kind:
            by_kind[fact.kind].append(fact)
    nothing: list[Fact | None] = [None] if some else []
    yield from product(*(by_kind[pattern.kind] or nothing for pattern in group))
