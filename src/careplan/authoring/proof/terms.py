"""Formulas of the solver taken apart and put together by the hundred thousand.

The solver's Python library looks at the sort of every part each time, which is most of the time of making the questions of a
rulebook. Here it is known that the parts fit.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import z3

from careplan.authoring.proof.answers import Formula


class Part(NamedTuple):
    """A part of a formula: its number, which is its own as long as the formula is kept, and the numbers of its parts."""

    number: int
    ast: Any
    children: list[int]


def parts_of(root: Formula, known: Container[int]) -> Iterator[Part]:
    """Every part of a formula whose number is not `known`, each behind its own parts; without recursion, as they are deep.

    Whoever takes a part must know its number when the next one is asked for.
    """
    context = root.ctx_ref()
    number_of, count_of, child_of = z3.Z3_get_ast_id, z3.Z3_get_app_num_args, z3.Z3_get_app_arg
    stack: list[tuple[int, Any, list[tuple[int, Any]] | None]] = [(root.get_id(), root.as_ast(), None)]
    while stack:
        number, ast, children = stack.pop()
        if number in known:
            continue
        if children is None:
            found = [child_of(context, ast, at) for at in range(count_of(context, ast))]
            children = [(number_of(context, child), child) for child in found]
            missing = [(one, child, None) for one, child in children if one not in known]
            if missing:
                stack.append((number, ast, children))
                stack += missing
                continue
        yield Part(number, ast, [one for one, _ in children])


class Exchange:
    """Puts terms in the place of others, the same ones in every formula. Each must be of the sort of what it replaces."""

    def __init__(self, pairs: Sequence[tuple[Formula, Formula]]) -> None:
        self._pairs = list(pairs)  # which keeps them alive
        several = z3.Ast * len(pairs)
        self._old, self._new = (several(*(pair[side].as_ast() for pair in pairs)) for side in (0, 1))

    def in_(self, formula: Formula) -> Formula:
        """A formula with the terms exchanged."""
        changed = z3.Z3_substitute(formula.ctx_ref(), formula.as_ast(), len(self._pairs), self._old, self._new)
        return z3.BoolRef(changed, formula.ctx)


def all_of(formulas: Iterable[Formula]) -> Formula:
    """That each of these holds, which are formulas and no values of Python."""
    return _joined(z3.Z3_mk_and, list(formulas), empty=True)


def any_of(formulas: Iterable[Formula]) -> Formula:
    """That one of these holds, which are formulas and no values of Python."""
    return _joined(z3.Z3_mk_or, list(formulas), empty=False)


def _joined(make: Any, formulas: list[Formula], *, empty: bool) -> Formula:
    if not formulas:
        return z3.And([]) if empty else z3.Or([])
    context, several = formulas[0].ctx, z3.Ast * len(formulas)
    return z3.BoolRef(make(context.ref(), len(formulas), several(*(one.as_ast() for one in formulas))), context)
