"""What a plan says of how illnesses in words were understood."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from careplan.plan.part import Part
from careplan.recognition.illness_read import Recognition, Status


class IllnessPartRead(Part, frozen=True, kw_only=True):
    """What was read from one stretch of an entry: `start` up to but not including `end`, in Unicode code points of it.

    `tokens` took part in rules as if they had been sent as conditions; `factor=answer` is an answer to a question. Of an
    unread part, `suggestions` are tokens that may be meant; none of them was taken.
    """

    start: Annotated[int, Meta(ge=0)]
    end: Annotated[int, Meta(ge=0)]
    recognition: Recognition
    status: Status
    tokens: list[str] = []
    suggestions: list[str] = []


class IllnessEntryRead(Part, frozen=True, kw_only=True):
    """How one entry of the other conditions was understood, as a whole and part by part."""

    pointer: str
    index: Annotated[int, Meta(ge=0)]
    written: str
    recognition: Annotated[
        Recognition,
        Meta(
            description="read: rules look at it, or it says what is not there; known: an illness that no rule concerns; "
            "unread: nobody can say what it is, or what a part of it is"
        ),
    ]
    recognized_as: Annotated[list[str], Meta(description="what rules look at, in words")] = []
    tokens: list[str] = []
    parts: list[IllnessPartRead] = []
