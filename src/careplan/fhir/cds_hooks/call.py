"""A call of CDS Hooks 2.0: its hook, and the patient in its prefetch and draft orders."""

from __future__ import annotations

import re
from datetime import date
from typing import Any
from uuid import UUID

import msgspec

from careplan.errors import Fault, InvalidPatient
from careplan.fhir.cds_hooks.cards import HOOKS
from careplan.fhir.cds_hooks.prefetch import REQUIRED, Prefetched, resources_in
from careplan.fhir.read.bundle import Asked, Deceased, FhirReader, FromFhir
from careplan.fhir.read.element import Element
from careplan.plan.model import NotConsidered
from careplan.request.patient import TIME, Patient

Json = dict[str, Any]

TIME_EXTENSION = "careplan.at"
"""The extension of a request by which a client can say of which time it speaks."""
_SELECTION = r"([A-Za-z]+/)?[A-Za-z0-9.\-]{1,64}"


class MissingData(Exception):
    """Data without which no cards can be made was not sent, and this service does not fetch any."""


class HookCall(msgspec.Struct, frozen=True):
    """One call. `orders` says whether there is an order of which something is to be said.

    Of a patient who has `died` nothing was read.
    """

    hook: str
    instance: str
    read: FromFhir
    orders: bool
    died: bool = False


def read_call(body: object, reader: FhirReader, today: date) -> HookCall:
    """The call in a request body. `today` counts where the request names no time of its own.

    Raises `InvalidPatient` naming every fault, and `MissingData`.
    """
    if not isinstance(body, dict):
        raise InvalidPatient([Fault(pointer="", detail="must be an object")])
    faults: list[Fault] = []
    call = Element(body, "", faults)
    hook, instance = call.text("hook"), call.text("hookInstance")
    if hook not in HOOKS:
        call.fault("hook", f"must be one of {', '.join(HOOKS)}")
    if not _is_uuid(instance):
        call.fault("hookInstance", "must be a UUID")
    context = call.child("context")
    if context is None:
        call.fault("context", "is missing")
    else:
        _check_context(context, hook)
    if "fhirAuthorization" in call and "fhirServer" not in call:
        call.fault("fhirServer", "is missing; it goes with fhirAuthorization")
    at = _time(call) or today
    prefetch = call.child("prefetch")
    if faults or context is None or hook is None or instance is None:
        raise InvalidPatient(sorted(set(faults)))
    subject = f"Patient/{context.text('patientId')}"
    gathered = Prefetched()
    if prefetch is not None:
        gathered.take(call, prefetch)
        _check_patient(prefetch, subject)
    orders = _orders(context, hook, gathered)
    if faults:
        raise InvalidPatient(sorted(set(faults)))
    if not all(any(key in gathered.answered for key in group) for group in REQUIRED):
        raise MissingData
    try:
        asked = Asked(orders, subject, call.text("fhirServer") or "", gathered.incomplete, are_parts_judged=True)
        read = reader.read({"resourceType": "Bundle", "entry": gathered.entries}, at, asked)
    except Deceased:
        return HookCall(hook, instance, FromFhir(Patient(), [], {}, subject, {}), bool(orders), died=True)
    except InvalidPatient as error:
        placed = {Fault(pointer=gathered.place(fault.pointer), detail=fault.detail) for fault in error.faults}
        raise InvalidPatient(sorted(placed)) from None
    return HookCall(hook, instance, _placed(read, gathered), bool(orders))


def _placed(read: FromFhir, gathered: Prefetched) -> FromFhir:
    """What was read, by its places in the call."""
    origins = {pointer: gathered.place(place) for pointer, place in read.origins.items()}
    unmapped = [msgspec.structs.replace(one, pointer=gathered.place(one.pointer)) for one in read.unmapped]
    return msgspec.structs.replace(read, origins=origins, unmapped=[*unmapped, *gathered.unmapped])


def _orders(context: Element, hook: str, gathered: Prefetched) -> set[int]:
    """Take in the draft orders that matter; returns their numbers among all entries.

    While orders are chosen, that is those just selected; the others are set aside, because each had its turn.
    """
    orders = context.child("draftOrders")
    if orders is None or hook == "patient-view":
        return set()
    selections: list[str] | None = context.value["selections"] if hook == "order-select" else None
    found: set[str | None] = set()
    numbers: set[int] = set()
    for entry, resource in resources_in(orders):
        names = {resource.text("id"), f"{resource.text('resourceType')}/{resource.text('id')}"}
        found |= names
        if selections is not None and names.isdisjoint(selections):
            what, why = resource.text("resourceType") or "order", "It is a draft order that was not selected."
            gathered.unmapped.append(NotConsidered(pointer=resource.pointer, what=what, why=why))
            continue
        numbers.add(len(gathered.entries))
        gathered.add_entry(entry.value, entry.pointer)
    for at, selection in enumerate(selections or ()):
        if selection not in found:
            context.fault(f"selections/{at}", "must be the reference of one of the draft orders")
    return numbers


def _check_context(context: Element, hook: str | None) -> None:
    user = context.text("userId")
    if user is None or not re.fullmatch(r"[A-Za-z]+/[A-Za-z0-9.\-]{1,64}", user):
        context.fault("userId", "must be a reference such as Practitioner/123")
    patient = context.text("patientId")
    if patient is None or not re.fullmatch(r"[A-Za-z0-9.\-]{1,64}", patient):
        context.fault("patientId", "must be the id of a patient")
    if hook in ("order-select", "order-sign"):
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


def _check_patient(prefetch: Element, subject: str) -> None:
    """A record of somebody else would give cards about somebody else."""
    if "patient" not in prefetch or not isinstance(prefetch.value["patient"], dict):
        return
    patient = prefetch.child("patient")
    if patient is not None and patient.text("resourceType") == "Patient" and f"Patient/{patient.text('id')}" != subject:
        patient.fault("id", "must be the patientId of the context")


def _time(call: Element) -> date | None:
    extension = call.child("extension")
    at = extension.text(TIME_EXTENSION) if extension else None
    if at is not None and not re.fullmatch(TIME, at):
        call.fault(f"extension/{TIME_EXTENSION}", "must be a time such as 2026-01-31T14:00:00Z")
        return None
    return date.fromisoformat(at[:10]) if at else None


def _is_uuid(text: str | None) -> bool:
    try:
        return text is not None and len(text) == 36 and UUID(text) is not None
    except ValueError:
        return False
