"""`session_day.yaml`: what staff check and write down at a session, in the order of the day, each check with its source."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from msgspec import Meta

from careplan.request.patient import Product
from careplan.rulebook.entries import Entry, Line
from careplan.rulebook.layers import TopicName

FILE = "session_day.yaml"
SheetMomentName = Literal["before", "during", "minutes_40", "minutes_120", "leaving", "afterwards"]


class CheckSource(Entry, frozen=True, kw_only=True):
    """The place in a source that a check rests on, as of a rule."""

    source: str
    place: Line
    strength: str


class SheetField(Entry, frozen=True, kw_only=True):
    """A blank to fill in by hand: its label, and the unit or the choices to tick."""

    label: Annotated[str, Meta(min_length=1, max_length=60)]
    unit: Annotated[str, Meta(max_length=20)] = ""
    choices: tuple[str, ...] = ()


class SessionCheck(Entry, frozen=True, kw_only=True):
    """What is checked at one moment of a session; without `products` for every product."""

    id: Annotated[str, Meta(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=60)]
    moment: SheetMomentName
    products: tuple[Product, ...] = ()
    line: Line
    fields: Annotated[tuple[SheetField, ...], Meta(min_length=1, max_length=8)]
    sources: Annotated[tuple[CheckSource, ...], Meta(min_length=1)]


class SessionDay(Entry, frozen=True, kw_only=True):
    """The checklist of a session.

    `own_topics` and `own_by` say which items of the patient's plan stand on it: those of these topics, and those by which
    somebody of the clinic does something at these times.
    """

    title: Line
    notice: Line
    first: Line
    own: Line
    figures: Line
    tasks: Line
    unknown_product: Line
    nothing_own: Line
    products: Mapping[Product, str]
    own_topics: tuple[TopicName, ...]
    own_by: tuple[str, ...]
    moments: Mapping[SheetMomentName, str]
    checks: tuple[SessionCheck, ...]
