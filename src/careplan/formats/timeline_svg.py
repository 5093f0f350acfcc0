"""The time line around a session, drawn as SVG. The same facts stand beside it as a table for who cannot see it."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from datetime import datetime, tzinfo
from itertools import groupby
from math import ceil

from markupsafe import Markup

from careplan.plan.timeline import Kind, Moment
from careplan.zones import hour

WIDTH = 760
LEFT, RIGHT = 262, 630
"""Between these, hours are drawn; left of it stand the labels, right of it what a bar at the edge says."""
_LINE, _PAD = 14, 8
_LABEL_CHARACTERS, _HEAD_CHARACTERS = 40, 100
_STEPS = (1, 2, 3, 6, 12, 24, 48, 72, 168, 336, 720)
_FILLS: dict[Kind, str] = {
    "session": "#1f3a5f",
    "decision": "#8c1111",
    "hold": "#8a5a00",
    "food": "#4a6b3a",
    "drinks": "#2f6d7a",
    "observation": "#5b4a8a",
    "driving": "#8a3030",
    "escort": "#1f3a5f",
    "check_in": "#1f3a5f",
    "review": "#1f3a5f",
}


def drawings(moments: Sequence[Moment], zone: tzinfo | None = None) -> list[Markup]:
    """A drawing of the hours around a session; sessions around which the same happens share one.

    Where nobody has said an hour of anything, there is nothing to draw that the table does not say in less room.
    """
    alike: dict[tuple[object, ...], list[list[Moment]]] = {}
    drawn = sorted((moment for moment in moments if moment.kind != "review"), key=lambda moment: moment.session)
    for _, group in groupby(drawn, key=lambda moment: moment.session):
        rows = sorted(group, key=lambda moment: (moment.kind != "session", moment.start, moment.label))
        if all(moment.whole_days for moment in rows[1:]):
            continue
        shape = tuple((moment.kind, moment.label, *_span(moment)) for moment in rows[1:])
        alike.setdefault(shape, []).append(rows)
    return [_drawing(sessions, zone) for sessions in alike.values()]


def _drawing(sessions: Sequence[Sequence[Moment]], zone: tzinfo | None) -> Markup:
    names = [f"{rows[0].label}, {hour(rows[0].start, zone)}" for rows in sessions]
    rows = sessions[0][1:]
    least = min(0.0, *(_span(moment)[0] for moment in rows))
    most = max(1.0, *(_span(moment)[1] for moment in rows))
    scale = _Scale(least, most)
    parts, top = [], 4
    for line in textwrap.wrap("; ".join(names), _HEAD_CHARACTERS):
        parts.append(Markup('<text x="4" y="{}" class="head">{}</text>').format(top + 12, line))
        top += _LINE + 2
    axis = top + 22
    bands, bottom = [], axis + 4
    for moment in rows:
        lines = textwrap.wrap(moment.label, _LABEL_CHARACTERS)
        height = _LINE * len(lines) + _PAD
        bands += list(_band(moment, lines, bottom, scale))
        bottom += height
    parts += [*_axis(scale, axis, bottom), *bands]
    label = f"Time line: {'; '.join(names)}. The table has the same facts."
    return Markup(
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {} {}" role="img" aria-label="{}" '
        'font-family="Noto Sans, sans-serif" font-size="12"><style>.head{{font-weight:bold}}</style>{}</svg>'
    ).format(WIDTH, bottom + 6, label, Markup("").join(parts))


class _Scale:
    """Hours from the start of a session as places on the drawing."""

    def __init__(self, least: float, most: float) -> None:
        self._least, self._by = least, (RIGHT - LEFT) / (most - least)
        self._most = most

    def __call__(self, hours: float) -> float:
        return LEFT + (hours - self._least) * self._by

    def ticks(self) -> Iterator[int]:
        """Round hours, so many that their names do not touch."""
        step = next((step for step in _STEPS if (self._most - self._least) / step <= 7), _STEPS[-1])
        yield from range(ceil(self._least / step) * step, int(self._most) + 1, step)


def _axis(scale: _Scale, y: int, bottom: int) -> Iterator[Markup]:
    yield Markup('<line x1="{}" x2="{}" y1="{}" y2="{}" stroke="#555"/>').format(LEFT, RIGHT, y, y)
    for tick in scale.ticks():
        colour, width = ("#1f3a5f", 2) if tick == 0 else ("#ddd", 1)
        yield Markup('<line x1="{0:.1f}" x2="{0:.1f}" y1="{1}" y2="{2}" stroke="{3}" stroke-width="{4}"/>').format(
            scale(tick), y - 4, bottom, colour, width
        )
        yield Markup('<text x="{:.1f}" y="{}" text-anchor="middle" font-size="11" class="tick">{}</text>').format(
            scale(tick), y - 8, _tick(tick)
        )


def _tick(hours: int) -> str:
    if hours == 0:
        return "start"
    sign, size = ("−" if hours < 0 else "+"), abs(hours)
    return f"{sign}{size} h" if size % 24 else f"{sign}{size // 24} d"


def _band(moment: Moment, lines: Sequence[str], top: int, scale: _Scale) -> Iterator[Markup]:
    for at, line in enumerate(lines):
        yield Markup('<text x="4" y="{}">{}</text>').format(top + 15 + at * _LINE, line)
    begin, end = (scale(hours) for hours in _span(moment))
    if moment.end is None:
        yield Markup('<circle cx="{:.1f}" cy="{}" r="5" fill="{}"/>').format(begin, top + 11, _FILLS[moment.kind])
        end = begin + 5
    else:
        outlined = f'fill="#fff" stroke="{_FILLS[moment.kind]}" stroke-dasharray="4 2"'
        look = Markup(outlined if moment.whole_days else f'fill="{_FILLS[moment.kind]}"')  # noqa: S704 - our own colours
        yield Markup('<rect x="{:.1f}" y="{}" width="{:.1f}" height="14" rx="3" {}/>').format(
            begin, top + 4, max(end - begin, 2.0), look
        )
    yield Markup('<text x="{:.1f}" y="{}" class="hours">{}</text>').format(end + 5, top + 15, _said(moment))


def _said(moment: Moment) -> str:
    """What a bar says: how long before and after the start of the session, or on which days."""
    if moment.whole_days and moment.end is not None:
        first, last = ((when.date() - moment.begins.date()).days for when in (moment.start, moment.end))
        return (
            "that day" if last == 1 else "the day after" if (first, last) == (1, 2) else f"{first} to {last - 1} days after"
        )
    told = [f"{abs(hours):.4g} h {'before' if hours < 0 else 'after'}" for hours in _span(moment) if hours]
    return ", ".join(dict.fromkeys(told)) or "at the start"


def _span(moment: Moment) -> tuple[float, float]:
    """From when to when, in hours from the start of its session."""
    return _hours(moment.begins, moment.start), _hours(moment.begins, moment.end or moment.start)


def _hours(begin: datetime, end: datetime) -> float:
    return (end.timestamp() - begin.timestamp()) / 3600
