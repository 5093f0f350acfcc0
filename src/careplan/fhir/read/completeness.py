"""What tells that a list is not all there is: what was cut off, suppressed or announced, and types that are not read."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping

from rapidfuzz import fuzz, process

from careplan.fhir.read.code_systems import LOINC, SNOMED
from careplan.fhir.read.element import Element
from careplan.fhir.read.references import References
from careplan.fhir.read.terminology import codes
from careplan.request.patient import ListName

Lists = tuple[ListName, ...]

EVERYTHING: Lists = ("medications", "conditions")
"""The lists that a record without a word on its contents may hold."""

LISTS_OF: Mapping[str, Lists] = {
    "MedicationStatement": ("medications",),
    "MedicationRequest": ("medications",),
    "MedicationDispense": ("medications",),
    "MedicationAdministration": ("medications",),
    "MedicationOrder": ("medications",),
    "MedicationUsage": ("medications",),
    "Condition": ("conditions",),
    "AllergyIntolerance": ("conditions",),
    "Bundle": EVERYTHING,
    "Parameters": EVERYTHING,
}
"""Which list an entry of a type would be on. Vaccinations and procedures are on none."""
SAY_NOTHING = frozenset(
    {"Account", "Appointment", "CarePlan", "CareTeam", "Claim", "ClaimResponse", "Coverage", "Device"}
    | {"DiagnosticReport", "DocumentReference", "ExplanationOfBenefit", "Goal", "ImagingStudy", "Immunization", "Location"}
    | {"Media", "NutritionOrder", "Organization", "Practitioner", "PractitionerRole", "Procedure", "Provenance"}
    | {"ServiceRequest", "Specimen", "SupplyDelivery"}
)
"""Types of which records have very many, that are not read and of which no entry would be on a list."""
_ON_NO_LIST = SAY_NOTHING | {"Communication", "Patient", "Observation", "Encounter", "Medication", "MedicationKnowledge"}
_NOT_GIVEN = frozenset({"entered-in-error", "not-done", "cancelled", "declined"})
_PRESCRIPTIONS = ("authorizingPrescription", "prescription", "request")

_PARTS = frozenset({"SUBSETTED", "REDACTED", "MASKED"})
"""Codes of v3 ObservationValue for a resource of which something was taken away."""
_WITHHELD = frozenset(
    {"suppressed", "incomplete", "too-costly", "throttled", "timeout", "transient", "security", "forbidden"}
)
"""Codes of an issue that tell of missing data, however lightly the sender takes it."""
_WITHHELD_WORDS = re.compile(
    r"suppress|withh[eo]ld|redact|truncat|incomplete|partial|omitted|left out|cut off"
    r"|not (be )?(included|returned|shown|sent)",
    re.IGNORECASE,
)

_KEPT_BACK_WORDS = re.compile(
    r"(items?|entries|information|data) (is|are|was|were|has been|have been)? ?(excluded|removed|missing)"
    rf"|confidential|{_WITHHELD_WORDS.pattern}",
    re.IGNORECASE,
)
_OF_ILLNESSES = frozenset((LOINC, code) for code in ("11450-4", "11348-0", "46240-8", "51848-0", "104605-1", "75310-3"))
"""Sections on problems, past illnesses, encounters, assessments, alerts and health concerns."""
_TAG = re.compile(r"<[^<>]*>")
_ENDS_A_LINE = re.compile(r"</?(?:p|li|ul|ol|td|th|tr|br|div|h[1-6]|table)\b[^<>]*>", re.IGNORECASE)

EMPTY_REASONS = frozenset({"withheld", "unavailable", "notstarted", "closed"})
"""Reasons for an empty list under which there may be something to put on it."""
_SECTIONS: Mapping[tuple[str, str], Lists] = {
    (LOINC, "10160-0"): ("medications",),
    (LOINC, "11450-4"): ("conditions",),
    (SNOMED, "933361000000108"): ("medications",),  # As GP Connect has it.
    (SNOMED, "717711000000103"): ("conditions",),
    ("http://terminology.hl7.org/CodeSystem/list-example-use-codes", "medications"): ("medications",),
    ("http://terminology.hl7.org/CodeSystem/list-example-use-codes", "problems"): ("conditions",),
}


def lists_of(resource: Element) -> Lists:
    """The lists on which the contents of a resource would be; that of the nearest type where the type is misspelt."""
    kind = resource.text("resourceType") or ""
    if kind in LISTS_OF:
        return LISTS_OF[kind]
    if kind == "QuestionnaireResponse":
        return tuple(dict.fromkeys(_named_in(resource))) if "item" in resource else (*EVERYTHING, "goals")
    if kind in _ON_NO_LIST:
        return ()
    near = process.extractOne(kind, LISTS_OF.keys(), scorer=fuzz.ratio, score_cutoff=85)
    return LISTS_OF[near[0]] if near else ()


def list_of_link(link: str) -> Lists:
    """The list that an item of the intake form is about."""
    first = link.partition(".")[0]
    if first in ("conditions", "other_conditions", "allergies"):
        return ("conditions",)
    if first == "medications":
        return ("medications",)
    return ("goals",) if link.removesuffix(".none") == "expectations.goals" else ()


def _named_in(within: Element) -> Iterator[ListName]:
    for item in within.children("item"):
        link = (item.text("linkId") or "").strip("/").replace("/", ".")
        yield from list_of_link(link) if not link.endswith(".none") else ()
        yield from _named_in(item)
        for answer in item.children("answer"):
            yield from _named_in(answer)


def is_part(resource: Element) -> bool:
    """Whether a resource says that something of it was taken away."""
    meta = resource.child("meta")
    marks = [*meta.children("tag"), *meta.children("security")] if meta else []
    return any(mark.text("code") in _PARTS for mark in marks)


def tells_of_missing(outcome: Element) -> bool:
    """Whether an OperationOutcome says that data is missing beside it."""
    return any(_tells(issue) for issue in outcome.children("issue"))


def _tells(issue: Element) -> bool:
    details = issue.child("details")
    said = f"{issue.text('diagnostics') or ''} {(details.text('text') if details else None) or ''}"
    return (
        issue.text("severity") in ("error", "fatal")
        or issue.text("code") in _WITHHELD
        or _WITHHELD_WORDS.search(said) is not None
    )


def cut_off(bundle: Element) -> Iterator[tuple[str, str]]:
    """The members of a Bundle that say that it is not all, each with the reason."""
    if any(link.text("relation") == "next" for link in bundle.children("link")):
        yield "link", "It is one page of several, and the others were not sent."
    total = bundle.number("total")
    if total is not None and total > sum(map(_is_match, bundle.children("entry"))):
        yield "total", "It says that there are more entries than it holds."
    if is_part(bundle):
        yield "meta", "It says that something was taken away from it."
    if bundle.value.get("implicitRules"):
        yield "implicitRules", "It was made by rules that are not known here, so it may leave something unsaid."


def _is_match(entry: Element) -> bool:
    search = entry.child("search")
    resource = entry.child("resource")
    is_outcome = resource is not None and resource.value.get("resourceType") == "OperationOutcome"
    return (search is None or search.text("mode") in (None, "match")) and not is_outcome


def was_given(resource: Element) -> bool:
    """Whether a dispensed or administered medicine is one that the patient got, or is to get."""
    return resource.text("status") not in _NOT_GIVEN


def prescriptions(resource: Element) -> Iterator[Element]:
    """References of a dispensed or administered medicine to the order behind it."""
    for name in _PRESCRIPTIONS:
        value = resource.value.get(name)
        if isinstance(value, list):
            yield from resource.children(name)
        elif isinstance(value, dict) and (found := resource.child(name)):
            yield found


def is_ordered(resource: Element, references: References) -> bool:
    """Whether the order behind a dispensed or administered medicine is one of the record."""
    found = [references.to(pointing) for pointing in prescriptions(resource)]
    return any(
        one is not None and one.text("resourceType") == "MedicationRequest" and "/contained/" not in one.pointer
        for one in found
    )


def section_lists(section: Element) -> Lists:
    """The list that a section of a document, or a List, stands for."""
    found = (_SECTIONS.get((one.system, one.code)) for one in codes(section.child("code")))
    return next(filter(None, found), ())


def empty_reason(section: Element) -> str | None:
    """Why a section or List is empty."""
    return next((one.code for one in codes(section.child("emptyReason"))), None)


def sections(resource: Element) -> Iterator[Element]:
    """The sections of a document at every depth; a List is one by itself."""
    if resource.value.get("resourceType") == "List":
        yield resource
    for section in resource.children("section"):
        yield section
        yield from sections(section)


def is_kept_back(section: Element) -> bool:
    """Whether a section or List says in a note, or in an extension of GP Connect, that something of it was kept back."""
    warned = any("listwarningcode" in (one.text("url") or "").casefold() for one in section.children("extension"))
    return warned or any(_KEPT_BACK_WORDS.search(one.text("text") or "") for one in section.children("note"))


def narrative(section: Element) -> str:
    """The words of a section on the patient's illnesses that has nothing but words, without tags; empty for any other."""
    if _OF_ILLNESSES.isdisjoint((one.system, one.code) for one in codes(section.child("code"))):
        return ""
    text = section.child("text")
    if text is None or any(name in section for name in ("entry", "section", "emptyReason")):
        return ""
    lines = _ENDS_A_LINE.sub("\n", text.text("div") or "")
    return html.unescape(_TAG.sub(" ", lines)).strip()


def listed(section: Element) -> Iterator[Element]:
    """What a section or List refers to, without what was taken off it."""
    for entry in section.children("entry"):
        if "item" not in entry and "reference" in entry:
            yield entry
        elif not entry.value.get("deleted") and (item := entry.child("item")):
            yield item
