"""Clinical records for tests: entries of one patient, `Patient/p`."""

from __future__ import annotations

from typing import Any

from careplan.fhir.read.bundle import Asked, FhirReader, FromFhir

Json = dict[str, Any]

AT = "2026-11-28T10:00:00Z"
OWN = {"reference": "Patient/p"}


def entry(kind: str, name: str | None = None, *, url: str | None = None, **rest: object) -> Json:
    """An entry that holds one resource; `url` is its fullUrl."""
    resource = {"resourceType": kind} | ({"id": name} if name else {}) | rest
    return {"resource": resource} | ({"fullUrl": url} if url else {})


def patient(name: str = "p", **rest: Any) -> Json:
    return entry("Patient", name, **rest)


def statement(name: str, text: str | None = None, **rest: Any) -> Json:
    """A medicine that is taken, by a text."""
    called = {"medicationCodeableConcept": {"text": text}} if text else {}
    return entry("MedicationStatement", name, **({"status": "active", "subject": OWN} | called | rest))


def problem(name: str, text: str, **rest: Any) -> Json:
    return entry("Condition", name, **({"subject": OWN, "code": {"text": text}} | rest))


def bundle(*entries: Json, **rest: object) -> Json:
    return {"resourceType": "Bundle", "type": "collection", "timestamp": AT, "entry": list(entries)} | rest


def read(reader: FhirReader, *entries: Json, asked: Asked | None = None, **rest: object) -> FromFhir:
    return reader.read(bundle(*entries, **rest), asked=asked)


def medicines(found: FromFhir) -> list[str | None] | None:
    """The names on the list of medicines; None where there is no list."""
    listed = found.patient.medications
    return None if listed is None else [one.name for one in listed]


def incomplete(found: FromFhir) -> list[str]:
    return list(found.patient.incomplete)


def reported(found: FromFhir) -> list[str]:
    return [one.what for one in found.unmapped]
