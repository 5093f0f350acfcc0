"""Whether a resource counts at all: its status, and what could turn its meaning around."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date

from careplan.fhir.read.datetimes import Moment, later, moment_of
from careplan.fhir.read.element import Element
from careplan.fhir.read.terminology import codes

HL7 = "http://terminology.hl7.org/CodeSystem/"
OVER = frozenset({"inactive", "remission", "resolved"})
NOT_TRUE = frozenset({"refuted", "entered-in-error"})
NOT_SURE: Mapping[str, str] = {
    "unconfirmed": "is unconfirmed",
    "provisional": "is provisional",
    "differential": "is one of several that are possible",
}
_CLINICAL = OVER | {"active", "recurrence", "relapse"}
_VERIFICATION = NOT_TRUE | NOT_SURE.keys() | {"confirmed", "presumed"}

MODIFIED = "It carries a modifier extension, which can turn its meaning around and is not understood."


def is_modified(element: Element) -> bool:
    """Whether an element says that it may mean something else than it seems to, in a way that is not known here."""
    return bool(element.value.get("modifierExtension")) or bool(element.value.get("implicitRules"))


def clinical_status(resource: Element) -> str | None:
    """The clinical status of a condition or allergy."""
    return _status(resource.child("clinicalStatus"), _CLINICAL)


def verification_status(resource: Element) -> str | None:
    """How sure a condition or allergy is."""
    return _status(resource.child("verificationStatus"), _VERIFICATION)


def _status(concept: Element | None, known: Collection[str]) -> str | None:
    """A status by the coding that HL7 requires, else by any other, else by the text."""
    if concept is None:
        return None
    found = [one for one in codes(concept) if one.code in known]
    official = next((one.code for one in found if one.system.startswith(HL7)), None)
    text = (concept.text("text") or "").strip().casefold().replace(" ", "-")
    return official or next((one.code for one in found), None) or (text if text in known else None)


def has_abated(resource: Element, on: date | None) -> bool:
    """Whether a condition is over by its abatement; a day in the future is none."""
    if "abatementDateTime" in resource:
        moment = moment_of(resource.text("abatementDateTime"))
        return moment is not None and (on is None or not later(moment, Moment(on.isoformat())))
    return any(name in resource for name in ("abatementPeriod", "abatementAge", "abatementRange", "abatementString"))


def is_of_family(resource: Element) -> bool:
    """Whether a condition is put down as one of the family."""
    categories = list(resource.children("category"))
    return any(
        "family" in word.casefold()
        for category in categories
        for word in (category.text("text") or "", *(f"{one.code} {one.display or ''}" for one in codes(category)))
    )
