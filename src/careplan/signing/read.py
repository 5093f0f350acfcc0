"""From plain data to a record with choices to sign, or to the names of all that is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from functools import cache
from itertools import islice
from typing import Any, NamedTuple

import msgspec

from careplan.decision_record import DecisionRecord, is_a_time, record_in
from careplan.errors import MOST_FAULTS, Fault, InvalidSigning
from careplan.request.patient import FIRST_YEAR, LAST_YEAR
from careplan.request.schema_faults import Validator, faults_of, validator_of
from careplan.request.signature import is_a_name
from careplan.signing.model import ChoiceSent, ToSign

ANEW = "ask for the plan anew with explain=record, and send that answer unchanged"


class Brought(NamedTuple):
    """What came in to be signed. `data` is the record as it was sent, over which its digest counts."""

    asked: ToSign
    data: dict[str, Any]
    intact: bool | None

    @property
    def when(self) -> datetime:
        """The time of the signature."""
        return datetime.fromisoformat(self.asked.at)


def brought(data: Any) -> Brought:
    """What is to be signed. Raises `InvalidSigning` naming every fault, without a word of what was sent."""
    faults = list(islice(_faults(data), MOST_FAULTS + 1))
    record: tuple[DecisionRecord, bool | None] | None = None
    if isinstance(data, dict) and isinstance(data.get("record"), dict):
        try:
            record = record_in(data["record"])
        except msgspec.ValidationError as error:
            faults.append(Fault(pointer=f"/record{_pointer_of(str(error))}", detail=f"is not as a record has it: {ANEW}"))
        except ValueError:
            faults.append(Fault(pointer="/record", detail=f"is no decision record as this service makes them: {ANEW}"))
    if faults or record is None:
        raise InvalidSigning(sorted(set(faults[:MOST_FAULTS])), more=len(faults) > MOST_FAULTS)
    choices = msgspec.convert(data["choices"], list[ChoiceSent])
    return Brought(ToSign(record=record[0], by=data["by"], at=data["at"], choices=choices), data["record"], record[1])


@cache
def _faultfinder() -> Validator:
    _, components = msgspec.json.schema_components([ToSign], ref_template="#/$defs/{name}")
    around = components["ToSign"]
    around["properties"]["record"] = {"type": "object"}
    # A time is looked at as a whole, so that there is one fault of it.
    around["properties"]["at"] = {"type": "string"}
    return validator_of(around | {"$defs": {"ChoiceSent": components["ChoiceSent"]}})


def _faults(data: Any) -> Iterator[Fault]:
    for error in _faultfinder().iter_errors(data):
        yield from faults_of(error)
    if not isinstance(data, dict):
        return
    by, at, choices = data.get("by"), data.get("at"), data.get("choices")
    if isinstance(by, str) and not is_a_name(by):
        yield Fault(pointer="/by", detail="must be the name of the clinician who signs, such as Dr. A. Example, MD")
    if isinstance(at, str) and not (is_a_time(at) and FIRST_YEAR <= datetime.fromisoformat(at).year <= LAST_YEAR):
        detail = f"must be a time such as 2026-01-31T14:05:00Z, in the years {FIRST_YEAR} to {LAST_YEAR}"
        yield Fault(pointer="/at", detail=detail)
    for place, choice in enumerate(choices if isinstance(choices, list) else ()):
        if isinstance(choice, dict) and sum(choice.get(name) is not None for name in ("item", "items")) != 1:
            yield Fault(pointer=f"/choices/{place}", detail="needs item or items, and one of the two only")


def _pointer_of(message: str) -> str:
    """The pointer in a message of msgspec, as far as names and places in lists go. The message quotes what was sent."""
    _, found, path = message.rpartition("`$")
    plain = re.match(r"(?:\.[a-z_]{1,40}|\[\d+\])*", path) if found else None
    return re.sub(r"\[(\d+)\]|\.", lambda part: f"/{part[1] or ''}", plain[0]) if plain else ""
