"""The base of all parts of a plan, and one small part that many others have."""

from __future__ import annotations

import msgspec


class Part(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """The base of everything in a plan: immutable, and what does not apply is left out."""


class Choice(Part, frozen=True, kw_only=True):
    """One answer of several: the token to send, and its words."""

    value: str
    label: str
