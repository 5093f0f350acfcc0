"""The measures of a patient as variables of the solver: any value that can be meant, of any age."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any, Protocol

import z3

from careplan.authoring.proof.answers import YES, Answer, Formula, Unwritable
from careplan.rulebook.measures import CHANGE_WORDS, PROBLEMS, Change, ChangeWord, Measure
from careplan.rulebook.model import Rulebook

TODAY = date(2026, 12, 6)
"""The day of the plan of a patient that is written, where no rule asks for another one."""


class Reading(Protocol):
    """A model of the solver, read."""

    def holds(self, formula: Any) -> bool:
        """Whether a formula is true in it."""
        ...

    def value(self, answer: Any) -> str | bool | float:
        """The value of an answer in it."""
        ...


class SymbolicMeasures:
    """Variables for `answers` by kind and field, `check` (a reading is to be taken again), and `first` values of scores."""

    def __init__(self, book: Rulebook, others: Mapping[tuple[str, str], Answer]) -> None:
        """`others` has the answers on the treatment, which decide whether a score can tell of it."""
        self.answers: dict[tuple[str, str], Answer] = {}
        self.first: dict[str, Any] = {}
        self._measures = book.vocabulary.measures
        self.constraints: list[Formula] = []
        self.check = z3.Bool("measure_check?")
        for name, measure in self._measures.items():
            known, earlier = z3.Bool(f"measures.{name}?"), z3.Bool(f"earlier_measures.{name}?")
            self.constraints.append(z3.Not(z3.And(known, earlier)))
            self.answers["measures", name] = self._value(f"measures.{name}", known, measure)
            self.answers["earlier_measures", name] = self._value(f"earlier_measures.{name}", earlier, measure)
            days = self._within(z3.Int(f"measured_days_ago.{name}"), measure.counts_days + 1)
            self.answers["measured_days_ago", name] = Answer(known, days)
            if measure.change is not None:
                self._change(name, measure, measure.change, others)
        problem = self._within(z3.Int("measure_check.problem"), len(PROBLEMS))
        self.answers["measure_check", "problem"] = Answer(YES, problem, PROBLEMS)

    def _change(self, name: str, measure: Measure, change: Change, others: Mapping[tuple[str, str], Answer]) -> None:
        """How a score has changed since one that is a variable of its own."""
        last, changed = self.answers["measures", name], z3.Bool(f"score_change.{name}?")
        first = self.first[name] = self._value(f"score_change.{name}.first", changed, measure).value
        worse = last.value - first >= change.worse_points
        fall = 100 * (first - last.value)
        holds: dict[ChangeWord, Formula] = {
            "worse": worse,
            "remission": last.value <= change.remission_at_most,
            "response": fall >= change.response_percent * first,
            "partial": fall >= change.partial_percent * first,
            "none": YES,
        }
        word: Formula = CHANGE_WORDS.index("none")
        for means in reversed(holds):
            word = z3.If(holds[means], CHANGE_WORDS.index(means), word)
        sessions = others["treatment", "sessions_completed"]
        indication, response = others["treatment", "indication"], others["treatment", "response_so_far"]
        tells = z3.Or([indication.is_(token) for token in change.tells_response_of])
        self.constraints += [
            z3.Implies(changed, z3.And(last.known, z3.Or(worse, first > change.remission_at_most))),
            z3.Implies(changed, z3.Not(z3.And(sessions.known, sessions.value == 0))),
            # What the scores tell of the treatment is then known, if nobody has answered it otherwise.
            z3.Implies(z3.And(changed, indication.known, tells), response.known),
        ]
        self.answers["score_change", name] = Answer(changed, word, CHANGE_WORDS)

    def _value(self, variable: str, known: Formula, measure: Measure) -> Answer:
        if measure.type == "boolean":
            return Answer(known, z3.Bool(variable))
        if measure.type == "token":
            tokens = tuple(measure.answers)
            return Answer(known, self._within(z3.Int(variable), len(tokens)), tokens)
        limits = measure.limits
        number = (z3.Int if limits.whole else z3.Real)(variable)
        self.constraints += [number >= limits.least, number <= limits.most]
        return Answer(known, number)

    def written(self, reading: Reading, today: date) -> dict[str, Any]:
        """What was measured, each on the day that a model wants, and a score that has changed on the day before as well.

        Raises `Unwritable`.
        """
        found: dict[str, Any] = {}
        for name, measure in self._measures.items():
            last, earlier = self.answers["measures", name], self.answers["earlier_measures", name]
            if reading.holds(last.known):
                days = int(reading.value(self.answers["measured_days_ago", name]))
                found[name] = _sent(reading.value(last), days, today)
                if name in self.first and reading.holds(self.answers["score_change", name].known):
                    found[name] = [_sent(reading.value(Answer(YES, self.first[name])), days + 1, today), found[name]]
            elif reading.holds(earlier.known):
                found[name] = _sent(reading.value(earlier), measure.counts_days + 1, today)
        if reading.holds(self.check):
            free = next((name for name, one in self._measures.items() if name not in found and one.type == "number"), None)
            if free is None:
                raise Unwritable("every measure that is a number is needed")
            found[free] = _sent(self._measures[free].limits.most + 1, 0, today)
        return {"measures": found, "as_of": today.isoformat()} if found else {}

    def _within(self, variable: z3.ArithRef, count: int) -> z3.ArithRef:
        self.constraints += [variable >= 0, variable < count]
        return variable


def _sent(value: str | bool | float, days_ago: int, today: date) -> dict[str, Any]:  # noqa: FBT001 - a value as it was measured
    return {"value": value, "at": (today - timedelta(days=days_ago)).isoformat()}
