"""Right answers for patients written with a clinic's eye: each held a fault when it was read for the first time."""

from __future__ import annotations

from typing import Any

import pytest

from careplan.planner import Planner
from tests.plans import NO_RED_FLAGS, by_rule, plan_of, rules_of

Json = dict[str, Any]
SIGNED = "Dr. Ines Marlow, MD"
WELL: Json = {
    "treatment": {"indication": "depression", "product": "racemic", "preferred_route": "iv", "sessions_completed": 0},
    "conditions": [],
    "medications": [],
    "lifestyle": {"alcohol_drinks_per_week": 0},
    "red_flags": NO_RED_FLAGS,
}
HOLDS: Json = {
    "holds": [
        {"drug_class": name, "before_hours": 12, "after_hours": 6, "approved_by": SIGNED}
        for name in ("benzodiazepine", "lamotrigine")
    ]
}


def medicines(*lines: str) -> Json:
    return {"medications": [{"text": line} for line in lines]}


@pytest.mark.parametrize(
    ("lines", "is_between"),
    [
        (["lamotrigine 200 mg daily for bipolar"], True),
        (["lamotrigine 100 mg bid for bipolar"], False),
        (["lamotrigine 100 mg in the morning and 200 mg at bedtime for bipolar"], False),
        (["lamotrigine 100 mg 1-2 times a day for bipolar"], False),
        (["lamotrigine 100 mg every morning for bipolar", "lamotrigine 200 mg at bedtime for bipolar"], False),
    ],
)
def test_a_hold_misses_no_dose_only_of_what_is_taken_once_a_day(
    planner: Planner, lines: list[str], *, is_between: bool
) -> None:
    plan = plan_of(planner, WELL | medicines(*lines) | {"protocol": HOLDS})
    item = by_rule(plan)["lamotrigine-plan-for-sessions"]
    assert ("no dose is missed" in item.patient_text) is is_between
    assert ("no dose is missed" in item.clinician_text) is is_between
    assert SIGNED in item.clinician_text


def test_a_benzodiazepine_against_catatonia_three_times_a_day_is_never_said_to_miss_no_dose(planner: Planner) -> None:
    plan = plan_of(planner, WELL | medicines("lorazepam 2 mg tid for catatonia") | {"protocol": HOLDS})
    item = by_rule(plan)["benzodiazepine-against-catatonia"]
    assert item.hold_gate is not None and not item.hold_gate.misses_no_dose
    assert "no dose is missed" not in item.clinician_text
    assert "12 hours" not in item.patient_text
    assert "benzodiazepine-against-catatonia" in rules_of(plan)


def asked(planner: Planner, *written: str) -> set[str]:
    body = {"as_of": "2026-11-30", **WELL, "other_conditions": list(written)}
    return {one.pointer for one in plan_of(planner, body).information_needed if one.pointer.startswith("/measures/")}


@pytest.mark.parametrize("written", ["BP 118/70", "blood pressure 124/78", "BP 90/118"])
def test_a_reassuring_pressure_without_a_day_keeps_nobody_from_measuring(planner: Planner, written: str) -> None:
    assert {"/measures/systolic", "/measures/diastolic"} <= asked(planner, written)


@pytest.mark.parametrize("written", ["BP 118/70 today", "BP 118/70 this morning", "BP 165/95", "BP 86/50"])
def test_a_pressure_of_today_or_one_that_weighs_counts_as_measured(planner: Planner, written: str) -> None:
    assert not asked(planner, written)


def test_an_old_patient_who_falls_and_lives_alone_is_spoken_to_of_both(planner: Planner) -> None:
    body = WELL | medicines("amlodipine 5 mg daily") | {"age_years": 83}
    body["other_conditions"] = ["recurrent falls", "orthostatic hypotension", "lives alone"]
    plan = plan_of(planner, body)
    found = by_rule(plan)
    assert {"unsteady-after-a-session", "lives-alone-who-stays", "from-seventy-five-on"} <= set(found)
    assert "known-entries-without-a-rule" not in found
    assert any("Lives alone" in row.line for row in plan.front.differs)
    said = [line.text for line in plan.card.way_home]
    assert sum("arm on stairs" in line for line in said) <= 1
    assert any("first night" in line for line in said)


