"""Numbers in a formula, in one form: sums of variables and of values that depend on a condition."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from functools import reduce
from math import ceil, floor, gcd, lcm
from typing import NamedTuple, TypeAlias

Sum: TypeAlias = tuple[tuple[str, Fraction], ...]
"""Variables with their factors, in the order of their names; no factor is zero."""


class Place(NamedTuple):
    """A place on the line of numbers: at `limit`, or right behind it if `above`. Places compare by their order."""

    limit: Fraction
    above: bool


class Choice(NamedTuple):
    """A number that is one of two: `yes` where a literal is true, else `no`."""

    literal: int
    yes: Number
    no: Number


class Number(NamedTuple):
    """A constant, variables, and choices, added up."""

    constant: Fraction = Fraction(0)
    variables: Sum = ()
    choices: tuple[Choice, ...] = ()

    def plus(self, other: Number) -> Number:
        """The two added up."""
        found = dict(self.variables)
        for name, factor in other.variables:
            found[name] = found.get(name, Fraction(0)) + factor
        kept = tuple(sorted((name, factor) for name, factor in found.items() if factor))
        return Number(self.constant + other.constant, kept, self.choices + other.choices)

    def times(self, factor: Fraction) -> Number:
        """Its product with a number that is not zero."""
        return Number(
            self.constant * factor,
            tuple((name, each * factor) for name, each in self.variables),
            tuple(Choice(one.literal, one.yes.times(factor), one.no.times(factor)) for one in self.choices),
        )


def ranges(choices: Sequence[Choice]) -> list[tuple[Fraction, Fraction] | None]:
    """The least and the most that the choices from each place on add; None where that hangs on a variable."""
    found: list[tuple[Fraction, Fraction] | None] = [(Fraction(0), Fraction(0))]
    for _, yes, no in reversed(choices):
        last, plain = found[-1], not (yes.variables or yes.choices or no.variables or no.choices)
        values = (yes.constant, no.constant)
        found.append((last[0] + min(values), last[1] + max(values)) if last is not None and plain else None)
    return found[::-1]


class Point(NamedTuple):
    """That a sum of variables lies at a place or behind it. Of a `whole` number the place is never behind its limit."""

    variables: Sum
    place: Place
    whole: bool


def compared(number: Number, *, above: bool, whole: Mapping[str, bool]) -> tuple[Point, bool]:
    """That a number with variables, and without choices, is at least zero, or `above` it.

    That is said as a point, which has one form for each sum, and whether it is so or not. `whole` says of each variable
    whether it is a whole number.
    """
    factors = [factor for _, factor in number.variables]
    size = Fraction(reduce(gcd, (abs(one.numerator) for one in factors)), lcm(*(one.denominator for one in factors)))
    sign = 1 if factors[0] > 0 else -1
    variables = tuple((name, factor / (size * sign)) for name, factor in number.variables)
    limit = -number.constant / (size * sign)
    # A negative factor turns the comparison round: "at most" is the opposite of "above", and "below" that of "at least".
    above = above if sign > 0 else not above
    if all(whole[name] for name, _ in variables):
        point = Point(variables, Place(Fraction(floor(limit) + 1 if above else ceil(limit)), above=False), whole=True)
    else:
        point = Point(variables, Place(limit, above), whole=False)
    return point, sign > 0


def contradict(points: Iterable[tuple[Point, bool]]) -> bool:
    """Whether these cannot all be as is said of each, so or not so: added up they say that zero is more than zero."""
    total, limit, strict = Number(), Fraction(0), False
    for point, so in points:
        if so:
            total, limit, strict = (
                total.plus(Number(variables=point.variables)),
                limit + point.place.limit,
                strict or point.place.above,
            )
        else:  # Below a place is at most the limit, if the place is behind it; of whole numbers at most the one before it.
            total = total.plus(Number(variables=point.variables).times(Fraction(-1)))
            limit -= point.place.limit - (1 if point.whole else 0)
            strict = strict or not (point.place.above or point.whole)
    return not total.variables and (limit > 0 or (limit == 0 and strict))
