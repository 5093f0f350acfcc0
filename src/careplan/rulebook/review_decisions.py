"""`reviews.yaml`: what named pharmacists and physicians have decided on rules."""

from __future__ import annotations

from typing import Annotated, Literal, get_args

import msgspec
from msgspec import Meta

from careplan.rulebook.entries import Line
from careplan.rulebook.validity import Day

REVIEWS = "reviews.yaml"
"""The file of decisions. It changes no plan, so it is no part of the digest of a rulebook."""
Role = Literal["pharmacist", "physician"]
ROLES: tuple[Role, ...] = get_args(Role)
Verdict = Literal["accept", "reject"]


class ReviewDecision(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename={"role": "as"}):
    """What somebody decided on one version of a rule; `content` is the SHA-256 of what they had before them."""

    rule: str
    version: Annotated[int, Meta(ge=1)]
    role: Role
    by: Annotated[str, Meta(min_length=3, max_length=120)]
    decision: Verdict
    on: Day
    content: Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$")]
    note: Line | None = None
