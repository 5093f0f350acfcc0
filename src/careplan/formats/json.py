"""A plan as JSON: the form that says everything, from which programs read."""

from __future__ import annotations

import msgspec

from careplan.plan.model import CarePlan

_encode = msgspec.json.Encoder().encode


def document(plan: CarePlan) -> bytes:
    """The plan in UTF-8, on one line."""
    return _encode(plan)
