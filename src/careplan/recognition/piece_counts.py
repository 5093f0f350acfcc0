"""How many pieces are taken at a time, as lists write it: 2, 1 1/2, one-half, "one and a half", "1 (one)"."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from careplan.recognition.figures import figure, numbers_in

_PARTS_OF_ONE = frozenset("2348")
"""A tablet is taken in halves, thirds, quarters and eighths; 5/325 are two strengths."""
_FROM_A_PART = re.compile(r"[2348]\s?(?:-|to|bis)\s?\d+")
"""What stands behind the stroke of "1/2 to 1"."""
_RANGE_FROM_A_PART = re.compile(r"(\d+)\s?/\s?([2348])\s?(?:-|to|bis)\s?(\d+)")
_PASSED_OVER = frozenset(("a", "an", "of", "full", "whole", "single", "de"))


class Counted(NamedTuple):
    """A count and the token behind it. `pieces` is None for a range, and for numbers that do not agree."""

    pieces: float | None
    end: int
    agrees: bool = True


class _Number(NamedTuple):
    """One number: a part of one in figures is added to what stands before it, one in words is a part of that."""

    value: float | None
    end: int
    in_figures: bool


def counted(words: Sequence[str], at: int, numbers: Mapping[str, float]) -> Counted | None:
    """The count that begins at token `at`; None if no number stands there. `numbers` are those in words.

    The same number said twice, as in "one (1)" and "1 one", is one number. Two that differ are no count that is known.
    """
    first = _number(words, at, numbers)
    if first is None:
        return None
    total, end, agrees = first.value, first.end, True
    latest, joined = first, False
    while end < len(words):
        word = words[end]
        if word == "(" and (restated := counted(words, end + 1, numbers)) is not None:
            behind = restated.end
            if behind == len(words) or words[behind] != ")":
                break
            agrees = agrees and restated.agrees and restated.pieces == total
            end = behind + 1
        elif word in _PASSED_OVER or word in ("and", "x"):
            joined = joined or word == "and"
            end += 1
            if word == "x":
                factor = _number(words, end, numbers)
                if factor is None or factor.value is None or total is None:
                    break
                total, end = total * factor.value, factor.end
        elif (number := _number(words, end, numbers)) is not None:
            total, fits = _with(total, latest, number, joined=joined)
            agrees, end, latest, joined = agrees and fits, number.end, number, False
        else:
            break
    return Counted(total if agrees else None, end, agrees)


def between(text: str) -> tuple[float, float] | None:
    """The least and the most of a range such as 1-2 or 1/2 to 1; None where the text has none."""
    if (found := _RANGE_FROM_A_PART.match(text)) is not None:
        over, under, most = map(float, found.groups())
        return over / under, most
    numbers = numbers_in(text)
    return (min(numbers), max(numbers)) if len(numbers) == 2 else None


def _with(total: float | None, latest: _Number, number: _Number, *, joined: bool) -> tuple[float | None, bool]:
    """The count with one more number behind it, and whether the two can be said together."""
    if total is None or latest.value is None or number.value is None:
        return None, False
    if joined:
        return total + number.value, True
    if number.value < 1 and not number.in_figures and latest.value >= 1:
        return total - latest.value + latest.value * number.value, True  # one half, three quarters
    if number.value < 1 <= latest.value:
        return total + number.value, True  # 1 1/2
    return total, number.value == total  # 1 one


def _number(words: Sequence[str], at: int, numbers: Mapping[str, float]) -> _Number | None:
    if at >= len(words):
        return None
    word = words[at]
    if word[0].isalpha():
        value = numbers.get(word)
        return None if value is None else _Number(value, at + 1, in_figures=False)
    above = word[0].isdigit() and at + 2 < len(words) and words[at + 1] == "/"
    if above and _FROM_A_PART.fullmatch(words[at + 2]):
        return _Number(None, at + 3, in_figures=True)
    if above and words[at + 2] in _PARTS_OF_ONE:
        whole, _, over = word.rpartition("-")  # 1-1/2
        parts = [figure(part) for part in (whole or "0", over)]
        if (parts[1] or 0) >= float(words[at + 2]):
            return _Number(figure(word), at + 1, in_figures=True)  # "Suboxone 8/2": two strengths
        value = None if None in parts else (parts[0] or 0) + (parts[1] or 0) / float(words[at + 2])
        return _Number(value, at + 3, in_figures=True)
    value = figure(word)
    if value is None and not word[0].isdigit():
        return None
    return _Number(value, at + 1, in_figures=True)  # None of a range, such as 1-2
