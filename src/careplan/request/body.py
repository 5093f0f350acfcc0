"""The base of everything a caller sends."""

from __future__ import annotations

import msgspec


class Body(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True, gc=False):
    """The base of everything a caller sends: immutable, and an unknown field is refused rather than lost."""
