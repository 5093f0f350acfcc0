"""Whether the table of interactions and the rules say the same, in both directions and for every member of a class.

For each row and each medicine that it is about, somebody who takes it is given the products and routes of the row: a rule
that the row names must then hold. Each rule that looks at a class must be named by a row, and each class must have one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from careplan.authoring.rule_examples import holds
from careplan.errors import RuleFault
from careplan.inference.derived import CaseMaker
from careplan.recognition.medicine_rows import Ingredient
from careplan.request.decode import Intake
from careplan.rulebook.conditions import Pattern, tests_of
from careplan.rulebook.derived import asserted
from careplan.rulebook.interaction_rows import Interaction, treatments, with_medicine
from careplan.rulebook.interactions import INTERACTIONS
from careplan.rulebook.model import Rule, Rulebook

ANSWERS: tuple[Mapping[str, Any], ...] = ({}, {"schedule": "daily"}, {"schedule": "as_needed"})
"""How a medicine may be taken: a class is spoken of however that is."""
_NAMES = {("medicine", "class"), ("medicine", "ingredient"), ("regimen", "takes"), ("shared_class", "class")}
_POSITIVE = ("has_any", "has_all", "one_of")


def looked_at(book: Rulebook, rule: Rule) -> frozenset[str]:
    """The classes and ingredients that a rule asks for, by itself or by the derived facts that it says to hold."""
    return frozenset(
        str(value)
        for pattern in _patterns(book, rule)
        for test in tests_of(pattern.tests)
        if (pattern.kind, test.field) in _NAMES and test.operation in _POSITIVE
        for value in test.values
    )


def _patterns(book: Rulebook, rule: Rule) -> list[Pattern]:
    patterns = [pattern for group in rule.when for pattern in group]
    return patterns + [part for pattern in patterns for one in asserted(book.derived, pattern) for part in one.patterns]


class InteractionCheck:
    """Holds the table of one rulebook against its rules."""

    def __init__(self, book: Rulebook) -> None:
        self._book = book
        self._intake = Intake(book.conditions, book.classes, book.forms)
        self._facts = CaseMaker(book)

    def faults(self) -> list[RuleFault]:
        """Everything in which the table and the rules disagree, in order of rows and rules."""
        found = [fault for at, row in enumerate(self._book.interactions, 2) for fault in self._of_row(at, row)]
        return found + list(self._of_rules())

    def unsaid(self, row: Interaction) -> Iterator[tuple[Ingredient, dict[str, Any]]]:
        """The medicines of a row of which no rule that it names speaks, each with a patient for whom that is so."""
        rules = [self._book.rules[name] for name in row.rule if name in self._book.rules]
        asked = {
            (pattern.kind, test.field)
            for rule in rules
            for pattern in _patterns(self._book, rule)
            for test in tests_of(pattern.tests)
        }
        answers = ANSWERS if ("medicine", "schedule") in asked or ("medicine", "hold_question") in asked else ANSWERS[:1]
        given = treatments(row) if any(kind == "treatment" for kind, _ in asked) else treatments(row)[:1]
        for member in row.members(self._book.catalogue) if rules else ():
            patients = self._patients(row, member, answers, given)
            silent = next((patient for patient in patients if not self._said(patient, rules)), None)
            if silent is not None:
                yield member, silent

    def _patients(
        self, row: Interaction, member: Ingredient, answers: Iterable[Mapping[str, Any]], given: Sequence[Mapping[str, str]]
    ) -> Iterator[dict[str, Any]]:
        for beside in row.beside or ("",):
            patient = with_medicine(member, beside, self._book.catalogue)
            for answer in answers:
                listed = [{**patient["medications"][0], **answer}, *patient["medications"][1:]]
                for treatment in given:
                    yield {"conditions": []} | patient | {"medications": listed, "treatment": treatment}

    def _said(self, patient: Mapping[str, Any], rules: list[Rule]) -> bool:
        case = self._facts.case(self._intake.decode(msgspec.json.encode(patient)))
        return any(holds(rule.when, case.facts) for rule in rules)

    def _of_row(self, at: int, row: Interaction) -> Iterator[RuleFault]:
        for name in row.rule:
            rule = self._book.rules.get(name)
            if rule is None:
                mend = "Correct the id, or give the row a title so that it makes this rule."
                yield _fault(at, "rule", f"No rule that runs is called {name}.", mend, "unknown-rule")
                continue
            asked = looked_at(self._book, rule)
            if not any(asked.intersection(one.tokens) for one in row.members(self._book.catalogue)):
                yield _fault(
                    at, "rule", f"{name} does not look at this medicine.", "Name the rule that does.", "interaction"
                )
        levels = {self._book.rules[name].file.level for name in row.rule if name in self._book.rules}
        if levels and row.level not in levels:
            said = " or ".join(sorted(levels))
            yield _fault(at, "level", f"The row says {row.level}, its rules {said}.", f"Write {said}.", "interaction")
        if row.source and row.source not in self._book.sources:
            yield _fault(at, "source", f"There is no source {row.source}.", "Add it to sources.yaml.", "unknown-source")
        unsaid = list(self.unsaid(row))
        if unsaid:
            names = ", ".join(member.name for member, _ in unsaid[:5])
            patient = msgspec.json.encode(unsaid[0][1]).decode()
            problem = f"{len(unsaid)} of these medicines are not spoken of ({names}), as for {patient}."
            yield _fault(
                at, "rule", problem, "Name a rule that speaks of them, or leave them out by but_not.", "interaction"
            )

    def _of_rules(self) -> Iterator[RuleFault]:
        named = {name for row in self._book.interactions for name in row.rule}
        for rule in self._book.rules.values():
            if rule.id not in named and (asked := looked_at(self._book, rule)):
                problem = f"No row of {INTERACTIONS} names this rule, which looks at {', '.join(sorted(asked)[:4])}."
                mend = "Name it in the row of that medicine."
                yield RuleFault(file=rule.place, line=1, field="when", problem=problem, mend=mend, code="interaction")
        rows = self._book.interactions
        members = self._book.catalogue.ingredients.values()
        for name in sorted(self._book.classes):
            of_class = [one for one in members if name in one.classes]
            if of_class and not all(any(row.is_about(one) for row in rows) for one in of_class):
                mend = "Add one; where there is nothing to say, with the level none and the reason."
                yield _fault(1, "medicine", f"No row speaks of every medicine of the class {name}.", mend, "interaction")


def _fault(line: int, column: str, problem: str, mend: str, code: str) -> RuleFault:
    return RuleFault(file=INTERACTIONS, line=line, field=column, problem=problem, mend=mend, code=code)
