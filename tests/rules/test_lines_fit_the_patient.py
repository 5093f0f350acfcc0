"""What the front page says fits the patient: no first session that is past, and no plural beside a count of one."""

from __future__ import annotations

import re
from typing import Any

import pytest

from careplan.plan.model import CarePlan
from careplan.planner import Planner
from tests.everyday import one_in
from tests.shipped import BOOK

FIRST = re.compile(r"\bfirst session\b|\bsession 1\b", re.IGNORECASE)
ONE_OF_MANY = re.compile(
    r"(?<![\d.,/-])1 (?:[a-zA-Z-]+ ){0,2}(?:ingredients|medicines|reasons|sessions|drinks|days|hours|weeks)\b"
)
RULES = one_in(4, sorted(BOOK.rules))


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


@pytest.mark.parametrize("name", RULES)
def test_a_count_of_one_has_no_plural_beside_it(planner: Planner, name: str) -> None:
    for example in BOOK.rules[name].file.examples.fires:
        plan = planner.plan(planner.intake.convert(dict(example.patient)))
        for item in (*plan.alerts, *(item for section in plan.sections for item in section.items)):
            for text in (item.line, item.title, item.patient_text, item.clinician_text):
                assert not ONE_OF_MANY.search(text), (item.rule.id, text)
