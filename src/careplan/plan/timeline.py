"""What happens when: sessions, and around each what a named clinician's protocol or the plan itself asks for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, time, timedelta, tzinfo
from typing import Any, Literal, NamedTuple, get_args

import msgspec

from careplan.plan.model import CarePlan, Item, SignedHold, items_of
from careplan.request.patient import PROTOCOL_FIGURES, Patient, Protocol

Kind = Literal["session", "decision", "hold", "food", "drinks", "observation", "driving", "escort", "check_in", "review"]
Json = dict[str, Any]
_KINDS = get_args(Kind)
_DAYS = {"within_a_day": (1, 1), "within_three_days": (1, 3)}
"""The first and the last day after a session on which something is due."""


class Moment(msgspec.Struct, frozen=True, kw_only=True):
    """One event. `signed_by` is who entered the hours of a window.

    `session` counts the times that were sent, from 1, and `begins` is that session's; `item` is the id of the plan's item
    behind it, `ask` the place among what that item asks. With `whole_days` it runs from the start of one day to the end of
    another, because nobody said at which hour.
    """

    kind: Kind
    session: int
    begins: datetime
    start: datetime
    end: datetime | None = None
    whole_days: bool = False
    label: str
    signed_by: str | None = None
    item: str | None = None
    ask: int = 0


class _Session(NamedTuple):
    """A session in the zone in which its hours are written. Its methods place a moment around it."""

    at: int
    of: int
    begins: datetime
    watched: float | None
    """The minutes for which the clinic's signed protocol watches afterwards."""

    def here(self) -> Json:
        """At its start, with no end that anybody knows."""
        return {"session": self.at, "begins": self.begins, "start": self.begins}

    def window(self, before: float, after: float) -> Json:
        """From so many hours before its start to so many after, in elapsed time whatever the clocks do in between."""
        start, end = (
            (self.begins.astimezone(UTC) + timedelta(hours=by)).astimezone(self.begins.tzinfo) for by in (-before, after)
        )
        return self.here() | {"start": start, "end": end}

    def days(self, first: int, last: int) -> Json:
        """From the start of one day after that of the session to the end of another."""
        day = self.begins.date()
        start, end = (datetime.combine(day + timedelta(days=at), time(), self.begins.tzinfo) for at in (first, last + 1))
        return self.here() | {"start": start, "end": end, "whole_days": True}

    def over(self) -> Json:
        """At the end of the time that is watched; where nobody has said how long that is, some time that day."""
        if self.watched is None:
            return self.days(0, 0)
        return self.here() | {"start": self.window(0, self.watched / 60)["end"]}


def timeline(plan: CarePlan, patient: Patient, zone: tzinfo | None = None) -> list[Moment]:
    """The events around each session, in order and in one time zone, or else in the offset in which its time was sent.

    There are none where no times of sessions were sent; a time that was sent twice counts once.
    """
    begins = sorted(set(patient.treatment.session_times or ()))
    protocol = _quoted(plan, patient)
    watched = protocol.observation_minutes or None
    sessions = [_Session(at, len(begins), _local(when, zone), watched) for at, when in enumerate(begins, 1)]
    found: dict[tuple[object, ...], Moment] = {}
    around = (moment for session in sessions for moment in _around(plan, patient, protocol, session))
    for moment in (*_over_the_series(plan, sessions), *around):
        # Two medicines may ask the same of the same person; it is done once.
        found.setdefault((moment.session, moment.kind, moment.start, moment.end, moment.label), moment)
    return sorted(found.values(), key=_order)


def _order(moment: Moment) -> tuple[float, int, int, str, str]:
    """By time; what has a day and no hour comes after all that has an hour on that day."""
    day = timedelta(days=1).total_seconds() - 1 if moment.whole_days else 0
    return moment.start.timestamp() + day, moment.session, _KINDS.index(moment.kind), moment.label, moment.item or ""


def _local(when: datetime, zone: tzinfo | None) -> datetime:
    return when if zone is None else when.astimezone(zone)


