"""A patient's factors from FHIR resources. What cannot be mapped is named, never dropped, and never taken for absent."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from datetime import date
from typing import Any

import msgspec

from careplan.errors import Fault, InvalidPatient
from careplan.fhir.read.ages import day_of
from careplan.fhir.read.element import Element
from careplan.fhir.read.mapping import Mapped
from careplan.fhir.read.members import BUNDLE, ENTRY, check_members
from careplan.fhir.read.patient_builder import Tables
from careplan.fhir.read.record_day import newest_day
from careplan.fhir.read.said_once import said_once
from careplan.fhir.read.shortened import shortened
from careplan.no_collection import no_collection
from careplan.plan.model import CarePlan, NotConsidered
from careplan.request.decode import MARK, Intake
from careplan.request.patient import TIME, ListName, Patient
from careplan.rulebook.model import Rulebook

DEAD = "says that this patient has died, and there is no plan for them"


class Deceased(InvalidPatient):
    """The record says that the patient has died."""


class FromFhir(msgspec.Struct, frozen=True):
    """A patient, where each of its parts stands in the request, and what was left out.

    `origins` leads from a JSON Pointer of the patient to one of the request; `subject` and `sources` are references.
    `ordered` are the pointers of medicines that are being ordered; `treats` says that the treatment itself is. Where the
    caller named the subject, `is_known` is False if the request is about others and not about this one. `version` is that
    of the Bundle, where it has a whole number for one.
    """

    patient: Patient
    unmapped: list[NotConsidered]
    origins: dict[str, str]
    subject: str | None
    sources: dict[str, str]
    ordered: tuple[str, ...] = ()
    treats: bool = False
    is_known: bool = True
    version: int | None = None


class Asked(msgspec.Struct, frozen=True):
    """What a caller says of a Bundle beside it.

    `orders` are the numbers of the entries that are being ordered, `subject` is the reference to the patient, `home` the
    server of entries that name none, and `incomplete` the lists that are not all there is, each with its place. `unsent`
    are lists that were not sent at all: what else says something of them is a part of them. Where `are_parts_judged`,
    the caller knows for each part of the request which list it would have been.
    """

    orders: Collection[int] = ()
    subject: str | None = None
    home: str = ""
    incomplete: Mapping[ListName, str] = {}
    are_parts_judged: bool = False
    unsent: Mapping[ListName, str] = {}


def with_unmapped(plan: CarePlan, read: FromFhir | None) -> CarePlan:
    """The plan with what of a Bundle could not be read, beside what no rule considered."""
    if read is None or not read.unmapped:
        return plan
    return msgspec.structs.replace(plan, not_considered=[*plan.not_considered, *read.unmapped])


class FhirReader:
    """Reads patients by the codes, conditions, medicines and measures of a rulebook."""

    def __init__(self, book: Rulebook, intake: Intake) -> None:
        self._tables = Tables(book)
        self._intake = intake

    def parse(self, body: bytes) -> Any:
        """The data in a JSON `body` as far as it is looked at. Raises `InvalidPatient`, as for any body."""
        body = body.removeprefix(MARK)
        try:
            return self._intake.parse(shortened(body))
        except InvalidPatient:
            return self._intake.parse(body)  # Where it is broken is said by its place in the whole.

    def read(self, body: object, on: date | None = None, asked: Asked | None = None) -> FromFhir:
        """The patient in a Bundle. `on` is the day of which ages are counted, else that of the Bundle or its newest date.

        Raises `InvalidPatient` naming every fault by its place in the request; `Deceased` where that is the only one.
        """
        with no_collection():
            return self._read(body, on, asked or Asked())

    def _read(self, body: object, on: date | None, asked: Asked) -> FromFhir:
        faults: list[Fault] = []
        if not isinstance(body, dict) or body.get("resourceType") != "Bundle":
            raise InvalidPatient([Fault(pointer="/resourceType", detail="must be Bundle")])
        bundle = Element(body, "", faults)
        check_members(bundle, BUNDLE, "a Bundle")
        stamp = bundle.text("timestamp")
        if "timestamp" in bundle.value and not re.fullmatch(TIME, stamp or ""):
            bundle.fault("timestamp", "must be a time such as 2026-01-31T14:00:00Z")
        day = on or day_of(stamp)
        newest = newest_day(bundle) if day is None else None
        mapped = Mapped(self._tables, newest[0] if newest else day, asked.subject, asked.home, judged=asked.are_parts_judged)
        mapped.gathering.day_from = newest[1] if newest else None
        for name, place in asked.incomplete.items():
            mapped.gathering.lacks(place, name)
        mapped.gathering.unsent = asked.unsent
        for at, entry in enumerate(bundle.children("entry")):
            mapped.add(entry, ordering=at in asked.orders)
            if "resource" not in entry.value:
                _check_absence(entry)
        mapped.read(bundle)
        return msgspec.structs.replace(self._finished(mapped, faults), version=_version(bundle))

    def _finished(self, mapped: Mapped, faults: list[Fault]) -> FromFhir:
        gathering, people = mapped.gathering, mapped.people
        if gathering.on is not None and gathering.day_from is None:  # The day was named, and is none of our guesses.
            gathering.body["as_of"] = gathering.on.isoformat()
        try:
            patient = self._intake.convert(gathering.body)
        except InvalidPatient as error:
            faults += [Fault(pointer=gathering.origin(fault.pointer), detail=fault.detail) for fault in error.faults]
        if faults:
            raise InvalidPatient(sorted(set(faults)))
        if mapped.died:
            raise Deceased([Fault(pointer=mapped.died, detail=DEAD)])
        return FromFhir(
            patient,
            said_once(gathering.unmapped),
            gathering.origins,
            people.reference,
            gathering.sources,
            ordered=tuple(mapped.medicines.ordered),
            treats=mapped.medicines.treats,
            is_known=people.is_known,
        )


def _version(bundle: Element) -> int | None:
    meta = bundle.value.get("meta")
    text = meta.get("versionId") if isinstance(meta, dict) else None
    return int(text) if isinstance(text, str) and re.fullmatch("[0-9]{1,9}", text) else None


def _check_absence(entry: Element) -> None:
    """An entry without a resource is one of a deletion, or of an answer without content; any other lost its resource."""
    if "request" in entry or "response" in entry:
        return
    check_members(entry, ENTRY, "an entry")
    entry.fault("resource", "is missing")
