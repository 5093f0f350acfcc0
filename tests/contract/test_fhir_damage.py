"""Whatever is damaged in a record, it takes nothing else away, and what it was itself counts, is judged or is missed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from careplan.errors import InvalidPatient
from careplan.fhir.read.bundle import FhirReader, FromFhir
from careplan.fhir.read.parameters import read_applied
from tests.contract.records import OWN, bundle, entry, medicines, patient, problem, statement
from tests.contract.test_fhir import ANYTHING

Json = dict[str, Any]
Place = tuple[str | int, ...]

SERVER = "https://ehr.example/fhir"
NARDIL = entry(
    "MedicationStatement",
    "f",
    url=f"{SERVER}/MedicationStatement/f",
    status="active",
    subject=OWN,
    meta={"versionId": "3", "lastUpdated": "2026-01-01T00:00:00Z", "tag": [{"code": "x"}]},
    medicationReference={"reference": "#med"},
    contained=[
        {
            "resourceType": "Medication",
            "id": "med",
            "code": {"text": "Nardil"},
            "ingredient": [{"itemCodeableConcept": {"text": "phenelzine"}}],
        }
    ],
    dosage=[{"timing": {"repeat": {"frequency": 1, "period": 1, "periodUnit": "d", "dayOfWeek": ["mon"]}}}],
)
FORM = entry(
    "QuestionnaireResponse",
    "q",
    status="in-progress",
    subject=OWN,
    item=[
        {"linkId": "medications", "item": [{"linkId": "medications.name", "answer": [{"valueString": "lithium"}]}]},
        {"linkId": "red_flags.suicidal_thoughts", "answer": [{"valueCoding": {"code": "passive"}}]},
    ],
)
RECORD = bundle(
    patient(url=f"{SERVER}/Patient/p", birthDate="1980-01-01", identifier=[{"system": "urn:mrn", "value": "7"}]),
    statement("s", "sertraline"),
    problem("h", "Hypertension"),
    NARDIL,
    FORM,
    entry("Composition", "c", subject=OWN, section=[{"entry": [{"reference": "MedicationStatement/s"}]}]),
    entry("MedicationDispense", "d", status="completed", subject=OWN, authorizingPrescription=[{"reference": "x"}]),
    {"request": {"method": "DELETE", "url": "MedicationStatement/gone"}},
    type="history",
)
WHOLE = RECORD | {"entry": RECORD["entry"][:4]}
"""A record of which nothing is missing."""
JUDGED = ("Its status", "Its period", "Its adherence", "Its intent", "It says that this", "It is about somebody else.")
"""Reasons for which an entry that was read does not count."""


def places(value: object, path: Place = ()) -> Iterator[Place]:
    if path:
        yield path
    for key, part in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from places(part, (*path, key))


def damaged(body: Json, place: Place, value: object) -> Json:
    """A copy with another value in one place; with the place gone where the value is `...`."""
    found: Any = json.loads(json.dumps(body))  # Nothing shared between entries.
    target = found
    for key in place[:-1]:
        target = target[key]
    if value is ...:
        del target[place[-1]]
    else:
        target[place[-1]] = value
    return found  # type: ignore[no-any-return]


def read_or_refused(reader: FhirReader, body: Json) -> FromFhir | None:
    try:
        return read_applied(body, reader, [])
    except InvalidPatient as error:
        assert error.faults
        assert all(fault.pointer == "" or fault.pointer.startswith("/") for fault in error.faults)
        return None


VALUES = ANYTHING | st.just(...)


@given(st.sampled_from(list(places(RECORD))), VALUES)
@settings(max_examples=250)
def test_whatever_is_damaged_a_record_is_read_or_refused_with_a_place(
    reader: FhirReader, place: Place, value: object
) -> None:
    read_or_refused(reader, damaged(RECORD, place, value))


@given(st.sampled_from([place for place in places(WHOLE) if place[:2] == ("entry", 3) and len(place) > 2]), VALUES)
@settings(max_examples=250)
def test_a_damaged_medicine_counts_or_is_judged_or_is_missed_and_takes_nothing_else_away(
    reader: FhirReader, place: Place, value: object
) -> None:
    found = read_or_refused(reader, damaged(WHOLE, place, value))
    if found is None:
        return
    listed = medicines(found) or []
    assert "sertraline" in listed
    assert found.patient.other_conditions == ["Hypertension"]
    own = [one.why for one in found.unmapped if one.pointer.startswith("/entry/3")]
    named = any(name and ("Nardil" in name or "phenelzine" in name) for name in listed)
    judged = any(why.startswith(JUDGED) for why in own)
    assert named or judged or "medications" in found.patient.incomplete


@given(
    st.sampled_from([place for place in places(FORM) if "item" in place]),
    VALUES,
    st.sampled_from(["in-progress", "completed", "amended"]),
)
@settings(max_examples=150)
def test_a_damaged_form_takes_nothing_from_the_rest_of_the_record(
    reader: FhirReader, place: Place, value: object, status: str
) -> None:
    form = damaged(damaged(FORM, place, value), ("resource", "status"), status)
    body = bundle(*RECORD["entry"][:4], form)
    if (found := read_or_refused(reader, body)) is None:
        return
    assert {"sertraline", "Nardil"} <= set(medicines(found) or [])
    assert found.patient.other_conditions[:1] == ["Hypertension"]


PARAMETERS = {
    "resourceType": "Parameters",
    "parameter": [
        {"name": "subject", "valueString": "Patient/p"},
        {"name": "data", "resource": RECORD},
        {"name": "practitioner", "valueReference": {"reference": "Practitioner/1"}},
    ],
}


@given(st.sampled_from([place for place in places(PARAMETERS) if "resource" not in place]), VALUES)
@settings(max_examples=100)
def test_damaged_parameters_are_followed_or_refused_with_a_place(reader: FhirReader, place: Place, value: object) -> None:
    body = damaged(PARAMETERS, place, value)
    found = read_or_refused(reader, body if isinstance(body, dict) else {})
    assert found is None or found.subject == "Patient/p"
