"""How much of a plan is answered: the front page and the card, what is about this patient, or everything."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from careplan.plan.card_model import Card, Translated
from careplan.plan.front_model import Front
from careplan.plan.model import CarePlan, RulebookRef, Standing
from careplan.plan.part import Part
from careplan.plan.standing import without_settled, without_standing
from careplan.request.clinic import Clinic

Detail = Literal["front", "standard", "full"]
Reader = Literal["all", "clinician", "patient"]
"""For whom a page is made. A patient's copy holds nothing that is written for the clinician."""


class PlanInBrief(Part, frozen=True, kw_only=True):
    """The front page and the card of a plan, without the items behind them, and without the companion's card."""

    detail: Literal["front"]
    status: Literal["draft", "blocked"]
    requires_clinician_review: Annotated[bool, Meta(description="always true")]
    rulebook: RulebookRef
    front: Front
    card: Card
    standing: Standing
    clinic: Clinic | None = None
    disclaimer: str
    closing_language: str | None = None
    closing_translation: Translated = None


def settled_apart(plan: CarePlan, detail: Detail) -> CarePlan:
    """The plan without what was dealt with at an earlier visit, but where all of it is wanted."""
    return plan if detail == "full" else without_settled(plan)


def at_detail(plan: CarePlan, detail: Detail) -> CarePlan | PlanInBrief:
    """The plan with the texts of the standing protocol (`full`), without them (`standard`), or its front and card alone."""
    if detail == "full":
        return plan
    if detail == "standard":
        return without_settled(without_standing(plan))
    # Which items stand behind the standing part is said by its digest; their titles are not for one page.
    standing = msgspec.structs.replace(plan.standing, items={})
    shared = {
        name: getattr(plan, name) for name in PlanInBrief.__struct_fields__ if name not in ("detail", "card", "standing")
    }
    card = msgspec.structs.replace(plan.card, companion=None)
    return PlanInBrief(**shared, detail="front", card=card, standing=standing)
