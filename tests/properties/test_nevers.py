"""What no plan may ever do, for random patients through the real engine."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from careplan.plan.model import CarePlan, Item, items_of
from careplan.planner import Planner
from careplan.rulebook import forbidden_wording
from careplan.rulebook.model import LEVELS, SECTIONS
from tests.patients import Json, medications, patients
from tests.plans import plan_of
from tests.shipped import BOOK
from tests.sizes import cases

"""How many times as many patients as every day."""

PATIENTS = patients(BOOK)
HOURS = re.compile(r"\b\d+(?:\.\d+)? ?(?:hours?|h)\b", re.IGNORECASE)
PROTECTED = {"epilepsy", "catatonia", "alcohol_withdrawal"}


def patient_texts(plan: CarePlan) -> Iterator[str]:
    for item in items_of(plan):
        yield item.patient_text
        yield from (ask.what for ask in item.asks if ask.who == "patient")


UNDERSTOOD = [topic.example for topic in BOOK.goals.words.topics.values()] + [
    "Be happy again",
    "More sleep",
    "Run 10 km daily",
]


def medicines(body: Json) -> list[Json]:
    return list(body.get("medications") or [])


@settings(max_examples=cases(27))
@given(PATIENTS)
def test_no_plan_orders_a_change_of_medicine_or_names_a_dose(planner: Planner, body: Json) -> None:
    for item in items_of(plan_of(planner, body)):
        names = [about.name for about in item.about if about.pointer.startswith(("/medications", "/expectations"))]
        text = item.patient_text
        for name in names:
            text = text.replace(name, "")  # the patient's own words are not the plan's
        assert forbidden_wording.orders_a_change(text) is None
        assert not forbidden_wording.names_a_dose(text)
        assert not forbidden_wording.names_a_ketamine_dose(item.clinician_text)


@settings(max_examples=cases(27))
@given(PATIENTS)
def test_hours_of_a_hold_appear_only_as_a_named_clinician_entered_them(planner: Planner, body: Json) -> None:
    signed = {
        (hold["drug_class"], float(hold["before_hours"]), float(hold["after_hours"]), hold["approved_by"])
        for hold in (body.get("protocol") or {}).get("holds", [])
    }
    for item in items_of(plan_of(planner, body)):
        if item.hold:
            hold = item.hold
            assert (hold.drug_class, hold.before_hours, hold.after_hours, hold.approved_by) in signed
            assert hold.approved_by in item.patient_text or hold.approved_by in item.clinician_text
        elif {"benzodiazepine", "lamotrigine"} & about_classes(item):
            assert not HOURS.search(item.patient_text)


def about_classes(item: Item) -> set[str]:
    names = {about.name.split(" (")[0] for about in item.about if about.pointer.startswith("/medications")}
    return {name for row in BOOK.catalogue.ingredients.values() if row.name in names for name in row.classes}


@settings(max_examples=cases(27))
@given(PATIENTS, st.sampled_from(["benzodiazepine", "lamotrigine", "stimulant"]))
def test_no_hold_wording_meets_a_medicine_against_seizures_catatonia_or_withdrawal_or_kept_as_rescue(
    planner: Planner, body: Json, drug_class: str
) -> None:
    signed = {"drug_class": drug_class, "before_hours": 77, "after_hours": 66, "approved_by": "Dr. Ada Quill"}
    body = body | {"protocol": {"holds": [signed]}}
    plan = plan_of(planner, body)
    for item in items_of(plan):
        for about in item.about:
            if not about.pointer.startswith("/medications"):
                continue
            entry = medicines(body)[about.index]
            if entry.get("indication") in PROTECTED or entry.get("schedule") == "rescue":
                assert item.hold is None
                assert "Ada Quill" not in item.patient_text
                assert not HOURS.search(item.patient_text)
                assert BOOK.about.undecided_hold.patient.strip() not in item.patient_text


@settings(max_examples=cases(20))
@given(PATIENTS)
def test_every_benzodiazepine_item_warns_of_withdrawal_and_every_lamotrigine_item_of_restarting(
    planner: Planner, body: Json
) -> None:
    plan = plan_of(planner, body)
    for read in plan.medications:
        about = [item for item in items_of(plan) for entry in item.about if entry.pointer == f"/medications/{read.index}"]
        if "benzodiazepine" in read.classes:
            assert any(
                item.section == "medications" and forbidden_wording.warns_of_withdrawal(item.patient_text) for item in about
            )
        if "lamotrigine" in read.classes:
            assert any(
                item.section == "medications" and forbidden_wording.warns_of_rash(item.patient_text) for item in about
            )


@settings(max_examples=cases(20))
@given(PATIENTS)
def test_red_flags_come_first_block_the_plan_and_say_which_human_acts(planner: Planner, body: Json) -> None:
    plan = plan_of(planner, body)
    assert plan.requires_clinician_review is True
    assert (plan.status == "blocked") == bool(plan.alerts)
    assert {item.level for item in plan.alerts} <= {"stop"}
    assert all(item.level != "stop" for section in plan.sections for item in section.items)
    for alert in plan.alerts:
        assert any(ask.by in ("now", "same_day") for ask in alert.asks)
    flags = body.get("red_flags", {})
    flagged = any(value is True or value in ("passive", "active_no_plan", "plan_or_intent") for value in flags.values())
    if flagged or body.get("lifestyle", {}).get("home_environment") == "abusive":
        assert plan.status == "blocked"


@settings(max_examples=cases(20))
@given(PATIENTS)
def test_nothing_that_was_sent_is_dropped(planner: Planner, body: Json) -> None:
    plan = plan_of(planner, body)
    traced = {about.pointer for item in items_of(plan) for about in item.about}
    traced |= {entry.pointer for entry in plan.not_considered}
    sent = [f"/medications/{at}" for at in range(len(medicines(body)))]
    sent += [f"/conditions/{at}" for at in range(len(body.get("conditions", [])))]
    sent += [f"/expectations/goals/{at}" for at in range(len(body.get("expectations", {}).get("goals", [])))]
    assert set(sent) <= traced
    assert [read.index for read in plan.medications] == list(range(len(medicines(body))))
    for read in plan.medications:
        if read.recognized_as is None:
            about = [item for item in items_of(plan) if any(a.pointer == f"/medications/{read.index}" for a in item.about)]
            assert [item.id for item in about] == ["entries-not-read"]


@settings(max_examples=cases(14))
@given(PATIENTS, st.sampled_from(UNDERSTOOD), st.text("bcdfghjklmnpqrstvwxyz", min_size=7, max_size=12), st.integers(0, 6))
def test_a_goal_with_a_word_that_nobody_knows_is_repeated_as_written_and_neither_praised_nor_advised_on(
    planner: Planner, body: Json, goal: str, word: str, at: int
) -> None:
    words = goal.split()
    written = " ".join([*words[:at], word, *words[at:]])
    sent = body | {"expectations": body.get("expectations", {}) | {"goals": [written]}}
    about = [
        item
        for item in items_of(plan_of(planner, sent))
        if any(one.pointer == "/expectations/goals/0" for one in item.about)
    ]
    assert about
    for item in about:
        assert item.section == "screening"
        assert item.level in ("stop", "hold") or item.rule.id == "entries-not-read"
        if item.rule.id == "entries-not-read":
            assert word in item.patient_text
            assert "suicid" not in item.patient_text + item.clinician_text


@settings(max_examples=cases(20))
@given(PATIENTS)
def test_an_unanswered_factor_is_asked_for_and_never_taken_for_no(planner: Planner, body: Json) -> None:
    plan = plan_of(planner, body)
    asked = {question.pointer for question in plan.information_needed}
    for pointer in asked:
        value: Any = body
        for key in pointer.strip("/").split("/"):
            value = value[int(key)] if isinstance(value, list) else value.get(key) if isinstance(value, dict) else None
        assert value is None
    for question in plan.information_needed:
        assert question.question
        assert question.why_it_matters
        assert question.could_change


@settings(max_examples=cases(14))
@given(PATIENTS)
def test_the_same_patient_gets_the_same_bytes(planner: Planner, body: Json) -> None:
    assert msgspec.json.encode(plan_of(planner, body)) == msgspec.json.encode(plan_of(planner, body))


@settings(max_examples=cases(20))
@given(PATIENTS, st.randoms(use_true_random=False))
def test_the_order_of_medicines_does_not_change_the_findings(planner: Planner, body: Json, random: Any) -> None:
    shuffled = body | {"medications": random.sample(medicines(body), len(medicines(body)))}
    body = body | {"medications": medicines(body)}
    assert subjects(plan_of(planner, body)) == subjects(plan_of(planner, shuffled))


def subjects(plan: CarePlan) -> list[tuple[str, str, tuple[str, ...]]]:
    return sorted((item.rule.id, item.level, tuple(sorted(about.name for about in item.about))) for item in items_of(plan))


@settings(max_examples=cases(27))
@given(PATIENTS, medications(BOOK))
def test_adding_a_medicine_never_removes_a_caution_about_another(planner: Planner, body: Json, more: Json) -> None:
    before = plan_of(planner, body | {"medications": medicines(body)})
    after = plan_of(planner, body | {"medications": [*medicines(body), more]})
    worst_before = worst_levels(before)
    worst_after = worst_levels(after)
    for pointer, level in worst_before.items():
        assert worst_after.get(pointer, len(LEVELS)) <= level


def worst_levels(plan: CarePlan) -> dict[str, int]:
    worst: dict[str, int] = {}
    for item in items_of(plan):
        level = LEVELS.index(item.level)
        for about in item.about:
            if about.pointer.startswith("/medications") and level <= LEVELS.index("caution"):
                worst[about.pointer] = min(level, worst.get(about.pointer, level))
    return worst


@settings(max_examples=cases(20))
@given(PATIENTS)
def test_the_route_is_recommended_exactly_once_and_sections_keep_their_order(planner: Planner, body: Json) -> None:
    plan = plan_of(planner, body)
    assert [decision.subject for decision in plan.decisions] == ["route"]
    deciding = [item for item in items_of(plan) if BOOK.rules[item.rule.id].file.then.decides]
    assert len(deciding) == 1
    assert [section.section for section in plan.sections] == list(SECTIONS)
    ids = [item.id for item in items_of(plan)]
    assert len(ids) == len(set(ids))
    for section in plan.sections:
        levels = [LEVELS.index(item.level) for item in section.items]
        assert levels == sorted(levels)


@settings(max_examples=cases(14))
@given(PATIENTS)
def test_every_line_is_traced_to_facts_rule_and_source(planner: Planner, body: Json) -> None:
    for item in items_of(plan_of(planner, body)):
        assert item.because
        assert item.evidence
        assert item.rule.id in BOOK.rules
        assert "{" not in item.patient_text.replace("“", "") or any("{" in about.name for about in item.about)


@pytest.mark.parametrize("word", ["reset", "superior", "rewire"])
def test_no_rule_sells_an_estimate_as_a_fact(word: str) -> None:
    for rule in BOOK.rules.values():
        assert word not in rule.file.then.patient.lower()
