"""The measures of a patient as variables of the solver: any value that can be meant, of any age."""

from __future__ import annotations

import z3

from careplan.authoring.proof.answers import YES, Answer, Formula
from careplan.rulebook.measures import CHANGE_WORDS, PROBLEMS, Measure
from careplan.rulebook.model import Rulebook


class SymbolicMeasures:
    """`answers` by kind and field, `check` whether a reading is to be taken again, and what holds of every patient."""

    def __init__(self, book: Rulebook) -> None:
        self.answers: dict[tuple[str, str], Answer] = {}
        self.constraints: list[Formula] = []
        self.check = z3.Bool("measure_check?")
        for name, measure in book.vocabulary.measures.items():
            known, earlier = z3.Bool(f"measures.{name}?"), z3.Bool(f"earlier_measures.{name}?")
            self.constraints.append(z3.Not(z3.And(known, earlier)))
            self.answers["measures", name] = self._value(f"measures.{name}", known, measure)
            self.answers["earlier_measures", name] = self._value(f"earlier_measures.{name}", earlier, measure)
            days = self._within(z3.Int(f"measured_days_ago.{name}"), measure.counts_days + 1)
            self.answers["measured_days_ago", name] = Answer(known, days)
            if measure.change is not None:
                word = self._within(z3.Int(f"score_change.{name}"), len(CHANGE_WORDS))
                changed = z3.Bool(f"score_change.{name}?")
                self.constraints.append(z3.Implies(changed, known))
                self.answers["score_change", name] = Answer(changed, word, CHANGE_WORDS)
        problem = self._within(z3.Int("measure_check.problem"), len(PROBLEMS))
        self.answers["measure_check", "problem"] = Answer(YES, problem, PROBLEMS)

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

    def _within(self, variable: z3.ArithRef, count: int) -> z3.ArithRef:
        self.constraints += [variable >= 0, variable < count]
        return variable
