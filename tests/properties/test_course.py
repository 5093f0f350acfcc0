"""A plan beside an earlier one: a second visit is short where nothing changed, and loses no stop and no hold."""

from __future__ import annotations

import math

from hypothesis import given, settings

from careplan.authoring.realistic_patients import realistic
from careplan.facts.measured import day_of_plan
from careplan.plan.layers import at_detail
from careplan.plan.model import CarePlan, items_of
from careplan.planner import Planner
from tests.patients import Json, patients
from tests.properties.test_layers import check
from tests.shipped import BOOK
from tests.signed import again, recorded, signed
from tests.sizes import cases

PATIENTS = patients(BOOK)
BESIDES = 2
"""Lines that even the shortest second visit has, beside one for each alert: of made-up patients a third may be fewer."""


def usual(plan: CarePlan) -> CarePlan:
    found = at_detail(plan, "standard")
    assert isinstance(found, CarePlan)
    return found


def lines(plan: CarePlan) -> int:
    """What there is to read in the usual detail, besides the stops and holds that stand."""
    front, course = plan.front, plan.course
    shown = sum(item.level not in ("stop", "hold") for item in items_of(usual(plan)))
    asked = len(front.differs) + len(front.ask) + sum(len(task.what) for task in front.tasks)
    folded = sum(row.as_before for row in front.decisions) + bool(course and course.as_before)
    return shown + asked + folded + len(front.course)


def to_decide(plan: CarePlan) -> set[str]:
    return {item.id for item in items_of(plan) if item.level in ("stop", "hold")}


def check_nothing_is_lost(plan: CarePlan, alone: CarePlan) -> None:
    """All that holds of a plan with an earlier one, beside the plan of the same patient without."""
    check(plan)
    assert [item.id for item in items_of(plan)] == [item.id for item in items_of(alone)]
    assert plan.alerts == alone.alerts
    assert plan.status == alone.status
    assert plan.front.ready == alone.front.ready
    assert to_decide(plan) <= {name for row in plan.front.decisions for name in row.items}
    left = usual(plan)
    settled = plan.course.settled if plan.course else frozenset[str]()
    together = [item.id for item in items_of(left)] + [*plan.standing.items, *settled]
    assert sorted(together) == sorted(item.id for item in items_of(plan))
    stops = {item.id for item in items_of(plan) if item.level == "stop"}
    assert not stops & settled
    decided = {one.id for one in plan.course.decided} if plan.course else set()
    assert to_decide(plan) - decided <= {item.id for item in items_of(left)}


@settings(max_examples=cases(6))
@given(PATIENTS)
def test_where_nothing_changed_a_second_visit_has_a_third_of_the_lines(planner: Planner, body: Json) -> None:
    first = planner.plan(planner.intake.convert(body))
    second = again(planner, body, signed(planner, body, at=f"{body.get('as_of', '2026-05-01')}T10:00:00Z"))
    check_nothing_is_lost(second, first)
    assert second.course is not None and second.course.used
    assert not (second.course.new or second.course.changed or second.course.no_longer)
    assert lines(second) <= math.ceil(lines(first) / 3) + BESIDES + len(second.alerts)


def test_the_second_visit_of_patients_like_those_of_a_clinic_has_a_third_of_the_lines(planner: Planner) -> None:
    for body in realistic(BOOK, cases(8), seed=23):
        patient = planner.intake.convert(body)
        first, day = planner.plan(patient), day_of_plan(patient)
        second = again(planner, body, signed(planner, body, at=f"{day or '2026-05-01'}T10:00:00Z"))
        check_nothing_is_lost(second, first)
        assert lines(second) <= math.ceil(lines(first) / 3)


@settings(max_examples=cases(6))
@given(PATIENTS, PATIENTS)
def test_no_stop_and_no_hold_is_lost_whatever_changed_since(planner: Planner, before: Json, body: Json) -> None:
    alone = planner.plan(planner.intake.convert(body))
    plan = again(planner, body, signed(planner, before))
    check_nothing_is_lost(plan, alone)
    assert plan.course is not None
    if not plan.course.used:
        # The line that says so may leave room for fewer tasks, and for nothing else.
        assert (plan.front.decisions, plan.front.ask) == (alone.front.decisions, alone.front.ask)
        assert plan.information_needed == alone.information_needed
        return
    # A decision that nobody made on these facts is asked as if there had been no earlier plan.
    known = {name for choice in signed(planner, before)["signed"]["choices"] for name in choice["items"]}
    assert {one.id for one in plan.course.decided} <= known


@settings(max_examples=cases(6))
@given(PATIENTS)
def test_what_nobody_signed_settles_nothing(planner: Planner, body: Json) -> None:
    alone = planner.plan(planner.intake.convert(body))
    record = recorded(planner, body)
    for previous in (record, record["plan"]):
        plan = again(planner, body, previous)
        check_nothing_is_lost(plan, alone)
        assert plan.course is not None and plan.course.used and not plan.course.settled
        assert any("Nobody signed" in line for line in plan.front.course)
