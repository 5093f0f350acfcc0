"""Patients who tell things where no field asks for them, contradict themselves, or are easily given the wrong advice."""

from __future__ import annotations

from typing import Any

import pytest

from careplan.plan.model import CarePlan, items_of
from careplan.planner import Planner
from tests.plans import by_rule, plan_of

Json = dict[str, Any]
SIGNED = "Dr. Ines Marlow, MD"
IV: Json = {"indication": "depression", "product": "racemic", "preferred_route": "iv", "sessions_planned": 6}


def decided(plan: CarePlan) -> set[str]:
    on_front = {item for row in plan.front.decisions for item in row.items}
    return {item.rule.id for item in items_of(plan) if item.id in on_front}


def on_card(plan: CarePlan) -> str:
    return " ".join(line.text for _, lines in plan.card.parts() for line in lines)


def test_a_plan_is_not_ready_while_mania_has_to_be_excluded_before_a_session(planner: Planner) -> None:
    body = {
        "treatment": IV | {"indication": "bipolar_depression"},
        "medications": [{"text": "lithium 1200 mg daily"}],
        "other_conditions": ["bipolar I with rapid cycling"],
        "lifestyle": {"sleep_hours_per_night": 4},
    }
    plan = plan_of(planner, body)
    assert not plan.front.ready
    assert "short-sleep-in-bipolar-disorder" in decided(plan)
    assert "entries-not-read" not in by_rule(plan)


def test_a_product_that_does_not_fit_the_route_is_named_in_a_blocked_plan_too(planner: Planner) -> None:
    body = {
        "treatment": {"product": "esketamine", "preferred_route": "iv"},
        "red_flags": {"suicidal_thoughts": "plan_or_intent"},
    }
    plan = plan_of(planner, body)
    assert plan.status == "blocked"
    told = next(row for row in plan.front.decisions if row.topic == "route")
    assert told.line.startswith("Esketamine recorded, another route wished")
    assert {one.choice for one in plan.decisions if one.subject == "route"} == {"discuss"}


@pytest.mark.parametrize("written", ["type 2 diabetes", "GERD", "none"])
def test_whoever_names_an_illness_was_asked_for_illnesses(planner: Planner, written: str) -> None:
    plan = plan_of(planner, {"treatment": IV, "medications": [], "other_conditions": [written]})
    assert "conditions-not-asked" not in by_rule(plan)


def test_an_entry_that_nobody_could_read_is_no_history(planner: Planner) -> None:
    plan = plan_of(planner, {"treatment": IV, "medications": [], "other_conditions": ["zzqblorptan"]})
    assert "conditions-not-asked" in by_rule(plan)


def test_nobody_with_diabetes_is_told_by_the_card_alone_to_go_without_food(planner: Planner) -> None:
    body = {
        "treatment": IV,
        "medications": [{"text": "insulin glargine 30 units at bedtime"}, {"text": "Mounjaro 10 mg weekly"}],
        "conditions": [],
        "protocol": {"solid_food_hours": 8, "clear_fluid_hours": 4, "approved_by": SIGNED},
    }
    plan = plan_of(planner, body)
    lines = [line.text for line in plan.card.eat_and_drink]
    assert any("for 8 hours" in line and "With diabetes, ask us first" in line for line in lines)


def test_the_card_asks_for_packages_of_medicines_only_beside_medicines(planner: Planner) -> None:
    body = {"treatment": IV, "medications": [], "conditions": [], "expectations": {"goals": ["zzq the blorptan"]}}
    assert "package" not in on_card(plan_of(planner, body))


@pytest.mark.parametrize("goal", ["have a good trip, see God", "get high", "go into a k hole"])
def test_a_wish_for_the_experience_itself_is_read_by_a_person(planner: Planner, goal: str) -> None:
    plan = plan_of(planner, {"treatment": IV, "medications": [], "conditions": [], "expectations": {"goals": [goal]}})
    assert plan.front.unread is not None
    assert plan.front.unread.pointers == ["/expectations/goals/0"]


def test_every_day_of_missed_lamotrigine_and_new_self_harm_stand_on_the_front(planner: Planner) -> None:
    body = {
        "treatment": IV | {"sessions_completed": 4, "response_so_far": "worse"},
        "medications": [{"text": "lamotrigine 200 mg daily - missed the last 6 days"}],
        "other_conditions": ["cutting again since last week"],
        "red_flags": {"psychosis_now": False},
    }
    plan = plan_of(planner, body)
    assert plan.status == "blocked"
    assert decided(plan) >= {"lamotrigine-doses-were-missed", "unread-entry-may-be-a-danger"}


@pytest.mark.parametrize(
    "written",
    [
        "deaf, uses sign language",
        "legally blind",
        "speaks only Spanish, needs interpreter",
        "cannot read",
        "hard of hearing",
    ],
)
def test_who_cannot_hear_see_or_read_the_plan_gets_help_with_it(planner: Planner, written: str) -> None:
    body = {"treatment": IV, "medications": [], "other_conditions": [written]}
    plan = plan_of(planner, body)
    found = by_rule(plan)
    assert "help-to-hear-see-or-understand" in found
    assert "entries-not-read" not in found
    assert "how we can best talk" in on_card(plan)


@pytest.mark.parametrize("grave", ["possible brain bleed", "no reason to live"])
def test_an_entry_that_may_be_grave_keeps_no_other_unread_one_off_the_front(planner: Planner, grave: str) -> None:
    body = {"medications": [{"text": "zorblax 20"}], "conditions": [], "other_conditions": [grave, "zzq blorptan"]}
    front = plan_of(planner, body).front
    assert front.unread is not None
    assert set(front.unread.pointers) == {"/other_conditions/1", "/medications/0"}
    assert "zzq blorptan" in front.unread.line and "zorblax" in front.unread.line
    assert grave not in front.unread.line
    assert any(grave in row.line for row in front.decisions)
