"""Measures in records: what passed in silence is an alert, in whichever order and unit it was sent."""

from __future__ import annotations

import json
from itertools import permutations
from typing import Any

import pytest

from careplan.plan.model import items_of
from tests.shipped import reader_of, shared_planner

PLANNER = shared_planner()
READER = reader_of(PLANNER)


def coded(code: str) -> dict[str, Any]:
    return {"coding": [{"system": "http://loinc.org", "code": code}]}


def observation(code: str, **more: Any) -> dict[str, Any]:
    base = {"resourceType": "Observation", "status": "final", "effectiveDateTime": "2026-11-28", "code": coded(code)}
    return {"resource": base | {"subject": {"reference": "Patient/1"}} | more}


def bundle(*entries: dict[str, Any]) -> dict[str, Any]:
    patient = {"resource": {"resourceType": "Patient", "id": "1", "birthDate": "1980-05-01"}}
    return {
        "resourceType": "Bundle",
        "type": "collection",
        "timestamp": "2026-11-28T10:00:00Z",
        "entry": [patient, *entries],
    }


def alerts(*entries: dict[str, Any]) -> list[str]:
    plan = PLANNER.plan(READER.read(json.loads(json.dumps(bundle(*entries)))).patient)
    return sorted(item.rule.id for item in plan.alerts)


def pressure(systolic: float, diastolic: float, unit: str, **more: Any) -> dict[str, Any]:
    parts = [
        {"code": coded(code), "valueQuantity": {"value": value, "code": unit}}
        for code, value in (("8480-6", systolic), ("8462-4", diastolic))
    ]
    return observation("85354-9", component=parts, **more)


def test_a_very_high_blood_pressure_in_a_record_is_an_alert() -> None:
    assert alerts(pressure(190, 125, "mm[Hg]")) == ["measured-very-high-blood-pressure"]


@pytest.mark.parametrize(
    ("measure", "code", "value", "unit"),
    [
        *(("systolic", code, 128, "mm[Hg]") for code in ("8480-6", "8459-0", "8460-8", "8461-6", "76534-7")),
        *(("diastolic", code, 77, "mm[Hg]") for code in ("8462-4", "8453-3", "8454-1", "8455-8", "76535-4")),
        *(("pulse", code, 66, "/min") for code in ("8867-4", "40443-4", "8889-8", "8893-0")),
        *(("oxygen_saturation", code, 97, "%") for code in ("59408-5", "59417-6", "2708-6")),
        *(("height", code, 171, "cm") for code in ("8302-2", "3137-7", "3138-5")),
        *(("weight", code, 82, "kg") for code in ("29463-7", "3141-9", "3142-7", "8350-1")),
        *(("qtc", code, 431, "ms") for code in ("8636-3", "76634-5", "76635-2")),
        *(("egfr", code, 58, "mL/min/{1.73_m2}") for code in ("98979-8", "98980-6", "88294-4", "77147-7", "50044-7")),
    ],
)
def test_a_measure_is_read_by_each_code_for_how_it_is_taken(measure: str, code: str, value: float, unit: str) -> None:
    entry = observation(code, valueQuantity={"value": value, "code": unit})
    read: Any = READER.read(bundle(entry)).patient.measures[measure]
    assert [one.value for one in read] == [value]


def test_a_qt_interval_that_is_not_corrected_is_no_qtc() -> None:
    entry = observation("8634-8", valueQuantity={"value": 512, "code": "ms"})
    assert READER.read(bundle(entry)).patient.measures == {}


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


def rules_read(*resources: dict[str, Any]) -> list[str]:
    plan = PLANNER.plan(READER.read(json.loads(json.dumps(bundle(*resources)))).patient)
    return sorted(item.rule.id for item in items_of(plan))


def test_a_very_high_pressure_of_two_months_ago_is_no_alert_and_leads_to_a_new_one() -> None:
    found = rules_read(pressure(190, 125, "mm[Hg]", effectiveDateTime="2026-09-28"))
    assert "earlier-very-high-blood-pressure" in found
    assert "measured-very-high-blood-pressure" not in found


def test_members_of_a_panel_count_with_its_time_also_where_they_have_none_and_are_contained() -> None:
    member = observation("8480-6", valueQuantity={"value": 190, "code": "mm[Hg]"})["resource"] | {"id": "upper"}
    del member["effectiveDateTime"]
    for when, alert in (("2026-11-28", True), ("2026-09-28", False)):
        named = observation("85354-9", effectiveDateTime=when, hasMember=[{"reference": "Observation/upper"}])
        held = observation("85354-9", effectiveDateTime=when, hasMember=[{"reference": "#upper"}], contained=[member])
        for entries in ([{"resource": member}, named], [named, {"resource": member}], [held]):
            assert ("measured-very-high-blood-pressure" in alerts(*entries)) is alert


