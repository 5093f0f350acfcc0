"""What the conditions of a rule look at, found once per rule."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeAlias

from careplan.recognition.dose_equivalents import COUNTED, Of
from careplan.rulebook.conditions import Group, Test, tests_of
from careplan.rulebook.factors import KINDS

Topics: TypeAlias = tuple[tuple[tuple[str, ...], frozenset[str]], ...]
"""For each pattern of a group: the fields that it tests, and the tokens it compares them with."""


def topics(group: Group) -> Topics:
    """What a group of conditions looks at, found once per rule."""
    return tuple(
        (
            tuple(dict.fromkeys(test.field for test in tests_of(pattern.tests))),
            frozenset(token for test in tests_of(pattern.tests) for token in _tokens(pattern.kind, test)),
        )
        for pattern in group
    )


_COUNTED_IN: Mapping[str, Of] = {"diazepam_mg_a_day": "diazepam", "morphine_mg_a_day": "morphine"}


def _tokens(kind: str, test: Test) -> Iterator[str]:
    """What a test names: its values, and of a dose of the whole list the classes that add up to it."""
    if kind == "regimen" and KINDS[kind].fields[test.field].between:
        yield from COUNTED[_COUNTED_IN[test.field]]
    else:
        yield from map(str, test.values)
