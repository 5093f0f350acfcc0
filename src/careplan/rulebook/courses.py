"""Checks of the courses of conditions: each condition has one, and it leads to conditions that exist."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from careplan.rulebook.codes import NOTHING, SAME, Codes, still_counting
from careplan.rulebook.conditions import Path
from careplan.rulebook.model import Condition
from careplan.rulebook.presumption import FaultList


def check_courses(codes: Codes, conditions: Mapping[str, Condition], note: FaultList) -> None:
    """Note every condition without a course, and every course that leads to a condition that there is not."""
    for token in conditions.keys() ^ codes.courses.keys():
        mend = "Say for each condition, and for no other, when an entry of a record counts as it."
        note.fault(("courses", token), f"{token} stands in only one of conditions and courses.", mend, code="unknown-token")
    led_to: list[tuple[Path, str]] = [
        (("courses", token, field), getattr(course, field))
        for token, course in codes.courses.items()
        for field in ("older", "remission", "over", "sequela")
    ]
    led_to += [
        (("courses", token, field), name)
        for token, course in codes.courses.items()
        for field in ("history", "relapse")
        if (name := getattr(course, field))
    ]
    led_to += [(("diagnoses", "older"), one.older) for one in codes.diagnoses if one.older]
    for path, name in led_to:
        if name not in {*conditions, SAME, NOTHING}:
            mend = f"Name a condition, {SAME} or {NOTHING}."
            note.fault(path, f"There is no condition called {name}.", mend, code="unknown-token")


def with_courses(conditions: Mapping[str, Condition], codes: Codes) -> dict[str, Condition]:
    """The conditions, each with whether one that is over still counts as something."""
    still = still_counting(codes)
    return {token: msgspec.structs.replace(one, also_when_over=token in still) for token, one in conditions.items()}
