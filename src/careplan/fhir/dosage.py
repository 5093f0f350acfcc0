"""How a medicine is taken, from FHIR dosages."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from careplan.fhir.coding import codes
from careplan.fhir.element import Element

_PER_DAY = {"d": 1.0, "h": 24.0, "min": 1440.0, "wk": 1 / 7, "mo": 1 / 30}
_DAILY = {"QD", "BID", "TID", "QID", "AM", "PM", "Q4H", "Q6H", "Q8H", "BED", "HS"}
"""Codes of v3 GTSAbbreviation for once a day and more often."""

Schedule = Literal["daily", "as_needed", "weekly"]


def schedule_of(dosages: Iterable[Element]) -> Schedule | None:
    """How a medicine is taken, where all its dosages say the same."""
    found = {_one_schedule(dosage) for dosage in dosages}
    return found.pop() if len(found) == 1 else None


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
