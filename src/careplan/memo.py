"""A bounded memory for what would otherwise be worked out again for every request. Full, it forgets all and begins anew.

What is remembered must follow from its key alone, so that an answer is the same with and without it; and neither key nor
value may hold a caller's own words, as it outlives the request.
"""

from __future__ import annotations

from typing import TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")


class Memo(dict[Key, Value]):
    """A dictionary of at most `most` entries, filled by `keep`."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self._most = most

    def keep(self, key: Key, value: Value) -> Value:
        """Remember a value, and return it."""
        if len(self) >= self._most:
            self.clear()
        self[key] = value
        return value
