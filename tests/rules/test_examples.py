"""Every rule with the patients of its own file, through the real engine."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from careplan.inference.derived import CaseMaker
from careplan.inference.verdicts import RuleTables
from careplan.planner import Planner
from careplan.rulebook.model import Rule
from tests.plans import rules_of
from tests.shipped import BOOK

RULES = [pytest.param(rule, id=rule.id) for rule in BOOK.in_order()]


@pytest.fixture(scope="module")
def tables() -> Iterator[RuleTables]:
    made = RuleTables({rule.id: rule.when for rule in BOOK.rules.values()}, BOOK.terms)
    yield made
    made.close()


@pytest.fixture(scope="module")
def facts() -> CaseMaker:
    return CaseMaker(BOOK)


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_fires_for_the_patients_it_should_and_stays_silent_for_the_others(
    planner: Planner, facts: CaseMaker, tables: RuleTables, rule: Rule
) -> None:
    examples = rule.file.examples
    for example in (*examples.fires, *examples.silent):
        found = tables.verdicts(facts.case(planner.intake.convert(example.patient))).findings
        assert (rule.id in {finding.rule for finding in found}) == (example in examples.fires), example.why


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_that_fires_is_an_item_of_the_plan_and_one_that_is_silent_is_none(planner: Planner, rule: Rule) -> None:
    for examples in (rule.file.examples.fires, rule.file.examples.silent):
        for example in examples[:1]:
            plan = planner.plan(planner.intake.convert(example.patient))
            assert (rule.id in rules_of(plan)) == (examples is rule.file.examples.fires), example.why


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_has_patients_for_whom_it_fires_and_for_whom_it_is_silent(rule: Rule) -> None:
    assert rule.file.examples.fires
    assert rule.file.examples.silent or rule.file.for_everyone
