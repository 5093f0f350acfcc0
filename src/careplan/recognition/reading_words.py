"""Readings as people write them among illnesses: "BP 150/95 last week", "sugar 45", "PHQ-9: 18/27".

A reading is found by the words for what was measured, or as two numbers that can only be a blood pressure. What stands
beside it says when it was, or that it is no reading of one time: a usual value, a limit, a goal, a range.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from careplan.recognition.illness_words import IllnessWords, ReadingWords
from careplan.recognition.plain_text import any_of, plain, whole
from careplan.recognition.times_ago import TimesAgo

_NUMBER = r"\d{1,4}(?:[.,]\d{1,2})?(?![\d.,]?\d)"
_TENS = r"(?:'?s(?![a-z]))?"
"""Behind a number that stands for those about it: "in the 170s"."""
PAIR = re.compile(rf"(?<![\d/.])(\d{{3}}){_TENS}\s?/\s?(\d{{2,3}}){_TENS}(?![\d/.]|\s?(?:mg|mcg|g|ml|units?)\b)")
"""Two numbers that say by themselves that they are a blood pressure: no date has a month or day of three digits."""
_DATE = r"(?:\d{1,2}/\d{1,2}/(?:\d{4}|\d\d)|\d{4}-\d\d-\d\d)(?![\d/-])"
_YEAR = r"(?:19|20)\d\d(?![\d/.])"
_COMPARED = r"[<>≤≥]=?"
_BETWEEN_MOST = 5
_SIGNS = r"[\s:=~,()\[\]'-]"
_NOT_A_DATE = r"(?<![\w/.])"
_RANGE = re.compile(r"\s?(?:-|to|->|→|=>|then|and)\s?\d[\d./]*")
_ABOUT = re.compile(r"\d'?s\b")
_CLAUSE = re.compile(r"[,;\n|•()\[\]]|\. ")


class Found(NamedTuple):
    """A reading in a text: `kind` is which of the rulebook's, `start` and `end` the words that belong to it.

    `figure` is the number or answer as written, `second` the one behind a stroke, `unit` as written. `days` says how long
    ago it was, `date` on which day (as written), where this is said. `is_plain` is False where the words tell of no reading
    of one time, or where its time cannot be told; `is_usual` is True where they tell how it is as a rule, or at its worst.
    """

    kind: ReadingWords
    start: int
    end: int
    figure: str
    second: str = ""
    unit: str = ""
    days: int | None = None
    date: str = ""
    is_plain: bool = True
    is_usual: bool = False


class _Match(NamedTuple):
    """A reading without what stands beside it."""

    start: int
    end: int
    groups: re.Match[str]
    kind: ReadingWords

    def part(self, name: str, number: int) -> str:
        """One of its figures: that of two numbers alone, which have no name, by its number."""
        groups = self.groups.groupdict()
        return (groups.get(name) or "").strip() if groups else str(self.groups[number]) if number else ""

    @property
    def figure_at(self) -> int:
        """Where its first figure begins."""
        return self.groups.start("value") if self.groups.groupdict() else self.start


class ReadingFinder:
    """Finds readings by the words of one rulebook."""

    def __init__(
        self, words: IllnessWords, answers: Mapping[str, Iterable[str]], units: Mapping[str, Iterable[str]]
    ) -> None:
        """`answers` has, by measure, the words for answers of one that is no number; `units` the ways to write its units."""
        told, days = words.told_readings, words.days_ago
        self._days_ago = [(re.compile(rf"\b{re.escape(phrase)}\b"), many) for phrase, many in days.items()]
        self._times = TimesAgo(words.times)
        self._not_one, self._earlier = whole(told.not_one), whole(told.earlier)
        beside = (*told.beside, *told.not_one, *told.earlier, *told.now, *days)
        around = rf"(?:{any_of(beside)}\b|on {_DATE}|{_NOT_A_DATE}{_DATE}|{self._times.pattern}|(?:in )?{_YEAR}|{_COMPARED})"
        self._before = re.compile(rf"(?:(?<!\w){around}[\s:=~'-]{{0,3}})+$")
        self._behind = re.compile(rf"(?:{_SIGNS}{{0,3}}(?<!\w){around})+")
        self._between = re.compile(rf"{_SIGNS}{{0,3}}{around}")
        self._kinds = []
        for one in words.readings:
            told_by = answers.get(one.measure, ()) if one.measure else one.answers
            of_kind = {unit.lower() for unit in (*units.get(one.measure, ()), *one.units)}
            value = rf"(?P<value>{any_of(told_by)})(?!\w)" if told_by else _figure(one, of_kind)
            name = re.compile(rf"(?<![\w/])(?<!\d )(?:{any_of(one.words)})(?!\w)")
            self._kinds.append((one, name, re.compile(rf"{_SIGNS}{{0,3}}{value}")))
        self._pair = next((one for one in words.readings if one.second), None)
        self._any = re.compile(rf"(?<![\w/])(?:{any_of(word for one in words.readings for word in one.words)})(?!\w)")

    def readings(self, text: str) -> list[Found]:
        """All readings in a text, in its order; none inside another."""
        words, places = plain(text)
        is_named = self._any.search(words) is not None
        if not is_named and not (self._pair and PAIR.search(words)):
            return []
        return [self._reading(words, places, one) for one in _apart(self._matches(words, is_named=is_named))]

    def _matches(self, words: str, *, is_named: bool) -> Iterator[_Match]:
        for kind, name, value in self._kinds if is_named else ():
            at = 0
            while named := name.search(words, at):
                figure = self._figure_behind(words, named.end(), value)
                if figure:
                    yield _Match(named.start(), figure.end(), figure, kind)
                at = figure.end() if figure else named.start() + 1
        if self._pair is not None:
            yield from (_Match(match.start(), match.end(), match, self._pair) for match in PAIR.finditer(words))

    def _figure_behind(self, words: str, at: int, value: re.Pattern[str]) -> re.Match[str] | None:
        """The figure behind a name, where only words that may stand beside a reading stand between."""
        for _ in range(_BETWEEN_MOST + 1):
            if figure := value.match(words, at):
                return figure
            beside = self._between.match(words, at)
            if not beside:
                return None
            at = beside.end()
        return None

    def _reading(self, words: str, places: Sequence[int], match: _Match) -> Found:
        end = match.end
        if ranged := _RANGE.match(words, end):
            end = ranged.end()
        before, behind = self._before.search(words, 0, match.start), self._behind.match(words, end)
        start, end = before.start() if before else match.start, behind.end() if behind else end
        said = words[start:end]
        beside = f"{words[start : match.figure_at]} {words[match.end : end]}"
        days, date = self._days(said), re.search(rf"{_NOT_A_DATE}{_DATE}", said)
        is_usual = bool(self._not_one.search(beside) or _ABOUT.search(words, match.figure_at, match.end))
        is_plain = not (ranged or is_usual or re.search(_COMPARED, beside))
        if days is None and date is None and (self._earlier.search(said) or re.search(rf"\b{_YEAR}", said)):
            is_plain = False
        figures = match.part("value", 1), match.part("second", 2), match.part("unit", 0)
        day = date[0] if date else ""
        return Found(match.kind, places[start], places[end], *figures, days, day, is_plain, is_usual)

    def _days(self, said: str) -> int | None:
        ago = self._times.days_ago(said)
        if ago is not None:
            return ago
        return max((many for pattern, many in self._days_ago if pattern.search(said)), default=None)


def clause(text: str, found: Found) -> tuple[int, int]:
    """From where to where words stand that may say whose a reading is, or that it is none."""
    before = [match.end() for match in _CLAUSE.finditer(text, 0, found.start)]
    behind = _CLAUSE.search(text, found.end)
    return (before[-1] if before else 0), (behind.start() if behind else len(text))


def _figure(kind: ReadingWords, units: Iterable[str]) -> str:
    """The pattern of a number of one kind, with the most of a score, the second number and the unit behind it."""
    out_of = rf"(?:\s?/\s?{kind.out_of}|\s?out of {kind.out_of})?(?!\d)" if kind.out_of else ""
    second = rf"{_TENS}(?:\s?(?:/|over)\s?(?P<second>\d{{2,3}})(?![\d.,]?\d){_TENS})?" if kind.second else ""
    return rf"(?<![\d.])(?P<value>{_NUMBER}){out_of}{second}(?P<unit>\s?{any_of(units)}(?![a-z]))?"


def _apart(matches: Iterable[_Match]) -> list[_Match]:
    """Those that stand in no other, the longest first, in the order of the text."""
    kept: list[_Match] = []
    for one in sorted(matches, key=lambda one: (one.start - one.end, one.start)):
        if all(one.end <= other.start or other.end <= one.start for other in kept):
            kept.append(one)
    return sorted(kept, key=lambda one: one.start)
