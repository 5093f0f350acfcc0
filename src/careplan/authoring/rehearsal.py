"""A rulebook tried out before a running service takes it: all examples of its rules through the engine, and a plan."""

from __future__ import annotations

from careplan.authoring.rule_examples import Trials
from careplan.errors import RuleFault
from careplan.planner import A_PATIENT, Planner
from careplan.rulebook.model import Rulebook


def rehearse(book: Rulebook) -> list[RuleFault]:
    """All that is wrong when the examples of all rules run through the engine, and one patient is planned for."""
    trials = Trials(book)
    failed = [outcome for rule in book.rules.values() for outcome in trials.run(rule).outcomes if not outcome.passed]
    trials.close()
    faults = [
        _fault(
            book.rules[outcome.rule].place,
            f"examples.{outcome.expected}.{outcome.place}",
            f"This example does not come out: the rule {outcome.problem}.",
            "Run careplan rules test, and correct the rule or the example.",
            "example",
        )
        for outcome in failed
    ]
    planner = Planner(book)
    if not planner.plan(A_PATIENT).decisions:
        faults.append(_fault("rulebook.yaml", "", "A plan lacks its decision.", "Run careplan rules prove.", "no-plan"))
    planner.close()
    return faults


def _fault(file: str, field: str, problem: str, mend: str, code: str) -> RuleFault:
    return RuleFault(file=file, line=1, field=field, problem=problem, mend=mend, code=code)
