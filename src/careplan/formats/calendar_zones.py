"""Time zones as calendars describe them (VTIMEZONE of RFC 5545): yearly rules, and single changes where there is no rule.

Dates of changes by RDATE, as libraries write them, are skipped by some readers, which then show every hour of half a year
one hour off.
"""

from __future__ import annotations

import calendar
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from icalendar import Timezone, TimezoneDaylight, TimezoneStandard, vRecur

_DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_YEARS_ON = 4
"""For so many years after the last event a rule must hold to be one."""
_ONCE = vRecur({"FREQ": ["YEARLY"], "COUNT": [1]})
"""The rule of a change that follows none: some readers pass over what has no rule."""
_FIRST = datetime(1970, 1, 1)


class _Change(NamedTuple):
    """One change of the clocks. `wall` is what they show then, before they are changed."""

    wall: datetime
    before: timedelta
    after: timedelta
    name: str


def zone_component(zone: ZoneInfo, first: datetime, last: datetime) -> Timezone:
    """The description of a zone that holds for all times between two."""
    changes = list(_changes(zone, first.year - 2, min(last.year + _YEARS_ON, 9998)))
    timezone = Timezone()
    timezone.add("tzid", zone.key)
    parts: dict[tuple[timedelta, timedelta, str], list[_Change]] = {}
    for change in changes:
        parts.setdefault((change.before, change.after, change.name), []).append(change)
    if not changes:
        timezone.add_component(_steady(zone, first))
    yearly = _is_yearly(changes)
    for found in parts.values():
        for change in found[:1] if yearly else found:
            timezone.add_component(_observance(change, (_rule(found) if yearly else None) or _ONCE))
    return timezone


def _changes(zone: ZoneInfo, first: int, last: int) -> Iterator[_Change]:
    at = datetime(max(first, 1), 1, 1, tzinfo=UTC)
    end = datetime(last + 1, 1, 1, tzinfo=UTC)
    while at < end:
        following = min(at + timedelta(days=28), end)
        if at.astimezone(zone).utcoffset() != following.astimezone(zone).utcoffset():
            yield _between(zone, at, following)
        at = following


def _between(zone: ZoneInfo, low: datetime, high: datetime) -> _Change:
    """The change between two instants of which there is one, to the second."""
    before = low.astimezone(zone).utcoffset() or timedelta()
    while high - low > timedelta(seconds=1):
        middle = low + timedelta(seconds=(high - low) // timedelta(seconds=2))
        if middle.astimezone(zone).utcoffset() == before:
            low = middle
        else:
            high = middle
    there = high.astimezone(zone)
    after = there.utcoffset() or timedelta()
    return _Change((high + before).replace(tzinfo=None), before, after, there.tzname() or "")


def _is_yearly(changes: Sequence[_Change]) -> bool:
    """Whether the clocks are changed twice each year by the same two rules."""
    kinds = {(change.before, change.after, change.name) for change in changes}
    years: dict[int, int] = {}
    for change in changes:
        years[change.wall.year] = years.get(change.wall.year, 0) + 1
    return (
        len(kinds) == 2
        and set(years.values()) == {2}
        and all(_rule([one for one in changes if (one.before, one.after, one.name) == kind]) is not None for kind in kinds)
    )


def _rule(changes: Sequence[_Change]) -> vRecur | None:
    """The yearly rule that all of these follow; None where there is none."""
    walls = [change.wall for change in changes]
    if len({(wall.month, wall.weekday(), wall.time()) for wall in walls}) != 1:
        return None
    places = set.intersection(*(_places(wall) for wall in walls))
    if not places:
        return None
    day = f"{max(places)}{_DAYS[walls[0].weekday()]}"
    return vRecur({"FREQ": ["YEARLY"], "BYMONTH": [walls[0].month], "BYDAY": [day]})


def _places(wall: datetime) -> set[int]:
    """Which of its weekdays in its month a day is, from the first and from the last on."""
    last = calendar.monthrange(wall.year, wall.month)[1]
    return {(wall.day - 1) // 7 + 1} | ({-1} if wall.day + 7 > last else set())


def _observance(change: _Change, rule: vRecur) -> TimezoneStandard | TimezoneDaylight:
    # By what the clocks do: summer time by its name can be the hour that is put back, as in Ireland, and readers stumble.
    period = TimezoneDaylight() if change.after > change.before else TimezoneStandard()
    period.add("dtstart", change.wall)
    period.add("tzoffsetfrom", change.before)
    period.add("tzoffsetto", change.after)
    period.add("tzname", change.name)
    period.add("rrule", rule)
    return period


def _steady(zone: ZoneInfo, at: datetime) -> TimezoneStandard:
    there = at.astimezone(zone)
    period = TimezoneStandard()
    period.add("dtstart", _FIRST)
    period.add("tzoffsetfrom", there.utcoffset() or timedelta())
    period.add("tzoffsetto", there.utcoffset() or timedelta())
    period.add("tzname", there.tzname() or zone.key)
    period.add("rrule", _ONCE)
    return period
