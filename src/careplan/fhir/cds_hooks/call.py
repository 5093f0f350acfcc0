"""A call of CDS Hooks 2.0: its hook, and the patient in its prefetch and draft orders."""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import date
from typing import Any
from uuid import UUID

import msgspec

from careplan.errors import Fault, InvalidPatient
from careplan.fhir.cds_hooks.prefetch import KINDS, Prefetched, resources_in
from careplan.fhir.cds_hooks.services import HOOKS, ORDERING
from careplan.fhir.read.ages import day_of
from careplan.fhir.read.bundle import Asked, Deceased, FhirReader, FromFhir
from careplan.fhir.read.element import Element
from careplan.plan.model import NotConsidered
from careplan.request.patient import FIRST_YEAR, LAST_YEAR, TIME, ListName, Patient

Json = dict[str, Any]

TIME_EXTENSION = "careplan.at"
"""The extension of a request by which a client can say of which time it speaks."""
_ID = r"[A-Za-z0-9.\-]{1,64}"
_PATIENT = rf"(?:[^\s?#]{{1,400}}/)?Patient/({_ID})(?:/_history/{_ID})?|({_ID})"
"""An id, or the reference to a patient that many clients send in its place."""
_SELECTION = r"[^\s?#]{1,400}"
_INSTANCE_PREFIX = "urn:uuid:"


class MissingData(Exception):
    """Nothing of the patient was sent of which cards could be made, and this service does not fetch anything."""


class HookCall(msgspec.Struct, frozen=True):
    """One call. `orders` says whether there is an order of which something is to be said.

    `missing` are the lists of which nothing was sent. Of a patient who has `died` nothing was read.
    """

    hook: str
    instance: str
    read: FromFhir
    orders: bool
    died: bool = False
    missing: tuple[ListName, ...] = ()


def read_call(body: object, reader: FhirReader, today: date, hooks: Collection[str] = HOOKS) -> HookCall:
    """The call in a request body. `hooks` are those that the address takes.

    `today` counts where the request names no time of its own. Raises `InvalidPatient` naming every fault, and `MissingData`.
    """
    if not isinstance(body, dict):
        raise InvalidPatient([Fault(pointer="", detail="must be an object")])
    faults: list[Fault] = []
    call = Element({name: value for name, value in body.items() if value is not None}, "", faults)
    hook, instance = call.text("hook"), _instance(call)
    if hook not in hooks:
        call.fault("hook", f"must be {'one of ' if len(hooks) > 1 else ''}{', '.join(sorted(hooks))}")
    context = call.child("context")
    if context is None:
        call.fault("context", "is missing")
    subject = _subject(context, hook) if context else ""
    if "fhirAuthorization" in call and "fhirServer" not in call:
        call.fault("fhirServer", "is missing; it goes with fhirAuthorization")
    at = _time(call) or today
    prefetch = call.child("prefetch")
    if faults or context is None or hook is None or instance is None:
        raise InvalidPatient(sorted(set(faults)))
    gathered = Prefetched()
    if prefetch is not None:
        gathered.take(call, prefetch)
        _check_patients(prefetch, subject)
    orders = _orders(context, hook, gathered)
    if faults:
        raise InvalidPatient(sorted(set(faults)))
    if not gathered.told and not gathered.has_answers:
        raise MissingData
    server = call.text("fhirServer") or ""
    unsent = dict.fromkeys(gathered.missing, "/prefetch")
    try:
        asked = Asked(orders, subject, server, gathered.incomplete, are_parts_judged=True, unsent=unsent)
        read = reader.read({"resourceType": "Bundle", "entry": gathered.entries}, at, asked)
    except Deceased:
        return HookCall(hook, instance, FromFhir(Patient(), [], {}, subject, {}), bool(orders), died=True)
    except InvalidPatient as error:
        placed = {Fault(pointer=gathered.place(fault.pointer), detail=fault.detail) for fault in error.faults}
        raise InvalidPatient(sorted(placed)) from None
    return HookCall(hook, instance, _placed(read, gathered), bool(orders), missing=tuple(gathered.missing))


def _instance(call: Element) -> str | None:
    found = (call.text("hookInstance") or "").removeprefix(_INSTANCE_PREFIX)
    if not _is_uuid(found):
        call.fault("hookInstance", "must be a UUID")
        return None
    return found


