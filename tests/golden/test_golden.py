"""Whole plans of written-out patients, kept as text so that a change of wording shows in review.

After a wanted change: `CAREPLAN_WRITE_GOLDEN=1 pytest tests/golden`, then read the difference as clinician and as patient.
"""

from __future__ import annotations

import io
import os
from pathlib import Path

import msgspec
import pytest
from rich.console import Console

from careplan.formats import text
from careplan.plan.model import CarePlan, items_of
from careplan.planner import Planner
from careplan.request.patient import Patient

HERE = Path(__file__).parent
PATIENTS = sorted(
    [*(HERE / "patients").glob("*.json"), *(HERE.parents[1] / "examples").glob("*.json")], key=lambda p: p.stem
)


def readable(plan: CarePlan, patient: Patient) -> str:
    plan = msgspec.structs.replace(plan, rulebook=msgspec.structs.replace(plan.rulebook, digest="digest"))
    console = Console(file=io.StringIO(), width=120, color_system=None, legacy_windows=False)
    text.write(plan, patient, console, detail="full")
    assert isinstance(console.file, io.StringIO)
    return "".join(line.rstrip() + "\n" for line in console.file.getvalue().splitlines())


@pytest.mark.parametrize("path", PATIENTS, ids=lambda path: path.stem)
def test_a_written_out_patient_gets_the_plan_on_file(planner: Planner, path: Path) -> None:
    patient = planner.intake.decode(path.read_bytes())
    plan = readable(planner.plan(patient), patient)
    golden = HERE / "plans" / f"{path.stem}.txt"
    if os.environ.get("CAREPLAN_WRITE_GOLDEN"):
        golden.write_text(plan)
    assert plan == golden.read_text()


@pytest.mark.parametrize("path", PATIENTS, ids=lambda path: path.stem)
def test_what_came_nearest_to_firing_is_explained_as_on_file(planner: Planner, path: Path) -> None:
    explanation = planner.explained(planner.intake.decode(path.read_bytes())).explanation
    assert explanation is not None
    words = [words for rule in explanation.rules for one in rule.because_not for words in (one.words, *one.given)]
    assert not [one for one in words if "_" in one or "{" in one or "  " in one or "None" in one or one != one.strip()]
    nearest = explanation.rules[:15]
    told = "\n".join(
        "\n".join(
            [f"{rule.rule.id} ({rule.outcome}, {rule.missing} away)"]
            + [f"  {one.holds}: {one.words} -- {'; '.join(one.given)}" for one in rule.because_not]
        )
        for rule in nearest
    )
    golden = HERE / "why_not" / f"{path.stem}.txt"
    if os.environ.get("CAREPLAN_WRITE_GOLDEN"):
        golden.parent.mkdir(exist_ok=True)
        golden.write_text(told + "\n")
    assert told + "\n" == golden.read_text()


def test_different_patients_get_visibly_different_plans(planner: Planner) -> None:
    fired = [
        {item.rule.id for item in items_of(plan) if item.scope != "standing"}
        for plan in (planner.plan(planner.intake.decode(path.read_bytes())) for path in PATIENTS)
    ]
    for at, one in enumerate(fired):
        for other in fired[at + 1 :]:
            assert len(one & other) / len(one | other) < 0.6
    assert set.intersection(*fired) == set()


def test_there_are_at_least_two_dozen_written_out_patients() -> None:
    assert len(PATIENTS) >= 25
