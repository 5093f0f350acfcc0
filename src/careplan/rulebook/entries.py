"""The base of every entry in the files of a rulebook."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

Line = Annotated[str, Meta(min_length=1, max_length=2_000)]
Language = Annotated[str, Meta(pattern=r"^[a-z]{2}$", description="ISO 639-1 code of a language other than English")]
ENGLISH = "en"
"""The language in which rules are written."""


class Entry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The base of everything in a rulebook file: an unknown field is a fault, not a silent loss."""


class Range(Entry, frozen=True, kw_only=True):
    """From the least to the most that a figure can be meant to be."""

    least: Annotated[float, Meta(ge=0)]
    most: Annotated[float, Meta(ge=0)]
