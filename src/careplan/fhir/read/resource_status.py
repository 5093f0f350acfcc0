"""Whether a resource counts at all: its status, and what could turn its meaning around."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from datetime import date
from typing import Literal

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

_CERTAINTY = "http://fhir.de/StructureDefinition/icd-10-gm-diagnosesicherheit"
"""The extension of a code of ICD-10-GM by which German records say how sure it is: A, V, Z or G."""
_CERTAINTIES: Mapping[str, str] = {"A": "refuted", "V": "provisional", "G": "confirmed"}
_STATUS_POST = "Z"

_OVER_IN_WORDS = re.compile(
    r"\b(resolved|ended|over|gone|cured|healed|recovered|remitted|remission|past|ago|(19|20)\d\d|aged? \d+)\b", re.IGNORECASE
)
_NOT_OVER_IN_WORDS = re.compile(
    r"\b(no|not|never|none|yet|ongoing|on-going|continu\w*|current\w*|active|still|unknown|unclear|unsure|partial\w*|since"
    r"|recurr\w*|relaps\w*|expected|likely|may|might|maybe|\w*n't)\b|\?",
    re.IGNORECASE,
)

MODIFIED = "It carries a modifier extension, which can turn its meaning around and is not understood."


def is_modified(element: Element) -> bool:
    """Whether an element says that it may mean something else than it seems to, in a way that is not known here."""
    return bool(element.value.get("modifierExtension")) or bool(element.value.get("implicitRules"))


def clinical_status(resource: Element) -> str | None:
    """The clinical status of a condition or allergy."""
    found = _status(resource, "clinicalStatus", _CLINICAL) or _status(resource, "status", _CLINICAL)
    return found or ("inactive" if _certainty(resource) == _STATUS_POST else None)


def verification_status(resource: Element) -> str | None:
    """How sure a condition or allergy is."""
    found = _status(resource, "verificationStatus", _VERIFICATION) or _status(resource, "status", _VERIFICATION)
    return found or _CERTAINTIES.get(_certainty(resource) or "")


def _status(resource: Element, name: str, known: Collection[str]) -> str | None:
    """A status by the coding that HL7 requires, else by any other, else by the text; before R4 it was a plain code."""
    if isinstance(resource.value.get(name), str):
        said = _as_code(resource.text(name))
        return said if said in known else None
    concept = resource.child(name)
    if concept is None:
        return None
    found = [(one.system, code) for one in codes(concept) if (code := _as_code(one.code)) in known]
    official = next((code for system, code in found if system.startswith(HL7)), None)
    text = _as_code(concept.text("text"))
    return official or next((code for _, code in found), None) or (text if text in known else None)


def _as_code(text: str | None) -> str:
    return (text or "").strip().casefold().replace(" ", "-")


def _certainty(resource: Element) -> str | None:
    """What codes of ICD-10-GM say of how sure a diagnosis is, where all that say it say the same."""
    concept = resource.child("code")
    codings = concept.children("coding") if concept else ()
    marks = [one for coding in codings for one in coding.children("extension") if one.text("url") == _CERTAINTY]
    said = {(coding.text("code") if (coding := one.child("valueCoding")) else one.text("valueCode")) for one in marks}
    return said.pop() if len(said) == 1 else None


def end_of(resource: Element, on: date | None) -> Literal["over", "unsure"] | None:
    """Whether a condition is over by its abatement; None where it has none, or one in the future.

    What does not plainly say that it is over leaves it unsure.
    """
    for name in ("abatementDateTime", "abatementPeriod"):
        if name in resource:
            return _ended(resource, name, on)
    if resource.flag("abatementBoolean") or "abatementAge" in resource or "abatementRange" in resource:
        return "over"
    words = resource.text("abatementString")
    if words is None:
        return None
    return "over" if _OVER_IN_WORDS.search(words) and not _NOT_OVER_IN_WORDS.search(words) else "unsure"


def _ended(resource: Element, name: str, on: date | None) -> Literal["over", "unsure"] | None:
    if name.endswith("Period"):
        period = resource.child(name)
        end, start = (moment_of(period.text("end")), moment_of(period.text("start"))) if period else (None, None)
        if end is None and start is not None and on is not None and later(start, Moment(on.isoformat())):
            return None
    else:
        end = moment_of(resource.text(name))
    if end is None:
        return "unsure"
    return None if on is not None and later(end, Moment(on.isoformat())) else "over"


def is_of_family(resource: Element) -> bool:
    """Whether a condition is put down as one of the family."""
    categories = list(resource.children("category"))
    return any(
        "family" in word.casefold()
        for category in categories
        for word in (category.text("text") or "", *(f"{one.code} {one.display or ''}" for one in codes(category)))
    )
