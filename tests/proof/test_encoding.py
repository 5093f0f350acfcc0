"""The formulas say of a patient what the reference evaluator says, and no patient is left out of the proofs."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
import z3
from hypothesis import given, settings
from hypothesis import strategies as st

from careplan.facts import FactMaker
from careplan.planner import Planner
from careplan.proof.formulas import of_when
from careplan.proof.symbols import SymbolicPatient
from careplan.rulebook.load import load, shipped
from tests import reference
from tests.patients import patients
from tests.proof.assignment import Chosen, assigned

BOOK = load(shipped())
RULES = {rule.id: rule.when for rule in BOOK.rules.values()}
SYMBOLIC = SymbolicPatient(BOOK)
FIRES = {name: of_when(SYMBOLIC, when) for name, when in RULES.items()}
SOLVER = z3.Solver()
SOLVER.add(*SYMBOLIC.constraints)


def agree(planner: Planner, body: dict[str, Any], pick: int) -> None:
    """Assert that the formulas hold for exactly the rules that hold on the facts looked at."""
    case = FactMaker(BOOK).case(planner.intake.decode(msgspec.json.encode(body)))
    chosen = Chosen.of(case, pick)
    expected = {finding.rule for finding in reference.findings(RULES, chosen.looked_at(case.facts))}
    medicine = chosen.facts["medicine"]
    SOLVER.push()
    try:
        SOLVER.add(*assigned(SYMBOLIC, case, chosen))
        if medicine is not None:
            answer = SYMBOLIC.answers["medicine", "hold_question"]
            stance = medicine.properties.get("hold_question")
            stays = (
                z3.Not(answer.known)
                if stance is None
                else z3.And(answer.known, answer.value == answer.tokens.index(str(stance)))
            )
            if medicine.properties.get("sent_twice") is not True:
                assert SOLVER.check(z3.Not(stays)) == z3.unsat, "the stance on holding follows from the answers"
            SOLVER.add(stays)
        assert SOLVER.check() == z3.sat, "the constraints leave this patient out"
        model = SOLVER.model()
        found = {name for name, fires in FIRES.items() if z3.is_true(model.eval(fires, model_completion=True))}
    finally:
        SOLVER.pop()
    assert found == expected


@settings(max_examples=80)
@given(body=patients(BOOK), pick=st.integers(0, 9))
def test_the_formulas_agree_with_the_reference_evaluator_on_random_patients(
    planner: Planner, body: dict[str, Any], pick: int
) -> None:
    agree(planner, body, pick)


@pytest.mark.parametrize("rule", [pytest.param(rule, id=rule.id) for rule in BOOK.in_order()[::4]])
def test_the_formulas_agree_with_the_reference_evaluator_on_examples(planner: Planner, rule: Any) -> None:
    for example in (*rule.file.examples.fires, *rule.file.examples.silent):
        agree(planner, example.patient, 0)


@pytest.mark.parametrize(
    "medications",
    [
        [{"name": "Narcan and lorazepam", "schedule": "as_needed", "indication": "anxiety"}],
        [{"name": "lamotrigine"}, {"name": "lamotrigine", "indication": "epilepsy"}],
        [{"name": "Valtoco"}, {"name": "lorazepam", "schedule": "as_needed", "indication": "anxiety"}],
        [{"name": "diazepam", "schedule": "daily"}, {"name": "Valium", "schedule": "as_needed", "indication": "anxiety"}],
        [{"name": "Xanax", "rxcui": "2598"}, {"name": "Librax"}],
        [{"name": "unheard-of", "indication": "catatonia"}, {"name": "Ativan", "schedule": "daily"}],
    ],
    ids=["rescue-beside", "twice", "rescue-elsewhere", "two-ways", "code-disagrees", "unread-protects"],
)
@pytest.mark.parametrize("pick", range(3))
def test_the_formulas_agree_on_entries_that_bear_on_each_other(
    planner: Planner, medications: list[dict[str, str]], pick: int
) -> None:
    agree(planner, {"medications": medications, "conditions": []}, pick)
