"""What the front page says in the middle of a series fits there: no line speaks of a first session that is past."""

from __future__ import annotations

import re
from typing import Any

import pytest

from careplan.plan.model import CarePlan
from careplan.planner import Planner
from tests.shipped import BOOK

FIRST = re.compile(r"\bfirst session\b|\bsession 1\b", re.IGNORECASE)
RULES = sorted(BOOK.rules)


def begun(patient: dict[str, Any]) -> dict[str, Any]:
    return patient | {"treatment": {"sessions_planned": 8} | patient.get("treatment", {}) | {"sessions_completed": 3}}


def lines(plan: CarePlan) -> dict[str, str]:
    items = [*plan.alerts, *(item for section in plan.sections for item in section.items)]
    return {item.rule.id: item.line for item in items}


@pytest.mark.parametrize("name", RULES)
def test_no_line_of_a_running_series_speaks_of_the_first_session(planner: Planner, name: str) -> None:
    for example in BOOK.rules[name].file.examples.fires:
        said = lines(planner.plan(planner.intake.convert(begun(dict(example.patient)))))
        assert {rule: line for rule, line in said.items() if FIRST.search(line)} == {}
