"""Patients whose clinics tell in words what has fields of its own: readings, medicines, habits, relatives, circumstances."""

from __future__ import annotations

import re
from typing import Any

import pytest

from careplan.plan.model import CarePlan, Item, items_of
from careplan.planner import Planner

Json = dict[str, Any]
IV: Json = {"indication": "depression", "product": "racemic", "preferred_route": "iv", "sessions_planned": 6}
CALM: Json = {"suicidal_thoughts": "none", "psychosis_now": False, "mania_now": False}


def plan_of(planner: Planner, *written: str, **more: Any) -> CarePlan:
    body = {"as_of": "2026-11-30", "treatment": IV, "red_flags": CALM, "other_conditions": list(written), **more}
    return planner.plan(planner.intake.convert(body))


def by_rule(plan: CarePlan) -> dict[str, Item]:
    return {item.rule.id: item for item in items_of(plan)}


def decided(plan: CarePlan) -> set[str]:
    on_front = {item for row in plan.front.decisions for item in row.items}
    return {item.rule.id for item in items_of(plan) if item.id in on_front}


def test_an_old_patient_who_falls_with_a_high_pressure_told_in_words_is_not_ready(planner: Planner) -> None:
    plan = plan_of(
        planner, "falls", "lives alone", "AFib", "BP 148/86 today", "eGFR 44", age_years=78, conditions=["hypertension"]
    )
    assert "blood-pressure-above-the-limit" in decided(plan)
    assert "entries-not-read" not in by_rule(plan)
    assert "/measures/systolic" not in {one.pointer for one in plan.information_needed}


def test_a_low_sugar_of_a_patient_with_insulin_told_in_words_is_treated_first(planner: Planner) -> None:
    plan = plan_of(planner, "type 1 diabetic", "sugar 55 this morning", medications=[{"text": "insulin lispro via pump"}])
    assert "glucose-low" in decided(plan)


@pytest.mark.parametrize("written", ["BP 190/120 today", "BP today: 190/120 mmHg", "hypertension - 190/120 this morning"])
def test_a_very_high_pressure_in_words_blocks_as_the_measure_does(planner: Planner, written: str) -> None:
    told, sent = plan_of(planner, written), plan_of(planner, measures={"systolic": 190, "diastolic": 120})
    assert told.status == sent.status == "blocked"
    assert {item.rule.id for item in sent.alerts} <= {item.rule.id for item in told.alerts}


@pytest.mark.parametrize(
    ("medications", "is_read"),
    [([{"text": "levetiracetam 1000 mg bid"}], True), ([{"text": "sertraline 50 mg"}], False), ([], False)],
)
def test_a_medicine_beside_an_illness_is_known_only_where_the_list_has_it(
    planner: Planner, medications: list[Json], *, is_read: bool
) -> None:
    plan = plan_of(planner, "epilepsy on Keppra", "on Keppra", medications=medications)
    assert ("entries-not-read" not in by_rule(plan)) is is_read
    assert "seizure_disorder" in plan.conditions[0].tokens


def test_daily_cannabis_in_words_counts_as_the_answer(planner: Planner) -> None:
    assert "cannabis-daily" in by_rule(plan_of(planner, "vapes THC every night"))
    assert "cannabis-daily" not in by_rule(plan_of(planner, "denies daily marijuana"))


@pytest.mark.parametrize("written", [("bipolar 2", "never manic"), ("AFib", "denies heart attack")])
def test_a_denial_of_one_illness_contradicts_no_wider_one(planner: Planner, written: tuple[str, str]) -> None:
    assert "entries-contradict" not in by_rule(plan_of(planner, *written))


def test_a_contradiction_is_no_entry_that_was_not_read(planner: Planner) -> None:
    plan = plan_of(planner, "seizures", "denies seizures")
    assert "entries-contradict" in by_rule(plan)
    assert plan.front.unread is None


@pytest.mark.parametrize("written", ["child with epilepsy", "kids have asthma", "my dog has seizures", "nephew w/ bipolar"])
def test_the_illness_of_somebody_else_is_not_the_patients(planner: Planner, written: str) -> None:
    assert plan_of(planner, written).conditions[0].tokens == []


