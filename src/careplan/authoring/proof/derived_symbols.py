"""What a rulebook derives, as formulas over a symbolic patient.

Of a fact the formulas say when it is known to hold and when it is known not to. The symbolic patient looks at one medicine;
what another one adds, by attributes of its own, is supposed, so that more patients are admitted than there are.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import Any, NamedTuple

import z3

from careplan.authoring.proof.answers import YES, Answer, Formula, Span, Symbolic
from careplan.authoring.proof.formulas import compared, number_of, of_pattern, refuted
from careplan.authoring.proof.measure_symbols import TODAY, Reading
from careplan.recognition.medicine_rows import Ingredient
from careplan.request.patient import FIRST_YEAR
from careplan.rulebook.conditions import Group, Pattern, When
from careplan.rulebook.derived import Derived, could_be, could_fit, is_of_the_row
from careplan.rulebook.factors import KINDS

_FIRST_DAY = date(FIRST_YEAR, 1, 1)
_MOST_DAYS = (TODAY - _FIRST_DAY).days


class Truth(NamedTuple):
    """When something is known to hold, and when it is known not to."""

    holds: Formula
    fails: Formula


class Others(NamedTuple):
    """What is supposed of medicines besides the one looked at: that one `holds` a pattern, that all of them `fail` it."""

    holds: Formula
    fails: Formula


class SymbolicDerived:
    """The formulas of everything that a rulebook derives: `answers` and `spans` by kind and field, and `constraints`.

    `beside` has what is supposed of medicines of another name than the one looked at, `others` of any besides it. `supposed`
    is what may be so of attributes of other medicines, of which no patient can be written.
    """

    def __init__(
        self, derived: Iterable[Derived], symbolic: Symbolic, rows: Sequence[Ingredient], *, beginning: str = ""
    ) -> None:
        """`beginning` sets names of variables apart from those of another rulebook that derives other things."""
        self.answers: dict[tuple[str, str], Answer] = {}
        self.spans: dict[tuple[str, str], Span] = {}
        self.constraints: list[Formula] = []
        self.supposed: list[Formula] = []
        self.beside: dict[str, Others] = {}
        self.others: dict[tuple[str, Pattern], Others] = {}
        self.days: dict[str, Answer] = {}
        self._symbolic = symbolic
        self._rows = rows
        self._beginning = beginning
        for fact in sorted(derived, key=lambda each: each.file.name):
            self._add(fact)
            if (pattern := fact.of_one_medicine) is not None:
                self.beside[fact.file.name] = self._others(f"beside {fact.file.name}", pattern, apart=True)

    def _add(self, derived: Derived) -> None:
        key = (derived.kind, name := derived.file.name)
        if derived.kind == "days_since":
            days = z3.Int(f"days since {derived.date}")
            self.constraints += [days >= 0, days <= _MOST_DAYS]
            self.answers[key] = self.days[derived.date] = Answer(z3.Bool(f"days since {derived.date}?"), days)
        elif derived.compared is not None:
            left, right = (self._symbolic.answers[side] for side in (derived.compared.left, derived.compared.right))
            value = compared(derived.compared.operation, left.value, right.value + z3.RealVal(str(derived.compared.plus)))
            self.answers[key] = Answer(z3.And(left.known, right.known), value)
        elif derived.kind == "counts":
            self.spans[key] = self._span(derived)
        else:
            truth = self._one_of(name, derived.when)
            self.answers[key] = Answer(z3.Or(truth.holds, truth.fails), truth.holds)

    def write_days(self, reading: Reading, body: dict[str, Any], today: date) -> None:
        """Put the dates into a patient by which so many days have gone by as a model wants."""
        for path, answer in self.days.items():
            if reading.holds(answer.known):
                kind, _, field = path.partition(".")
                day = today - timedelta(days=int(reading.value(answer)))
                body.setdefault(kind, {})[field] = f"{day.isoformat()}T12:00:00Z"
                body["as_of"] = today.isoformat()

    def _span(self, derived: Derived) -> Span:
        """How many there are: of the groups that hold, of illnesses, or of ingredients."""
        if derived.counted is None:
            truths = [self._one_of(derived.file.name, line) for line in derived.lines]
            least = z3.Sum([z3.If(truth.holds, 1, 0) for truth in truths])
            return Span(YES, least, YES, number_of(z3.Not(truth.fails) for truth in truths))
        if derived.counted.kind == "condition":
            count = number_of(
                there for name, there in self._symbolic.has.items() if could_be(derived.counted, {"name": {name}})
            )
            asked = self._symbolic.conditions_asked
            return Span(YES, z3.If(asked, count, 0), asked, count)
        taken = number_of(self._symbolic.takes[row.ingredient] for row in self._of(derived.counted))
        asked = self._symbolic.medicines_asked
        if is_of_the_row(derived.counted):
            return Span(YES, taken, asked, taken)
        label = f"{self._beginning}counts.{derived.file.name}"
        least, most = z3.Int(f"{label} least"), z3.Int(f"{label} most")
        own = of_pattern(self._symbolic, derived.counted)
        self.constraints += [least >= 0, least <= most, most <= taken, z3.Implies(own, least >= 1)]
        failed = z3.And(self._symbolic.present("medicine"), refuted(self._symbolic, "medicine", derived.counted.tests))
        self.supposed += [least > z3.If(own, 1, 0), most < taken - z3.If(failed, 1, 0)]
        return Span(YES, least, asked, most)

    def _one_of(self, name: str, groups: When) -> Truth:
        """Of several groups, when one holds and when none of them does."""
        truths = [self._group(name, group) for group in groups]
        return Truth(z3.Or([one.holds for one in truths]), z3.And([one.fails for one in truths]))

    def _group(self, name: str, group: Group) -> Truth:
        truths = [self._pattern(name, pattern) for pattern in group]
        return Truth(z3.And([one.holds for one in truths]), z3.Or([one.fails for one in truths]))

    def _pattern(self, name: str, pattern: Pattern) -> Truth:
        holds = of_pattern(self._symbolic, pattern)
        fails = refuted(self._symbolic, pattern.kind, pattern.tests)
        if not KINDS[pattern.kind].many:
            return Truth(holds, fails)
        others = self.others[name, pattern] = self._others(f"{name}.{len(self.others)}", pattern)
        asked, present = self._symbolic.medicines_asked, self._symbolic.present("medicine")
        every = z3.And(asked, z3.Implies(present, fails), others.fails)
        return Truth(z3.Or(holds, others.holds), every)

    def _others(self, name: str, pattern: Pattern, *, apart: bool = False) -> Others:
        rows, looked_at = self._of(pattern), self._symbolic.is_one_of
        could = z3.Or(
            [z3.And(self._symbolic.other[row.ingredient], z3.Not(looked_at([row])) if apart else YES) for row in rows]
        )
        if is_of_the_row(pattern):
            return Others(could, z3.Not(could))
        label = f"{self._beginning}{name}"
        others = Others(z3.Bool(f"{label}: another medicine"), z3.Bool(f"{label}: no other medicine"))
        self.constraints += [
            z3.Implies(others.holds, could),
            z3.Not(z3.And(others.holds, others.fails)),
            z3.Implies(z3.Not(could), others.fails),
        ]
        self.supposed += [others.holds, z3.And(others.fails, could)]
        return others

    def _of(self, pattern: Pattern) -> list[Ingredient]:
        """The ingredients that could satisfy a pattern, by their names and classes."""
        return [row for row in self._rows if could_fit(pattern, row.ingredient, row.classes)]
