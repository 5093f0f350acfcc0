"""The front page as templates need it: every choice with its boxes to tick, and who does it by when."""

from __future__ import annotations

from typing import Any

from careplan.plan.front import SAID_ABOVE, words_in
from careplan.plan.front_model import Front, FrontDecision
from careplan.plan.model import CarePlan
from careplan.rulebook.text_template import counted, in_words, spaced

Json = dict[str, Any]
_SIZES = {"large": 270, "medium": 420}
"""How a browser prints a front page: for the room of how many words at most each size of type is."""


def front(plan: CarePlan) -> Json:
    """The front page."""
    page = plan.front
    return {
        "headline": headline(plan),
        "ready": page.ready,
        "decisions": [_decision(row, plan) for row in page.decisions],
        "route": None if page.route is None else _route(page),
        "differs": [{"line": f"{row.line} ({row.more} more)" if row.more else row.line} for row in page.differs],
        "tasks": [
            {
                "who": spaced(task.who),
                "by": task.by_words,
                "what": task.what,
                "more": f"and {task.more} more" if task.more else "",
            }
            for task in page.tasks
        ],
        "ask": [{"about": question.about} for question in page.ask],
        "unread": page.unread.line if page.unread else "",
        "course": page.course,
        "further": further(page),
        "size": _size(page),
    }


def headline(plan: CarePlan) -> str:
    """What a plan says at once: whether it can be signed, and what comes first where it cannot."""
    return plan.front.headline


def further(page: Front) -> str:
    """How much the following pages have that the front page has no room for."""
    left = page.further
    parts = [
        counted(number, word)
        for number, word in ((left.differs, "difference"), (left.tasks, "task"), (left.ask, "question"))
        if number
    ]
    return f"On the following pages: {in_words(parts)} more." if parts else ""


def _decision(row: FrontDecision, plan: CarePlan) -> Json:
    return {
        "level": row.level,
        "level_words": plan.level_words[row.level],
        "line": row.line,
        "more": f"With {counted(row.more, 'more decision')} on this, each in the detail."
        if row.more and row.options and not row.as_before
        else "",
        "options": [choice.label for choice in row.options],
        "who": spaced(row.who) if row.who else "",
        "by": row.by_words or "",
        "contested": row.contested or "",
    }


def _route(page: Front) -> Json:
    """The route, named once: its line says which it is, but where the decision about it does."""
    assert page.route is not None
    choice = page.route.choice
    named = choice.upper() if len(choice) == 2 else spaced(choice)
    return {
        "choice": f"Route: {named}." if page.route.line == SAID_ABOVE else "Route:",
        "line": page.route.line,
        "wish": wish_of(page),
    }


def wish_of(page: Front) -> str:
    """The wish in a sentence; nothing where the route is as wished, which its line says."""
    if page.route is None or page.route.as_wished:
        return ""
    return f"The patient wishes: {page.route.wish}." if page.route.wish else "The patient’s wish is not known."


def _size(page: Front) -> str:
    """The type in which a page fits one sheet: each decision has boxes to tick besides its words, each question a line."""
    room = words_in(page) + 6 * len(page.decisions) + 2 * len(page.ask)
    return next((size for size, most in _SIZES.items() if room <= most), "close")
