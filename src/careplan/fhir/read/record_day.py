"""The day of a record that names none: the newest date that stands in it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

from careplan.fhir.read.ages import day_of
from careplan.fhir.read.element import Element

_WRITTEN = ("recordedDate", "dateAsserted", "authoredOn", "authored", "issued", "effectiveDateTime", "date")
"""When something was written down or found. What may lie ahead, such as the end of a prescription, tells no day."""
_DAY = re.compile(r"\d{4}-\d\d-\d\d(T|$)")


def newest_day(bundle: Element) -> tuple[date, str] | None:
    """The newest day on which something in a Bundle was written, with its place; None where no day stands in it."""
    newest: tuple[date, str] | None = None
    for text, place in _days(bundle):
        # Days as they are written sort as they follow on each other.
        if newest is None or text[:10] > newest[0].isoformat():
            day = day_of(text)
            newest = newest if day is None else (day, place)
    return newest


def _days(bundle: Element) -> Iterator[tuple[str, str]]:
    entries = bundle.value.get("entry")
    for at, entry in enumerate(entries if isinstance(entries, list) else ()):
        resource = entry.get("resource") if isinstance(entry, dict) else None
        if not isinstance(resource, dict):
            continue
        meta = resource.get("meta")
        written = [(name, resource[name]) for name in _WRITTEN if name in resource]
        if isinstance(meta, dict) and "lastUpdated" in meta:
            written.append(("meta/lastUpdated", meta["lastUpdated"]))
        for name, text in written:
            if isinstance(text, str) and _DAY.match(text):
                yield text, f"{bundle.pointer}/entry/{at}/resource/{name}"
