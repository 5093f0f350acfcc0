"""The base of everything in a plan."""

from __future__ import annotations

import msgspec


class Part(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """The base of everything in a plan: immutable, and what does not apply is left out."""
