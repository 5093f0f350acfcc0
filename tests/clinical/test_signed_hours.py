"""Who reads the clinic's signed hours of a hold: the clinician always, the patient only where nothing speaks against it.

Seventeen ways in which a benzodiazepine or lamotrigine can stand in a request, each beside four kinds of other entries.
"""

from __future__ import annotations

import re
from typing import Any

import pytest

from careplan.plan.model import CarePlan, Item, items_of
from careplan.planner import Planner

Json = dict[str, Any]

SIGNED = "Dr. Ines Marlow, MD"
HOURS = re.compile(r"\b\d+(?:\.\d+)? hours?\b")
CLEAR: Json = {
    "conditions": [],
    "lifestyle": {"alcohol_drinks_per_week": 2},
    "red_flags": {"intoxicated_now": False, "new_neurological_symptom": False},
}


def benzodiazepine(name: str = "lorazepam", **entry: str) -> Json:
    return {"name": name, **entry}


NOW_AND_THEN = benzodiazepine(schedule="as_needed", indication="anxiety")
LAMOTRIGINE = {"name": "lamotrigine", "schedule": "daily", "indication": "bipolar"}
OPEN, CLOSED, WAITING, UNCLEAR = "open", "closed", "waiting", "unclear"
WAYS: dict[str, tuple[Json, Json, str, str]] = {
    "now and then, for anxiety": (NOW_AND_THEN, {}, OPEN, ""),
    "now and then, for sleep": (benzodiazepine(schedule="as_needed", indication="insomnia"), {}, OPEN, ""),
    "once a week": (benzodiazepine("clonazepam", schedule="weekly", indication="anxiety"), {}, OPEN, ""),
    "every day": (benzodiazepine(schedule="daily", indication="anxiety"), {}, CLOSED, "daily"),
    "against epilepsy": (benzodiazepine("clonazepam", schedule="as_needed", indication="epilepsy"), {}, CLOSED, "epilepsy"),
    "kept as rescue": (benzodiazepine("diazepam", schedule="rescue", indication="anxiety"), {}, CLOSED, "rescue"),
    "no reason sent": (benzodiazepine(schedule="as_needed"), {}, WAITING, "what lorazepam is taken for"),
    "no schedule sent": (benzodiazepine(indication="anxiety"), {}, WAITING, "how often lorazepam is taken"),
    "a reason that was not named": (benzodiazepine(schedule="as_needed", indication="other"), {}, UNCLEAR, "not named"),
    "with a seizure disorder": (NOW_AND_THEN, {"conditions": ["seizure_disorder"]}, CLOSED, "seizure disorder"),
    "with fourteen drinks a week": (NOW_AND_THEN, {"lifestyle": {"alcohol_drinks_per_week": 14}}, CLOSED, "14"),
    "alcohol not asked": (NOW_AND_THEN, {"lifestyle": {}}, WAITING, "alcohol"),
    "lamotrigine for bipolar disorder": (LAMOTRIGINE, {}, OPEN, ""),
    "lamotrigine for depression": (LAMOTRIGINE | {"indication": "depression"}, {}, OPEN, ""),
    "lamotrigine against epilepsy": (LAMOTRIGINE | {"indication": "epilepsy"}, {}, CLOSED, "epilepsy"),
    "lamotrigine, no reason sent": (
        {"name": "lamotrigine", "schedule": "daily"}, {}, WAITING, "what lamotrigine is taken for",
    ),
    "lamotrigine after missed doses": (
        LAMOTRIGINE, {"conditions": ["lamotrigine_missed_doses"]}, CLOSED, "missed",
    ),
}  # fmt: skip
ORDINARY = [
    {"name": name}
    for name in (
        "atorvastatin", "omeprazole", "metformin", "lisinopril", "vitamin D", "fish oil", "melatonin", "loratadine",
        "buspirone", "oral contraceptive", "multivitamin", "ibuprofen",
    )
]  # fmt: skip
BESIDE: dict[str, Json] = {
    "nothing else": {},
    "twenty ordinary entries": {
        "medications": ORDINARY,
        "other_conditions": [
            "reflux", "PTSD", "high cholesterol", "seasonal allergies", "major depressive disorder", "low back pain",
            "migraine", "hypothyroidism",
        ],
    },
    "a medicine that nobody could read": {"medications": [{"name": "zzqblorptan"}]},
    "an illness that nobody could read": {"other_conditions": ["a rare disease"]},
}  # fmt: skip
ALL = [(way, beside) for way in WAYS for beside in BESIDE]


def planned(planner: Planner, way: str, beside: str) -> CarePlan:
    entry, more, _, _ = WAYS[way]
    other = BESIDE[beside]
    drug_class = "lamotrigine" if entry["name"] == "lamotrigine" else "benzodiazepine"
    hold = {"drug_class": drug_class, "before_hours": 12, "after_hours": 16, "approved_by": SIGNED}
    body = CLEAR | more | {"medications": [entry, *other.get("medications", [])], "protocol": {"holds": [hold]}}
    if "other_conditions" in other:
        body["other_conditions"] = other["other_conditions"]
    return planner.plan(planner.intake.convert(body))


