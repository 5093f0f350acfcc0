"""What a line says of a medicine that ended lately, or not as planned, is asked about and never passes in silence."""

from __future__ import annotations

import pytest

from careplan.plan.model import CarePlan, items_of
from careplan.planner import Planner
from careplan.request.patient import Medication
from tests.plans import rules_of
from tests.shipped import BOOK


def plan_of(planner: Planner, line: str) -> CarePlan:
    return planner.plan(planner.intake.convert({"conditions": [], "medications": [{"text": line}]}))


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        ("Xanax 1 mg tid, ran out 3 days ago", "benzodiazepine-ended-suddenly"),
        ("clonazepam 1 mg bid - stopped cold turkey last Monday", "benzodiazepine-ended-suddenly"),
        ("I ran out of my Klonopin", "benzodiazepine-ended-suddenly"),
        ("Klonopin, quit on my own", "benzodiazepine-ended-suddenly"),
        ("lamotrigine 200 mg daily - missed the last 6 days", "lamotrigine-doses-were-missed"),
        ("Lamictal 100 mg, ran out 5 days ago", "lamotrigine-doses-were-missed"),
        ("lamotrigine 100 mg daily, rash since Tuesday", "rash-on-lamotrigine"),
        ("Lamictal 200 mg - new rash", "rash-on-lamotrigine"),
        ("lamotrigine 100 mg daily; rash w/ blisters", "rash-on-lamotrigine"),
        ("lamotrigine 25 mg daily, has mouth sores", "rash-on-lamotrigine"),
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
    assert [one.words for one in item.hold_gate.closed_by] == ["has ended a benzodiazepine alone, or ran out of it"]


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
        "lamotrigine 25 mg daily, watch for a new rash",
        "lamotrigine 25 mg daily; stop if you get a rash and call",
        "lamotrigine 100 mg daily, no new rash",
        "lamotrigine 100 mg daily denies mouth sores",
        "sertraline 100 mg daily, new rash",
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
    (alert,) = plan.alerts
    assert "alone or run out: temazepam" in alert.line
    assert {about.name for about in alert.about} == {"temazepam"}


@pytest.mark.parametrize(
    ("lines", "rules"),
    [
        (["lamotrigine 200 mg, ran out last week"], {"lamotrigine-doses-were-missed"}),
        (["Xanax 1 mg tid, ran out 3 days ago", "lamotrigine 200 mg daily"], {"benzodiazepine-ended-suddenly"}),
        (["sertraline 100 mg ran out last week", "Xanax 1 mg", "lamotrigine 100 mg daily"], {"medicine-stopped-on-own"}),
        (["Xanax 1 mg bid; Zoloft ran out last week"], {"medicine-stopped-on-own"}),
        (
            ["stopped lamotrigine and Xanax cold turkey"],
            {"lamotrigine-doses-were-missed", "benzodiazepine-ended-suddenly"},
        ),
        (["out of Lamictal since Tuesday"], {"lamotrigine-doses-were-missed"}),
        (["Xanax ran out 2 days ago", "Ativan ran out"], {"benzodiazepine-ended-suddenly"}),
    ],
)
def test_each_medicine_that_ran_out_is_one_alert_and_no_other_medicine_is(
    planner: Planner, lines: list[str], rules: set[str]
) -> None:
    body = {"conditions": [], "medications": [{"text": line} for line in lines]}
    alerts = [one.rule.id for one in planner.plan(planner.intake.convert(body)).alerts]
    assert sorted(alerts) == sorted(rules)


def test_who_says_that_a_medicine_was_ended_and_not_which_reads_of_each_that_it_may_be(planner: Planner) -> None:
    body = {"conditions": ["stopped_medicine_alone"], "medications": [{"name": "lorazepam"}, {"name": "lamotrigine"}]}
    alerts = {one.rule.id for one in planner.plan(planner.intake.convert(body)).alerts}
    assert alerts >= {"benzodiazepine-stopped-on-own", "lamotrigine-stopped-on-own", "medicine-stopped-on-own"}


