"""The same patient with one medicine more: what this can change about the other medicines.

The medicine, condition or goal that is looked at is the same one. What the others add may only grow: more is taken, more may
be unread, protect, be unclear or be missing. More patients are admitted than there are, never fewer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import z3

from careplan.authoring.proof.answers import Formula
from careplan.authoring.proof.symbols import SymbolicPatient
from careplan.authoring.proof.terms import Exchange, all_of, parts_of


class OneMore:
    """Formulas about the patient with one medicine more, and what ties this patient to the first one."""

    def __init__(self, symbolic: SymbolicPatient) -> None:
        self._symbolic = symbolic
        self._pairs: list[tuple[Formula, Formula]] = []
        self._gone: dict[int, tuple[Formula, Formula]] = {}
        self._seen: dict[int, frozenset[str]] = {}
        self._kept: list[Formula] = []
        ties = list(self._tied())
        after = frozenset(after.decl().name() for _, after in self._pairs)
        self._exchange = Exchange(self._pairs)
        self._ties = [(tie, _variables(tie, self._seen) & after) for tie in ties]

    def gone(self, formula: Formula) -> Formula:
        """That a formula does not hold of the patient with one medicine more."""
        number = formula.get_id()
        if number not in self._gone:
            self._gone[number] = formula, z3.Not(self._exchange.in_(formula))
        return self._gone[number][1]

    def ties(self, formula: Formula) -> Formula:
        """That nothing of which a formula speaks has become less."""
        self._kept.append(formula)
        spoken = _variables(formula, self._seen)
        return all_of(tie for tie, of in self._ties if of <= spoken)

    def _tied(self) -> Iterator[Formula]:
        symbolic, derived = self._symbolic, self._symbolic.derived
        others = [*derived.others.values(), *derived.beside.values()]
        for flag in (
            *symbolic.other.values(),
            *(symbolic.unread_entries, symbolic.known_medicines),
            *(symbolic.other_protects, symbolic.other_daily, symbolic.other_withdrawal),
            *(symbolic.other_missing, symbolic.other_unclear, symbolic.other_rescue),
            *(one.holds for one in others),
        ):
            yield from self._moved(flag, z3.Implies)
        for flag in (
            *(one.fails for one in others),
            *(span.bounded for (kind, _), span in symbolic.spans.items() if kind == "regimen"),
        ):
            yield from self._moved(flag, lambda before, after: z3.Implies(after, before))
        for (kind, _), span in symbolic.spans.items():
            if kind in ("regimen", "counts"):
                yield from self._moved(span.least, lambda before, after: after >= before)
                yield from self._moved(span.most, lambda before, after: after >= before)
        yield from self._moved(symbolic.answers["shared_class", "count"].value, lambda before, after: after >= before)
        # What is counted among medicines that can only become more can itself only become more; solvers find that hard.
        for (kind, _), span in symbolic.spans.items():
            if kind == "counts" and not z3.is_const(span.least):
                yield from (z3.substitute(number, *self._pairs) >= number for number in (span.least, span.most))

    def _moved(self, variable: Formula, tie: Callable[[Formula, Formula], Formula]) -> Iterator[Formula]:
        """A variable of its own for what may change, and how it is tied to what it was."""
        if not z3.is_const(variable) or variable.decl().kind() != z3.Z3_OP_UNINTERPRETED:
            return
        after = z3.Const(f"{variable.decl().name()} with one medicine more", variable.sort())
        self._pairs.append((variable, after))
        yield tie(variable, after)


def _variables(root: Formula, seen: dict[int, frozenset[str]]) -> frozenset[str]:
    """The names of all variables in a formula, which must be kept as long as `seen` is."""
    context = root.ctx_ref()
    for number, ast, children in parts_of(root, seen):
        if children:
            seen[number] = frozenset[str]().union(*[seen[child] for child in children])
            continue
        declared = z3.Z3_get_app_decl(context, z3.Z3_to_app(context, ast))
        named = z3.Z3_get_decl_kind(context, declared) == z3.Z3_OP_UNINTERPRETED
        seen[number] = frozenset({z3.ExprRef(ast, root.ctx).decl().name()} if named else ())
    return seen[root.get_id()]
