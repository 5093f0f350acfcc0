"""From the readings that were sent to the value of each measure that counts, its age, and how a score has changed.

The newest reading counts, and of those of one time the graver. One without a time may be of any, so that it hides no
other. What cannot be meant is used for nothing and asked again; what is old, or taken at an age that the measure is not made
for, is set aside and named. The order of readings changes nothing, and one that cannot be used takes nothing away.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

import msgspec

from careplan.recognition.units import factor
from careplan.request.measurements import Reading, readings
from careplan.request.patient import Patient
from careplan.rulebook.measures import PROBLEMS, Change, ChangeWord, Measure
from careplan.rulebook.model import Rulebook
from careplan.rulebook.text_template import number

Value = str | bool | float

_RESPONSES: Mapping[ChangeWord, str] = {
    "remission": "good",
    "response": "good",
    "partial": "partial",
    "none": "none",
    "worse": "worse",
}
_SENT = "/measures/"
_FROM_THE_WORST = ("worse", "none", "partial", "good")


class Told(NamedTuple):
    """A reading that was taken from the words of another condition, which stands at `place`."""

    measure: str
    reading: Reading
    place: int


class Taken(NamedTuple):
    """A reading that counts or could: its value in the unit of the measure, and how many days before the plan it was.

    `day` is there where one was sent that can be meant, `instant` where a time was, `at` is what was sent; `place` is its
    number among the readings.
    """

    value: Value
    day: date | None
    instant: datetime | None
    at: str
    place: int
    days: int


class Check(NamedTuple):
    """Readings of a measure that are used for nothing and asked again: what is wrong, where they stand, what was sent."""

    name: str
    problem: str
    pointers: tuple[str, ...]
    said: tuple[str, ...]


class ScoreChange(NamedTuple):
    """How a score changed from one reading to a later one."""

    word: ChangeWord
    first: Taken
    last: Taken


class Measured(msgspec.Struct, frozen=True, gc=False):
    """What is known of the measures of one patient.

    `taken` has the reading that counts of each, `earlier` an older one where none does, `aside` pointers and reasons of
    those that do not count, `not_asked` the measures that nobody is asked for. `response` is how the treatment has gone so
    far by the scores, with the measure that says so; `today` is the day of the plan. `pointers` say where the readings of
    each stand.
    """

    taken: Mapping[str, Taken] = {}
    earlier: Mapping[str, Taken] = {}
    checks: tuple[Check, ...] = ()
    aside: tuple[tuple[str, str, str], ...] = ()
    changes: Mapping[str, ScoreChange] = {}
    response: tuple[str, str] | None = None
    not_asked: frozenset[str] = frozenset()
    today: date | None = None
    pointers: Mapping[str, tuple[str, ...]] = {}

    def pointer(self, name: str) -> str:
        """Where the reading that is spoken of stands: the measure of the request, or the entry that tells it in words."""
        one = self.taken.get(name) or self.earlier.get(name)
        pointer = self.pointers[name][one.place] if one is not None and name in self.pointers else ""
        return pointer if pointer and not pointer.startswith(_SENT) else f"{_SENT}{name}"

    def is_after(self, name: str, moment: datetime) -> bool:
        """Whether the reading that counts of a measure is, or may be, from after a moment."""
        reading = self.taken.get(name)
        if reading is None:
            return False
        if reading.instant is not None:
            return reading.instant > moment
        day = reading.day or self.today
        return day is not None and day > moment.date()


class Measuring:
    """Reads measures by the declarations of one rulebook."""

    def __init__(self, book: Rulebook) -> None:
        self._measures = book.vocabulary.measures
        self._never_asked = frozenset(name for name, one in self._measures.items() if not one.question)
        self._nothing = Measured(not_asked=self._never_asked)
        self._with_ages = {name: one.ages for name, one in self._measures.items() if one.ages is not None}

    def of(self, patient: Patient, told: Sequence[Told] = ()) -> Measured:
        """What is known of the measures of a patient; `told` are readings that were taken from words."""
        age = patient.age_years
        too_young_or_old = (
            frozenset(name for name, ages in self._with_ages.items() if not ages.hold(age))
            if age is not None
            else frozenset()
        )
        if not patient.measures and not told:
            return Measured(not_asked=self._never_asked | too_young_or_old) if too_young_or_old else self._nothing
        today = day_of_plan(patient)
        everything = _all_sent(patient, told)
        found = {
            name: _Sorted(self._measures[name], name, sent, pointers, today)
            for name, (sent, pointers) in sorted(everything.items())
            if name not in too_young_or_old
        }
        aside = [entry for one in found.values() for entry in one.aside]
        aside += [
            (everything[name][1][0], self._measures[name].label, "It is not made for patients of this age.")
            for name in sorted(too_young_or_old & everything.keys())
        ]
        taken = {name: one.counts for name, one in found.items() if one.counts is not None}
        checks = tuple(check for one in found.values() for check in one.checks)
        changes = dict(self._changes(patient, taken, found))
        response = self._response(patient, changes)
        earlier = {name: one.earlier for name, one in found.items() if one.earlier is not None}
        not_asked = self._never_asked | too_young_or_old
        pointers = {name: one.pointers for name, one in found.items()}
        return Measured(taken, earlier, checks, tuple(aside), changes, response, not_asked, today, pointers)

    def _changes(
        self, patient: Patient, taken: Mapping[str, Taken], found: Mapping[str, _Sorted]
    ) -> Iterator[tuple[str, ScoreChange]]:
        """How scores changed over the series: from before its first session, or else from the oldest within the limit."""
        if patient.treatment.sessions_completed == 0:
            return
        first_session = min(patient.treatment.session_times or (), default=None)
        for name in taken:
            change, measure, begins = self._measures[name].change, self._measures[name], first_session
            last = found[name].newest
            if change is None or last is None or last.day is None:
                continue
            if begins is not None and not _is_before(begins, last):
                if not patient.treatment.sessions_completed:
                    continue
                begins = None  # The times are those of sessions to come.
            earliest = last.day - timedelta(days=change.within_days)
            ends = [one for one in found[name].usable if one.day is not None and earliest <= one.day < last.day]
            if begins is not None:
                ends = [one for one in ends if not _is_before(begins, one)]
            if ends:
                day = (max if begins is not None else min)(one.day for one in ends if one.day is not None)
                first = min((one for one in ends if one.day == day), key=lambda one: (measure.gravity(one.value), one.at))
                word = _word(change, float(first.value), float(last.value))
                if word is not None:
                    yield name, ScoreChange(word, first, last)

    def _response(self, patient: Patient, changes: Mapping[str, ScoreChange]) -> tuple[str, str] | None:
        """How the treatment has gone by the scores for what is treated; of several that differ, the least good."""
        indication = patient.treatment.indication
        told = []
        for name, changed in changes.items():
            change = self._measures[name].change
            if change is not None and indication in change.tells_response_of:
                told.append((_FROM_THE_WORST.index(_RESPONSES[changed.word]), name))
        if not told:
            return None
        at, name = min(told)
        return _FROM_THE_WORST[at], name


class _Sorted:
    """The readings of one measure, sorted into those that count, those set aside, and those that are asked again."""

    def __init__(
        self, measure: Measure, name: str, sent: Sequence[Reading], pointers: Sequence[str], today: date | None
    ) -> None:
        self.usable: list[Taken] = []
        self.aside: list[tuple[str, str, str]] = []
        self.counts: Taken | None = None
        self.newest: Taken | None = None
        self.earlier: Taken | None = None
        self._measure = measure
        self.pointers = tuple(pointers)
        doubted: list[tuple[Taken, str]] = []
        for at, reading in enumerate(sent):
            value = value_of(measure, reading)
            if value is None:
                doubted.append((_taken(reading, 0.0, at, today), _said(measure, reading)))
            else:
                self.usable.append(_taken(reading, value, at, today))
        fresh = [one for one in self.usable if not self._is_old(one)]
        if fresh:
            counts = self.counts = _counting(measure, fresh)
            dated = [one for one in fresh if one.day is not None]
            self.newest = _counting(measure, dated) if dated else None
            why = "Another reading of it is newer, or of the same time and graver."
            self._set_aside([one for one in fresh if one is not counts], why)
        elif recalled := [one for one in self.usable if one.days <= measure.counts_days + measure.earlier_days]:
            self.earlier = _counting(measure, recalled)
        again = []
        for doubtful, said in doubted:
            if self.counts is not None and _is_later(self.counts, doubtful):
                self._set_aside([doubtful], "It cannot be meant, and a newer reading counts.")
            elif not self._is_old(doubtful):
                again.append((said, self._at(doubtful)))
        again.sort()
        words = tuple(dict.fromkeys(said for said, _ in again))
        self.checks = (Check(name, PROBLEMS[0], tuple(at for _, at in again), words),) if again else ()

    def _at(self, reading: Taken) -> str:
        return self.pointers[reading.place]

    def _set_aside(self, several: Iterable[Taken], why: str) -> None:
        self.aside += [(self._at(one), self._measure.label, why) for one in several]

    def _is_old(self, reading: Taken) -> bool:
        days = self._measure.counts_days
        if reading.days <= days:
            return False
        since = f"{days} days" if days > 1 else "a day"
        self._set_aside([reading], f"It is more than {since} old, so it does not say how the patient is now.")
        return True


def _all_sent(patient: Patient, told: Sequence[Told]) -> dict[str, tuple[Sequence[Reading], Sequence[str]]]:
    """The readings of each measure, with where each stands; those in words only where the request has none of its own."""
    found: dict[str, tuple[Sequence[Reading], Sequence[str]]] = {}
    for name, sent in patient.measures.items():
        if sent is not None:
            listed, pointer = readings(sent), f"{_SENT}{name}"
            found[name] = listed, [f"{pointer}/{at}" if isinstance(sent, list) else pointer for at in range(len(listed))]
    for name in {one.measure for one in told} - found.keys():
        several = [one for one in told if one.measure == name]
        found[name] = [one.reading for one in several], [f"/other_conditions/{one.place}" for one in several]
    return found


def value_of(measure: Measure, reading: Reading) -> Value | None:
    """A value in the unit of the measure; None where it cannot be meant."""
    value = reading.value
    if isinstance(value, (bool, str)):
        return value
    times = 1.0 if reading.unit is None else factor(measure.units.get(reading.unit, reading.unit), measure.unit)
    if times is None:
        return None
    told = value if times == 1.0 else round(value * times, 4)
    if measure.whole and not told.is_integer():
        return None
    return told + 0.0 if measure.plausible is None or measure.plausible.hold(told) else None


def _said(measure: Measure, reading: Reading) -> str:
    """A reading that cannot be meant, in words."""
    value = number(float(reading.value)) if not isinstance(reading.value, str) else reading.value
    unit = reading.unit or measure.unit
    at = f" of {reading.at[:10]}" if reading.at else ""
    return f"{value} {unit}".rstrip() + at


def _taken(reading: Reading, value: Value, place: int, today: date | None) -> Taken:
    if reading.at is None:
        return Taken(value, None, None, "", place, 0)
    day = date.fromisoformat(reading.at[:10])
    instant = datetime.fromisoformat(reading.at).astimezone(UTC) if len(reading.at) > len("2026-01-31") else None
    assert today is not None
    if day > today + timedelta(days=1):
        # A slip of the pen: it must not outlive every true reading, nor be lost.
        return Taken(value, None, None, reading.at, place, 0)
    return Taken(value, day, instant, reading.at, place, max(0, (today - day).days))


def _counting(measure: Measure, fresh: Sequence[Taken]) -> Taken:
    standing = [one for one in fresh if not any(_is_later(other, one) for other in fresh)]
    return max(standing, key=lambda one: (measure.gravity(one.value), one.at, -one.place))


def _is_later(left: Taken, right: Taken) -> bool:
    """Whether one reading is surely later; of a day and a time only the days are compared."""
    if left.instant is not None and right.instant is not None:
        return left.instant > right.instant
    return left.day is not None and right.day is not None and left.day > right.day


def _is_before(begins: datetime, reading: Taken) -> bool:
    """Whether a first session had begun when a reading was taken."""
    if reading.instant is not None:
        return reading.instant > begins.astimezone(UTC)
    return reading.day is not None and reading.day > begins.date()


def day_of_plan(patient: Patient, *, by_sessions: bool = True) -> date | None:
    """The day of the plan: as sent, or else the newest day that the request names; None where it names none.

    Without `by_sessions`, the day of the last session does not count, so that days since that one are never 0 for want of a
    day of the plan.
    """
    if patient.as_of is not None:
        return date.fromisoformat(patient.as_of)
    return max(_days(patient, by_sessions=by_sessions), default=None)


def _days(patient: Patient, *, by_sessions: bool) -> Iterable[date]:
    for sent in patient.measures.values():
        for reading in readings(sent):
            if reading.at is not None:
                yield date.fromisoformat(reading.at[:10])
    yield from (clearance.at.date() for clearance in patient.clearances)
    if by_sessions and patient.treatment.last_session_at is not None:
        yield patient.treatment.last_session_at.date()


def _word(change: Change, first: float, last: float) -> ChangeWord | None:
    """What a change of a score means; None where the first was too low already to tell a response from it."""
    if last - first >= change.worse_points:
        return "worse"
    if first <= change.remission_at_most:
        return None
    fall = (first - last) / first * 100
    if last <= change.remission_at_most:
        return "remission"
    if fall >= change.response_percent:
        return "response"
    return "partial" if fall >= change.partial_percent else "none"
