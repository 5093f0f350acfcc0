"""Medicines of which a line says that they ended: lately and suddenly, or long ago.

"Stopped" long ago is not taken. What ran out three days ago is neither taken nor over: withdrawal, rebound or what it does
to other medicines may be under way, so that it counts as on hold and is asked about.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import msgspec

from careplan.recognition.line import Listed, Word
from careplan.recognition.plain_text import any_of, plain, squeezed, whole
from careplan.recognition.times_ago import TimesAgo, days_since
from careplan.recognition.told_words import EndWords, ToldWords

LATELY_DAYS = 13
"""Up to the two weeks for which the effect of an MAO inhibitor outlasts its last dose."""
LONG_AGO_DAYS = 60
_YEAR = re.compile(r"\b(?:19|20)\d\d\b|\b\d{1,2}/(?:\d{1,2}/)?(\d\d)\b")
_CENTURY = 2000
_SHORT = 5
"""Days of the week in so many letters are words of everyday too, such as sat and mars."""
_FEW = 4
"""So many words may stand between "stopped" and what was stopped of a medicine: "stopped taking it in the morning"."""
_OFF = re.compile(r"\b(?:off|out)\b")
"""Behind these a span of time tells since when there is none: "off Effexor for 5 days"."""
_SO_MUCH = r"(?: (?:at|on|down to|up to|only|just|taking))? ?[\d.]"
_DENIED = re.compile(
    r"\b(?:(?:no|not|never|without|denies|hasn't|hasnt|rarely|seldom)(?: \w+)?"
    r"|(?:not|never|don't|dont) (?:stop|quit|discontinue|end)(?: (?:taking|using|it|this|the|medication|medicine))*) $"
)
"""Before such words they do not count: "never missed a dose", "do not stop taking it suddenly"."""


class JustEnded:
    """Tells by the words of one rulebook when a medicine ended."""

    def __init__(self, words: EndWords, since: Iterable[str] = ()) -> None:
        days = [day for day in words.weekdays if len(day) > _SHORT]
        self._lately, self._long_ago = whole((*words.lately, *days)), whole(words.long_ago)
        self._now_so_much = re.compile(rf"\b{any_of(words.times.now)}{_SO_MUCH}")
        """A dose of today behind one that is past: less is taken than before, and not nothing."""
        self._times = TimesAgo(words.times)
        self._suddenly = whole((*words.suddenly, *words.out_of))
        self._in_part, self._goes_on = _soon(words.in_part), whole(words.goes_on)
        self._perhaps, self._only_once = frozenset(map(squeezed, words.perhaps)), whole(words.only_once)
        self._began = re.compile(rf"\b{any_of(since)}\b\W*(?:[a-z]+\W+)?\d[\d/.-]*")

    def of_a_line(self, text: str, medicines: tuple[Listed, ...], over: int, on: str | None = None) -> tuple[Listed, ...]:
        """The medicines of a line, each with what follows for its status from what is said of it.

        Years up to `over` are over. `on` is the day of the plan, if it is known.
        """
        if not any(one.status or one.past for one in medicines):
            return medicines
        return tuple(
            [
                self.judged(one, said, *_around(text, one.status, end), over=over, on=on) if one.status or one.past else one
                for one, (said, end) in zip(medicines, _said_of_each(text, medicines), strict=True)
            ]
        )

    def judged(  # noqa: PLR0913 - the parts of one line
        self, listed: Listed, said: str, before: str, behind: str, *, over: int, on: str | None
    ) -> Listed:
        """The same medicine, with what follows for its status from the words `said` of it.

        Args:
            listed: The medicine.
            said: All that the line says of it.
            before: What stands before the status in the line.
            behind: What stands behind the status, up to the next medicine.
            over: The last year that is over.
            on: The day of the plan, if it is known.

        """
        status, past = listed.status, listed.past
        if past is not None and (status is None or (status.value == "taking" and status.start < past.start)):
            return self._at_a_time(listed, past, plain(said)[0])
        if status is None:
            return listed
        words = plain(said)[0]
        if status.value == "on_hold" and squeezed(status.text) in self._perhaps:
            return self._perhaps_over(listed, status, words, over)
        if status.value != "stopped":
            return listed
        if _DENIED.search(plain(before)[0]):
            return msgspec.structs.replace(listed, status=None)  # "never ran out"
        left = plain(behind)[0]
        without = self._times.days_lasting(words) if _OFF.search(plain(status.text)[0]) else None
        lately = without <= LATELY_DAYS if without is not None else self.is_lately(words, on)
        if lately or self._goes_on.search(left) or self._now_so_much.search(left):
            return _with_status(listed, status, "on_hold")  # "previously daily, now as needed"
        if self.is_long_ago(words, over) or not (self._suddenly.search(words) or self._in_part.match(left)):
            return listed
        return _with_status(listed, status, "on_hold")

    def _at_a_time(self, listed: Listed, past: Word, words: str) -> Listed:
        """Stopped, where it is said of a time that is surely over; on hold where somebody has to ask."""
        taken_now = (
            any(one.schedule for one in listed.frequencies_of_taking)
            or listed.as_needed is not None
            or listed.since is not None
        )
        said_to_be = listed.status is not None
        if past.value == "over":
            return _with_status(listed, past, "stopped")
        if past.value in ("perhaps", "ending"):
            return _with_status(listed, past, "on_hold")
        if past.value == "year" and self._only_once.search(words):
            return _with_status(listed, past, "stopped")  # "once in 2019"
        if said_to_be or (taken_now and past.value == "year"):
            return listed
        kept = taken_now or past.value == "year" or listed.quantity or listed.refills
        return _with_status(listed, past, "on_hold" if kept else "stopped")

    def _perhaps_over(self, listed: Listed, status: Word, words: str, over: int) -> Listed:
        """Of "took", which may be today or years ago, and of "in college", in which the patient may be."""
        if self.is_lately(words):
            return msgspec.structs.replace(listed, status=None)
        return _with_status(listed, status, "stopped") if self._names_a_time_over(words, over) else listed

    def is_lately(self, words: str, on: str | None = None) -> bool:
        """Whether plain words name a day of the last two weeks, as a date by the day of the plan."""
        ago = self._times.days_ago(words)
        if on is not None and ago is None:
            since = days_since(self._began.sub(" ", words), on)
            if since is not None and since <= LATELY_DAYS:
                return True
        return ago <= LATELY_DAYS if ago is not None else bool(self._lately.search(words))

    def is_long_ago(self, words: str, over: int) -> bool:
        """Whether plain words name a year that is over, or another time that is."""
        return self._names_a_time_over(words, over) or (
            self._times.days_ago(words) is None and bool(self._long_ago.search(words))
        )

    def _names_a_time_over(self, words: str, over: int) -> bool:
        """The same of times in figures. Since when it was taken says nothing of when it ended."""
        ago = self._times.days_ago(words)
        if ago is not None:
            return ago > LONG_AGO_DAYS
        if _YEAR.search(words) is None:
            return False
        words = self._began.sub(" ", words)
        years = [int(found[1]) + _CENTURY if found[1] else int(found[0]) for found in _YEAR.finditer(words)]
        return bool(years) and max(years) <= over


def _around(text: str, status: Word | None, end: int) -> tuple[str, str]:
    """What stands before and behind a status."""
    return ("", "") if status is None else (text[: status.start], text[status.end : end])


def _said_of_each(text: str, medicines: Sequence[Listed]) -> Iterator[tuple[str, int]]:
    """What a line says from each medicine up to the next one, and where that ends.

    Of medicines that share a status, as in "stopped Xanax and Ambien last week", all that is said of one is said of each.
    """
    starts = [min([part.start for part in (*one.names[:1], one.status) if part], default=0) for one in medicines]
    if len(medicines) == 1:
        starts = [0]
    ends = [*starts[1:], len(text)]
    for at, (start, end) in enumerate(zip(starts, ends, strict=True)):
        status = medicines[at].status
        last = at
        while status is not None and last + 1 < len(medicines) and _goes_on(status, medicines[last + 1]):
            last += 1
        yield text[start : ends[last]], end


def _goes_on(status: Word, behind: Listed) -> bool:
    """Whether the next medicine has the same status, or was taken in the place of this one."""
    return behind.status is not None and behind.status.start == status.start


def _with_status(listed: Listed, said: Word, status: str) -> Listed:
    return msgspec.structs.replace(listed, status=msgspec.structs.replace(said, value=status))


class _Telling(NamedTuple):
    """What tells of one condition, in words beside a medicine `of` these classes and ingredients `but` for others."""

    token: str
    of: frozenset[str]
    but: frozenset[str]
    words: re.Pattern[str]
    unless: re.Pattern[str]
    sudden: bool


class ToldInLines:
    """The conditions that lines tell of, such as doses of lamotrigine that were missed."""

    def __init__(self, told: Mapping[str, ToldWords], ended: EndWords, since: Iterable[str] = ()) -> None:
        self._told = [
            _Telling(
                token,
                frozenset(one.of),
                frozenset(one.but),
                whole((*one.words, *(ended.suddenly if one.sudden else ()))),
                whole(one.unless),
                sudden=one.sudden,
            )
            for token, one in told.items()
        ]
        self._ended, self._out_of = JustEnded(ended, since), frozenset(map(squeezed, ended.out_of))
        self.tokens: Collection[str] = tuple(told)
        self._of = frozenset(name for one in self._told for name in one.of)

    def may_concern(self, meant: Iterable[str]) -> bool:
        """Whether lines tell of any condition at all beside a medicine of these classes and ingredients."""
        return not self._of.isdisjoint(meant)

    def conditions(self, words: str, status: Word | None, meant: Collection[str], over: int) -> Iterator[str]:
        """What the words of a medicine that is `meant`, by its classes and ingredients, tell of.

        Years up to `over` are over.
        """
        is_out = status is not None and squeezed(status.text) in self._out_of
        for one in self._told:
            if one.of.isdisjoint(meant) or not one.but.isdisjoint(meant):
                continue
            is_told = (is_out and one.sudden) or (_is_said(one.words, words) and not one.unless.search(words))
            if is_told and not self._ended.is_long_ago(words, over):
                yield one.token

    def of_a_text(self, text: str, medicines: Sequence[tuple[Listed | None, Collection[str]]], over: int) -> Iterator[str]:
        """The same of the medicines of a text, each by what is said of it and by its classes and ingredients."""
        listed = tuple([one for one, _ in medicines if one is not None])
        if len(listed) < len(medicines) or len(medicines) == 1:
            for one, meant in medicines:
                yield from self.conditions(plain(text)[0], one.status if one is not None else None, meant, over)
            return
        for (one, meant), (said, _) in zip(medicines, _said_of_each(text, listed), strict=True):
            yield from self.conditions(plain(said)[0], one.status if one is not None else None, meant, over)


def _is_said(told: re.Pattern[str], words: str) -> bool:
    return any(_DENIED.search(words[: found.start()]) is None for found in told.finditer(words))


def _soon(phrases: Iterable[str]) -> re.Pattern[str]:
    """What finds one of these phrases within a few words from the beginning."""
    return re.compile(rf"(?:\W+\w+){{0,{_FEW}}}?\W+{any_of(phrases)}\b")


NOTHING_TOLD = ToldInLines({}, EndWords())
