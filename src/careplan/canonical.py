"""Canonical JSON (RFC 8785), and digests over it."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Any

import rfc8785


def canonical(data: Any) -> bytes:
    """Plain data as canonical JSON (RFC 8785). Raises `ValueError` for what it cannot say."""
    return rfc8785.dumps(data)


def joined(parts: Mapping[str, bytes]) -> bytes:
    """An object as canonical JSON whose values are so already, by their ASCII names."""
    return b"{%s}" % b",".join(b'"%s":%s' % (name.encode(), parts[name]) for name in sorted(parts))


def digest_of(data: Mapping[str, Any]) -> str:
    """The digest of an object as plain data; what is in its own field `digest` does not count.

    Raises `ValueError` for what canonical JSON cannot say, such as a half of a surrogate pair.
    """
    return sha256(canonical({name: value for name, value in data.items() if name != "digest"})).hexdigest()
