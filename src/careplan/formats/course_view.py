"""What became of the earlier plan, as templates need it: what is new, changed and done, and scores over time."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from careplan.plan.course_model import CourseItem
from careplan.plan.layers import Detail, settled_apart
from careplan.plan.model import CarePlan
from careplan.request.patient import Patient
from careplan.rulebook.text_template import counted, number, spaced

Json = dict[str, Any]


def course(plan: CarePlan) -> Json | None:
    """The course; None where no earlier plan was sent."""
    found = plan.course
    if found is None:
        return None
    groups = [
        ("New", _titles(found.new, plan)),
        ("Changed", _titles(found.changed, plan)),
        ("Still to be decided", _titles(found.open, plan)),
        ("No longer", _titles(found.no_longer, plan)),
        ("Decided then, and the facts are the same", [f"{one.title}: {one.option}. {one.line}" for one in found.decided]),
        ("Was due, not known to be done", [f"{spaced(one.who).capitalize()}: {one.what}" for one in found.overdue]),
        ("Reviews", [one.line for one in found.reviews if one.line]),
        ("The same in a plan that does not count as signed", _titles(found.repeated, plan)),
    ]
    same = "; ".join(found.as_before.values())
    return {
        "line": found.line,
        "notes": found.notes,
        "groups": [{"title": title, "lines": lines} for title, lines in groups if lines],
        "as_before": f"Read and signed then, and as before ({len(found.as_before)}): {same}." if same else "",
        "scores": [
            {
                "label": score.label,
                "line": score.line,
                "rows": [{"day": point.day, "value": number(point.value)} for point in score.points],
            }
            for score in found.scores
        ],
    }


def since_then(plan: CarePlan, patient: Patient, detail: Detail) -> tuple[CarePlan, str]:
    """The plan without what was dealt with at an earlier visit, and how many questions were open then too."""
    then = patient.previous
    if detail == "full" or plan.course is None or not plan.course.used or then is None:
        return plan, ""
    left = settled_apart(plan, detail)
    if not then.counts:
        return left, ""
    before = frozenset(then.asked)
    asked = [one for one in plan.information_needed if one.first or one.pointer not in before]
    again = len(plan.information_needed) - len(asked)
    shown = msgspec.structs.replace(left, information_needed=asked)
    words = f"{counted(again, 'question was', 'questions were')} open then, and still {'is' if again == 1 else 'are'}."
    return shown, words if again else ""


def _titles(items: Iterable[CourseItem], plan: CarePlan) -> list[str]:
    return [f"{plan.level_words[one.level].capitalize()}: {one.title}" for one in items]
