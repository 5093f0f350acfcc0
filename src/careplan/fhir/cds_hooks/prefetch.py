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
from careplan.rulebook.model import Condition, Rule

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
REQUIRED = (("statements", "requests"), ("conditions",))
"""Of each of these groups at least one must have been sent; null stands for: asked, and there is nothing."""

_PATIENT = "{{context.patientId}}"
_FORMS = 10
"""As many of the newest answered intake forms are asked for."""


def templates(
    rules: Iterable[Rule], conditions: Iterable[Condition], observations: Iterable[ObservationCode]
) -> dict[str, str]:
    """The queries for what some rule looks at, and for nothing else."""
    tested = {
        (pattern.kind, test.field)
        for rule in rules
        for group in rule.when
        for pattern in group
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
        # What is over is asked for as well where a history counts: a stroke long ago is one.
        over = any(entry.also_when_over for entry in conditions)
        status = "" if over else "&clinical-status=active,recurrence,relapse"
        found["conditions"] = f"Condition?patient={_PATIENT}&category=problem-list-item,health-concern{status}"
        found["allergies"] = f"AllergyIntolerance?patient={_PATIENT}&clinical-status=active"
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
    """The resources of a call in one list, with the place of each, and the keys that were answered in full."""

    def __init__(self) -> None:
        self.entries: list[Json] = []
        self.answered: set[str] = set()
        self.unmapped: list[NotConsidered] = []
        self.incomplete: dict[ListName, str] = {}
        """The lists of which a part was not sent, each with its place."""
        self._places: list[str] = []

    def take(self, call: Element, prefetch: Element) -> None:
        """Take in what was prefetched. A key counts as answered unless an error or a part stands in its place."""
        for key, value in prefetch.value.items():
            place = f"/prefetch/{key}" if key in KINDS else "/prefetch"
            if value is None:
                self.answered.add(key)
            elif not isinstance(value, dict):
                call.fault(place[1:], "must be a resource, or null where there is nothing")
            else:
                self._answer(key, Element(value, place, call.faults))

    def _answer(self, key: str, value: Element) -> None:
        """Take in one answer. One of which a part is missing does not count as answered, and leaves its list incomplete."""
        resources = [resource for resource in self.add(value) if resource is not None]
        why = _why_not_whole(value, resources, KINDS.get(key, frozenset()))
        if why is None:
            self.answered.add(key)
            return
        for name in (LISTS[key],) if key in LISTS else () if key in KINDS else EVERYTHING:
            self.incomplete.setdefault(name, value.pointer)
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


def _why_not_whole(value: Element, resources: list[Element], wanted: frozenset[str]) -> str | None:
    """Why an answer does not tell all that was asked for; None where it does."""
    failed = any(_is_outcome(one) and tells_of_missing(one) for one in resources)
    if _is_outcome(value) or failed:
        return "The system that was asked reported a problem, so this may not be all."
    if value.text("resourceType") == "Bundle" and (
        cut := next((why for name, why in cut_off(value) if name != "total"), None)
    ):
        return cut
    fitting = [one for one in resources if one.text("resourceType") in wanted]
    others = [one for one in resources if one.text("resourceType") not in wanted | {"OperationOutcome"}]
    if others and not fitting:
        return "It holds nothing of the type that was asked for."
    total = value.number("total") if value.text("resourceType") == "Bundle" else None
    if total is not None and total > len(fitting):
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
