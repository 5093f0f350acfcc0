"""What is treated, as the list of illnesses leaves one answer or not, for the solver."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import z3

from careplan.rulebook.model import Condition


def left_by_conditions(conditions: Mapping[str, Condition], has: Mapping[str, Any]) -> dict[str, Any]:
    """For each indication that illnesses stand for the formula that it is the one that they leave."""
    treated = {entry.treats for entry in conditions.values()} - {""}

    def any_of(names: list[str]) -> Any:
        return z3.Or([has[name] for name in names])

    left, doubt = {}, {}
    for token in sorted(treated):
        stands = any_of([name for name, entry in conditions.items() if entry.treats == token])
        less = any_of([name for name, entry in conditions.items() if entry.treats and token in entry.instead_of])
        left[token] = z3.And(stands, z3.Not(less))
        doubt[token] = any_of([name for name, entry in conditions.items() if token in entry.puts_in_doubt])
    return {
        token: z3.And(formula, z3.Not(doubt[token]), *(z3.Not(other) for name, other in left.items() if name != token))
        for token, formula in left.items()
    }
