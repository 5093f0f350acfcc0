"""Measures in records: what passed in silence is an alert, in whichever order and unit it was sent."""

from __future__ import annotations

import json
from itertools import permutations
from typing import Any

from careplan.fhir.read.bundle import FhirReader
from careplan.planner import Planner
from careplan.rulebook.load import load, shipped

PLANNER = Planner(load(shipped()))
BOOK = PLANNER.book
READER = FhirReader(BOOK.codes, BOOK.conditions, BOOK.catalogue, PLANNER.intake, BOOK.vocabulary.measures)


def coded(code: str) -> dict[str, Any]:
    return {"coding": [{"system": "http://loinc.org", "code": code}]}


def observation(code: str, **more: Any) -> dict[str, Any]:
    base = {"resourceType": "Observation", "status": "final", "effectiveDateTime": "2026-11-28", "code": coded(code)}
    return {"resource": base | {"subject": {"reference": "Patient/1"}} | more}


def alerts(*entries: dict[str, Any]) -> list[str]:
    patient = {"resource": {"resourceType": "Patient", "id": "1", "birthDate": "1980-05-01"}}
    bundle = {
        "resourceType": "Bundle",
        "type": "collection",
        "timestamp": "2026-11-28T10:00:00Z",
        "entry": [patient, *entries],
    }
    plan = PLANNER.plan(READER.read(json.loads(json.dumps(bundle))).patient)
    return sorted(item.rule.id for item in plan.alerts)


def pressure(systolic: float, diastolic: float, unit: str, **more: Any) -> dict[str, Any]:
    parts = [
        {"code": coded(code), "valueQuantity": {"value": value, "code": unit}}
        for code, value in (("8480-6", systolic), ("8462-4", diastolic))
    ]
    return observation("85354-9", component=parts, **more)


def test_a_very_high_blood_pressure_in_a_record_is_an_alert() -> None:
    assert alerts(pressure(190, 125, "mm[Hg]")) == ["measured-very-high-blood-pressure"]


def test_an_observation_entered_in_error_is_none() -> None:
    assert alerts(pressure(190, 125, "mm[Hg]", status="entered-in-error")) == []


def test_an_answer_on_suicide_is_an_alert_as_a_component_and_by_itself() -> None:
    said = {"valueCodeableConcept": coded("LA6571-9")}
    assert "scale-answer-on-suicide" in alerts(observation("44249-1", component=[{"code": coded("44260-8")} | said]))
    yes = {"valueCodeableConcept": coded("LA33-6")}
    assert alerts(observation("93250-9", **yes)) == ["scale-answer-on-suicide"]


def test_the_order_of_observations_and_one_that_cannot_be_read_change_nothing() -> None:
    entries = [
        pressure(120, 70, "mm[Hg]", effectiveDateTime="2026-11-20"),
        pressure(190, 125, "mm[Hg]"),
        pressure(25, 16, "furlong"),
    ]
    assert {tuple(alerts(*order)) for order in permutations(entries)} == {("measured-very-high-blood-pressure",)}
