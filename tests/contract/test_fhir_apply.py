"""`$apply` plans for the subject it is asked for or says why not; nothing that it does not use passes unnamed."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import httpx
import pytest

from careplan.batch.answer_lines import Answering
from careplan.batch.ndjson import Line
from careplan.errors import InvalidPatient
from careplan.fhir.cds_hooks.call import read_call
from careplan.fhir.cds_hooks.cards import Cards
from careplan.fhir.read.bundle import Deceased, FhirReader, FromFhir
from careplan.fhir.read.parameters import read_applied
from careplan.planner import Planner
from careplan.rulebook.model import Rulebook
from tests.contract.records import bundle, entry, incomplete, medicines, patient, reported, statement

Json = dict[str, Any]

NAMES = ["PlanDefinition/ketamine-care|0.1.0", "urn:careplan:rulebook:ketamine-care|0.1.0"]
BOTH = bundle(
    patient("a"),
    patient("b"),
    statement("m1", "lisinopril", subject={"reference": "Patient/a"}),
    statement("m2", "lorazepam", subject={"reference": "Patient/b"}),
)
ONE = bundle(patient("a"), statement("m1", "lisinopril", subject={"reference": "Patient/a"}))


def parameters(data: Json | None, *more: Json) -> Json:
    named = [{"name": "data", "resource": data}] if data else []
    return {"resourceType": "Parameters", "parameter": [*named, *more]}


def subject(reference: str) -> Json:
    return {"name": "subject", "valueString": reference}


def apply(reader: FhirReader, body: Json) -> FromFhir:
    return read_applied(body, reader, NAMES)


def places(reader: FhirReader, body: object) -> list[str]:
    with pytest.raises(InvalidPatient) as refused:
        read_applied(body, reader, NAMES)
    return [fault.pointer for fault in refused.value.faults]


@pytest.mark.parametrize(("name", "taken"), [("a", ["lisinopril"]), ("b", ["lorazepam"])])
@pytest.mark.parametrize(
    "value",
    [
        lambda name: {"valueString": f"Patient/{name}"},
        lambda name: {"valueReference": {"reference": f"Patient/{name}/_history/2"}},
        lambda name: {"valueUri": f"Patient/{name}"},
        lambda name: {"resource": {"resourceType": "Patient", "id": name}},
    ],
)
def test_the_plan_is_for_the_subject(reader: FhirReader, name: str, taken: list[str], value: Any) -> None:
    found = apply(reader, parameters(BOTH, {"name": "subject"} | value(name)))
    assert (medicines(found), found.subject) == (taken, f"Patient/{name}")
    assert reported(found)[0] in ("Patient", "MedicationStatement")


@pytest.mark.parametrize(
    ("body", "place"),
    [
        (parameters(BOTH, subject("Patient/zzz")), "/parameter/1/valueString"),
        (parameters(ONE, subject("Patient/b")), "/parameter/1/valueString"),
        (parameters(ONE, subject("https://elsewhere.example/fhir/Patient/a")), "/parameter/1/valueString"),
        (parameters(bundle(*ONE["entry"][1:]), subject("Patient/b")), "/parameter/1/valueString"),
        (parameters(BOTH, subject("Group/a")), "/parameter/1/valueString"),
        (parameters(BOTH, {"name": "subject"}), "/parameter/1/valueString"),
        (parameters(BOTH, subject("Patient/a"), subject("Patient/b")), "/parameter/2/valueString"),
        (parameters(BOTH), "/parameter/0/resource/entry/1/resource/id"),
        (parameters(None, subject("Patient/a")), "/parameter"),
        (parameters(ONE) | {"parameters": []}, "/parameters"),
        (parameters(ONE | {"entries": []}), "/parameter/0/resource/entries"),
        (parameters(bundle(patient("a", deceasedBoolean=True))), "/parameter/0/resource/entry/0/resource/deceasedBoolean"),
    ],
)
def test_a_call_that_cannot_be_followed_is_refused_with_the_place(reader: FhirReader, body: Json, place: str) -> None:
    assert places(reader, body) == [place]


def test_a_subject_of_whom_nobody_says_anything_else_is_taken(reader: FhirReader) -> None:
    nameless = bundle(entry("MedicationStatement", "m", status="active", medicationCodeableConcept={"text": "lorazepam"}))
    found = apply(reader, parameters(nameless, subject("Patient/a")))
    assert (medicines(found), found.subject) == (["lorazepam"], "Patient/a")


@pytest.mark.parametrize(
    "more",
    [
        {"name": "practitioner", "valueString": "Practitioner/1"},
        {"name": "nonsense", "valueBoolean": True},
        {"name": "userLanguage", "valueCodeableConcept": {"text": "en"}},
        {"valueString": "x"},
    ],
)
def test_a_parameter_that_is_not_used_is_named(reader: FhirReader, more: Json) -> None:
    found = apply(reader, parameters(ONE, more))
    assert [(one.pointer, one.what) for one in found.unmapped] == [("/parameter/1", more.get("name", "parameter"))]
    assert incomplete(found) == []


@pytest.mark.parametrize("name", ["data", "prefetch", "parameters"])
def test_a_second_record_is_not_read_and_makes_the_lists_incomplete(reader: FhirReader, name: str) -> None:
    more = {"name": name, "resource": bundle(statement("n", "phenelzine", subject={"reference": "Patient/a"}))}
    found = apply(reader, parameters(ONE, more))
    assert (medicines(found), incomplete(found)) == (["lisinopril"], ["medications", "conditions"])
    assert reported(found) == [name]


@pytest.mark.parametrize(
    ("definition", "fits"),
    [
        ({"valueUri": "urn:careplan:rulebook:ketamine-care"}, True),
        ({"valueCanonical": "urn:careplan:rulebook:ketamine-care|0.1.0"}, True),
        ({"valueReference": {"reference": "PlanDefinition/ketamine-care"}}, True),
        ({"resource": {"resourceType": "PlanDefinition", "id": "ketamine-care"}}, True),
        ({"valueCanonical": "urn:careplan:rulebook:ketamine-care|9"}, False),
        ({"valueReference": {"reference": "PlanDefinition/other"}}, False),
        ({"valueUri": "https://elsewhere.example/PlanDefinition/ketamine-care"}, False),
        ({"resource": {"resourceType": "PlanDefinition", "url": "urn:x", "id": "ketamine-care"}}, False),
        ({}, False),
    ],
)
@pytest.mark.parametrize("name", ["planDefinition", "url"])
def test_another_plan_definition_is_refused(reader: FhirReader, name: str, definition: Json, *, fits: bool) -> None:
    body = parameters(ONE, {"name": name} | definition)
    if fits:
        assert reported(apply(reader, body)) == []
    else:
        assert places(reader, body)[0].startswith("/parameter/1/")


@pytest.mark.parametrize(
    ("body", "hint"),
    [
        ({"resourceType": "Bundle", "entries": []}, "entry"),
        ({"resourceType": "Bundle", "timeStamp": "2026-01-01"}, "timestamp"),
        ({"resourceType": "Parameters", "parameters": []}, "parameter"),
    ],
)
def test_a_misspelt_part_is_refused_with_the_right_name(reader: FhirReader, body: Json, hint: str) -> None:
    with pytest.raises(InvalidPatient) as refused:
        read_applied(body, reader, NAMES)
    details = {fault.pointer: fault.detail for fault in refused.value.faults}
    (name,) = body.keys() - {"resourceType"}
    assert details[f"/{name}"].endswith(f"did you mean {hint}?")


def test_a_part_that_is_no_name_is_not_repeated(reader: FhirReader) -> None:
    with pytest.raises(InvalidPatient) as refused:
        reader.read({"resourceType": "Bundle", "Pat Doe, 1980": []})
    assert "Doe" not in str(refused.value.faults)


DEAD: list[Json] = [
    {"deceasedBoolean": True},
    {"deceasedDateTime": "2026-01-01"},
    {"_deceasedDateTime": {"extension": [{"url": "http://example.org/unknown"}]}},
    {"deceasedBoolean": True, "modifierExtension": [{"url": "http://example.org/odd"}]},
]


@pytest.mark.parametrize("dead", DEAD)
def test_nobody_who_has_died_gets_a_plan(reader: FhirReader, planner: Planner, book: Rulebook, dead: Json) -> None:
    body = bundle(patient(**dead), statement("m", "lorazepam"))
    with pytest.raises(Deceased):
        reader.read(body)
    line = Answering(planner).answer(Line(1, json.dumps(body).encode()))
    assert line.failed
    assert b"has died" in line.body
    prefetch = {"patient": patient(**dead)["resource"], "statements": None, "conditions": None}
    context = {"userId": "Practitioner/7", "patientId": "p"}
    sent = {"hook": "patient-view", "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea", "context": context}
    call = read_call(sent | {"prefetch": prefetch}, reader, date(2026, 11, 28))
    assert call.died
    (card,) = Cards(book.about, book.rules, book.codes.override_reasons).of_the_deceased(call.instance)
    assert (card["indicator"], "has died" in card["summary"]) == ("info", True)
    assert reader.read(bundle(patient(deceasedBoolean=False))).patient.age_years is None


def test_over_http_the_answer_is_for_the_subject_or_an_outcome(address: str) -> None:
    url, fhir = f"{address}/fhir/PlanDefinition/$apply", {"Content-Type": "application/fhir+json"}
    answer = httpx.post(url, json=parameters(BOTH, subject("Patient/b")), headers=fhir)
    assert answer.status_code == 200
    plan = answer.json()["entry"][0]["resource"]
    assert plan["subject"] == {"reference": "Patient/b"}
    assert "lorazepam" in answer.text
    assert "lisinopril" not in answer.text
    refused = httpx.post(url, json=parameters(BOTH, subject("Patient/zzz")), headers=fhir)
    assert refused.status_code == 422
    assert refused.json()["resourceType"] == "OperationOutcome"
    assert refused.json()["issue"][0]["expression"] == ["Parameters.parameter[1].valueString"]
    assert "zzz" not in refused.text
    dead = httpx.post(url, json=bundle(patient(deceasedBoolean=True)), headers=fhir)
    assert (dead.status_code, dead.json()["resourceType"]) == (422, "OperationOutcome")
    prefetch = {"patient": patient(deceasedBoolean=True)["resource"], "statements": None, "conditions": None}
    context = {"userId": "Practitioner/7", "patientId": "p"}
    sent = {"hook": "patient-view", "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea", "context": context}
    cards = httpx.post(f"{address}/cds-services/ketamine-care-plan", json=sent | {"prefetch": prefetch})
    assert [card["indicator"] for card in cards.json()["cards"]] == ["info"]