@pytest.mark.parametrize(
    "body",
    [
        {"other_conditions": ["history of abuse by husband"]},
        {"other_conditions": ["controlling boyfriend", "zzq"]},
        {"other_conditions": ["survivor of partner violence"]},
        {"other_conditions": ["partner reads her mail"]},
        {"medications": [{"name": "zzqblorptan since he choked her"}]},
        {"expectations": {"goals": ["zzq the restraining order case"]}},
    ],
)
def test_no_paper_of_a_patient_repeats_what_tells_of_harm_at_home(planner: Planner, body: dict[str, Any]) -> None:
    plan = planner.plan(planner.intake.convert({"medications": [], "conditions": []} | body))
    told = re.compile("abuse|controlling|violence|mail|choked|restraining")
    assert any(told.search(item.clinician_text) for item in items_of(plan))
    assert not any(told.search(f"{item.title} {item.patient_text}") for item in items_of(plan))
    (unread,) = [item for item in items_of(plan) if item.rule.id == "entries-not-read"]
    assert "an entry that a clinician goes through with you" in unread.patient_text


def test_what_tells_of_no_harm_is_repeated_on_paper_beside_it(planner: Planner) -> None:
    plan = plan_of(planner, "history of abuse by husband", "zzq syndrome")
    (unread,) = [item for item in items_of(plan) if item.rule.id == "entries-not-read"]
    assert "“zzq syndrome”" in unread.patient_text


@pytest.mark.parametrize(
    "written",
    [
        "positive pregnancy test", "HCG positive", "gestational age 18 weeks", "EDD 06/2027", "pregnant with twins",
        "intrauterine pregnancy at 20 weeks", "expecting a baby in May", "gravid", "gestational diabetes",
    ],
)  # fmt: skip
def test_a_pregnancy_told_in_words_blocks_as_the_answer_does(planner: Planner, written: str) -> None:
    plan = plan_of(planner, written, medications=[])
    assert plan.status == "blocked"
    assert {"pregnancy-known-before-the-series", "pregnancy-test-positive"} & by_rule(plan).keys()


@pytest.mark.parametrize("written", ["nursing mother", "breastfeeding mom", "pumping breastmilk", "still nursing"])
def test_breastfeeding_told_in_words_is_a_decision_as_the_answer_is(planner: Planner, written: str) -> None:
    assert "breastfeeding-and-ketamine" in by_rule(plan_of(planner, written, medications=[]))


@pytest.mark.parametrize("written", ["wife is pregnant", "miscarriage 2019", "history of pregnancy", "hcg negative"])
def test_a_pregnancy_that_is_over_denied_or_of_somebody_else_is_none(planner: Planner, written: str) -> None:
    assert (
        not {"pregnancy-known-before-the-series", "pregnancy-before-the-series"} & by_rule(plan_of(planner, written)).keys()
    )


@pytest.mark.parametrize(
    "written",
    [
        "type 1 diabetes", "T1DM on insulin pump", "IDDM", "LADA", "E10.65", "Z79.4", "brittle diabetes",
        "type 1 diabetic since age 9", "uncontrolled type 1 diabetes", "DM2 insulin requiring",
    ],
)  # fmt: skip
def test_insulin_that_the_list_leaves_out_is_looked_for_before_a_session_without_food(
    planner: Planner, written: str
) -> None:
    plan = plan_of(planner, written, medications=[{"name": "metformin"}])
    assert "insulin-not-on-the-list" in decided(plan)
    assert "low" in by_rule(plan)["insulin-not-on-the-list"].patient_text
    named = plan_of(planner, written, medications=[{"name": "Humalog"}])
    assert "insulin-not-on-the-list" not in by_rule(named)
    assert "insulin-while-fasting" in decided(named)


@pytest.mark.parametrize(
    "written", ["diabetes", "type 2 diabetes", "E11.9", "prediabetes", "mother has type 1 diabetes", "no type 1 diabetes"]
)
def test_nobody_is_asked_for_insulin_who_need_not_take_any(planner: Planner, written: str) -> None:
    assert "insulin-not-on-the-list" not in by_rule(plan_of(planner, written, medications=[{"name": "metformin"}]))


@pytest.mark.parametrize(
    ("written", "medicine", "rule"),
    [
        ("hx of torsades", "citalopram", "qt-adds-up"),
        ("Brugada syndrome", "ondansetron", "qt-adds-up"),
        ("seizure from tramadol 2019", "bupropion", "seizure-threshold-medicine-with-seizure-history"),
        ("obesity hypoventilation syndrome", "oxycodone", "sedation-adds-up-gravely"),
    ],
)
def test_an_illness_in_rarer_words_counts_beside_a_medicine(
    planner: Planner, written: str, medicine: str, rule: str
) -> None:
    assert rule in by_rule(plan_of(planner, written, medications=[{"name": medicine}]))


