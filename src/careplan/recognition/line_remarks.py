"""Remarks beside a medicine that are of something else: "lithium 300 mg bid, denies tremor", "denies SI; Prozac 20 mg".

By their first words they would say that the medicine is not taken. They are left over, as no list explains them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any

import msgspec


class RemarkWords(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Words beside a medicine that may be said of something else: they deny (`denies`), or end (`ends`) one of the `habits`.

    Directly behind them, or behind words of `of_late`, those of `of_taking` say that the medicine is meant after all.
    """

    denies: tuple[str, ...] = ()
    ends: tuple[str, ...] = ()
    habits: tuple[str, ...] = ()
    of_late: tuple[str, ...] = ()
    of_taking: tuple[str, ...] = ()


class Remarks:
    """Finds such remarks by the lists of one rulebook; `meaning` says what a word means as the name of a medicine."""

    def __init__(self, words: RemarkWords, meaning: Callable[[str], Any], whole_only: Collection[str]) -> None:
        self._denies, self._ends = frozenset(words.denies), frozenset(words.ends)
        self._habits, self._of_late, self._of_taking = map(frozenset, (words.habits, words.of_late, words.of_taking))
        self._meaning, self._whole_only = meaning, whole_only

    def behind(self, words: Sequence[str], between: Callable[[int], str], at: int, end: int, *, is_first: bool) -> int:
        """The token behind a remark that begins with the tokens from `at` to `end`; 0 if they are said of a medicine.

        Args:
            words: The tokens of the line.
            between: The text between a token and the one before it.
            at: The first token of what was read.
            end: The token behind it.
            is_first: No medicine was read yet. Then only what a semicolon or the end of its sentence parts from what follows
                is a remark.

        """
        said = " ".join(words[at:end])
        is_of_a_habit = said in self._ends and end < len(words) and words[end] in self._habits
        if not is_of_a_habit and said not in self._denies:
            return 0
        stop = end
        while stop < len(words) and "." not in between(stop) and (words[stop][0].isalnum() or words[stop] == "/"):
            if words[stop] not in self._whole_only and self._meaning(words[stop]) is not None:
                return 0
            stop += 1
        if is_first and (stop == len(words) or (words[stop] != ";" and "." not in between(stop))):
            return 0
        of_what = [word for word in words[end:stop] if word not in self._of_late]
        return 0 if not of_what or of_what[0] in self._of_taking else stop
