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
    return max(_days(bundle), default=None, key=lambda found: found[0])


def _days(bundle: Element) -> Iterator[tuple[date, str]]:
    entries = bundle.value.get("entry")
    for at, entry in enumerate(entries if isinstance(entries, list) else ()):
        resource = entry.get("resource") if isinstance(entry, dict) else None
        if not isinstance(resource, dict):
            continue
        place = f"{bundle.pointer}/entry/{at}/resource"
        meta = resource.get("meta")
        written = {f"{place}/{name}": resource.get(name) for name in _WRITTEN}
        if isinstance(meta, dict):
            written[f"{place}/meta/lastUpdated"] = meta.get("lastUpdated")
        for pointer, text in written.items():
            if isinstance(text, str) and _DAY.match(text) and (day := day_of(text)):
                yield day, pointer
