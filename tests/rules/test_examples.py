"""Every rule with the patients of its own file, through the real engine."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec
import pytest

from careplan.inference.derived import CaseMaker
from careplan.inference.verdicts import RuleTables
from careplan.planner import Planner
from careplan.rulebook.model import Rule
from tests.everyday import one_in
from tests.plans import rules_of
from tests.shipped import BOOK

RULES = [pytest.param(rule, id=rule.id) for rule in BOOK.in_order()]


@pytest.fixture(scope="module")
def fired(planner: Planner) -> Iterator[Callable[[Mapping[str, Any]], frozenset[str]]]:
    """Which rules fire for a patient, who is often an example of several."""
    tables = RuleTables({rule.id: rule.when for rule in BOOK.rules.values()}, BOOK.terms)
    facts = CaseMaker(BOOK)
    known: dict[bytes, frozenset[str]] = {}

    def of(patient: Mapping[str, Any]) -> frozenset[str]:
        key = msgspec.json.encode(patient)
        if key not in known:
            found = tables.verdicts(facts.case(planner.intake.convert(patient))).findings
            known[key] = frozenset(finding.rule for finding in found)
        return known[key]

    yield of
    tables.close()


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_fires_for_the_patients_it_should_and_stays_silent_for_the_others(
    fired: Callable[[Mapping[str, Any]], frozenset[str]], rule: Rule
) -> None:
    examples = rule.file.examples
    for example in (*examples.fires, *examples.silent):
        assert (rule.id in fired(example.patient)) == (example in examples.fires), example.why


@pytest.mark.parametrize("rule", one_in(4, BOOK.in_order(), lambda rule: str(rule.id)))
def test_a_rule_that_fires_is_an_item_of_the_plan_and_one_that_is_silent_is_none(planner: Planner, rule: Rule) -> None:
    for examples in (rule.file.examples.fires, rule.file.examples.silent):
        for example in examples[:1]:
            plan = planner.plan(planner.intake.convert(example.patient))
            assert (rule.id in rules_of(plan)) == (examples is rule.file.examples.fires), example.why


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_has_patients_for_whom_it_fires_and_for_whom_it_is_silent(rule: Rule) -> None:
    assert rule.file.examples.fires
    assert rule.file.examples.silent or rule.file.for_everyone
