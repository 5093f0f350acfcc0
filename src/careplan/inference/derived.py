"""What a rulebook derives, worked out for one patient: facts that hold or do not, counts, and days since a date.

What is derived is never more certain than what it rests on. Where an answer is missing that could decide it, it is unknown,
and hangs on that answer; where nobody could give one, it is unknown and nobody is asked.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import NamedTuple

import msgspec

from careplan.facts.build import FactMaker
from careplan.facts.case import Basis, Case, Fact, Properties
from careplan.facts.measured import day_of_plan
from careplan.inference.case_logic import CaseLogic
from careplan.inference.three_valued import NOTHING, as_it_stands, list_pointer
from careplan.recognition.medicine_rows import Ingredient
from careplan.request.patient import Patient
from careplan.rulebook.conditions import Either, Expression, Group, Pattern, Test, When
from careplan.rulebook.derived import Compared, Derived, could_fit, is_of_the_row, used_by
from careplan.rulebook.factors import KINDS, least_of, member, most_of
from careplan.rulebook.model import Rulebook

Behind = tuple[tuple[Pattern, Fact], ...]


class CaseMaker:
    """Makes the cases that one rulebook looks at, and those that `also` looks at."""

    def __init__(self, book: Rulebook, also: Iterable[When] = ()) -> None:
        looking = [*(rule.when for rule in book.rules.values()), *also]
        patterns = [pattern for when in looking for group in when for pattern in group]
        used, beside = (
            {
                fact.file.name: fact
                for pattern in patterns
                if (pattern.kind == "medicine") == of_medicines
                for fact in used_by(book.derived, pattern)
            }
            for of_medicines in (False, True)
        )
        self._derived = tuple(used[name] for name in sorted(used))
        self._kinds = tuple(sorted({one.kind for one in self._derived}))
        asked = ((name, beside[name].of_one_medicine) for name in sorted(beside))
        self._beside = tuple((name, member("beside", name), pattern) for name, pattern in asked if pattern is not None)
        both = (*used.values(), *beside.values())
        rows = book.catalogue.ingredients.values()
        medicines = [pattern for one in both for pattern in one.patterns if pattern.kind == "medicine"]
        self._fitting = {id(pattern): _Fitting(pattern, rows) for pattern in medicines}
        self._facts = FactMaker(book, [*also, *((one.patterns,) for one in both)])

    def case(self, patient: Patient) -> Case:
        """The facts of one patient, with what is derived from them."""
        case = self._facts.case(patient)
        deriving = _Deriving(case, self._fitting)
        beside = deriving.beside(self._beside) if self._beside and case.medicines else {}
        found: dict[str, Properties] = {kind: {} for kind in self._kinds}
        bases: dict[str, dict[str, Basis]] = {kind: {} for kind in self._kinds}
        for derived in self._derived:
            properties, bases[derived.kind][derived.file.name] = deriving.of(derived)
            found[derived.kind] |= properties
        facts = (*case.facts, *[Fact(kind, kind, found[kind]) for kind in self._kinds])
        return msgspec.structs.replace(case, facts=facts, derived=bases, beside=beside)


class _Fitting:
    """Which medicines a pattern fits: by their row in the table of medicines first, as most fit none."""

    def __init__(self, pattern: Pattern, rows: Iterable[Ingredient]) -> None:
        self._tests = pattern.tests
        self._fitting = frozenset(row.ingredient for row in rows if could_fit(pattern, row.ingredient, row.classes))
        self._by_the_row = is_of_the_row(pattern)

    def could(self, fact: Fact) -> bool:
        """Whether the pattern fits a medicine of this row in some case."""
        return fact.properties["ingredient"] in self._fitting

    def stands(self, fact: Fact) -> bool | None:
        """Whether the pattern is known to fit a medicine, or known not to; None where that is not known."""
        if not self.could(fact):
            return False
        return True if self._by_the_row else stands(self._tests, fact)


class _Standing(NamedTuple):
    """Whether something holds, does not, or is not decided, and the facts that say so."""

    holds: bool | None
    behind: Behind


class _Deriving:
    """Works out what is derived for one case."""

    def __init__(self, case: Case, fitting: Mapping[int, _Fitting]) -> None:
        self._patient = case.patient
        self._logic = CaseLogic(case)
        self._fitting = fitting

    def of(self, derived: Derived) -> tuple[Properties, Basis]:
        """What is known of a derived fact, as properties, and on what it rests."""
        name = derived.file.name
        if derived.kind == "days_since":
            days = days_since(derived.date, self._patient)
            return ({} if days is None else {name: float(days)}), Basis()
        if derived.compared is not None:
            return self._compared(derived, derived.compared)
        if derived.kind == "counts":
            return self._counted(derived)
        standings = [self._group(group) for group in derived.when]
        if held := [standing for standing in standings if standing.holds]:
            return {name: True}, Basis(_each_once(held))
        behind = _each_once(standings)
        if all(standing.holds is False for standing in standings):
            return {name: False}, Basis(behind)
        return {}, Basis(behind, self._logic.of(derived.when)[1], is_open=True)

    def beside(self, wanted: Iterable[tuple[str, str, Pattern]]) -> dict[str, dict[str, Basis]]:
        """Say in each fact about a medicine what other medicines are taken beside it; on what that rests, where on any.

        The facts are those of this case alone, and nobody has read them yet.
        """
        medicines = self._logic.known_facts("medicine")
        bases: dict[str, dict[str, Basis]] = {}
        for name, field, pattern in wanted:
            stood = [(fact, each) for fact in medicines if (each := self._fitting[id(pattern)].stands(fact)) is not False]
            for fact in medicines:
                others = [(one, each) for one, each in stood if one.ingredient is not fact.ingredient]
                if not others:
                    fact.properties[field] = False
                    continue
                behind = tuple((pattern, one) for one, each in others if each)
                if behind:
                    fact.properties[field] = True
                    basis = Basis(behind)
                else:
                    pointers = frozenset[str]().union(*(self._logic.of_fact(pattern, one)[1] for one, _ in others))
                    basis = Basis((), pointers, is_open=True)
                bases.setdefault(fact.id, {})[name] = basis
        return bases

    def _stands(self, pattern: Pattern, fact: Fact) -> bool | None:
        return self._fitting[id(pattern)].stands(fact) if pattern.kind == "medicine" else stands(pattern.tests, fact)

    def _group(self, group: Group) -> _Standing:
        holds: bool | None = True
        true: list[tuple[Pattern, Fact]] = []
        answered: list[tuple[Pattern, Fact]] = []
        for pattern in group:
            held: bool | None = False
            if self._logic.list_is_missing(pattern.kind):
                held = self._logic.of_missing(pattern)
            else:
                facts = self._logic.known_facts(pattern.kind)
                if not KINDS[pattern.kind].many:
                    answered += [(pattern, fact) for fact in facts]
                # Once one pattern does not hold, nothing that the others say changes that.
                for fact in facts if holds is not False else ():
                    each = self._stands(pattern, fact)
                    if each:
                        true.append((pattern, fact))
                    held = True if held or each else None if held is None or each is None else False
            holds = False if holds is False or held is False else None if holds is None or held is None else True
        return _Standing(holds, tuple(true if holds else answered))

    def _line(self, line: When) -> _Standing:
        """Whether one of the groups of a line holds."""
        if len(line) == 1:
            return self._group(line[0])
        standings = [self._group(group) for group in line]
        holds = _any([each.holds for each in standings])
        return _Standing(holds, _each_once([each for each in standings if each.holds] if holds else standings))

    def _compared(self, derived: Derived, compared: Compared) -> tuple[Properties, Basis]:
        values: list[float] = []
        open_: list[frozenset[str]] = []
        behind = tuple((pattern, fact) for pattern in derived.patterns for fact in self._logic.known_facts(pattern.kind))
        for (_, field), (pattern, fact) in zip((compared.left, compared.right), behind, strict=True):
            if (value := fact.properties.get(field)) is None:
                open_.append(self._logic.of_pattern(pattern)[1])
            else:
                values.append(float(value))
        if open_:
            # Both are needed: where nobody could answer one of them, no answer to the other helps.
            return {}, Basis(behind, frozenset().union(*open_) if all(open_) else NOTHING, is_open=True)
        return {derived.file.name: compared.holds(*values)}, Basis(behind)

    def _counted(self, derived: Derived) -> tuple[Properties, Basis]:
        """How many there are, from the least to the most that there can be by what is known."""
        pattern, name = derived.counted, derived.file.name
        if pattern is not None and self._logic.list_is_missing(pattern.kind):
            return {least_of(name): 0.0}, Basis((), frozenset({list_pointer(pattern.kind)}), is_open=True)
        if pattern is None:
            standings = [self._line(line) for line in derived.lines]
            undecided = [line for line, standing in zip(derived.lines, standings, strict=True) if standing.holds is None]
            pointers = [self._logic.of(line)[1] for line in undecided]
        else:
            things: dict[str, list[Fact]] = {}
            for fact in self._countable(pattern):
                called = fact.ingredient.ingredient if fact.ingredient else str(fact.properties["name"])
                things.setdefault(called, []).append(fact)
            standings = [self._thing(pattern, facts) for facts in things.values()]
            open_ = [facts for facts, standing in zip(things.values(), standings, strict=True) if standing.holds is None]
            pointers = [self._logic.of_fact(pattern, fact)[1] for facts in open_ for fact in facts]
        least = sum(standing.holds is True for standing in standings)
        most = least + sum(standing.holds is None for standing in standings)
        properties: Properties = {least_of(name): float(least), most_of(name): float(most)}
        counted = [standing for standing in standings if standing.holds] or ([] if pattern else standings)
        return properties, Basis(_each_once(counted), frozenset().union(*pointers), is_open=least != most)

    def _countable(self, pattern: Pattern) -> Iterable[Fact]:
        """The facts that a pattern could fit: most medicines fit none by their row alone."""
        facts = self._logic.known_facts(pattern.kind)
        return filter(self._fitting[id(pattern)].could, facts) if pattern.kind == "medicine" else facts

    def _thing(self, pattern: Pattern, facts: Sequence[Fact]) -> _Standing:
        """Whether something that was sent once or more often is counted."""
        stood = [(fact, self._stands(pattern, fact)) for fact in facts]
        return _Standing(_any([each for _, each in stood]), tuple((pattern, fact) for fact, each in stood if each))


def days_since(name: str, patient: Patient) -> int | None:
    """The days from a date of the request to the day of the plan; None where one of them is not known, or comes before."""
    kind, _, field = name.partition(".")
    sent = getattr(getattr(patient, kind), field)
    today = day_of_plan(patient, by_sessions=False)
    if sent is None or today is None:
        return None
    then: date = sent.date()
    return (today - then).days if then <= today else None


def stands(expression: Expression, fact: Fact) -> bool | None:
    """Whether an expression is known to hold, or known not to hold, on one fact; None where that is not known."""
    if isinstance(expression, Test):
        return as_it_stands(fact.kind, expression, fact.properties, whole=fact.whole)
    parts = [stands(part, fact) for part in expression.parts]
    if isinstance(expression, Either):
        return _any(parts)
    return False if False in parts else None if None in parts else True


def _any(parts: Sequence[bool | None]) -> bool | None:
    return True if True in parts else None if None in parts else False


def _each_once(standings: Iterable[_Standing]) -> Behind:
    return tuple({(id(pattern), fact.id): (pattern, fact) for one in standings for pattern, fact in one.behind}.values())
