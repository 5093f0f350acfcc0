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


class SymbolicDay:
    """The day, counted as Python counts days, and whether it is known; any day that a request can name."""

    def __init__(self, terms: Terms) -> None:
        self.answer = Answer(z3.Bool("as_of?"), z3.Int("as_of"))
        self.constraints: list[Formula] = []
        self.counts = bool(terms)
        if self.counts:
            first, last = date(FIRST_YEAR, 1, 1), date(LAST_YEAR, 12, 31)
            self.constraints += [self.answer.value >= first.toordinal(), self.answer.value <= last.toordinal()]

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

    def where_needed(self, answers: Mapping[tuple[str, str], Answer], check: Formula, days: Iterable[Answer]) -> Formula:
        """That the day is known wherever something was measured or a date counts, as a written patient then names it."""
        measured = [answer.known for (kind, _), answer in answers.items() if kind in ("measures", "earlier_measures")]
        told = z3.Or([*measured, check, *(answer.known for answer in days)])
        return z3.Or(self.answer.known, z3.Not(told)) if self.counts else YES

    def sent(self, day: date | None) -> dict[str, Any]:
        """What a request says of a day that was written, where any rule asks for it."""
        return {"as_of": day.isoformat()} if day is not None and self.counts else {}
