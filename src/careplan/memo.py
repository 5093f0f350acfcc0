"""A bounded memory for what would otherwise be worked out again for every request. Full, it forgets its older half.

What is remembered must follow from its key alone, so that an answer is the same with and without it; and neither key nor
value may hold a caller's own words, as it outlives the request.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any, TypeVar

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
            for old in list(islice(self, (self._most + 1) // 2)):
                del self[old]
        self[key] = value
        return value


def memos_in(holder: object) -> Iterator[Memo[Any, Any]]:
    """Every memo that an object of this package holds, itself or through others."""
    seen: set[int] = set()
    waiting = [holder]
    while waiting:
        one = waiting.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        if isinstance(one, Memo):
            yield one
        elif type(one).__module__.startswith("careplan.") and hasattr(one, "__dict__"):
            waiting += vars(one).values()
