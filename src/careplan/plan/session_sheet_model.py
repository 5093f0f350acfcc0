"""The checklist of a session for the staff: what is checked when, and what of this patient's plan bears on the day."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta

from careplan.plan.model import RulebookRef
from careplan.plan.part import Part
from careplan.plan.protocol_model import Figure
from careplan.request.clinic import Clinic
from careplan.request.patient import Product
from careplan.rulebook.model import By, Level, Who


class SheetLine(Part, frozen=True, kw_only=True):
    """What an item of the plan says, in its one line for the clinician."""

    item: str
    level: Level
    line: str


class SheetTask(Part, frozen=True, kw_only=True):
    """What somebody of the clinic does on the day by an item of the plan."""

    item: str
    who: Who
    by: By
    by_words: str
    what: str


class SheetBlank(Part, frozen=True, kw_only=True):
    """A blank to fill in by hand."""

    label: str
    unit: str = ""
    choices: list[str] = []


class SheetSource(Part, frozen=True, kw_only=True):
    """The place in a source that a check rests on, and how strong that is."""

    source: str
    title: str
    place: str
    strength: str


class SheetCheck(Part, frozen=True, kw_only=True):
    """One check of the rulebook. `product` stands where it is for that product alone and the patient's is not known."""

    id: str
    line: str
    product: str | None = None
    fields: list[SheetBlank]
    sources: list[SheetSource]


class SheetMoment(Part, frozen=True, kw_only=True):
    """The checks of one moment of the session."""

    moment: str
    title: str
    checks: list[SheetCheck]


class SessionSheet(Part, frozen=True, kw_only=True):
    """The checklist of one session of one patient; whatever is found is written on it by hand.

    `first` are all stops and holds of the plan: a session does not begin before a clinician has dealt with them. `own` are
    the other items of the plan that bear on the day.
    """

    title: str
    notice: str
    status: Literal["draft", "blocked"]
    product: Product | None = None
    product_words: str
    sessions_completed: int | None = None
    sessions_planned: int | None = None
    session_times: list[datetime] = []
    clinic: Clinic | None = None
    first_title: str
    first: list[SheetLine] = []
    own_title: str
    own: list[SheetLine] = []
    nothing_own: Annotated[str, Meta(description="said where no item of the plan bears on the day")] = ""
    tasks_title: str
    tasks: list[SheetTask] = []
    figures_title: str
    figures: list[Figure] = []
    moments: list[SheetMoment]
    rulebook: RulebookRef
