"""An illness in words that nobody could read never hides a danger, nor a reason for a stop, among other unread entries."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from careplan.plan.model import CarePlan, items_of
from careplan.planner import Planner
from tests.shipped import BOOK

STOPPED_FOR = (
    "aneurysmal_vascular_disease",
    "arteriovenous_malformation",
    "intracerebral_hemorrhage",
    "recent_cardiovascular_event",
)
NAMES = st.sampled_from([name for token in STOPPED_FOR for name in BOOK.conditions[token].names if " " in name])


def plan_of(planner: Planner, *written: str) -> CarePlan:
    return planner.plan(planner.intake.convert({"conditions": [], "other_conditions": list(written)}))


def rules_of(plan: CarePlan) -> set[str]:
    return {item.rule.id for item in items_of(plan)}


@pytest.mark.parametrize(
    "written",
    [
        "tried to kill myself last month",
        "wants to die zzq",
        "self harm cutting last week",
        "? suicidal ideation",
        "SI comes and goes zzq",
        "depression; suicidal thoughts when drinking zzq",
        "I think about killing my neighbour zzq",
    ],
)
def test_words_of_danger_in_an_unread_entry_are_an_alert_that_names_it(planner: Planner, written: str) -> None:
    plan = plan_of(planner, "GERD", written)
    assert plan.status == "blocked"
    alert = next(item for item in plan.alerts if item.rule.id == "unread-entry-may-be-a-danger")
    assert [about.pointer for about in alert.about] == ["/other_conditions/1"]


@pytest.mark.parametrize(
    "written", ["father died by suicide", "brother killed himself 2019", "death of spouse", "killed people in combat"]
)
def test_a_loss_or_the_harm_of_others_is_a_decision_and_no_alert(planner: Planner, written: str) -> None:
    plan = plan_of(planner, written)
    assert plan.status == "draft"
    assert "unread-entry-may-be-grave" in rules_of(plan)


@settings(max_examples=30)
@given(name=NAMES)
def test_a_name_that_a_stop_names_beside_words_that_nobody_knows_is_a_decision(planner: Planner, name: str) -> None:
    plan = plan_of(planner, f"{name} zzq")
    decided = {item for row in plan.front.decisions for item in row.items}
    assert "unread-entry-may-be-grave" in decided
    assert plan.status == "draft"


@pytest.mark.parametrize(
    "written",
    [
        "a rare disease",
        "GERD",
        "denies suicidal ideation",
        "no history of suicide attempts",
        "possible asthma",
        "trauma",
        "none",
        "nerves",
    ],
)
def test_other_entries_bring_neither(planner: Planner, written: str) -> None:
    assert not rules_of(plan_of(planner, written)) & {"unread-entry-may-be-a-danger", "unread-entry-may-be-grave"}


def test_what_was_read_has_its_own_item_and_not_this_one(planner: Planner) -> None:
    found = rules_of(plan_of(planner, "suicidal ideation", "aortic aneurysm"))
    assert not found & {"unread-entry-may-be-a-danger", "unread-entry-may-be-grave"}
