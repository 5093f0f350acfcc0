"""Illnesses by their names and codes: what is known though no rule concerns it, and the reading of whole entries."""

from __future__ import annotations

from collections.abc import Iterable

from careplan.recognition.illness_codes import IllnessCodes
from careplan.recognition.illness_reader import IllnessReader
from careplan.recognition.illness_words import IllnessWords
from careplan.recognition.plain_text import whole

OF_NO_RULE = "It is known, and no rule of this rulebook concerns it."
"""Why a known entry is not considered."""

NO_WORDS = IllnessWords()


class KnownConditions:
    """The illnesses of one rulebook, what reads them, and the words by which it does."""

    def __init__(
        self, names: Iterable[str], codes: IllnessCodes, reader: IllnessReader, words: IllnessWords = NO_WORDS
    ) -> None:
        self.first = next(iter(names), None)
        self.codes = codes
        self.reader = reader
        self.words = words
        self.off_paper = whole(words.off_paper)

    def has(self, text: str) -> bool:
        """Whether an illness as written is known and no rule concerns it: by its name, or by its code."""
        return self.reader.read(text).recognition == "known"
