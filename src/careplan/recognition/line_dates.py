"""The dates of a line: since when, and what was long ago.

"2015-2018", "last took in 2012" and "years ago" tell of a time that is over. What that means for the medicine is judged once
the whole line is read (`just_ended`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from careplan.recognition.line import Stretch, Time, Word
from careplan.recognition.line_changes import Changes
from careplan.recognition.list_words import FrequencyWords, Meaning

_DAY_AND_YEAR = re.compile(r"(?:19|20)?\d\d?")
_YEAR = re.compile(r"(?:19|20)\d\d")
_DATE = re.compile(r"(?:19|20)\d\d[/-]\d\d?[/-]\d\d?|\d\d?[/.-]\d\d?[/.-](?:19|20)?\d\d|\d\d?[/-](?:19|20)\d\d")
_YEARS = re.compile(r"((?:19|20)\d\d)\s?(?:-|[a-z]+)\s?((?:19|20)\d\d)")
_TO_THE_DAY = re.compile(r"(?:19|20)\d\d[/-]\d\d?[/-]\d\d?|\d\d?[/.-]\d\d?[/.-](?:19|20)?\d\d")
_ANY_YEAR = re.compile(r"\b(?:19|20)\d\d\b")
_SHORT = re.compile(r"\d\d?[/.-]\d\d?[/.-](\d\d)")
DAYS_OF_A_YEAR = 365
_NO_PHRASE = Meaning("")
_OTHER_WORDS = frozenset(("filler", "amounts", "statuses", "reasons", "date_words"))


class _Dates(NamedTuple):
    """What stands in a line of dates: words, phrases, and whether an end is told behind a beginning."""

    words: Sequence[str]
    phrases: Sequence[str]
    closed: bool


class Dates(Changes):
    """Reads dates, with the words around them."""

    def _date(self, at: int, end: int, *, since: bool = False) -> int:
        """Dates, with the words around them, to the token behind them."""
        words = self._words
        began, closed, until_now = at, False, False
        is_a_phrase = end > at + 1 or (end > at and words[at][0].isalpha())
        phrases = [" ".join(words[at:end])] if is_a_phrase else []
        self._of_the_last = self._of_the_last or not self._tables.last_taken.isdisjoint(phrases)
        while end < len(words):
            word = words[end]
            if word[0].isdigit():
                behind = self._figures_behind(end, phrases)
                if not behind:
                    break
                end = behind
            elif self._goes_on_behind(end, word) or (
                word in self._tables.weekdays and (since or self._of_the_last or phrases)
            ):
                end += 1
            elif behind := self._until_now(end):
                until_now, end = True, behind
                break
            elif word in self._tables.until and end > began and self._is_a_date(end + 1, or_month=True):
                closed, end = True, end + 1
            else:
                meaning, behind = self._tokens.phrase(end)
                is_a_date = meaning is not None and meaning.kind in ("date_words", "months")
                if not (is_a_date or (since and self._is_a_stage(end, meaning))):
                    break
                phrases.append(" ".join(words[end:behind]))
                end = behind
        if since or until_now:
            self._draft.single.setdefault("since", Stretch(*self._tokens.stretch(began, end)))
        if not until_now and (time := self._told(_Dates(words[began:end], phrases, closed), began, since=since)):
            self._draft.past = Word(*self._tokens.stretch(began, end), time)
        self._over = True
        return self._close(end, "date")

    def _figures_behind(self, at: int, phrases: list[str]) -> int:
        """The token behind figures that are of a date, of which `phrases` gets those in words; 0 for any others."""
        words, months = self._words, self._tables.months
        if self._tables.strength.match(self._tokens.folded, self._tokens.starts[at]):
            return 0
        meaning, behind = self._tokens.phrase(at)
        if meaning is not None and meaning.kind in ("date_words", "durations"):
            phrases.append(" ".join(words[at:behind]))
            return behind
        if self._is_day_and_month(at):
            return at + 3
        beside = words[at - 1] in months or (at + 1 < len(words) and words[at + 1] in months)
        return at + 1 if beside or self._is_a_date(at) else 0

    def _goes_on_behind(self, at: int, word: str) -> bool:
        """Whether a date stands behind a sign or a small word."""
        if word in ("/", ":", ","):
            return at + 1 < len(self._words) and self._begins_a_date(at + 1, behind=word)
        return word in self._tables.at_a_time and self._is_a_date(at + 1, or_month=True)

    def _is_a_stage(self, at: int, meaning: Meaning | None) -> bool:
        """Whether a time of life is told, as in "started in college", which says nothing of the end."""
        return meaning is not None and meaning.kind == "statuses" and self._words[at] in self._tables.at_a_time

    def _until_now(self, at: int) -> int:
        """The token behind "to present", "- now" and the like, which go on from a date; 0 for anything else."""
        words, now = self._words, self._tables.until_now
        if at and words[at - 1][-1:].isdigit():
            if words[at] in self._tables.until and at + 1 < len(words) and words[at + 1] in now:
                return at + 2
            if words[at] in now and "-" in self._tokens.between(at):
                return at + 1
        return 0

    def _told(self, dates: _Dates, at: int, *, since: bool) -> Time | None:
        """Which time that is over such dates tell of, beginning at a token; None if nobody can say that it is over."""
        tables = self._tables
        text = " ".join(dates.words)
        years = [int(found) for found in _ANY_YEAR.findall(text)]
        years += [_year(found[1]) for word in dates.words if (found := _SHORT.fullmatch(word))]
        closed = dates.closed or any(_YEARS.fullmatch(word) for word in dates.words)
        closed = closed or (not tables.until.isdisjoint(dates.phrases) and bool(years))
        is_past = bool(years) and max(years) <= self._years_over
        if closed:
            if not is_past:
                return "ending" if len(years) > 1 else None
            return "perhaps" if any(map(_TO_THE_DAY.fullmatch, dates.words)) else "over"
        if since:
            return None
        ago = tables.times.days_ago(text)
        long_ago = (ago is not None and ago >= DAYS_OF_A_YEAR) or not tables.years_ago.isdisjoint(dates.phrases)
        if not tables.last_taken.isdisjoint(dates.phrases):
            return "over" if is_past or long_ago else None
        if self._of_the_last and (is_past or long_ago):
            return "over"
        if dates.phrases and not all(
            phrase in tables.years_ago or tables.times.days_ago(phrase) for phrase in dates.phrases
        ):
            return None  # "last filled 2019" says nothing of the medicine
        if long_ago:
            return "ago"
        return "year" if is_past and self._is_of_the_medicine(at) else None

    def _is_when(self, said: FrequencyWords, at: int) -> bool:
        """Whether a time of the day or a day of the week says when the last dose was, or since when there is none."""
        if said.a_day is None and said.a_week is None:
            return False
        if self._begins_on_a_day(at):
            return True
        if self._of_the_last:
            return said.time_of_day or self._words[at] in self._tables.weekdays
        return self._words[at] in self._tables.weekdays and self._last == "statuses"

    def _begins_on_a_day(self, at: int) -> bool:
        """Whether a day of the week is that from which it is taken: "restart Lamictal 25 mg on Monday"."""
        words, days = self._words, self._tables.weekdays
        if words[at] not in days and words[at] not in self._tables.at_a_time:
            return False
        day = at + 1 if words[at] in self._tables.at_a_time and at + 1 < len(words) else at
        if not self._draft.names or self._tables.from_a_day.isdisjoint(words[:at]):
            return False
        if words[day] not in days or not days.isdisjoint((*words[:day], *words[day + 1 :])):
            return False
        draft = self._draft
        if draft.status is None or draft.status.value == "taking":
            draft.status = Word(*self._tokens.stretch(at, day + 1), "on_hold")
            self._pending = None
        return True

    def _is_of_the_medicine(self, at: int) -> bool:
        """Whether a year stands behind the medicine, and not behind other words, as in "missed doses in 2019"."""
        words, tables = self._words, self._tables
        at -= 1
        while at >= 0 and (words[at] in tables.at_a_time or words[at] in "([,-:"):
            at -= 1
        kind = tables.tree.get(words[at], {}).get("", _NO_PHRASE).kind if at >= 0 else "filler"
        return kind not in _OTHER_WORDS and (self._last != "leftover" or not words[at].isalpha())

    def _is_a_date(self, at: int, *, or_month: bool = False) -> bool:
        if at >= len(self._words):
            return False
        word = self._words[at]
        if or_month and word in self._tables.months:
            return True
        return bool(_YEAR.fullmatch(word) or _DATE.fullmatch(word) or _YEARS.fullmatch(word))

    def _begins_a_date(self, at: int, behind: str) -> bool:
        """Whether a year stands here, or behind a colon any date."""
        if _YEAR.match(self._words[at]) or behind != ":":
            return bool(_YEAR.match(self._words[at]))
        return bool(_DATE.fullmatch(self._words[at])) or self._months_behind(at) or self._is_day_and_month(at)

    def _months_behind(self, at: int) -> bool:
        """True for the day of "03-Nov-2025"; the year tells it from "1 may", which may be a tablet."""
        behind = self._words[at + 1 : at + 3]
        return len(behind) == 2 and behind[0] in self._tables.months and bool(_DAY_AND_YEAR.fullmatch(behind[1]))

    def _is_day_and_month(self, at: int) -> bool:
        """True for "11/2", which is a date only beside words that speak of one."""
        parts = self._words[at : at + 3]
        return len(parts) == 3 and parts[1] == "/" and all(map(_DAY_AND_YEAR.fullmatch, (parts[0], parts[2])))

    def _speaks_of_a_date(self) -> bool:
        """Directly behind another date, or behind "stopped"."""
        if self._last == "statuses":
            return self._pending is not None and self._pending.value == "stopped"
        return self._last == "date"


def _year(in_two_figures: str) -> int:
    return int(in_two_figures) + (1900 if in_two_figures > "50" else 2000)
