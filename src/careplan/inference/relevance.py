"""Which patterns of a rulebook are worth putting to a fact, and in which bundles the answers can be remembered.

A pattern about benzodiazepines need not be put to a medicine that is none. Of facts of which a patient has one, patterns
that test the same fields go together: what they say follows from those few fields, whatever else the fact holds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from careplan.facts.build import Fact
from careplan.rulebook.conditions import Pattern, Test, tests_of
from careplan.rulebook.factors import KINDS, SUBJECTS, member

Numbered = tuple[int, Pattern]


class Bundle(NamedTuple):
    """Patterns of one kind that look at the same properties of a fact."""

    number: int
    properties: tuple[str, ...]
    patterns: tuple[Numbered, ...]


class Relevance:
    """Knows the patterns of one rulebook by their numbers."""

    def __init__(self, patterns: Mapping[Pattern, int]) -> None:
        self._named: dict[tuple[str, str], list[Numbered]] = {}
        self._unnamed: dict[str, list[Numbered]] = {}
        by_properties: dict[tuple[str, tuple[str, ...]], list[Numbered]] = {}
        for pattern, number in patterns.items():
            if KINDS[pattern.kind].many:
                names = _subject(pattern)
                for name in names or ():
                    self._named.setdefault((pattern.kind, name), []).append((number, pattern))
                if names is None:
                    self._unnamed.setdefault(pattern.kind, []).append((number, pattern))
            else:
                by_properties.setdefault((pattern.kind, _properties(pattern)), []).append((number, pattern))
        self._bundles: dict[str, list[Bundle]] = {}
        for at, ((kind, properties), numbered) in enumerate(by_properties.items()):
            self._bundles.setdefault(kind, []).append(Bundle(at, properties, tuple(numbered)))

    def could_be_about(self, fact: Fact) -> Iterable[Numbered]:
        """The patterns that could hold for one of the facts of which there can be many; no other one can."""
        found = dict(self._unnamed.get(fact.kind, ()))
        for name in _names(fact):
            found.update(self._named.get((fact.kind, name), ()))
        return found.items()

    def bundles(self, kind: str) -> Iterable[Bundle]:
        """All patterns of a kind of which a patient has one fact."""
        return self._bundles.get(kind, ())


def _subject(pattern: Pattern) -> frozenset[str] | None:
    """The names of which a fact must have one for the pattern to hold; None if it does not say."""
    for part in pattern.tests.parts:
        if isinstance(part, Test) and (pattern.kind, part.field) in SUBJECTS and part.operation in _NAMING:
            return frozenset(map(str, part.values))
    return None


_NAMING = frozenset({"one_of", "has_any", "has_all"})


def _names(fact: Fact) -> Iterable[str]:
    """All that a fact is called where a pattern says what it is about."""
    if fact.ingredient is not None:
        return dict.fromkeys((fact.ingredient.ingredient, *fact.ingredient.classes))
    return [str(fact.properties[field]) for kind, field in SUBJECTS if kind == fact.kind and field in fact.properties]


def _properties(pattern: Pattern) -> tuple[str, ...]:
    found: set[str] = set()
    for test in tests_of(pattern.tests):
        several = KINDS[pattern.kind].fields[test.field].type == "tokens"
        found |= {member(test.field, str(token)) for token in test.values} if several else {test.field}
    return tuple(sorted(found))
