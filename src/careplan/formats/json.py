"""A plan as JSON: the form that says everything, from which programs read."""

from __future__ import annotations

import msgspec

from careplan.plan.layers import Detail, at_detail
from careplan.plan.model import CarePlan

_encode = msgspec.json.Encoder().encode


def document(plan: CarePlan, detail: Detail = "standard") -> bytes:
    """The plan in UTF-8, on one line, in this detail."""
    return _encode(at_detail(plan, detail))
