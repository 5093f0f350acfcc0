"""What a plan says of the course since an earlier plan, and for how long what was decided then stands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Literal

from msgspec import Meta

from careplan.rulebook.entries import Entry, Line

NotUsed = Literal["unreadable", "altered", "other_patient"]
Doubt = Literal["unsigned", "no_signature", "unchecked", "other_rules", "other_standing", "later", "too_old"]
ReviewKind = Literal["mid_series", "end_of_series"]
ReviewState = Literal["to_come", "due", "overdue"]


class CourseWords(Entry, frozen=True, kw_only=True):
    """The sentences about an earlier plan.

    `settled_by` are the options of a decision by which it was made; what was decided stands for `decisions_stand_days`.
    `not_used` says why an earlier plan is left aside, `doubts` what has to be known of one that is used. `since` fills in
    {what} changed since {day}, `signed_since` also {by} whom it was signed; `decided` the {day} and the {titles} of what was
    decided then; `overdue` the {task}; each of `reviews` the {review}, the {session} and the number {of} sessions, and
    `on` the {day} of it.
    """

    decisions_stand_days: Annotated[int, Meta(ge=1, le=366)]
    settled_by: tuple[str, ...]
    not_used: Mapping[NotUsed, Line]
    doubts: Mapping[Doubt, Line]
    since: Line
    signed_since: Line
    unknown_day: Line
    decided: Line
    no_longer: Line
    overdue: Line
    reviews: Mapping[ReviewState, Line]
    review_titles: Mapping[ReviewKind, Line]
    on: Line
    measure_again: Line

    def sentences(self) -> Iterator[tuple[tuple[str, ...], str, frozenset[str]]]:
        """Every sentence with its place and the names that it must fill in."""
        nothing = frozenset[str]()
        for name, text in self.not_used.items():
            yield ("not_used", name), text, nothing
        for doubt, text in self.doubts.items():
            yield ("doubts", doubt), text, _DOUBTS.get(doubt, nothing)
        for state, text in self.reviews.items():
            yield ("reviews", state), text, frozenset({"review", "session", "of"})
        for kind, text in self.review_titles.items():
            yield ("review_titles", kind), text, nothing
        for field, names in _FILLED.items():
            yield (field,), getattr(self, field), frozenset(names.split())


_DOUBTS = {"other_rules": frozenset({"then", "now"}), "too_old": frozenset({"days"})}
_FILLED = {
    "since": "day what",
    "signed_since": "day by what",
    "unknown_day": "",
    "decided": "day titles",
    "no_longer": "titles",
    "overdue": "task",
    "on": "day",
    "measure_again": "",
}
