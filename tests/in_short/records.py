"""What records say by the codes of `codes.yaml` that no text has: each sent in a bundle, and what comes of the patient."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from careplan.fhir.read.bundle import Asked, FhirReader
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

    def told(self, *resources: dict[str, Any]) -> str:
        """The factors that the record has because of resources."""
        entries: list[dict[str, Any]] = [{"resourceType": "Patient", "id": "1"}]
        for one in resources:
            name = "patient" if one["resourceType"] == "AllergyIntolerance" else "subject"
            entries.append(one | {name: {"reference": "Patient/1"}})
        bundle = {"resourceType": "Bundle", "type": "collection", "timestamp": f"{_DAY}T10:00:00Z"}
        ordered = [at for at, one in enumerate(entries) if one["resourceType"] == "MedicationRequest"]
        asked = Asked(orders=ordered)
        patient = self._reader.read(bundle | {"entry": [{"resource": one} for one in entries]}, asked=asked).patient
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
        yield from by_what_they_say((words, sender.told(*resources)) for words, resources in _observations(one))
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


def _observations(one: ObservationCode) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    base = {"resourceType": "Observation", "status": "final", "effectiveDateTime": _DAY}
    for code in one.loinc:
        for unit in one.units.get(code, ()):
            units = {name: listed[0] for name, listed in one.units.items()} | {code: unit}
            beside = [
                base | {"code": _coded("LOINC", name), "valueQuantity": {"value": 3, "unit": said}}
                for name, said in units.items()
            ]
            yield f"LOINC {code} in {unit}", beside
        for values in one.values.values():
            answers: Sequence[tuple[str, str]] = [("SNOMED", x) for x in values.snomed] + [
                ("LOINC", x) for x in values.loinc
            ]
            for system, answer in answers:
                coded = {"valueCodeableConcept": _coded(system, answer)}
                yield f"LOINC {code} answered {system} {answer}", [base | {"code": _coded("LOINC", code)} | coded]