def about_the_entry(plan: CarePlan) -> list[Item]:
    return [item for item in items_of(plan) if any(about.pointer == "/medications/0" for about in item.about)]


def test_there_are_sixty_eight_of_them() -> None:
    assert len(ALL) == 68


@pytest.mark.parametrize(("way", "beside"), ALL)
def test_the_clinician_always_reads_the_figure_and_what_keeps_it_from_the_patient(
    planner: Planner, way: str, beside: str
) -> None:
    _, _, state, says = WAYS[way]
    unread = {"a medicine that nobody could read": "zzqblorptan", "an illness that nobody could read": "a rare disease"}
    gates = [item for item in about_the_entry(planned(planner, way, beside)) if item.hold_gate is not None]
    assert gates
    for item in gates:
        gate = item.hold_gate
        assert gate is not None and gate.signed is not None
        assert (gate.signed.before_hours, gate.signed.after_hours, gate.signed.approved_by) == (12, 16, SIGNED)
        assert "12 hours before" in item.clinician_text and SIGNED in item.clinician_text
        expected = UNCLEAR if state == OPEN and beside in unread else state
        assert gate.state == expected
        assert says in item.clinician_text
        if state != CLOSED and beside in unread:
            assert any(unread[beside] in one.words for one in gate.unclear)


@pytest.mark.parametrize(("way", "beside"), ALL)
def test_the_patient_reads_hours_only_where_nothing_speaks_against_it(planner: Planner, way: str, beside: str) -> None:
    _, _, state, _ = WAYS[way]
    shown = state == OPEN and "nobody could read" not in beside
    about = about_the_entry(planned(planner, way, beside))
    assert any(item.hold is not None for item in about) == shown
    assert any(SIGNED in item.patient_text and HOURS.search(item.patient_text) for item in about) == shown
    if not shown:
        assert not any(HOURS.search(item.patient_text) for item in about)


def test_signed_hours_that_lie_between_two_daily_doses_miss_none_and_the_plan_says_so(planner: Planner) -> None:
    for entry, state in ((LAMOTRIGINE, OPEN), (benzodiazepine(schedule="daily", indication="anxiety"), CLOSED)):
        drug_class = "lamotrigine" if entry is LAMOTRIGINE else "benzodiazepine"
        hold = {"drug_class": drug_class, "before_hours": 8, "after_hours": 4, "approved_by": SIGNED}
        plan = planner.plan(planner.intake.convert(CLEAR | {"medications": [entry], "protocol": {"holds": [hold]}}))
        (item,) = [item for item in about_the_entry(plan) if item.hold_gate is not None]
        assert item.hold_gate is not None
        assert (item.hold_gate.state, item.hold_gate.misses_no_dose) == (state, True)
        assert "no dose is missed" in item.clinician_text
        assert ("no dose is missed" in item.patient_text) == (state == OPEN)


@pytest.mark.parametrize(
    ("entry", "drug_class", "days", "before", "after", "hours"),
    [
        (NOW_AND_THEN, "benzodiazepine", (1, 3, 5), 24, 24, 144),
        (benzodiazepine("clonazepam", schedule="weekly", indication="anxiety"), "benzodiazepine", (1, 2), 20, 6, 50),
        (benzodiazepine("temazepam", schedule="as_needed", indication="insomnia"), "benzodiazepine", (6, 4), 36, 24, 108),
        (benzodiazepine(schedule="daily", indication="anxiety"), "benzodiazepine", (1, 3, 5), 24, 24, 144),
        (LAMOTRIGINE, "lamotrigine", (1, 2), 12, 12, 48),
        (NOW_AND_THEN, "benzodiazepine", (1, 3, 5), 23, 24, None),
        (NOW_AND_THEN, "benzodiazepine", (1,), 24, 24, None),
    ],
)
def test_windows_that_join_over_the_sessions_are_told_whole_of_every_medicine(
    planner: Planner, entry: Json, drug_class: str, days: tuple[int, ...], before: float, after: float, hours: int | None
) -> None:
    hold = {"drug_class": drug_class, "before_hours": before, "after_hours": after, "approved_by": SIGNED}
    times = [f"2027-03-{day:02}T09:00:00-05:00" for day in days]
    body = CLEAR | {"medications": [entry], "protocol": {"holds": [hold]}, "treatment": {"session_times": times}}
    (item,) = [one for one in about_the_entry(planner.plan(planner.intake.convert(body))) if one.hold_gate is not None]
    assert item.hold_gate is not None
    assert ("windows join" in item.clinician_text) == (hours is not None)
    assert hours is None or f"would be {hours} hours" in item.clinician_text
    runs = hours is not None and item.hold_gate.state == "open"
    assert ("run into one long time" in item.patient_text) == runs
    assert hours is None or f"{hours} hours" not in item.patient_text