def _placed(read: FromFhir, gathered: Prefetched) -> FromFhir:
    """What was read, by its places in the call."""
    origins = {pointer: gathered.place(place) for pointer, place in read.origins.items()}
    unmapped = [msgspec.structs.replace(one, pointer=gathered.place(one.pointer)) for one in read.unmapped]
    return msgspec.structs.replace(read, origins=origins, unmapped=[*unmapped, *gathered.unmapped])


def _orders(context: Element, hook: str, gathered: Prefetched) -> set[int]:
    """Take in the draft orders that matter; returns their numbers among all entries.

    While orders are chosen, that is those just selected; the others are set aside, because each had its turn.
    """
    if "appointments" in context:
        why = "When sessions are is read from the plan of the treatment, and no appointment says that it is one."
        gathered.unmapped.append(NotConsidered(pointer="/context/appointments", what="appointments", why=why))
    orders = context.child("draftOrders") if hook in ORDERING else None
    if orders is None:
        return set()
    selections: list[str] | None = context.value["selections"] if hook == "order-select" else None
    found: set[str] = set()
    numbers: set[int] = set()
    for entry, resource in resources_in(orders):
        names = _names_of(entry, resource)
        chosen = [name for name in selections or () if name in names or _last_two(name) in names]
        found.update(chosen)
        if selections is not None and not chosen:
            what, why = resource.text("resourceType") or "order", "It is a draft order that was not selected."
            gathered.unmapped.append(NotConsidered(pointer=resource.pointer, what=what, why=why))
            continue
        numbers.add(len(gathered.entries))
        gathered.add_entry(entry.value, entry.pointer)
    for at, selection in enumerate(selections or ()):
        if selection not in found:
            context.fault(f"selections/{at}", "must be the reference of one of the draft orders")
    return numbers


def _names_of(entry: Element, resource: Element) -> set[str]:
    """What a draft order can be called in a selection."""
    name, full_url = resource.text("id"), entry.text("fullUrl")
    names = {name, f"{resource.text('resourceType')}/{name}"} if name else set()
    return names | ({full_url} if full_url else set())


def _last_two(reference: str) -> str:
    """An absolute reference without its server."""
    return "/".join(reference.split("/")[-2:])


def _subject(context: Element, hook: str | None) -> str:
    """The reference to the patient. What of the context is used is checked; who the user is, is not used."""
    if "userId" in context:
        context.text("userId")
    patient = re.fullmatch(_PATIENT, context.text("patientId") or "")
    if patient is None:
        context.fault("patientId", "must be the id of a patient, or a reference such as Patient/123")
    if hook in ORDERING:
        orders = context.child("draftOrders")
        if orders is None or orders.text("resourceType") != "Bundle":
            context.fault("draftOrders", "must be a Bundle")
    if hook == "order-select":
        selections = context.value.get("selections")
        if not isinstance(selections, list):
            context.fault("selections", "must be a list")
        for at, selection in enumerate(selections if isinstance(selections, list) else ()):
            if not isinstance(selection, str) or not re.fullmatch(_SELECTION, selection):
                context.fault(f"selections/{at}", "must be a reference such as MedicationRequest/123")
    return f"Patient/{patient[1] or patient[2]}" if patient else ""


def _check_patients(prefetch: Element, subject: str) -> None:
    """A record of somebody else would give cards about somebody else, under whatever key it comes."""
    for key, value in prefetch.value.items():
        if not isinstance(value, dict) or value.get("resourceType") != "Patient":
            continue
        patient = Element(value, f"/prefetch/{key}" if key in KINDS else "/prefetch", prefetch.faults)
        if f"Patient/{patient.text('id')}" != subject:
            patient.fault("id", "must be the patientId of the context")


def _time(call: Element) -> date | None:
    extension = call.child("extension")
    at = extension.text(TIME_EXTENSION) if extension else None
    if at is None:
        return None
    day = day_of(at) if re.fullmatch(TIME, at) else None
    if day is None:
        years = f"in the years {FIRST_YEAR} to {LAST_YEAR}"
        call.fault(f"extension/{TIME_EXTENSION}", f"must be a time such as 2026-01-31T14:00:00Z, {years}")
    return day


def _is_uuid(text: str | None) -> bool:
    try:
        return text is not None and len(text) == 36 and UUID(text) is not None
    except ValueError:
        return False