@pytest.mark.parametrize("age", [40, 59, 60, 74, 75, 76, None])
@pytest.mark.parametrize("written", ["frailty", "lives in a nursing home", "R54"])
def test_frailty_is_spoken_of_at_any_age(planner: Planner, written: str, age: int | None) -> None:
    found = by_rule(plan_of(planner, written, **({} if age is None else {"age_years": age})))
    assert found["frailty-known"].level == "caution"
    assert ("from-sixty-on" in found, "from-seventy-five-on" in found) == (age in (60, 74), age in (75, 76))


@pytest.mark.parametrize(
    ("written", "medicines", "rule"),
    [
        ("hemophilia", ["sertraline"], "bleeding-adds-up"),
        ("low platelets", ["warfarin"], "bleeding-adds-up"),
        ("morbid obesity", ["oxycodone", "zolpidem"], "night-breathing-adds-up"),
        ("snores", ["oxycodone", "gabapentin"], "night-breathing-adds-up"),
    ],
)
def test_what_adds_up_counts_illnesses_in_words(planner: Planner, written: str, medicines: list[str], rule: str) -> None:
    taken = [{"name": name, "schedule": "daily"} for name in medicines]
    assert rule in by_rule(plan_of(planner, written, medications=taken))
    assert rule not in by_rule(plan_of(planner, "hay fever", medications=taken))


@pytest.mark.parametrize("written", ["hemophilia B", "von Willebrand disease", "thrombocytopenia"])
def test_no_shot_is_recommended_to_who_bleeds_easily(planner: Planner, written: str) -> None:
    wish = {"preferred_route": "im", "product": "racemic"}
    found = by_rule(plan_of(planner, written, treatment=wish, medications=[]))
    assert {"bleeding-disorder-known", "iv-beside-a-shot-with-a-bleeding-disorder", "your-wish-counts"} <= set(found)
    assert "im-as-you-prefer" not in found
    assert "im-as-you-prefer" in by_rule(plan_of(planner, "hay fever", treatment=wish, medications=[]))


@pytest.mark.parametrize("medicine", ["bupropion", "tramadol", "clozapine"])
def test_much_alcohol_counts_beside_what_lowers_the_seizure_threshold(planner: Planner, medicine: str) -> None:
    rule = "seizure-threshold-medicine-with-heavy-drinking"
    taken = [{"name": medicine, "schedule": "daily"}]
    drinks = {"lifestyle": {"alcohol_drinks_per_week": 30}}
    found = by_rule(plan_of(planner, "hay fever", medications=taken, **drinks))
    assert "without a sudden end" in found[rule].clinician_text
    assert rule not in by_rule(plan_of(planner, "hay fever", medications=taken))


@pytest.mark.parametrize(("pulse", "there"), [(42, True), (49, True), (50, False), (80, False)])
def test_a_slow_pulse_counts_for_the_qt_interval(planner: Planner, pulse: int, *, there: bool) -> None:
    taken = [{"name": "escitalopram", "schedule": "daily"}]
    found = by_rule(plan_of(planner, "hay fever", medications=taken, measures={"pulse": pulse}))
    assert ("qt-adds-up" in found) is there


@pytest.mark.parametrize(
    ("medicine", "rule", "level", "illness"),
    [
        ("flecainide 100 mg bid", "heart-rhythm-medicine-without-heart-disease", "caution", "atrial fibrillation"),
        ("Pacerone 200 mg daily", "heart-rhythm-medicine-without-heart-disease", "caution", "heart failure"),
        ("Aricept 10 mg qhs", "memory-medicine-without-memory-trouble", "hold", "Alzheimer's disease"),
        ("Namenda 10 mg bid", "memory-medicine-without-memory-trouble", "hold", "mild cognitive impairment"),
    ],
)
def test_what_a_medicine_tells_and_no_illness_does_is_asked_about(
    planner: Planner, medicine: str, rule: str, level: str, illness: str
) -> None:
    taken = [{"text": medicine}]
    found = by_rule(plan_of(planner, "hay fever", medications=taken))
    assert found[rule].level == level
    assert rule not in by_rule(plan_of(planner, illness, medications=taken))


def test_quinidine_beside_dextromethorphan_tells_of_no_heart_disease(planner: Planner) -> None:
    found = by_rule(plan_of(planner, "hay fever", medications=[{"name": "Nuedexta"}]))
    assert "heart-rhythm-medicine-without-heart-disease" not in found
