"""Signing a plan: a record and a choice for each of its decisions become one document that nobody can change unnoticed.

Everything in it is covered by a digest over canonical JSON (RFC 8785), and by a signature of the service where it has a key.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from hashlib import sha256
from itertools import islice
from typing import Any, Protocol

import msgspec

from careplan.canonical import canonical, joined
from careplan.decision_record import DecisionRecord, replay
from careplan.errors import MOST_FAULTS, Fault, InvalidPatient, InvalidSigning
from careplan.plan import card as cards
from careplan.plan.card_model import Card
from careplan.planner import Planner
from careplan.request.clinic import Clinic
from careplan.signing.choices import faults_of_choices, ids_of, is_blocked
from careplan.signing.model import FORMAT, ChoiceMade, Signature, Signed
from careplan.signing.read import ANEW, Brought

Json = dict[str, Any]


class Signs(Protocol):
    """What signs bytes."""

    def sign(self, message: bytes) -> Signature:
        """The signature."""


def signed_plan(planner: Planner, brought: Brought, key: Signs | None = None) -> Json:
    """The signed plan as plain data. Raises `InvalidSigning` naming every fault, each with how to mend it."""
    faults = list(islice(_faults(planner, brought), MOST_FAULTS + 1))
    if faults:
        raise InvalidSigning(sorted(set(faults[:MOST_FAULTS])), more=len(faults) > MOST_FAULTS)
    asked = brought.asked
    choices = [ChoiceMade(items=ids_of(one), option=one.option, note=one.note) for one in asked.choices]
    document: Json = {
        "format": FORMAT,
        "record": brought.data,
        "signed": msgspec.to_builtins(Signed(by=asked.by, at=asked.at, choices=choices)),
        "reproduced": is_of(planner, asked.record),
        "card": msgspec.to_builtins(card_of(planner, asked.record, asked.by, brought.when)),
    }
    # A record is long: it is written once, for digest and signature alike.
    parts = {name: canonical(value) for name, value in document.items()}
    document["digest"] = sha256(joined(parts)).hexdigest()
    if key is not None:
        signature = key.sign(joined(parts | {"digest": canonical(document["digest"])}))
        document["signature"] = msgspec.to_builtins(signature)
    return document


def is_of(planner: Planner, record: DecisionRecord) -> bool:
    """Whether a record comes from the rulebook of this planner."""
    return record.rulebook.digest == planner.book.digest


def card_of(planner: Planner, record: DecisionRecord, by: str, when: datetime) -> Card:
    """The card to hand out with a record that a clinician, `by`, signed at the time `when`.

    It says who signed it, in the clinic's time zone. That of a blocked plan has no more than whom to call.
    """
    if is_blocked(record.plan) or (not is_of(planner, record) and _blocks_today(planner, record)):
        return cards.of_blocked(planner.book, record.plan.card)
    zone = (record.plan.clinic or Clinic()).hours
    return cards.signed(planner.book, record.plan.card, by, when.astimezone(zone) if zone else when)


def _blocks_today(planner: Planner, record: DecisionRecord) -> bool:
    """Whether an alert stands by the rulebook in service, for the input of a record of another one, or could stand.

    A record of another rulebook is as its digest says, which anybody can make; so its word on alerts is not enough.
    """
    try:
        return is_blocked(planner.rehearsed(planner.intake.recorded(msgspec.to_builtins(record.input))))
    except InvalidPatient:
        return True


def _faults(planner: Planner, brought: Brought) -> Iterator[Fault]:
    record = brought.asked.record
    if brought.intact is None:
        yield Fault(pointer="/record/digest", detail=f"is missing, so nobody can tell whether the record is whole: {ANEW}")
    elif not brought.intact:
        yield Fault(pointer="/record/digest", detail=f"does not fit the record, which was changed after it was made: {ANEW}")
    elif is_of(planner, record):
        yield from _faults_of_replay(planner, record)
    if record.at is not None and brought.when < datetime.fromisoformat(record.at):
        yield Fault(pointer="/at", detail="is before the time of the record, /record/at: a plan is signed after it was made")
    if record.plan.clinic is not None and not record.plan.clinic.zone_is_known:
        yield Fault(pointer="/record/plan/clinic/zone", detail=f"is no time zone that there is: {ANEW}")
    yield from faults_of_choices(record.plan, brought.asked.choices, planner.book)


def _faults_of_replay(planner: Planner, record: DecisionRecord) -> Iterator[Fault]:
    try:
        reproduced = replay(planner, record).reproduced
    except InvalidPatient as error:
        yield from (Fault(pointer=f"/record/input{fault.pointer}", detail=fault.detail) for fault in error.faults)
        return
    if not reproduced:
        detail = f"is not what this rulebook makes of /record/input: {ANEW}"
        yield Fault(pointer="/record/plan", detail=detail)