def form(*answered: tuple[str, dict[str, Any]], **more: Any) -> dict[str, Any]:
    inner = [{"linkId": link, "answer": [answer]} for link, answer in answered]
    base = {"resourceType": "QuestionnaireResponse", "status": "completed", "authored": "2026-11-28T09:00:00Z"}
    return {
        "resource": base | {"subject": {"reference": "Patient/1"}, "item": [{"linkId": "/44249-1", "item": inner}]} | more
    }


NEARLY_EVERY_DAY = {"valueCoding": {"system": "http://loinc.org", "code": "LA6571-9"}}


def test_answers_of_a_standard_form_are_read_by_the_code_in_their_link() -> None:
    for link in ("/44249-1/44260-8", "/44260-8", "44260-8"):
        assert alerts(form((link, NEARLY_EVERY_DAY))) == ["scale-answer-on-suicide"]
    total = form(("/44249-1/44261-6", {"valueDecimal": 21}))
    assert READER.read(bundle(total)).patient.measures["phq9_total"]
    assert alerts(form(("/44249-1/44260-8", NEARLY_EVERY_DAY), status="entered-in-error")) == []


def test_of_a_form_that_is_not_finished_counts_what_warns() -> None:
    assert alerts(form(("44260-8", NEARLY_EVERY_DAY), status="in-progress")) == ["scale-answer-on-suicide"]
    never = {"valueCoding": {"system": "http://loinc.org", "code": "LA6568-5"}}
    assert READER.read(bundle(form(("44260-8", never), status="in-progress"))).patient.measures == {}


def test_a_number_beyond_a_grave_one_counts_as_that_one_and_beyond_a_harmless_one_is_not_read() -> None:
    beyond = {"value": 200, "code": "mm[Hg]", "comparator": ">"}
    assert alerts(observation("8480-6", valueQuantity=beyond)) == ["measured-very-high-blood-pressure"]
    assert alerts(observation("8480-6", valueQuantity=beyond | {"comparator": "<"})) == []


def test_item_nine_is_one_alert_also_where_it_fills_in_an_answer() -> None:
    said = {"valueCodeableConcept": coded("LA6571-9")}
    assert alerts(observation("44260-8", **said)) == ["suicidal-thoughts-passive"]


PRESSURE = {"code": coded("8480-6"), "valueQuantity": {"value": 120, "code": "mm[Hg]"}}


@pytest.mark.parametrize(
    ("part", "reported", "conditions"),
    [
        ({"code": {"text": "mood"}, "valueString": "calm"}, "mood", None),
        ({"code": {"text": "mood"}, "valueString": "says she wants to die"}, "mood", ["says she wants to die"]),
        ({"code": {"text": "cuff"}, "valueCodeableConcept": {"text": "adult"}}, "cuff", None),
        ({"code": coded("9999-9")}, "9999-9", None),
        ({"code": {"text": "cuff"}, "valueInteger": 1, "modifierExtension": [{"url": "x"}]}, "cuff", None),
        (
            {"code": {"text": "potassium"}, "valueInteger": 2, "interpretation": [{"coding": [{"code": "LL"}]}]},
            None,
            ["potassium: 2 (called critical)"],
        ),
    ],
)
@pytest.mark.parametrize("beside", [[PRESSURE], []], ids=["beside a measure", "alone"])
def test_a_part_of_an_observation_that_is_no_measure_is_searched_and_reported(
    part: dict[str, Any], reported: str | None, conditions: list[str] | None, beside: list[Any]
) -> None:
    read = READER.read(bundle(observation("85354-9", component=[*beside, part])))
    told = {one.what: one.pointer for one in read.unmapped}
    if reported is not None and (beside or "valueString" in part):
        assert told[reported] == f"/entry/1/resource/component/{len(beside)}"
    elif reported is not None:
        assert told["85354-9"] == "/entry/1/resource", "as a whole, where nothing of it is read"
    assert (read.patient.other_conditions or None) == conditions


def test_a_part_of_an_observation_makes_the_factor_that_an_observation_of_its_own_makes() -> None:
    expecting = {"code": coded("82810-3"), "valueCodeableConcept": {"text": "pregnant"}}
    assert READER.read(bundle(observation("85354-9", component=[PRESSURE, expecting]))).patient.pregnancy == "pregnant"
    assert READER.read(bundle(observation("85354-9", component=[expecting]))).patient.pregnancy == "pregnant"
    stopped = observation("85354-9", component=[expecting]) | {}
    stopped["resource"]["status"] = "entered-in-error"
    assert READER.read(bundle(stopped)).patient.pregnancy is None
