"""Formulas as SMT-LIB 2.6 text, which every solver reads and whose bytes depend on nothing but the formula.

A part of a formula that is long is defined once, under a name made of the SHA-256 of its text. So the text of a formula
says all of it, and its hash changes with any part.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import z3

from careplan.authoring.proof.answers import Formula
from careplan.authoring.proof.terms import parts_of

LOGIC = "QF_LIRA"
_INLINE = 100
"""Parts up to so many characters stand where they are used."""
_OPERATIONS = {
    z3.Z3_OP_AND: "and",
    z3.Z3_OP_OR: "or",
    z3.Z3_OP_NOT: "not",
    z3.Z3_OP_XOR: "xor",
    z3.Z3_OP_IMPLIES: "=>",
    z3.Z3_OP_EQ: "=",
    z3.Z3_OP_IFF: "=",
    z3.Z3_OP_DISTINCT: "distinct",
    z3.Z3_OP_ITE: "ite",
    z3.Z3_OP_LE: "<=",
    z3.Z3_OP_GE: ">=",
    z3.Z3_OP_LT: "<",
    z3.Z3_OP_GT: ">",
    z3.Z3_OP_ADD: "+",
    z3.Z3_OP_SUB: "-",
    z3.Z3_OP_UMINUS: "-",
    z3.Z3_OP_MUL: "*",
    z3.Z3_OP_TO_REAL: "to_real",
}
_OF_NOTHING = {"and": "true", "or": "false", "+": "0"}
"""What these are of no parts at all, which SMT-LIB has no way to write."""
_OF_ONE = frozenset({"and", "or", "+", "*"})


class _Part(NamedTuple):
    """The text of a part where it is used, and the declarations and definitions that it needs, in order."""

    text: str
    needs: tuple[str, ...]


class Writer:
    """Writes formulas. What it has written once it knows again, so one writer serves for all formulas of a script."""

    def __init__(self) -> None:
        self._parts: dict[int, _Part] = {}
        self._kept: list[Formula] = []  # so that no number of a part is given to another one
        self._said: dict[str, str] = {}
        self._needs: dict[str, tuple[str, ...]] = {}

    def text(self, formula: Formula) -> str:
        """A formula as text, in which parts that are long are named."""
        return self._part(formula).text

    def hash(self, formula: Formula) -> str:
        """The SHA-256 of that text, which stands for all parts as well."""
        return hashlib.sha256(self.text(formula).encode()).hexdigest()

    def needed(self, formulas: Iterable[Formula], known: set[str]) -> Iterator[str]:
        """Declarations and definitions that these need and that are not `known`, in the order to read them."""
        for formula in formulas:
            yield from self._reach(self._part(formula).needs, known)

    def _reach(self, names: Iterable[str], known: set[str]) -> Iterator[str]:
        for name in names:
            if name not in known:
                known.add(name)
                yield from self._reach(self._needs[name], known)
                yield self._said[name]

    def _part(self, root: Formula) -> _Part:
        if root.get_id() not in self._parts:
            self._kept.append(root)
            context = root.ctx_ref()
            for number, ast, children in parts_of(root, self._parts):
                kind = z3.Z3_get_decl_kind(context, z3.Z3_get_app_decl(context, z3.Z3_to_app(context, ast)))
                if children:
                    self._parts[number] = self._written(kind, [self._parts[child] for child in children], ast, root.ctx)
                else:
                    self._parts[number] = self._leaf(kind, ast, root.ctx)
        return self._parts[root.get_id()]

    def _written(self, kind: int, children: list[_Part], ast: Any, context: Any) -> _Part:
        operation = _OPERATIONS.get(kind)
        if operation is None:
            raise ValueError(f"{z3.ExprRef(ast, context).decl()} cannot be written as {LOGIC}")
        if len(children) == 1 and operation in _OF_ONE:
            return children[0]
        text = f"({operation} {' '.join([child.text for child in children])})"
        needs = tuple(dict.fromkeys([name for child in children for name in child.needs]))
        if len(text) <= _INLINE:
            return _Part(text, needs)
        name = f"t{hashlib.sha256(text.encode()).hexdigest()[:32]}"
        self._said[name] = f"(define-fun {name} () {z3.ExprRef(ast, context).sort()} {text})"
        self._needs[name] = needs
        return _Part(name, (name,))

    def _leaf(self, kind: int, ast: Any, context: Any) -> _Part:
        if kind == z3.Z3_OP_UNINTERPRETED:
            formula = z3.ExprRef(ast, context)
            name = f"|{formula.decl().name()}|"
            self._said[name] = f"(declare-const {name} {formula.sort()})"
            self._needs[name] = ()
            return _Part(name, (name,))
        if kind == z3.Z3_OP_TRUE:
            return _Part("true", ())
        if kind == z3.Z3_OP_FALSE:
            return _Part("false", ())
        if kind == z3.Z3_OP_ANUM:
            sort = z3.ExprRef(ast, context).sort().kind()
            value = (z3.IntNumRef if sort == z3.Z3_INT_SORT else z3.RatNumRef)(ast, context)
            return _Part(_number(value), ())
        return _Part(_OF_NOTHING[_OPERATIONS[kind]], ())


def _number(value: Formula) -> str:
    """A number; a fraction as the quotient of two whole ones, and what is below zero with a minus before it."""
    whole = z3.is_int_value(value)
    above, below = (value.as_long(), 1) if whole else (value.numerator_as_long(), value.denominator_as_long())
    point = "" if whole else ".0"
    size = f"{abs(above)}{point}" if below == 1 else f"(/ {abs(above)}.0 {below}.0)"
    return f"(- {size})" if above < 0 else size
