"""The narrative of a CarePlan: its front page, as XHTML that FHIR allows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from careplan.fhir.write.narrative import plain
from careplan.plan.front_model import FrontDecision
from careplan.plan.model import CarePlan
from careplan.rulebook.text_template import spaced

Json = dict[str, Any]


def front_narrative(plan: CarePlan) -> Json:
    """The narrative of a plan, all of it generated from its data."""
    return {"status": "generated", "div": f'<div xmlns="http://www.w3.org/1999/xhtml">{"".join(_parts(plan))}</div>'}


def _parts(plan: CarePlan) -> Iterator[str]:
    front = plan.front
    yield f"<p><b>{plain(front.headline)}</b></p>"
    yield from (f"<p>{plain(line)}</p>" for line in front.course)
    yield from _list(
        "To decide",
        map(_decision, front.decisions),
    )
    if front.route is not None:
        wish = f" The patient's wish: {front.route.wish}." if front.route.wish and not front.route.as_wished else ""
        yield from _list("Route", [f"{front.route.line}{wish}"])
    differs = (f"{row.line} ({row.more} more)" if row.more else row.line for row in front.differs)
    yield from _list("Unlike the standing protocol", differs)
    yield from _list("Tasks", (f"{spaced(task.who)}, {task.by_words}: {what}" for task in front.tasks for what in task.what))
    yield from _list("To ask", (question.about for question in front.ask))
    if front.unread is not None:
        yield f"<p>{plain(front.unread.line)}</p>"
    yield f"<p>{plain(plan.disclaimer)}</p>"


def _decision(row: FrontDecision) -> str:
    asked = f" ({spaced(row.who)}, {row.by_words})" if row.who else ""
    contested = f" Contested: {row.contested}" if row.contested else ""
    return f"{row.line}{asked}{contested}"


def _list(title: str, lines: Iterable[str]) -> Iterator[str]:
    found = [f"<li>{plain(line)}</li>" for line in lines]
    if found:
        yield f"<p><b>{title}</b></p><ul>{''.join(found)}</ul>"
