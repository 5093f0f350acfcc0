"""When two facts are alike for a rulebook: no pattern can tell them apart, though their numbers may differ."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Hashable, Iterable, Mapping

from careplan.rulebook.conditions import Pattern, tests_of
from careplan.rulebook.factors import KINDS, Field

_TOKEN = Field("token")


class Likeness:
    """Knows with which numbers the patterns of a rulebook compare."""

    def __init__(self, patterns: Iterable[Pattern]) -> None:
        found: dict[str, dict[str, set[float]]] = {}
        for pattern in patterns:
            for test in tests_of(pattern.tests):
                if KINDS[pattern.kind].fields.get(test.field, _TOKEN).type == "number":
                    numbers = (float(value) for value in test.values if isinstance(value, float | int))
                    found.setdefault(pattern.kind, {}).setdefault(test.field, set()).update(numbers)
        self._steps = {
            kind: {name: sorted(values) for name, values in fields.items() if values} for kind, fields in found.items()
        }

    def of(self, kind: str, properties: Mapping[str, str | bool | float]) -> Hashable:
        """The same for facts that are alike: of a number only where it lies among those that it is compared with."""
        steps = self._steps.get(kind)
        if not steps:
            return (kind, *properties.items())
        return (
            kind,
            *(
                (name, bisect_left(steps[name], value) + bisect_right(steps[name], value))
                if name in steps and not isinstance(value, str)
                else (name, value)
                for name, value in properties.items()
            ),
        )
