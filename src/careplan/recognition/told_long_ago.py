"""Whether words tell of what somebody did or wanted long ago, and of nothing that is so today."""

from __future__ import annotations

import re

from careplan.recognition.illness_words import LongPast
from careplan.recognition.plain_text import any_of, plain, whole

_YEAR = re.compile(r"\b(?:19|20)\d\d\b")
_USED_TO = re.compile(r"\bused to \w+(?: to)?\b")
_BEFORE = r"(?:(?:i|he|she|pt|patient|they|ive|i've|have|has|had|once)\s)*"
_FIGURES = re.compile(r"\b(?:[01]|one|1/2|half|a|an) (?:years?|yrs?) ago\b")
"""A year ago, or less."""


class ToldLongAgo:
    """Finds such words, by the lists of one rulebook."""

    def __init__(self, words: LongPast, this_year: int) -> None:
        """No plan is of a year before `this_year`."""
        self._began = re.compile(rf"{_BEFORE}{any_of(words.began)}\b")
        self._times, self._today = whole(words.times), whole(words.today)
        self._newest = this_year - 2

    def is_told(self, text: str) -> bool:
        """Whether a text tells of nothing else."""
        told = plain(text)[0].strip()
        if not self._began.match(told):
            return False
        years = [int(year) for year in _YEAR.findall(told)]
        if years and max(years) > self._newest:
            return False
        told = _USED_TO.sub("used to", told)
        is_old = bool(years) or (self._times.search(told) is not None and not _FIGURES.search(told))
        return is_old and not self._today.search(told)
