"""Scores over time: those of the request, and those that earlier plans were made of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date

from careplan.plan.course_model import CoursePoint, CourseScore
from careplan.request.patient import Patient
from careplan.request.previous import ScorePoint
from careplan.request.previous_reading import in_time, points_of
from careplan.rulebook.course_words import CourseWords
from careplan.rulebook.measures import Measure
from careplan.rulebook.text_template import number

MOST_SHOWN = 24
"""So many points of a score are shown, the newest."""
MOST_TOLD = 4


def scores_of(
    words: CourseWords, measures: Mapping[str, Measure], patient: Patient, today: date | None
) -> list[CourseScore]:
    """Every score with a date, where the rulebook says what a change of it means: those sent, and those of the earlier plan.

    `words` and `measures` are those of the rulebook, by name; `today` is the day of the plan, None where it is not known.
    """
    return list(_scores(words, measures, patient, today))


def _scores(
    words: CourseWords, measures: Mapping[str, Measure], patient: Patient, today: date | None
) -> Iterator[CourseScore]:
    earlier = patient.previous.scores if patient.previous else {}
    day = today.isoformat() if today else None
    for name, measure in measures.items():
        if measure.change is None or measure.plausible is None:
            continue
        sent = [*earlier.get(name, ()), *points_of(patient.measures.get(name), day)]
        points = [CoursePoint(value=one.value, day=one.at[:10]) for one in in_time(sent) if _counts(one, measure) and one.at]
        if not points:
            continue
        points = points[-MOST_SHOWN:]
        repeat = today is not None and (today - date.fromisoformat(points[-1].day)).days > measure.counts_days
        told = ", ".join(f"{number(one.value)} on {one.day}" for one in points[-MOST_TOLD:])
        yield CourseScore(
            measure=name,
            label=measure.label,
            least=measure.plausible.least or 0,
            most=measure.plausible.most or max(one.value for one in points),
            points=points,
            repeat=repeat,
            line=f"{measure.label}: {told}.{f' {words.measure_again}' if repeat else ''}",
        )


def _counts(point: ScorePoint, measure: Measure) -> bool:
    """Whether a point is a value that the measure can have, in a unit that means points."""
    known = point.unit is None or measure.units.get(point.unit, point.unit) == measure.unit
    return known and measure.plausible is not None and measure.plausible.hold(point.value)
