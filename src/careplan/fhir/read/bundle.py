"""A patient's factors from FHIR resources. What cannot be mapped is named, never dropped, and never taken for absent."""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import date

import msgspec

from careplan.errors import Fault, InvalidPatient
from careplan.fhir.read.ages import age_on, day_of
from careplan.fhir.read.conditions import IllnessReader
from careplan.fhir.read.element import Element
from careplan.fhir.read.medications import MedicineReader
from careplan.fhir.read.observations import ObservationReader
from careplan.fhir.read.patient_builder import Gathering, Tables
from careplan.fhir.read.questionnaire_responses import AnswerReader
from careplan.fhir.read.references import References, subjects_of
from careplan.fhir.read.resource_status import MODIFIED, is_modified
from careplan.plan.model import CarePlan, NotConsidered
from careplan.request.decode import Intake
from careplan.request.patient import TIME, Patient
from careplan.rulebook.model import Rulebook

_OF_SOMEBODY = frozenset(
    {"MedicationStatement", "MedicationRequest", "Condition", "AllergyIntolerance", "Observation", "QuestionnaireResponse"}
)
_READ_WITHIN = frozenset({"Condition", "AllergyIntolerance", "Observation"})
"""What counts by itself where it is contained in another resource."""


class FromFhir(msgspec.Struct, frozen=True):
    """A patient, where each of its parts stands in the request, and what was left out.

    `origins` leads from a JSON Pointer of the patient to one of the request; `subject` and `sources` are references.
    `ordered` are the pointers of medicines that are being ordered; `treats` says that the treatment itself is.
    """

    patient: Patient
    unmapped: list[NotConsidered]
    origins: dict[str, str]
    subject: str | None
    sources: dict[str, str]
    ordered: tuple[str, ...] = ()
    treats: bool = False


def with_unmapped(plan: CarePlan, read: FromFhir | None) -> CarePlan:
    """The plan with what of a Bundle could not be read, beside what no rule considered."""
    if read is None or not read.unmapped:
        return plan
    return msgspec.structs.replace(plan, not_considered=[*plan.not_considered, *read.unmapped])


class FhirReader:
    """Reads patients for one rulebook."""

    def __init__(self, book: Rulebook, intake: Intake) -> None:
        self._tables = Tables(book)
        self._intake = intake

    def read(
        self, body: object, on: date | None = None, *, orders: Collection[int] = (), subject: str | None = None
    ) -> FromFhir:
        """The patient in a Bundle.

        `on` is the day of which ages are counted. `orders` are the numbers of the entries that are being ordered, and
        `subject` is the reference to the patient, where the caller knows it. Raises `InvalidPatient` naming every fault
        by its place in the request.
        """
        faults: list[Fault] = []
        if not isinstance(body, dict) or body.get("resourceType") != "Bundle":
            raise InvalidPatient([Fault(pointer="/resourceType", detail="must be Bundle")])
        bundle = Element(body, "", faults)
        stamp = bundle.text("timestamp")
        if "timestamp" in bundle.value and not re.fullmatch(TIME, stamp or ""):
            bundle.fault("timestamp", "must be a time such as 2026-01-31T14:00:00Z")
        if any(link.text("relation") == "next" for link in bundle.children("link")):
            bundle.fault("link", "says that this is one page of several; send all of it")
        mapping = _Mapping(self._tables, day_of(stamp) or on, subject)
        for at, entry in enumerate(bundle.children("entry")):
            resource = entry.child("resource")
            if resource is None:
                entry.fault("resource", "is missing")
            elif is_modified(entry):
                mapping.gathering.skip(entry, resource.text("resourceType") or "entry", MODIFIED)
            else:
                mapping.add(resource, entry.text("fullUrl"), ordering=at in orders)
        mapping.read()
        return self._finished(mapping, faults)

    def _finished(self, mapping: _Mapping, faults: list[Fault]) -> FromFhir:
        gathering = mapping.gathering
        try:
            patient = self._intake.convert(gathering.body)
        except InvalidPatient as error:
            faults += [Fault(pointer=gathering.origin(fault.pointer), detail=fault.detail) for fault in error.faults]
        if faults:
            raise InvalidPatient(sorted(set(faults)))
        ordered, treats = tuple(mapping.medicines.ordered), mapping.medicines.treats
        return FromFhir(patient, gathering.unmapped, gathering.origins, mapping.subject, gathering.sources, ordered, treats)


