"""Random rules of the whole language and random patients: engine, tables, three-valued logic, reference and solver agree."""

from __future__ import annotations

import os
from typing import Any

import msgspec
import pytest
import z3
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from careplan.authoring.proof.formulas import of_when
from careplan.authoring.proof.symbols import SymbolicPatient
from careplan.inference.case_logic import CaseLogic
from careplan.inference.derived import CaseMaker
from careplan.inference.durable_rules import Engine
from careplan.inference.verdicts import RuleTables
from careplan.planner import Planner
from tests import reference
from tests.patients import Json, patients
from tests.proof.assignment import Chosen, assigned
from tests.proof.made_up_rules import EVERY_FIELD, NO_RULES, RULEBOOKS, read
from tests.shipped import BOOK

CASES = int(os.environ.get("CAREPLAN_TEST_RULEBOOKS", "150"))
SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large]


@settings(max_examples=CASES, suppress_health_check=SLOW)
@given(RULEBOOKS, patients(BOOK, medicines=3))
def test_engine_tables_logic_and_reference_agree_on_any_rules(planner: Planner, whens: list[Json], body: Json) -> None:
    rules = read(whens)
    case = CaseMaker(NO_RULES, list(rules.values())).case(planner.intake.decode(msgspec.json.encode(body)))
    engine, tables = Engine(rules), RuleTables(rules)
    try:
        found = engine.evaluate(case.facts)
        assert found == reference.findings(rules, case.facts)
        assert tables.verdicts(case).findings == found
    finally:
        engine.close()
        tables.close()
    fired = {finding.rule for finding in found}
    logic = CaseLogic(case)
    for name, when in rules.items():
        holds, pointers = logic.of(when)
        assert (holds is True) <= (name in fired) <= (holds is not False)
        assert holds is not False or not pointers


class Symbols:
    """A symbolic patient that serves for all made-up rules."""

    def __init__(self) -> None:
        self.patient = SymbolicPatient(BOOK)
        self.solver = z3.Solver()
        self.solver.set("timeout", 2_000)
        self.solver.add(*self.patient.constraints)


@pytest.fixture(scope="module")
def symbols() -> Symbols:
    return Symbols()


@settings(max_examples=max(10, CASES // 20), suppress_health_check=SLOW)
@given(st.lists(RULEBOOKS, min_size=2, max_size=2), patients(BOOK, medicines=3), st.integers(0, 4))
def test_the_formulas_of_any_rules_say_what_the_reference_says(
    planner: Planner, symbols: Symbols, books: list[Any], body: Json, pick: int
) -> None:
    rules = read([when for book in books for when in book])
    looked_at = [*rules.values(), *read([{kind: fields} for kind, fields in EVERY_FIELD.items()]).values()]
    # Which medicines no rule looks at is a matter of the shipped rules, whose symbolic patient this is.
    case = CaseMaker(BOOK, looked_at).case(planner.intake.decode(msgspec.json.encode(body)))
    chosen = Chosen.of(case, pick)
    expected = {finding.rule for finding in reference.findings(rules, chosen.looked_at(case.facts))}
    solver = symbols.solver
    solver.push()
    try:
        solver.add(*assigned(symbols.patient, case, chosen))
        answer = solver.check()
        assume(answer != z3.unknown)  # rare; it says nothing of the formulas
        assert answer == z3.sat, "the constraints leave this patient out"
        model = solver.model()
        formulas = {name: of_when(symbols.patient, when) for name, when in rules.items()}
        found = {name for name, formula in formulas.items() if z3.is_true(model.eval(formula, model_completion=True))}
    finally:
        solver.pop()
    assert found == expected
