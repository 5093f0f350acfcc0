"""How a medicine is taken, from FHIR dosages."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

from careplan.fhir.read.element import Element
from careplan.fhir.read.terminology import codes

_PER_DAY = {"d": 1.0, "h": 24.0, "min": 1440.0, "wk": 1 / 7, "mo": 1 / 30}
_DAILY = {"QD", "BID", "TID", "QID", "AM", "PM", "Q4H", "Q6H", "Q8H", "BED", "HS"}
"""Codes of v3 GTSAbbreviation for once a day and more often."""

MOST_MG = 100_000
"""As much as a request may name."""

Schedule = Literal["daily", "as_needed", "weekly"]


def schedule_of(dosages: Iterable[Element]) -> Schedule | None:
    """How a medicine is taken, where all its dosages say the same."""
    found = {_one_schedule(dosage) for dosage in dosages}
    return found.pop() if len(found) == 1 else None


def dose_of(dosages: Sequence[Element]) -> tuple[float | None, bool]:
    """The dose in milligrams, where there is one that is put so; and whether anything was said of a dose."""
    given = [rate for dosage in dosages for rate in dosage.children("doseAndRate")]
    found = {_milligrams(rate) for rate in given}
    return (found.pop() if len(found) == 1 else None), bool(given)


def _milligrams(rate: Element) -> float | None:
    quantity = rate.child("doseQuantity")
    if quantity is None or "comparator" in quantity:
        return None
    value, unit = quantity.number("value"), (quantity.text("code") or quantity.text("unit") or "").casefold()
    return value if value is not None and unit == "mg" and 0 <= value <= MOST_MG else None


def _one_schedule(dosage: Element) -> Schedule | None:
    if dosage.flag("asNeededBoolean") or "asNeededCodeableConcept" in dosage:
        return "as_needed"
    timing = dosage.child("timing")
    repeat = timing.child("repeat") if timing else None
    if repeat is not None and repeat.number("period") and repeat.text("periodUnit") in _PER_DAY:
        times = (
            (repeat.number("frequency") or 1) * _PER_DAY[repeat.text("periodUnit") or "d"] / (repeat.number("period") or 1)
        )
        return "daily" if times >= 1 else "weekly" if abs(times - 1 / 7) < 0.01 else None
    code = next((one.code for one in codes(timing.child("code") if timing else None)), None)
    return "daily" if code in _DAILY else None
