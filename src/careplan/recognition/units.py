"""One unit told in another, by the Unified Code for Units of Measure (UCUM).

The library that knows UCUM takes half a second to load, so it is loaded when two units that differ are first met. The units
asked for are those that a rulebook declares, never what a caller wrote, so what is remembered is bounded.
"""

from __future__ import annotations

from functools import cache
from typing import Any


@cache
def factor(unit: str, into: str) -> float | None:
    """By what a number in `unit` is multiplied to be told in `into`, both UCUM units; None where that cannot be done."""
    if unit == into:
        return 1.0
    try:
        one, two = (_registry().from_ucum(code) for code in (unit, into))
        told, twice = (float((number * one).to(two.units).magnitude / two.magnitude) for number in (1.0, 2.0))
    except Exception:  # noqa: BLE001 - the library raises many kinds of error, also AttributeError, for what is no unit
        return None
    # Units with an offset, such as degrees of temperature, are no multiples of each other.
    return told if told and abs(twice - 2 * told) <= 1e-9 * abs(twice) else None


@cache
def _registry() -> Any:
    from ucumvert import PintUcumRegistry

    return PintUcumRegistry()
