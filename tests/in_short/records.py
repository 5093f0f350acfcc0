"""What records say by the codes of `codes.yaml` that no text has: each sent in a bundle, and what comes of the patient."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from careplan.fhir.read.bundle import FhirReader
from careplan.request.decode import Intake
from careplan.rulebook.codes import CodeList, ObservationCode
from careplan.rulebook.model import Rulebook
from tests.in_short.edition import Edition
from tests.in_short.layout import by_what_they_say

_DAY = "2026-11-28"
_SYSTEMS = {
    "ICD-9": "http://hl7.org/fhir/sid/icd-9-cm",
    "ICD-10": "http://hl7.org/fhir/sid/icd-10-cm",
    "SNOMED": "http://snomed.info/sct",
    "LOINC": "http://loinc.org",
    "RxNorm": "http://www.nlm.nih.gov/research/umls/rxnorm",
}
_OURS = frozenset({"medications", "as_of", "previous"})


class _Records:
    """Sends one resource in a bundle, and says what of the patient it told."""

    def __init__(self, book: Rulebook) -> None:
        self._reader = FhirReader(book, Intake(book.conditions, book.classes, book.forms))

    def told(self, resource: dict[str, Any]) -> str:
        """The factors that the record has because of a resource."""
        about = {"subject" if resource["resourceType"] != "AllergyIntolerance" else "patient": {"reference": "Patient/1"}}
        entries = [{"resourceType": "Patient", "id": "1"}, resource | about]
        bundle = {"resourceType": "Bundle", "type": "collection", "timestamp": f"{_DAY}T10:00:00Z"}
        patient = self._reader.read(bundle | {"entry": [{"resource": one} for one in entries]}).patient
        found = {name: value for name, value in msgspec.to_builtins(patient).items() if name not in _OURS}
        reasons = [one.indication for one in patient.medications or () if one.indication]
        return ", ".join([*_flat(found), *map(str, reasons)]) or "nothing"


def _flat(found: Any, at: str = "") -> Iterator[str]:
    if isinstance(found, dict):
        for key, value in found.items():
            yield from _flat(value, f"{at}.{key}" if at else key)
    elif isinstance(found, list):
        for value in found:
            yield from _flat(value, at)
    elif found not in (None, "", False):
        yield f"{at} {found}"


def records(now: Edition, asked: Edition) -> Iterator[str]:
    """The codes of one rulebook as the reader of records of another takes them."""
    sender = _Records(now.book)
    yield "# Codes of records in short: what each says of the patient\n"
    yield "A record with this one resource; behind each answer stand the codes that give it."
    codes = asked.book.codes
    yield "\n## Codes of ICD-9 of illnesses\n"
    listed = [code for one in codes.courses.values() for code in one.icd9]
    listed += [code for one in codes.diagnoses for values in one.values.values() for code in values.icd9]
    yield from by_what_they_say((code, sender.told(_condition("ICD-9", code))) for code in sorted(set(listed)))
    yield "\n## Reasons of a medicine\n"
    reasons = [code for one in codes.indications.values() for code in _codes(one)]
    yield from by_what_they_say((f"{system} {code}", sender.told(_reason(system, code))) for system, code in reasons)
    yield "\n## Observations\n"
    for one in codes.observations:
        yield from by_what_they_say((words, sender.told(resource)) for words, resource in _observations(one))
    yield "\n## Allergies and routes\n"
    for allergy in codes.allergies.values():
        yield from by_what_they_say((f"RxNorm {code}", sender.told(_allergy(code))) for code in allergy.rxnorm)
    for route in codes.routes.values():
        yield from by_what_they_say((f"SNOMED {code}", sender.told(_order(code))) for code in route.snomed)


def _codes(one: CodeList) -> Iterator[tuple[str, str]]:
    for system, listed in (("ICD-10", one.icd10), ("SNOMED", one.snomed)):
        yield from ((system, code) for code in listed)


def _coded(system: str, code: str) -> dict[str, Any]:
    return {"coding": [{"system": _SYSTEMS[system], "code": code}]}


def _condition(system: str, code: str) -> dict[str, Any]:
    return {"resourceType": "Condition", "code": _coded(system, code), "recordedDate": _DAY}


def _reason(system: str, code: str) -> dict[str, Any]:
    named = {"medicationCodeableConcept": {"text": "clonazepam"}, "reasonCode": [_coded(system, code)]}
    return {"resourceType": "MedicationStatement", "status": "active"} | named


def _allergy(code: str) -> dict[str, Any]:
    return {"resourceType": "AllergyIntolerance", "code": _coded("RxNorm", code)}


def _order(route: str) -> dict[str, Any]:
    named = {"medicationCodeableConcept": {"text": "ketamine"}, "dosageInstruction": [{"route": _coded("SNOMED", route)}]}
    return {"resourceType": "MedicationRequest", "status": "active", "intent": "order"} | named


def _observations(one: ObservationCode) -> Iterator[tuple[str, dict[str, Any]]]:
    base = {"resourceType": "Observation", "status": "final", "effectiveDateTime": _DAY}
    for code in one.loinc:
        for unit in one.units.get(code, ()):
            quantity = {"valueQuantity": {"value": 3, "unit": unit}}
            yield f"LOINC {code} in {unit}", base | {"code": _coded("LOINC", code)} | quantity
        for values in one.values.values():
            answers: Sequence[tuple[str, str]] = [("SNOMED", x) for x in values.snomed] + [
                ("LOINC", x) for x in values.loinc
            ]
            for system, answer in answers:
                coded = {"valueCodeableConcept": _coded(system, answer)}
                yield f"LOINC {code} answered {system} {answer}", base | {"code": _coded("LOINC", code)} | coded
