"""Codes and words by which a record says that a list has nothing on it, or that nobody knows what is on it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Literal

from careplan.fhir.read.code_systems import SNOMED
from careplan.fhir.read.datetimes import long_before, moment_in
from careplan.fhir.read.element import Element
from careplan.fhir.read.terminology import codes, names

Absence = Literal["none", "not asked"]
ABSENT_UNKNOWN = "http://hl7.org/fhir/uv/ips/CodeSystem/absent-unknown-uv-ips"

_CODES: Mapping[tuple[str, str], tuple[str, Absence]] = {
    (ABSENT_UNKNOWN, "no-known-medications"): ("medications", "none"),
    (ABSENT_UNKNOWN, "no-medication-info"): ("medications", "not asked"),
    (ABSENT_UNKNOWN, "no-known-problems"): ("conditions", "none"),
    (ABSENT_UNKNOWN, "no-problem-info"): ("conditions", "not asked"),
    (SNOMED, "787481004"): ("medications", "none"),  # No known medications
    (SNOMED, "1234391000168107"): ("medications", "none"),  # No known current medicines (Australia)
    (SNOMED, "182904002"): ("medications", "not asked"),  # Drug treatment unknown
    (SNOMED, "160245001"): ("conditions", "none"),  # No current problems or disability
}
_WORDS: Mapping[str, tuple[str, Absence]] = {
    "no known medications": ("medications", "none"),
    "no current medications": ("medications", "none"),
    "no known current medicines": ("medications", "none"),
    "no information about medications": ("medications", "not asked"),
    "no known problems": ("conditions", "none"),
    "no current problems or disability": ("conditions", "none"),
    "no information about problems": ("conditions", "not asked"),
}
WITHIN_DAYS = 365
OLD = f"It is more than {WITHIN_DAYS} days old, so it is asked for."
NOT_ASKED = "It says that nothing is known about this list, so it is asked for."


def is_old(resource: Element, on: date | None) -> bool:
    """Whether a word that there is nothing was given too long ago to be one of today."""
    moment = moment_in(resource, "effectiveDateTime", "dateAsserted", "authoredOn", "recordedDate")
    return on is not None and moment is not None and long_before(moment, on, WITHIN_DAYS)


def absence(concept: Element | None, field: str) -> Absence | None:
    """What a concept that stands in place of an entry says of a list; None where it is an entry.

    Words count only where no code does, and only if there are no others.
    """
    said = [_CODES[one.system, one.code] for one in codes(concept) if (one.system, one.code) in _CODES]
    if not said:
        named = [_WORDS.get(name.strip().rstrip(".").casefold()) for name in names(concept)]
        said = [one for one in named if one is not None] if None not in named else []
    return next((kind for of, kind in said if of == field), None)
