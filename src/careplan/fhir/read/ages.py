"""Days and ages in FHIR."""

from __future__ import annotations

from datetime import date


def day_of(stamp: str | None) -> date | None:
    """The day of a time stamp; None where it is none."""
    try:
        return date.fromisoformat((stamp or "")[:10])
    except ValueError:
        return None


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
