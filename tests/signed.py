"""Plans signed by a clinician, as the service answers them: what a clinic sends back as `previous`."""

from __future__ import annotations

from typing import Any

import msgspec

from careplan.decision_record import record
from careplan.plan.model import CarePlan, items_of
from careplan.planner import Planner
from careplan.request.patient import Patient
from careplan.signing.keys import SigningKey
from careplan.signing.read import brought
from careplan.signing.sign import signed_plan

Json = dict[str, Any]
AT = "2026-05-01T10:00:00Z"
BY = "Dr. Ada Quill"


def recorded(planner: Planner, body: Json, at: str | None = AT) -> Json:
    """The decision record of a body as JSON."""
    made: Json = msgspec.json.decode(msgspec.json.encode(record(planner, planner.intake.convert(body), at)))
    return made


def signed(planner: Planner, body: Json, *, at: str = AT, hold: str = "agreed", key: SigningKey | None = None) -> Json:
    """The signed plan of a body as JSON: alerts assessed, and every hold decided by the option `hold`."""
    made = recorded(planner, body, at)
    levels = {item.id: item.level for item in items_of(msgspec.convert(made["plan"], CarePlan))}
    options = {"stop": "assessed", "hold": hold}
    choices = [
        {"item": name, "option": options[levels[name]]}
        for row in made["plan"]["front"]["decisions"]
        for name in row["items"]
        if levels[name] in options
    ]
    asked = brought({"record": made, "by": BY, "at": at, "choices": choices})
    document: Json = msgspec.json.decode(msgspec.json.encode(signed_plan(planner, asked, key)))
    return document


def again(planner: Planner, body: Json, previous: object) -> CarePlan:
    """The plan of a body that brings an earlier plan."""
    return planner.plan(of(planner, body, previous))


def of(planner: Planner, body: Json, previous: object) -> Patient:
    return planner.intake.decode(msgspec.json.encode(body | {"previous": previous}))
