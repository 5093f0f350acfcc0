"""How a medicine is taken, from FHIR dosages: what a dosage says plainly, and its own words for all else."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import Any, Literal

from careplan.fhir.read.datetimes import Moment, before, later, moment_of
from careplan.fhir.read.element import Element
from careplan.fhir.read.resource_status import is_modified
from careplan.fhir.read.terminology import codes, names

_DAYS = {"s": 1 / 86_400, "min": 1 / 1_440, "h": 1 / 24, "d": 1.0, "wk": 7.0}
_PERIOD = {"frequency", "frequencyMax", "period", "periodMax", "periodUnit"}
_PLAIN = _PERIOD | {"id", "when", "timeOfDay", "offset", "duration", "durationMax", "durationUnit", "boundsPeriod"}
"""What a timing can hold beside its period without saying anything of the days on which a medicine is taken."""
CODES: dict[str, Schedule] = {
    **dict.fromkeys(("QD", "BID", "TID", "QID", "AM", "PM", "BED", "HS"), "daily"),
    **dict.fromkeys(("Q1H", "Q2H", "Q3H", "Q4H", "Q6H", "Q8H"), "daily"),
    "WK": "weekly",
}
"""Codes of v3 GTSAbbreviation for once a day and more often, and once a week."""
_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_OTHERWISE = re.compile(
    r"\b(mon|tues?|wed(nes)?|thu(rs)?|fri|sat(ur)?|sun)(day)?s?\b|\balternat|\btaper|\bweek|\bmonth"
    r"|\bevery (other|second|third)\b|\bevery \w+ days\b|\b(single|one|once) (dose|only)|\bonce\W*$"
    r"|\bstat\b|\bprn\b|\b(as|if|when) (needed|required)",
    re.IGNORECASE,
)
"""Words of a dosage beside which it is not plainly a daily one."""

_BOUNDED = re.compile(
    r"\b(for|x)\s*(the )?(next |first )?(\d+|one|two|three|four|five|six|seven|ten)\b|\bx\d+\s*d"
    r"|\bthen\b|\btaper|\buntil\b|\bday \d|\bdoses?\W*$",
    re.IGNORECASE,
)
"""Words of a dosage that ends, or that changes: what it says of today depends on when it began."""
_BESIDE_WORDS = frozenset(
    {"id", "text", "patientInstruction", "sequence", "route", "method", "site", "doseAndRate", "timing"}
)
_NOT_AS_NEEDED = ("asNeededBoolean", "asNeeded")

MOST_MG = 100_000
"""As much as a request may name."""
LONGEST = 150

Schedule = Literal["daily", "as_needed", "weekly"]


def schedule_of(dosages: Iterable[Element], on: date | None) -> Schedule | None:
    """How a medicine is taken, where all its dosages say the same and say it plainly. `on` is the day of the plan."""
    found = {_one_schedule(dosage, on) for dosage in dosages}
    return found.pop() if len(found) == 1 else None


def dose_of(dosages: Sequence[Element]) -> tuple[float | None, bool]:
    """The dose in milligrams, where there is one that is put so; and whether anything was said of a dose."""
    found: set[float | None] = set()
    given = False
    for dosage in dosages:
        rates = list(dosage.children("doseAndRate"))
        said = {_milligrams(rate) for rate in rates}
        # One dose that is told as it was ordered, worked out and given out, each by its type, may be tablets in one of them.
        found |= said - {None} if len(said) > 1 and all("type" in rate for rate in rates) else said
        given |= bool(rates)
    return (found.pop() if len(found) == 1 else None), given


def words_of(dosages: Iterable[Element]) -> str:
    """How a medicine is taken in the words of the record; nothing where it has none."""
    said = " / ".join(filter(None, ("; ".join(dict.fromkeys(_parts(dosage))) for dosage in dosages)))
    return said if len(said) <= LONGEST else f"{said[: LONGEST - 1]}…"


def ended(dosages: Sequence[Element], on: date | None) -> str | None:
    """The last day by which all dosages are over; None where one is not, or may not be."""
    ends = [_end(dosage) for dosage in dosages]
    over = [end for end in ends if end is not None and on is not None and before(end, on)]
    return max(end.day for end in over) if over and len(over) == len(ends) else None


def _end(dosage: Element) -> Moment | None:
    repeat = repeat_of(dosage)
    bounds = repeat.child("boundsPeriod") if repeat else None
    return moment_of(bounds.text("end")) if bounds else None


def repeat_of(dosage: Element) -> Element | None:
    """When a medicine is taken again and again."""
    timing = dosage.child("timing")
    return timing.child("repeat") if timing else None


def _milligrams(rate: Element) -> float | None:
    quantity = rate.child("doseQuantity")
    if quantity is None or "comparator" in quantity:
        return None
    value, unit = quantity.number("value"), (quantity.text("code") or quantity.text("unit") or "").casefold()
    return value if value is not None and unit == "mg" and 0 <= value <= MOST_MG else None


def is_as_needed(dosage: Element) -> bool:
    """Whether a medicine is taken only when it is needed, whatever for."""
    return bool(dosage.flag("asNeededBoolean") or dosage.flag("asNeeded")) or any(
        name in dosage for name in ("asNeededCodeableConcept", "asNeededFor")
    )


def _one_schedule(dosage: Element, on: date | None) -> Schedule | None:
    timing, repeat = dosage.child("timing"), repeat_of(dosage)
    if timing is not None and (is_modified(timing) or "event" in timing):
        return None
    if repeat is not None and not _is_going_on(repeat, on):
        return None
    if is_as_needed(dosage):
        return "as_needed" if repeat is None or not {"count", "countMax"} & repeat.value.keys() else None
    said: set[Schedule | None] = set()
    if repeat is not None and repeat.value.keys() - {"id", "boundsPeriod"}:
        said.add(_repeated(repeat))
    found_codes = list(codes(timing.child("code") if timing else None))
    known = {CODES.get(one.code) for one in found_codes if one.code in CODES or one.system.endswith("GTSAbbreviation")}
    said |= known or ({None} if found_codes else set())
    if len(said) != 1:
        return None
    (found,) = said
    return None if found == "daily" and any(map(_OTHERWISE.search, free_text(dosage))) else found


def _is_going_on(repeat: Element, on: date | None) -> bool:
    """Whether a dosage surely is of today, as far as it has bounds."""
    bounds = repeat.child("boundsPeriod")
    if bounds is None:
        return True
    start, end = moment_of(bounds.text("start")), moment_of(bounds.text("end"))
    if ("start" in bounds and start is None) or ("end" in bounds and end is None):
        return False
    if on is None:
        return end is None
    today = Moment(on.isoformat())
    return not (start is not None and later(start, today)) and not (end is not None and before(end, on))


def _repeated(repeat: Element) -> Schedule | None:
    """What a repetition says where nothing in it is left unread."""
    days = _weekdays(repeat)
    unit = repeat.text("periodUnit")
    times, period = repeat.number("frequency"), repeat.number("period")
    most = repeat.number("periodMax") or period
    if "frequencyMax" in repeat and times is None:
        return None
    times = 1.0 if times is None else times
    if "dayOfWeek" in repeat:
        if repeat.value.keys() - _PLAIN - {"dayOfWeek"} or None in days:
            return None
        weekly = (period, unit) in ((None, None), (1.0, "wk")) and times == 1 and not _has_range(repeat)
        return "weekly" if len(days) == 1 and weekly else "daily" if len(days) == len(_WEEKDAYS) and weekly else None
    if repeat.value.keys() - _PLAIN or unit not in _DAYS or not period or not most or times < 1:
        return None
    longest = most * _DAYS[unit]
    if longest <= 1:
        return "daily"
    return "weekly" if longest == 7 and times == 1 and not _has_range(repeat) else None


def _has_range(repeat: Element) -> bool:
    return "frequencyMax" in repeat or "periodMax" in repeat


def _weekdays(repeat: Element) -> set[str | None]:
    return {day if day in _WEEKDAYS else None for day in _texts(repeat, "dayOfWeek")}


def _texts(element: Element, name: str) -> list[str]:
    found = element.value.get(name)
    return [one for one in found if isinstance(one, str)] if isinstance(found, list) else []


def words_alone(dosages: Sequence[Element]) -> list[str]:
    """How a medicine is taken by a single dosage, where it says that in words alone and of every day to come.

    The words of a timing are such words too, if each of its codes has some. What the dosage says as a whole stands first.
    """
    if len(dosages) != 1:
        return []
    (dosage,), timing = dosages, dosages[0].child("timing")
    beside = {name for name in dosage.value if not (name in _NOT_AS_NEEDED and dosage.value[name] is False)}
    if beside - _BESIDE_WORDS or (timing is not None and not _is_in_words(timing)):
        return []
    said = [" ".join(text.split()) for text in (dosage.text("text"), *free_text(dosage)) if text]
    return [] if any(map(_BOUNDED.search, said)) else list(dict.fromkeys(said))


def _is_in_words(timing: Element) -> bool:
    """Whether a timing has nothing but a concept that says itself in words."""
    concept = timing.child("code")
    return concept is not None and not timing.value.keys() - {"id", "code"} and all(one.display for one in codes(concept))


def is_of_every_day(text: str) -> bool:
    """Whether no word of a dosage keeps a daily one from being one of every day."""
    return not _OTHERWISE.search(text)


def free_text(dosage: Element) -> Iterator[str]:
    """What a dosage says in words."""
    timing = dosage.child("timing")
    for concept in (timing.child("code") if timing else None, *dosage.children("additionalInstruction")):
        yield from names(concept)
    for name in ("text", "patientInstruction"):
        if text := dosage.text(name):
            yield text


def _parts(dosage: Element) -> Iterator[str]:
    """What a dosage says of when the medicine is taken."""
    timing, repeat = dosage.child("timing"), repeat_of(dosage)
    yield from free_text(dosage)
    yield from (one.code for one in codes(timing.child("code") if timing else None) if not one.display)
    if is_as_needed(dosage):
        yield "as needed"
    if timing is not None and (events := _texts(timing, "event")):
        yield f"at {', '.join(events)}"
    if repeat is None:
        return
    if _PERIOD & repeat.value.keys():
        often = _range(repeat, "frequency") or "1"
        every = f"{_range(repeat, 'period')} {repeat.text('periodUnit') or ''}".strip()
        yield f"{often} {'time' if often == '1' else 'times'} every {every}" if every else f"{often} times"
    if days := _texts(repeat, "dayOfWeek"):
        yield ", ".join(day.capitalize() for day in days)
    if hours := [*_texts(repeat, "timeOfDay"), *_texts(repeat, "when")]:
        yield f"at {', '.join(hours)}"
    if count := _range(repeat, "count"):
        yield f"{count} {'time' if count == '1' else 'times'} in all"
    for name in ("boundsPeriod", "boundsDuration", "boundsRange"):
        if bounds := repeat.child(name):
            yield _bounds(bounds)


def _bounds(bounds: Element) -> str:
    edges = [f"{word} {bounds.text(name)}" for word, name in (("from", "start"), ("until", "end")) if bounds.text(name)]
    if edges:
        return " ".join(edges)
    low, high = bounds.child("low") or bounds, bounds.child("high")
    most = f" to {_figure(high.number('value'))}" if high else ""
    return f"for {_figure(low.number('value'))}{most} {low.text('unit') or low.text('code') or ''}".strip()


def _range(repeat: Element, name: str) -> str:
    least, most = _figure(repeat.value.get(name)), _figure(repeat.value.get(f"{name}Max"))
    return f"{least} to {most}" if least and most else least or (f"up to {most}" if most else "")


def _figure(value: Any) -> str:
    try:
        return f"{value:g}" if isinstance(value, int | float) and not isinstance(value, bool) else ""
    except OverflowError:
        return ""
