"""What the rules of a rulebook look at."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from careplan.rulebook.conditions import Operation, When, tests_of
from careplan.rulebook.derived import behind
from careplan.rulebook.factors import KINDS
from careplan.rulebook.model import Rulebook


class Tested(msgspec.Struct, frozen=True):
    """What the rules of a rulebook look at, so that facts carry nothing else.

    `members` are the tokens of several-valued fields that some rule tests, `absent` those whose absence is tested.
    """

    kinds: frozenset[str]
    fields: Mapping[str, frozenset[str]]
    members: Mapping[tuple[str, str], frozenset[str]]
    absent: Mapping[tuple[str, str], frozenset[str]]

    @classmethod
    def by(cls, conditions: Iterable[When]) -> Tested:
        """What these conditions test."""
        kinds: set[str] = set()
        fields: dict[str, set[str]] = {kind: set() for kind in KINDS}
        members: dict[tuple[str, str], set[str]] = {}
        absent: dict[tuple[str, str], set[str]] = {}
        for pattern in (pattern for when in conditions for group in when for pattern in group):
            kinds.add(pattern.kind)
            for test in tests_of(pattern.tests):
                if KINDS[pattern.kind].field(test.field).type == "tokens":
                    key = (pattern.kind, test.field)
                    members.setdefault(key, set()).update(map(str, test.values))
                    if test.operation in _NEGATIVE:
                        absent.setdefault(key, set()).update(map(str, test.values))
                else:
                    fields[pattern.kind].add(test.field)
        return cls(
            frozenset(kinds),
            {kind: frozenset(names) for kind, names in fields.items()},
            {key: frozenset(names) for key, names in members.items()},
            {key: frozenset(names) for key, names in absent.items()},
        )


_NEGATIVE: frozenset[Operation] = frozenset({"has_none"})


def looked_at(book: Rulebook) -> frozenset[str]:
    """The ingredients and drug classes that any running rule names; a medicine of none of them has the problem `no_rule`."""
    fields = {("medicine", "class"), ("medicine", "ingredient"), ("regimen", "takes"), ("shared_class", "class")}
    return frozenset(
        str(value)
        for rule in book.rules.values()
        for pattern in behind(book.derived, rule.when)
        for test in tests_of(pattern.tests)
        if (pattern.kind, test.field) in fields
        for value in test.values
    )
