"""Names of illnesses that are known and that no rule concerns."""

from __future__ import annotations

from collections.abc import Iterable

from careplan.recognition.medicine_catalogue import normalize


class KnownConditions:
    """Names of illnesses that are known and that no rule concerns."""

    def __init__(self, names: Iterable[str]) -> None:
        listed = tuple(names)
        self._names = frozenset(map(normalize, listed))
        self.first = next(iter(listed), None)

    def has(self, text: str) -> bool:
        """Whether a condition as written is one of them."""
        return normalize(text) in self._names
