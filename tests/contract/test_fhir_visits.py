"""What brought the patient to a visit of the last days, and illnesses that came back."""

from __future__ import annotations

from typing import Any

import pytest

from careplan.plan.model import items_of
from tests.shipped import reader_of, shared_planner

Json = dict[str, Any]
PLANNER = shared_planner()
READER = reader_of(PLANNER)
ICD = "http://hl7.org/fhir/sid/icd-10-cm"


def visit(kind: str = "Encounter", day: str = "2026-10-30", **more: Any) -> Json:
    base: Json = {"resourceType": kind, "id": "v", "status": "finished", "subject": {"reference": "Patient/p1"}}
    return base | ({"period": {"start": day}} if kind == "Encounter" else {"date": day}) | more


def alerts(*resources: Json) -> set[str]:
    plan = PLANNER.plan(READER.read(record(*resources)).patient)
    return {item.rule.id for item in plan.alerts}


def record(*resources: Json) -> Json:
    who = {"resourceType": "Patient", "id": "p1"}
    entries = [{"resource": one} for one in (who, *resources)]
    return {"resourceType": "Bundle", "type": "collection", "timestamp": "2026-11-01T10:00:00Z", "entry": entries}


@pytest.mark.parametrize(
    "reason",
    [
        {"reasonCode": [{"text": "Suicidal ideation with plan"}]},
        {"reasonCode": [{"coding": [{"system": ICD, "code": "R45.851"}]}]},
        {"reasonCode": [{"coding": [{"system": ICD, "code": "T14.91XA", "display": "Suicide attempt"}]}]},
        {"reason": [{"value": [{"concept": {"text": "wants to kill himself"}}]}]},
        {"reason": [{"text": "suicide attempt"}]},
    ],
)
def test_a_danger_that_brought_the_patient_to_a_visit_is_an_alert(reason: Json) -> None:
    assert alerts(visit(**reason))
    assert not alerts(visit(day="2024-02-01", **reason))
    assert not alerts(visit(**reason) | {"status": "cancelled"})
    assert not alerts(visit(**reason) | {"subject": {"reference": "Patient/other"}})


def test_an_ordinary_reason_of_a_visit_changes_nothing() -> None:
    plan = PLANNER.plan(READER.read(record(visit(reasonCode=[{"text": "Annual check"}]))).patient)
    assert not plan.alerts
    assert "entries-not-read" not in {item.id for item in items_of(plan)}


def test_what_a_clinician_wrote_of_a_danger_is_an_alert() -> None:
    said = {"summary": "Seen today. Patient reports suicidal ideation with a plan. Sleep is poor."}
    assert alerts(visit("ClinicalImpression", **said))
    assert not alerts(visit("ClinicalImpression", summary="No suicidal ideation. Mood improved."))


@pytest.mark.parametrize("status", ["relapse", "recurrence"])
@pytest.mark.parametrize(
    ("code", "past", "now"),
    [
        ("F10.21", "alcohol_use_disorder_history", "alcohol_use_disorder_active"),
        ("F11.21", "substance_use_disorder_history", "substance_use_disorder_active"),
        ("F33.42", "depression_in_remission", "depression_unspecified"),
    ],
)
def test_an_illness_in_remission_that_came_back_is_there(code: str, past: str, now: str, status: str) -> None:
    def conditions(clinical: str) -> list[str]:
        one: Json = {
            "resourceType": "Condition",
            "subject": {"reference": "Patient/p1"},
            "clinicalStatus": {"coding": [{"code": clinical}]},
            "code": {"coding": [{"system": ICD, "code": code}]},
        }
        return READER.read(record(one)).patient.conditions or []

    assert conditions("active") == [past]
    assert conditions(status) == [now]
