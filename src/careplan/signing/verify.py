"""Looking at a signed plan again: whether it is as it was signed, whose signature it has, and whether it was complete."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from careplan.canonical import canonical, digest_of
from careplan.decision_record import DecisionRecord, surplus_in
from careplan.errors import Fault, InvalidSigning
from careplan.planner import Planner
from careplan.signing.keys import is_genuine
from careplan.signing.model import FORMAT, PublicKey, Signed, SignedPlan
from careplan.signing.read import brought
from careplan.signing.sign import signed_plan

SignatureState = Literal["genuine", "wrong", "unchecked", "none"]


class Verified(msgspec.Struct, frozen=True, kw_only=True):
    """What a look at a signed plan showed.

    `intact` is whether its digest fits. `signature` is "unchecked" where no key to check it by was given, "none" where the
    plan has none. `faults` are those for which the plan would not be signed today as it was.
    """

    signed: Signed
    intact: bool
    signature: SignatureState
    faults: list[Fault]
    record: DecisionRecord
    record_intact: bool | None

    @property
    def trusted(self) -> bool:
        """Whether nothing speaks against it."""
        return self.intact and self.signature != "wrong" and not self.faults


def is_signed(data: Any) -> bool:
    """Whether plain data is meant as a signed plan."""
    return isinstance(data, dict) and data.get("format") == FORMAT


def verified(planner: Planner, data: Any, keys: list[PublicKey] | None = None) -> Verified:
    """What can be said of a signed plan in plain data; `keys` are those that may have signed it.

    Raises `ValueError` where it is none: a field is missing, of another type, or none of a signed plan. Where keys are
    given, a plan without a signature counts as one with a wrong one.
    """
    read = msgspec.convert(data, SignedPlan)
    surplus = next(surplus_in(read, data), None)
    if surplus is not None:
        raise ValueError(f"it has a field that no signed plan has, in the object at {surplus or 'its root'}")
    unsigned = {name: value for name, value in data.items() if name != "signature"}
    signature: SignatureState = "none" if read.signature is None else "unchecked"
    if keys is not None:
        genuine = read.signature is not None and is_genuine(read.signature, canonical(unsigned), keys)
        signature = "genuine" if genuine else "wrong"
    choices = [msgspec.to_builtins(one) for one in read.signed.choices]
    sent = {"record": data["record"], "by": read.signed.by, "at": read.signed.at, "choices": choices}
    faults: list[Fault] = []
    record_intact: bool | None = None
    try:
        found = brought(sent)
        record_intact = found.intact
        again = signed_plan(planner, found)
        # Under another rulebook than today's the words around the signature may have been others.
        if again["reproduced"] and again["card"] != data["card"]:
            faults = [Fault(pointer="/card", detail="is not the card that signing this record gives")]
    except InvalidSigning as error:
        faults = list(error.faults)
    return Verified(
        signed=read.signed,
        intact=read.digest == digest_of(unsigned),
        signature=signature,
        faults=faults,
        record=read.record,
        record_intact=record_intact,
    )
