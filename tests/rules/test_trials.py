"""The examples of the rules: run, explained where they fail, and enough to show every condition."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
import z3
from click.testing import CliRunner

from careplan.authoring.proof.answers import Formula
from careplan.authoring.proof.formulas import of_expression, of_when
from careplan.authoring.proof.symbols import SymbolicPatient
from careplan.authoring.rule_examples import Shown, Trials, examples_of, wanted_of
from careplan.cli.main import main
from careplan.rulebook.conditions import COMPARISONS, Either, Expression, Test
from careplan.rulebook.load import load, shipped
from careplan.rulebook.model import Rulebook
from tests.mutants import Mutant, hunt, mutants, share

EARLY = "younger-than-eighteen"


@pytest.fixture(scope="module")
def trials(book: Rulebook) -> Iterator[Trials]:
    made = Trials(book)
    yield made
    made.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(shipped(), tmp_path / "rules"))


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def run(*arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(main, ["rules", "test", *arguments])
    return done.exit_code, done.output


@pytest.mark.long
def test_every_condition_of_the_shipped_rules_is_shown_unless_no_patient_could(book: Rulebook, trials: Trials) -> None:
    symbolic = SymbolicPatient(book)
    solver = z3.Solver()
    solver.add(*symbolic.constraints)
    for rule in book.in_order():
        for shown in trials.run(rule).missing:
            assert shown.aspect == "false", f"{rule.id} has no example for {shown}"
            group = [
                z3.And(symbolic.present(pattern.kind), lifted(symbolic, pattern.kind, pattern.tests, shown))
                for pattern in rule.when[shown.group]
            ]
            fails = z3.Not(of_expression(symbolic, shown.kind, shown.test))
            assert solver.check(*group, fails, z3.Not(of_when(symbolic, rule.when))) == z3.unsat, f"{rule.id}: {shown}"


def lifted(symbolic: SymbolicPatient, kind: str, expression: Expression, shown: Shown) -> Formula:
    """The expression with the condition that should be shown taken as met."""
    if isinstance(expression, Test):
        met = kind == shown.kind and expression == shown.test
        return z3.BoolVal(val=True) if met else of_expression(symbolic, kind, expression)
    parts = [lifted(symbolic, kind, part, shown) for part in expression.parts]
    return z3.Or(parts) if isinstance(expression, Either) else z3.And(parts)


def test_a_condition_without_an_example_is_listed(book: Rulebook, trials: Trials) -> None:
    rule = book.rules[EARLY]
    assert {shown.aspect for shown in wanted_of(rule)} == {"true", "false", "limit"}
    assert trials.run(rule).missing == ()
    for aspect, dropped in (("limit", "silent"), ("false", "silent")):
        examples = msgspec.structs.replace(rule.file.examples, **{dropped: ()})
        bare = msgspec.structs.replace(rule, file=msgspec.structs.replace(rule.file, examples=examples))
        assert aspect in {shown.aspect for shown in trials.run(bare).missing}


def test_a_failing_example_is_shown_with_the_condition_that_is_not_met(folder: Path) -> None:
    edit(folder / "screening" / f"{EARLY}.yaml", "patient: {age_years: 17}", "patient: {age_years: 19}")
    code, text = run(EARLY, "--rules", str(folder))
    assert code == 1
    assert f"screening/{EARLY}.yaml, examples.fires.0 (just under the boundary): should fire, but stays silent" in text
    assert 'patient: {"age_years":19}' in text
    assert "not met: the patient is less than 18 years old" in text


def test_an_example_that_should_be_silent_and_is_not_is_shown(folder: Path) -> None:
    edit(folder / "screening" / f"{EARLY}.yaml", "patient: {age_years: 18}", "patient: {age_years: 12}")
    code, text = run(EARLY, "--rules", str(folder))
    assert code == 1
    assert "should stay silent, but fires" in text


def test_an_example_that_is_no_patient_is_shown_with_its_faults(folder: Path) -> None:
    edit(folder / "screening" / f"{EARLY}.yaml", "patient: {age_years: 17}", "patient: {age_yaers: 17}")
    code, text = run(EARLY, "--rules", str(folder))
    assert code == 1
    assert "not a patient: /age_yaers" in text


@pytest.mark.long
def test_the_command_runs_all_and_counts_what_was_shown(book: Rulebook) -> None:
    done = CliRunner().invoke(main, ["rules", "test", "--format", "json"])
    found = json.loads(done.stdout)
    assert done.exit_code == 0
    assert [trial["rule"] for trial in found] == [rule.id for rule in book.in_order()]
    assert sum(trial["examples"] for trial in found) == sum(len(list(examples_of(rule))) for rule in book.in_order())
    assert all(trial["failures"] == [] for trial in found)


def test_missing_coverage_fails_only_where_it_is_required(folder: Path) -> None:
    path = folder / "screening" / f"{EARLY}.yaml"
    edit(path, "    - why: at the boundary\n      patient: {age_years: 18}\n", "")
    assert run(EARLY, "--rules", str(folder))[0] == 0
    code, text = run(EARLY, "--rules", str(folder), "--require-coverage")
    assert code == 1
    assert "the patient is less than 18 years old: never seen at its limit" in text


@pytest.mark.long
def test_examples_notice_more_than_95_percent_of_what_can_go_wrong(book: Rulebook) -> None:
    tallies, _ = hunt(book, book.in_order()[::6])
    assert sum(tally.made for tally in tallies.values()) > 300
    assert share(tallies) > 0.95


def test_each_way_of_going_wrong_is_tried(book: Rulebook) -> None:
    ways = {mutant.how for rule in book.in_order() for mutant in mutants(book, rule)}
    assert ways == {
        "add a value", "change strictness", "drop a choice", "drop a condition", "drop a kind of fact", "drop a value",
        "drop an alternative", "flip a comparison", "lower a limit by one", "raise a limit by one", "swap a value",
        "turn an operation",
    }  # fmt: skip


@pytest.mark.long
def test_what_is_said_of_a_changed_rule_is_what_the_engine_does_with_it(book: Rulebook) -> None:
    """A changed rule put into the rulebook fails exactly where the hunt says that it is noticed."""
    rule = book.rules["eighteen-to-twenty-four"]
    found = [mutant for mutant in mutants(book, rule) if mutant.when != rule.when]
    assert len(found) > 6
    _, survivors = hunt(book, [rule])
    for mutant in found:
        assert noticed_by_the_engine(book, mutant) == (mutant not in survivors), mutant.how


def noticed_by_the_engine(book: Rulebook, mutant: Mutant) -> bool:
    changed = msgspec.structs.replace(book.rules[mutant.rule], when=mutant.when)
    runner = Trials(msgspec.structs.replace(book, rules={**book.rules, mutant.rule: changed}))
    try:
        return any(not outcome.passed for outcome in runner.run(changed).outcomes)
    finally:
        runner.close()


def test_comparisons_are_to_be_shown_at_their_limit(book: Rulebook) -> None:
    for rule in book.in_order():
        for shown in wanted_of(rule):
            if shown.test.operation in COMPARISONS:
                assert any(other.aspect == "limit" and other.test == shown.test for other in wanted_of(rule))


def test_a_resting_rule_can_be_tested_too(folder: Path) -> None:
    edit(folder / "screening" / f"{EARLY}.yaml", "status: trial", "status: draft")
    assert EARLY in load(folder).resting
    code, text = run(EARLY, "--rules", str(folder))
    assert code == 0
    assert text.startswith("1 rule, ")
