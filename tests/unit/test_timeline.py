"""What the written forms say about times and about which medicine."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec

from careplan.formats.sheet import sheet
from careplan.planner import Planner
from careplan.timeline import Moment, timeline

TIMES = ["2026-12-08T09:30:00-05:00", "2026-12-01T09:30:00-05:00"]


def moments(planner: Planner, body: dict[str, Any]) -> list[Moment]:
    patient = planner.intake.decode(msgspec.json.encode(body))
    return timeline(planner.plan(patient), patient)


def test_what_is_asked_after_a_session_stands_at_its_end_and_a_deadline_at_its_own_time(planner: Planner) -> None:
    body = {
        "treatment": {"preferred_route": "nasal", "product": "racemic", "sessions_planned": 6, "session_times": TIMES},
        "support": {"therapist": False, "trusted_people": 1},
        "protocol": {"observation_minutes": 90, "approved_by": "Dr. A. Example, MD"},
    }
    first = [moment for moment in moments(planner, body) if moment.session == 1]
    begins = next(moment.start for moment in first if moment.kind == "session")
    after = next(moment for moment in first if "note when the effect began" in moment.label)
    home = next(moment for moment in first if moment.kind == "escort")
    assert after.start == home.start == begins + timedelta(minutes=90)
    talk = next(moment for moment in first if "talk for 20 minutes" in moment.label)
    assert talk.start == begins + timedelta(days=3)
    assert talk.label.startswith("Patient, by now: ")
    assert [moment.kind for moment in first if moment.start == begins][0:1] == ["session"]


def test_a_session_is_numbered_only_where_the_times_count_from_the_first(planner: Planner) -> None:
    def labels(**more: object) -> list[str]:
        found = moments(planner, {"treatment": {"session_times": TIMES, **more}})
        return [moment.label for moment in found if moment.kind == "session"]

    assert labels() == labels(sessions_completed=0) == ["Session 1", "Session 2"]
    assert labels(sessions_completed=2) == ["Session, date 1 of 2", "Session, date 2 of 2"]


def test_a_medicine_that_was_not_recognized_is_shown_as_it_was_sent(planner: Planner) -> None:
    body = {"medications": [{"name": "Klonopin"}, {"name": "St  Johnz Wort"}, {"rxcui": "99999999"}]}
    patient = planner.intake.decode(msgspec.json.encode(body))
    assert sheet(planner.plan(patient), patient)["medicines"] == [
        "clonazepam (Klonopin)",
        "“St Johnz Wort” (not recognized)",
        "RxNorm code 99999999 (not recognized)",
    ]


def test_a_question_about_a_medicine_says_which_one(planner: Planner) -> None:
    body = {"medications": [{"name": "Klonopin"}, {"name": "Ozempic"}]}
    patient = planner.intake.decode(msgspec.json.encode(body))
    plan = planner.plan(patient)
    asked = [one["question"] for one in sheet(plan, patient)["questions"]]
    assert len(set(asked)) == len(asked)
    assert "What is this medicine for? [clonazepam (Klonopin)]" in asked


def test_what_a_patient_does_not_have_is_said_without_an_article(planner: Planner) -> None:
    body = {"conditions": ["hypertension"], "lifestyle": {"nutrition": "mixed"}}
    plan = planner.plan(planner.intake.decode(msgspec.json.encode(body)))
    reasons = [reason for section in plan.sections for item in section.items for reason in item.because]
    assert "has no eating disorder" in reasons
    assert not [reason for reason in reasons if " no a " in reason or " no an " in reason]
