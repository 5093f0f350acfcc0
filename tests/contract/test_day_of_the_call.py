"""The day and the visit that a call names, and the versions of FHIR that a body may be in."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

Json = dict[str, Any]
FHIR = "application/fhir+json"
TIMES = ["2027-03-12T10:00:00-05:00", "2027-03-15T10:00:00-04:00"]
PERSON: Json = {"resourceType": "Patient", "id": "p1", "birthDate": "1990-06-15", "gender": "female"}
ACUTE = {"/red_flags/chest_pain_now", "/red_flags/intoxicated_now", "/red_flags/new_neurological_symptom"}


def bundle(*others: Json, **rest: object) -> Json:
    resources = [PERSON, *others]
    return {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": one} for one in resources]} | rest


def plan(address: str, body: Json, **query: str) -> Json:
    answer = httpx.post(f"{address}/v1/care-plans", params=query, json=body)
    assert answer.status_code == 200, answer.text
    found: Json = answer.json()
    return found


def of_record(address: str, body: Json, **query: str) -> Json:
    headers = {"Content-Type": FHIR, "Accept": "application/json"}
    answer = httpx.post(f"{address}/v1/care-plans", params=query, json=body, headers=headers)
    assert answer.status_code == 200, answer.text
    found: Json = answer.json()
    return found


def asked(found: Json) -> set[str]:
    return {one["pointer"] for one in found["information_needed"]}


def first(found: Json) -> set[str]:
    return {one["pointer"] for one in found["information_needed"] if one.get("first")}


@pytest.mark.parametrize(("at", "is_asked"), [("2045-06-14T10:00:00Z", True), ("2046-06-16T10:00:00Z", False)])
def test_ages_in_a_record_are_counted_on_the_day_that_the_call_names(address: str, at: str, *, is_asked: bool) -> None:
    """At 54 she is asked about pregnancy, at 56 she is not."""
    assert ("/pregnancy" in asked(of_record(address, bundle(), at=at))) is is_asked


def test_a_record_without_a_day_is_read_as_of_its_newest_date_and_says_so(address: str) -> None:
    told = {
        "resourceType": "Condition",
        "subject": {"reference": "Patient/p1"},
        "code": {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "I10"}]},
        "recordedDate": "2046-07-01",
    }
    found = of_record(address, bundle(told))
    assert "/age_years" not in asked(found)
    assert any("the newest date in the record" in one["why"] for one in found["not_considered"])
    assert not any(
        "the newest date" in one["why"] for one in of_record(address, bundle(told), at=TIMES[0])["not_considered"]
    )


@pytest.mark.parametrize(
    "path", ["/v1/care-plans", "/fhir/PlanDefinition/$apply", "/fhir/PlanDefinition/ketamine-care/$apply"]
)
def test_a_day_that_there_is_not_is_refused_by_every_route_that_takes_one(address: str, path: str) -> None:
    headers = {"Content-Type": FHIR}
    good = httpx.post(f"{address}{path}", params={"at": TIMES[0]}, json=bundle(), headers=headers)
    bad = httpx.post(f"{address}{path}", params={"at": "2027-02-31T10:00:00Z"}, json=bundle(), headers=headers)
    assert (good.status_code, bad.status_code) == (200, 400), good.text


@pytest.mark.parametrize(
    ("version", "status"),
    [("4.0", 200), ("4.0.1", 200), ("4.3", 200), ('"4.0"', 200), ("5.0", 415), ("3.0", 415), ("R4", 415)],
)
def test_a_body_may_name_its_version_of_fhir_and_another_one_is_refused(address: str, version: str, status: int) -> None:
    headers = {"Content-Type": f"{FHIR}; fhirVersion={version}"}
    answer = httpx.post(f"{address}/fhir/PlanDefinition/$apply", json=bundle(), headers=headers)
    assert answer.status_code == status, answer.text


@pytest.mark.parametrize(
    ("query", "is_session_day"),
    [
        ({}, False),
        ({"at": "2027-03-12T07:00:00-05:00"}, True),
        ({"at": "2027-03-13T07:00:00-05:00"}, False),
        ({"visit": "session_day"}, True),
        ({"visit": "intake"}, False),
    ],
)
def test_signs_of_the_day_are_asked_first_on_the_day_of_a_session(
    address: str, query: dict[str, str], *, is_session_day: bool
) -> None:
    found = plan(address, {"treatment": {"session_times": TIMES}}, **query)
    assert asked(found) >= ACUTE
    assert (first(found) >= ACUTE) is is_session_day
    assert ACUTE.isdisjoint(first(found)) is not is_session_day
    assert len(first(found)) == 8


@pytest.mark.parametrize("body", [{"as_of": "2026-12-01"}, {"as_of": "2026-12-01", "treatment": {"sessions_planned": 6}}])
def test_a_day_on_which_nothing_in_the_answer_depends_is_refused_with_what_it_is_for(address: str, body: Json) -> None:
    answer = httpx.post(f"{address}/v1/care-plans", params={"at": TIMES[0]}, json=body)
    assert answer.status_code == 400
    assert all(use in answer.text for use in ("explain=record", "calendar", "FHIR Bundle", "session_times"))


@pytest.mark.parametrize(
    ("body", "at", "ends", "begins"),
    [
        ({}, "2026-12-31T23:59:00Z", True, False),
        ({}, "2027-01-01T00:00:00Z", False, True),
        ({"as_of": "2026-12-31"}, None, True, False),
        ({"as_of": "2027-01-01"}, None, False, True),
        ({}, None, True, True),
    ],
)
def test_the_day_of_the_call_decides_which_rules_are_in_force_and_without_one_all_say_their_days(
    address: str, body: Json, at: str | None, *, ends: bool, begins: bool
) -> None:
    treatment = {"preferred_route": "sublingual", "product": "racemic"}
    found = plan(address, {"treatment": treatment, **body}, detail="full", **({"at": at} if at else {}))
    items = {item["rule"]["id"]: item for section in found["sections"] for item in section["items"]}
    last, first = (items.get(f"prescribing-by-video-{name}") for name in ("until-the-end-of-2026", "from-2027"))
    assert (last is not None, first is not None) == (ends, begins)
    for item, day in ((last, "December 31, 2026"), (first, "January 1, 2027")):
        assert item is None or (day in item["patient_text"] and day in item["clinician_text"] and day in item["line"])
    assert last is None or last["valid_until"] == "2026-12-31"
    assert first is None or first["valid_from"] == "2027-01-01"


def test_no_goals_are_an_answer_and_no_fault(address: str) -> None:
    assert "/expectations/goals" in asked(plan(address, {}))
    assert "/expectations/goals" not in asked(plan(address, {"expectations": {"goals": []}}))
    item = {"linkId": "expectations.goals", "answer": []}
    form = {"resourceType": "QuestionnaireResponse", "status": "completed", "subject": {"reference": "Patient/p1"}}
    assert of_record(address, bundle(form | {"item": [item]}))["status"] == "draft"


@pytest.mark.parametrize(
    ("extension", "gender", "is_asked"),
    [(None, "male", False), (None, "female", True), (None, "other", True), ("F", "male", True), ("UNK", "male", True)],
)
def test_the_sex_at_birth_decides_before_the_administrative_gender(
    address: str, extension: str | None, gender: str, *, is_asked: bool
) -> None:
    url = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-birthsex"
    extra: Json = {"extension": [{"url": url, "valueCode": extension}]} if extension else {}
    person = PERSON | {"gender": gender} | extra
    body: Json = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": person}]}
    assert ("/pregnancy" in asked(of_record(address, body, at=TIMES[0]))) is is_asked
