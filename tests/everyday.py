"""Which of many like cases are tried every day; the others carry the marker `long`."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from _pytest.mark.structures import ParameterSet


def one_in(number: int, cases: Iterable[Any], name: Callable[[Any], str] = str) -> list[ParameterSet]:
    """Every so many cases for `pytest.mark.parametrize`, beginning with the first; the others in the long tests.

    Args:
        number: How many cases there are for each one that is tried every day.
        cases: All of them.
        name: How a case is called in the name of its test.
    """
    return [_case(case, name(case), every_day=at % number == 0) for at, case in enumerate(cases)]


def one_row_in(number: int, rows: Iterable[tuple[Any, ...]], name: Callable[[tuple[Any, ...]], str]) -> list[ParameterSet]:
    """The same for rows, each of which is several parameters of the test."""
    marks = (pytest.mark.long,)
    return [pytest.param(*row, id=name(row), marks=marks if at % number else ()) for at, row in enumerate(rows)]


def one_of_each(
    kind: Callable[[Any], Hashable], cases: Iterable[Any], name: Callable[[Any], str] = str, number: int = 1
) -> list[ParameterSet]:
    """The first case of each kind for `pytest.mark.parametrize`; those like it in the long tests.

    Args:
        kind: What like cases share.
        cases: All of them.
        name: How a case is called in the name of its test.
        number: How many kinds there are for each one of which a case is tried every day.
    """
    seen: set[Hashable] = set()
    found = []
    for case in cases:
        every_day = kind(case) not in seen and len(seen) % number == 0
        found.append(_case(case, name(case), every_day=every_day))
        seen.add(kind(case))
    return found


def _case(case: object, name: str, *, every_day: bool) -> ParameterSet:
    return pytest.param(case, id=name, marks=() if every_day else pytest.mark.long)
