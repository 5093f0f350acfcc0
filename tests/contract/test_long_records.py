"""Records of years: what is not read of them costs little, changes nothing, and is said with its number."""

from __future__ import annotations

import json
import tracemalloc
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from careplan.errors import InvalidPatient
from careplan.fhir.cds_hooks.call import MissingData, read_call
from careplan.fhir.read.bundle import FromFhir
from careplan.fhir.read.completeness import SAY_NOTHING, lists_of
from careplan.fhir.read.element import Element
from careplan.fhir.read.parameters import read_applied
from careplan.fhir.read.shortened import shortened
from tests.contract.records import OWN, bundle, entry, incomplete, medicines, patient, statement
from tests.long_record import long_record
from tests.shipped import reader_of, shared_planner

PLANNER = shared_planner()
READER = reader_of(PLANNER)
Json = dict[str, Any]

INNER = st.sampled_from(
    [
        {"resourceType": "Coverage", "id": "c"},
        {"resourceType": "ServiceRequest", "id": "s", "subject": {"reference": "Patient/q"}},
        {"resourceType": "Condition", "code": {"text": "asthma"}},
        {"resourceType": "Medication", "code": {"text": "lithium"}},
        {"resourceType": "MedicationDispense", "status": "completed"},
        {"id": "of no type"},
        {"resourceType": {}},
    ]
)
MEMBERS = st.fixed_dictionaries(
    {},
    optional={
        "id": st.sampled_from(["a", "b", 5, ""]),
        "patient": st.sampled_from([OWN, {"reference": "Patient/q"}]),
        "meta": st.sampled_from(
            [{"versionId": "1", "lastUpdated": "2026-12-01T00:00:00Z"}, {"tag": [{"code": "SUBSETTED"}]}]
        ),
        "issued": st.sampled_from(["2026-11-30", "never", None, 7]),
        "modifierExtension": st.just([{"url": "urn:x"}]),
        "implicitRules": st.just("urn:x"),
        "contained": st.lists(INNER, max_size=3),
        "item": st.just([{"quantity": 1, "text": 'with "quotes" and \u00e9'}]),
        "identifier": st.just([{"system": "urn:s", "value": "1"}]),
    },
)
ODD = [{}, [], 5, None, "", "claim"]
"""What is no type of resource."""
KINDS = st.sampled_from(sorted(SAY_NOTHING)) | st.sampled_from(ODD)
UNREAD = st.builds(lambda kind, members: {"resourceType": kind} | members, KINDS, MEMBERS)
READ = st.sampled_from(
    [statement("m", "sertraline 50 mg"), patient(birthDate="1980-05-05"), entry("Observation", "o", code={"text": "x"})]
)
RECORDS = st.lists(READ | st.builds(lambda one: {"resource": one}, UNREAD), max_size=8).map(
    lambda entries: bundle(*entries) | {"timestamp": None if len(entries) % 2 else "2026-11-28T10:00:00Z"}
)


def outcome(body: Json, *, parse: Any) -> FromFhir | list[Any]:
    cleaned = {name: value for name, value in body.items() if value is not None}
    try:
        return READER.read(parse(json.dumps(cleaned, indent=1).encode()))
    except InvalidPatient as error:
        return sorted(error.faults)


@given(RECORDS)
def test_a_shortened_record_is_read_as_the_whole_one(record: Json) -> None:
    assert outcome(record, parse=READER.parse) == outcome(record, parse=PLANNER.intake.parse)


@given(RECORDS)
def test_parameters_and_prefetch_are_read_as_if_they_were_whole(record: Json) -> None:
    record = {name: value for name, value in record.items() if value is not None}
    prefetch = {
        "conditions": record,
        "medications": {"resourceType": "Bundle"},
        "patient": {"resourceType": "Patient", "id": "p"},
    }
    context = {"patientId": "p", "userId": "Practitioner/1"}
    call = {"hook": "patient-view", "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea", "context": context}
    applied = {"resourceType": "Parameters", "parameter": [{"name": "data", "resource": record}]}
    for body, use in (
        (applied, lambda data: read_applied(data, READER, ["x"])),
        (call | {"prefetch": prefetch}, lambda data: read_call(data, READER, date(2026, 11, 28))),
    ):
        told: list[object] = []
        for parse in (READER.parse, PLANNER.intake.parse):
            try:
                told.append(use(parse(json.dumps(body).encode())))
            except InvalidPatient as error:
                told.append(sorted(error.faults))
            except MissingData:
                told.append(None)
        assert told[0] == told[1]


