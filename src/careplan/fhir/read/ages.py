"""Days and ages in FHIR."""

from __future__ import annotations

from datetime import date

from careplan.request.patient import FIRST_YEAR, LAST_YEAR


def day_of(stamp: str | None) -> date | None:
    """The day of a time stamp; None where it is none, or one that cannot be meant, such as the last of all days."""
    try:
        day = date.fromisoformat((stamp or "")[:10])
    except ValueError:
        return None
    return day if FIRST_YEAR <= day.year <= LAST_YEAR else None


def age_on(born: str, on: date) -> int | None:
    """Full years; of a birth date without day or month only where it makes no difference."""
    parts = born.split("-")
    try:
        if len(parts) == 3:
            day = date.fromisoformat(born)
            return on.year - day.year - ((on.month, on.day) < (day.month, day.day)) if day <= on else None
    except ValueError:
        return None
    return None
