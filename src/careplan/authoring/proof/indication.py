"""What is treated, as the list of illnesses leaves one answer or not, for the solver."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import z3

from careplan.authoring.proof.answers import Answer
from careplan.rulebook.model import Condition


def constraints(conditions: Mapping[str, Condition], has: Mapping[str, Any], treated: Answer, read_off: Answer) -> list[Any]:
    """What is treated is known where illnesses leave one answer, and where it is read off them it is that one."""
    left = left_by_conditions(conditions, has)
    fits = z3.Or([z3.And(formula, treated.value == treated.tokens.index(name)) for name, formula in left.items()])
    return [z3.Implies(z3.Or(list(left.values())), treated.known), z3.Implies(read_off.value, fits)]


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
