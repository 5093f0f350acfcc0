"""Names and codes of illnesses that are known and that no rule concerns."""

from __future__ import annotations

from collections.abc import Iterable

from careplan.recognition.illness_codes import IllnessCodes, code_in
from careplan.recognition.medicine_catalogue import normalize

OF_NO_RULE = "It is known, and no rule of this rulebook concerns it."
"""Why a known entry is not considered."""


class KnownConditions:
    """Names and codes of illnesses that are known and that no rule concerns."""

    def __init__(self, names: Iterable[str], codes: IllnessCodes | None = None) -> None:
        listed = tuple(names)
        self._names = frozenset(map(normalize, listed))
        self.first = next(iter(listed), None)
        self.codes = IllnessCodes() if codes is None else codes

    def has(self, text: str) -> bool:
        """Whether a condition as written is one of them: by its name, or by a code alone or in brackets behind the name."""
        if normalize(text) in self._names:
            return True
        coded = code_in(text)
        return coded is not None and self.codes.are_known(*coded)
