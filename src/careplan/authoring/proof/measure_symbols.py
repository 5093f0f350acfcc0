"""The measures of a patient as variables of the solver: any value that can be meant, of any age that counts."""

from __future__ import annotations

import z3

from careplan.authoring.proof.answers import YES, Answer, Formula
from careplan.rulebook.measures import CHANGE_WORDS, PROBLEMS
from careplan.rulebook.model import Rulebook


class SymbolicMeasures:
    """`answers` by kind and field, `check` whether a reading is to be taken again, and what holds of every patient."""

    def __init__(self, book: Rulebook) -> None:
        self.answers: dict[tuple[str, str], Answer] = {}
        self.constraints: list[Formula] = []
        self.check = z3.Bool("measure_check?")
        for name, measure in book.vocabulary.measures.items():
            known = z3.Bool(f"measures.{name}?")
            if measure.type == "boolean":
                self.answers["measures", name] = Answer(known, z3.Bool(f"measures.{name}"))
            elif measure.type == "token":
                tokens = tuple(measure.answers)
                self.answers["measures", name] = Answer(known, self._within(z3.Int(f"measures.{name}"), len(tokens)), tokens)
            else:
                limits = measure.limits
                number = (z3.Int if limits.whole else z3.Real)(f"measures.{name}")
                self.constraints += [number >= limits.least, number <= limits.most]
                self.answers["measures", name] = Answer(known, number)
            days = self._within(z3.Int(f"measured_days_ago.{name}"), measure.counts_days + 1)
            self.answers["measured_days_ago", name] = Answer(known, days)
            if measure.change is not None:
                word = self._within(z3.Int(f"score_change.{name}"), len(CHANGE_WORDS))
                changed = z3.Bool(f"score_change.{name}?")
                self.constraints.append(z3.Implies(changed, known))
                self.answers["score_change", name] = Answer(changed, word, CHANGE_WORDS)
        problem = self._within(z3.Int("measure_check.problem"), len(PROBLEMS))
        self.answers["measure_check", "problem"] = Answer(YES, problem, PROBLEMS)

    def _within(self, variable: z3.ArithRef, count: int) -> z3.ArithRef:
        self.constraints += [variable >= 0, variable < count]
        return variable
