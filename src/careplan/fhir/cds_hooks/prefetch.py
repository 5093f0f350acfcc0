"""What a call of CDS Hooks asks for, and the resources that it brings: in one list, with the place of each."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from careplan.fhir.read.completeness import EVERYTHING, cut_off, tells_of_missing
from careplan.fhir.read.element import Element
from careplan.fhir.read.members import BUNDLE, check_members
from careplan.fhir.read.questionnaire_responses import INTAKE
from careplan.plan.model import NotConsidered
from careplan.request.patient import ListName
from careplan.rulebook.codes import ObservationCode
from careplan.rulebook.conditions import tests_of
from careplan.rulebook.derived import Derived, behind
from careplan.rulebook.model import Rule

Json = dict[str, Any]

KINDS: Mapping[str, frozenset[str]] = {
    "patient": frozenset({"Patient"}),
    "statements": frozenset({"MedicationStatement"}),
    "requests": frozenset({"MedicationRequest"}),
    "conditions": frozenset({"Condition"}),
    "allergies": frozenset({"AllergyIntolerance"}),
    "observations": frozenset({"Observation"}),
    "answers": frozenset({"QuestionnaireResponse"}),
}
"""The keys of the prefetch templates, and what each asks for."""
LISTS: Mapping[str, ListName] = {
    "statements": "medications",
    "requests": "medications",
    "conditions": "conditions",
    "allergies": "conditions",
}
"""The list to which the answer to a key belongs."""
_TOLD_BY: Mapping[str, ListName] = {
    "MedicationStatement": "medications",
    "MedicationRequest": "medications",
    "Condition": "conditions",
}
"""The types that say what is on a list. An allergy alone says nothing of illnesses."""
_READ = frozenset().union(*KINDS.values()) | {"Medication"}

_PATIENT = "{{context.patientId}}"
_FORMS = 10
"""As many of the newest answered intake forms are asked for."""


def templates(
    rules: Iterable[Rule], derived: Mapping[str, Derived], observations: Iterable[ObservationCode]
) -> dict[str, str]:
    """The queries for what some rule looks at, and for nothing else."""
    tested = {
        (pattern.kind, test.field)
        for rule in rules
        for pattern in behind(derived, rule.when)
        for test in tests_of(pattern.tests)
    }
    kinds = {kind for kind, _ in tested}
    found = {}
    if ("patient", "age_years") in tested:
        found["patient"] = f"Patient/{_PATIENT}"
    if kinds & {"medicine", "medicine_check", "regimen", "shared_class"}:
        taken = "active,intended,on-hold,unknown"
        found["statements"] = (
            f"MedicationStatement?patient={_PATIENT}&status={taken}&_include=MedicationStatement:medication"
        )
        found["requests"] = (
            f"MedicationRequest?patient={_PATIENT}&status=active,on-hold,unknown&_include=MedicationRequest:medication"
        )
    if kinds & {"condition", "history"}:
        # All of them: many records have neither category nor status, and a stroke that is over counts as history.
        found["conditions"] = f"Condition?patient={_PATIENT}"
        found["allergies"] = f"AllergyIntolerance?patient={_PATIENT}"
    codes = [
        f"http://loinc.org|{code}"
        for observation in observations
        if tuple(f"patient.{observation.factor}".rsplit(".", 2)[-2:]) in tested
        for code in observation.loinc
    ]
    if codes:
        found["observations"] = f"Observation?patient={_PATIENT}&code={','.join(codes)}&_sort=-date"
    if kinds - {"everyone"}:
        found["answers"] = f"QuestionnaireResponse?patient={_PATIENT}&questionnaire={INTAKE}&_sort=-authored&_count={_FORMS}"
    return found


class Prefetched:
    """The resources of a call in one list, with the place of each, and the lists of which something was sent."""

    def __init__(self) -> None:
        self.entries: list[Json] = []
        self.told: set[ListName] = set()
        """The lists of which the record said something, be it that there is nothing on them."""
        self.has_answers = False
        self.unmapped: list[NotConsidered] = []
        self._lacking: dict[ListName, str] = {}
        self._places: list[str] = []

    @property
    def incomplete(self) -> dict[ListName, str]:
        """The lists of which a part was sent, each with the place that says so."""
        return {name: place for name, place in self._lacking.items() if name in self.told}

    @property
    def missing(self) -> list[ListName]:
        """The lists of which nothing was sent, although it was asked for."""
        return [name for name in EVERYTHING if name not in self.told]

    def take(self, call: Element, prefetch: Element) -> None:
        """Take in what was prefetched. null says that there is nothing on record, an empty object says nothing."""
        for key, value in prefetch.value.items():
            place = f"/prefetch/{key}" if key in KINDS else "/prefetch"
            if value is None:
                self._told(key)
            elif not isinstance(value, dict):
                call.fault(place[1:], "must be a resource, or null where there is nothing")
            elif value:
                self._answer(key, Element(value, place, call.faults))
            elif key in LISTS:
                self._lacking.setdefault(LISTS[key], place)

    def _told(self, key: str) -> None:
        if key in LISTS and key != "allergies":
            self.told.add(LISTS[key])

    def _answer(self, key: str, value: Element) -> None:
        """Take in one answer. One of which a part is missing leaves its list incomplete.

        What comes under a key that is none of ours counts by its type: clients also send what they fetched for others.
        """
        resources = [resource for resource in self.add(value) if resource is not None]
        for resource in resources:
            kind = resource.text("resourceType") or ""
            self.has_answers = self.has_answers or kind == "QuestionnaireResponse"
            if kind in _TOLD_BY:
                self.told.add(_TOLD_BY[kind])
        why = _why_not_whole(value, resources, KINDS.get(key, _READ), ours=key in KINDS)
        if why is None:
            self._told(key)
            return
        for name in (LISTS[key],) if key in LISTS else () if key in KINDS else EVERYTHING:
            self._lacking.setdefault(name, value.pointer)
        if key in KINDS and not _is_outcome(value):
            self.unmapped.append(NotConsidered(pointer=value.pointer, what=key, why=why))

    def add(self, value: Element) -> list[Element | None]:
        """Take in a resource, or all those of a Bundle; returns them, None for an entry without one."""
        if value.text("resourceType") != "Bundle":
            self.add_entry({"resource": value.value}, value.pointer)
            return [value]
        found = []
        check_members(value, BUNDLE, "a Bundle")
        for entry in value.children("entry"):
            self.add_entry(entry.value, entry.pointer)
            found.append(entry.child("resource"))
        return found

    def add_entry(self, entry: Json, place: str) -> None:
        """Take in one entry from its place in the call."""
        self.entries.append(entry)
        self._places.append(place)

    def place(self, pointer: str) -> str:
        """Where in the request the place in the gathered Bundle is."""
        found = re.match(r"/entry/(\d+)(/resource)?(.*)", pointer)
        if not found:
            return pointer
        place = self._places[int(found[1])]
        return place + ((found[2] or "") if "/entry/" in place else "") + found[3]


def _why_not_whole(value: Element, resources: list[Element], wanted: frozenset[str], *, ours: bool) -> str | None:
    """Why an answer does not tell all that was asked for; None where it does. `ours` says that we asked for it."""
    failed = any(_is_outcome(one) and tells_of_missing(one) for one in resources)
    if _is_outcome(value) or failed:
        return "The system that was asked reported a problem, so this may not be all."
    if value.text("resourceType") == "Bundle" and (
        cut := next((why for name, why in cut_off(value) if name != "total"), None)
    ):
        return cut
    fitting = [one for one in resources if one.text("resourceType") in wanted]
    others = [one for one in resources if one.text("resourceType") not in wanted | {"OperationOutcome"}]
    if ours and others and not fitting:
        return "It holds nothing of the type that was asked for."
    total = value.number("total") if value.text("resourceType") == "Bundle" else None
    if total is not None and total > len(fitting if ours else [*fitting, *others]):
        return "It says that there are more than it holds."
    return None


def _is_outcome(resource: Element) -> bool:
    return resource.value.get("resourceType") == "OperationOutcome"


def resources_in(bundle: Element) -> Iterator[tuple[Element, Element]]:
    """The entries of a Bundle with their resources."""
    check_members(bundle, BUNDLE, "a Bundle")
    for entry in bundle.children("entry"):
        resource = entry.child("resource")
        if resource is not None:
            yield entry, resource
        else:
            entry.fault("resource", "is missing")
