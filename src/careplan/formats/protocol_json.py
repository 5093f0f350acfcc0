"""The standing protocol as JSON."""

from __future__ import annotations

import msgspec

from careplan.plan.protocol_model import StandingProtocol

_encode = msgspec.json.Encoder().encode


def document(plan: StandingProtocol) -> bytes:
    """The protocol in UTF-8, on one line."""
    return _encode(plan)
