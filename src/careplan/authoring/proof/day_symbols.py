"""The day of a plan as a variable of the solver, for rules that are in force on some days only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

import z3

from careplan.authoring.proof.answers import YES, Answer, Formula
from careplan.authoring.proof.measure_symbols import TODAY, Reading
from careplan.request.patient import FIRST_YEAR, LAST_YEAR
from careplan.rulebook.validity import Term, Terms

_FIRST = date(FIRST_YEAR, 1, 1).toordinal()
_YEARS_OF_DAYS = 3_660
"""A day that is written comes so much later than the first one, so that what was measured before it has a day as well."""


class SymbolicDay:
    """The day, counted as Python counts days, and whether it is known; any day that a request can name."""

    def __init__(self, terms: Terms) -> None:
        self.answer = Answer(z3.Bool("as_of?"), z3.Int("as_of"))
        self.constraints: list[Formula] = []
        self.counts = bool(terms)
        if self.counts:
            self.constraints += [self.answer.value >= _FIRST, self.answer.value <= date(LAST_YEAR, 12, 31).toordinal()]

    def within(self, term: Term) -> Formula:
        """That a term is in force: on a day that is not known it is."""
        bounds: list[Any] = []
        bounds += [self.answer.value >= term.first.toordinal()] if term.first else []
        bounds += [self.answer.value <= term.last.toordinal()] if term.last else []
        return z3.Or(z3.Not(self.answer.known), z3.And(bounds)) if bounds else YES

    def written(self, reading: Reading) -> date | None:
        """The day that a model wants; without rules on which it bears some day, and None where it must not be known."""
        if not self.counts:
            return TODAY
        return date.fromordinal(int(reading.value(self.answer))) if reading.holds(self.answer.known) else None

    def writable(self, answers: Mapping[tuple[str, str], Answer], check: Formula, dates: Iterable[Answer]) -> Formula:
        """That a patient of this day can be written: it is known where something was measured, and no date comes too early.

        `check` is that a reading is to be taken again, `dates` are the days since each date that counts.
        """
        if not self.counts:
            return YES
        dates = list(dates)
        measured = [answer.known for (kind, _), answer in answers.items() if kind in ("measures", "earlier_measures")]
        told = z3.Or([*measured, check, *(one.known for one in dates)])
        late = [self.answer.value - one.value >= _FIRST for one in dates]
        return z3.And(z3.Or(self.answer.known, z3.Not(told)), self.answer.value >= _FIRST + _YEARS_OF_DAYS, *late)

    def sent(self, day: date | None) -> dict[str, Any]:
        """What a request says of a day that was written, where any rule asks for it."""
        return {"as_of": day.isoformat()} if day is not None and self.counts else {}
