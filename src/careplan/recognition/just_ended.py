"""Medicines of which a line says that they ended: lately and suddenly, or long ago.

"Stopped" long ago is not taken. What ran out three days ago is neither taken nor over: withdrawal, rebound or what it does
to other medicines may be under way, so that it counts as on hold and is asked about.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping

import msgspec

from careplan.recognition.line import Listed
from careplan.recognition.list_words import EndWords, ToldWords
from careplan.recognition.plain_text import any_of, plain, whole

LATELY_DAYS = 13
"""Up to the two weeks for which the effect of an MAO inhibitor outlasts its last dose."""
LONG_AGO_DAYS = 60
_DAYS = {"day": 1, "week": 7, "wk": 7, "month": 30, "mo": 30, "mth": 30, "year": 365, "yr": 365}
_AGO = re.compile(rf"\b(\d+|a|an|one|two|three|four|five|six) ({'|'.join(_DAYS)})s? (?:ago|back)\b")
_NUMBERS = {"a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6}
_YEAR = re.compile(r"\b(?:19|20)\d\d\b|\b\d{1,2}/(?:\d{1,2}/)?\d\d\b")
_FEW = 4
"""So many words may stand between "stopped" and what was stopped of a medicine: "stopped taking it in the morning"."""
_DENIED = re.compile(r"\b(?:no|not|never|without|denies|hasn't|hasnt|rarely|seldom)(?: \w+)? $")
"""Before such words they do not count: "never missed a dose"."""


class JustEnded:
    """Tells by the words of one rulebook when a medicine ended."""

    def __init__(self, words: EndWords) -> None:
        self._lately, self._long_ago, self._suddenly = map(whole, (words.lately, words.long_ago, words.suddenly))
        self._in_part, self._goes_on = _soon(words.in_part), whole(words.goes_on)

    def judged(self, listed: Listed, said: str, before: str, behind: str) -> Listed:
        """The same medicine, with what follows for its status from the words `said` of it.

        Args:
            listed: The medicine.
            said: All that the line says of it.
            before: What stands before the status in the line.
            behind: What stands behind the status, up to the next medicine.

        """
        status = listed.status
        if status is None or status.value != "stopped":
            return listed
        words = plain(said)[0]
        if _DENIED.search(plain(before)[0]):
            return msgspec.structs.replace(listed, status=None)  # "never ran out"
        lately, left = self.is_lately(words), plain(behind)[0]
        if not lately and (self.is_long_ago(words) or not (self._suddenly.search(words) or self._is_less(left))):
            return listed
        return msgspec.structs.replace(listed, status=msgspec.structs.replace(status, value="on_hold"))

    def _is_less(self, behind: str) -> bool:
        """Whether less is taken than before, and not nothing: "stopped the morning dose", "used to take it three times"."""
        return bool(self._in_part.match(behind) or self._goes_on.search(behind))

    def is_lately(self, words: str) -> bool:
        """Whether plain words name a day of the last two weeks."""
        ago = days_ago(words)
        return ago <= LATELY_DAYS if ago is not None else bool(self._lately.search(words))

    def is_long_ago(self, words: str) -> bool:
        """Whether plain words name a year, or another time that is long over."""
        ago = days_ago(words)
        return ago > LONG_AGO_DAYS if ago is not None else bool(_YEAR.search(words) or self._long_ago.search(words))


class ToldInLines:
    """The conditions that lines tell of, such as doses of lamotrigine that were missed."""

    def __init__(self, told: Mapping[str, ToldWords], ended: EndWords) -> None:
        self._told = [(token, whole(one.words), frozenset(one.of)) for token, one in told.items()]
        self._ended = JustEnded(ended)
        self.tokens: Collection[str] = tuple(told)

    def conditions(self, text: str, meant: Collection[str]) -> tuple[str, ...]:
        """What a line tells of a medicine that is `meant`, by its classes and ingredients."""
        words = plain(text)[0]
        if self._ended.is_long_ago(words):
            return ()
        return tuple([token for token, told, of in self._told if not of.isdisjoint(meant) and _is_said(told, words)])


def _is_said(told: re.Pattern[str], words: str) -> bool:
    return any(_DENIED.search(words[: found.start()]) is None for found in told.finditer(words))


def _soon(phrases: Iterable[str]) -> re.Pattern[str]:
    """What finds one of these phrases within a few words from the beginning."""
    return re.compile(rf"(?:\W+\w+){{0,{_FEW}}}?\W+{any_of(phrases)}\b")


def days_ago(words: str) -> int | None:
    """How many days ago plain words say that something was, the least of several; None where they do not say it so."""
    found = [_DAYS[unit] * (_NUMBERS.get(many) or int(many)) for many, unit in _AGO.findall(words)]
    return min(found, default=None)


NOTHING_TOLD = ToldInLines({}, EndWords())