@pytest.mark.parametrize(
    ("at_home", "rule"), [(False, "no-adult-at-home-after"), (True, None), (None, "lives-alone-who-stays")]
)
def test_who_lives_alone_is_asked_once_who_stays(planner: Planner, rule: str | None, *, at_home: bool | None) -> None:
    support = {} if at_home is None else {"adult_at_home_24h": at_home}
    body = WELL | {"conditions": ["living_alone"], "support": {"escort_available": True, **support}}
    found = rules_of(plan_of(planner, body)) & {"no-adult-at-home-after", "lives-alone-who-stays"}
    assert found == ({rule} if rule else set())


def test_methadone_against_opioid_use_disorder_is_never_called_pain_medicine(planner: Planner) -> None:
    treated = plan_of(planner, WELL | medicines("methadone 80 mg daily for OUD"))
    assert {"opioid-load-fifty-or-more", "opioid-use-disorder-treatment-continues"} <= rules_of(treated)
    assert not any("pain medicine" in item.patient_text for item in by_rule(treated).values())
    assert "no sign of risk by itself" in by_rule(treated)["opioid-load-fifty-or-more"].clinician_text


@pytest.mark.parametrize("pregnancy", ["possible", "pregnant"])
def test_valproate_in_a_possible_pregnancy_is_a_decision_of_today(planner: Planner, pregnancy: str) -> None:
    body = WELL | medicines("Depakote 500 mg bid for bipolar") | {"pregnancy": pregnancy, "sex": "female", "age_years": 27}
    plan = plan_of(planner, body)
    item = by_rule(plan)["valproate-and-pregnancy"]
    assert item.level == "hold"
    assert any(ask.by == "same_day" for ask in item.asks)
    assert "Do not stop or change it on your own" in item.patient_text
    assert any(item.id in row.items for row in plan.front.decisions)


def test_nobody_is_asked_why_an_antipsychotic_is_taken_whose_illness_is_on_record(planner: Planner) -> None:
    body = WELL | medicines("quetiapine 200 mg qhs")
    assert "antipsychotic-reason-unclear" in rules_of(plan_of(planner, body))
    for illness in ("bipolar I", "schizophrenia", "psychotic depression"):
        told = rules_of(plan_of(planner, body | {"other_conditions": [illness]}))
        assert "antipsychotic-reason-unclear" not in told


@pytest.mark.parametrize(("drinks", "level"), [(13, None), (40, "caution"), (42, "hold"), (60, "hold")])
def test_six_drinks_a_day_weigh_as_much_as_the_score_they_stand_for(
    planner: Planner, drinks: int, level: str | None
) -> None:
    plan = plan_of(planner, WELL | {"lifestyle": {"alcohol_drinks_per_week": drinks}})
    found = {rule: item.level for rule, item in by_rule(plan).items() if item.topic == "alcohol"}
    assert found.get("alcohol-forty-two-or-more") == ("hold" if level == "hold" else None)
    assert (found.get("alcohol-fourteen-or-more") == "caution") is (level is not None)
    assert plan.front.ready is (level != "hold")


def test_the_patients_paper_does_not_repeat_what_the_plan_says_nothing_about(planner: Planner) -> None:
    body = (
        WELL | medicines("vitamin D3 1000 units daily") | {"other_conditions": ["childhood sexual abuse", "type 2 diabetes"]}
    )
    item = by_rule(plan_of(planner, body))["known-entries-without-a-rule"]
    for name in ("childhood sexual abuse", "type 2 diabetes"):
        assert name in item.clinician_text and name not in item.patient_text
    assert "nothing to add" not in item.patient_text


def test_a_long_qtc_that_was_measured_leads_the_line_on_qt(planner: Planner) -> None:
    body = WELL | medicines("methadone 80 mg daily for OUD", "citalopram 40 mg daily", "ondansetron 4 mg prn")
    plan = plan_of(planner, body | {"sex": "male", "measures": {"qtc": 495}})
    (row,) = [row for row in plan.front.differs if row.topic == "qt"]
    assert "495" in row.line and row.more == 1


def test_two_cautions_of_one_topic_are_counted_on_the_front(planner: Planner) -> None:
    plan = plan_of(planner, WELL | medicines("lithium 900 mg daily", "hydrochlorothiazide 25 mg daily", "ibuprofen prn"))
    (row,) = [row for row in plan.front.differs if row.topic == "drug_levels"]
    assert row.more == 1 and len(row.items) == 2


