"""How much of a plan is answered: the front page and the card, what is about this patient, or everything."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from careplan.plan.card_model import Card, Translated
from careplan.plan.front_model import Front
from careplan.plan.model import Ask, CarePlan, Item, Question, RulebookRef, Source, Standing, items_of
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
        return _said_once(without_settled(without_standing(plan)))
    # Which items stand behind the standing part is said by its digest; their titles are not for one page.
    standing = msgspec.structs.replace(plan.standing, items={})
    shared = {
        name: getattr(plan, name) for name in PlanInBrief.__struct_fields__ if name not in ("detail", "card", "standing")
    }
    card = msgspec.structs.replace(plan.card, companion=None)
    return PlanInBrief(**shared, detail="front", card=card, standing=standing)


def _said_once(plan: CarePlan) -> CarePlan:
    """The plan with each thing said once: no item and no words of one are left out, only what stands elsewhere as well.

    Moments are put into words once for the plan, works are without the places that items name, questions for later and
    for the clinic are their wording, and what was read of each stretch of a medicine's text is left to `full`.
    """
    moments: dict[str, str] = {}
    cited = {entry.source for item in items_of(plan) for entry in item.evidence}
    return msgspec.structs.replace(
        plan,
        alerts=[_with_moments(item, moments) for item in plan.alerts],
        sections=[
            msgspec.structs.replace(section, items=[_with_moments(item, moments) for item in section.items])
            for section in plan.sections
        ],
        medications=[msgspec.structs.replace(read, texts=[]) if read.texts else read for read in plan.medications],
        information_needed=[_asked(question) for question in plan.information_needed],
        sources=[
            Source(id=one.id, title=one.title, read=one.read, founding=one.founding)
            for one in plan.sources
            if one.id in cited
        ],
        by_words=moments,
    )


def _with_moments(item: Item, moments: dict[str, str]) -> Item:
    """The item with the tokens of moments alone; their words go into `moments`."""
    if not item.asks:
        return item
    for ask in item.asks:
        moments[ask.by] = ask.by_words
    return msgspec.structs.replace(item, asks=[Ask(who=ask.who, what=ask.what, by=ask.by) for ask in item.asks])


def _asked(question: Question) -> Question:
    """What is said of a question: all but what it could change of one to ask first, of another the question itself."""
    if question.first:
        return msgspec.structs.replace(question, could_change=[])
    return Question(
        pointer=question.pointer, question=question.question, asked_of=question.asked_of, asked_at=question.asked_at
    )