@pytest.mark.parametrize(
    ("line", "status"),
    [
        ("Prozac 2015-2018", "stopped"),
        ("Zoloft 1/2019 - 6/2020", "stopped"),
        ("lithium 2010-present", None),
        ("sertraline 50 mg daily 01/05/2025 - 04/05/2025", "on_hold"),
        ("sertraline 50 mg daily 2023-2026", "on_hold"),
        ("Xanax last took in 2012", "stopped"),
        ("last took Xanax in 2012", "stopped"),
        ("Xanax last dose 3 days ago", None),
        ("Adderall as a teen", "stopped"),
        ("Prozac as a teen, restarted 2024", "taking"),
        ("Ritalin in college", "on_hold"),
        ("Ritalin in college 2009", "stopped"),
        ("Adderall started in college", None),
        ("Zoloft during pregnancy in 2019", "stopped"),
        ("Prozac 2015", "on_hold"),
        ("Zoloft 50 mg daily 2019", None),
        ("took Prozac", "on_hold"),
        ("took 2 Advil PM last night", None),
        ("Xanax prescribed 2015-2018", "stopped"),
        ("lamotrigine 200 mg, missed doses in 2019", None),
        ("Zoloft 50 mg daily, first tried in college", None),
        ("Xanax 1 mg since 2019, ran out", "on_hold"),
        ("Xanax ran out 11/20/26", "on_hold"),
        ("Citalopram abgesetzt vor 3 Tagen", "on_hold"),
        ("Dejó de tomar Prozac hace un año", "stopped"),
    ],
)
def test_a_time_that_is_surely_over_is_stopped_and_one_that_may_be_is_asked_about(line: str, status: str | None) -> None:
    (one,) = BOOK.medicines.recognize(line)
    assert one.status == status


def test_an_alert_is_about_every_medicine_of_whose_line_it_is_told_in_whichever_order(planner: Planner) -> None:
    lines = ["sertraline 100 mg, stopped on my own 1 week ago", "venlafaxine 75 mg daily, ran out 3 days ago"]
    for order in (lines, lines[::-1]):
        plan = planner.plan(planner.intake.convert({"medications": [{"text": line} for line in order]}))
        (alert,) = [item for item in plan.alerts if item.rule.id == "medicine-stopped-on-own"]
        assert {about.pointer for about in alert.about} == {"/medications/0", "/medications/1"}


def test_a_medicine_that_nobody_names_is_said_to_be_one(planner: Planner) -> None:
    body = {"conditions": ["stopped_medicine_alone"], "medications": [{"name": "lorazepam"}]}
    plan = planner.plan(planner.intake.convert(body))
    (alert,) = [one for one in plan.alerts if one.rule.id == "medicine-stopped-on-own"]
    assert "done or planned: a medicine not named" in alert.line


@pytest.mark.parametrize(("on", "taken"), [("2026-11-30", True), ("2027-02-01", False), ("2026-01-01", True)])
def test_a_year_is_over_by_the_day_of_the_plan(on: str, taken: bool) -> None:  # noqa: FBT001
    assert BOOK.catalogue.resolve(0, Medication(text="Prozac 2026 trial"), on).taken is taken


@pytest.mark.parametrize("line", ["wants to come off Effexor", "will stop Nardil next month", "plans to taper Klonopin"])
def test_what_somebody_wishes_to_end_is_taken_today(line: str) -> None:
    found = BOOK.catalogue.resolve(0, Medication(text=line))
    assert found.taken
    assert not found.on_hold


@pytest.mark.parametrize(
    ("line", "status"),
    [
        ("Nardil 45 mg/d, stopped 11/24/26", "on_hold"),
        ("Parnate d/c'd 11/24", "on_hold"),
        ("Paxil - last dose 11/27/26, stopped due to SE", "on_hold"),
        ("Tavor abgesetzt am 24.11.2026", "on_hold"),
        ("lorazepam 1 mg tid, discontinued 2026-11-28", "on_hold"),
        ("Nardil, stopped 11/16/26", "stopped"),
        ("Nardil, stopped 12/24/26", "stopped"),
        ("Nardil started 11/24/26, stopped 11/2025", "stopped"),
    ],
)
def test_a_date_of_the_last_two_weeks_is_told_by_the_day_of_the_plan(line: str, status: str) -> None:
    found = BOOK.medicines.recognize(line, "2026-11-30")
    assert [one.status for one in found] == [status]
    assert [one.status for one in BOOK.medicines.recognize(line)] == ["stopped"]
