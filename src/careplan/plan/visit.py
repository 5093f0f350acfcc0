"""Which questions are asked first at a visit, and in which order a visit takes them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

import msgspec

from careplan.plan.model import Question
from careplan.request.patient import Patient
from careplan.rulebook.asking import Visit

MOST_FIRST = 8
"""So many are asked first: more than that, and a person stops to answer with care."""


def asked_first(questions: Sequence[Question], visit: Visit, ahead: Collection[str] = ()) -> list[Question]:
    """The questions, the weightiest first as they came, with those marked that are asked first at this visit.

    Only the patient's own are marked. Signs that come and go are not asked days ahead: they come first on the day. Next come
    the questions whose pointers are in `ahead`.
    """
    own = [question for question in questions if question.asked_of == "patient" and question.asked_at in ("intake", visit)]
    own.sort(key=lambda question: (question.asked_at != visit, question.pointer not in ahead))
    first = {question.pointer for question in own[:MOST_FIRST]}
    return [
        question
        if question.first == (question.pointer in first)
        else msgspec.structs.replace(question, first=not question.first)
        for question in questions
    ]


def in_order(questions: Sequence[Question]) -> list[Question]:
    """Questions in the order of a visit."""
    return sorted(questions, key=lambda question: question.place)


def grouped(questions: Sequence[Question]) -> list[tuple[str, list[Question]]]:
    """Questions under their headings, each group in the order of a visit; a group without any is left out."""
    groups: dict[str, list[Question]] = {"To ask first": [], "To ask after that": [], "On the day of a session": []}
    groups["For the clinic itself, not for the patient"] = []
    first, later, day, clinic = groups.values()
    for question in in_order(questions):
        if question.asked_of == "clinic":
            clinic.append(question)
        elif question.first:
            first.append(question)
        elif question.asked_at != "intake":
            day.append(question)
        else:
            later.append(question)
    return [(title, found) for title, found in groups.items() if found]


def visit_at(patient: Patient, at: datetime) -> Visit:
    """Which visit takes place at a time: that of a session if one begins on the same day, by the session's own clock."""
    times = patient.treatment.session_times or ()
    same = any(at.astimezone(time.tzinfo).date() == time.date() for time in times)
    return "session_day" if same else "intake"
