"""A call of CDS Hooks 2.0: its hook, and the patient in its prefetch and draft orders."""

from __future__ import annotations

import re
from datetime import date
from typing import Any
from uuid import UUID

import msgspec

from careplan.errors import Fault, InvalidPatient
from careplan.fhir.cards import HOOKS
from careplan.fhir.element import Element
from careplan.fhir.reading import FhirReader, FromFhir
from careplan.patient import TIME

Json = dict[str, Any]

REQUIRED = (("statements", "requests"), ("conditions",))
"""Of each of these groups at least one must have been sent; null stands for: asked, and there is nothing."""
KEYS = frozenset({"patient", "statements", "requests", "conditions", "allergies", "observations", "answers"})
"""The keys of the prefetch templates."""
TIME_EXTENSION = "careplan.at"
"""The extension of a request by which a client can say of which time it speaks."""


class MissingData(Exception):
    """Data without which no cards can be made was not sent, and this service does not fetch any."""


class HookCall(msgspec.Struct, frozen=True):
    """One call. `ordered` are the medicines (JSON Pointers of the patient) of orders that are being made."""

    hook: str
    instance: str
    read: FromFhir
    ordered: tuple[str, ...]


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
    gathered = _Gathered()
    if prefetch is not None:
        gathered.prefetch(call, prefetch)
    if faults:
        raise InvalidPatient(sorted(set(faults)))
    if not all(any(key in gathered.answered for key in group) for group in REQUIRED):
        raise MissingData
    orders = context.child("draftOrders")
    if orders is not None:
        gathered.take(orders.value, "/context/draftOrders")
    try:
        read = reader.read({"resourceType": "Bundle", "entry": gathered.entries}, at, drafts=orders is not None)
    except InvalidPatient as error:
        placed = {Fault(pointer=gathered.place(fault.pointer), detail=fault.detail) for fault in [*error.faults, *faults]}
        raise InvalidPatient(sorted(placed)) from None
    if faults:
        raise InvalidPatient(sorted(set(faults)))
    return _call(hook, instance, read, gathered, context.text("patientId") or "")


def _call(hook: str, instance: str, read: FromFhir, gathered: _Gathered, patient: str) -> HookCall:
    origins = {pointer: gathered.place(place) for pointer, place in read.origins.items()}
    unmapped = [msgspec.structs.replace(one, pointer=gathered.place(one.pointer)) for one in read.unmapped]
    ordered = tuple(
        pointer
        for pointer, place in origins.items()
        if pointer.startswith("/medications/") and place.startswith("/context/draftOrders")
    )
    found = FromFhir(read.patient, unmapped, origins, f"Patient/{patient}", read.sources)
    return HookCall(hook, instance, found, ordered)


class _Gathered:
    """The resources of a call in one list, with the place of each."""

    def __init__(self) -> None:
        self.entries: list[Json] = []
        self.answered: set[str] = set()
        self._places: list[str] = []

    def prefetch(self, call: Element, prefetch: Element) -> None:
        """Take in what was prefetched; a key counts as answered unless an error stands in its place."""
        for key, value in prefetch.value.items():
            if value is None:
                self.answered.add(key)
                continue
            if not isinstance(value, dict):
                call.fault(_named(key), "must be a resource, or null where there is nothing")
                continue
            if value.get("resourceType") != "OperationOutcome" and not _is_cut(value):
                self.answered.add(key)
            self.take(value, f"/{_named(key)}")

    def take(self, value: Json, place: str) -> None:
        """Take in a resource, or all those of a Bundle."""
        entries = value.get("entry", []) if value.get("resourceType") == "Bundle" else None
        if entries is None:
            self.entries.append({"resource": value})
            self._places.append(place)
        elif isinstance(entries, list):
            for at, entry in enumerate(entries):
                self.entries.append(entry)
                self._places.append(f"{place}/entry/{at}")

    def place(self, pointer: str) -> str:
        """Where in the request the place in the gathered Bundle is."""
        found = re.match(r"/entry/(\d+)(/resource)?(.*)", pointer)
        if not found:
            return pointer
        place = self._places[int(found[1])]
        return place + ((found[2] or "") if "/entry/" in place else "") + found[3]


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
    if hook == "order-select" and not isinstance(context.value.get("selections"), list):
        context.fault("selections", "must be a list")


def _time(call: Element) -> date | None:
    extension = call.child("extension")
    at = extension.text(TIME_EXTENSION) if extension else None
    if at is not None and not re.fullmatch(TIME, at):
        call.fault(f"extension/{TIME_EXTENSION}", "must be a time such as 2026-01-31T14:00:00Z")
        return None
    return date.fromisoformat(at[:10]) if at else None


def _named(key: str) -> str:
    """The place of a prefetched value. A key of the client's own is not repeated: it could be anything."""
    return f"prefetch/{key}" if key in KEYS else "prefetch"


def _is_cut(value: Json) -> bool:
    """One page of several: what is not on it would count as absent."""
    links = value.get("link")
    return isinstance(links, list) and any(isinstance(link, dict) and link.get("relation") == "next" for link in links)


def _is_uuid(text: str | None) -> bool:
    try:
        return text is not None and len(text) == 36 and UUID(text) is not None
    except ValueError:
        return False
