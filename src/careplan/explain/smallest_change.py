"""Which values of a factor are nearest to the one of now, and which of several changes are the smallest."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TypeAlias

from careplan.rulebook.conditions import Value
from careplan.rulebook.factors import KINDS, LIMITS, Limits

Factor: TypeAlias = tuple[str, str]
Changed: TypeAlias = dict[Factor, Value]
Answers: TypeAlias = Mapping[Factor, Value | None]
"""The answers of now, None where there is none."""

_COUNTED_WHOLE = 1_000
"""What can be more than this is counted in whole numbers, though a request may say it finer."""


def candidates(factor: Factor, limits: Iterable[Value], now: Value | None) -> Iterator[Value]:
    """Values worth trying, the nearest to now first: of a number the limits it is held against and what lies beside them."""
    kind, field = factor
    described = KINDS[kind].fields[field]
    if described.type == "boolean":
        yield from (False, True)
    elif described.type == "token":
        # Tokens stand in an order in which neighbours are nearest, where there is such an order.
        at = described.tokens.index(str(now)) if now is not None else 0
        yield from sorted(described.tokens, key=lambda token: abs(described.tokens.index(token) - at))
    else:
        yield from _numbers(LIMITS[f"{kind}.{field}"], {float(str(value)) for value in limits}, now)


def _numbers(allowed: Limits, limits: set[float], now: Value | None) -> Iterator[float]:
    start = allowed.least if now is None else float(now)
    grain = grain_of(allowed)
    # Finer only where limits lie so close that nothing coarser is between them. The least there is comes last, because
    # whatever it does, a nearer value does as well, unless nothing else is left.
    for step in (grain,) if allowed.whole else (grain, grain / 10):
        near = {round(limit + sign * step, 4) for limit in limits for sign in (-1, 0, 1)}
        within = [one for one in near if allowed.least <= one <= allowed.most]
        yield from sorted(within, key=lambda one: (abs(one - start), one))
    yield allowed.least


def grain_of(allowed: Limits) -> float:
    """The step in which people count something: whole minutes, tenths of an hour."""
    return 1.0 if allowed.whole or allowed.most > _COUNTED_WHOLE else 0.1


def smallest(assignments: Iterable[Changed | None], now: Answers) -> list[Changed]:
    """The assignments that change least first, without those that only go further than another one."""
    kept: list[Changed] = []
    found = [changed for changed in assignments if changed]
    for changed in sorted(found, key=lambda one: _size(one, now)):
        if not any(all(_reaches(changed, factor, value, now) for factor, value in other.items()) for other in kept):
            kept.append(changed)
    return kept


def _size(changed: Changed, now: Answers) -> tuple[int, float, list[str]]:
    """How many factors are changed, and how far in all: a number by the share that it moves, another answer as 1."""
    distance = 0.0
    for factor, value in changed.items():
        before = now[factor]
        if isinstance(value, float) and isinstance(before, float):
            distance += abs(value - before) / max(value, before, 1.0)
        else:
            distance += 1
    return len(changed), round(distance, 6), sorted(map(str, changed.items()))


def _reaches(changed: Changed, factor: Factor, value: Value, now: Answers) -> bool:
    """Whether an assignment takes a factor to a value, or past it."""
    wanted, before = changed.get(factor), now[factor]
    if isinstance(value, float) and isinstance(wanted, float) and isinstance(before, float):
        return before <= value <= wanted or wanted <= value <= before
    return value == wanted
