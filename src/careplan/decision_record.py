"""Decision records: all that went into a plan, so that it can be made again later and compared. The service keeps none."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from importlib.metadata import version
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from careplan.canonical import digest_of
from careplan.explain.plan_diff import Difference, Turn, difference
from careplan.facts.case import Case, Properties
from careplan.fhir.read.bundle import FromFhir
from careplan.inference.durable_rules import Finding
from careplan.plan.model import CarePlan, NotConsidered, RulebookRef
from careplan.planner import Planner
from careplan.request.patient import FIRST_YEAR, LAST_YEAR, TIME, Patient
from careplan.rulebook.entries import ENGLISH
from careplan.whole_patterns import in_python

Version = Annotated[str, Meta(pattern=in_python(r"^[A-Za-z0-9.+_\- ]{1,60}$"))]
Format = Literal["careplan-record/3"]
FORMAT: Format = "careplan-record/3"
"""What is made now, and read. Earlier formats held plans without layers, which no later plan can be compared with."""


Digest = Annotated[
    str,
    Meta(
        pattern=in_python(r"^[0-9a-f]{64}$"),
        description="SHA-256 of the record without this field, as canonical JSON (RFC 8785)",
    ),
]


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
    """One plan with everything it came from. `input` is the patient as read, the clinic's protocol included.

    `language` is the one of the patient's texts, `unmapped` what of a FHIR Bundle could not be read. `digest` tells a
    record that was changed by accident from one that was not; it is no signature, as anyone can make it.
    """

    format: Format
    at: Annotated[
        str | None,
        Meta(description="the time that the caller gave; of it the plan knows the day alone, as as_of"),
    ] = None
    service: Annotated[Version, Meta(description="version of the service")]
    engine: Annotated[Version, Meta(description="version of the rules engine")]
    rulebook: RulebookRef
    input: Patient
    language: Annotated[str, Meta(pattern=in_python(r"^[a-z]{2,3}$"), description="language of the patient's texts")] = (
        ENGLISH
    )
    unmapped: list[NotConsidered] = []
    facts: list[RecordedFact]
    findings: list[RecordedFinding]
    plan: CarePlan
    digest: Digest | None = None


class Replay(Part, frozen=True, kw_only=True):
    """What came of a replay.

    `intact` is False where the digest does not fit the record, None where it has none. `reproduced` is None where the
    rulebook is another one, so that differences are no defect. `facts` and `findings` name those that are not the same.
    """

    at: str | None
    then: RulebookRef
    now: RulebookRef
    intact: bool | None
    service: Turn
    engine: Turn
    same_plan: bool
    reproduced: bool | None
    facts: list[str] = []
    findings: list[str] = []
    difference: Difference


def is_a_time(at: str) -> bool:
    """Whether a text is an RFC 3339 timestamp of a day that there is, in the years that a request may be about."""
    if not re.fullmatch(TIME, at):
        return False
    try:
        return FIRST_YEAR <= datetime.fromisoformat(at).year <= LAST_YEAR
    except ValueError:
        return False


def record(
    planner: Planner, patient: Patient, at: str | None, language: str = ENGLISH, read: FromFhir | None = None
) -> DecisionRecord:
    """The record of one decision, made now; `read` is what the patient was read from, if that was FHIR."""
    case, findings, plan = planner.traced(patient, language)
    record = DecisionRecord(
        format=FORMAT,
        at=at,
        service=version("careplan"),
        engine=_engine(),
        rulebook=plan.rulebook,
        input=patient,
        language=language,
        unmapped=list(read.unmapped) if read else [],
        facts=_facts(case),
        findings=_findings(findings),
        plan=_with(plan, read.unmapped if read else ()),
    )
    return msgspec.structs.replace(record, digest=digest_of(msgspec.to_builtins(record)))


def replay(planner: Planner, recorded: DecisionRecord, *, intact: bool | None = None) -> Replay:
    """The same decision again with today's rulebook. Raises `InvalidPatient` if it no longer takes the input."""
    patient = planner.intake.recorded(msgspec.to_builtins(recorded.input))
    case, findings, plan = planner.traced(patient, recorded.language)
    found = difference(recorded.plan, _with(plan, recorded.unmapped))
    facts = _unlike({one.id: one for one in recorded.facts}, {one.id: one for one in _facts(case)})
    fired = _unlike({_name(one): one for one in recorded.findings}, {_name(one): one for one in _findings(findings)})
    same_rulebook = recorded.rulebook == plan.rulebook
    return Replay(
        at=recorded.at,
        then=recorded.rulebook,
        now=plan.rulebook,
        intact=intact,
        service=Turn(before=recorded.service, after=version("careplan")),
        engine=Turn(before=recorded.engine, after=_engine()),
        same_plan=found.same,
        reproduced=(found.same and not facts and not fired) if same_rulebook else None,
        facts=facts,
        findings=fired,
        difference=found,
    )