def _around(plan: CarePlan, patient: Patient, protocol: Protocol, session: _Session) -> Iterator[Moment]:
    yield Moment(kind="session", label=_named(patient, session), **session.here())
    yield from _figures(protocol, session)
    # Nobody leaves alone.
    yield Moment(kind="escort", label="Way home with an adult", **session.over())
    for item in items_of(plan):
        yield from _asked(item, session)


def _over_the_series(plan: CarePlan, sessions: Sequence[_Session]) -> Iterator[Moment]:
    """Signed holds, with windows that touch made into one, and the gaps over which somebody has to decide first.

    A gap stands on the days of its sessions: its hours are those of a hold that nobody may be shown yet.
    """
    for item in items_of(plan):
        names = ", ".join(about.name for about in item.about)
        if item.hold is not None:
            yield from _joined(item, item.hold, f"{names}: hold for prescriber and clinic to confirm", sessions)
        if item.gap is not None:
            within = [one for one in sessions if item.gap.begins <= one.begins <= item.gap.ends]
            label = f"{names}: prescriber and clinic decide first how it is taken over these sessions"
            if within:
                days = within[0].days(0, (within[-1].begins.date() - within[0].begins.date()).days)
                yield Moment(kind="decision", label=label, item=item.id, **days)


def _joined(item: Item, hold: SignedHold, label: str, sessions: Sequence[_Session]) -> Iterator[Moment]:
    window: Json | None = None
    for session in sessions:
        found = session.window(hold.before_hours, hold.after_hours)
        if window is not None and found["start"] <= window["end"]:
            window["end"] = max(window["end"], found["end"])
            continue
        if window is not None:
            yield Moment(kind="hold", label=label, signed_by=hold.approved_by, item=item.id, **window)
        window = found
    if window is not None:
        yield Moment(kind="hold", label=label, signed_by=hold.approved_by, item=item.id, **window)


def _named(patient: Patient, session: _Session) -> str:
    """What a session is called. Once some are done, nobody says whether the times sent count from the first one."""
    done = patient.treatment.sessions_completed
    return f"Session, date {session.at} of {session.of}" if done else f"Session {session.at}"


def _quoted(plan: CarePlan, patient: Patient) -> Protocol:
    """The figures of the clinic's protocol that somebody signed and the plan considered."""
    protocol = patient.protocol
    if protocol is None or protocol.approved_by is None:
        return Protocol()
    left_out = {entry.pointer for entry in plan.not_considered}
    return msgspec.structs.replace(protocol, **{name: None for name in PROTOCOL_FIGURES if f"/protocol/{name}" in left_out})


def _figures(protocol: Protocol, session: _Session) -> Iterator[Moment]:
    """The windows of the clinic's protocol."""
    windows: tuple[tuple[Kind, str, float | None, float | None], ...] = (
        ("food", "No solid food", protocol.solid_food_hours, None),
        ("drinks", "No drinks", protocol.clear_fluid_hours, None),
        ("observation", "Watched at the clinic", None, (session.watched or 0) / 60),
        ("driving", "No driving", None, protocol.driving_hours),
    )
    for kind, label, before, after in windows:
        if before or after:
            window = session.window(before or 0, after or 0)
            yield Moment(kind=kind, label=label, signed_by=protocol.approved_by, **window)


def _asked(item: Item, session: _Session) -> Iterator[Moment]:
    """What an item asks of somebody after a session, and the reviews in the middle and at the end of the series.

    A number of days counts from the session where it is about aftercare, and elsewhere from when the plan is read.
    """
    for at, ask in enumerate(item.asks):
        label = f"{ask.who.replace('_', ' ').capitalize()}: {ask.what}"
        if ask.by == "after_each_session":
            yield Moment(kind="check_in", label=label, item=item.id, ask=at, **session.over())
        elif ask.by in _DAYS and item.section == "aftercare":
            yield Moment(kind="check_in", label=label, item=item.id, ask=at, **session.days(*_DAYS[ask.by]))
        elif (ask.by, session.at) in (("mid_series", (session.of + 1) // 2), ("end_of_series", session.of)):
            yield Moment(kind="review", label=label, item=item.id, ask=at, **session.days(0, 0))
