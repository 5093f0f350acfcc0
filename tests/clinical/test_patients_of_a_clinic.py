"""Patients written with a clinic's eye: what must be decided, what is said once, and what must not be said.

Each has what a clinician would look for first, by rule and level, and what would be a mistake.
"""

from __future__ import annotations

from collections import Counter
from typing import Any, NamedTuple

import pytest

from careplan.plan.model import CarePlan, items_of
from careplan.planner import Planner
from tests.plans import NO_RED_FLAGS, PREPARED, SOBER_HOPES, SUPPORTED, by_rule

Json = dict[str, Any]

IV: Json = {
    "indication": "depression",
    "product": "racemic",
    "preferred_route": "iv",
    "sessions_planned": 6,
    "sessions_completed": 0,
}
SPRAY: Json = {"indication": "depression", "product": "esketamine", "preferred_route": "nasal", "sessions_planned": 8}


class Visitor(NamedTuple):
    """Somebody who comes to the clinic: what was sent, the level of each rule that must speak, and rules that must not."""

    body: Json
    says: dict[str, str]
    never: tuple[str, ...] = ()


def takes(*lines: str) -> list[Json]:
    return [{"text": line} for line in lines]


VISITORS: dict[str, Visitor] = {
    "a woman of 68 on insulin and warfarin, with sleep apnea, alone at night": Visitor(
        {
            "age_years": 68,
            "sex": "female",
            "treatment": IV,
            "medications": takes(
                "Lantus 20 units at bedtime",
                "warfarin 5 mg daily",
                "sertraline 100 mg daily",
                "ibuprofen 400 mg prn knee pain",
            ),
            "conditions": ["sleep_apnea", "hypertension"],
            "support": {"adult_at_home_24h": False, "escort_available": True},
            "measures": {"systolic": 148, "diastolic": 88},
            "red_flags": NO_RED_FLAGS,
        },
        {
            "insulin-while-fasting": "hold",
            "bleeding-adds-up": "caution",
            "blood-pressure-above-the-limit": "hold",
            "breathing-needs-a-closer-watch": "caution",
            "from-sixty-on": "caution",
        },
    ),
    "a man with an opioid, gabapentin and sleep apnea, on a blood thinner, who wishes the muscle": Visitor(
        {
            "age_years": 44,
            "treatment": IV | {"indication": "ptsd", "preferred_route": "im", "sessions_completed": 3},
            "medications": takes(
                "oxycodone 10 mg tid", "gabapentin 600 mg tid", "venlafaxine XR 150 mg daily", "apixaban 5 mg BID"
            ),
            "conditions": ["sleep_apnea", "ptsd"],
            "lifestyle": {"alcohol_drinks_per_week": 10, "cannabis": "daily", "home_environment": "chaotic"},
            "red_flags": NO_RED_FLAGS,
        },
        {
            "sedation-adds-up-gravely": "hold",
            "night-breathing-adds-up": "caution",
            "bleeding-adds-up": "caution",
            "blood-thinner-and-injection-into-a-muscle": "caution",
            "cannabis-daily": "caution",
            "alcohol-around-the-session": "caution",
        },
        ("sedation-adds-up",),
    ),
    "a young woman with bipolar depression, lamotrigine and the pill, in the United Kingdom": Visitor(
        {
            "age_years": 27,
            "sex": "female",
            "clinic": {"region": "uk"},
            "treatment": SPRAY | {"indication": "bipolar_depression"},
            "medications": takes("lamotrigine 200 mg daily", "Microgynon 30", "quetiapine 300 mg at night"),
            "conditions": ["bipolar_disorder"],
            "red_flags": NO_RED_FLAGS,
        },
        {
            "lamotrigine-with-estrogen": "caution",
            "lamotrigine-use-not-known": "hold",
            "esketamine-outside-its-approval": "caution",
            "bipolar-disorder-and-ketamine": "caution",
        },
        ("how-many-respond",),
    ),
    "somebody of whom nothing is known": Visitor(
        {},
        {
            "medicine-list-not-asked": "hold",
            "conditions-not-asked": "hold",
            "daily-care-between-sessions": "note",
            "calm-places-and-good-company": "note",
            "getting-ready-for-the-first-session": "note",
            "hope-and-doubt-are-both-normal": "note",
            "ketamine-and-other-therapy": "note",
            "a-small-and-clear-goal": "note",
        },
    ),
    "somebody of whom everything is known and well": Visitor(
        {
            "age_years": 40,
            "treatment": IV,
            "medications": [],
            "conditions": [],
            "lifestyle": {
                "sleep_hours_per_night": 8,
                "nutrition": "good",
                "exercise_minutes_per_week": 160,
                "stress_practice_minutes_per_day": 15,
                "alcohol_drinks_per_week": 0,
                "cannabis": "none",
                "home_environment": "supportive",
            },
            "support": SUPPORTED,
            "preparation": PREPARED,
            "expectations": SOBER_HOPES | {"goals": ["walk for 10 minutes on 3 days a week"]},
            "red_flags": NO_RED_FLAGS,
        },
        {"goal-well-chosen": "note", "an-adult-takes-you-home": "caution"},
        ("entries-not-read", "no-one-to-take-you-home"),
    ),
    "tramadol and a cough mixture beside an SSRI": Visitor(
        {
            "treatment": IV,
            "medications": takes("escitalopram 20 mg daily", "tramadol 50 mg qid", "dextromethorphan prn cough"),
        },
        {"serotonin-adds-up": "caution", "seizure-threshold-medicine-history-not-asked": "caution"},
    ),
    "an SSRI beside an MAO inhibitor": Visitor(
        {"treatment": IV, "medications": takes("sertraline 50 mg daily", "phenelzine 15 mg tid", "tramadol 50 mg prn")},
        {"maoi-with-serotonergic-medicine": "hold", "maoi-plan-before-treatment": "hold"},
        ("serotonin-adds-up",),
    ),
    "lithium, an SNRI and a painkiller": Visitor(
        {
            "treatment": IV | {"indication": "bipolar_depression"},
            "medications": takes("lithium 900 mg daily", "duloxetine 60 mg daily", "naproxen 500 mg bid"),
            "conditions": ["bipolar_disorder"],
        },
        {"serotonin-adds-up": "caution", "lithium-continues": "note", "lithium-with-painkiller": "caution"},
        ("bleeding-adds-up",),
    ),
    "a man of 82 with a sleeping pill, who fell last year": Visitor(
        {
            "age_years": 82,
            "treatment": SPRAY,
            "medications": takes("zolpidem 5 mg at night", "mirtazapine 15 mg at night", "amlodipine 5 mg daily"),
            "conditions": ["mobility_limitation"],
            "support": {"escort_available": True, "adult_at_home_24h": True},
        },
        {"sedation-adds-up": "caution", "from-seventy-five-on": "caution", "z-drug-every-night": "caution"},
        ("exercise-none-yet",),
    ),
    "a pregnant woman before the first session": Visitor(
        {"age_years": 31, "sex": "female", "pregnancy": "pregnant", "treatment": IV, "medications": [], "conditions": []},
        {"pregnancy-known-before-the-series": "stop", "movement-in-pregnancy": "caution"},
    ),
    "a nursing mother": Visitor(
        {
            "age_years": 31,
            "sex": "female",
            "pregnancy": "breastfeeding",
            "treatment": IV,
            "medications": [],
            "conditions": [],
        },
        {"breastfeeding-and-ketamine": "hold"},
        ("pregnancy-known-before-the-series",),
    ),
    "daily alprazolam and twenty drinks a week": Visitor(
        {
            "treatment": IV,
            "medications": takes("alprazolam 1 mg tid"),
            "conditions": [],
            "lifestyle": {"alcohol_drinks_per_week": 20},
            "red_flags": NO_RED_FLAGS,
        },
        {"heavy-alcohol-with-opioid-or-benzodiazepine": "hold", "alcohol-fourteen-or-more": "caution"},
        ("alcohol-around-the-session", "benzodiazepine-now-and-then-intermediate"),
    ),
    "methadone against opioid use, and ondansetron": Visitor(
        {"treatment": IV, "medications": takes("methadone 80 mg daily for opioid use disorder", "ondansetron 4 mg prn")},
        {"qt-adds-up": "caution", "opioid-use-disorder-treatment-continues": "caution"},
    ),
    "clozapine with a seizure disorder": Visitor(
        {
            "treatment": IV,
            "medications": takes("clozapine 300 mg at night", "clomipramine 75 mg daily"),
            "conditions": ["seizure_disorder"],
        },
        {"seizure-threshold-medicine-with-seizure-history": "hold", "seizures-in-the-history": "caution"},
        ("seizure-threshold-adds-up",),
    ),
    "theophylline": Visitor(
        {"treatment": IV, "medications": takes("theophylline 300 mg bid"), "conditions": ["respiratory_disease"]},
        {"xanthine-and-seizure-threshold": "hold", "breathing-needs-a-closer-watch": "caution"},
    ),
    "twelve sessions, trouble with the bladder, and ketamine from elsewhere": Visitor(
        {
            "treatment": IV | {"sessions_planned": 20, "sessions_completed": 12, "response_so_far": "partial"},
            "medications": [],
            "conditions": ["cystitis_or_urinary_symptoms", "ketamine_use_outside_program"],
        },
        {"bladder-adds-up": "caution", "bladder-symptoms-and-ketamine": "hold"},
    ),
    "somebody of sixteen": Visitor(
        {"age_years": 16, "treatment": IV, "medications": [], "conditions": []}, {"younger-than-eighteen": "stop"}
    ),
    "lungs, a benzodiazepine and a low saturation at seventy": Visitor(
        {
            "age_years": 70,
            "treatment": IV,
            "medications": takes("clonazepam 1 mg at night"),
            "conditions": ["respiratory_disease"],
            "measures": {"oxygen_saturation": 90},
        },
        {"low-oxygen-saturation": "hold", "night-breathing-adds-up": "caution", "sedation-adds-up": "caution"},
    ),
    "low blood sugar told in millimoles": Visitor(
        {
            "clinic": {"region": "uk"},
            "treatment": SPRAY,
            "medications": takes("gliclazide 80 mg daily"),
            "measures": {"glucose": {"value": 3.2, "unit": "mmol/L"}},
        },
        {"glucose-low": "hold", "low-blood-sugar-while-fasting": "hold"},
        ("glucose-high", "insulin-while-fasting"),
    ),
    "a high blood sugar under a gliflozin": Visitor(
        {"treatment": IV, "medications": takes("empagliflozin 10 mg daily"), "measures": {"glucose": 320}},
        {"glucose-high": "caution", "ketones-while-fasting": "caution"},
        ("glucose-low",),
    ),
    "a GLP-1 with vomiting": Visitor(
        {"treatment": IV, "medications": takes("semaglutide 1 mg weekly"), "conditions": ["digestive_symptoms"]},
        {"glp1-with-digestive-symptoms": "hold"},
    ),
    "a home that is not safe": Visitor(
        {"treatment": IV, "medications": [], "conditions": [], "lifestyle": {"home_environment": "abusive"}},
        {"private-talk-about-home": "stop"},
    ),
}
NAMES = sorted(VISITORS)


