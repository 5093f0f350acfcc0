"""Random rules of the whole language and random patients: engine, tables, three-valued logic, reference and solver agree."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml
import z3
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from careplan.authoring.proof import formulas
from careplan.authoring.proof.answers import Answer
from careplan.authoring.proof.formulas import of_when
from careplan.authoring.proof.symbols import SymbolicPatient
from careplan.authoring.proof.terms import all_of
from careplan.inference.case_logic import CaseLogic
from careplan.inference.derived import CaseMaker
from careplan.inference.durable_rules import Engine
from careplan.inference.verdicts import RuleTables
from careplan.planner import Planner
from tests import reference
from tests.patients import Json, patients
from tests.proof.assignment import Chosen, assigned
from tests.proof.made_up_rules import EVERY_FIELD, NO_RULES, RULEBOOKS, read
from tests.proof.reducing import Keeper, breaks, kept, reduced
from tests.shipped import BOOK

CASES = int(os.environ.get("CAREPLAN_TEST_RULEBOOKS", "30"))
KEEPER = Keeper()
SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large]


def of_evaluators(planner: Planner, found: Any) -> None:
    """That engine, tables, logic and reference say the same of rules and a patient."""
    rules = read(found["rules"])
    case = CaseMaker(NO_RULES, list(rules.values())).case(planner.intake.decode(msgspec.json.encode(found["patient"])))
    engine, tables = Engine(rules), RuleTables(rules)
    try:
        findings = engine.evaluate(case.facts)
        assert findings == reference.findings(rules, case.facts)
        assert tables.verdicts(case).findings == findings
    finally:
        engine.close()
        tables.close()
    fired = {finding.rule for finding in findings}
    logic = CaseLogic(case)
    for name, when in rules.items():
        holds, pointers = logic.of(when)
        assert (holds is True) <= (name in fired) <= (holds is not False)
        assert holds is not False or not pointers


@settings(max_examples=CASES, suppress_health_check=SLOW)
@given(RULEBOOKS, patients(BOOK, medicines=3))
def test_engine_tables_logic_and_reference_agree_on_any_rules(planner: Planner, whens: list[Json], body: Json) -> None:
    KEEPER.run("evaluators", {"rules": whens, "patient": body}, partial(of_evaluators, planner))


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


def of_formulas(planner: Planner, symbols: Symbols, found: Any) -> None:
    """That the formulas of rules say of a patient what the reference says, of the medicine, illness and goal of a number."""
    rules = read(found["rules"])
    looked_at = [*rules.values(), *read([{kind: fields} for kind, fields in EVERY_FIELD.items()]).values()]
    # Which medicines no rule looks at is a matter of the shipped rules, whose symbolic patient this is.
    case = CaseMaker(BOOK, looked_at).case(planner.intake.decode(msgspec.json.encode(found["patient"])))
    chosen = Chosen.of(case, found.get("pick", 0))
    expected = {finding.rule for finding in reference.findings(rules, chosen.looked_at(case.facts))}
    solver = symbols.solver
    solver.push()
    try:
        solver.add(all_of(assigned(symbols.patient, case, chosen)))
        answer = solver.check()
        if answer == z3.unknown:
            return  # rare; it says nothing of the formulas
        assert answer == z3.sat, "the constraints leave this patient out"
        model = solver.model()
        made = {name: of_when(symbols.patient, when) for name, when in rules.items()}
        fired = {name for name, formula in made.items() if z3.is_true(model.eval(formula, model_completion=True))}
    finally:
        solver.pop()
    assert fired == expected


@pytest.mark.long
@settings(max_examples=max(10, CASES // 20), suppress_health_check=SLOW)
@given(st.lists(RULEBOOKS, min_size=2, max_size=2), patients(BOOK, medicines=3), st.integers(0, 4))
def test_the_formulas_of_any_rules_say_what_the_reference_says(
    planner: Planner, symbols: Symbols, books: list[Any], body: Json, pick: int
) -> None:
    found = {"rules": [when for book in books for when in book], "patient": body, "pick": pick}
    KEEPER.run("formulas", found, partial(of_formulas, planner, symbols))


@pytest.mark.parametrize("path", kept("evaluators"), ids=lambda path: path.stem)
def test_what_evaluators_once_disagreed_about_they_agree_about(planner: Planner, path: Path) -> None:
    of_evaluators(planner, yaml.safe_load(path.read_text()))


@pytest.mark.parametrize("path", kept("formulas"), ids=lambda path: path.stem)
def test_what_formulas_once_said_wrongly_they_say_rightly(planner: Planner, symbols: Symbols, path: Path) -> None:
    of_formulas(planner, symbols, yaml.safe_load(path.read_text()))


LARGE: Json = {
    "rules": [
        {"support": {"escort_available": False}},
        {
            "any_of": [
                {"treatment": {"product": "racemic"}, "patient": {"age_years": {"at_most": 30}}},
                {
                    "lifestyle": {
                        "any_of": [{"cannabis": "none"}, {"sleep_hours_per_night": {"at_least": 5, "at_most": 9}}]
                    },
                    "patient": {"age_years": {"at_most": 50}},
                },
            ]
        },
    ],
    "patient": {
        "age_years": 41,
        "medications": [{"name": "sertraline"}],
        "lifestyle": {"sleep_hours_per_night": 5, "cannabis": "daily"},
    },
    "pick": 1,
}


def constant(answer: Answer, value: Any) -> Any:
    """A value as a constant of the solver, of the sort of the variable."""
    if answer.tokens:
        return z3.IntVal(answer.tokens.index(str(value)))
    if isinstance(value, bool):
        return z3.BoolVal(value)
    return z3.IntVal(round(value)) if answer.value.is_int() else z3.RealVal(str(value))


def of_answers(planner: Planner, symbols: Symbols, found: Any) -> None:
    """As `of_formulas`, of rules that look at answers about lifestyle, treatment, support and age alone, and much faster."""
    rules = read(found["rules"])
    case = CaseMaker(NO_RULES, list(rules.values())).case(planner.intake.decode(msgspec.json.encode(found["patient"])))
    facts = {fact.kind: fact.properties for fact in case.facts}
    values = []
    for (kind, name), answer in symbols.patient.answers.items():
        if kind in ("lifestyle", "treatment", "support", "patient") and not z3.is_true(answer.known):
            value = facts.get(kind, {}).get(name)
            values.append((answer.known, z3.BoolVal(value is not None)))
            if value is not None:
                values.append((answer.value, constant(answer, value)))
    fires = {name: z3.simplify(z3.substitute(of_when(symbols.patient, when), *values)) for name, when in rules.items()}
    assert {name for name, one in fires.items() if z3.is_true(one)} == {
        finding.rule for finding in reference.findings(rules, case.facts)
    }


@pytest.mark.long
def test_a_failure_is_reduced_to_a_few_lines_and_kept(
    planner: Planner, symbols: Symbols, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The formulas take "at least" for "more than"; on large rules and a patient with much else."""
    check = partial(of_answers, planner, symbols)
    keeper = Keeper(tmp_path)
    keeper.run("formulas", LARGE, check)
    with monkeypatch.context() as damaged:
        damaged.setitem(formulas._COMPARE, "at_least", lambda value, limit: value > limit)
        for _ in range(2):
            with pytest.raises(AssertionError):
                keeper.run("formulas", LARGE, check)
        (path,) = kept("formulas", tmp_path)
        small = yaml.safe_load(path.read_text())
        assert breaks(check, small)
    assert small == {
        "rules": [{"lifestyle": {"sleep_hours_per_night": {"at_least": 5}}}],
        "patient": {"lifestyle": {"sleep_hours_per_night": 5}},
    }
    assert len(path.read_text().splitlines()) == 5
    check(small)


@given(st.lists(st.integers(0, 9), max_size=8), st.sets(st.integers(0, 9), max_size=3))
def test_what_is_reduced_has_all_that_it_takes_to_fail_and_nothing_else(numbers: list[int], wanted: set[int]) -> None:
    found = {"rules": [{"any_of": [{"n": one} for one in numbers]}], "other": {"list": numbers}}

    def fails(data: Any) -> bool:
        return wanted <= set(data.get("other", {}).get("list", ()))

    assert fails(found) == (wanted <= set(numbers))
    if fails(found):
        small = reduced(found, fails)
        assert sorted(small.get("other", {}).get("list", ())) == sorted(wanted)
        assert "rules" not in small
