"""The parameters of `$apply`: what is used of them, what is not, and what cannot be followed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

import msgspec

from careplan.errors import Fault, InvalidPatient
from careplan.fhir.read.bundle import Asked, FhirReader, FromFhir
from careplan.fhir.read.element import Element
from careplan.fhir.read.members import PARAMETERS, check_members
from careplan.fhir.read.references import plain
from careplan.plan.model import NotConsidered
from careplan.request.patient import ListName

UNUSED = "This parameter is not used."
_MORE_DATA = frozenset({"data", "prefetch", "parameters"})
"""Parameters under which there may be a record of the patient."""
_DATA_LISTS: tuple[ListName, ...] = ("medications", "conditions")


class Applied(msgspec.Struct, frozen=True):
    """One call: the Bundle and its place, the reference to the patient and its place, and what is not used."""

    data: object
    place: str
    subject: str | None
    subject_place: str
    unused: list[NotConsidered]
    more_data: str | None


def read_applied(body: object, reader: FhirReader, names: Sequence[str], on: date | None = None) -> FromFhir:
    """The patient of a Bundle, or of Parameters that hold one as `data` and say by `subject` of whom the plan is.

    `names` are the addresses of the rulebook, `on` is the day of which ages are counted.
    Raises `InvalidPatient` naming every fault by its place in the body.
    """
    if not isinstance(body, dict) or body.get("resourceType") != "Parameters":
        return reader.read(body, on)
    applied = parameters_of(body, names)
    lists: dict[ListName, str] = {}
    if applied.more_data is not None:
        lists = dict.fromkeys(_DATA_LISTS, applied.more_data)
    try:
        read = reader.read(applied.data, on, Asked(subject=applied.subject, incomplete=lists))
    except InvalidPatient as error:
        faults = [Fault(pointer=applied.place + fault.pointer, detail=fault.detail) for fault in error.faults]
        raise InvalidPatient(faults, more=error.more) from None
    if not read.is_known:
        detail = "must be the patient of whom the data is; nothing in it is about this one"
        raise InvalidPatient([Fault(pointer=applied.subject_place, detail=detail)])
    unmapped = [msgspec.structs.replace(one, pointer=_placed(one.pointer, applied)) for one in read.unmapped]
    return msgspec.structs.replace(read, unmapped=[*applied.unused, *unmapped])


def _placed(pointer: str, applied: Applied) -> str:
    return pointer if pointer.startswith("/parameter/") else applied.place + pointer


def parameters_of(body: dict[str, object], names: Sequence[str]) -> Applied:
    """The call in a Parameters resource. Raises `InvalidPatient`."""
    faults: list[Fault] = []
    whole = Element(body, "", faults)
    check_members(whole, PARAMETERS, "Parameters")
    data: tuple[object, str] | None = None
    subject: tuple[str, str] | None = None
    unused: list[NotConsidered] = []
    more_data = None
    for parameter in whole.children("parameter"):
        name = parameter.text("name") or ""
        if name == "data" and data is None:
            data = (parameter.value.get("resource"), f"{parameter.pointer}/resource")
        elif name == "subject":
            found = _reference(parameter)
            if found is None:
                parameter.fault("valueString", "must be a reference to one patient, such as Patient/123")
            elif subject is not None and found[0] != subject[0]:
                faults.append(Fault(pointer=found[1], detail="is another subject than that of a parameter before"))
            subject = subject or found
        elif name in ("planDefinition", "url"):
            _check_definition(parameter, names)
        else:
            unused.append(NotConsidered(pointer=parameter.pointer, what=name[:64] or "parameter", why=UNUSED))
            more_data = parameter.pointer if name in _MORE_DATA and more_data is None else more_data
    if data is None:
        whole.fault("parameter", "must hold a Bundle under the name data")
    if faults or data is None:
        raise InvalidPatient(sorted(set(faults)))
    at, place = subject or (None, "")
    return Applied(data[0], data[1], at, place, unused, more_data)


def _texts(parameter: Element, *more: str) -> Iterator[tuple[str, str]]:
    """The text of a parameter, in whatever type it came, with its place."""
    for name in ("valueString", "valueUri", "valueUrl", "valueCanonical", "valueId", "valueCode", *more):
        if (text := parameter.text(name)) is not None:
            yield text, f"{parameter.pointer}/{name}"
    pointing = parameter.child("valueReference")
    if pointing is not None and (text := pointing.text("reference")) is not None:
        yield text, f"{pointing.pointer}/reference"


def _reference(parameter: Element) -> tuple[str, str] | None:
    """The reference to the subject, without its version; None where it is none to a patient."""
    resource = parameter.child("resource")
    if resource is not None and resource.text("resourceType") == "Patient" and (name := resource.text("id")):
        return f"Patient/{name}", f"{resource.pointer}/id"
    text, place = next(_texts(parameter), (None, ""))
    if text is None:
        return None
    bare = plain(text)
    is_one = bare.startswith("urn:") or "Patient/" in bare
    return (bare, place) if is_one else None


def _check_definition(parameter: Element, names: Sequence[str]) -> None:
    """Note a plan definition that is another than the rulebook in service."""
    resource = parameter.child("resource")
    if resource is not None:
        url, version = resource.text("url"), resource.text("version")
        named = url or f"PlanDefinition/{resource.text('id')}"
        found, place = f"{named}|{version}" if version else named, f"{resource.pointer}/{'url' if url else 'id'}"
    else:
        found, place = next(_texts(parameter), ("", f"{parameter.pointer}/valueUri"))
    bare, _, version = plain(found).partition("|")
    known = {name.partition("|")[0]: name.partition("|")[2] for name in names}
    if bare not in known or version not in ("", known[bare]):
        detail = f"must be the plan definition in service, {' or '.join(names)}"
        parameter.faults.append(Fault(pointer=place, detail=detail))
