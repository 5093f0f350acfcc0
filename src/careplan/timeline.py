"""What happens when: sessions, and around each what a named clinician's protocol or the plan itself asks for."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Literal, get_args

import msgspec

from careplan.patient import PROTOCOL_FIGURES, Patient, Protocol
from careplan.plan import CarePlan, Item

Kind = Literal["session", "hold", "food", "drinks", "observation", "driving", "escort", "check_in", "review"]
_KINDS = get_args(Kind)
_DAYS = {"within_a_day": 1, "within_three_days": 3}


class Moment(msgspec.Struct, frozen=True, kw_only=True):
    """One event. Times carry their offset from UTC; `signed_by` is who entered the hours of a window.

    `session` counts the times that were sent, from 1; `item` is the id of the plan's item behind it.
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
    return sorted(found, key=lambda moment: (moment.start, moment.session, _KINDS.index(moment.kind), moment.label))


def _around(plan: CarePlan, patient: Patient, at: int, begins: datetime, last: int) -> Iterator[Moment]:
    yield Moment(kind="session", session=at, start=begins, label=_session(patient, at, last))
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
    protocol = _quoted(plan, patient)
    yield from _figures(protocol, at, begins)
    over = _over(protocol, begins)
    # Nobody leaves alone.
    yield Moment(kind="escort", session=at, start=over, label="Way home with an adult")
    for item in _items(plan):
        for ask in item.asks:
            if ask.by == "after_each_session":
                yield Moment(kind="check_in", session=at, start=over, label=f"{_who(ask.who)}: {ask.what}", item=item.id)
            elif ask.by in _DAYS:
                due, label = begins + timedelta(days=_DAYS[ask.by]), f"{_who(ask.who)}, by now: {ask.what}"
                yield Moment(kind="check_in", session=at, start=due, label=label, item=item.id)
            elif (ask.by, at) in (("mid_series", (last + 1) // 2), ("end_of_series", last)):
                yield Moment(kind="review", session=at, start=begins, label=f"{_who(ask.who)}: {ask.what}", item=item.id)


def _session(patient: Patient, at: int, last: int) -> str:
    """What a session is called. Once some are done, nobody says whether the times sent count from the first one."""
    return f"Session, date {at} of {last}" if patient.treatment.sessions_completed else f"Session {at}"


def _quoted(plan: CarePlan, patient: Patient) -> Protocol:
    """The figures of the clinic's protocol that somebody signed and the plan considered."""
    protocol = patient.protocol
    if protocol is None or protocol.approved_by is None:
        return Protocol()
    left_out = {entry.pointer for entry in plan.not_considered}
    return msgspec.structs.replace(protocol, **{name: None for name in PROTOCOL_FIGURES if f"/protocol/{name}" in left_out})


def _figures(protocol: Protocol, at: int, begins: datetime) -> Iterator[Moment]:
    """The windows of the clinic's protocol."""
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


def _over(protocol: Protocol, begins: datetime) -> datetime:
    """The end of the time that the clinic's signed protocol watches, or else the session itself."""
    return begins + timedelta(minutes=protocol.observation_minutes or 0)


def _items(plan: CarePlan) -> Iterator[Item]:
    yield from plan.alerts
    for section in plan.sections:
        yield from section.items


def _who(who: str) -> str:
    return who.replace("_", " ").capitalize()
