"""What a rulebook derives, worked out for one patient: facts that hold or do not, counts, and days since a date.

What is derived is never more certain than what it rests on. Where an answer is missing that could decide it, it is unknown,
and hangs on that answer; where nobody could give one, it is unknown and nobody is asked.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import NamedTuple

import msgspec

from careplan.facts.build import FactMaker
from careplan.facts.case import Basis, Case, Fact, Properties
from careplan.facts.measured import day_of_plan
from careplan.inference.case_logic import CaseLogic
from careplan.inference.three_valued import NOTHING, as_it_stands, list_pointer
from careplan.request.patient import Patient
from careplan.rulebook.conditions import Either, Expression, Group, Pattern, Test, When
from careplan.rulebook.derived import Compared, Derived, used_by
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
                one.file.name: one
                for pattern in patterns
                if (pattern.kind == "medicine") == of_medicines
                for one in used_by(book.derived, pattern)
            }
            for of_medicines in (False, True)
        )
        self._derived = tuple(used[name] for name in sorted(used))
        self._beside = tuple((name, pattern) for name in sorted(beside) if (pattern := beside[name].of_one_medicine))
        self._kinds = tuple(sorted({one.kind for one in self._derived}))
        self._facts = FactMaker(book, [*also, *((one.patterns,) for one in (*used.values(), *beside.values()))])

    def case(self, patient: Patient) -> Case:
        """The facts of one patient, with what is derived from them."""
        case = self._facts.case(patient)
        if self._beside and case.medicines:
            case = _with_beside(case, self._beside)
        if not self._derived:
            return case
        logic = CaseLogic(case)
        found: dict[str, Properties] = {kind: {} for kind in self._kinds}
        bases: dict[str, dict[str, Basis]] = {kind: {} for kind in self._kinds}
        for one in self._derived:
            properties, bases[one.kind][one.file.name] = _derived(one, logic, patient)
            found[one.kind] |= properties
        facts = (*case.facts, *(Fact(kind, kind, found[kind]) for kind in self._kinds))
        return msgspec.structs.replace(case, facts=facts, derived=bases)


def _with_beside(case: Case, wanted: Sequence[tuple[str, Pattern]]) -> Case:
    """The case where each fact about a medicine says what other medicines are taken beside it."""
    logic = CaseLogic(case)
    medicines = logic.known_facts("medicine")
    stood = {name: [(fact, stands(pattern.tests, fact)) for fact in medicines] for name, pattern in wanted}
    facts = []
    bases: dict[str, dict[str, Basis]] = {}
    for fact in case.facts:
        if fact.kind == "medicine":
            said: Properties = {}
            bases[fact.id] = {}
            for name, pattern in wanted:
                others = [(one, each) for one, each in stood[name] if one.ingredient is not fact.ingredient]
                there = _any(each for _, each in others)
                behind = tuple((pattern, one) for one, each in others if each)
                open_ = [logic.of_fact(pattern, one)[1] for one, each in others if each is None] if there is None else []
                bases[fact.id][name] = Basis(behind, frozenset().union(*open_), is_open=there is None)
                said |= {} if there is None else {member("beside", name): there}
            fact = msgspec.structs.replace(fact, properties=fact.properties | said)  # noqa: PLW2901 - the same fact, said more of
        facts.append(fact)
    return msgspec.structs.replace(case, facts=tuple(facts), beside=bases)


def _derived(one: Derived, logic: CaseLogic, patient: Patient) -> tuple[Properties, Basis]:
    name = one.file.name
    if one.kind == "days_since":
        days = days_since(one.date, patient)
        return ({} if days is None else {name: float(days)}), Basis()
    if one.compared is not None:
        return _compared(one, one.compared, logic)
    if one.kind == "counts":
        return _counted(one, logic)
    standings = [_group(group, logic) for group in one.when]
    holding = [standing for standing in standings if standing.holds]
    behind = holding[0].behind if holding else _each_once(pair for standing in standings for pair in standing.behind)
    if holding:
        return {name: True}, Basis(behind)
    if all(standing.holds is False for standing in standings):
        return {name: False}, Basis(behind)
    return {}, Basis(behind, logic.of(one.when)[1], is_open=True)


def days_since(name: str, patient: Patient) -> int | None:
    """The days from a date of the request to the day of the plan; None where one of them is not known, or comes before."""
    kind, _, field = name.partition(".")
    sent = getattr(getattr(patient, kind), field)
    today = day_of_plan(patient, by_sessions=False)
    if sent is None or today is None:
        return None
    then: date = sent.date()
    return (today - then).days if then <= today else None


class _Standing(NamedTuple):
    """Whether a group holds, does not, or is not decided, and the facts that say so."""

    holds: bool | None
    behind: Behind


def _group(group: Group, logic: CaseLogic) -> _Standing:
    held: list[bool | None] = []
    true: list[tuple[Pattern, Fact]] = []
    answered: list[tuple[Pattern, Fact]] = []
    for pattern in group:
        facts = logic.known_facts(pattern.kind)
        if logic.list_is_missing(pattern.kind):
            held.append(logic.of_missing(pattern))
            continue
        stood = [(fact, stands(pattern.tests, fact)) for fact in facts]
        held.append(_any(each for _, each in stood))
        true += [(pattern, fact) for fact, each in stood if each]
        answered += [] if KINDS[pattern.kind].many else [(pattern, fact) for fact, _ in stood]
    holds = False if False in held else None if None in held else True
    return _Standing(holds, tuple(true if holds else answered))


def stands(expression: Expression, fact: Fact) -> bool | None:
    """Whether an expression is known to hold, or known not to hold, on one fact; None where that is not known."""
    if isinstance(expression, Test):
        return as_it_stands(fact.kind, expression, fact.properties, whole=fact.whole)
    parts = [stands(part, fact) for part in expression.parts]
    if isinstance(expression, Either):
        return _any(parts)
    return False if False in parts else None if None in parts else True


def _any(parts: Iterable[bool | None]) -> bool | None:
    found = set(parts)
    return True if True in found else None if None in found else False


def _compared(one: Derived, compared: Compared, logic: CaseLogic) -> tuple[Properties, Basis]:
    values: list[float] = []
    open_: list[frozenset[str]] = []
    behind = tuple((pattern, fact) for pattern in one.patterns for fact in logic.known_facts(pattern.kind))
    for (_, field), (pattern, fact) in zip((compared.left, compared.right), behind, strict=True):
        if (value := fact.properties.get(field)) is None:
            open_.append(logic.of_pattern(pattern)[1])
        else:
            values.append(float(value))
    if open_:
        return {}, Basis(behind, _together(open_), is_open=True)
    return {one.file.name: compared.holds(*values)}, Basis(behind)


def _counted(one: Derived, logic: CaseLogic) -> tuple[Properties, Basis]:
    """How many there are, from the least to the most that there can be by what is known."""
    if one.counted is not None and logic.list_is_missing(one.counted.kind):
        missing = frozenset({list_pointer(one.counted.kind)})
        return {least_of(one.file.name): 0.0}, Basis((), missing, is_open=True)
    pattern = one.counted
    if pattern is None:
        each = [(_group(group, logic), (group,)) for group in one.when]
        standings = [standing for standing, _ in each]
        open_ = [logic.of(when)[1] for standing, when in each if standing.holds is None]
    else:
        things: dict[str, list[Fact]] = {}
        for fact in logic.known_facts(pattern.kind):
            name = fact.ingredient.ingredient if fact.ingredient else str(fact.properties["name"])
            things.setdefault(name, []).append(fact)
        standings = [_thing(pattern, facts) for facts in things.values()]
        undecided = [facts for facts, one in zip(things.values(), standings, strict=True) if one.holds is None]
        open_ = [frozenset().union(*(logic.of_fact(pattern, fact)[1] for fact in facts)) for facts in undecided]
    least = sum(standing.holds is True for standing in standings)
    most = least + sum(standing.holds is None for standing in standings)
    properties: Properties = {least_of(one.file.name): float(least), most_of(one.file.name): float(most)}
    counted = [standing for standing in standings if standing.holds] or ([] if pattern else standings)
    behind = _each_once(pair for standing in counted for pair in standing.behind)
    return properties, Basis(behind, frozenset().union(*open_), is_open=least != most)


def _thing(pattern: Pattern, facts: Sequence[Fact]) -> _Standing:
    """Whether something that was sent once or more often is counted."""
    stood = [(fact, stands(pattern.tests, fact)) for fact in facts]
    return _Standing(_any(each for _, each in stood), tuple((pattern, fact) for fact, each in stood if each))


def _together(open_: Sequence[frozenset[str]]) -> frozenset[str]:
    """The answers on which things hang that are all needed: none where one of them has no answer that anybody could give."""
    return frozenset().union(*open_) if all(open_) else NOTHING


def _each_once(pairs: Iterable[tuple[Pattern, Fact]]) -> Behind:
    return tuple({(pattern, fact.id): (pattern, fact) for pattern, fact in pairs}.values())
