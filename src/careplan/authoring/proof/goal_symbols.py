"""A patient's goals with every answer open. One that was not read is none of those that are counted and compared."""

from __future__ import annotations

import z3

from careplan.authoring.proof.answers import YES, Answer, Formula
from careplan.rulebook.factors import KINDS

MOST_GOALS = 20


class SymbolicGoals:
    """The variables of any one goal and of the goals as a whole; in `constraints` what holds of every patient's.

    `count` counts the goals that were read. `unread` says that there is one that was not; `present` that there is any.
    """

    def __init__(self) -> None:
        self.asked, self.unread = z3.Bool("goals?"), z3.Bool("goals not read?")
        self.count, specific_count = z3.Int("goals.count"), z3.Int("goals.specific_count")
        self.present = z3.Or(self.count > 0, self.unread)
        self.answers: dict[tuple[str, str], Answer] = {}
        self.constraints: list[Formula] = []
        goal = {name: self._answer(name) for name in KINDS["goal"].fields}
        parts = [goal[name].value for name in ("one_action", "amount", "when_or_how_often", "own_control")]
        specific, harmless = goal["specific"].value, goal["safety"].is_("none")
        self.is_read = z3.Or(goal["understood"].value, z3.Not(harmless))
        read = z3.And(self.present, self.is_read)
        clear, protected = z3.Bool("goals.all_clear"), z3.Bool("goals.some_protected")
        this_protected = goal["protected"].value
        self.constraints += [
            specific == z3.And(parts),
            z3.Implies(this_protected, goal["understood"].value),
            self.count >= 0,
            self.count + z3.If(self.unread, 1, 0) <= MOST_GOALS,
            z3.Implies(z3.Not(self.asked), z3.Not(self.present)),
            z3.Implies(read, self.count > 0),
            z3.Implies(z3.And(self.present, z3.Not(self.is_read)), self.unread),
            specific_count >= 0,
            specific_count <= self.count,
            z3.Implies(z3.And(read, specific), specific_count >= 1),
            z3.Implies(z3.And(read, z3.Not(specific)), specific_count < self.count),
            z3.Implies(z3.And(read, z3.Not(harmless)), z3.Not(clear)),
            z3.Implies(z3.And(self.count == 1, read, harmless), clear),
            z3.Implies(self.count == 0, clear),
            z3.Implies(z3.And(read, this_protected), protected),
            z3.Implies(z3.And(self.count == 1, read, z3.Not(this_protected)), z3.Not(protected)),
            z3.Implies(self.count == 0, z3.Not(protected)),
        ]
        self.answers["goals", "all_clear"] = Answer(self.asked, clear)
        self.answers["goals", "some_protected"] = Answer(self.asked, protected)
        self.answers["goals", "count"] = Answer(self.asked, self.count)
        self.answers["goals", "specific_count"] = Answer(self.asked, specific_count)

    def _answer(self, name: str) -> Answer:
        field = KINDS["goal"].fields[name]
        if field.type == "boolean":
            answer = Answer(YES, z3.Bool(f"goal.{name}"))
        else:
            variable = z3.Int(f"goal.{name}")
            self.constraints += [variable >= 0, variable < len(field.tokens)]
            answer = Answer(YES, variable, field.tokens)
        self.answers["goal", name] = answer
        return answer
