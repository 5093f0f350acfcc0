"""Every rule with the patients of its own file, through the real engine."""

from __future__ import annotations

import pytest

from careplan.plan.model import CarePlan, Item
from careplan.planner import Planner
from careplan.rulebook.model import Example, Rule
from tests.shipped import BOOK

RULES = BOOK.in_order()
CASES = [
    pytest.param(rule, example, id=f"{rule.id}-{kind}-{at}")
    for rule in RULES
    for kind, examples in (("fires", rule.file.examples.fires), ("silent", rule.file.examples.silent))
    for at, example in enumerate(examples)
]


@pytest.mark.parametrize(("rule", "example"), CASES)
def test_a_rule_fires_for_the_patients_it_should_and_stays_silent_for_the_others(
    planner: Planner, rule: Rule, example: Example
) -> None:
    plan = planner.plan(planner.intake.convert(example.patient))
    fired = rule.id in {item.rule.id for item in items(plan)}
    assert fired == (example in rule.file.examples.fires), example.why


@pytest.mark.parametrize("rule", [pytest.param(rule, id=rule.id) for rule in RULES])
def test_a_rule_has_patients_for_whom_it_fires_and_for_whom_it_is_silent(rule: Rule) -> None:
    assert rule.file.examples.fires
    assert rule.file.examples.silent or rule.file.for_everyone


def items(plan: CarePlan) -> list[Item]:
    return [*plan.alerts, *(item for section in plan.sections for item in section.items)]
