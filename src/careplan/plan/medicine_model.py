"""What a plan says of how the list of medicines was understood."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from careplan.plan.part import Part
from careplan.recognition.medicine_catalogue import Recognition
from careplan.request.patient import MedicineIndication, MedicineStatus, Schedule


class MedicinePart(Part, frozen=True, kw_only=True):
    """What was read from one stretch of a text: `start` up to but not including `end`, in Unicode code points of that text.

    `value` is a token (of a frequency the schedule that rules test), `amount` a number with its `unit` (the milligrams of a
    strength, the pieces of an amount, the times a day of a frequency), `words` the stretch itself where neither says it.
    `medicine` says of a text that names several which of them, counted from 0. A form inside of an amount, as in
    "2 tablets", stands twice, and a status that is said of several medicines once for each; no other stretches overlap.
    """

    what: Literal[
        "name",
        "strength",
        "amount",
        "form",
        "route",
        "frequency",
        "as_needed",
        "reason",
        "quantity",
        "refills",
        "duration",
        "since",
        "status",
        "unexplained",
    ]
    start: Annotated[int, Meta(ge=0)]
    end: Annotated[int, Meta(ge=1)]
    value: str | None = None
    amount: float | None = None
    unit: str | None = None
    words: str | None = None
    medicine: Annotated[int, Meta(ge=0)] | None = None


class MedicineText(Part, frozen=True, kw_only=True):
    """What was read from one text of an entry: the JSON Pointer of the text, and its parts in order."""

    pointer: str
    parts: list[MedicinePart]


class Between(Part, frozen=True, kw_only=True):
    """From the least to the most that the words allow; without `most` nothing bounds it."""

    least: float
    most: float | None = None


class DoseADay(Part, frozen=True, kw_only=True):
    """How much of an ingredient a day the list says is taken, for the clinician: never what should be taken."""

    ingredient: str
    mg: Between
    diazepam_mg: Annotated[Between | None, Meta(description="what it is worth in oral diazepam, by published factors")] = (
        None
    )
    morphine_mg: Annotated[Between | None, Meta(description="what it is worth in oral morphine, by published factors")] = (
        None
    )


class Disagreeing(Part, frozen=True, kw_only=True):
    """A field of an entry, what was sent in it, and the stretch of the text at `pointer` that says something else.

    What was sent in the field counts. `read` is the token that the text says, where there is one.
    """

    field: Literal["name", "schedule", "indication", "dose_mg", "status"]
    sent: str
    read: str | None = None
    pointer: str
    start: Annotated[int, Meta(ge=0)]
    end: Annotated[int, Meta(ge=1)]


class MedicineRead(Part, frozen=True, kw_only=True):
    """How one entry of the medicines was understood. `schedule`, `indication` and `status`: as read from its texts."""

    index: int
    recognition: Annotated[
        Recognition,
        Meta(
            description="read: rules look at it; known: a real medicine that no rule concerns, or one that is not taken; "
            "unread: nobody can say what it is, or what a part of it is"
        ),
    ]
    recognized_as: str | None = None
    classes: list[str] = []
    problem: str | None = None
    suggestions: list[str] = []
    schedule: Schedule | None = None
    indication: MedicineIndication | None = None
    status: MedicineStatus | None = None
    texts: Annotated[
        list[MedicineText], Meta(description="what its texts say and where; left out where they are names alone")
    ] = []
    doses_a_day: Annotated[list[DoseADay], Meta(description="of the ingredients that rules look at, where it is known")] = []
    disagreements: list[Disagreeing] = []
