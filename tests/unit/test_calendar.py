"""A plan's dates as a calendar: what stands in it, what it keeps to itself, and which events are the same as before."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from icalendar import Calendar

from careplan.formats.calendar import calendar
from careplan.planner import Planner
from tests.unit.test_timeline import NEW_YORK, SIGNED, TIMES, json_copy

Json = dict[str, Any]
BODY: Json = SIGNED | {"treatment": {"session_times": TIMES, "sessions_completed": 0}}


def made(planner: Planner, body: Json, **said: Any) -> Any:
    patient = planner.intake.decode(msgspec.json.encode(body))
    written = calendar(planner.plan(patient), patient, **({"zone": NEW_YORK} | said))
    assert all(len(line) <= 75 for line in written.split(b"\r\n"))
    return Calendar.from_ical(written)


def events(planner: Planner, body: Json, **said: Any) -> list[Any]:
    return list(made(planner, body, **said).walk("VEVENT"))


def uids(planner: Planner, body: Json, key: str | None = "course-7") -> dict[str, Any]:
    found = {str(event["UID"]): event["DTSTART"].dt for event in events(planner, body, key=key)}
    assert len(found) == len(events(planner, body))
    return found


def changed(path: str, value: object) -> Json:
    body = json_copy(BODY)
    *parents, last = path.split("/")
    part: Any = body
    for name in parents:
        part = part[int(name)] if isinstance(part, list) else part[name]
    part[last] = value
    return body


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("treatment/sessions_completed", 1),
        ("medications/0/name", "Ativan 0.5 mg"),
        ("protocol/holds/0/before_hours", 24),
        ("protocol/driving_hours", 36),
        ("support/trusted_people", 0),
    ],
)
def test_under_one_key_an_event_keeps_its_uid_when_answers_change(planner: Planner, path: str, value: object) -> None:
    before, after = uids(planner, BODY), uids(planner, changed(path, value))
    assert before.keys() <= after.keys()


def test_under_one_key_the_events_of_a_session_stay_when_another_comes_goes_or_moves(planner: Planner) -> None:
    def of(*times: str) -> set[str]:
        return set(uids(planner, changed("treatment/session_times", list(times))))

    both, earlier, later = of(*TIMES), of(TIMES[1]), of(TIMES[0])
    assert earlier < both
    assert later < both
    assert both < of(*TIMES, "2026-11-20T09:30:00-05:00")
    assert both == of(*reversed(TIMES)) == of(TIMES[0], "2026-12-01T14:30:00Z")
    assert of(TIMES[0], "2026-12-01T14:00:00-05:00") & both == later


def test_another_key_gives_other_events(planner: Planner) -> None:
    assert uids(planner, BODY).keys().isdisjoint(uids(planner, BODY, key="course-8"))


@pytest.mark.parametrize(("name", "value"), [("age_years", 44), ("pregnancy", "not_pregnant"), ("other_conditions", ["x"])])
def test_without_a_key_patients_with_any_answer_apart_share_no_event(planner: Planner, name: str, value: object) -> None:
    one, other = uids(planner, BODY, key=None), uids(planner, BODY | {name: value}, key=None)
    assert one.keys().isdisjoint(other)
    assert one == uids(planner, BODY, key=None)


def test_what_follows_a_session_stands_after_it(planner: Planner) -> None:
    found = {str(event["SUMMARY"]): event for event in events(planner, BODY, details=True)}
    therapist = next(event for title, event in found.items() if title.startswith("Therapist: see or call"))
    assert (therapist["DTSTART"].dt, therapist["DTEND"].dt) == (date(2026, 12, 9), date(2026, 12, 12))
    assert found["Way home with an adult"]["DTSTART"].dt == datetime(2026, 12, 8, 11, tzinfo=NEW_YORK)


def test_without_the_minutes_of_observation_what_follows_takes_the_day_and_no_end_is_made_up(planner: Planner) -> None:
    body = {"treatment": {"session_times": TIMES[:1]}}
    found = {str(event["SUMMARY"]): event for event in events(planner, body)}
    assert found["Way home"]["DTSTART"].dt == date(2026, 12, 8)
    assert found["Way home"]["DTEND"].dt == date(2026, 12, 9)
    assert "DTEND" not in found["Appointment"]


def test_days_are_those_of_the_place_whatever_day_it_is_elsewhere(planner: Planner) -> None:
    evening = {"treatment": {"session_times": ["2026-12-08T20:00:00-05:00"]}}
    for said in ({"zone": NEW_YORK}, {"zone": None}):
        found = {str(event["SUMMARY"]): event["DTSTART"].dt for event in events(planner, evening, **said)}
        assert found["Way home"] == date(2026, 12, 8)
        assert found["Appointment"].astimezone(UTC) == datetime(2026, 12, 9, 1, tzinfo=UTC)


def test_titles_without_details_can_be_told_apart(planner: Planner) -> None:
    titles = [str(event["SUMMARY"]) for event in events(planner, BODY | {"treatment": {"session_times": TIMES[:1]}})]
    assert len(titles) > 6
    assert len(set(titles)) == len(titles)


@pytest.mark.parametrize("details", [False, True])
def test_the_calendar_of_a_blocked_plan_says_so_first_and_on_every_event(planner: Planner, *, details: bool) -> None:
    body = BODY | {"red_flags": BODY["red_flags"] | {"suicidal_thoughts": "plan_or_intent"}}
    found = made(planner, body, details=details)
    shown = list(found.walk("VEVENT"))
    assert "blocked" in str(shown[0]["SUMMARY"])
    assert "a clinician must act first" in str(shown[0]["SUMMARY"])
    assert (
        min(event["DTSTART"].dt for event in shown if not isinstance(event["DTSTART"].dt, datetime))
        == shown[0]["DTSTART"].dt
    )
    assert {str(event["STATUS"]) for event in shown} == {"TENTATIVE"}
    assert all("blocked" in str(event["DESCRIPTION"]) for event in shown[1:])
    assert "suicid" not in found.to_ical().decode().lower() or details
    assert not [event for event in events(planner, BODY) if "blocked" in str(event)]


@pytest.mark.parametrize("blocked", [False, True])
def test_without_times_there_is_no_event_and_still_a_valid_calendar(planner: Planner, *, blocked: bool) -> None:
    body = {"red_flags": {"chest_pain_now": True}} if blocked else {}
    found = made(planner, body)
    assert list(found.walk("VEVENT")) == []
    (note,) = found.walk("VJOURNAL")
    assert {"UID", "DTSTAMP", "SUMMARY"} <= set(note)
    assert ("blocked" in str(note["DESCRIPTION"])) is blocked


@pytest.mark.parametrize("when", ["1970-01-01T00:00:00+14:00", "2026-07-01T12:00:00Z", "2199-12-31T23:59:59-12:00"])
@pytest.mark.parametrize("zone", ["America/New_York", "Europe/Lisbon", "Asia/Tokyo"])
def test_the_zone_is_described_for_the_years_of_the_events(planner: Planner, when: str, zone: str) -> None:
    body = SIGNED | {"treatment": {"session_times": [when]}}
    found = made(planner, body, zone=ZoneInfo(zone), details=True)
    session = next(event for event in found.walk("VEVENT") if str(event["SUMMARY"]) == "Session 1")
    (described,) = found.walk("VTIMEZONE")
    starts = session["DTSTART"].dt
    assert starts.astimezone(UTC) == datetime.fromisoformat(when).astimezone(UTC)
    assert described.to_tz().utcoffset(starts.replace(tzinfo=None)) == starts.utcoffset()
    assert isinstance(starts.utcoffset(), timedelta)
