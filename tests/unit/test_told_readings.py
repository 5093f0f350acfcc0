"""A reading in words among the illnesses is taken as the measure where it is plain, and is never left unread."""

from __future__ import annotations

from typing import Any

import pytest

from careplan.plan.model import CarePlan, items_of
from careplan.planner import Planner
from tests.plans import rules_of

TODAY = "2026-11-30"
GRAVE = {"unread-entry-may-be-a-danger", "unread-entry-may-be-grave"}


def plan_of(planner: Planner, *written: str, **more: Any) -> CarePlan:
    body = {"as_of": TODAY, "conditions": [], "other_conditions": list(written), **more}
    return planner.plan(planner.intake.convert(body))


@pytest.mark.parametrize(
    ("written", "rule"),
    [
        ("BP 190/120 this morning", "measured-very-high-blood-pressure"),
        ("hypertension 190/100", "measured-very-high-blood-pressure"),
        ("high blood pressure, 150/125 today", "measured-very-high-blood-pressure"),
        ("190/120", "measured-very-high-blood-pressure"),
        ("systolic 188", "measured-very-high-blood-pressure"),
        ("oxygen sat is 84% on room air", "very-low-oxygen-saturation"),
        ("HTN, BP 150/95", "blood-pressure-above-the-limit"),
        ("blood pressure 165 over 100 today", "blood-pressure-above-the-limit"),
        ("pulse 38", "pulse-very-slow-or-fast"),
        ("resting heart rate: 140 bpm", "pulse-very-slow-or-fast"),
        ("SpO2 85%", "very-low-oxygen-saturation"),
        ("sats 91% on room air", "low-oxygen-saturation"),
        ("sugar 45", "glucose-low"),
        ("blood sugar 3.1 mmol/L", "glucose-low"),
        ("glucose 2.9", "glucose-low"),
        ("T2DM; fingerstick 410 this morning", "glucose-high"),
        ("long QT (QTc 510 ms on ECG last month)", "qtc-very-long"),
        ("QTc 0.52 s", "qtc-very-long"),
        ("PHQ-9 item 9: 2", "scale-answer-on-suicide"),
        ("PHQ-9 total 24 (item 9: 3/3)", "scale-answer-on-suicide"),
        ("eGFR 12", "kidney-function-very-low"),
        ("ALT 300 U/L", "liver-enzyme-high"),
        ("AUDIT-C 9/12", "alcohol-score-high"),
        ("UDS positive", "drug-screen-positive"),
        ("home pregnancy test: pos", "pregnancy-test-positive"),
        ("temp 101.5 F since yesterday", "ill-or-feverish-now"),
        ("temperature 38.6", "ill-or-feverish-now"),
    ],
)
def test_a_plain_reading_counts_as_the_measure_and_points_at_the_entry(planner: Planner, written: str, rule: str) -> None:
    plan = plan_of(planner, "GERD", written)
    item = next(item for item in items_of(plan) if item.rule.id == rule)
    assert "/other_conditions/1" in {about.pointer for about in item.about}
    assert not rules_of(plan) & {*GRAVE, "entries-not-read"}


@pytest.mark.parametrize(
    "written",
    [
        "BP 150/95 last week",
        "BP 128/78",
        "BP runs 120/80",
        "BP goal <130/80",
        "PHQ9 was 22 in March",
        "PHQ-9 22 -> 14",
        "GAD-7: 15/21",
        "weighs 140",
        "weight 210 lbs",
        "eGFR >60",
        "A1c 8.2",
        "TSH 2.5",
        "potassium 4.1 mEq/L",
        "RR 16",
        "temp 98.6",
        "BMI 42",
        "fever of 102 last year",
        "C-SSRS negative",
        "UDS negative",
        "Vitals: BP 120/80, HR 72, RR 16, temp 98.6, SpO2 97% RA",
        "labs: K 4.1, eGFR 72, ALT 20",
        "HTN (BP 138/84 on 11/28/2026)",
    ],
)
def test_a_reading_that_is_no_danger_is_neither_unread_nor_silent(planner: Planner, written: str) -> None:
    plan = plan_of(planner, written)
    assert not rules_of(plan) & {*GRAVE, "entries-not-read"}
    assert plan.status == "draft"
    named = {one.pointer for one in plan.not_considered} | {about.pointer for item in items_of(plan) for about in item.about}
    assert "/other_conditions/0" in named


