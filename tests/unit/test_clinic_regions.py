"""Whom a patient is told to call follows the region of the clinic, in every text and both languages."""

from __future__ import annotations

import re

import msgspec
import pytest

from careplan.plan.emergency_numbers import EmergencyNumbers
from careplan.plan.model import CarePlan
from careplan.planner import Planner
from careplan.request.clinic import Clinic
from tests.patients import Json
from tests.shipped import BOOK

NUMBERS = {"us": "911", "ca": "911", "uk": "999", "eu": "112", "au": "000"}
OF_THE_US = re.compile(r"\b(?:911|988|838255)\b")
URGENT: Json = {
    "conditions": ["hypertension", "heart_or_vessel_disease"],
    "red_flags": {"chest_pain_now": True, "suicidal_thoughts": "passive"},
}
CALM: Json = {"conditions": ["heart_or_vessel_disease"], "medications": [{"name": "Xyrem"}]}


def planned(planner: Planner, body: Json, language: str = "en") -> CarePlan:
    return planner.plan(planner.intake.convert(body), language)


def read_by_patients(plan: CarePlan) -> str:
    """All that somebody at home reads of a plan."""
    items = [*plan.alerts, *(item for section in plan.sections for item in section.items)]
    asked = [ask.what for item in items for ask in item.asks]
    card = msgspec.json.encode(plan.card).decode()
    return "\n".join([plan.crisis, card, *asked, *(item.patient_text for item in items)])


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("body", [URGENT, CALM], ids=["urgent", "calm"])
@pytest.mark.parametrize("region", ["uk", "eu", "au"])
def test_no_number_of_the_united_states_is_read_elsewhere(planner: Planner, region: str, body: Json, language: str) -> None:
    text = read_by_patients(planned(planner, {**body, "clinic": {"region": region}}, language))
    assert NUMBERS[region] in text
    assert not OF_THE_US.search(text)


@pytest.mark.parametrize("region", sorted(NUMBERS))
def test_an_emergency_is_called_in_by_the_number_of_the_region(planner: Planner, region: str) -> None:
    plan = planned(planner, {**URGENT, "clinic": {"region": region}})
    (alert,) = (item for item in plan.alerts if item.rule.id == "chest-pain-right-now")
    assert f"Call {NUMBERS[region]} now" in alert.patient_text
    assert f"call {NUMBERS[region]}" in [ask.what for ask in alert.asks]


def test_where_no_region_is_known_the_numbers_are_those_of_the_rulebook(planner: Planner) -> None:
    known = planned(planner, {**CALM, "clinic": {"region": "us"}})
    assert read_by_patients(planned(planner, CALM)) == read_by_patients(known)


def test_canada_has_its_own_line_and_australia_its_own_too() -> None:
    numbers = EmergencyNumbers(BOOK)
    assert "9-8-8" in numbers.of(Clinic(region="ca"))["crisis"]
    assert "13 11 14" in numbers.of(Clinic(region="au"))["crisis"]
    assert "116 123" in numbers.of(Clinic(region="uk"))["crisis"]
    assert "____" in numbers.of(Clinic(region="eu"))["crisis"]


def test_the_right_number_counts_for_more_than_the_language() -> None:
    numbers = EmergencyNumbers(BOOK)
    assert numbers.of(Clinic(region="uk"), "xx") == numbers.of(Clinic(region="uk"))
