"""A rulebook tried out in a process of its own before a running service takes it.

The engine is native code: should a rulebook hang or crash it, that happens here and the service goes on. Run as
`python -m careplan.authoring.rehearsal FOLDER`; prints the outcome as JSON.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import msgspec

from careplan.authoring.rule_examples import Trials
from careplan.errors import InvalidRulebook, RuleFault
from careplan.planner import A_PATIENT, Planner
from careplan.rulebook.load import load

LONGEST = 120.0
"""Seconds after which a rehearsal counts as hanging; the shipped rulebook takes about three."""


class Rehearsal(msgspec.Struct, frozen=True):
    """The digest of the rulebook that was tried, and all that is wrong with it."""

    digest: str
    faults: list[RuleFault]


def rehearse(folder: Path) -> Rehearsal:
    """Load the rulebook, run the examples of all its rules through the engine, and plan for one patient."""
    try:
        book = load(folder)
    except InvalidRulebook as error:
        return Rehearsal("", list(error.faults))
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
    return Rehearsal(book.digest, faults)


def rehearse_apart(folder: Path, seconds: float = LONGEST) -> Rehearsal:
    """`rehearse` in a process of its own. A crash or a hang of that process is a fault of the rulebook."""
    command = [sys.executable, "-m", "careplan.authoring.rehearsal", str(folder)]
    try:
        done = subprocess.run(command, capture_output=True, timeout=seconds, check=True)  # noqa: S603
        return msgspec.json.decode(done.stdout, type=Rehearsal)
    except subprocess.TimeoutExpired:
        problem = f"The engine was not done with this rulebook after {seconds:g} seconds."
    except subprocess.CalledProcessError as error:
        problem = f"The engine ended with code {error.returncode} on this rulebook."
    mend = "Take back the last change and make it in smaller steps."
    return Rehearsal("", [_fault("rulebook.yaml", "", problem, mend, "engine")])


def _fault(file: str, field: str, problem: str, mend: str, code: str) -> RuleFault:
    return RuleFault(file=file, line=1, field=field, problem=problem, mend=mend, code=code)


if __name__ == "__main__":
    sys.stdout.buffer.write(msgspec.json.encode(rehearse(Path(sys.argv[1]))))
