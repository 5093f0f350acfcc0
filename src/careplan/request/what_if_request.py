"""Questions about a plan: a patient with changes to try, or with the item to ask about, read as strictly as a patient."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from careplan.errors import Fault, InvalidPatient
from careplan.request.body import Body
from careplan.request.decode import Intake
from careplan.request.patient import PROTOCOL_FIGURES, Patient
from careplan.request.unknown_fields import is_of_a_name

MOST_CHANGES = 20

MergePatch = Annotated[
    dict[str, Any], Meta(description="JSON Merge Patch (RFC 7396) of the patient; null takes a factor away")
]


class WhatIf(Body, frozen=True, kw_only=True):
    """A patient, and changes to try, each on its own."""

    patient: Patient
    changes: Annotated[list[MergePatch], Meta(min_length=1, max_length=MOST_CHANGES)]


class WhichChange(Body, frozen=True, kw_only=True):
    """A patient, and the item of the plan (or the rule) that should go away or come up."""

    patient: Patient
    item: Annotated[str, Meta(min_length=1, max_length=200, description="id of an item or of a rule")]


def merge_patch(target: Any, patch: Any) -> Any:
    """`target` changed as JSON Merge Patch says (RFC 7396)."""
    if not isinstance(patch, dict):
        return patch
    merged = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = merge_patch(merged.get(key), value)
    return merged


def read_what_if(intake: Intake, body: bytes) -> WhatIf:
    """The patient and the changes. Raises `InvalidPatient` naming every fault, also of a changed patient."""
    data = intake.parse(body)
    changes = data.get("changes") if isinstance(data, dict) else None
    faults = list(_envelope(data, "changes"))
    if isinstance(data, dict) and "changes" in data:
        if not isinstance(changes, list) or not 1 <= len(changes) <= MOST_CHANGES:
            faults.append(Fault(pointer="/changes", detail=f"must be a list of 1 to {MOST_CHANGES} merge patches"))
            changes = []
        faults += [
            Fault(pointer=f"/changes/{at}", detail="must be an object")
            for at, change in enumerate(changes)
            if not isinstance(change, dict)
        ]
        faults += [fault for at, change in enumerate(changes) for fault in _unsigned(f"/changes/{at}/protocol", change)]
    patient = _patient(intake, data, faults)
    tried = changes if isinstance(changes, list) else []
    for at, change in enumerate(tried):
        if isinstance(change, dict):
            # Where the patient has faults of its own, a change is held against nobody, so that its own are named too.
            faults += _below(
                f"/changes/{at}", _faults(intake, merge_patch({} if patient is None else data["patient"], change))
            )
            # Merging drops what is taken away, so that nobody would hear of a misspelt name.
            faults += _below(f"/changes/{at}", filter(is_of_a_name, _faults(intake, _names(change))))
    if faults or patient is None:
        raise InvalidPatient(sorted(set(faults)))
    return WhatIf(patient=patient, changes=tried)


def _faults(intake: Intake, data: object) -> Sequence[Fault]:
    try:
        intake.convert(data)
    except InvalidPatient as error:
        return error.faults
    return ()


def _names(change: Any) -> Any:
    """A change with nothing but the names in it."""
    return {name: _names(part) for name, part in change.items()} if isinstance(change, dict) else None


def variants(intake: Intake, asked: WhatIf) -> list[Patient]:
    """The patient as each change would have it."""
    body = msgspec.to_builtins(asked.patient)
    # The earlier plan was looked at with the patient, its signature included; only that of a change is looked at now.
    return [
        (intake.convert if "previous" in change else intake.recorded)(merge_patch(body, change)) for change in asked.changes
    ]


def read_which_change(intake: Intake, body: bytes) -> WhichChange:
    """The patient and the item. Raises `InvalidPatient` naming every fault."""
    data = intake.parse(body)
    faults = list(_envelope(data, "item"))
    item = data.get("item") if isinstance(data, dict) else None
    if isinstance(data, dict) and "item" in data and not (isinstance(item, str) and 1 <= len(item) <= 200):
        faults.append(Fault(pointer="/item", detail="must be the id of an item or of a rule"))
    patient = _patient(intake, data, faults)
    if faults or patient is None or not isinstance(item, str):
        raise InvalidPatient(sorted(set(faults)))
    return WhichChange(patient=patient, item=item)


def _envelope(data: object, other: str) -> Iterator[Fault]:
    if not isinstance(data, dict):
        yield Fault(pointer="", detail="must be an object")
        return
    for key in ("patient", other):
        if key not in data:
            yield Fault(pointer=f"/{key}", detail="is missing")
    unknown = len(data.keys() - {"patient", other})
    if unknown:
        yield Fault(pointer="", detail=f"holds {unknown} fields besides patient and {other}")


def _unsigned(pointer: str, change: object) -> Iterator[Fault]:
    """Figures put in place of those that a clinician signed are not covered by that signature."""
    protocol = change.get("protocol") if isinstance(change, dict) else None
    if isinstance(protocol, dict):
        if "approved_by" in protocol and protocol["approved_by"] is None:
            yield Fault(pointer=f"{pointer}/approved_by", detail="cannot be taken away; take the protocol away instead")
        elif "approved_by" not in protocol and any(protocol.get(name) is not None for name in PROTOCOL_FIGURES):
            yield Fault(
                pointer=f"{pointer}/approved_by", detail="is missing: a changed figure needs the name of who approved it"
            )


def _patient(intake: Intake, data: object, faults: list[Fault]) -> Patient | None:
    if not isinstance(data, dict) or "patient" not in data:
        return None
    try:
        return intake.convert(data["patient"])
    except InvalidPatient as error:
        faults += _below("/patient", error.faults)
        return None


def _below(pointer: str, faults: Iterable[Fault]) -> list[Fault]:
    return [Fault(pointer=pointer + fault.pointer, detail=fault.detail) for fault in faults]