@pytest.fixture(scope="module")
def plans(planner: Planner) -> dict[str, CarePlan]:
    return {name: planner.plan(planner.intake.convert(one.body)) for name, one in VISITORS.items()}


def test_there_are_more_than_twenty_of_them() -> None:
    assert len(VISITORS) > 20


@pytest.mark.parametrize("name", NAMES)
def test_what_a_clinician_looks_for_is_said_at_its_level(plans: dict[str, CarePlan], name: str) -> None:
    found = by_rule(plans[name])
    assert {rule: found[rule].level if rule in found else None for rule in VISITORS[name].says} == VISITORS[name].says


@pytest.mark.parametrize("name", NAMES)
def test_what_would_be_a_mistake_is_not_said(plans: dict[str, CarePlan], name: str) -> None:
    assert by_rule(plans[name]).keys().isdisjoint(VISITORS[name].never)


@pytest.mark.parametrize("name", NAMES)
def test_every_decision_is_on_the_front_and_nothing_stands_there_twice(plans: dict[str, CarePlan], name: str) -> None:
    plan = plans[name]
    decided = [item for row in plan.front.decisions for item in row.items]
    assert {item.id for item in items_of(plan) if item.level in ("stop", "hold")} <= set(decided)
    told = [row.line for row in plan.front.decisions] + [row.line for row in plan.front.differs]
    told += [plan.front.route.line] if plan.front.route else []
    assert [line for line, times in Counter(told).items() if times > 1] == []


