"""What is read of an entry that names illnesses, and what an illness counts as once it is past."""

from __future__ import annotations

from typing import Literal, NamedTuple, TypeAlias

import msgspec

Recognition: TypeAlias = Literal["read", "known", "unread"]
Status: TypeAlias = Literal["present", "past", "denied", "family", "nothing", "unsure", "reading", "medicine"]
"""What an entry says of its illness. Only what is present, or past with a condition for that, takes part in rules."""

MOST_OFFERS = 3


class Lasting(NamedTuple):
    """What an illness counts as when it is named as one of the past; "" is nothing.

    `onset`: for how many days after its start it says something of today, None for any. `graver` are conditions that may be
    meant where it is called worse, `of_family` the one that it is in a parent, brother, sister or child. What is `recent`
    within these days counts though it is said to be over.
    """

    onset: int | None = None
    older: str = ""
    over: str = ""
    remission: str = ""
    sequela: str = ""
    history: str = ""
    graver: tuple[str, ...] = ()
    of_family: str = ""
    recent: bool = False

    def is_recent(self, days_ago: int | None) -> bool:
        """Whether this counts by its day alone, and was surely a few days ago."""
        return self.recent and self.onset is not None and days_ago is not None and days_ago <= self.onset


class IllnessPart(msgspec.Struct, frozen=True, gc=False):
    """One part of an entry, from `start` up to but not including `end` (code points of the entry).

    `tokens` take part in rules, `denied` are said not to be there, `offers` are what an unread part may mean. `measures` are
    those that a reading was taken as, `lasts` the tokens that no time makes ones of the past.
    """

    start: int
    end: int
    recognition: Recognition
    status: Status
    tokens: tuple[str, ...] = ()
    denied: tuple[str, ...] = ()
    offers: tuple[str, ...] = ()
    measures: tuple[str, ...] = ()
    lasts: tuple[str, ...] = ()


class IllnessRead(msgspec.Struct, frozen=True, gc=False):
    """What was read of one entry."""

    parts: tuple[IllnessPart, ...]

    @property
    def recognition(self) -> Recognition:
        """Unread if any part is; known if every part is."""
        found = {part.recognition for part in self.parts}
        return "unread" if "unread" in found or not found else "read" if "read" in found else "known"

    @property
    def tokens(self) -> tuple[str, ...]:
        """What takes part in rules, each once."""
        return tuple(dict.fromkeys(token for part in self.parts for token in part.tokens))

    @property
    def denied(self) -> tuple[str, ...]:
        """What is said not to be there."""
        return tuple(dict.fromkeys(token for part in self.parts for token in part.denied))

    @property
    def offers(self) -> tuple[str, ...]:
        """What the unread parts may mean."""
        return tuple(dict.fromkeys(token for part in self.parts for token in part.offers))[:MOST_OFFERS]

    def any_of(self, recognition: Recognition) -> bool:
        """Whether a part is of this kind."""
        return any(part.recognition == recognition for part in self.parts)
