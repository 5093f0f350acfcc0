"""The standing protocol of a clinic as a document: what is true of every patient of a product and stage. Public contract."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from careplan.plan.card_model import Translated
from careplan.plan.model import Ask, Evidence, RulebookRef, RuleRef, Source
from careplan.plan.part import Part
from careplan.request.clinic import Clinic
from careplan.request.patient import Product
from careplan.rulebook.model import Level, Section


class Figure(Part, frozen=True, kw_only=True):
    """One figure of the clinic's protocol, by the clinician who signed it.

    A `doubtful` one lies outside of what the rulebook takes for plausible: no patient reads it.
    """

    name: Annotated[str, Meta(description="the field of the protocol")]
    label: str
    value: float
    approved_by: str
    doubtful: bool = False


class StandingHold(Part, frozen=True, kw_only=True):
    """A hold of the clinic's protocol: for prescriber and clinic, never for a patient to read as it stands here."""

    drug_class: str
    label: str
    before_hours: float
    after_hours: float
    approved_by: str
    doubtful: bool = False


class Stage(Part, frozen=True, kw_only=True):
    """How far the series has come, for which the protocol is; what is left out is not known."""

    words: str
    sessions_completed: int | None = None
    sessions_planned: int | None = None


class ProtocolItem(Part, frozen=True, kw_only=True):
    """One item of the protocol, as a plan with `detail=full` has it."""

    id: str
    level: Level
    title: str
    line: Annotated[str, Meta(description="what it says in at most 25 words, for the clinician")]
    patient_text: str
    patient_language: Annotated[str | None, Meta(description="of patient_text, where it is not English")] = None
    translation: Translated = None
    clinician_text: str
    asks: list[Ask] = []
    evidence: list[Evidence]
    contested: str | None = None
    rule: RuleRef


class ProtocolSection(Part, frozen=True, kw_only=True):
    """The items of one section."""

    section: Section
    title: str
    items: list[ProtocolItem]


class StandingProtocol(Part, frozen=True, kw_only=True):
    """The clinic's protocol for one product and stage. Plans of this product and stage have its `digest` in `standing`."""

    id: str
    version: str
    digest: Annotated[str, Meta(description="of its items and figures, SHA-256, as in `standing` of a plan")]
    rulebook: RulebookRef
    product: Product | None = None
    stage: Stage
    clinic: Clinic | None = None
    figures: Annotated[list[Figure], Meta(description="of the clinic's signed protocol; empty where it has none")]
    holds: list[StandingHold]
    sections: list[ProtocolSection]
    sources: list[Source]