def test_what_says_nothing_is_on_no_list() -> None:
    for kind in SAY_NOTHING:
        assert lists_of(Element({"resourceType": kind}, "", [])) == ()


CLAIM = b'{"resourceType":"Claim","item":[{"sequence":1}]}'
MEDICINE = (
    b'{"resourceType":"MedicationStatement","status":"active","medicationCodeableConcept":{"text":"lithium"},'
    b'"status":"stopped"}'
)
TWICE = {
    "in a resource that is read": b'{"resourceType":"Bundle","entry":[{"resource":%s},{"resource":%s}]}' % (CLAIM, MEDICINE),
    "in an entry": b'{"resourceType":"Bundle","entry":[{"resource":%s,"resource":%s}]}' % (MEDICINE[:-20] + b"}", CLAIM),
    "in an entry, the same": b'{"resourceType":"Bundle","entry":[{"resource":%s,"resource":%s}]}' % (CLAIM, CLAIM),
    "in the Bundle": b'{"resourceType":"Bundle","entry":[{"resource":%s}],"entry":[]}' % CLAIM,
    "as the type": b'{"resourceType":"Bundle","entry":[{"resource":%s}]}'
    % CLAIM.replace(b'"item"', b'"resourceType":"Claim","item"'),
}


@pytest.mark.parametrize("where", TWICE)
def test_a_key_that_stands_twice_is_refused_wherever_something_hangs_on_it(where: str) -> None:
    with pytest.raises(InvalidPatient) as refused:
        READER.parse(TWICE[where])
    assert "the same key twice" in refused.value.faults[0].detail


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b'{"resourceType":"Bundle","entry":[{"resource":{"resourceType":"Claim","item":[1,}}]}',
        b'{"resourceType":"Bundle","entry":[{"resource":' + b"[" * 5_000 + b"]" * 5_000 + b"}]}",
        b'{"resourceType":"Bundle","entry":5}',
        b'{"resourceType":"Bundle","entry":[{"resource":{"resourceType":"Claim","item":NaN}}]}',
        b"\xff",
    ],
)
def test_a_broken_record_is_told_of_as_any_broken_body(body: bytes) -> None:
    told = []
    for parse in (READER.parse, PLANNER.intake.parse):
        try:
            told.append(parse(body))
        except InvalidPatient as error:
            told.append(error.faults)
    assert told[0] == told[1]


def test_most_of_a_long_record_is_never_built() -> None:
    record = long_record(1_000_000)
    assert len(shortened(record)) < 0.6 * len(record)


@pytest.mark.long
def test_a_record_of_nine_megabytes_is_read_within_its_memory_and_each_kind_left_out_is_said_once() -> None:
    record = long_record(9_000_000)
    assert len(record) >= 9_000_000
    tracemalloc.start()
    try:
        read = READER.read(READER.parse(record))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 40_000_000  # and the body itself, in the service twice for a moment
    assert not incomplete(read)
    assert set(medicines(read) or ()) == {"alprazolam 0.25 MG Oral Tablet", "lisinopril 10 MG Oral Tablet"}
    assert isinstance(pressures := read.patient.measures["systolic"], list)
    assert len(pressures) == 100
    named = [(one.what, one.why.partition(" There are ")[0]) for one in read.unmapped]
    assert len(named) == len(set(named)) < 40
    by_kind = {one.what: one.number for one in read.unmapped}
    assert by_kind["Claim"] == 2 * (by_kind["Encounter"] or 0)
    assert by_kind["Coverage"] == by_kind["ExplanationOfBenefit"] == by_kind["Encounter"]
