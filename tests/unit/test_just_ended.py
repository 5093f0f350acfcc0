"""What a line says of a medicine that ended lately, or not as planned, is asked about and never passes in silence."""

from __future__ import annotations

import pytest

from careplan.plan.model import CarePlan, items_of
from careplan.planner import Planner
from tests.plans import rules_of


def plan_of(planner: Planner, line: str) -> CarePlan:
    return planner.plan(planner.intake.convert({"conditions": [], "medications": [{"text": line}]}))


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        ("Xanax 1 mg tid, ran out 3 days ago", "benzodiazepine-stopped-on-own"),
        ("clonazepam 1 mg bid - stopped cold turkey last Monday", "benzodiazepine-stopped-on-own"),
        ("I ran out of my Klonopin", "benzodiazepine-stopped-on-own"),
        ("Klonopin, quit on my own", "benzodiazepine-stopped-on-own"),
        ("lamotrigine 200 mg daily - missed the last 6 days", "lamotrigine-doses-were-missed"),
        ("Lamictal 100 mg, ran out 5 days ago", "lamotrigine-doses-were-missed"),
        ("sertraline 100 mg, stopped on my own 2 weeks ago", "medicine-stopped-on-own"),
        ("oxycodone 10 mg ran out Friday", "medicine-stopped-on-own"),
    ],
)
def test_a_sudden_end_is_an_alert_that_points_at_the_line(planner: Planner, line: str, rule: str) -> None:
    plan = plan_of(planner, line)
    assert plan.status == "blocked"
    alert = next(item for item in plan.alerts if item.rule.id == rule)
    assert "/medications/0" in {about.pointer for about in alert.about}


def test_what_a_line_tells_of_is_why_the_question_of_a_hold_is_closed(planner: Planner) -> None:
    line = "Temazepam 15 mg at night, ran out last Thursday"
    (item,) = [one for one in items_of(plan_of(planner, line)) if one.rule.id == "benzodiazepine-question-closed"]
    assert item.hold_gate is not None
    assert [one.words for one in item.hold_gate.closed_by] == [
        "has ended a medicine alone, ran out of it, or plans to end one"
    ]


@pytest.mark.parametrize(
    "line",
    ["phenelzine 15 mg, stopped 5 days ago", "stopped taking Ativan last week", "lithium 900 mg, not taking as prescribed"],
)
def test_what_ended_in_the_last_weeks_counts_as_taken_and_is_asked_about(planner: Planner, line: str) -> None:
    assert "medicine-on-hold" in rules_of(plan_of(planner, line))


@pytest.mark.parametrize(
    "line",
    [
        "Klonopin 0.5 mg bid, never missed a dose, never ran out",
        "Zoloft - stopped on my own in 2012",
        "Klonopin, quit on my own years ago",
        "lamotrigine 200 mg, missed doses in 2019",
        "sertraline, stopped in 2015",
        "phenelzine, tried and failed",
        "lisinopril 10 mg daily, missed the last 2 days",
    ],
)
def test_what_is_long_over_or_denied_is_no_alert(planner: Planner, line: str) -> None:
    plan = plan_of(planner, line)
    assert not plan.alerts
    assert "medicine-on-hold" not in rules_of(plan)


@pytest.mark.parametrize("line", ["fentanyl patch 50 mcg/h", "fentanyl 25 mcg/hr patch every 72 hours"])
def test_a_patch_that_gives_so_much_an_hour_is_taken_all_the_time(planner: Planner, line: str) -> None:
    found = rules_of(plan_of(planner, line))
    assert "opioid-taken-regularly" in found
    assert "opioid-now-and-then-or-not-known" not in found


def test_the_front_names_the_medicine_of_whose_line_it_is_told(planner: Planner) -> None:
    plan = plan_of(planner, "Temazepam 15 mg at night, ran out last Thursday")
    lines = {one.rule.id: one for one in plan.alerts}
    assert "alone or run out: temazepam" in lines["benzodiazepine-stopped-on-own"].line
    assert "done or planned: temazepam" in lines["medicine-stopped-on-own"].line
    assert {about.name for about in lines["medicine-stopped-on-own"].about} == {"temazepam"}


def test_an_alert_is_about_every_medicine_of_whose_line_it_is_told_in_whichever_order(planner: Planner) -> None:
    lines = ["sertraline 100 mg, stopped on my own 2 weeks ago", "Xanax 1 mg three times a day, ran out 3 days ago"]
    for order in (lines, lines[::-1]):
        plan = planner.plan(planner.intake.convert({"medications": [{"text": line} for line in order]}))
        (alert,) = [item for item in plan.alerts if item.rule.id == "medicine-stopped-on-own"]
        assert {about.pointer for about in alert.about} == {"/medications/0", "/medications/1"}


def test_a_medicine_that_nobody_names_is_said_to_be_one(planner: Planner) -> None:
    body = {"conditions": ["stopped_medicine_alone"], "medications": [{"name": "lorazepam"}]}
    plan = planner.plan(planner.intake.convert(body))
    (alert,) = [one for one in plan.alerts if one.rule.id == "medicine-stopped-on-own"]
    assert "done or planned: a medicine not named" in alert.line
