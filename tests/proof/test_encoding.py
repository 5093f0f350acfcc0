"""The formulas say of a patient what the reference evaluator says, and no patient is left out of the proofs."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
import z3
from hypothesis import given, settings
from hypothesis import strategies as st

from careplan.authoring.proof.formulas import of_when
from careplan.authoring.proof.symbols import SymbolicPatient
from careplan.authoring.proof.terms import all_of
from careplan.inference.derived import CaseMaker
from careplan.planner import Planner
from tests import reference
from tests.everyday import one_in
from tests.patients import patients
from tests.proof.assignment import Chosen, assigned
from tests.shipped import BOOK

RULES = {rule.id: rule.when for rule in BOOK.rules.values()}


class Encoded:
    """The formulas of all rules, and a solver to hold them against patients."""

    def __init__(self, planner: Planner) -> None:
        self._planner = planner
        self._facts = CaseMaker(BOOK)
        self._symbolic = SymbolicPatient(BOOK)
        fires = [
            z3.And(self._symbolic.day.within(BOOK.rules[name].term), of_when(self._symbolic, when))
            for name, when in RULES.items()
        ]
        # A bit for each rule, so that a patient is put into all formulas at once and what they share is looked at once.
        self._fires = z3.Concat([z3.If(one, z3.BitVecVal(1, 1), z3.BitVecVal(0, 1)) for one in fires])
        self._solver = z3.Solver()
        self._solver.add(*self._symbolic.constraints)
        self._agreed: set[tuple[bytes, int]] = set()

    def agrees(self, body: dict[str, Any], pick: int) -> None:
        """Assert that the formulas hold for exactly the rules that hold on the facts looked at."""
        encoded = msgspec.json.encode(body)
        if (encoded, pick) in self._agreed:
            return  # many rules have the same patient among their examples
        self._agree(encoded, pick)
        self._agreed.add((encoded, pick))

    def _agree(self, body: bytes, pick: int) -> None:
        case = self._facts.case(self._planner.intake.decode(body))
        chosen = Chosen.of(case, pick)
        expected = {
            finding.rule
            for finding in reference.findings(RULES, chosen.looked_at(case.facts), BOOK.terms, case.patient.as_of)
        }
        medicine = chosen.facts["medicine"]
        self._solver.push()
        try:
            self._solver.add(all_of(assigned(self._symbolic, case, chosen)))
            if medicine is not None:
                answer = self._symbolic.answers["medicine", "hold_question"]
                stance = medicine.properties.get("hold_question")
                stays = (
                    z3.Not(answer.known)
                    if stance is None
                    else z3.And(answer.known, answer.value == answer.tokens.index(str(stance)))
                )
                if medicine.properties.get("sent_twice") is not True:
                    assert self._solver.check(z3.Not(stays)) == z3.unsat, "the stance on holding follows from the answers"
                self._solver.add(stays)
            assert self._solver.check() == z3.sat, "the constraints leave this patient out"
            model = self._solver.model()
            bits = model.eval(self._fires, model_completion=True).as_long()
            found = {name for at, name in enumerate(reversed(RULES)) if bits >> at & 1}
        finally:
            self._solver.pop()
        assert found == expected


@pytest.fixture(scope="module")
def encoded(planner: Planner) -> Encoded:
    return Encoded(planner)


@settings(max_examples=20)
@given(body=patients(BOOK), pick=st.integers(0, 9))
def test_the_formulas_agree_with_the_reference_evaluator_on_random_patients(
    encoded: Encoded, body: dict[str, Any], pick: int
) -> None:
    encoded.agrees(body, pick)


@pytest.mark.long
@settings(max_examples=400)
@given(body=patients(BOOK), pick=st.integers(0, 9))
def test_the_formulas_agree_with_the_reference_evaluator_on_many_random_patients(
    encoded: Encoded, body: dict[str, Any], pick: int
) -> None:
    encoded.agrees(body, pick)


@pytest.mark.parametrize("rule", one_in(72, BOOK.in_order(), lambda rule: str(rule.id)))
def test_the_formulas_agree_with_the_reference_evaluator_on_examples(encoded: Encoded, rule: Any) -> None:
    for example in (*rule.file.examples.fires, *rule.file.examples.silent):
        encoded.agrees(example.patient, 0)


@pytest.mark.parametrize(
    "medications",
    [
        [{"name": "Narcan and lorazepam", "schedule": "as_needed", "indication": "anxiety"}],
        [{"name": "lamotrigine"}, {"name": "lamotrigine", "indication": "epilepsy"}],
        [{"name": "Valtoco"}, {"name": "lorazepam", "schedule": "as_needed", "indication": "anxiety"}],
        [{"name": "diazepam", "schedule": "daily"}, {"name": "Valium", "schedule": "as_needed", "indication": "anxiety"}],
        [{"name": "Xanax", "rxcui": "2598"}, {"name": "Librax"}],
        [{"name": "unheard-of", "indication": "catatonia"}, {"name": "Ativan", "schedule": "daily"}],
        [{"name": "guanfacine and Opvee", "rxcui": "108118"}],
    ],
    ids=[
        *("rescue-beside", "twice", "rescue-elsewhere", "two-ways", "code-disagrees", "unread-protects"),
        "code-disagrees-with-rescue",
    ],
)
@pytest.mark.parametrize("pick", one_in(3, range(3)))
def test_the_formulas_agree_on_entries_that_bear_on_each_other(
    encoded: Encoded, medications: list[dict[str, str]], pick: int
) -> None:
    encoded.agrees({"medications": medications, "conditions": []}, pick)
