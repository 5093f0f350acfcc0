"""What a FHIR dosage says of how much is taken and how often, as a line of a list would say it.

So a record and a written line lead to the same dose a day, by the same reader. Only what is said plainly and whole makes
a line: of anything else the schedule and the dose are read alone.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from careplan.fhir.read.dosage import CODES, free_text, is_as_needed, repeat_of
from careplan.fhir.read.element import Element
from careplan.fhir.read.terminology import codes

_UNITS = {
    "mg": "mg",
    "milligram": "mg",
    "milligrams": "mg",
    "g": "g",
    "gram": "g",
    "ug": "mcg",
    "mcg": "mcg",
    "microgram": "mcg",
    "ml": "ml",
    "milliliter": "ml",
    "millilitre": "ml",
}
_PIECE = re.compile(r"\{?(tab(?:let)?|tbl|cap(?:sule)?|patch)s?\}?", re.IGNORECASE)
_PIECES = {"tab": "tablet", "tablet": "tablet", "tbl": "tablet", "cap": "capsule", "capsule": "capsule", "patch": "patch"}
_FORM = re.compile(r"\b(tablet|capsule|patch)\b", re.IGNORECASE)
_FIGURE = re.compile(r"\d+(?:\.\d+)?")
_OF_CODES = {
    **dict.fromkeys(("QD", "AM", "PM", "BED", "HS"), "once a day"),
    "BID": "2 times a day",
    "TID": "3 times a day",
    "QID": "4 times a day",
    "WK": "once a week",
    **{f"Q{hours}H": f"every {hours} hours" for hours in (2, 3, 4, 6, 8)},
    "Q1H": "every hour",
}
_TIMED = frozenset({"frequency", "frequencyMax", "period", "periodMax", "periodUnit"})
_BESIDE = _TIMED | {"id", "boundsPeriod", "when", "timeOfDay", "offset"}


def line_of(dosages: Sequence[Element], name: str) -> str | None:
    """The line that one dosage of a medicine makes; None where it does not say plainly how much and how often."""
    if len(dosages) != 1:
        return None
    (dosage,) = dosages
    dose, often = _dose(dosage, name), _often(dosage)
    if dose is None or (often is None and (repeat_of(dosage) is not None or not is_as_needed(dosage))):
        return None
    parts = [dose, *([often] if often else []), *(["as needed"] if is_as_needed(dosage) else [])]
    line = " ".join(parts) + _limit(dosage, name)
    # A figure in the record's own words that is in none of these may be another dose, such as "1 to 2 tablets".
    said = {float(one) for text in free_text(dosage) for one in _FIGURE.findall(text)}
    return line if said <= {float(one) for one in _FIGURE.findall(f"{name} {line}")} else None


def _dose(dosage: Element, name: str) -> str | None:
    """How much at a time: one quantity, or a range of one unit."""
    rates = list(dosage.children("doseAndRate"))
    if not rates and ("doseQuantity" in dosage or "doseRange" in dosage):
        rates = [dosage]  # As versions before R4 have it.
    found = {_of_rate(rate, name) for rate in rates}
    return found.pop() if len(found) == 1 else None


def _of_rate(rate: Element, name: str) -> str | None:
    quantity, between = rate.child("doseQuantity"), rate.child("doseRange")
    if quantity is not None:
        return _amount(quantity, name)
    if between is None:
        return None
    low, high = between.child("low"), between.child("high")
    ends = (_amount(low, name) if low else None, _amount(high, name) if high else None)
    if ends[0] is None or ends[1] is None or ends[0].partition(" ")[2] != ends[1].partition(" ")[2]:
        return None
    return f"{ends[0].partition(' ')[0]} to {ends[1]}"


def _amount(quantity: Element, name: str) -> str | None:
    """A quantity in words; without a unit it counts pieces, where the name says which."""
    value = quantity.number("value")
    if value is None or value <= 0 or "comparator" in quantity:
        return None
    counts = re.search(r"\d", name) is not None  # of pieces the milligrams are known only where the name has them
    said = [unit_word.strip() for unit_word in (quantity.text("code"), quantity.text("unit")) if unit_word]
    for unit_word in said:
        if (unit := _UNITS.get(unit_word.casefold())) is not None:
            return f"{value:g} {unit}"
        if counts and (piece := _PIECE.fullmatch(unit_word)):
            return f"{value:g} {_PIECES[piece[1].casefold()]}"
    form = _FORM.search(name) if set(said) <= {"1"} and counts else None
    return f"{value:g} {form[1].casefold()}" if form else None


def _often(dosage: Element) -> str | None:
    """How often, of a timing in which nothing else stands."""
    timing, repeat = dosage.child("timing"), repeat_of(dosage)
    said: set[str | None] = set()
    if repeat is not None and repeat.value.keys() - {"id", "boundsPeriod"}:
        said.add(_repeated(repeat))
    said |= {_OF_CODES.get(one.code) for one in codes(timing.child("code") if timing else None) if one.code in CODES}
    return said.pop() if len(said) == 1 else None


def _repeated(repeat: Element) -> str | None:
    if repeat.value.keys() - _BESIDE:
        return None
    times, most_times = repeat.number("frequency"), repeat.number("frequencyMax")
    period, most = repeat.number("period"), repeat.number("periodMax")
    unit = repeat.text("periodUnit")
    moments = len(repeat.value.get("when") or repeat.value.get("timeOfDay") or ())
    times = 1.0 if times is None else times
    if not period or unit not in ("h", "d", "wk") or not _is_count(times) or (moments and moments != times):
        return None
    if unit == "d" and period != 1:
        period, most, unit = period * 24, None if most is None else most * 24, "h"
    if unit == "h":
        return _every(times, most_times, period, most)
    if most is not None or (unit == "wk" and (period, times, most_times) != (1.0, 1.0, None)):
        return None
    if most_times is not None:
        return f"{times:g} to {most_times:g} times a day" if _is_count(most_times) and most_times > times else None
    of = "week" if unit == "wk" else "day"
    return f"once a {of}" if times == 1 else f"{times:g} times a {of}"


def _every(times: float, most_times: float | None, hours: float, most: float | None) -> str | None:
    """So many times in so many hours; several times in them are counted by the day."""
    if most_times is not None:
        return None
    if times == 1:
        if most is not None:
            return f"every {hours:g} to {most:g} hours" if most > hours else None
        return "every hour" if hours == 1 else f"every {hours:g} hours"
    by_day = times * 24 / hours
    return f"{by_day:g} times a day" if most is None and hours <= 24 and by_day.is_integer() else None


def _is_count(number: float) -> bool:
    return number >= 1 and number.is_integer()


def _limit(dosage: Element, name: str) -> str:
    """The most that may be taken a day, behind the rest of the line."""
    given = dosage.value.get("maxDosePerPeriod")
    ratios = list(dosage.children("maxDosePerPeriod")) if isinstance(given, list) else [dosage.child("maxDosePerPeriod")]
    for ratio in filter(None, ratios):
        most, per = ratio.child("numerator"), ratio.child("denominator")
        said = _amount(most, name) if most else None
        hours = {"d": 24, "day": 24, "h": 1}.get((per.text("code") or per.text("unit") or "") if per else "", 0)
        if said is not None and per is not None and (per.number("value") or 0) * hours == 24:
            return f", max {said} daily"
    return ""
