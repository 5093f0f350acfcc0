"""Decision records: all that went into a plan, so that it can be made again later and compared. The service keeps none."""

from __future__ import annotations

from importlib.metadata import version
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from careplan.difference import Difference, difference
from careplan.engine import Finding
from careplan.facts import Case, Properties
from careplan.patient import Patient
from careplan.plan import CarePlan, RulebookRef
from careplan.planner import Planner

FORMAT: Literal["careplan-record/1"] = "careplan-record/1"


class Part(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The base of everything in a record."""


class RecordedFact(Part, frozen=True, kw_only=True):
    """A fact as the engine saw it: tokens, booleans and numbers only."""

    id: str
    kind: str
    properties: Properties


class RecordedFinding(Part, frozen=True, kw_only=True):
    """A rule that held, by which of its alternatives (counted from 0), on which facts."""

    rule: str
    alternative: int
    facts: list[str]


class DecisionRecord(Part, frozen=True, kw_only=True):
    """One plan with everything it came from. `input` is the patient as read, the clinic's protocol included."""

    format: Literal["careplan-record/1"]
    at: Annotated[str | None, Meta(description="the time that the caller gave; the plan does not depend on it")] = None
    service: Annotated[str, Meta(description="version of the service")]
    engine: Annotated[str, Meta(description="version of the rules engine")]
    rulebook: RulebookRef
    input: Patient
    facts: list[RecordedFact]
    findings: list[RecordedFinding]
    plan: CarePlan


class Replay(Part, frozen=True, kw_only=True):
    """What came of a replay. `reproduced` is None where the rulebook is another one, so that differences are no defect."""

    at: str | None
    then: RulebookRef
    now: RulebookRef
    same_plan: bool
    reproduced: bool | None
    difference: Difference


def record(planner: Planner, patient: Patient, at: str | None) -> DecisionRecord:
    """The record of one decision, made now."""
    case, findings, plan = planner.traced(patient)
    return DecisionRecord(
        format=FORMAT,
        at=at,
        service=version("careplan"),
        engine=f"durable-rules {version('durable-rules')}",
        rulebook=plan.rulebook,
        input=patient,
        facts=_facts(case),
        findings=_findings(findings),
        plan=plan,
    )


def replay(planner: Planner, recorded: DecisionRecord) -> Replay:
    """The same decision again with today's rulebook. Raises `InvalidPatient` if it no longer takes the input."""
    patient = planner.intake.convert(msgspec.to_builtins(recorded.input))
    plan = planner.plan(patient)
    found = difference(recorded.plan, plan)
    same_rulebook = recorded.rulebook == plan.rulebook
    return Replay(
        at=recorded.at,
        then=recorded.rulebook,
        now=plan.rulebook,
        same_plan=found.same,
        reproduced=found.same if same_rulebook else None,
        difference=found,
    )


def read_record(content: bytes) -> DecisionRecord:
    """The record in a JSON text. Raises `ValueError` saying what it lacks."""
    return msgspec.json.decode(content, type=DecisionRecord)


def _facts(case: Case) -> list[RecordedFact]:
    return [
        RecordedFact(id=fact.id, kind=fact.kind, properties=dict(sorted(fact.properties.items()))) for fact in case.facts
    ]


def _findings(findings: list[Finding]) -> list[RecordedFinding]:
    return [RecordedFinding(rule=one.rule, alternative=one.group, facts=list(one.facts)) for one in findings]
