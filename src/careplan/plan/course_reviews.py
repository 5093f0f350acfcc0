"""The reviews of a series, by the clinic's own number of sessions: to come, due, overdue or done."""

from __future__ import annotations

from typing import Literal

from careplan.plan.course_model import CourseReview
from careplan.request.patient import Patient
from careplan.request.previous import Previous
from careplan.rulebook.course_words import CourseWords, ReviewKind
from careplan.rulebook.text_template import Text


def reviews_of(words: CourseWords, patient: Patient, then: Previous) -> list[CourseReview]:
    """The reviews in the middle and at the end of a series whose length and place are known."""
    treatment = patient.treatment
    done, planned = treatment.sessions_completed, treatment.sessions_planned
    if done is None or planned is None:
        return []
    times = sorted(set(treatment.session_times or ()))
    before = then.sessions_completed if then.counts else None
    found = []
    places: tuple[tuple[ReviewKind, int], ...] = (("mid_series", (planned + 1) // 2), ("end_of_series", planned))
    for kind, session in places:
        if kind == "mid_series" and session == planned:
            continue
        # Only where every session has its date is it known which of them is the one in the middle.
        day = times[session - 1].date().isoformat() if len(times) == planned else None
        state = _state(done, session, before)
        line = ""
        if state != "done":
            filled = {"review": words.review_titles[kind], "session": str(session), "of": str(planned)}
            line = Text.parse(words.reviews[state]).fill(filled)
            line += f" {Text.parse(words.on).fill({'day': day})}" if day and state == "to_come" else ""
        found.append(CourseReview(kind=kind, state=state, session=session, of=planned, day=day, line=line))
    return found


def _state(done: int, session: int, before: int | None) -> Literal["to_come", "due", "overdue", "done"]:
    if done < session:
        return "to_come"
    if before is not None and before >= session:
        return "done"
    return "due" if done == session else "overdue"
