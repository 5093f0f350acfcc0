"""The shipped rulebook on random patients: engine and reference evaluator find the same, logic agrees with both."""

from __future__ import annotations

import os

import pytest
from hypothesis import given, settings

from careplan.inference.case_logic import CaseLogic
from careplan.inference.derived import CaseMaker
from careplan.inference.durable_rules import Engine
from careplan.inference.verdicts import RuleTables
from careplan.request.decode import Intake
from tests import reference
from tests.patients import Json, patients
from tests.shipped import BOOK

RULES = {rule.id: rule.when for rule in BOOK.rules.values()}
INTAKE = Intake(BOOK.conditions, BOOK.classes, BOOK.forms)
FACTS = CaseMaker(BOOK)
CASES = int(os.environ.get("CAREPLAN_TEST_CASES", "40"))
EVERY_DAY_AND_LONG = [CASES, pytest.param(10 * CASES, marks=pytest.mark.long)]


@pytest.mark.parametrize("number", EVERY_DAY_AND_LONG)
def test_the_verdict_tables_find_what_the_engine_finds_and_hang_on_what_the_logic_says(number: int) -> None:
    engine, tables = Engine(RULES), RuleTables(RULES, BOOK.terms)
    names = list(RULES)

    @settings(max_examples=number)
    @given(patients(BOOK, medicines=8))
    def agree(body: Json) -> None:
        case = FACTS.case(INTAKE.convert(body))
        verdicts = tables.verdicts(case)
        in_force = {name for name, rule in BOOK.rules.items() if reference.in_force(rule.term, case.patient.as_of)}
        assert verdicts.findings == [found for found in engine.evaluate(case.facts) if found.rule in in_force]
        assert verdicts.findings == reference.findings(RULES, case.facts, BOOK.terms, case.patient.as_of)
        logic = CaseLogic(case)
        wanted: dict[str, set[str]] = {}
        for name, when in RULES.items():
            if name not in in_force:
                continue
            for pointer in logic.of(when)[1]:
                wanted.setdefault(pointer, set()).add(name)
        found = {
            pointer: {name for at, name in enumerate(names) if bits >> at & 1} for pointer, bits in verdicts.hanging.items()
        }
        assert found == wanted

    agree()
    engine.close()
    tables.close()


@pytest.mark.parametrize("number", EVERY_DAY_AND_LONG)
def test_the_engine_and_the_reference_find_the_same_for_random_patients(number: int) -> None:
    engine = Engine(RULES)

    @settings(max_examples=number)
    @given(patients(BOOK, medicines=8))
    def agree(body: Json) -> None:
        case = FACTS.case(INTAKE.convert(body))
        found = engine.evaluate(case.facts)
        assert found == reference.findings(RULES, case.facts)
        logic = CaseLogic(case)
        fired = {finding.rule for finding in found}
        for name, when in RULES.items():
            holds, pointers = logic.of(when)
            assert (holds is True) <= (name in fired)
            assert (name in fired) <= (holds is not False)
            assert holds is not False or not pointers

    agree()
    engine.close()
