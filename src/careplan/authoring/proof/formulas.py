"""Conditions as formulas over a symbolic patient."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import z3

from careplan.authoring.proof.answers import NO, Answer, Formula, Span, Symbolic
from careplan.authoring.proof.terms import all_of, any_of
from careplan.rulebook.conditions import Either, Expression, Group, Pattern, Test, Value, When
from careplan.rulebook.factors import KINDS

_COMPARE = {
    "at_least": lambda value, limit: value >= limit,
    "at_most": lambda value, limit: value <= limit,
    "less_than": lambda value, limit: value < limit,
    "more_than": lambda value, limit: value > limit,
}


def of_when(symbolic: Symbolic, when: When) -> Formula:
    """That one of the groups holds, on the medicine, condition, goal ... that the symbolic patient looks at."""
    return any_of(of_group(symbolic, group) for group in when)


def of_group(symbolic: Symbolic, group: Group) -> Formula:
    """That every pattern of the group finds its fact."""
    return all_of(of_pattern(symbolic, pattern) for pattern in group)


def of_pattern(symbolic: Symbolic, pattern: Pattern) -> Formula:
    """That there is a fact of the pattern's kind on which its tests hold."""
    return z3.And(symbolic.present(pattern.kind), of_expression(symbolic, pattern.kind, pattern.tests))


def of_expression(symbolic: Symbolic, kind: str, expression: Expression) -> Formula:
    """That an expression holds on the fact of this kind."""
    if isinstance(expression, Test):
        return of_test(symbolic, kind, expression)
    parts = [of_expression(symbolic, kind, part) for part in expression.parts]
    return any_of(parts) if isinstance(expression, Either) else all_of(parts)


def of_test(symbolic: Symbolic, kind: str, test: Test) -> Formula:
    """That one test holds."""
    if KINDS[kind].field(test.field).type == "tokens":
        held = [symbolic.members(kind, test.field, str(token)) for token in test.values]
        match test.operation:
            case "has_any":
                return any_of(there for there, _ in held)
            case "has_all":
                return all_of(there for there, _ in held)
            case _:
                return all_of(absent for _, absent in held)
    if KINDS[kind].field(test.field).between:
        return _of_span(symbolic.spans[kind, test.field], test)
    answer = symbolic.answers[kind, test.field]
    match test.operation:
        case "known":
            return answer.known
        case "unknown":
            return z3.Not(answer.known)
        case "one_of":
            return z3.And(answer.known, z3.Or([_equal(answer, value) for value in test.values]))
        case "one_of_or_unknown":
            return z3.Or(z3.Not(answer.known), *[_equal(answer, value) for value in test.values])
        case "none_of":
            return z3.And(answer.known, *[z3.Not(_equal(answer, value)) for value in test.values])
        case compare:
            return z3.And(answer.known, _COMPARE[compare](answer.value, _number(test.values[0])))


def refuted(symbolic: Symbolic, kind: str, expression: Expression) -> Formula:
    """That an expression is known not to hold on the fact of this kind: an answer that is missing refutes nothing."""
    if not isinstance(expression, Test):
        parts = [refuted(symbolic, kind, part) for part in expression.parts]
        return all_of(parts) if isinstance(expression, Either) else any_of(parts)
    if KINDS[kind].field(expression.field).type == "tokens":
        held = [symbolic.members(kind, expression.field, str(token)) for token in expression.values]
        match expression.operation:
            case "has_any":
                return all_of(absent for _, absent in held)
            case "has_all":
                return any_of(absent for _, absent in held)
            case _:
                return any_of(there for there, _ in held)
    if KINDS[kind].field(expression.field).between:
        return _not_of_span(symbolic.spans[kind, expression.field], expression)
    answer = symbolic.answers[kind, expression.field]
    match expression.operation:
        case "known":
            return NO
        case "unknown":
            return answer.known
        case _:
            return z3.And(answer.known, z3.Not(of_test(symbolic, kind, expression)))


def compared(operation: str, left: Any, right: Any) -> Formula:
    """That two numbers compare as an operation asks."""
    return _COMPARE[operation](left, right)


def _not_of_span(span: Span, test: Test) -> Formula:
    """That a test fails for every number from the least to the most."""
    if test.operation in ("known", "unknown"):
        return z3.Not(_of_span(span, test))
    limit = _number(test.values[0])
    if test.operation in ("at_least", "more_than"):
        return z3.And(span.bounded, z3.Not(_COMPARE[test.operation](span.most, limit)))
    return z3.And(span.there, z3.Not(_COMPARE[test.operation](span.least, limit)))


def _of_span(span: Span, test: Test) -> Formula:
    """That a test holds of every number from the least to the most."""
    match test.operation:
        case "known":
            return span.bounded
        case "unknown":
            return z3.Not(span.bounded)
        case "at_least" | "more_than":
            return z3.And(span.there, _COMPARE[test.operation](span.least, _number(test.values[0])))
        case compare:
            return z3.And(span.bounded, _COMPARE[compare](span.most, _number(test.values[0])))


def _equal(answer: Answer, value: Value) -> Formula:
    if answer.tokens:
        return answer.is_(str(value))
    if isinstance(value, bool):
        return answer.value == value
    return answer.value == _number(value)


def _number(value: object) -> Any:
    """An exact number: the rule language has at most two decimals."""
    hundredths = round(float(str(value)) * 100)
    return z3.RatVal(hundredths, 100) if hundredths % 100 else z3.IntVal(hundredths // 100)


def number_of(formulas: Iterable[Formula]) -> Formula:
    """How many of these hold, as every solver can read it."""
    return z3.Sum([z3.If(formula, 1, 0) for formula in formulas] or [z3.IntVal(0)])