def test_the_front_says_once_what_is_wished(planner: Planner) -> None:
    body = WELL | {"treatment": WELL["treatment"] | {"preferred_route": "oral"}}
    as_wished, other = plan_of(planner, WELL).front, plan_of(planner, body).front
    assert as_wished.route is not None and as_wished.route.as_wished
    assert other.route is not None and not other.route.as_wished


def test_an_unread_entry_stands_on_the_front_once(planner: Planner) -> None:
    front = plan_of(planner, WELL | {"other_conditions": ["had preeclampsia in pregnancy, baby is 5 weeks old"]}).front
    assert any("preeclampsia" in row.line for row in front.decisions)
    assert front.unread is None
    several = plan_of(planner, WELL | {"other_conditions": ["lives on a zork of the blorptan, no elevator"]}).front
    assert several.unread is not None and "”" not in several.unread.line and "“" not in several.unread.line


@pytest.mark.parametrize("route", ["iv", "im", None])
def test_fear_of_needles_is_planned_for(planner: Planner, route: str | None) -> None:
    wish = {"preferred_route": route} if route else {}
    body = WELL | {
        "treatment": {"product": "racemic", **wish},
        "other_conditions": ["needle phobia", "faints at blood draws"],
    }
    plan = plan_of(planner, body)
    assert "fear-of-needles" in rules_of(plan)
    assert plan.status == "draft"
    assert "entries-not-read" not in rules_of(plan)


def test_no_shot_is_recommended_beside_a_caution_that_prefers_the_vein(planner: Planner) -> None:
    wish = {"treatment": {"product": "racemic", "preferred_route": "im"}}
    for medicine, choice in (("warfarin 5 mg daily", "iv"), ("Eliquis 5 mg bid", "iv"), ("aspirin 81 mg daily", "im")):
        plan = plan_of(planner, WELL | wish | medicines(medicine))
        assert plan.front.route is not None and plan.front.route.choice == choice
        assert ("your-wish-counts" in rules_of(plan)) is (choice == "iv")
        assert [made.choice for made in plan.decisions if made.subject == "route"] == [choice]


def test_no_line_on_seizures_names_a_medicine_that_is_not_taken(planner: Planner) -> None:
    plan = plan_of(planner, WELL | medicines("tramadol 50 mg prn") | {"conditions": ["seizure_disorder"]})
    assert "bupropion" not in by_rule(plan)["seizure-threshold-medicine-with-seizure-history"].line.lower()


def test_depression_after_childbirth_asks_for_mania_harm_and_who_has_the_baby(planner: Planner) -> None:
    body = WELL | medicines("zuranolone 50 mg nightly") | {"other_conditions": ["postpartum depression"]}
    plan = plan_of(planner, body | {"sex": "female", "age_years": 33})
    item = by_rule(plan)["depression-after-childbirth"]
    assert "bipolar" in item.line and "baby" in item.line
    assert any("baby" in line.text for line in plan.card.way_home)
    assert "/pregnancy" in {one.pointer for one in plan.information_needed if one.first}


def test_one_task_is_asked_of_one_person_once_however_many_reasons_there_are(planner: Planner) -> None:
    body = WELL | medicines("amlodipine 5 mg daily") | {"age_years": 69, "measures": {"systolic": 134, "diastolic": 80}}
    plan = plan_of(planner, body | {"conditions": ["hypertension", "falls_history"]})
    asked_of = [(ask.who, ask.what) for item in by_rule(plan).values() for ask in item.asks if item.level == "caution"]
    limits = {one for one in asked_of if "blood pressure" in one[1] and "limit" in one[1]}
    assert {"hypertension-known", "from-sixty-on", "blood-pressure-adds-up", "unsteady-after-a-session"} <= rules_of(plan)
    assert limits == {("clinician", "write down the limit of blood pressure and who treats a rise")}
    assert len({one for one in asked_of if "gait" in one[1]}) == 1


def test_an_unread_part_stands_on_the_front_though_a_decision_rests_on_another_part(planner: Planner) -> None:
    body = (
        WELL | medicines("morphine 5 mg prn", "lorazepam 0.5 mg prn anxiety") | {"other_conditions": ["COPD, zork blorptan"]}
    )
    plan = plan_of(planner, body)
    assert by_rule(plan)["sedation-adds-up-gravely"].level == "hold"
    assert plan.front.unread is not None and "zork blorptan" in plan.front.unread.line
