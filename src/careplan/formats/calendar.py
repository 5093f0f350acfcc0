"""A plan's dates as iCalendar (RFC 5545), in the clinic's time zone. Titles tell nothing about health unless asked to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from uuid import NAMESPACE_URL, uuid5
from zoneinfo import ZoneInfo

import msgspec
from icalendar import Calendar, Component, Event, Journal, vDatetime

from careplan.formats.calendar_zones import zone_component
from careplan.plan.model import CarePlan
from careplan.plan.timeline import Kind, Moment, timeline
from careplan.request.patient import Patient
from careplan.zones import shown_twice

_PLAIN: dict[Kind, str] = {
    "session": "Appointment",
    "decision": "Before the appointment, reminder {}",
    "hold": "Around the appointment, reminder {}",
    "food": "Before the appointment, reminder {}",
    "drinks": "Before the appointment, reminder {}",
    "observation": "Appointment, second part",
    "driving": "After the appointment, reminder {}",
    "escort": "Way home",
    "check_in": "After the appointment, reminder {}",
    "review": "Review {}",
}
"""Titles without details; reminders of one appointment are numbered, so that they can be told apart."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DRAFT = "Draft: a clinician has not signed this yet."
_BLOCKED = "This plan is blocked: a clinician must act first."


def calendar(  # noqa: PLR0913 - one argument for each thing that a calendar is told
    plan: CarePlan,
    patient: Patient,
    *,
    zone: ZoneInfo | None = None,
    stamp: datetime | None = None,
    version: int | None = None,
    key: str | None = None,
    details: bool = False,
) -> bytes:
    """The calendar. Under one key an event keeps its UID, so that importing it again updates it.

    An event is known by its session's time, what it is and the rule behind it. Without a key the UIDs follow from all that
    was sent, so that no two patients share one.

    Args:
        plan: what is planned.
        patient: whose plan it is, for the times of sessions.
        zone: of the hours; without one they are in UTC, and days are those of the offsets that were sent.
        stamp: when the calendar was made; without one the first session's time stands in.
        version: which version of the caller's record this is, so that readers keep the newest; without one the minutes of
            `stamp` stand in.
        key: the caller's own opaque key of this course of treatment.
        details: whether titles may tell about health.

    """
    moments = timeline(plan, patient, zone)
    blocked = plan.status == "blocked"
    made_at = (stamp or min((one.begins for one in moments), default=_EPOCH)).astimezone(UTC)
    sequence = version if version is not None else _minutes(stamp) if stamp else None
    seed = uuid5(NAMESPACE_URL, key or msgspec.json.encode(patient).decode()).hex
    ical = Calendar()
    ical.add("prodid", "-//careplan//care plan//EN")
    ical.add("version", "2.0")
    ical.add("method", "PUBLISH")
    ical.add("x-wr-calname", "Care plan (draft)" if details else "Appointments (draft)")
    ical.add("x-wr-caldesc", _BLOCKED if blocked else _DRAFT)
    for event in [
        *_first(moments, seed, blocked=blocked),
        *_events(moments, seed, zone, details=details, blocked=blocked),
    ]:
        event.add("dtstamp", vDatetime(made_at))
        if stamp is not None:
            event.add("last-modified", vDatetime(made_at))
        if sequence is not None:
            event.add("sequence", sequence)
        ical.add_component(event)
    if zone is not None and zone.key != "UTC" and any(not one.whole_days for one in moments):
        first, last = min(one.start for one in moments), max(one.end or one.start for one in moments)
        ical.subcomponents.insert(0, zone_component(zone, first, last))
    return bytes(ical.to_ical())


def _first(moments: Sequence[Moment], seed: str, *, blocked: bool) -> Iterator[Component]:
    """What comes before everything else: that the plan is blocked, or that there is nothing to put into a calendar."""
    if not moments:
        note = Journal()
        note.add("uid", _uid(seed, "nothing"))
        note.add("summary", "No times of appointments were sent")
        note.add("description", _BLOCKED if blocked else _DRAFT)
        yield note
    elif blocked:
        event = Event()
        event.add("uid", _uid(seed, "blocked"))
        _on(event, moments[0].start.date(), moments[0].start.date() + timedelta(days=1))
        event.add("summary", _BLOCKED)
        event.add("status", "TENTATIVE")
        event.add("class", "PRIVATE")
        event.add("transp", "TRANSPARENT")
        yield event


def _events(moments: Sequence[Moment], seed: str, zone: ZoneInfo | None, *, details: bool, blocked: bool) -> Iterator[Event]:
    names: Counter[str] = Counter()
    titles: Counter[tuple[int, str]] = Counter()
    for moment in moments:
        session = moment.begins.astimezone(UTC).isoformat()
        name = f"{session}/{moment.kind}/{moment.item or ''}/{moment.ask}"
        title = _PLAIN[moment.kind]
        names[name] += 1
        titles[moment.session, title] += 1
        event = Event()
        event.add("uid", _uid(seed, name if names[name] == 1 else f"{name}/{names[name]}"))
        if moment.whole_days and moment.end is not None:
            _on(event, moment.start.date(), moment.end.date())
        else:
            event.add("dtstart", _at(moment.start, zone))
            if moment.end is not None:
                event.add("dtend", _at(moment.end, zone))
        event.add("summary", moment.label if details else title.format(titles[moment.session, title]))
        signed = f" Hours as entered by {moment.signed_by}." if details and moment.signed_by else ""
        event.add("description", (_BLOCKED if blocked else _DRAFT) + signed)
        event.add("status", "TENTATIVE")
        event.add("class", "PRIVATE")
        event.add("transp", "OPAQUE" if moment.kind in ("session", "observation") else "TRANSPARENT")
        yield event


def _at(when: datetime, zone: ZoneInfo | None) -> datetime:
    """A time in the zone; in UTC where the clock shows it twice, as readers differ in which they take."""
    there = when.astimezone(zone or UTC)
    return when.astimezone(UTC) if shown_twice(there) else there


def _minutes(stamp: datetime) -> int:
    """A number that rises with the time and is small enough for every reader."""
    return max(0, (stamp - _EPOCH) // timedelta(minutes=1)) % 2**31


def _on(event: Event, first: date, after: date) -> None:
    """Let an event last whole days, which have no time zone."""
    event.add("dtstart", first)
    event.add("dtend", after)


def _uid(seed: str, name: str) -> str:
    return f"{uuid5(NAMESPACE_URL, f'{seed}/{name}')}@careplan"
