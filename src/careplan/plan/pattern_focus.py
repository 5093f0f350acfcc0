"""What the conditions of a rule look at, found once per rule."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple, Protocol, TypeAlias

from careplan.facts.case import Value
from careplan.recognition.dose_equivalents import COUNTED, COUNTED_IN
from careplan.rulebook.conditions import Expression, Test, tests_of
from careplan.rulebook.factors import KINDS


class Phrase(Protocol):
    """Says of a fact what one field of it holds."""

    def add(self, properties: Mapping[str, Value], into: list[str]) -> None:
        """Put what is said of a fact with these properties after what is in `into`."""
        ...


Phrases: TypeAlias = Sequence[Phrase]


class Focus(NamedTuple):
    """What a pattern looks at: the fields that it tests, the tokens that it compares them with, and their phrases."""

    fields: tuple[str, ...]
    tokens: frozenset[str]
    phrases: Phrases


def looked_at(kind: str, expression: Expression) -> tuple[tuple[str, ...], frozenset[str]]:
    """The fields that an expression about a kind of fact tests, and the tokens that it compares them with."""
    tests = list(tests_of(expression))
    fields = tuple(dict.fromkeys([test.field for test in tests]))
    return fields, frozenset([token for test in tests for token in _tokens(kind, test)])


def _tokens(kind: str, test: Test) -> Iterator[str]:
    """What a test names: its values, and of a dose of the whole list the classes that add up to it."""
    if kind == "regimen" and KINDS[kind].field(test.field).between:
        yield from COUNTED[COUNTED_IN[test.field]]
    else:
        yield from map(str, test.values)