@pytest.mark.parametrize("name", NAMES)
def test_no_two_items_say_the_same_and_nothing_only_repeats_a_question(plans: dict[str, CarePlan], name: str) -> None:
    own = [item for item in items_of(plans[name]) if item.scope != "standing"]
    assert [line for line, times in Counter(item.line for item in own).items() if times > 1] == []
    assert not [item for item in own if item.level == "note" and "not asked yet" in item.title]


def test_what_nobody_asked_is_a_question_and_no_item(plans: dict[str, CarePlan]) -> None:
    plan = plans["somebody of whom nothing is known"]
    asked = {question.pointer for question in plan.information_needed}
    assert asked >= {
        "/lifestyle/sleep_hours_per_night",
        "/lifestyle/nutrition",
        "/lifestyle/exercise_minutes_per_week",
        "/lifestyle/stress_practice_minutes_per_day",
        "/lifestyle/home_environment",
        "/support/therapist",
        "/support/trusted_people",
        "/preparation/researched",
        "/expectations/expects_immediate_relief",
        "/expectations/goals",
    }
    own = {item.rule.id: item.level for item in items_of(plan) if item.scope != "standing"}
    assert sorted(own) == [
        "conditions-not-asked",
        "food-and-drink-product-not-answered",
        "medicine-list-not-asked",
        "open-product-and-route",
    ]


