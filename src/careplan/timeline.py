"""What happens when: sessions, and around each what a named clinician's protocol or the plan itself asks for."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Literal

import msgspec

from careplan.patient import Patient
from careplan.plan import CarePlan, Item

Kind = Literal["session", "hold", "food", "drinks", "observation", "driving", "escort", "check_in", "review"]


class Moment(msgspec.Struct, frozen=True, kw_only=True):
    """One event. Times carry their offset from UTC; `signed_by` is who entered the hours of a window.

    `session` counts from 1; `item` is the id of the plan's item behind it.
    """

    kind: Kind
    session: int
    start: datetime
    end: datetime | None = None
    label: str
    signed_by: str | None = None
    item: str | None = None


def timeline(plan: CarePlan, patient: Patient) -> list[Moment]:
    """The events around each session, in order; none where no times of sessions were sent."""
    sessions = sorted(patient.treatment.session_times or ())
    found = [moment for at, begins in enumerate(sessions, 1) for moment in _around(plan, patient, at, begins, len(sessions))]
    return sorted(found, key=lambda moment: (moment.start, moment.session, moment.kind, moment.label))


def _around(plan: CarePlan, patient: Patient, at: int, begins: datetime, last: int) -> Iterator[Moment]:
    yield Moment(kind="session", session=at, start=begins, label=f"Session {at}")
    for item in _items(plan):
        if item.hold is not None:
            yield Moment(
                kind="hold",
                session=at,
                start=begins - timedelta(hours=item.hold.before_hours),
                end=begins + timedelta(hours=item.hold.after_hours),
                label=f"{', '.join(about.name for about in item.about)}: hold for prescriber and clinic to confirm",
                signed_by=item.hold.approved_by,
                item=item.id,
            )
    yield from _figures(patient, at, begins)
    yield _way_home(patient, at, begins)
    for item in _items(plan):
        for ask in item.asks:
            days = {"within_a_day": 1, "within_three_days": 3, "after_each_session": 1}.get(ask.by)
            if days is not None:
                due = begins + timedelta(days=days)
                yield Moment(kind="check_in", session=at, start=due, label=f"{_who(ask.who)}: {ask.what}", item=item.id)
            elif (ask.by, at) in (("mid_series", (last + 1) // 2), ("end_of_series", last)):
                yield Moment(kind="review", session=at, start=begins, label=f"{_who(ask.who)}: {ask.what}", item=item.id)


def _figures(patient: Patient, at: int, begins: datetime) -> Iterator[Moment]:
    """The windows of the clinic's protocol: only figures that somebody signed."""
    protocol = patient.protocol
    if protocol is None or protocol.approved_by is None:
        return
    minutes = protocol.observation_minutes
    windows: tuple[tuple[Kind, str, float | None, float | None], ...] = (
        ("food", "No solid food", protocol.solid_food_hours, None),
        ("drinks", "No drinks", protocol.clear_fluid_hours, None),
        ("observation", "Watched at the clinic", None, None if minutes is None else minutes / 60),
        ("driving", "No driving", None, protocol.driving_hours),
    )
    for kind, label, before, after in windows:
        if before or after:
            start, end = begins - timedelta(hours=before or 0), begins + timedelta(hours=after or 0)
            yield Moment(kind=kind, session=at, start=start, end=end, label=label, signed_by=protocol.approved_by)


def _way_home(patient: Patient, at: int, begins: datetime) -> Moment:
    """Nobody leaves alone: at the end of the time that the clinic's signed protocol watches, or else with the session."""
    protocol = patient.protocol
    minutes = protocol.observation_minutes if protocol and protocol.approved_by else None
    return Moment(kind="escort", session=at, start=begins + timedelta(minutes=minutes or 0), label="Way home with an adult")


def _items(plan: CarePlan) -> Iterator[Item]:
    yield from plan.alerts
    for section in plan.sections:
        yield from section.items


def _who(who: str) -> str:
    return who.replace("_", " ").capitalize()
