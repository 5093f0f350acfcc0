"""The reference evaluator: the same conditions in plain Python, written for being obviously right.

Nothing in the service needs it. It exists so that the engine can be held against it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import product
from types import MappingProxyType

from careplan.facts.case import Fact
from careplan.inference.durable_rules import Finding
from careplan.rulebook.conditions import Either, Expression, Test, When
from careplan.rulebook.factors import KINDS, member
from careplan.rulebook.validity import ALWAYS, Term, Terms


def findings(
    rules: Mapping[str, When], facts: Sequence[Fact], terms: Terms = MappingProxyType({}), as_of: str | None = None
) -> list[Finding]:
    """Every finding for these facts on a day, in order. A rule that has a term holds on no day before or after it."""
    return sorted({found for found in _findings(rules, facts) if in_force(terms.get(found.rule, ALWAYS), as_of)})


def in_force(term: Term, as_of: str | None) -> bool:
    """Whether a term covers a day as a request writes it. Days so written sort as texts; no day is every day."""
    first, last = (day and day.isoformat() for day in term)
    return as_of is None or ((not first or first <= as_of) and (not last or as_of <= last))


def holds(expression: Expression, fact: Fact) -> bool:
    """Whether an expression holds on one fact; what is not in the fact is unknown."""
    if isinstance(expression, Test):
        return _test(expression, fact)
    if isinstance(expression, Either):
        return any(holds(part, fact) for part in expression.parts)
    return all(holds(part, fact) for part in expression.parts)


def _findings(rules: Mapping[str, When], facts: Sequence[Fact]) -> Iterable[Finding]:
    for rule, when in rules.items():
        for number, group in enumerate(when):
            matching = [
                [fact.id for fact in facts if fact.kind == pattern.kind and holds(pattern.tests, fact)] for pattern in group
            ]
            for chosen in product(*matching):
                yield Finding(rule, number, chosen)


def _test(test: Test, fact: Fact) -> bool:
    if test.operation in ("has_any", "has_all", "has_none"):
        held = [fact.properties.get(member(test.field, str(token))) for token in test.values]
        match test.operation:
            case "has_any":
                return any(value is True for value in held)
            case "has_all":
                return all(value is True for value in held)
            case _:
                return all(value is False for value in held)
    if KINDS[fact.kind].field(test.field).between:
        return _between(test, fact)
    value = fact.properties.get(test.field)
    if value is None:
        return test.operation in ("unknown", "one_of_or_unknown")
    match test.operation:
        case "unknown":
            return False
        case "known":
            return True
        case "one_of" | "one_of_or_unknown":
            return any(_same(value, wanted) for wanted in test.values)
        case "none_of":
            return not any(_same(value, wanted) for wanted in test.values)
    limit = test.values[0]
    assert isinstance(value, float) and isinstance(limit, float)
    return {
        "at_least": value >= limit,
        "at_most": value <= limit,
        "less_than": value < limit,
        "more_than": value > limit,
    }[test.operation]


def _between(test: Test, fact: Fact) -> bool:
    least, most = fact.properties.get(f"{test.field}_least"), fact.properties.get(f"{test.field}_most")
    if test.operation in ("known", "unknown"):
        return (most is None) == (test.operation == "unknown")
    limit = test.values[0]
    assert isinstance(limit, float)
    if test.operation in ("at_least", "more_than"):
        return isinstance(least, float) and (least > limit or (test.operation == "at_least" and least == limit))
    return isinstance(most, float) and (most < limit or (test.operation == "at_most" and most == limit))


def _same(value: object, wanted: object) -> bool:
    return type(value) is type(wanted) and value == wanted
