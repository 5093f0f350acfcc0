"""A score over time, drawn as a small SVG. The same numbers stand beside it as a table for who cannot see it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from markupsafe import Markup

from careplan.plan.course_model import CourseScore
from careplan.rulebook.text_template import number

WIDTH, HEIGHT = 420, 150
_LEFT, _RIGHT, _TOP, _BOTTOM = 36, 396, 30, 116
_COLOUR = "#1f3a5f"
LEAST_DRAWN = 2
"""One point alone is no course."""


def charts(scores: list[CourseScore]) -> list[Markup]:
    """A drawing of each score that has at least two points."""
    return [_chart(score) for score in scores if len(score.points) >= LEAST_DRAWN]


def _chart(score: CourseScore) -> Markup:
    days = [date.fromisoformat(point.day) for point in score.points]
    span = max(1, (days[-1] - days[0]).days)
    height = score.most - score.least or 1
    places = [
        (
            _LEFT + (_RIGHT - _LEFT) * (day - days[0]).days / span,
            _BOTTOM - (_BOTTOM - _TOP) * (point.value - score.least) / height,
        )
        for day, point in zip(days, score.points, strict=True)
    ]
    line = Markup('<polyline fill="none" stroke="{}" stroke-width="2" points="{}"/>').format(
        _COLOUR, " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    )
    label = f"{score.label} over time: {', '.join(f'{number(point.value)} on {point.day}' for point in score.points)}."
    return Markup(
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {} {}" role="img" aria-label="{}" '
        'font-family="Noto Sans, sans-serif" font-size="11">{}</svg>'
    ).format(WIDTH, HEIGHT, label, Markup("").join([*_axes(score, days), line, *_points(score, places)]))


def _axes(score: CourseScore, days: list[date]) -> Iterator[Markup]:
    yield Markup('<text x="4" y="14" font-weight="bold">{}</text>').format(score.label)
    for value, y in ((score.most, _TOP), (score.least, _BOTTOM)):
        yield Markup('<line x1="{}" x2="{}" y1="{}" y2="{}" stroke="#bbb"/>').format(_LEFT, _RIGHT, y, y)
        yield Markup('<text x="{}" y="{}" text-anchor="end">{}</text>').format(_LEFT - 6, y + 4, number(value))
    yield Markup('<text x="{}" y="{}">{}</text>').format(_LEFT, HEIGHT - 8, days[0].isoformat())
    yield Markup('<text x="{}" y="{}" text-anchor="end">{}</text>').format(_RIGHT, HEIGHT - 8, days[-1].isoformat())


def _points(score: CourseScore, places: list[tuple[float, float]]) -> Iterator[Markup]:
    for (x, y), point in zip(places, score.points, strict=True):
        yield Markup('<circle cx="{:.1f}" cy="{:.1f}" r="3.5" fill="{}"/>').format(x, y, _COLOUR)
        above = y - 8 if y > _TOP + 12 else y + 16
        yield Markup('<text x="{:.1f}" y="{:.1f}" text-anchor="middle">{}</text>').format(x, above, number(point.value))
