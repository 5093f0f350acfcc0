"""Remarks beside a medicine that are of something else: "lithium 300 mg bid, denies tremor", "Xanax 1 mg bid, hx of abuse".

By their first words they would say that the medicine is not taken. They are left over, as no list explains them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any, NamedTuple

import msgspec


class RemarkWords(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Words beside a medicine that may be said of something else: they deny (`denies`), or end (`ends`) one of the `habits`.

    Directly behind them, or behind words of `of_late`, those of `of_taking` say that the medicine is meant after all. Where
    a medicine has a schedule, words of `of_long_ago` are of what stands beside them, unless one of `of_a_trial` follows, and
    those of `sober` are of the patient.
    """

    denies: tuple[str, ...] = ()
    ends: tuple[str, ...] = ()
    habits: tuple[str, ...] = ()
    of_late: tuple[str, ...] = ()
    of_taking: tuple[str, ...] = ()
    of_long_ago: tuple[str, ...] = ()
    of_a_trial: tuple[str, ...] = ()
    sober: tuple[str, ...] = ()


class Before(NamedTuple):
    """What stands before such words: a medicine, with a dose or a schedule, and directly a word that is of no medicine."""

    has_name: bool
    has_dose: bool
    has_schedule: bool
    is_a_word: bool


class Remarks:
    """Finds such remarks by the lists of one rulebook; `meaning` says what a word means as the name of a medicine."""

    def __init__(self, words: RemarkWords, meaning: Callable[[str], Any], whole_only: Collection[str]) -> None:
        self._denies, self._ends = frozenset(words.denies), frozenset(words.ends)
        self._habits, self._of_late, self._of_taking = map(frozenset, (words.habits, words.of_late, words.of_taking))
        self._of_long_ago, self._of_a_trial, self._sober = map(frozenset, (words.of_long_ago, words.of_a_trial, words.sober))
        self._meaning, self._whole_only = meaning, whole_only

    def behind(self, words: Sequence[str], between: Callable[[int], str], at: int, end: int, before: Before) -> int:
        """The token behind a remark that begins with the tokens from `at` to `end`; 0 if they are said of a medicine.

        Before any medicine only what a semicolon or the end of its sentence parts from what follows is a remark.

        Args:
            words: The tokens of the line.
            between: The text between a token and the one before it.
            at: The first token of what was read.
            end: The token behind it.
            before: What stands before it.

        """
        said = " ".join(["<n>" if word.isdecimal() else word for word in words[at:end]])
        is_of_long_ago = said in self._of_long_ago
        if is_of_long_ago and before.has_schedule and before.is_a_word:
            return end  # "asthma as a child"
        is_of_a_habit = said in self._ends and end < len(words) and words[end] in self._habits
        is_said = said in self._denies or (is_of_long_ago and (before.has_dose or said.endswith(" of")))
        is_sober = said in self._sober and before.has_schedule
        if not (is_of_a_habit or is_said or is_sober):
            return 0
        stop = end
        while stop < len(words) and "." not in between(stop) and (words[stop][0].isalnum() or words[stop] == "/"):
            if words[stop] not in self._whole_only and self._meaning(words[stop]) is not None:
                return 0
            stop += 1
        if not before.has_name and (stop == len(words) or (words[stop] != ";" and "." not in between(stop))):
            return 0
        if is_sober:
            return stop
        of_what = [word for word in words[end:stop] if word not in self._of_late]
        taken = self._of_taking | self._of_a_trial if is_of_long_ago else self._of_taking
        return 0 if not of_what or of_what[0] in taken else stop