@pytest.mark.parametrize("name", NAMES)
def test_whoever_may_go_on_reads_who_takes_them_home_and_what_to_call_in_an_emergency(
    plans: dict[str, CarePlan], name: str
) -> None:
    plan = plans[name]
    text = " ".join(line.text for _, lines in plan.card.parts() for line in lines)
    if plan.status == "blocked":
        assert "takes you home" not in text
        return
    number = "999" if VISITORS[name].body.get("clinic", {}).get("region") == "uk" else "911"
    assert "An adult takes you home" in text
    assert f"call {number}" in text
    assert "drive" in text.casefold() or "driving" in text.casefold()


def test_the_perfect_patient_has_nothing_to_decide_and_little_to_read(plans: dict[str, CarePlan]) -> None:
    plan = plans["somebody of whom everything is known and well"]
    own = [item for item in items_of(plan) if item.scope != "standing"]
    assert plan.front.ready
    assert not plan.front.differs
    assert {item.level for item in own} == {"note"}
    assert len(own) <= 15


def test_the_goal_of_a_patient_is_on_the_card_however_much_else_there_is(planner: Planner) -> None:
    body = VISITORS["a man with an opioid, gabapentin and sleep apnea, on a blood thinner, who wishes the muscle"].body
    goal = "walk for 10 minutes on 3 days a week"
    plan = planner.plan(
        planner.intake.convert({**body, "expectations": {"expects_immediate_relief": True, "goals": [goal]}})
    )
    assert goal in " ".join(line.text for line in plan.card.goal)
    assert any("no alcohol" in line.text for line in plan.card.afterwards)
