"""The time zones there are: those of the pinned data, whatever the machine has."""

from __future__ import annotations

from importlib.resources import files

ZONES = tuple(sorted(files("tzdata").joinpath("zones").read_text("utf-8").split()))
"""IANA names."""
