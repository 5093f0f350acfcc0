"""The codes by which facts arrive from other systems."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from msgspec import Meta

from careplan.rulebook.entries import Entry, Line


class CodeList(Entry, frozen=True, kw_only=True):
    """Codes and names that mean the same. A code of ICD-10 stands for all codes below it."""

    icd10: tuple[str, ...] = ()
    icd9: tuple[str, ...] = ()
    snomed: tuple[str, ...] = ()
    loinc: tuple[str, ...] = ()
    rxnorm: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    scores: tuple[float, ...] = ()


class ObservationCode(Entry, frozen=True, kw_only=True):
    """How an observation becomes a factor: a number in one of the `units` of its code, times `times`; or one of `values`.

    The numbers of several codes are multiplied. One older than `within_days` says nothing of today, but a value that
    warns does so `warns_for_days`. Values that say only `at_least` how grave something is never make a graver word less.
    """

    factor: str
    loinc: Annotated[tuple[str, ...], Meta(min_length=1)]
    units: dict[str, tuple[str, ...]] = {}
    times: Annotated[float, Meta(gt=0)] = 1
    values: dict[str, CodeList] = {}
    within_days: Annotated[int, Meta(ge=1)] | None = None
    warns_for_days: Annotated[int, Meta(ge=1)] | None = None
    at_least: bool = False


class DiagnosisCode(Entry, frozen=True, kw_only=True):
    """A factor that diagnoses answer, with the diagnoses that give each answer.

    One that is older than `within_days`, or over, says nothing of today; where it is only old, it counts as `older`.
    `beside` are codes of ICD-10 below those of answers that give none, as all below them.
    """

    factor: str
    values: Annotated[dict[str, CodeList], Meta(min_length=1)]
    within_days: Annotated[int, Meta(ge=1)]
    older: str | None = None
    beside: tuple[str, ...] = ()


Outcome: TypeAlias = str
"""What an entry counts as: a condition, `same`, or `nothing`."""
SAME, NOTHING = "same", "nothing"


class Course(Entry, frozen=True, kw_only=True):
    """When an entry of a record counts as a condition, and what it counts as otherwise.

    `onset` is for how many days after its start, or the day it was recorded, an entry says something of today; of an `event`
    only the start counts. What is older counts as `older`; in remission, over, or what an injury left behind as these say.
    Of what is `recent` the day counts alone: that it is said to be over within these days takes nothing away.
    `history` is what a history of it in words counts as; without it, what is over, or of what lasts the condition itself.
    `relapse` is what one of the past counts as where its status says that it is there again. `lasting` are codes and names
    among those of the condition that name an illness which stays: no time makes it older.
    """

    onset: Annotated[int, Meta(ge=1)] | Literal["any"]
    remission: Outcome
    over: Outcome
    sequela: Outcome
    older: Outcome = NOTHING
    history: Outcome | None = None
    relapse: Outcome | None = None
    event: bool = False
    recent: bool = False
    lasting: CodeList = CodeList()
    icd9: tuple[str, ...] = ()


class LookedAt(Entry, frozen=True, kw_only=True):
    """Codes beside codes of rules that stand for no condition, with the reason.

    They are known, and no rule concerns them; with `person` they may mean something that rules look at.
    """

    why: Line
    person: bool = False
    icd10: Annotated[tuple[str, ...], Meta(min_length=1)]


class AskedFor(Entry, frozen=True, kw_only=True):
    """Words of a question that asks for something, and those beside which it asks for something else."""

    words: tuple[Line, ...] = ()
    unless: tuple[Line, ...] = ()


class Codes(Entry, frozen=True, kw_only=True):
    """`codes.yaml`: the codes by which facts arrive from other systems."""

    indications: dict[str, CodeList]
    courses: dict[str, Course] = {}
    looked_at: tuple[LookedAt, ...] = ()
    diagnoses: tuple[DiagnosisCode, ...]
    observations: tuple[ObservationCode, ...]
    allergies: dict[str, CodeList]
    treatments: dict[str, str]
    routes: dict[str, CodeList]
    override_reasons: dict[str, Line]
    notes_that_advise: tuple[Line, ...] = ()
    asks_for_medicines: AskedFor = AskedFor()

    @property
    def allergens(self) -> dict[str, tuple[str, ...]]:
        """For each condition that is an allergy, the ingredients of which an allergy is this condition."""
        return {token: tuple(entry.names) for token, entry in self.allergies.items()}


def still_counting(codes: Codes) -> frozenset[str]:
    """The conditions that count as something when they are over."""
    return frozenset(token for token, course in codes.courses.items() if course.over != NOTHING)
