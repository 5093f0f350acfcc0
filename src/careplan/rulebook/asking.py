"""When a question is asked and of whom: what an owner says of a factor under `asking` in `vocabulary.yaml`."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from careplan.request.patient import Patient
from careplan.rulebook.entries import Entry

Visit = Literal["intake", "session_day"]
AskedOf = Literal["patient", "clinic"]
Group = Literal[
    "red_flags",
    "patient",
    "conditions",
    "allergies",
    "medications",
    "medicine",
    "treatment",
    "lifestyle",
    "support",
    "preparation",
    "expectations",
    "goals",
    "protocol",
    "clinic",
]
"""What questions are about, as an owner puts them into the order of a visit."""


class Answered(Entry, frozen=True, kw_only=True):
    """An answer by which another question has no sense: a token, or a number up to `at_most` or beyond `more_than`."""

    factor: Annotated[str, Meta(pattern=r"^(patient|treatment|lifestyle|support|preparation|expectations)\.[a-z_]+$")]
    is_: tuple[str, ...] = msgspec.field(default=(), name="is")
    at_most: float | None = None
    more_than: float | None = None

    def holds(self, patient: Patient) -> bool:
        """Whether the patient answered so. What was not answered is never taken for an answer."""
        kind, _, name = self.factor.partition(".")
        value = getattr(patient if kind == "patient" else getattr(patient, kind), name, None)
        if value is None:
            return False
        if isinstance(value, str):
            return value in self.is_
        within = self.at_most is not None and value <= self.at_most
        return within or (self.more_than is not None and value > self.more_than)


class Asking(Entry, frozen=True, kw_only=True):
    """Of whom a factor is asked, at which visit, and by which other answers its question has no sense.

    What is asked `ahead` is among the first questions of a visit, however much hangs on others.
    """

    of: AskedOf = "patient"
    at: Visit = "intake"
    ahead: bool = False
    never_where: tuple[Answered, ...] = ()

    def is_withheld(self, patient: Patient) -> bool:
        """Whether the question is not asked of this patient. An answer that is sent all the same counts as ever."""
        return any(one.holds(patient) for one in self.never_where)


ANYBODY = Asking()
"""How a factor is asked of which nothing is said."""
