"""Illnesses by their names and codes: what is known though no rule concerns it, and the reading of whole entries."""

from __future__ import annotations

from collections.abc import Iterable

from careplan.recognition.illness_codes import IllnessCodes
from careplan.recognition.illness_reader import IllnessReader

OF_NO_RULE = "It is known, and no rule of this rulebook concerns it."
"""Why a known entry is not considered."""


class KnownConditions:
    """The illnesses of one rulebook, and what reads them."""

    def __init__(self, names: Iterable[str], codes: IllnessCodes, reader: IllnessReader) -> None:
        self.first = next(iter(names), None)
        self.codes = codes
        self.reader = reader

    def has(self, text: str) -> bool:
        """Whether an illness as written is known and no rule concerns it: by its name, or by its code."""
        return self.reader.read(text).recognition == "known"
