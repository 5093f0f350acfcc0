"""The time around sessions that a signed hold covers, joined where two sessions are so near that their windows touch."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from careplan.request.patient import Hold

DOSING_INTERVAL_HOURS = 24.0
"""The time between two doses of a medicine that is taken once a day."""


class Window(NamedTuple):
    """A time without a medicine, from `begins` to `ends`."""

    begins: datetime
    ends: datetime

    @property
    def hours(self) -> float:
        """How long it lasts, in hours that pass and not in those that a clock shows."""
        return (self.ends - self.begins) / timedelta(hours=1)


def joined(hold: Hold, sessions: Iterable[datetime]) -> list[Window]:
    """The windows of a hold around sessions, in order, with those that touch made into one."""
    windows: list[Window] = []
    # In one zone, so that a change of the clocks changes no length.
    for session in sorted({one.astimezone(UTC) for one in sessions}):
        begins = session - timedelta(hours=hold.before_hours)
        ends = session + timedelta(hours=hold.after_hours)
        if windows and begins <= windows[-1].ends:
            windows[-1] = Window(windows[-1].begins, max(ends, windows[-1].ends))
        else:
            windows.append(Window(begins, ends))
    return windows


def longest(hold: Hold, sessions: Iterable[datetime]) -> Window | None:
    """The longest of these windows; None where no times of sessions are known."""
    return max(joined(hold, sessions), key=lambda window: window.hours, default=None)


def misses_no_dose(hold: Hold, sessions: Iterable[datetime]) -> bool:
    """Whether every window lies between two doses of a medicine that is taken once a day."""
    windows = joined(hold, sessions)
    hours = max((window.hours for window in windows), default=hold.before_hours + hold.after_hours)
    return hours < DOSING_INTERVAL_HOURS
