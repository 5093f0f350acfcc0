"""From an earlier plan as a caller brings it back to what a later one is compared with.

It never fails: what is no plan of this service, or was changed, is said to be so, and takes nothing else away.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from careplan.canonical import canonical, digest_of
from careplan.request.measurements import Measured, Reading, readings
from careplan.request.previous import (
    FORMAT,
    MOST_ITEMS,
    MOST_POINTS,
    MOST_SCORES,
    ItemLevel,
    Previous,
    PreviousChoice,
    PreviousItem,
    ScorePoint,
    SignatureState,
    State,
    mark_of,
)

Json = dict[str, Any]
CheckSignature = Callable[[Mapping[str, Any], bytes], Literal["genuine", "wrong", "unchecked"]]
"""What knows the keys of the service: whether a signature, in plain data, was made of these bytes."""


class _Rule(msgspec.Struct, frozen=True):
    id: str
    version: int


class _Item(msgspec.Struct, frozen=True):
    id: str
    level: ItemLevel
    title: str
    rule: _Rule
    scope: str = "personal"


class _Section(msgspec.Struct, frozen=True):
    items: Annotated[list[Json], Meta(max_length=MOST_ITEMS)]


class _Book(msgspec.Struct, frozen=True):
    version: str
    digest: str


class _Standing(msgspec.Struct, frozen=True):
    digest: str


class _Question(msgspec.Struct, frozen=True):
    pointer: str


class _Plan(msgspec.Struct, frozen=True):
    rulebook: _Book
    alerts: Annotated[list[Json], Meta(max_length=MOST_ITEMS)]
    sections: Annotated[list[_Section], Meta(max_length=40)]
    standing: _Standing
    information_needed: Annotated[list[_Question], Meta(max_length=MOST_ITEMS)]
    detail: Literal["standard", "full"] = "full"


class _Treatment(msgspec.Struct, frozen=True):
    sessions_completed: int | None = None
    sessions_planned: int | None = None


class _Input(msgspec.Struct, frozen=True):
    reference: str | None = None
    sex: str | None = None
    age_years: int | None = None
    as_of: str | None = None
    treatment: _Treatment = _Treatment()
    measures: dict[str, Any] = {}
    previous: Any = None


class _Record(msgspec.Struct, frozen=True):
    input: _Input
    plan: Json
    at: str | None = None
    digest: str | None = None


class _Choice(msgspec.Struct, frozen=True):
    items: list[str]
    option: str


class _SignedBy(msgspec.Struct, frozen=True):
    by: str
    at: str
    choices: Annotated[list[_Choice], Meta(max_length=400)]


def brief(sent: object, check: CheckSignature | None = None) -> Previous:
    """What was sent as an earlier plan, cut down. `check` knows the keys of the service; None where it has none."""
    try:
        cut_down = _read(sent, check)
        # What was cut out of it is held to the limits of what may be sent.
        kept = msgspec.convert(msgspec.to_builtins(cut_down), Previous)
        return kept if kept.has_a_real_day else Previous(format=FORMAT, state="unreadable")
    except (msgspec.ValidationError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return Previous(format=FORMAT, state="unreadable")


def _read(sent: object, check: CheckSignature | None) -> Previous:
    if not isinstance(sent, dict):
        raise TypeError
    match sent.get("format"):
        case "careplan-course/1":
            return _again(msgspec.convert(sent, Previous), check)
        case "careplan-signed/1":
            return _signed(sent, check)
        case "careplan-record/3":
            return _of_record(sent, _state_of(sent, "unsigned"))
        case None:
            return _of_plan(sent, Previous(format=FORMAT, state="unsigned"))
        case _:
            raise ValueError(FORMAT)


def _again(earlier: Previous, check: CheckSignature | None) -> Previous:
    """What was cut down before. A service with a key cannot check it, and takes it for unsigned."""
    if earlier.state == "signed" and check is not None:
        return msgspec.structs.replace(earlier, signature="missing")
    return earlier if earlier.signature != "genuine" else msgspec.structs.replace(earlier, signature="unchecked")


def _state_of(sent: Json, whole: State) -> State:
    """Whether a document is as its digest says; one without cannot be told from one that was changed."""
    digest = sent.get("digest")
    if digest is None:
        return "unsigned"
    return whole if digest == digest_of(sent) else "altered"


def _signed(sent: Json, check: CheckSignature | None) -> Previous:
    by = msgspec.convert(sent["signed"], _SignedBy)
    without = {name: value for name, value in sent.items() if name != "signature"}
    if "digest" not in sent or not isinstance(sent["record"], dict) or "digest" not in sent["record"]:
        raise KeyError("digest")
    state = _state_of(without, "signed")
    state = "altered" if _state_of(sent["record"], "signed") == "altered" else state
    signature: SignatureState
    if (found := sent.get("signature")) is None:
        signature = "missing" if check is not None else "none"
    elif check is None:
        signature = "none"
    else:
        signature = check(found, canonical(without))
    cut_down = _of_record(sent["record"], "altered" if signature == "wrong" else state)
    choices = [PreviousChoice(items=one.items, option=one.option) for one in by.choices]
    return msgspec.structs.replace(cut_down, signature=signature, at=by.at, signed_by=by.by, choices=choices)


def _of_record(sent: Json, state: State) -> Previous:
    record = msgspec.convert(sent, _Record)
    patient = record.input
    cut_down = Previous(
        format=FORMAT,
        state=state,
        at=record.at,
        reference=patient.reference,
        sex=patient.sex,
        age_years=patient.age_years,
        sessions_completed=patient.treatment.sessions_completed,
        sessions_planned=patient.treatment.sessions_planned,
        scores=_scores(patient, record.at),
    )
    return _of_plan(record.plan, cut_down)


def _of_plan(sent: Json, cut_down: Previous) -> Previous:
    plan = msgspec.convert(sent, _Plan)
    raw = [*plan.alerts, *(item for section in plan.sections for item in section.items)]
    items = [(msgspec.convert(raw_item, _Item), raw_item) for raw_item in raw]
    brief = plan.detail == "standard"
    return msgspec.structs.replace(
        cut_down,
        rulebook=plan.rulebook.version,
        rulebook_digest=plan.rulebook.digest,
        standing=plan.standing.digest,
        items=[
            PreviousItem(
                id=item.id,
                version=item.rule.version,
                level=item.level,
                title=item.title,
                mark=mark_of(raw_item, brief=brief),
                brief=brief,
            )
            for item, raw_item in items
            if item.scope != "standing"
        ],
        asked=[question.pointer for question in plan.information_needed],
    )


def _scores(patient: _Input, at: str | None) -> dict[str, list[ScorePoint]]:
    """Every number that was measured, and those of the visits before, oldest first."""
    earlier = msgspec.convert(patient.previous, Previous).scores if patient.previous is not None else {}
    day = patient.as_of or (at[:10] if at else None)
    found: dict[str, list[ScorePoint]] = {name: list(points) for name, points in earlier.items()}
    for name, sent in patient.measures.items():
        found[name] = [*found.get(name, ()), *points_of(msgspec.convert(sent, Measured), day)]
    some = sorted(name for name in found if found[name])[:MOST_SCORES]
    return {name: in_time(found[name])[-MOST_POINTS:] for name in some}


def points_of(sent: Measured, day: str | None) -> Iterator[ScorePoint]:
    """The numbers that were sent of a measure; one without a time is of the day of the plan."""
    for reading in readings(sent):
        if isinstance(reading, Reading) and isinstance(reading.value, float) and not isinstance(reading.value, bool):
            yield ScorePoint(value=reading.value, at=reading.at or day, unit=reading.unit)


def in_time(points: list[ScorePoint]) -> list[ScorePoint]:
    """Points from the oldest on, each once; those without a time come last, in the order in which they were sent."""
    each = list(dict.fromkeys(points))
    return sorted(each, key=lambda one: (one.at is None, (one.at or "")[:10], one.at or ""))
