"""Readings in words are no unread entry like any other where a stop looks at them."""

from __future__ import annotations

import pytest

from careplan.plan.model import CarePlan
from careplan.planner import Planner
from tests.plans import rules_of


def plan_of(planner: Planner, *entries: str) -> CarePlan:
    return planner.plan(planner.intake.convert({"other_conditions": list(entries)}))


@pytest.mark.parametrize(
    "entry",
    [
        "BP 190/120 this morning",
        "hypertension 190/100",
        "high blood pressure, 150/125 today",
        "Blood pressure was up to 190 over 110",
        "190/120",
        "systolic 188",
        "SpO2 85%",
        "oxygen sat is 84% on room air",
    ],
)
def test_a_reading_that_a_stop_looks_at_is_read_by_a_person_at_once(planner: Planner, entry: str) -> None:
    plan = plan_of(planner, "psoriasis", entry)
    assert plan.status == "blocked"
    (alert,) = [item for item in plan.alerts if item.rule.id == "unread-entry-may-be-a-danger"]
    assert [about.pointer for about in alert.about] == ["/other_conditions/1"]


@pytest.mark.parametrize("entry", ["BP 190/120 in 2019", "BP was 200/130 last year", "bp 210/110 two months ago"])
def test_a_reading_of_an_earlier_time_is_decided_on(planner: Planner, entry: str) -> None:
    plan = plan_of(planner, entry)
    assert plan.status == "draft"
    assert "unread-entry-may-be-grave" in rules_of(plan)


@pytest.mark.parametrize(
    "entry", ["BP 130/80", "o2 saturation 96%", "vision 20/200", "seen on 02/12/2019", "zzq 180/120 mg"]
)
def test_other_numbers_are_left_among_what_was_not_read(planner: Planner, entry: str) -> None:
    rules = rules_of(plan_of(planner, entry))
    assert not rules & {"unread-entry-may-be-a-danger", "unread-entry-may-be-grave"}
    assert "entries-not-read" in rules