@pytest.mark.parametrize(
    "written", ["BP runs 170/100 at home", "BP runs 170s/100s at home", "blood pressure averages 165/98", "BP up to 180s"]
)
def test_a_pressure_that_is_usually_high_is_left_to_a_person_and_no_quiet_line(planner: Planner, written: str) -> None:
    plan = plan_of(planner, written)
    assert rules_of(plan) & {*GRAVE, "entries-not-read"}
    assert "blood-pressure-above-the-limit" not in rules_of(plan)


@pytest.mark.parametrize("written", ["BP usually 120/70", "BP goal < 130/80", "BP in the 120s", "EPDS 8"])
def test_one_that_is_usually_low_or_only_wished_for_is_a_quiet_line(planner: Planner, written: str) -> None:
    assert not rules_of(plan_of(planner, written)) & {*GRAVE, "entries-not-read"}


@pytest.mark.parametrize(
    "written", ["potassium 2.6", "Na 120", "K 6.4", "TSH 0.02", "hemoglobin 6.2", "lithium level 1.8", "EF 20%", "RR 6"]
)
def test_a_reading_of_no_measure_that_lies_far_out_is_a_decision(planner: Planner, written: str) -> None:
    assert "unread-entry-may-be-grave" in rules_of(plan_of(planner, written))


@pytest.mark.parametrize(
    "written",
    [
        *("C-SSRS positive", "C-SSRS 4", "CSSRS high risk", "Columbia screen: low risk", "C-SSRS: yes"),
        *("EPDS 21, item 10 = 2", "EPDS item 10: 1"),
    ],
)
def test_a_scale_of_suicide_that_is_not_negative_is_an_alert(planner: Planner, written: str) -> None:
    plan = plan_of(planner, written)
    assert plan.status == "blocked"
    assert "unread-entry-may-be-a-danger" in rules_of(plan)


def test_the_measure_that_was_sent_wins_and_a_grave_reading_beside_it_is_read_by_a_person(planner: Planner) -> None:
    sent = {"measures": {"systolic": 128, "diastolic": 80}}
    assert "blood-pressure-above-the-limit" not in rules_of(plan_of(planner, "BP 150/95 today", **sent))
    assert "unread-entry-may-be-a-danger" in rules_of(plan_of(planner, "BP 190/120 today", **sent))


@pytest.mark.parametrize("written", ["mother's BP 190/100", "call 911 if BP 185/110", "zzq BP 190/120"])
def test_a_reading_beside_words_that_nobody_could_read_sets_no_measure(planner: Planner, written: str) -> None:
    rules = rules_of(plan_of(planner, written))
    assert "measured-very-high-blood-pressure" not in rules
    assert "unread-entry-may-be-a-danger" in rules


@pytest.mark.parametrize(
    "written",
    ["mother: sugar 45", "father had glucose 400", "dizzy when BP 90/60", "SAT 1400", "BP 90/500", "fell 3/4/2025"],
)
def test_no_measure_is_made_of_what_is_another_persons_or_cannot_be_meant(planner: Planner, written: str) -> None:
    plan = plan_of(planner, written)
    assert not plan.conditions[0].recognized_as
    assert "entries-not-read" in rules_of(plan)


def test_a_denial_reaches_over_a_reading_in_its_list(planner: Planner) -> None:
    plan = plan_of(planner, "denies chest pain, BP 128/84, seizures")
    assert plan.conditions[0].tokens == []


def test_without_a_day_of_the_plan_only_a_reading_of_these_days_is_taken(planner: Planner) -> None:
    body = {"conditions": [], "other_conditions": ["BP 150/95 last week", "PHQ-9 item 9: 2 last week"]}
    rules = rules_of(planner.plan(planner.intake.convert(body)))
    assert "blood-pressure-above-the-limit" not in rules
    assert "scale-answer-on-suicide" in rules


def test_a_reading_alone_is_no_answer_to_the_question_for_illnesses(planner: Planner) -> None:
    plan = planner.plan(planner.intake.convert({"other_conditions": ["TSH 2.5", "BP 128/78"]}))
    assert "/conditions" in {one.pointer for one in plan.information_needed}
