"""Calls of CDS Hooks: prefetch and draft orders are of one server, and one resource in both is one."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from careplan.errors import InvalidPatient
from careplan.fhir.cds_hooks.call import HookCall, read_call
from careplan.fhir.read.bundle import FhirReader
from tests.contract.records import OWN, bundle, entry, incomplete, medicines, problem, statement

Json = dict[str, Any]
SERVER = "https://ehr.example/fhir"
DAILY = [{"timing": {"repeat": {"frequency": 1, "period": 1, "periodUnit": "d"}}}]


def called(
    reader: FhirReader, prefetch: Json, *orders: Json, selections: list[str] | None = None, server: str = ""
) -> HookCall:
    context: Json = {"userId": "Practitioner/7", "patientId": "p"}
    if orders:
        context |= {"draftOrders": bundle(*orders)}
    if selections is not None:
        context |= {"selections": selections}
    hook = "order-select" if selections is not None else "order-sign" if orders else "patient-view"
    sent = {"hook": hook, "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea", "context": context}
    sent |= {"fhirServer": server} if server else {}
    return read_call(sent | {"prefetch": {"statements": None, "conditions": None} | prefetch}, reader, date(2026, 11, 28))


def request(name: str, text: str, status: str = "active", url: str | None = None, **rest: object) -> Json:
    said = {"status": status, "intent": "order", "subject": OWN, "medicationCodeableConcept": {"text": text}}
    return entry("MedicationRequest", name, url=url, **(said | rest))


@pytest.mark.parametrize("server", ["", SERVER, "https://proxy.example/r4"])
@pytest.mark.parametrize("subject", ["Patient/p", f"{SERVER}/Patient/p", "Patient/p/_history/2"])
def test_the_patient_of_the_call_is_that_of_its_server(reader: FhirReader, server: str, subject: str) -> None:
    named = statement("s", "sertraline", url=f"{SERVER}/MedicationStatement/s", subject={"reference": subject})
    patient = {"resourceType": "Patient", "id": "p", "birthDate": "1980-01-01"}
    for prefetch in ({"statements": bundle(named)}, {"statements": bundle(named), "patient": patient}):
        call = called(reader, prefetch, server=server)
        assert (medicines(call.read), incomplete(call.read), call.read.subject) == (["sertraline"], [], "Patient/p")


def test_without_addresses_the_server_of_the_call_tells_whom_an_address_means(reader: FhirReader) -> None:
    named = statement("s", "sertraline", subject={"reference": f"{SERVER}/Patient/p"})
    assert medicines(called(reader, {"statements": bundle(named)}, server=f"{SERVER}/").read) == ["sertraline"]
    other = called(reader, {"statements": bundle(named)}, server="https://elsewhere.example/fhir").read
    assert (medicines(other), incomplete(other)) == ([], ["medications"])


@pytest.mark.parametrize("url", [None, f"{SERVER}/MedicationRequest/o1", "urn:uuid:1"])
def test_an_order_that_prefetch_holds_already_is_one_and_counts_as_it_is_ordered(
    reader: FhirReader, url: str | None
) -> None:
    order = request("o1", "lamotrigine", "draft", dosageInstruction=DAILY)
    call = called(reader, {"requests": bundle(request("o1", "lamotrigine", url=url))}, order)
    (medicine,) = call.read.patient.medications or []
    assert (medicine.name, medicine.schedule, call.read.ordered) == ("lamotrigine", "daily", ("/medications/0",))
    assert [(one.pointer, one.what) for one in call.read.unmapped] == [
        ("/prefetch/requests/entry/0/resource", "MedicationRequest")
    ]


def test_an_order_that_was_not_selected_replaces_nothing(reader: FhirReader) -> None:
    orders = [request("o1", "lamotrigine", "draft"), request("o2", "lithium", "draft")]
    prefetch = {"requests": bundle(request("o1", "lamotrigine"))}
    call = called(reader, prefetch, *orders, selections=["MedicationRequest/o2"])
    assert medicines(call.read) == ["lamotrigine", "lithium"]


@pytest.mark.parametrize("key", ["statements", "conditions", "allergies", "draftOrders"])
def test_a_misspelt_bundle_of_a_call_is_refused_with_its_place(reader: FhirReader, key: str) -> None:
    misspelt = {"resourceType": "Bundle", "entries": [problem("h", "Hypertension")]}
    is_order = key == "draftOrders"
    context = {"userId": "Practitioner/7", "patientId": "p"} | ({key: misspelt} if is_order else {})
    sent = {
        "hook": "order-sign" if is_order else "patient-view",
        "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
        "context": context,
        "prefetch": {"statements": None, "conditions": None} | ({} if is_order else {key: misspelt}),
    }
    with pytest.raises(InvalidPatient) as refused:
        read_call(sent, reader, date(2026, 11, 28))
    (fault,) = refused.value.faults
    assert fault.pointer == f"/{'context' if is_order else 'prefetch'}/{key}/entries"
