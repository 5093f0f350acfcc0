"""One field of a fact as variables of the solver."""

from __future__ import annotations

from typing import Any, TypeAlias

import msgspec
import z3

Formula: TypeAlias = Any
"""A Boolean expression of the solver, whose Python library has no types."""

YES: Formula = z3.BoolVal(val=True)


class Unwritable(Exception):
    """No patient can be written for the model, for want of a goal with its properties or of a dose. Says which."""


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
