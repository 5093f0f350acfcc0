"""One field of a fact as variables of the solver."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol, TypeAlias

import msgspec
import z3

from careplan.recognition.medicine_rows import Ingredient

Formula: TypeAlias = Any
"""A Boolean expression of the solver, whose Python library has no types."""

YES: Formula = z3.BoolVal(val=True)
NO: Formula = z3.BoolVal(val=False)


CLOSING_ANSWERS = (
    ("lifestyle", "alcohol_drinks_per_week"),
    ("red_flags", "new_neurological_symptom"),
    ("red_flags", "intoxicated_now"),
)
"""The answers besides conditions and medicines that close the hold question, and without which it is not open."""


class Symbolic(Protocol):
    """A patient with every answer open, as formulas look at it."""

    answers: dict[tuple[str, str], Answer]
    spans: dict[tuple[str, str], Span]
    has: dict[str, Formula]
    takes: dict[str, Formula]
    other: dict[str, Formula]
    medicines_asked: Formula
    conditions_asked: Formula

    def members(self, kind: str, field: str, token: str) -> tuple[Formula, Formula]:
        """That a field of several values is known to hold `token`, and that it is known or presumed not to hold it."""
        ...

    def is_one_of(self, rows: Iterable[Ingredient]) -> Formula:
        """That the medicine looked at is one of these."""
        ...

    def present(self, kind: str) -> Formula:
        """That there is a fact of this kind."""
        ...


class Unwritable(Exception):
    """No patient can be written for the model, for want of a goal with its properties or of a dose. Says which."""


class Span(msgspec.Struct, frozen=True):
    """A number known from its least to its most: whether it is `there` at all, and whether anything bounds it above."""

    there: Formula
    least: Any
    bounded: Formula
    most: Any


class Answer(msgspec.Struct, frozen=True):
    """One field of a fact: whether it is known, and its value (a number, a Boolean, or the place of a token in `tokens`)."""

    known: Formula
    value: Any
    tokens: tuple[str, ...] = ()

    def is_(self, token: str) -> Formula:
        """That the value is this token; says nothing about whether it is known."""
        return self.value == self.tokens.index(token)


def list_state(asked: Formula, filled: Formula) -> Answer:
    """The state of a whole list: given, empty or not asked."""
    return Answer(YES, z3.If(asked, z3.If(filled, 0, 1), 2), ("given", "empty", "not_asked"))
