"""The time line around each session, drawn as SVG. The same facts stand beside it as a table for who cannot see it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import groupby

from markupsafe import Markup, escape

from careplan.timeline import Kind, Moment

WIDTH, _LEFT, _ROW, _HEAD = 760, 190, 22, 26
_FILLS: dict[Kind, str] = {
    "session": "#1f3a5f",
    "hold": "#8a5a00",
    "food": "#4a6b3a",
    "drinks": "#2f6d7a",
    "observation": "#5b4a8a",
    "driving": "#8a3030",
    "escort": "#1f3a5f",
    "check_in": "#1f3a5f",
    "review": "#1f3a5f",
}


def drawing(moments: Sequence[Moment]) -> Markup:
    """One band for each session, all to the same scale; empty where there is nothing to draw."""
    drawn = [moment for moment in moments if moment.kind != "review"]
    if not drawn:
        return Markup("")
    by_session = {
        number: sorted(group, key=lambda one: (one.kind != "session", one.start, one.label))
        for number, group in groupby(sorted(drawn, key=lambda one: one.session), key=lambda one: one.session)
    }
    zeros = {number: next(one.start for one in group if one.kind == "session") for number, group in by_session.items()}
    offsets = [_hours(zeros[one.session], at) for one in drawn for at in (one.start, one.end or one.start)]
    least, most = min(offsets), max(*offsets, 1.0)
    scale = (WIDTH - _LEFT - 50) / (most - least)
    parts, top = [], 0
    for number, group in by_session.items():
        zero = zeros[number]
        parts.append(
            Markup('<text x="4" y="{}" class="head">{}, {}</text>').format(
                top + 17, next(one.label for one in group if one.kind == "session"), zero.strftime("%Y-%m-%d %H:%M")
            )
        )
        line = _LEFT + (0 - least) * scale
        bottom = top + _HEAD + _ROW * max(len(group) - 1, 1)
        parts.append(
            Markup('<line x1="{0:.1f}" x2="{0:.1f}" y1="{1}" y2="{2}" stroke="#1f3a5f" stroke-width="2"/>').format(
                line, top + _HEAD - 4, bottom
            )
        )
        for at, one in enumerate(one for one in group if one.kind != "session"):
            y = top + _HEAD + at * _ROW
            begin, end = (_LEFT + (_hours(zero, when) - least) * scale for when in (one.start, one.end or one.start))
            parts.append(Markup('<text x="4" y="{}">{}</text>').format(y + 14, _short(one.label)))
            if one.end is None:
                parts.append(Markup('<circle cx="{:.1f}" cy="{}" r="5" fill="{}"/>').format(begin, y + 10, _FILLS[one.kind]))
                continue
            parts.append(
                Markup('<rect x="{:.1f}" y="{}" width="{:.1f}" height="14" rx="3" fill="{}"/>').format(
                    begin, y + 3, max(end - begin, 2.0), _FILLS[one.kind]
                )
            )
            parts.append(
                Markup('<text x="{:.1f}" y="{}" class="hours">{:g} h</text>').format(
                    end + 4, y + 14, _hours(one.start, one.end)
                )
            )
        top = bottom + 12
    label = (
        f"Time line of {len(by_session)} {'session' if len(by_session) == 1 else 'sessions'}; the table has the same facts"
    )
    return Markup(
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {} {}" role="img" aria-label="{}" '
        'font-family="Libertinus Serif, sans-serif" font-size="12"><style>.head{{font-weight:bold}}</style>{}</svg>'
    ).format(WIDTH, top, label, Markup("").join(parts))


def _hours(begin: datetime, end: datetime) -> float:
    return (end - begin).total_seconds() / 3600


def _short(label: str) -> str:
    return str(escape(label if len(label) <= 32 else f"{label[:31]}…"))
