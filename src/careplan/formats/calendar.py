"""A plan's dates as iCalendar (RFC 5545), in the clinic's time zone. Titles tell nothing about health unless asked to."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import NAMESPACE_URL, uuid5
from zoneinfo import ZoneInfo

import msgspec
from icalendar import Calendar, Event, vDatetime

from careplan.patient import Patient
from careplan.plan import CarePlan
from careplan.timeline import Kind, Moment, timeline

_PLAIN: dict[Kind, str] = {
    "session": "Appointment",
    "hold": "Reminder before and after the appointment",
    "food": "Reminder before the appointment",
    "drinks": "Reminder before the appointment",
    "observation": "Appointment, second part",
    "driving": "Reminder after the appointment",
    "escort": "Way home",
    "check_in": "Reminder",
    "review": "Review",
}
_SHORT = timedelta(minutes=30)


class Occasion(msgspec.Struct, frozen=True, kw_only=True):
    """What the caller says about a calendar: the zone, when it was made, its own opaque key, and how much to tell."""

    zone: ZoneInfo
    stamp: datetime | None = None
    key: str | None = None
    details: bool = False


def calendar(plan: CarePlan, patient: Patient, occasion: Occasion) -> bytes:
    """The calendar. Under one key an event keeps its UID, so that importing it again updates it.

    Without a key the UIDs follow from the patient's answers; without a stamp the first session's time stands in.
    """
    details, zone = occasion.details, occasion.zone
    moments = timeline(plan, patient)
    stamp = occasion.stamp or min((moment.start for moment in moments), default=datetime(1970, 1, 1, tzinfo=UTC))
    made = Calendar()
    made.add("prodid", "-//careplan//care plan//EN")
    made.add("version", "2.0")
    made.add("method", "PUBLISH")
    made.add("x-wr-calname", "Care plan (draft)" if details else "Appointments (draft)")
    seed = uuid5(NAMESPACE_URL, occasion.key or _identity(patient))
    for moment in moments:
        made.add_component(_event(moment, seed.hex, zone, stamp, details=details))
    made.add_missing_timezones()
    return bytes(made.to_ical())


def _identity(patient: Patient) -> str:
    """What tells one patient's calendar from another's without saying who it is: the answers, apart from the times."""
    treatment = msgspec.structs.replace(patient.treatment, session_times=None, sessions_completed=None, response_so_far=None)
    return msgspec.json.encode([treatment, patient.medications, patient.protocol]).decode()


def _event(moment: Moment, seed: str, zone: ZoneInfo, stamp: datetime, *, details: bool) -> Event:
    event = Event()
    name = f"{seed}/{moment.session}/{moment.kind}/{moment.item or ''}/{moment.label}"
    event.add("uid", f"{uuid5(NAMESPACE_URL, name)}@careplan")
    event.add("dtstamp", vDatetime(stamp.astimezone(UTC)))
    event.add("dtstart", moment.start.astimezone(zone))
    event.add("dtend", (moment.end or moment.start + _SHORT).astimezone(zone))
    event.add("summary", moment.label if details else _PLAIN[moment.kind])
    event.add("status", "TENTATIVE")
    event.add("class", "PRIVATE")
    event.add("transp", "OPAQUE" if moment.kind in ("session", "observation") else "TRANSPARENT")
    if details and moment.signed_by:
        event.add("description", f"Hours as entered by {moment.signed_by}.")
    return event
