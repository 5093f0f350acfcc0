"""A pattern taken apart: into single tests and choices between tests, each of which looks at few properties of a fact.

A pattern holds when all of its clauses do, and a clause when one of its atoms does. Most clauses have one atom. A test of
whether a list names any of several things is a clause with an atom for each of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from careplan.rulebook.conditions import LISTS_WITH_ENTRIES, Every, Expression, Pattern, Test, tests_of
from careplan.rulebook.factors import KINDS, SESSION_COUNTS, least_of, member, most_of

Clause = tuple[Expression, ...]


def clauses_of(pattern: Pattern) -> tuple[Clause, ...]:
    """The clauses of a pattern, each with its atoms.

    Tests on numbers of sessions stay together, as they bear on each other.
    """
    found: list[Clause] = []
    counts: list[Expression] = []
    for part in pattern.tests.parts:
        if not SESSION_COUNTS.isdisjoint(test.field for test in tests_of(part)):
            counts.append(part)
        elif pattern.kind in LISTS_WITH_ENTRIES and isinstance(part, Test) and len(part.values) > 1:
            found += _one_by_one(part)
        else:
            found.append((part,))
    if counts:
        found.append((counts[0] if len(counts) == 1 else Every(tuple(counts)),))
    return tuple(dict.fromkeys(found))


def _one_by_one(test: Test) -> Iterator[Clause]:
    """A test of several tokens as tests of one each; of other fields the values belong together."""
    single = tuple(Test(test.field, test.operation, (value,)) for value in test.values)
    match test.operation:
        case "has_any":
            yield single
        case "has_all" | "has_none":
            yield from ((one,) for one in single)
        case _:
            yield (test,)


def properties_of(kind: str, expression: Expression) -> frozenset[str]:
    """The properties of a fact that an expression looks at."""
    found: set[str] = set()
    for test in tests_of(expression):
        described = KINDS[kind].field(test.field)
        if described.type == "tokens":
            found |= {member(test.field, str(token)) for token in test.values}
        else:
            found |= {least_of(test.field), most_of(test.field)} if described.between else {test.field}
    return frozenset(found)


def constants_of(kind: str, expressions: Iterable[Expression]) -> dict[str, list[float]]:
    """The numbers with which each number of a fact is compared, in order."""
    found: dict[str, set[float]] = {}
    for expression in expressions:
        for test in tests_of(expression):
            described = KINDS[kind].field(test.field)
            if described.type == "number":
                names = (least_of(test.field), most_of(test.field)) if described.between else (test.field,)
                for name in names:
                    found.setdefault(name, set()).update(float(value) for value in test.values if isinstance(value, float))
    return {name: sorted(values) for name, values in found.items()}
