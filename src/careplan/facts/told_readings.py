"""Readings that stand in words among illnesses, such as "BP 150/95 this morning" or "PHQ-9: 18/27".

One that is plain (one value, of today or of a day that can be told, with nothing unread beside it) is taken as the measure,
where the request has none of its own. One without a day, of what counts for a day only, is taken where it weighs: one that
reassures must not keep anybody from measuring. Any other sets nothing and is known, so that it is no riddle and a person
enters it. But one that a stop would look at, or that lies where the rulebook says so, is not left there: a person reads it
first.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta

from careplan.facts.measured import Told, value_of
from careplan.recognition.illness_read import IllnessPart, IllnessRead
from careplan.recognition.illness_reader import IllnessReader
from careplan.recognition.illness_words import ReadingRange
from careplan.recognition.plain_text import any_of, plain, whole
from careplan.recognition.reading_words import PAIR, Found, ReadingFinder, clause
from careplan.request.measurements import Reading
from careplan.rulebook.conditions import Every, Expression, Test
from careplan.rulebook.derived import behind
from careplan.rulebook.measures import Measure
from careplan.rulebook.model import Level, Rulebook

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
_YEAR = re.compile(r"\b(?:19|20)\d\d\b")
_TODAY = 1
_LATELY = 7
"""For so many days something acute that a reading means is taken for present."""


class ToldReadings:
    """Finds such readings by the words of one rulebook, and holds them against the bounds of its stops."""

    def __init__(self, book: Rulebook, tests: Iterable[Test]) -> None:
        words = book.known_conditions.words
        self._reader: IllnessReader = book.known_conditions.reader
        self._measures = book.vocabulary.measures
        answers = {
            name: {word.lower(): answer for answer, one in measure.answers.items() for word in (answer, *one.names)}
            for name, measure in self._measures.items()
            if measure.answers
        }
        for kind in words.readings:
            if kind.measure in answers:
                answers[kind.measure] |= kind.answers
        self._answers = answers
        self._units = {name: _units(measure) for name, measure in self._measures.items()}
        self._finder = ReadingFinder(words, answers, self._units)
        figures = f"{_BETWEEN}{_VALUE}{_SECOND}"
        self._loosely = [(one, re.compile(rf"\b{any_of(one.words)}\b{figures}")) for one in words.readings if one.measure]
        self._bounds = [test for test in tests if test.operation in _COMPARE]
        self._weighty, self._decisive = _weighty(book, "caution", "hold", "stop"), _weighty(book, "hold", "stop")
        earlier = (phrase for phrase, days in words.days_ago.items() if days > _TODAY)
        self._earlier = whole((*words.history, *earlier))
        self._now = whole((*words.at_once, *words.lately))
        self._today = whole(words.told_readings.now)

    def read(self, text: str, today: date | None, sent: Collection[str], place: int) -> tuple[IllnessRead, tuple[Told, ...]]:
        """What an entry says, with the readings in it and those of them that are taken.

        Args:
            text: The entry.
            today: The day of the plan, where the request names one.
            sent: The measures that the request has of its own.
            place: The place of the entry.

        """
        found = self._finder.readings(text)
        while found:
            read = self._reader.read(_without(text, found), today)
            clear = [one for one in found if self._is_meant(one) and not _beside_unread(text, one, read)]
            if len(clear) == len(found):
                said = [bool(self._today.search(plain(text[one.start : one.end])[0])) for one in found]
                told = [self._told(one, today, sent, place, is_today=now) for one, now in zip(found, said, strict=True)]
                return self._with(read, [(one, *parts) for one, parts in zip(found, told, strict=True)])
            found = clear
        return self._reader.read(text, today), ()

    def of_a_stop(self, text: str) -> bool:
        """Whether a text has a reading that a stop looks at."""
        return any(self._is_stopped(measure, value) for measure, value in self._found(plain(text)[0]))

    def of_a_hold(self, text: str) -> bool:
        """Whether a text has a reading for which there is a hold, and does not say that it was at an earlier time."""
        if self.is_earlier(text):
            return False
        told = (one for one in self._finder.readings(text) if one.kind.measure and one.kind.measure not in self._answers)
        values = ({name: float(one.value) for name, one in self._values(each) if _is_number(one)} for each in told)
        return any(_weigh(self._decisive, figures) for figures in values)

    def tells_of_danger(self, text: str) -> bool:
        """Whether a text has an answer or score that may mean a red flag, and says of no earlier time."""
        return any("=" in _meaning(one) for one in self._finder.readings(text)) and not self.is_earlier(text)

    def is_beyond(self, text: str) -> bool:
        """Whether a text has a reading of no measure that a person has to read first."""
        return any(one.kind.ranges and _range_of(one) is not None for one in self._finder.readings(text))

    def is_earlier(self, text: str) -> bool:
        """Whether a text says of what stands in it that it was at an earlier time."""
        words = plain(text)[0]
        return bool(_YEAR.search(words) or self._earlier.search(words)) and not self._now.search(words)

    def _is_meant(self, reading: Found) -> bool:
        """Whether figures can be a reading of what they stand beside."""
        return not reading.kind.measure or any(True for _ in self._values(reading))

    def _values(self, reading: Found) -> Iterator[tuple[str, Reading]]:
        """The measures that a reading tells, each with a value that can be meant."""
        kind = reading.kind
        if kind.measure in self._answers:
            answer = self._answers[kind.measure][reading.figure]
            yes_or_no = {"true": True, "false": False}
            yield kind.measure, Reading(value=yes_or_no.get(answer, answer))
            return
        figure = _number(reading.figure)
        if kind.second and reading.second and not float(reading.second) < figure:
            return
        for name, value in ((kind.measure, figure), (kind.second, float(reading.second or 0))):
            if not name or not value:
                continue
            known = self._units[name] | kind.units
            units = (known.get(reading.unit),) if reading.unit else (kind.bare or (None,))
            readings = (Reading(value=value, unit=unit) for unit in units if unit is not None or not reading.unit)
            fitting = next((each for each in readings if value_of(self._measures[name], each) is not None), None)
            if fitting is None:
                return
            yield name, fitting

    def _told(
        self, reading: Found, today: date | None, sent: Collection[str], place: int, *, is_today: bool
    ) -> tuple[IllnessPart, tuple[Told, ...]]:
        kind = reading.kind
        if not kind.measure:
            return self._by_range(reading), ()
        values = list(self._values(reading))
        is_dated, at = _day(reading, today, self._measures[kind.measure].counts_days)
        takes = reading.is_plain and is_dated and not (kind.bare == () and not reading.unit)
        has_a_day = is_today or reading.days is not None or reading.date
        of_a_day = self._measures[kind.measure].counts_days <= _TODAY
        figures = {name: float(one.value) for name, one in values if _is_number(one)}
        if not has_a_day and of_a_day:
            takes = takes and _weigh(self._weighty, figures)
        told = tuple(
            [
                Told(name, Reading(value=measured.value, unit=measured.unit, at=at), place)
                for name, measured in values
                if takes and name not in sent
            ]
        )
        if told:
            names = tuple(one.measure for one in told)
            return IllnessPart(reading.start, reading.end, "read", "reading", measures=names), told
        stopped = any(self._is_stopped(name, float(measured.value)) for name, measured in values if _is_number(measured))
        # What is usual is nobody's reading of today; but a pressure that is usually high is no quiet line either.
        is_left = stopped or (reading.is_usual and of_a_day and _weigh(self._decisive, figures))
        return IllnessPart(reading.start, reading.end, "unread" if is_left else "known", "reading"), ()

    def _by_range(self, reading: Found) -> IllnessPart:
        """A reading of no measure: what its range or answer means, for a person to read first, or known."""
        found, means = _range_of(reading), _meaning(reading)
        if "=" in means:  # An answer that may be meant: of a red flag only a person can tell which.
            return IllnessPart(reading.start, reading.end, "unread", "reading", offers=(means,))
        if means and reading.is_plain and not reading.date and (reading.days or 0) <= _LATELY:
            return IllnessPart(reading.start, reading.end, "read", "present", (means,))
        return IllnessPart(reading.start, reading.end, "unread" if found is not None and not means else "known", "reading")

    @staticmethod
    def _with(
        read: IllnessRead, told: Sequence[tuple[Found, IllnessPart, tuple[Told, ...]]]
    ) -> tuple[IllnessRead, tuple[Told, ...]]:
        parts = sorted((*read.parts, *(part for _, part, _ in told)), key=lambda part: part.start)
        return IllnessRead(tuple(parts)), tuple([one for _, _, several in told for one in several])

    def _found(self, words: str) -> Iterator[tuple[str, float]]:
        for one, pattern in self._loosely:
            found = [*pattern.finditer(words), *(PAIR.finditer(words) if one.second else ())]
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


def _weighty(book: Rulebook, *levels: Level) -> list[Expression]:
    """What rules of some levels ask of measures, by themselves or in what is derived."""
    rules = (rule for rule in book.rules.values() if rule.file.level in levels)
    patterns = (pattern for rule in rules for pattern in behind(book.derived, rule.when))
    return list(dict.fromkeys(pattern.tests for pattern in patterns if pattern.kind == "measures"))


def _weigh(asked: Iterable[Expression], values: Mapping[str, float]) -> bool:
    """Whether any of what is asked holds for some values."""
    return any(_holds(tests, values) for tests in asked)


def _holds(expression: Expression, values: Mapping[str, float]) -> bool:
    """Whether bounds hold for some values; of a measure that is not among them, none does."""
    if isinstance(expression, Test):
        compare = _COMPARE.get(expression.operation)
        if compare is None or expression.field not in values:
            return False
        return all(compare(values[expression.field], float(one)) for one in expression.values)
    of_parts = all if isinstance(expression, Every) else any
    return of_parts(_holds(part, values) for part in expression.parts)


def _units(measure: Measure) -> dict[str, str]:
    """The ways to write a unit of a measure that are words or signs of their own, each with how it is sent."""
    return {unit.lower(): unit for unit in (measure.unit, *measure.units) if unit and unit[0] != "{" and unit != "1"}


def _number(figure: str) -> float:
    return float(figure.replace(",", "."))


def _is_number(reading: Reading) -> bool:
    return isinstance(reading.value, float)


def _meaning(reading: Found) -> str:
    """What a reading of no measure means by its answer or range, empty for nothing."""
    if reading.kind.measure:
        return ""
    found = _range_of(reading)
    return reading.kind.answers.get(reading.figure, "") if reading.kind.answers else found.means if found else ""


def _range_of(reading: Found) -> ReadingRange | None:
    if reading.kind.answers:
        return None
    value = _number(reading.figure)
    return next((each for each in reading.kind.ranges if each.least <= value <= each.most), None)


def _without(text: str, found: Sequence[Found]) -> str:
    """A text with a comma and blanks where readings stand, so that every other word keeps its place and its sentence."""
    for one in found:
        text = f"{text[: one.start]},{' ' * (one.end - one.start - 1)}{text[one.end :]}"
    return text


def _beside_unread(text: str, reading: Found, read: IllnessRead) -> bool:
    start, end = clause(text, reading)
    return any(part.recognition == "unread" and part.start < end and start < part.end for part in read.parts)


def _day(reading: Found, today: date | None, counts_days: int) -> tuple[bool, str | None]:
    """Whether the time of a reading can be told, and its day; None where it is of the day of the plan, or close to it."""
    if reading.date:
        day = _date(reading.date)
        return (day is not None and today is not None and day <= today), (day.isoformat() if day else None)
    if not reading.days:
        return True, None
    if today is None:
        return reading.days <= counts_days, None
    return True, (today - timedelta(days=reading.days)).isoformat()


def _date(written: str) -> date | None:
    """A day as Americans write it, or as the standard does."""
    for form in ("%m/%d/%Y", "%m/%d/%y", "%Y-%m-%d"):
        try:
            return datetime.strptime(written, form).date()
        except ValueError:
            continue
    return None
