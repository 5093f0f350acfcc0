"""A patient's factors from FHIR resources. What cannot be mapped is named, never dropped, and never taken for absent."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from typing import Any

import msgspec

from careplan.errors import Fault, InvalidPatient
from careplan.fhir.answers import medicine_of, value_of
from careplan.fhir.coding import LOINC, RXNORM, Meanings, code_of, codes, conditions_of, words
from careplan.fhir.days import age_on, day_of
from careplan.fhir.dosage import schedule_of
from careplan.fhir.element import Element
from careplan.fields import KINDS
from careplan.intake import Intake
from careplan.patient import TIME, Patient
from careplan.plan import CarePlan, NotConsidered
from careplan.rulebook.model import ObservationCode, Rulebook

Json = dict[str, Any]

_NOT_TAKEN = {"stopped", "not-taken", "completed", "cancelled", "entered-in-error", "ended", "draft"}
_NOT_TRUE = {"refuted", "entered-in-error"}
_OVER = {"inactive", "remission", "resolved"}


class FromFhir(msgspec.Struct, frozen=True):
    """A patient, where each of its parts stands in the request, and what was left out.

    `origins` leads from a JSON Pointer of the patient to one of the request; `subject` and `sources` are references.
    """

    patient: Patient
    unmapped: list[NotConsidered]
    origins: dict[str, str]
    subject: str | None
    sources: dict[str, str]


def with_unmapped(plan: CarePlan, read: FromFhir | None) -> CarePlan:
    """The plan with what of a Bundle could not be read, beside what no rule considered."""
    if read is None or not read.unmapped:
        return plan
    return msgspec.structs.replace(plan, not_considered=[*plan.not_considered, *read.unmapped])


class FhirReader:
    """Reads patients for one rulebook."""

    def __init__(self, book: Rulebook, intake: Intake) -> None:
        self._book = book
        self._intake = intake
        self._conditions = conditions_of(book)
        self._indications = Meanings("indication", book.codes.indications)
        self._allergies = Meanings("allergies", book.codes.allergies)
        self._diagnoses = [(one.factor, Meanings(one.factor, one.values)) for one in book.codes.diagnoses]

    def read(self, body: object, on: date | None = None, *, drafts: bool = False) -> FromFhir:
        """The patient in a Bundle. `on` is the day of which ages are counted; with `drafts`, orders being made count.

        Raises `InvalidPatient` naming every fault by its place in the request.
        """
        faults: list[Fault] = []
        if not isinstance(body, dict) or body.get("resourceType") != "Bundle":
            raise InvalidPatient([Fault(pointer="/resourceType", detail="must be Bundle")])
        bundle = Element(body, "", faults)
        stamp = bundle.text("timestamp")
        if "timestamp" in bundle.value and not re.fullmatch(TIME, stamp or ""):
            bundle.fault("timestamp", "must be a time such as 2026-01-31T14:00:00Z")
        mapping = _Mapping(self._book, self._conditions, self._indications, self._allergies, day_of(stamp) or on)
        mapping.diagnoses = self._diagnoses
        mapping.not_taken = _NOT_TAKEN - {"draft"} if drafts else _NOT_TAKEN
        if any(link.text("relation") == "next" for link in bundle.children("link")):
            bundle.fault("link", "says that this is one page of several; send all of it")
        for entry in bundle.children("entry"):
            resource = entry.child("resource")
            if resource is None:
                entry.fault("resource", "is missing")
            else:
                mapping.add(resource, entry.text("fullUrl"))
        return self._finished(mapping, faults)

    def _finished(self, mapping: _Mapping, faults: list[Fault]) -> FromFhir:
        body = mapping.finish()
        try:
            patient = self._intake.convert(body)
        except InvalidPatient as error:
            faults += [Fault(pointer=mapping.origin(fault.pointer), detail=fault.detail) for fault in error.faults]
        if faults:
            raise InvalidPatient(sorted(set(faults)))
        return FromFhir(patient, mapping.unmapped, mapping.origins, mapping.subject, mapping.sources)


class _Mapping:
    """One Bundle on its way to a request body."""

    def __init__(
        self, book: Rulebook, conditions: Meanings, indications: Meanings, allergies: Meanings, on: date | None
    ) -> None:
        self._book = book
        self._conditions = conditions
        self._indications = indications
        self._allergies = allergies
        self._on = on
        self._body: Json = {}
        self._medicines: dict[str, Element] = {}
        self._later: list[tuple[Element, str]] = []
        self._allergic: list[tuple[Element, str, str, str]] = []
        self._diagnosed: list[tuple[str, str, Element]] = []
        self._numbers: dict[str, dict[str, tuple[float, str]]] = {}
        self.not_taken = _NOT_TAKEN
        self.diagnoses: Sequence[tuple[str, Meanings]] = ()
        self.unmapped: list[NotConsidered] = []
        self.origins: dict[str, str] = {}
        self.subject: str | None = None
        self.sources: dict[str, str] = {}

    def add(self, resource: Element, full_url: str | None) -> None:
        """Take a resource in."""
        kind, name = resource.text("resourceType"), resource.text("id")
        if kind is None or not re.fullmatch("[A-Z][A-Za-z]*", kind):
            resource.fault("resourceType", "must be the name of a type of resource")
            return
        reference = f"{kind}/{name}" if name else full_url or ""
        match kind:
            case "Patient":
                self._patient(resource, reference)
            case "MedicationStatement" | "MedicationRequest":
                self._later.append((resource, reference))
            case "Medication":
                self._medicines |= {key: resource for key in (reference, full_url) if key}
            case "Condition":
                self._condition(resource, reference)
            case "AllergyIntolerance":
                self._allergy(resource, reference)
            case "Observation":
                self._observation(resource)
            case "QuestionnaireResponse":
                self._answers(resource)
            case "OperationOutcome":
                self._skip(resource, "OperationOutcome", "It reports a problem of the system that sent it, not a fact.")
            case _:
                self._skip(resource, kind, "Resources of this type are not read.")

    def finish(self) -> Json:
        """The request body, once every resource is in."""
        for resource, reference in self._later:
            self._medication(resource, reference)
        for observation in self._book.codes.observations:
            self._product(observation)
        for factor, value, at in self._diagnosed:
            self._put_graver(factor, value, at)
        listed = "conditions" in self._body
        for resource, reference, name, token in self._allergic:
            if token not in self._body.setdefault("conditions", []):
                self._list("conditions", token, resource, reference)
            if not listed:  # An allergy alone does not say that there are no other conditions.
                self._list("other_conditions", name[:200], resource, reference)
        return self._body

    def origin(self, pointer: str) -> str:
        """Where in the Bundle a part of the patient came from."""
        while pointer:
            if pointer in self.origins:
                return self.origins[pointer]
            pointer = pointer.rpartition("/")[0]
        return "/entry"

    def _skip(self, at: Element, what: str, why: str) -> None:
        self.unmapped.append(NotConsidered(pointer=at.pointer, what=what, why=why))

    def _put(self, factor: str, value: object, at: Element) -> None:
        kind, _, field = factor.rpartition(".")
        into = self._body.setdefault(kind, {}) if kind else self._body
        pointer = f"/{factor.replace('.', '/')}"
        if into.get(field, value) != value:
            self._skip(at, factor, "Another resource gives another value; the first one counts.")
            return
        into[field] = value
        self.origins.setdefault(pointer, at.pointer)

    def _put_graver(self, factor: str, value: str, at: Element) -> None:
        """An answer that a diagnosis gives; of two, the one that comes later in the vocabulary, which is the graver one."""
        kind, _, field = factor.rpartition(".")
        tokens, before = list(self._book.vocabulary.fields[factor].values), self._body.get(kind, {}).get(field)
        if before in tokens and tokens.index(before) < tokens.index(value):
            where = Element({}, self.origins[f"/{kind}/{field}"], [])
            self._skip(where, factor, "A diagnosis says something graver, which counts.")
            del self._body[kind][field]
        self._put(factor, value, at)

    def _list(self, field: str, value: object, at: Element, reference: str) -> None:
        entries = self._body.setdefault(field, [])
        pointer = f"/{field}/{len(entries)}"
        entries.append(value)
        self.origins[pointer] = at.pointer
        if reference:
            self.sources[pointer] = reference

    def _patient(self, resource: Element, reference: str) -> None:
        if self.subject is not None:
            self._skip(resource, "Patient", "The request has another patient already.")
            return
        self.subject = reference or None
        born = resource.text("birthDate")
        if born is None:
            return
        if self._on is None:
            self._skip(resource, "birthDate", "Without Bundle.timestamp there is no day of which to count the age.")
        elif (age := age_on(born, self._on)) is None:
            self._skip(resource, "birthDate", "It is not exact enough to count the age.")
        else:
            self._put("age_years", age, resource)

    def _medication(self, resource: Element, reference: str) -> None:
        status, concept = resource.text("status"), self._concept(resource)
        name = words(concept)
        if status in self.not_taken or resource.flag("doNotPerform"):
            self._skip(
                resource, name or "medicine", f"Its status says that it is not taken now ({status or 'not to be given'})."
            )
            return
        if name is None:
            self._skip(resource, "medicine", "It has neither a code nor a text, nor a Medication in the Bundle.")
            name = "unnamed medicine"
        rxcui = next((one.code for one in codes(concept) if one.system == RXNORM), None)
        entry: Json = {"name": name[:200]}
        if rxcui and rxcui.isascii() and rxcui.isdigit() and len(rxcui) <= 8:
            entry["rxcui"] = rxcui
        dosages = [*resource.children("dosage"), *resource.children("dosageInstruction")]
        if schedule := schedule_of(dosages):
            entry["schedule"] = schedule
        elif dosages:
            self._skip(dosages[0], f"dosage of {name}", "How it is taken could not be read from it, so it is asked for.")
        reasons = [code for reason in resource.children("reasonCode") for code in codes(reason)]
        meant = self._indications.of(reasons)
        if len(meant) == 1:
            entry["indication"] = meant[0]
        elif reasons:
            self._skip(resource, f"reason for {name}", "It could not be read from its codes, so it is asked for.")
        self._list("medications", entry, resource, reference)

    def _concept(self, resource: Element) -> Element | None:
        if "medicationCodeableConcept" in resource:
            return resource.child("medicationCodeableConcept")
        pointed = resource.child("medicationReference")
        to = (pointed.text("reference") or "") if pointed else ""
        contained = {f"#{one.text('id')}": one for one in resource.children("contained")}
        medicine = contained.get(to) or self._medicines.get(to)
        if medicine is not None:
            return medicine.child("code")
        return None

    def _condition(self, resource: Element, reference: str) -> None:
        concept = resource.child("code")
        name = words(concept) or "condition without a name"
        status, sure = code_of(resource.child("clinicalStatus")), code_of(resource.child("verificationStatus"))
        if sure in _NOT_TRUE:
            self._skip(resource, name, f"Its verification status is {sure}.")
            return
        answers = [(factor, found) for factor, known in self.diagnoses for found in known.of(codes(concept))]
        if answers and status not in _OVER:
            self._diagnosed += [(factor, value, resource) for factor, value in answers]
            self._body.setdefault("conditions", [])
            return
        meant = self._conditions.of(codes(concept))
        if status in _OVER:
            known = [(token, self._book.conditions[token]) for token in meant]
            meant = [one.when_over or token for token, one in known if one.when_over or one.also_when_over]
            if not meant:
                self._skip(resource, name, f"Its clinical status is {status}.")
                return
        self._body.setdefault("conditions", [])
        for token in meant:
            if token not in self._body["conditions"]:
                self._list("conditions", token, resource, reference)
        if not meant:
            self._list("other_conditions", name[:200], resource, reference)

    def _allergy(self, resource: Element, reference: str) -> None:
        concept = resource.child("code")
        name = words(concept) or "allergy without a name"
        meant = self._allergies.of(codes(concept))
        meant += [token for token, entry in self._book.codes.allergies.items() if name.casefold() in entry.names]
        if code_of(resource.child("verificationStatus")) in _NOT_TRUE or not meant:
            self._skip(resource, name, "No rule of this rulebook looks at this allergy.")
            return
        self._allergic += [(resource, reference, name, token) for token in dict.fromkeys(meant)]

    def _observation(self, resource: Element) -> None:
        concept = resource.child("code")
        found = list(codes(concept))
        loinc = {one.code for one in found if one.system == LOINC}
        name = words(concept) or "observation without a name"
        known = next((one for one in self._book.codes.observations if loinc & set(one.loinc)), None)
        if known is None or resource.text("status") in ("cancelled", "entered-in-error"):
            self._skip(resource, name, "No factor of the request is made from it.")
        elif known.values:
            concept = resource.child("valueCodeableConcept")
            meant = Meanings(known.factor, known.values).of(codes(concept))
            if len(meant) == 1:
                self._put(known.factor, meant[0], resource)
            else:
                self._skip(resource, name, "Its value is none that a request can give.")
        else:
            self._quantity(resource, known, next(iter(loinc & set(known.loinc))), name)

    def _quantity(self, resource: Element, known: ObservationCode, loinc: str, name: str) -> None:
        quantity = resource.child("valueQuantity")
        value = quantity.number("value") if quantity else resource.number("valueInteger")
        unit = (quantity.text("code") or quantity.text("unit")) if quantity else None
        if value is None or (unit is not None and unit not in known.units) or (quantity and "comparator" in quantity):
            self._skip(resource, name, f"It gives no plain number in {' or '.join(known.units)}.")
            return
        self._numbers.setdefault(known.factor, {}).setdefault(loinc, (value, resource.pointer))

    def _product(self, known: ObservationCode) -> None:
        parts = self._numbers.get(known.factor, {})
        if not parts:
            return
        first = next(pointer for _, pointer in parts.values())
        if len(parts) < len(known.loinc):
            why = f"It takes observations {' and '.join(known.loinc)} together to make a factor of it."
            self.unmapped.append(NotConsidered(pointer=first, what=known.factor, why=why))
            return
        value = known.times
        for number, _ in parts.values():
            value *= number
        self._put(known.factor, value, Element({}, first, []))

    def _answers(self, response: Element) -> None:
        for item in response.children("item"):
            factor = (item.text("linkId") or "").strip("/").replace("/", ".")
            if factor == "medications":
                self._list("medications", medicine_of(item), item, "")
                continue
            self._answers(item)
            answers = list(item.children("answer"))
            if not answers:
                continue
            kind, _, field = factor.rpartition(".")
            described = KINDS[kind or "patient"].fields.get(field) if (kind or "patient") in KINDS else None
            values = [value for answer in answers if (value := value_of(answer)) is not None]
            if factor == "conditions":
                for value in values:
                    self._list("conditions" if value in self._book.conditions else "other_conditions", value, item, "")
                self._body.setdefault("conditions", [])
            elif factor == "expectations.goals":
                self._put(factor, [str(value) for value in values], item)
            elif described is None or not described.sent or KINDS[kind or "patient"].many or len(values) != 1:
                self._skip(item, item.text("text") or "answer", "No factor of the request is made from it.")
            else:
                self._put(factor, values[0], item)
