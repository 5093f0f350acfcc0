"""The course of a treatment: what is new, changed, done and repeated since an earlier plan. Public contract."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from careplan.plan.part import Part
from careplan.rulebook.course_words import ReviewKind
from careplan.rulebook.model import By, Level, Who


class CourseItem(Part, frozen=True, kw_only=True):
    """An item of this plan, or of the earlier one that this plan does not have."""

    id: str
    level: Level
    title: str


class CourseDecision(Part, frozen=True, kw_only=True):
    """What was decided when the earlier plan was signed, on facts that are the same today."""

    id: str
    title: str
    line: str
    option: Annotated[str, Meta(description="the option that was chosen then")]


class CourseTask(Part, frozen=True, kw_only=True):
    """What was asked in the earlier plan until a time that is over, and nobody is known to have done."""

    item: str
    who: Who
    by: By
    what: str


class CourseReview(Part, frozen=True, kw_only=True):
    """A review of the series, by the clinic's own number of sessions, and where its date is known with that."""

    kind: ReviewKind
    state: Annotated[
        Literal["to_come", "due", "overdue", "done"], Meta(description="done: a plan was signed at or after its time")
    ]
    session: int
    of: int
    day: str | None = None
    line: str


class CoursePoint(Part, frozen=True, kw_only=True):
    """One score on one day."""

    value: float
    day: str


class CourseScore(Part, frozen=True, kw_only=True):
    """A score over time, oldest first; `repeat` where the last value is too old to say how the patient is now."""

    measure: str
    label: str
    least: float
    most: float
    points: list[CoursePoint]
    repeat: bool = False
    line: str


class Course(Part, frozen=True, kw_only=True):
    """What became of the earlier plan that came with the request.

    Where it is not `used`, `notes` say why, and the plan is as if none had been sent. `open` are stops and holds that it had
    as well and that are still to be decided, `decided` those that were decided on the same facts, and `as_before` the other
    items that say the same as in the plan that was signed, by id with their titles. These two stand in no section of a plan
    in the usual detail; together with the sections and `standing` they are the whole plan.
    """

    used: bool
    since: Annotated[str | None, Meta(description="when the earlier plan was signed, or else made")] = None
    signed_by: str | None = None
    rulebook: Annotated[str | None, Meta(description="the version of the rules that it was made by")] = None
    line: Annotated[str, Meta(description="all of it in one line, or why it is not used")]
    notes: list[str] = []
    new: list[CourseItem] = []
    changed: list[CourseItem] = []
    no_longer: list[CourseItem] = []
    open: list[CourseItem] = []
    repeated: Annotated[list[CourseItem], Meta(description="other items that say the same, in a plan nobody signed")] = []
    decided: list[CourseDecision] = []
    as_before: dict[str, str] = {}
    overdue: list[CourseTask] = []
    answered: Annotated[list[str], Meta(description="pointers of questions that are no longer open")] = []
    reviews: list[CourseReview] = []
    scores: list[CourseScore] = []

    @property
    def settled(self) -> frozenset[str]:
        """The ids of the items that were dealt with when the earlier plan was signed."""
        return frozenset(self.as_before) | {one.id for one in self.decided}
