"""One field of a fact as variables of the solver, and what values the request admits for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

import msgspec
import z3
from msgspec import inspect

from careplan.request import patient

Formula: TypeAlias = Any
"""A Boolean expression of the solver, whose Python library has no types."""

YES: Formula = z3.BoolVal(val=True)


STRUCTS: Mapping[str, type[msgspec.Struct]] = {
    "patient": patient.Patient,
    "treatment": patient.Treatment,
    "lifestyle": patient.Lifestyle,
    "support": patient.Support,
    "preparation": patient.Preparation,
    "expectations": patient.Expectations,
    "red_flags": patient.RedFlags,
    "protocol": patient.Protocol,
}
"""The parts of a request that every patient has exactly once."""


class Answer(msgspec.Struct, frozen=True):
    """One field of a fact: whether it is known, and its value (a number, a Boolean, or the place of a token in `tokens`)."""

    known: Formula
    value: Any
    tokens: tuple[str, ...] = ()

    def is_(self, token: str) -> Formula:
        """That the value is this token; says nothing about whether it is known."""
        return self.value == self.tokens.index(token)


def bounds(struct: type[msgspec.Struct]) -> Iterator[tuple[str, tuple[float, float, bool]]]:
    """The fields of a struct with the least and most of a number and whether it is a whole one (zeros for the rest)."""
    info = inspect.type_info(struct)
    assert isinstance(info, inspect.StructType)
    for field in info.fields:
        number = next((part for part in _flat(field.type) if isinstance(part, (inspect.IntType, inspect.FloatType))), None)
        if number is None:
            yield field.name, (0, 0, False)
        else:
            assert number.ge is not None and number.le is not None, f"{field.name} has no bounds"
            yield field.name, (number.ge, number.le, isinstance(number, inspect.IntType))


def _flat(described: inspect.Type) -> Iterator[inspect.Type]:
    match described:
        case inspect.UnionType(types=types):
            for part in types:
                yield from _flat(part)
        case inspect.Metadata(type=inner):
            yield from _flat(inner)
        case _:
            yield described
