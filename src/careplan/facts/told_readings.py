"""Readings that stand in words among illnesses, such as "BP 190/120 this morning", held against what stops say of measures.

They set no measure, as nobody knows for sure when and how they were taken. But one that a stop would look at is not left
among what could not be read: a person reads the entry first.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable, Iterator, Mapping

from careplan.recognition.illness_words import IllnessWords
from careplan.recognition.plain_text import any_of, plain, whole
from careplan.rulebook.conditions import Test

_COMPARE: Mapping[str, Callable[[float, float], bool]] = {
    "at_least": operator.ge,
    "at_most": operator.le,
    "less_than": operator.lt,
    "more_than": operator.gt,
}
_BETWEEN = r"\W{0,3}(?:[a-z]+\W{1,3}){0,3}?"
"""A few words between what was measured and its value: "blood pressure was up to 190"."""
_VALUE = r"(\d{2,3})(?![\d.,]?\d)"
_SECOND = rf"(?:\s?(?:/|over)\s?{_VALUE})?"
_PAIR = re.compile(r"(?<![\d/.])(\d{3})\s?/\s?(\d{2,3})(?![\d/.]|\s?(?:mg|mcg|g|ml|units?)\b)")
"""Two numbers that say by themselves that they are a blood pressure: no date has a month or day of three digits."""
_YEAR = re.compile(r"\b(?:19|20)\d\d\b")
_TODAY = 1


class ToldReadings:
    """Finds such readings by the words of one rulebook, and holds them against the bounds of its stops."""

    def __init__(self, words: IllnessWords, tests: Iterable[Test]) -> None:
        figures = f"{_BETWEEN}{_VALUE}{_SECOND}"
        self._readings = [(one, re.compile(rf"\b{any_of(one.words)}\b{figures}")) for one in words.readings]
        self._bounds = [test for test in tests if test.operation in _COMPARE]
        earlier = (phrase for phrase, days in words.days_ago.items() if days > _TODAY)
        self._earlier = whole((*words.history, *earlier))
        self._now = whole((*words.at_once, *words.lately))

    def of_a_stop(self, text: str) -> bool:
        """Whether a text has a reading that a stop looks at."""
        return any(self._is_stopped(measure, value) for measure, value in self._found(plain(text)[0]))

    def is_earlier(self, text: str) -> bool:
        """Whether a text says of what stands in it that it was at an earlier time."""
        words = plain(text)[0]
        return bool(_YEAR.search(words) or self._earlier.search(words)) and not self._now.search(words)

    def _found(self, words: str) -> Iterator[tuple[str, float]]:
        for one, pattern in self._readings:
            found = [*pattern.finditer(words), *(_PAIR.finditer(words) if one.second else ())]
            for match in found:
                yield one.measure, float(match[1])
                if one.second and match[2]:
                    yield one.second, float(match[2])

    def _is_stopped(self, measure: str, value: float) -> bool:
        return any(
            _COMPARE[test.operation](value, float(bound))
            for test in self._bounds
            if test.field == measure
            for bound in test.values
        )
