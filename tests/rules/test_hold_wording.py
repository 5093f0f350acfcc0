"""Patients for whom a plan must not speak of leaving out doses, although the medicine itself looks harmless."""

from __future__ import annotations

from typing import Any

import pytest

from careplan.plan.model import items_of
from careplan.planner import Planner
from careplan.request.what_if_request import merge_patch
from careplan.rulebook.model import Rulebook
from tests.patients import ANSWERED

XANAX = {"name": "Xanax", "schedule": "as_needed", "indication": "anxiety"}
LAMICTAL = {"name": "Lamictal", "schedule": "daily", "indication": "bipolar"}


def speaks_of_holds(planner: Planner, book: Rulebook, body: dict[str, Any]) -> list[str]:
    plan = planner.plan(planner.intake.convert(merge_patch(ANSWERED, body)))
    items = items_of(plan)
    return [
        item.id
        for item in items
        if "hold" in book.rules[item.rule.id].patient.names | book.rules[item.rule.id].clinician.names
    ]


def test_a_medicine_taken_now_and_then_for_a_clear_reason_is_open_for_discussion(planner: Planner, book: Rulebook) -> None:
    assert speaks_of_holds(planner, book, {"medications": [XANAX]})
    assert speaks_of_holds(planner, book, {"medications": [LAMICTAL]})


@pytest.mark.parametrize(
    "pointer",
    [
        "/conditions",
        "/lifestyle/alcohol_drinks_per_week",
        "/red_flags/intoxicated_now",
        "/red_flags/new_neurological_symptom",
    ],
)
@pytest.mark.parametrize("medicine", [XANAX, LAMICTAL])
def test_an_answer_that_would_close_the_question_is_asked_for_before_it_is_open(
    planner: Planner, book: Rulebook, medicine: dict[str, Any], pointer: str
) -> None:
    group, _, field = pointer.strip("/").partition("/")
    body = {"medications": [medicine], group: {field: None} if field else None}
    assert not speaks_of_holds(planner, book, body)
    plan = planner.plan(planner.intake.convert(merge_patch(ANSWERED, body)))
    (asked,) = [question for question in plan.information_needed if question.pointer == pointer]
    assert "medications" in [part.section for part in asked.could_change]


@pytest.mark.parametrize("past", ["alcohol_use_disorder_history", "substance_use_disorder_history"])
def test_any_drinking_after_a_use_disorder_closes_the_question(planner: Planner, book: Rulebook, past: str) -> None:
    body = {"medications": [XANAX], "conditions": [past]}
    assert speaks_of_holds(planner, book, body)
    assert not speaks_of_holds(planner, book, body | {"lifestyle": {"alcohol_drinks_per_week": 0.5}})


@pytest.mark.parametrize(
    "other",
    [
        {"name": "Keppra", "schedule": "daily"},
        {"name": "Dilantin", "schedule": "daily", "indication": "other"},
        {"name": "Klonopin", "schedule": "daily", "indication": "anxiety"},
        {"name": "phenobarbital", "schedule": "daily", "indication": "insomnia"},
        {"name": "Ambien", "schedule": "daily", "indication": "insomnia"},
        {"name": "Onfi"},
        {"name": "an unheard-of medicine"},
        {"name": "diazepam nasal", "schedule": "as_needed", "indication": "anxiety"},
        {"name": "midazolam spray"},
        {"name": "diazepam gel"},
        {"rxcui": "99999999"},
    ],
    ids=lambda entry: str(entry.get("name", "code")),
)
def test_another_medicine_that_may_be_there_against_seizures_or_shows_dependence_closes_the_talk(
    planner: Planner, book: Rulebook, other: dict[str, str]
) -> None:
    assert speaks_of_holds(planner, book, {"medications": [XANAX, other]}) == []
    assert speaks_of_holds(planner, book, {"medications": [other, XANAX]}) == []


@pytest.mark.parametrize(
    "condition",
    [
        "seizure_disorder", "withdrawal_seizure_history", "withdrawal_signs_now", "catatonia", "alcohol_use_disorder_active",
        "substance_use_disorder_active", "substance_relapse", "stopped_medicine_alone", "benzodiazepine_stopped_alone",
        "listed_medicine_stopped_alone", "preeclampsia", "delirium",
        "lamotrigine_missed_doses", "lamotrigine_rash", "loss_of_consciousness_now",
    ],
)  # fmt: skip
def test_a_condition_with_seizures_withdrawal_or_missed_doses_closes_the_talk(
    planner: Planner, book: Rulebook, condition: str
) -> None:
    for medicine in (XANAX, LAMICTAL):
        assert speaks_of_holds(planner, book, {"medications": [medicine], "conditions": [condition]}) == []


@pytest.mark.parametrize(
    "answer",
    [
        {"lifestyle": {"alcohol_drinks_per_week": 14}},
        {"red_flags": {"new_neurological_symptom": True}},
        {"red_flags": {"intoxicated_now": True}},
    ],
    ids=["drinking", "neurological symptom", "intoxicated"],
)
def test_heavy_drinking_and_acute_signs_close_the_talk(planner: Planner, book: Rulebook, answer: dict[str, Any]) -> None:
    assert speaks_of_holds(planner, book, {"medications": [XANAX]} | answer) == []


@pytest.mark.parametrize(
    "product", ["midazolam nasal", "diazepam nasal spray", "diazepam gel", "lorazepam injection", "Valtoco"]
)
def test_a_benzodiazepine_in_a_rescue_form_is_rescue_whatever_is_said_of_it(
    planner: Planner, book: Rulebook, product: str
) -> None:
    entry = {"name": product, "schedule": "as_needed", "indication": "anxiety"}
    assert speaks_of_holds(planner, book, {"medications": [entry]}) == []
