"""Times as FHIR writes them, exact or not, and which of two is the later one."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta

import msgspec

from careplan.fhir.read.element import Element

_FORM = re.compile(r"\d{4}(-\d{2}(-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2})?)?)?)?")


class Moment(msgspec.Struct, frozen=True):
    """A day, month or year as written; and the instant, where a time with its offset was given."""

    day: str
    instant: datetime | None = None


def moment_of(text: str | None) -> Moment | None:
    """The moment in a date, dateTime or instant; None for anything else."""
    if text is None or not _FORM.fullmatch(text):
        return None
    try:
        if len(text) <= 10:
            date.fromisoformat(f"{text}-01-01"[:10] if len(text) == 4 else f"{text}-01"[:10])
            return Moment(text)
        instant = datetime.fromisoformat(text)
    except ValueError:
        return None
    return Moment(text[:10], _in_utc(instant) if instant.tzinfo else None)


def _in_utc(instant: datetime) -> datetime:
    """An instant in UTC; one that would be before or after all days there is the first or the last, as it means no end."""
    try:
        return instant.astimezone(UTC)
    except OverflowError:
        return (datetime.min if instant.year == 1 else datetime.max).replace(tzinfo=UTC)


def later(moment: Moment, other: Moment) -> bool:
    """Whether `one` is surely the later; of days and months only what both say is compared."""
    if moment.instant and other.instant:
        return moment.instant > other.instant
    exact = min(len(moment.day), len(other.day))
    return moment.day[:exact] > other.day[:exact]


def before(moment: Moment, day: date) -> bool:
    """Whether a moment is surely over on a day."""
    return later(Moment(day.isoformat()), moment)


def long_before(moment: Moment, day: date, days: int) -> bool:
    """Whether a moment is surely more than so many days before a day."""
    return before(moment, day - timedelta(days=days))


def moment_in(resource: Element, *names: str) -> Moment | None:
    """The first moment among some fields; of a period its end, else its start."""
    for name in names:
        if name.endswith("Period"):
            period = resource.child(name)
            found = moment_of(period.text("end") or period.text("start")) if period else None
        else:
            found = moment_of(resource.text(name))
        if found:
            return found
    return None
