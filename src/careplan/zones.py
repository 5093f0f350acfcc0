"""The time zones there are: those of the pinned data, whatever the machine has."""

from __future__ import annotations

from importlib.resources import files

_NAMES = files("tzdata").joinpath("zones").read_text("utf-8").split()
ZONES = tuple(sorted(name for name in _NAMES if name == "UTC" or ("/" in name and not name.startswith("Etc/"))))
"""IANA names of places, and UTC; old abbreviations such as EST or GMT+0 are left out."""
