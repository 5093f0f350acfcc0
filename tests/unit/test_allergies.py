"""Allergies in a request: one to what is given is the condition that stops a plan; no other is dropped or alerts."""

from __future__ import annotations

from typing import Any

import pytest

from careplan.plan.model import items_of
from careplan.planner import Planner
from tests.plans import plan_of


@pytest.mark.parametrize(
    "written",
    [
        "ketamine",
        "Ketalar - hives",
        "ketamine (anaphylaxis in 2019)",
        "Spravato",
        "esketamine nasal spray: rash",
        "allergic to ketamine",
        "Ketamin-Unverträglichkeit",
        "allergie à la kétamine",
        "alergia a la ketamina",
    ],
)
@pytest.mark.parametrize("conditions", [None, [], ["hypertension"]])
def test_an_allergy_to_what_is_given_says_the_same_as_its_condition(
    planner: Planner, written: str, conditions: list[str] | None
) -> None:
    sent: dict[str, Any] = {} if conditions is None else {"conditions": conditions}
    plan = plan_of(planner, sent | {"allergies": [written]})
    as_token = plan_of(planner, {"conditions": [*(conditions or []), "ketamine_hypersensitivity"]})
    assert plan.status == "blocked"
    assert [item.id for item in plan.alerts] == [item.id for item in as_token.alerts]
    [about] = [one for item in plan.alerts for one in item.about]
    assert about.pointer == "/allergies/0"
    assert "/allergies/0" not in {one.pointer for one in plan.not_considered}


@pytest.mark.parametrize(
    "written", ["penicillin", "peanuts", "latex - contact rash", "NKDA", "no known drug allergies", "no ketamine allergy"]
)
def test_an_allergy_that_no_rule_looks_at_is_named_and_changes_nothing(planner: Planner, written: str) -> None:
    body = {"conditions": ["hypertension"]}
    plan, without = plan_of(planner, body | {"allergies": [written]}), plan_of(planner, body)
    assert [item.id for item in items_of(plan)] == [item.id for item in items_of(without)]
    assert {one.pointer for one in plan.not_considered} - {one.pointer for one in without.not_considered} == {"/allergies/0"}


def test_an_allergy_that_is_sent_as_a_condition_too_is_one_alert(planner: Planner) -> None:
    body = {"conditions": ["ketamine_hypersensitivity"], "allergies": ["ketamine"]}
    plan = plan_of(planner, body)
    assert [item.id for item in plan.alerts] == [
        item.id for item in plan_of(planner, {"conditions": body["conditions"]}).alerts
    ]
    assert [one.pointer for one in plan.not_considered if "another entry" in one.why] == ["/allergies/0"]


@pytest.mark.parametrize(
    ("sent", "asked"),
    [
        ({}, True),
        ({"allergies": []}, False),
        ({"allergies": ["penicillin"]}, False),
        ({"conditions": []}, False),
        ({"age_years": 40}, True),
    ],
)
def test_allergies_are_asked_for_until_one_who_asked_says_so(planner: Planner, sent: dict[str, Any], *, asked: bool) -> None:
    questions = {one.pointer: one for one in plan_of(planner, sent).information_needed}
    assert ("/allergies" in questions) == asked
    if asked:
        assert questions["/allergies"].answer is not None
        assert {rule for part in questions["/allergies"].could_change for rule in part.rules} == {
            rule.id for rule in planner.book.rules.values() if "ketamine_hypersensitivity" in str(rule.when)
        }


_AMONG = "medicine-among-allergies/medications/0"


@pytest.mark.parametrize(
    ("listed", "written"),
    [
        ("lorazepam 1 mg as needed", "Ativan (paradoxical agitation)"),
        ("Lamictal 100 mg twice daily", "lamotrigine rash, SJS?"),
        ("trazodone 50 mg at bedtime", "allergic to trazodone"),
        ("prochlorperazine 5 mg as needed", "Compazine causes dystonia"),
        ("Zofran 4 mg as needed", "penicillin; Zofran - headache"),
        # An allergy to a whole class concerns each of its medicines.
        ("lorazepam 1 mg as needed", "Benzodiazepines"),
        ("lorazepam 1 mg as needed", "Benzodiazepines (agitation)"),
        ("oxycodone 5 mg as needed", "Opioids - opioid analgesics"),
        ("oxycodone 5 mg as needed", "narcotics: itching"),
        ("ibuprofen 400 mg as needed", "NSAIDs"),
    ],
)
def test_a_medicine_that_stands_among_the_allergies_is_asked_about(planner: Planner, listed: str, written: str) -> None:
    plan = plan_of(planner, {"medications": [{"text": listed}], "allergies": ["latex", written]})
    [item] = [one for one in items_of(plan) if one.id == _AMONG]
    assert [one.pointer for one in item.about] == ["/medications/0"]
    without = plan_of(planner, {"medications": [{"text": listed}], "allergies": []})
    assert {one.id for one in items_of(plan)} == {one.id for one in items_of(without)} | {_AMONG}
    [told] = [one.why for one in plan.not_considered if one.pointer == "/allergies/1"]
    assert "compared with the list of medicines" in told


@pytest.mark.parametrize(
    ("listed", "written"),
    [
        ("lorazepam 1 mg as needed", "no allergy to lorazepam"),
        ("lorazepam 1 mg as needed", "not allergic to Ativan"),
        ("lorazepam 1 mg as needed", "denies allergy to lorazepam"),
        ("lorazepam 1 mg as needed", "mother allergic to lorazepam"),
        ("lorazepam 1 mg as needed", "diazepam"),
        ("lorazepam 1 mg as needed", "no allergy to benzodiazepines"),
        ("bupropion 150 mg daily", "SSRIs"),
        ("metoprolol 50 mg daily", "ACE inhibitors"),
        ("stopped lorazepam 1 mg", "lorazepam"),
    ],
)
def test_no_allergy_of_the_patient_to_what_is_taken_asks_nothing(planner: Planner, listed: str, written: str) -> None:
    plan = plan_of(planner, {"medications": [{"text": listed}], "allergies": [written]})
    assert _AMONG not in {one.id for one in items_of(plan)}
