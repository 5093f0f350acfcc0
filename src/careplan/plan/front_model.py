"""The front page of a plan: what a clinician decides and signs from. Public contract."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from careplan.plan.part import Choice, Part
from careplan.rulebook.model import By, Level, Who

Items = Annotated[list[str], Meta(description="the ids of the items behind it")]


class FrontDecision(Part, frozen=True, kw_only=True):
    """One decision, or several of one topic put together, with what can be ticked beside it.

    `line` is that of the gravest item; `more` says how many further decisions stand behind it. Where so many topics wait
    that the page could not hold their lines, those of the later ones are the name of the topic.
    """

    topic: str
    level: Level
    line: str
    items: Items
    more: Annotated[int, Meta(ge=1)] | None = None
    options: list[Choice] = []
    who: Who | None = None
    by: By | None = None
    by_words: str | None = None
    contested: str | None = None
    as_before: Annotated[
        bool,
        Meta(description="whether these were decided when the earlier plan was signed, on facts that are the same today"),
    ] = False


class FrontRoute(Part, frozen=True, kw_only=True):
    """The route that is recommended, beside the patient's wish; `as_wished` where the two are the same."""

    choice: str
    line: str
    item: str
    wish: str | None = None
    as_wished: bool = False


class FrontLine(Part, frozen=True, kw_only=True):
    """Where this patient departs from the standing protocol, by topic.

    `line` is that of the first item; `more` says how many further ones stand behind it.
    """

    topic: str
    line: str
    items: Items
    more: Annotated[int, Meta(ge=1)] | None = None


class FrontTask(Part, frozen=True, kw_only=True):
    """What one person does by one time. `more` says how many further tasks of theirs only the items name.

    `items` and `by_words` are those of the full detail; the others say moments once for a plan, and the items their tasks.
    """

    who: Who
    by: By
    by_words: str = ""
    what: list[str]
    items: Items = []
    more: Annotated[int, Meta(ge=1)] | None = None


class FrontQuestion(Part, frozen=True, kw_only=True):
    """A question to ask at this visit, in a few words; the whole of it is in `information_needed`."""

    pointer: str
    about: str


class Unread(Part, frozen=True, kw_only=True):
    """The entries that nobody could read and no decision speaks of, in one line, and where they stand in the request."""

    line: str
    pointers: list[str]


class Further(Part, frozen=True, kw_only=True):
    """How much there is on the following pages: what the front has no room for, and questions to ask the patient later."""

    differs: int = 0
    tasks: int = 0
    ask: int = 0


class Front(Part, frozen=True, kw_only=True):
    """One page of at most 350 words, whoever the patient is.

    `ready` is whether nothing has to be acted on, decided or sent before a clinician can sign. Every stop and hold of the
    plan is behind one of the `decisions`.
    """

    headline: Annotated[str, Meta(max_length=140)]
    ready: bool
    decisions: list[FrontDecision]
    route: FrontRoute | None = None
    differs: list[FrontLine]
    tasks: list[FrontTask]
    ask: Annotated[list[FrontQuestion], Meta(max_length=8)]
    unread: Unread | None = None
    course: Annotated[
        list[str],
        Meta(description="what became of the earlier plan, in lines, as far as there is room; the first is always there"),
    ] = []
    further: Further = Further()
