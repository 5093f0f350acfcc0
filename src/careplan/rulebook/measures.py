"""Measures: what is measured of a patient, declared as data, so that an owner of a rulebook can add one without a program.

A declared measure is taken in requests, read from records by its codes, asked for and tested by rules. To the logic of
rules it is one more field: of `measures` its value, of `measured_days_ago` its age, of `earlier_measures` a value too old to
say how the patient is now, and of `score_change` how it changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from careplan.request.measurements import MeasureForm
from careplan.request.patient import Indication
from careplan.rulebook.codes import CodeList
from careplan.rulebook.entries import Entry, Line
from careplan.rulebook.factors import KINDS, LIMITS, Field, Kind, Limits

Name = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]*$", max_length=40)]
RedFlagOrPregnancy = Literal["suicidal_thoughts", "pregnancy"]
ChangeWord = Literal["remission", "response", "partial", "none", "worse"]
CHANGE_WORDS: tuple[ChangeWord, ...] = ("remission", "response", "partial", "none", "worse")
"""How a score can have changed between two visits, from the best to the worst."""
PROBLEMS = ("implausible",)
"""What can be wrong with a reading that was sent, so that it is asked again."""


class Bounds(Entry, frozen=True, kw_only=True):
    """From the least to the most; without one of them there is no such bound."""

    least: float | None = None
    most: float | None = None

    def hold(self, value: float) -> bool:
        """Whether a value lies within."""
        return (self.least is None or value >= self.least) and (self.most is None or value <= self.most)


class Change(Entry, frozen=True, kw_only=True):
    """What a change of a score means: a fall by so many percent, a score at which a remission begins, a rise in points.

    `tells_response_of` are the problems for which it says how a treatment has gone so far. Two scores are compared only if
    no more than `within_days` lie between them.
    """

    response_percent: Annotated[float, Meta(gt=0, le=100)]
    partial_percent: Annotated[float, Meta(gt=0, le=100)]
    remission_at_most: Annotated[float, Meta(ge=0)]
    worse_points: Annotated[float, Meta(gt=0)]
    within_days: Annotated[int, Meta(ge=1, le=3_650)]
    tells_response_of: tuple[Indication, ...] = ()


class Measure(Entry, frozen=True, kw_only=True):
    """One measure: its words, unit, limits, codes, and for how many days a value says how the patient is now.

    An older value is one of `earlier_measures` for `earlier_days` more, as long as no newer one counts: rules use it to have
    it measured again, and never as if it were of today.

    `unit` is the UCUM unit in which rules, texts and limits are told. `units` are other ways to write a unit, each with the
    UCUM unit that it means. `answers` are the values of a measure that is no number, from the least to the most grave, with
    the codes of each; `true` and `false` make it a yes or no. `scores` are the numbers that coded answers stand for.
    Outside of `plausible` a number is taken for a slip, and asked again. A measure without a `question` is never asked for.
    Of readings of one time the graver counts, which is the `higher` or the `lower`. A record that `assessed_as` was assessed
    counts for a plan only if it is not older than a value of this measure other than the least grave one.
    """

    label: str
    says: str
    unknown: str
    counts_days: Annotated[int, Meta(ge=1, le=3_650)]
    earlier_days: Annotated[int, Meta(ge=1, le=36_500)] = 365
    question: str = ""
    why: str = ""
    unit: str = ""
    units: Mapping[str, str] = {}
    plausible: Bounds | None = None
    whole: bool = False
    answers: Mapping[str, CodeList] = {}
    values: Mapping[str, str] = {}
    scores: Mapping[str, float] = {}
    loinc: tuple[Annotated[str, Meta(pattern=r"^\d{1,7}-\d$")], ...] = ()
    ages: Bounds | None = None
    graver: Literal["higher", "lower"] = "higher"
    change: Change | None = None
    assessed_as: RedFlagOrPregnancy | None = None
    note: Line | None = None

    @property
    def type(self) -> Literal["number", "boolean", "token"]:
        """What kind of value it has."""
        if not self.answers:
            return "number"
        return "boolean" if self.answers.keys() == {"true", "false"} else "token"

    @property
    def field(self) -> Field:
        """The measure as a field of the kind `measures`."""
        return Field(self.type, tuple(self.answers) if self.type == "token" else (), sent=True)

    @property
    def form(self) -> MeasureForm:
        """What a request may say of it."""
        units = (self.unit, *self.units) if self.type == "number" and self.unit else ()
        return MeasureForm(self.type, self.label, tuple(self.answers), tuple(dict.fromkeys(units)))

    @property
    def limits(self) -> Limits:
        """The least and the most that is not taken for a slip."""
        assert self.plausible is not None and self.plausible.least is not None and self.plausible.most is not None
        return Limits(self.plausible.least, self.plausible.most, self.whole)

    def gravity(self, value: str | bool | float) -> float:  # noqa: FBT001 - a value as it was measured
        """How grave a value is beside another of the same measure."""
        if isinstance(value, bool):
            return float(value)
        if isinstance(value, str):
            return float(tuple(self.answers).index(value))
        return value if self.graver == "higher" else -value


def kinds_with(measures: Mapping[str, Measure]) -> Mapping[str, Kind]:
    """All kinds of fact, those of measures with the fields that these measures give them."""
    found = dict(KINDS)
    found["measures"] = Kind({name: one.field for name, one in measures.items()})
    found["earlier_measures"] = Kind(
        {name: msgspec.structs.replace(one.field, sent=False) for name, one in measures.items()}
    )
    found["measured_days_ago"] = Kind({name: Field("number") for name in measures})
    found["score_change"] = Kind({name: Field("token", CHANGE_WORDS) for name, one in measures.items() if one.change})
    return found


def limits_with(measures: Mapping[str, Measure]) -> Mapping[str, Limits]:
    """The limits of every number that describes a patient, by kind.field."""
    own = {f"measures.{name}": one.limits for name, one in measures.items() if one.type == "number" and one.plausible}
    return {**LIMITS, **own}
