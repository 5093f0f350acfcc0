"""What one rule says of one made-up patient: whether it holds, why or why not, and the item that the plan gets by it."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from careplan.errors import InvalidPatient
from careplan.plan.model import items_of
from careplan.planner import Planner

Json = dict[str, Any]


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """One item of the rule in the patient's plan."""

    title: str
    level: str
    line: str
    patient_text: str
    clinician_text: str
    because: list[str]


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """What a rule says of a patient. `missing` are the conditions that keep it silent, `open` the questions it hangs on.

    `faults` say what of the patient cannot be read; then nothing else is said.
    """

    outcome: Literal["fired", "not_fired", "undecided", "does_not_run", "not_said"]
    items: list[Shown] = []
    missing: list[str] = []
    open: list[str] = []
    headline: str = ""
    faults: list[str] = []


def said_of(planner: Planner, rule: str, patient: Json) -> Said:
    """What a rule says of a patient."""
    try:
        decoded = planner.intake.decode(msgspec.json.encode(patient))
    except InvalidPatient as error:
        return Said(outcome="not_said", faults=[f"{one.pointer or 'the patient'}: {one.detail}" for one in error.faults])
    if rule not in planner.book.rules:
        return Said(outcome="does_not_run")
    plan, report = planner.explained_rule(decoded, rule)
    questions = {one.pointer: one.question for one in plan.information_needed}
    return Said(
        outcome=report.outcome,
        items=[
            Shown(
                title=item.title,
                level=item.level,
                line=item.line,
                patient_text=item.patient_text,
                clinician_text=item.clinician_text,
                because=item.because,
            )
            for item in items_of(plan)
            if item.rule.id == rule
        ],
        missing=[one.words + (f" (as it is: {'; '.join(one.given)})" if one.given else "") for one in report.because_not],
        open=[questions.get(pointer, pointer) for pointer in report.questions],
        headline=plan.front.headline,
    )