def read_record(content: bytes) -> tuple[DecisionRecord, bool | None]:
    """The record in a JSON text, and whether its digest fits it (None where it has none).

    Raises `ValueError` saying what is wrong: a key that stands twice, a field that no record has, a time that is none.
    """
    return record_in(parsed(content))


def parsed(content: bytes) -> Any:
    """The data in a JSON text. Raises `ValueError` for a key that stands twice and for what is no JSON."""
    try:
        return json.loads(content, object_pairs_hook=_once, parse_constant=_no_number)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def record_in(data: Any) -> tuple[DecisionRecord, bool | None]:
    """The record in plain data, and whether its digest fits it. Raises `ValueError` as `read_record` does."""
    read = msgspec.convert(data, DecisionRecord)
    surplus = next(surplus_in(read, data), None)
    if surplus is not None:
        raise ValueError(f"it has a field that no record has, in the object at {surplus or 'its root'}")
    if read.at is not None and not is_a_time(read.at):
        raise ValueError("its time is none")
    if read.plan.rulebook != read.rulebook:
        raise ValueError("record and plan name different rulebooks")
    return read, None if read.digest is None else read.digest == digest_of(data)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("an object has the same key twice")
    return found


def _no_number(name: str) -> None:
    raise ValueError(f"{name} is no number of JSON")


def surplus_in(read: object, data: Any, pointer: str = "") -> Iterator[str]:
    """Where data holds fields that reading it left behind."""
    if isinstance(read, msgspec.Struct):
        if data.keys() - set(read.__struct_fields__):
            yield pointer
        for name in read.__struct_fields__:
            if name in data:
                yield from surplus_in(getattr(read, name), data[name], f"{pointer}/{name}")
    elif isinstance(read, list):
        for at, (part, given) in enumerate(zip(read, data, strict=True)):
            yield from surplus_in(part, given, f"{pointer}/{at}")


def _with(plan: CarePlan, unmapped: Sequence[NotConsidered]) -> CarePlan:
    """The plan as it was answered, with what of a Bundle could not be read."""
    return msgspec.structs.replace(plan, not_considered=[*plan.not_considered, *unmapped]) if unmapped else plan


def _engine() -> str:
    return f"durable-rules {version('durable-rules')}"


def _unlike(then: Mapping[str, object], now: Mapping[str, object]) -> list[str]:
    return sorted(name for name in then.keys() | now.keys() if then.get(name) != now.get(name))


def _name(finding: RecordedFinding) -> str:
    return f"{finding.rule} on {', '.join(finding.facts)}"


def _facts(case: Case) -> list[RecordedFact]:
    return [
        RecordedFact(id=fact.id, kind=fact.kind, properties=dict(sorted(fact.properties.items()))) for fact in case.facts
    ]


def _findings(findings: list[Finding]) -> list[RecordedFinding]:
    return [RecordedFinding(rule=one.rule, alternative=one.group, facts=list(one.facts)) for one in findings]
