"""How much of a plan is answered: the front page and the card, what is about this patient, or everything."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from careplan.plan.card_model import Card, Translated
from careplan.plan.front_model import Front
from careplan.plan.model import Ask, CarePlan, Item, PlanSection, Question, RulebookRef, Source, Standing
from careplan.plan.part import Part
from careplan.plan.standing import without_settled
from careplan.request.clinic import Clinic
from careplan.rulebook.model import Level, Section

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
    level_words: Annotated[dict[str, str], Meta(description="what people read for each level, instead of its token")]
    by_words: Annotated[dict[str, str], Meta(description="what people read for each moment")]


def settled_apart(plan: CarePlan, detail: Detail) -> CarePlan:
    """The plan without what was dealt with at an earlier visit, but where all of it is wanted."""
    return plan if detail == "full" else without_settled(plan)


def at_detail(plan: CarePlan, detail: Detail) -> CarePlan | PlanInBrief:
    """The whole plan (`full`), what is shown and signed of it (`standard`), or its front and card alone."""
    match detail:
        case "full":
            return plan
        case "standard":
            return _in_short(plan)
        case "front":
            return _in_brief(plan)


def _in_brief(plan: CarePlan) -> PlanInBrief:
    moments: dict[str, str] = {}
    return PlanInBrief(
        detail="front",
        status=plan.status,
        requires_clinician_review=plan.requires_clinician_review,
        rulebook=plan.rulebook,
        front=_front(plan.front, moments),
        card=_card(plan.card),
        standing=_cited(plan.standing),
        clinic=plan.clinic,
        disclaimer=plan.disclaimer,
        closing_language=plan.closing_language,
        closing_translation=plan.closing_translation,
        level_words=plan.level_words,
        by_words=moments,
    )


def _in_short(plan: CarePlan) -> CarePlan:
    """The plan with what is shown and signed, each thing once; the full plan has every item of it with the same line.

    Items of the standing protocol and those that were dealt with at an earlier visit are left out: the one are cited, the
    other named in `course`. Works, questions and entries are those of the plan with less said of each.
    """
    moments: dict[str, str] = {}
    settled = plan.course.settled if plan.course else frozenset[str]()
    sections = []
    cited: set[str] = set()
    for section in plan.sections:
        items = []
        for item in section.items:
            if item.scope != "standing" and item.id not in settled:
                cited.update(item.sources)
                items.append(_item(item, moments, None))
        if items:
            sections.append(PlanSection(section=section.section, title=section.title, items=items))
    for item in plan.alerts:
        cited.update(item.sources)
    return msgspec.structs.replace(
        plan,
        detail="standard",
        alerts=[_item(item, moments, item.section) for item in plan.alerts],
        sections=sections,
        front=_front(plan.front, moments),
        card=_card(plan.card),
        standing=_cited(plan.standing),
        medications=[msgspec.structs.replace(read, classes=[], texts=[], doses_a_day=[]) for read in plan.medications],
        information_needed=[
            Question(
                pointer=question.pointer,
                question=question.question,
                first=question.first,
                asked_of=question.asked_of,
                asked_at=question.asked_at,
            )
            for question in plan.information_needed
        ],
        sources=[Source(id=one.id, title=one.title, founding=one.founding) for one in plan.sources if one.id in cited],
        # What may have been meant by an entry that nobody could read stands in its parts.
        conditions=[
            msgspec.structs.replace(read, tokens=[], parts=read.parts if read.recognition == "unread" else [])
            for read in plan.conditions
        ],
        crisis="",
        by_words=moments,
    )


def _item(item: Item, moments: dict[str, str], section: Section | None) -> Item:
    """The item as it is shown and signed. The words of its moments go into `moments`."""
    for ask in item.asks:
        moments[ask.by] = ask.by_words
    return msgspec.structs.replace(
        item,
        section=section,
        topic="",
        patient_text="",
        patient_language=None,
        translation=None,
        clinician_text="",
        evidence=[],
        asks=[Ask(who=ask.who, what=ask.what, by=ask.by) for ask in item.asks],
        contested=item.contested if item.level in _TO_DECIDE else None,
    )


_TO_DECIDE: frozenset[Level] = frozenset({"stop", "hold"})


def _front(front: Front, moments: dict[str, str]) -> Front:
    """The front page without what the items say again: which of them ask for a task, and moments in words in each row."""
    for decision in front.decisions:
        if decision.by and decision.by_words:
            moments[decision.by] = decision.by_words
    for task in front.tasks:
        moments[task.by] = task.by_words
    return msgspec.structs.replace(
        front,
        decisions=[msgspec.structs.replace(one, by_words=None) for one in front.decisions],
        tasks=[msgspec.structs.replace(one, items=[], by_words="") for one in front.tasks],
    )


def _card(card: Card) -> Card:
    """The patient's card as it is read: without the companion's, and without which item each line is from."""
    lines = {
        slot: [msgspec.structs.replace(line, item=None) if line.item else line for line in getattr(card, slot)]
        for slot in card.titles
    }
    return msgspec.structs.replace(card, companion=None, **lines)


def _cited(standing: Standing) -> Standing:
    """The standing protocol by its digest; the titles of its items are in `GET /v1/protocol`, with the texts."""
    return msgspec.structs.replace(standing, items={})
