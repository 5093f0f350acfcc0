"""Calls of CDS Hooks and records of FHIR for the patients of the realistic cohort."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import msgspec

from bench.measure import ROOT
from careplan.rulebook.model import Rulebook

Json = dict[str, Any]
YEAR = 2026
"""The year of all calls, from which birth dates are reckoned."""
_PERIODS: Mapping[str, Json] = {
    "daily": {"timing": {"repeat": {"frequency": 1, "period": 1, "periodUnit": "d"}}},
    "weekly": {"timing": {"repeat": {"frequency": 1, "period": 1, "periodUnit": "wk"}}},
    "as_needed": {"asNeededBoolean": True},
}


def call_of(body: bytes, book: Rulebook, number: int) -> bytes:
    """The call that a record system would send for the patient of a request: patient, medicines and conditions as resources.

    `number` tells patients apart. What a call has no resource for (answers, goals, sessions) is left out.
    """
    patient: Json = msgspec.json.decode(body)
    call: Json = json.loads((ROOT / "bench" / "cds-call.json").read_bytes())
    who = f"p{number}"
    call["context"]["patientId"] = who
    found: Json = {"resourceType": "Patient", "id": who}
    if "age_years" in patient:
        found["birthDate"] = f"{YEAR - 1 - patient['age_years']}-{1 + number % 12:02}-{1 + number % 28:02}"
    medicines = [_medicine(entry, at) for at, entry in enumerate(patient.get("medications", ()))]
    said = [_coded(token, book) for token in patient.get("conditions", ())]
    said += [{"text": text} for text in patient.get("other_conditions", ())]
    conditions = [{"resourceType": "Condition", "id": f"c{at}", "code": code} for at, code in enumerate(said)]
    call["prefetch"] |= {"patient": found, "statements": _bundle(medicines, who), "conditions": _bundle(conditions, who)}
    return msgspec.json.encode(call)


def _medicine(entry: Json, at: int) -> Json:
    dosage = _PERIODS.get(entry.get("schedule", ""))
    return {
        "resourceType": "MedicationStatement",
        "id": f"m{at}",
        "status": "active",
        "medicationCodeableConcept": {"text": entry["name"]},
    } | ({"dosage": [dosage]} if dosage else {})


def _coded(token: str, book: Rulebook) -> Json:
    codes = book.conditions[token].icd10
    if not codes:
        return {"text": book.conditions[token].label}
    return {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": codes[0]}]}


def _bundle(resources: list[Json], who: str) -> Json:
    entries = [
        {
            "fullUrl": f"urn:example:{resource['resourceType']}:{resource['id']}",
            "resource": resource | {"subject": {"reference": f"Patient/{who}"}},
        }
        for resource in resources
    ]
    return {"resourceType": "Bundle", "type": "searchset", "entry": entries}
