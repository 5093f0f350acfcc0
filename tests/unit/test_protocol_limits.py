"""Signed figures that cannot be meant: no patient reads them, no other number takes their place, the clinician is told."""

from __future__ import annotations

import re

import msgspec
import pytest

from careplan.plan.timeline import timeline
from careplan.planner import Planner
from tests.plans import by_rule, plan_of

SIGNED = {"approved_by": "Dr. A. Example, MD"}
ZEROS = {"solid_food_hours": 0, "clear_fluid_hours": 0, "observation_minutes": 0, "driving_hours": 0}
XANAX = {
    "medications": [{"name": "Xanax", "schedule": "as_needed", "indication": "anxiety"}],
    "conditions": [],
    "lifestyle": {"alcohol_drinks_per_week": 0},
    "red_flags": {"new_neurological_symptom": False, "intoxicated_now": False},
}


@pytest.mark.parametrize("product", ["racemic", "esketamine", None])
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("clear_fluid_hours", 48), ("solid_food_hours", 72), ("observation_minutes", 1), ("observation_minutes", 1_440),
        ("driving_hours", 0), ("driving_hours", 168), ("clear_fluid_hours", 0),
    ],
)  # fmt: skip
def test_a_figure_that_cannot_be_meant_is_told_to_the_clinician_alone(
    planner: Planner, product: str | None, name: str, value: float
) -> None:
    plan = plan_of(planner, {"treatment": {"product": product}, "protocol": {name: value} | SIGNED})
    found = by_rule(plan)
    assert f": {value:g} (plausible" in found["clinic-figures-to-check"].clinician_text
    assert not any(rule.endswith("-as-the-clinic-has-set") for rule in found)
    for item in found.values():
        assert not re.search(rf"\b{value} (?:hour|minute)", item.patient_text)
        assert not any(re.search(rf"\b{value} (?:hour|minute)", ask.what) for ask in item.asks)
    assert f"/protocol/{name}" in {entry.pointer for entry in plan.not_considered}


def test_a_protocol_of_zeros_leaves_the_defaults_standing(planner: Planner) -> None:
    found = by_rule(plan_of(planner, {"treatment": {"product": "racemic"}, "protocol": ZEROS | SIGNED}))
    assert {
        "food-before-racemic-no-clinic-figure",
        "observation-no-clinic-figure",
        "driving-no-clinic-figure",
    } <= found.keys()
    assert not re.search(r"\b0 (?:hour|minute)", " ".join(item.patient_text for item in found.values()))


@pytest.mark.parametrize(("before", "after"), [(720, 720), (720, 0), (0, 0)])
def test_a_hold_that_cannot_be_meant_is_undecided_for_the_patient_and_checked_by_the_clinician(
    planner: Planner, before: float, after: float
) -> None:
    hold = {"drug_class": "benzodiazepine", "before_hours": before, "after_hours": after} | SIGNED
    plan = plan_of(planner, XANAX | {"protocol": {"holds": [hold]}})
    item = by_rule(plan)["benzodiazepine-now-and-then-intermediate"]
    assert item.hold is None
    assert "for your prescriber and the clinic to decide together" in item.patient_text
    assert "slip of the pen" in item.clinician_text
    assert "No signed hold" not in item.clinician_text
    assert "hold for benzodiazepines: " in by_rule(plan)["clinic-figures-to-check"].clinician_text
    assert [entry.pointer for entry in plan.not_considered].count("/protocol/holds/0") == 1


def test_a_usual_hold_is_quoted_beside_another_that_cannot_be_meant(planner: Planner) -> None:
    own = {"drug_class": "benzodiazepine", "before_hours": 12, "after_hours": 6} | SIGNED
    other = {"drug_class": "stimulant", "before_hours": 720, "after_hours": 6} | SIGNED
    found = by_rule(plan_of(planner, XANAX | {"protocol": {"holds": [other, own]}}))
    assert "12 hours before" in found["benzodiazepine-now-and-then-intermediate"].patient_text
    assert "benzodiazepines" not in found["clinic-figures-to-check"].clinician_text


def test_no_window_of_a_calendar_comes_from_a_figure_that_cannot_be_meant(planner: Planner) -> None:
    times = ["2026-12-01T09:30:00-05:00"]
    body = {"treatment": {"product": "racemic", "session_times": times}}
    figures = {"clear_fluid_hours": 48, "solid_food_hours": 6, "observation_minutes": 1_440}
    patient = planner.intake.decode(msgspec.json.encode(body | {"protocol": figures | SIGNED}))
    found = timeline(planner.plan(patient), patient)
    assert {"food"} == {moment.kind for moment in found} & {"food", "drinks", "observation", "driving"}
    home = next(moment for moment in found if moment.kind == "escort")
    assert home.whole_days and home.start.date() == home.begins.date()
