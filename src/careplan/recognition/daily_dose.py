"""How much of a medicine a line says is taken a day, in milligrams: the least and the most that its words allow."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import msgspec

from careplan.recognition.figures import figure, pieces_a_day
from careplan.recognition.line import Amount, Frequency, Listed, Strength
from careplan.recognition.piece_counts import between
from careplan.recognition.plain_text import plain
from careplan.recognition.strengths import PLACES, Dose, Measures, Piece, in_milligrams
from careplan.recognition.takings import (
    Taken,
    are_steps,
    as_needed_apart,
    comes_on_top,
    follow_each_other,
    goes_beyond,
    is_sum_of_those_before,
    takings_of,
)
from careplan.request.patient import Schedule

_NUMBER = r"\d[\d.,]*|[.,]\d+"
_MOST_A_DAY = re.compile(
    rf"^(?:max(?:imum)?|up to|not to exceed|no more than) (?P<count>{_NUMBER}|[a-z]+)"
    r" ?(?:/|per|a|times|times a|times per)? ?da(?:y|ily)$"
    rf"|^mdd(?: of| ?[:=])? ?(?P<dose>{_NUMBER}|[a-z]+)$"
)
_A_DAY = re.compile(r"(?:/|\bper|\ba) ?day$")
_WEEKLY_AT_MOST = (0.0, 1.0)
_REGULAR, _AS_NEEDED = frozenset(("daily", "weekly")), frozenset(("as_needed", "rescue"))


class Told(NamedTuple):
    """What the caller sent in fields. It wins over what the line says. `on` is the day of the plan."""

    mg: float | None = None
    schedule: Schedule | None = None
    on: str | None = None


def daily_dose(listed: Listed, measures: Measures, told: Told, which: int | None = None) -> Dose | None:
    """Milligrams a day, or None where they cannot be known.

    `which` says which figure counts of a strength with several, such as 5/325 mg: its place, or -1 for the smallest.
    """
    limits = listed.limits
    if not limits:
        if which is None and told.mg is None:
            if len(listed.strengths) == 1 and not (listed.frequencies or listed.amounts or listed.duration):
                strength = listed.strengths[0]
                if strength.bare and strength.amount is not None:
                    return _without_times(listed, measures, told.schedule)
            is_plain = told.schedule is None or (listed.as_needed is None and told.schedule not in _AS_NEEDED)
            # What is taken as needed may be limited: "max 2 per day".
            is_plain = is_plain and (listed.as_needed is None or listed.duration is None)
            if is_plain and (dose := _ordinary(listed, measures)) is not None:
                return dose
        return _taken_daily(listed, measures, told, which)
    rest, daily = _without_limits(listed, limits)
    taken = _taken_daily(rest, measures, told, which)
    reader = _Reader(rest, measures, which)
    found = [most for part in limits if (most := reader.limit(part, told, said_daily=part in daily)) is not None]
    if taken is None:
        return Dose(0.0, min(found)) if found else None
    return Dose(min([taken.least, *found]), min([*found, *(() if taken.most is None else (taken.most,))], default=None))


def _ordinary(listed: Listed, measures: Measures) -> Dose | None:
    """The dose of "0.5 mg tablet, 1 tablet twice daily as needed", as most lines have it; None for any other line.

    One strength, at most one amount, and one frequency behind both.
    """
    if len(listed.strengths) != 1 or len(listed.frequencies) != 1 or len(listed.amounts) > 1:
        return None
    strength, frequency = listed.strengths[0], listed.frequencies[0]
    in_mg = measures.in_mg.get(strength.unit) if strength.bare else None
    if in_mg is None or strength.amount is None or strength.start > frequency.start or _is_a_scheme(frequency):
        return None
    if not _is_swallowed(listed, measures):
        return None
    mg = strength.amount * in_mg
    for amount in listed.amounts:
        if amount.count is None or amount.unclear or amount.start > frequency.start or amount.of in measures.millilitres:
            return None
        mg = round(mg * amount.count, PLACES)
    least, most = frequency.between or (frequency.times_a_day, frequency.times_a_day)
    if least is None or most is None:
        return None
    return Dose(0.0 if listed.as_needed is not None else round(mg * least, PLACES), round(mg * most, PLACES))


def _without_times(listed: Listed, measures: Measures, sent: Schedule | None) -> Dose | None:
    """Of "0.5 mg as needed": how often nobody knows, but it may be not at all. Of "20 mg" alone nothing is known."""
    if sent in _REGULAR or not (listed.as_needed or sent in _AS_NEEDED) or listed.strengths[0].unit not in measures.in_mg:
        return None
    return Dose(0.0, None) if _is_swallowed(listed, measures) else None


def _is_swallowed(listed: Listed, measures: Measures) -> bool:
    ways = (*listed.forms, *listed.routes)
    return not ways or measures.through_the_skin.isdisjoint([word.value for word in ways])


def _without_limits(listed: Listed, limits: Sequence[Strength | Amount]) -> tuple[Listed, Sequence[Strength | Amount]]:
    """The line as if it named no limits, and those that it calls limits of a day."""
    daily, of_limits = [], []
    parts = listed.figures
    for part, behind in zip(parts, [*parts[1:], None], strict=True):
        if isinstance(part, Frequency) or part not in limits:
            continue
        if isinstance(behind, Frequency) and behind.times_a_day == 1:
            daily.append(part)
        if isinstance(behind, Frequency):
            of_limits.append(behind)
    rest = msgspec.structs.replace(
        listed,
        strengths=tuple([one for one in listed.strengths if one not in limits]),
        amounts=tuple([one for one in listed.amounts if one not in limits]),
        frequencies=tuple([one for one in listed.frequencies if one not in of_limits]),
    )
    return rest, daily


def _taken_daily(listed: Listed, measures: Measures, told: Told, which: int | None) -> Dose | None:
    """What the line says is taken, without its limits."""
    reader = _Reader(listed, measures, which)
    if reader.is_a_rate or not _is_swallowed(listed, measures):
        return reader.through_the_skin()
    takings = list(takings_of(listed))
    if any(one.in_steps for one in listed.frequencies) and not are_steps(takings):
        return None
    beyond = goes_beyond(listed, takings)
    apart = not beyond and as_needed_apart(listed, takings)
    regular = takings[:-1] if apart or beyond else takings
    doses = [reader.of(one, told) for one in regular]
    if is_sum_of_those_before(regular, doses, _sum(doses[:-1])):
        regular, doses = regular[:-1], doses[:-1]
    dose = reader.said_of_a_day() or (
        doses[0] if len(doses) == 1 else _any_of(doses) if follow_each_other(listed, regular) else _sum(doses)
    )
    if dose is None:
        most = reader.at_most(told)
        return None if most is None else Dose(0.0, most)
    if told.schedule in _AS_NEEDED:
        most = dose.most if listed.as_needed is not None else None
        return Dose(0.0, _smaller(most, reader.at_most(told)))
    if apart or beyond:
        return Dose(dose.least if apart else 0.0, None)
    if listed.as_needed is not None and told.schedule != "daily":
        always = _sum(doses[:-1]) if comes_on_top(listed, regular) else None
        return Dose(always.least if always else 0.0, _smaller(dose.most, reader.at_most(told)))
    if listed.as_needed is not None:
        one = reader.at_a_time(takings[0], told)
        return Dose(one.least if one else 0.0, dose.most)
    return dose


def _smaller(left: float | None, right: float | None) -> float | None:
    """The smaller of two limits, where there is one."""
    return min((limit for limit in (left, right) if limit is not None), default=None)


def _any_of(doses: Iterable[Dose | None]) -> Dose | None:
    """Whichever of several doses is taken now."""
    known = list(doses)
    if not known or None in known:
        return None
    most = [dose.most for dose in known if dose is not None and dose.most is not None]
    return Dose(min(dose.least for dose in known if dose is not None), max(most) if len(most) == len(known) else None)


def _sum(doses: Iterable[Dose | None]) -> Dose | None:
    least, most = 0.0, 0.0
    for dose in doses:
        if dose is None or dose.most is None:
            return None
        least, most = least + dose.least, most + dose.most
    return Dose(round(least, PLACES), round(most, PLACES))


class _Reader:
    """The parts of one line in milligrams and counts."""

    def __init__(self, listed: Listed, measures: Measures, which: int | None) -> None:
        self._listed, self._measures, self._which = listed, measures, which

    def of(self, taken: Taken, told: Told) -> Dose | None:
        """Milligrams a day of one intake with its frequency."""
        intake = self.at_a_time(taken, told)
        if intake is None:
            return None
        times = self._times(taken)
        if times is None:
            if told.mg is None and not taken.amounts and told.schedule in _REGULAR:
                return None  # a strength alone is that of the product, of which half or two may be taken
            if told.schedule == "daily":
                return Dose(intake.least, None)
            if told.schedule == "weekly":
                return intake.times(*_WEEKLY_AT_MOST)
            return Dose(0.0, None) if self._listed.as_needed or told.schedule in _AS_NEEDED else None
        return intake.times(*times)

    def said_of_a_day(self) -> Dose | None:
        """The sum that a line gives itself, as in "300 mg twice daily (600 mg/day)"."""
        if len(self._listed.strengths) < 2 or not self._listed.frequencies:
            return None
        said = [one for one in self._listed.strengths if _A_DAY.search(plain(one.text)[0])]
        if len(said) != 1:
            return None
        piece = self._mg_of(said[0])
        return piece.mg if piece is not None and not (piece.by_volume or piece.by_hour) else None

    def at_a_time(self, taken: Taken, told: Told) -> Dose | None:
        """Milligrams at a time."""
        if told.mg is not None:
            return Dose(told.mg, told.mg)
        strengths = taken.strengths or self._listed.strengths[:1]
        pieces = [self._mg_of(one) for one in strengths]
        known = [piece for piece in pieces if piece is not None]
        if not pieces or len(known) != len(pieces) or any(amount.unclear for amount in taken.amounts):
            return None
        counts = [counted for amount in taken.amounts if (counted := self._count(amount, known[0])) is not None]
        if known[0].by_volume and not counts:
            return None if len(known) == 1 else known[-1].mg
        count = Dose(min(one.least for one in counts), max(one.most or 0.0 for one in counts)) if counts else None
        if len(known) == 1:
            if count is not None and strengths[0] is not self._listed.strengths[0]:
                product = self._mg_of(self._listed.strengths[0])
                if product is not None and product.mg.times(*count) == known[0].mg:
                    return known[0].mg  # "0.5 mg tablet, 1 tablet in the morning and 2 tablets (1 mg) at night"
            return known[0].mg.times(*count) if count else known[0].mg
        return self._of_two(strengths, known, count)

    def _of_two(self, strengths: Sequence[Strength], known: Sequence[Piece], count: Dose | None) -> Dose | None:
        """Of product and dose, as in "10 mg tablet, take 20 mg", the dose; without a form between them either or both."""
        first, last = known[0].mg, known[-1].mg
        if first.most is None or last.most is None:
            return None
        if count is not None:
            counted = first.times(*count)
            return last if counted == last else _spanning(counted, last)
        if self._listed.steps:
            return Dose(min(first.least, last.least), max(first.most, last.most))
        if len(known) == 2 and strengths[1].up_to and first.least < last.least:
            return Dose(first.least, last.most)
        if all(one.added for one in strengths[1:]):
            return _sum([piece.mg for piece in known])
        if first == last and any(strengths[0].end <= name.start < strengths[-1].start for name in self._listed.names):
            return last  # "10 mg (generic for Inderal 10 mg)"
        if strengths[-1].directed or any(
            strengths[0].end <= form.start < strengths[-1].start for form in self._listed.forms
        ):
            return last
        both = sum(piece.mg.most or 0.0 for piece in known)
        return Dose(min(first.least, last.least), both)

    def at_most(self, told: Told) -> float | None:
        """The most a day that the line allows: "max 4 per day"."""
        limit = self._listed.duration
        found = _MOST_A_DAY.match(" ".join(plain(limit.text)[0].split())) if limit is not None else None
        said = (found["count"] or found["dose"]) if found else ""
        count = self._measures.numbers.get(said, figure(said)) if said else None
        if count is None:
            return None
        # Four of them may be four tablets or four intakes.
        known = (self.at_a_time(Taken(self._listed.strengths, amounts), told) for amounts in (self._listed.amounts, ()))
        most = [one.most for one in known if one is not None and one.most is not None]
        return max(most) * count if most else None

    def limit(self, part: Strength | Amount, told: Told, *, said_daily: bool) -> float | None:
        """The milligrams of a limit for a day; None for a limit of something else."""
        if isinstance(part, Strength):
            piece = self._mg_of(part)
            if piece is not None and piece.by_hour and not piece.by_volume:
                return piece.mg.most  # "max 4 mg/24h"
            of_a_day = said_daily or part.limit == "limit_a_day" or _A_DAY.search(plain(part.text)[0]) is not None
            return piece.mg.most if piece is not None and of_a_day and not (piece.by_volume or piece.by_hour) else None
        of_a_day = said_daily or part.limit == "limit_a_day"
        one = self.at_a_time(Taken(self._listed.strengths, (part,)), told) if of_a_day and told.mg is None else None
        return one.most if one is not None else None

    @property
    def is_a_rate(self) -> bool:
        """True for 25 mcg/hr, which is given off all the time, however seldom a patch is changed."""
        return any(piece is not None and piece.by_hour for piece in map(self._mg_of, self._listed.strengths))

    def through_the_skin(self) -> Dose | None:
        """Milligrams a day of a patch whose strength is a rate, such as 25 mcg/hr."""
        strengths = self._listed.strengths
        pieces = [piece for one in strengths if (piece := self._mg_of(one)) is not None and piece.by_hour]
        if not pieces or len(pieces) < len(strengths) or not all(one.added for one in strengths[1:]):
            return None
        a_day = _sum([piece.mg for piece in pieces])
        if a_day is None:
            return None
        counts = [amount.count for amount in self._listed.amounts if amount.count is not None]
        patches = counts[0] if len(counts) == 1 else 1.0
        least, most = a_day.times(patches, patches)
        return Dose(0.0 if self._listed.as_needed else least, most)

    def _mg_of(self, strength: Strength) -> Piece | None:
        return in_milligrams(strength, self._measures, self._which)

    def _count(self, amount: Amount, piece: Piece) -> Dose | None:
        """How many pieces or millilitres an amount is; None for one that is measured otherwise."""
        is_volume = amount.of in self._measures.millilitres
        if is_volume != piece.by_volume:
            return None
        if amount.count is not None:
            return Dose(amount.count, amount.count)
        ranged = between(plain(amount.text)[0])
        return Dose(*ranged) if ranged else None

    @staticmethod
    def _times(taken: Taken) -> tuple[float, float] | None:
        frequency = taken.frequency
        of_a_day = [_A_DAY.search(plain(strength.text)[0]) is not None for strength in taken.strengths]
        if of_a_day == [True] and not taken.amounts:
            return 1.0, 1.0  # "4 mg/day in 4 divided doses"
        if frequency is None:
            return None
        if _is_a_scheme(frequency) and (pieces := pieces_a_day(plain(frequency.text)[0])) is not None:
            return pieces, pieces
        if frequency.between is not None:
            return frequency.between
        if frequency.times_a_day is not None:
            return frequency.times_a_day, frequency.times_a_day
        return _WEEKLY_AT_MOST if frequency.schedule == "weekly" else None


def _is_a_scheme(frequency: Frequency) -> bool:
    """Whether it may be in columns, such as 1-0-1 or 1 0 0 1."""
    return "-" in frequency.text or frequency.text.replace(" ", "").isdigit()


def _spanning(left: Dose, right: Dose) -> Dose:
    most = None if left.most is None or right.most is None else max(left.most, right.most)
    return Dose(min(left.least, right.least), most)


def doses_meant(listed: Listed, measures: Measures) -> tuple[Dose, ...]:
    """Everything that somebody may call the dose of a line: in a piece, at a time, a day. Empty where one is not known."""
    reader = _Reader(listed, measures, None)
    pieces = [in_milligrams(one, measures, None) for one in listed.strengths]
    if not pieces or any(piece is None or piece.by_hour or piece.by_volume for piece in pieces):
        return ()
    taken = list(takings_of(listed))
    found = [piece.mg for piece in pieces if piece is not None]
    found += [one for taking in taken if (one := reader.at_a_time(taking, Told())) is not None]
    day = daily_dose(listed, measures, Told())
    return (*found, *((day,) if day is not None and day.most is not None else ()))
