"""Parts of a rulebook kept by the content of their files, for whoever loads nearly the same files again and again.

That is who writes rules. A service loads a rulebook once, and keeps none.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Hashable
from typing import Any, TypeVar

from careplan.rulebook.folder import Files

T = TypeVar("T")

_MADE_OF_ALL = frozenset({"rules.lock", "proof.cert", "proof.steps"})


class KeptParts:
    """What one loading made or used is there for the next one, and no longer. For one thread at a time."""

    def __init__(self) -> None:
        self._before: dict[Hashable, Any] = {}
        self._now: dict[Hashable, Any] = {}

    def begin(self) -> None:
        """Begin a loading."""
        self._before, self._now = self._now, {}

    def of(self, key: Hashable, make: Callable[[], T], sound: Callable[[T], bool]) -> T:
        """What is known by this key; else what is made now, which is kept if it is sound."""
        found: T
        if key in self._now:
            found = self._now[key]
            return found
        found = self._before[key] if key in self._before else make()
        if sound(found):
            self._now[key] = found
        return found


def mark_of_lists(files: Files, apart: Collection[str]) -> bytes:
    """The SHA-256 of all that rules may name: every file but those in the folders `apart` and those made of all others."""
    found = hashlib.sha256()
    for path, content in files.items():
        if path.parts[0] not in apart and str(path) not in _MADE_OF_ALL:
            found.update(b"%s\0%d\0%s" % (str(path).encode(), len(content), content))
    return found.digest()
