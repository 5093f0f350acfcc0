"""What blocks a plan and what does not: a pregnancy does until a clinician has decided, and then no route is spoken for."""

from __future__ import annotations

import pytest

from careplan.plan.model import items_of
from careplan.planner import Planner
from careplan.request.patient import Patient, Pregnancy, Route, Treatment


@pytest.mark.parametrize("completed", [None, 0, 1, 5])
@pytest.mark.parametrize("route", ["iv", "im", "subcutaneous", "nasal", "oral", "sublingual", None])
def test_a_known_pregnancy_blocks_and_no_route_goes_along_with_it(
    planner: Planner, completed: int | None, route: Route | None
) -> None:
    treatment = Treatment(
        indication="depression", product="racemic", preferred_route=route, sessions_planned=6, sessions_completed=completed
    )
    plan = planner.plan(Patient(pregnancy="pregnant", treatment=treatment, medications=[], conditions=[]))
    assert plan.status == "blocked"
    assert {ask.who for item in plan.alerts for ask in item.asks if ask.by in ("now", "same_day")} >= {"clinician"}
    assert [decision.choice for decision in plan.decisions] == ["discuss"]
    (section,) = [section for section in plan.sections if section.section == "route"]
    assert not any("goes along" in item.patient_text for item in section.items)


@pytest.mark.parametrize(
    ("pregnancy", "completed", "status"),
    [
        ("possible", 0, "draft"),
        ("possible", None, "draft"),
        ("possible", 1, "blocked"),
        ("breastfeeding", 0, "draft"),
        ("breastfeeding", 3, "draft"),
        ("not_pregnant", 0, "draft"),
    ],
)
def test_what_is_not_known_to_be_a_pregnancy_is_a_decision_first(
    planner: Planner, pregnancy: Pregnancy, completed: int | None, status: str
) -> None:
    plan = planner.plan(Patient(pregnancy=pregnancy, treatment=Treatment(sessions_completed=completed)))
    assert plan.status == status
    found = items_of(plan)
    about = [item for item in found if item.rule.id.startswith(("pregnancy", "breastfeeding"))]
    assert bool(about) == (pregnancy != "not_pregnant")
    assert all(item.level in ("stop", "hold") for item in about)
