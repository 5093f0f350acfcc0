"""Where in a plan a rule is read: whom it concerns, its topic, its line on the front page, and its words on the card."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, get_args

from msgspec import Meta

from careplan.rulebook.entries import Entry, Language, Line

Scope = Literal["personal", "standing", "keep"]
"""About this patient; true of every patient of the product and stage at the clinic; something to go on with as it is."""

CardSlot = Literal["sessions", "eat_and_drink", "medicines", "way_home", "what_it_feels_like", "afterwards", "goal", "call"]
CARD_SLOTS: tuple[CardSlot, ...] = get_args(CardSlot)

TopicName = Annotated[str, Meta(pattern=r"^[a-z0-9]+(_[a-z0-9]+)*$", max_length=40)]


class CardText(Entry, frozen=True, kw_only=True):
    """What a rule says on the patient's card, in at most fifteen words; `does` where the patient carries it out."""

    slot: CardSlot
    says: Line
    does: bool = False


class TopicWords(Entry, frozen=True, kw_only=True):
    """A topic by which items are put together on the front page.

    `private` topics must not be read by others at home: where a plan has an item of one, the card holds only what is true of
    every patient.
    """

    title: Annotated[str, Meta(min_length=1, max_length=40)]
    private: bool = False


class SlotWords(Entry, frozen=True, kw_only=True):
    """A part of the card: its title, and how many lines of rules it holds at most.

    `weight` says which parts get their lines first where the card is full; 1 comes first.
    """

    title: Annotated[str, Meta(min_length=1, max_length=60)]
    most: Annotated[int, Meta(ge=1, le=6)]
    weight: Annotated[int, Meta(ge=1, le=20)]
    in_languages: Mapping[Language, str] = {}


class Companion(Entry, frozen=True, kw_only=True):
    """The card of whoever takes the patient home: its title and lines, at most 120 words."""

    title: Line
    lines: Annotated[tuple[Line, ...], Meta(min_length=1, max_length=10)]


class DateWords(Entry, frozen=True, kw_only=True):
    """How a card writes times. `day` fills in {weekday}, {month} and {number}; `clock` is of 12 or of 24 hours."""

    weekdays: Annotated[tuple[str, ...], Meta(min_length=7, max_length=7, description="from Monday on")]
    months: Annotated[tuple[str, ...], Meta(min_length=12, max_length=12)]
    day: Line
    clock: Literal[12, 24]


class CardWords(Entry, frozen=True, kw_only=True):
    """What stands on cards besides the lines of rules.

    `session` fills in {day} and {time}; `food` and `drinks`, behind it, the time from which there is none; `signed` fills in
    {by} and {day}.
    """

    title: Line
    unsigned: Line
    signed: Line
    blocked: Line
    session: Line
    food: Line
    drinks: Line
    more_sessions: Line
    no_date: Line
    by_day: Line
    after_hours: Line
    dates: DateWords
    companion: Companion


class FrontWords(Entry, frozen=True, kw_only=True):
    """The sentences of the front page that no rule has.

    `not_ready` fills in {what} stands in the way, `unread` the {entries}, `several` of a topic the {title} and {decisions}.
    """

    ready: Line
    not_ready: Line
    unread: Line
    several: Line
