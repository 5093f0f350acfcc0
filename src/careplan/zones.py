"""Time zones, from the pinned data and not from the machine, and times written out in one of them."""

from __future__ import annotations

from datetime import datetime, tzinfo
from importlib.resources import files
from zoneinfo import ZoneInfo

_NAMES = files("tzdata").joinpath("zones").read_text("utf-8").split()
_BARE = ("UTC", "UCT", "Universal", "Zulu", "GMT", "Greenwich")
_OF_UTC = frozenset({*_BARE, *(f"Etc/{name}" for name in _BARE)})
"""The names under which programs know UTC; of GMT+0 and GMT-0 generators of clients would make one name."""
ZONES = tuple(sorted(_OF_UTC.union(name for name in _NAMES if "/" in name and not name.startswith("Etc/"))))
"""IANA names of places, and of UTC; old abbreviations such as EST, and offsets such as GMT+0, are left out."""


def is_a_zone(name: str) -> bool:
    """Whether there is a time zone of this name."""
    return name in ZONES


def zone_of(name: str) -> ZoneInfo:
    """The zone of one of the names that there are; UTC under one name, whichever it was called by."""
    return ZoneInfo("UTC" if name in _OF_UTC else name)


def zone_words(zone: tzinfo | None) -> str:
    """In which zone hours are written; without one each stands as it was sent, with its offset."""
    if zone is None:
        return "Hours stand as they were sent, each with its offset from UTC."
    return "All hours are UTC." if str(zone) == "UTC" else f"All hours are local time in {_place(zone)} ({zone})."


def hour(when: datetime, zone: tzinfo | None) -> str:
    """A time in tables. Where the clock alone would not tell which hour is meant, its offset from UTC stands behind it."""
    plain = when.strftime("%Y-%m-%d %H:%M")
    return plain if zone is not None and not shown_twice(when) else f"{plain} {_offset(when)}"


def shown_twice(when: datetime) -> bool:
    """Whether the clock shows this time twice that day, as it does when summer time ends."""
    return when.replace(fold=1 - when.fold).utcoffset() != when.utcoffset()


def _offset(when: datetime) -> str:
    apart = when.strftime("%z")
    return f"UTC{apart[:3]}:{apart[3:5]}" if when.utcoffset() else "UTC"


def _place(zone: tzinfo) -> str:
    return str(zone).rpartition("/")[2].replace("_", " ")