class _Mapping:
    """One Bundle on its way to a request body: first everything is gathered, because references may lead anywhere."""

    def __init__(self, tables: Tables, on: date | None, subject: str | None) -> None:
        self.gathering = Gathering(tables, on)
        self._references = References()
        self._references.about(subject)
        self._resources: list[tuple[Element, str, str | None, bool]] = []
        self._patient: Element | None = None
        self.subject = subject
        self.medicines = MedicineReader(self.gathering, self._references)
        self._illnesses = IllnessReader(self.gathering)
        self._observations = ObservationReader(self.gathering)
        self._answers = AnswerReader(self.gathering, self._references)

    def add(self, resource: Element, full_url: str | None, *, ordering: bool) -> None:
        """Take note of a resource."""
        kind, name = resource.text("resourceType"), resource.text("id")
        if kind is None or not re.fullmatch("[A-Z][A-Za-z]*", kind):
            resource.fault("resourceType", "must be the name of a type of resource")
            return
        self._references.add(resource, full_url)
        self._resources.append((resource, f"{kind}/{name}" if name else full_url or "", full_url, ordering))
        if kind == "Patient" and self._patient is None and (self.subject is None or self.subject == f"Patient/{name}"):
            self._patient = resource
            self.subject = self.subject or (f"Patient/{name}" if name else full_url)
            self._references.about(self.subject, full_url)

    def read(self) -> None:
        """Read everything that was added."""
        if self._patient is None and self.subject is None:
            self._find_subject()
        for resource, reference, _, ordering in self._resources:
            self._one(resource, reference, ordering=ordering)
        self._observations.finish()
        self._answers.finish()
        self._illnesses.finish()
        self.gathering.settle()

    def _find_subject(self) -> None:
        of_somebody = [one for one, *_ in self._resources if one.text("resourceType") in _OF_SOMEBODY]
        named = subjects_of(of_somebody)
        for resource in list(named.values())[1:]:
            resource.fault("subject", "is another than that of an entry before; send the Patient of whom the plan is")
        self._references.about(*named)
        self.subject = next(iter(named), None)

    def _one(self, resource: Element, reference: str, *, ordering: bool = False) -> None:
        kind = resource.text("resourceType") or ""
        if kind in _OF_SOMEBODY and self._references.is_other(resource):
            self.gathering.skip(resource, kind, "It is about somebody else, or it cannot be seen whom it is about.")
            return
        if is_modified(resource):
            self.gathering.skip(resource, kind, MODIFIED)
            return
        match kind:
            case "Patient":
                self._person(resource)
            case "MedicationStatement" | "MedicationRequest":
                self.medicines.read(resource, reference, ordering=ordering and kind == "MedicationRequest")
            case "Medication":
                pass  # Read by the references that lead to it.
            case "Condition":
                self._illnesses.condition(resource, reference)
            case "AllergyIntolerance":
                self._illnesses.allergy(resource, reference)
            case "Observation":
                self._observations.read(resource)
            case "QuestionnaireResponse":
                self._answers.read(resource)
            case "OperationOutcome":
                why = "It reports a problem of the system that sent it, not a fact."
                self.gathering.skip(resource, "OperationOutcome", why)
            case _:
                self.gathering.skip(resource, kind, "Resources of this type are not read.")
        self._contained(resource)

    def _contained(self, resource: Element) -> None:
        """What a resource has within it: medicines are read by reference, facts by themselves, all else is reported."""
        for inner in resource.children("contained"):
            kind = inner.text("resourceType") or "resource"
            if kind in _READ_WITHIN:
                self._one(inner, "")
            elif kind != "Medication":
                self.gathering.skip(inner, kind, "Resources of this type are not read.")

    def _person(self, resource: Element) -> None:
        if resource is not self._patient:
            self.gathering.skip(resource, "Patient", "The plan is for another patient of the request.")
            return
        if resource.value.get("deceasedBoolean") or resource.value.get("deceasedDateTime"):
            self.gathering.skip(resource, "Patient", "The record says that this patient has died.")
        born, on = resource.text("birthDate"), self.gathering.on
        if born is None:
            return
        if on is None:
            why = "Without Bundle.timestamp there is no day of which to count the age."
            self.gathering.skip(resource, "birthDate", why)
        elif (age := age_on(born, on)) is None or not self.gathering.claim("age_years", age, resource, None):
            self.gathering.skip(resource, "birthDate", "It is not exact enough to count the age, or no age can come of it.")
