"""Readings in other shapes: a yes of HL7 version 2, an interpretation alone, a total at its panel, no unit."""

from __future__ import annotations

from typing import Any

import pytest

from careplan.plan.model import items_of
from tests.contract.test_fhir_measures import alerts, bundle, coded, form, observation
from tests.shipped import reader_of, shared_planner

PLANNER = shared_planner()
READER = reader_of(PLANNER)
INTERPRETATION = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation"
Json = dict[str, Any]


def said(code: str, system: str) -> Json:
    return {"valueCodeableConcept": {"coding": [{"system": system, "code": code}]}}


def called(code: str, system: str = INTERPRETATION) -> Json:
    return {"interpretation": [{"coding": [{"system": system, "code": code}]}]}


def measured(*entries: Json) -> dict[str, list[Any]]:
    found: Any = READER.read(bundle(*entries)).patient.measures
    return {name: [one.value for one in readings] for name, readings in found.items()}


def items(*entries: Json) -> set[str]:
    return {item.id for item in items_of(PLANNER.plan(READER.read(bundle(*entries)).patient))}


@pytest.mark.parametrize(
    "system",
    [
        "http://terminology.hl7.org/CodeSystem/v2-0136",
        "http://hl7.org/fhir/v2/0136",
        "http://terminology.hl7.org/CodeSystem/v2-0532",
        "urn:oid:2.16.840.1.113883.12.136",
    ],
)
@pytest.mark.parametrize("code", ["93246-7", "93249-1", "93250-9"])
def test_a_yes_of_hl7_version_2_is_an_answer_on_suicide(code: str, system: str) -> None:
    assert alerts(observation(code, **said("Y", system))) == ["scale-answer-on-suicide"]
    assert list(measured(observation(code, **said("N", system))).values()) == [[False]]
    assert measured(observation(code, **said("Y", "http://some.clinic/letters"))) == {}


@pytest.mark.parametrize("text", ["Y", "true", "Positive"])
def test_other_words_for_yes_are_an_answer_on_suicide(text: str) -> None:
    assert alerts(observation("93249-1", valueString=text)) == ["scale-answer-on-suicide"]


@pytest.mark.parametrize(
    ("code", "value"), [("POS", "positive"), ("DET", "positive"), ("NEG", "negative"), ("IND", "indeterminate")]
)
def test_a_result_without_a_value_is_what_its_interpretation_calls_it(code: str, value: str) -> None:
    assert measured(observation("2106-3", **called(code))) == {"pregnancy_test": [value]}
    single = {"interpretation": {"coding": [{"system": "http://hl7.org/fhir/v2/0078", "code": code}]}}
    assert measured(observation("2106-3", **single)) == {"pregnancy_test": [value]}


def test_a_value_counts_before_its_interpretation() -> None:
    positive = {"valueCodeableConcept": {"text": "Positive"}}
    assert measured(observation("2106-3", **positive, **called("NEG"))) == {"pregnancy_test": ["positive"]}


@pytest.mark.parametrize("code", ["8480-6", "59408-5", "8636-3", "1742-6", "85354-9", "2823-3"])
def test_a_result_that_is_called_critical_without_a_value_that_is_read_goes_to_a_person(code: str) -> None:
    for critical in ("HH", "LL", "AA"):
        assert "entries-not-read" in items(observation(code, **called(critical)))
    assert "entries-not-read" not in items(observation(code, **called("H")))
    assert "entries-not-read" not in items(observation(code, effectiveDateTime="2024-01-05", **called("HH")))


def test_a_critical_part_of_a_panel_goes_to_a_person() -> None:
    assert "entries-not-read" in items(observation("85354-9", component=[{"code": coded("8480-6"), **called("HH")}]))


@pytest.mark.parametrize(
    "quantity", [{"value": 190}, {"value": 190, "unit": "mmhg"}, {"value": 215, "unit": "torr, left arm"}]
)
def test_a_number_without_a_unit_that_would_be_a_danger_is_an_alert_and_no_measure(quantity: Json) -> None:
    entry = observation("8480-6", valueQuantity=quantity)
    assert alerts(entry) == ["unread-entry-may-be-a-danger"]
    assert measured(entry) == {}
    assert alerts(observation("8480-6", valueQuantity=quantity | {"value": 118})) == []
    assert alerts(observation("8480-6", valueQuantity=quantity, effectiveDateTime="2024-01-05")) == []


@pytest.mark.parametrize(
    "value", [{"text": "see the note"}, {"coding": [{"system": "http://some.clinic/answers", "code": "7"}]}]
)
def test_an_answer_on_a_danger_that_nobody_can_read_goes_to_a_person(value: Json) -> None:
    assert "entries-not-read" in items(observation("93250-9", valueCodeableConcept=value))
    assert "entries-not-read" in items(form(("44260-8", {"valueString": "hard to say"})))
    assert "entries-not-read" not in items(observation("93250-9", dataAbsentReason={"text": "declined"}))


def test_a_total_that_stands_at_its_panel_is_that_total() -> None:
    assert measured(observation("44249-1", valueInteger=21)) == {"phq9_total": [21]}
    assert measured(observation("69737-5", valueQuantity={"value": 16, "code": "{score}"})) == {"gad7_total": [16]}
    parts = [{"code": coded("44261-6"), "valueInteger": 19}]
    panel = observation("44249-1", component=parts)
    assert measured(panel) == {"phq9_total": [19]}
    assert READER.read(bundle(panel)).unmapped == []
