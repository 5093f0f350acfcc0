"""What a rulebook derives, worked out for one patient: facts that hold or do not, counts, and days since a date.

What is derived is never more certain than what it rests on. Where an answer is missing that could decide it, it is unknown,
and hangs on that answer; where nobody could give one, it is unknown and nobody is asked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from typing import NamedTuple

import msgspec

from careplan.facts.build import FactMaker
from careplan.facts.case import Basis, Case, Fact, Properties
from careplan.facts.measured import day_of_plan
from careplan.inference.case_logic import CaseLogic
from careplan.inference.three_valued import NOTHING, list_pointer, some, standing
from careplan.recognition.medicine_rows import Ingredient
from careplan.request.patient import Patient
from careplan.rulebook.conditions import Pattern, When
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
        rows = book.catalogue.ingredients.values()
        self._derived = tuple(_Prepared.of(used[name], rows) for name in sorted(used))
        self._kinds = tuple(sorted({one.kind for one in used.values()}))
        asked = ((name, beside[name].of_one_medicine) for name in sorted(beside))
        self._beside = tuple(
            (name, member("beside", name), _Part.of(pattern, rows)) for name, pattern in asked if pattern is not None
        )
        both = (*used.values(), *beside.values())
        self._facts = FactMaker(book, [*also, *((one.patterns,) for one in both)])

    def case(self, patient: Patient) -> Case:
        """The facts of one patient, with what is derived from them."""
        case = self._facts.case(patient)
        deriving = _Deriving(case)
        beside = deriving.beside(self._beside) if self._beside and case.medicines else {}
        found: dict[str, Properties] = {kind: {} for kind in self._kinds}
        bases: dict[str, dict[str, Basis]] = {kind: {} for kind in self._kinds}
        for prepared in self._derived:
            kind = prepared.derived.kind
            properties, bases[kind][prepared.derived.file.name] = deriving.of(prepared)
            found[kind] |= properties
        facts = (*case.facts, *[Fact(kind, kind, found[kind]) for kind in self._kinds])
        return msgspec.structs.replace(case, facts=facts, derived=bases, beside=beside)


class _Part(NamedTuple):
    """A pattern made ready: whether a fact is known to fit it, or known not to; None where that is not known.

    Of `many` kinds there can be many facts. Of a medicine its row is looked at first, as most fit none: `fitting` are the
    rows that fit in some case.
    """

    pattern: Pattern
    kind: str
    many: bool
    stands: Callable[[Fact], bool | None]
    fitting: frozenset[str]

    @classmethod
    def of(cls, pattern: Pattern, rows: Iterable[Ingredient]) -> _Part:
        """The part, with the medicines that there are."""
        kind, many = pattern.kind, KINDS[pattern.kind].many
        of_whole, of_missing = (standing(kind, pattern.tests, whole=whole) for whole in (True, False))

        def stands(fact: Fact) -> bool | None:
            return of_whole(fact.properties) if fact.whole else of_missing(fact.properties)

        if kind != "medicine":
            return cls(pattern, kind, many, stands, frozenset())
        fitting = frozenset(row.ingredient for row in rows if could_fit(pattern, row.ingredient, row.classes))
        by_the_row = is_of_the_row(pattern)

        def fits(fact: Fact) -> bool | None:
            return (by_the_row or stands(fact)) if fact.properties["ingredient"] in fitting else False

        return cls(pattern, kind, many, fits, fitting)


_Group = tuple[_Part, ...]


class _Prepared(NamedTuple):
    """A derived fact made ready: its groups, those of each of its lines, and what is counted."""

    derived: Derived
    groups: tuple[_Group, ...]
    lines: tuple[tuple[When, tuple[_Group, ...]], ...]
    counted: _Part | None

    @classmethod
    def of(cls, derived: Derived, rows: Iterable[Ingredient]) -> _Prepared:
        """The fact, with the medicines that there are."""

        def ready(when: When) -> tuple[_Group, ...]:
            return tuple(tuple(_Part.of(pattern, rows) for pattern in group) for group in when)

        counted = None if derived.counted is None else _Part.of(derived.counted, rows)
        return cls(derived, ready(derived.when), tuple((line, ready(line)) for line in derived.lines), counted)


class _Standing(NamedTuple):
    """Whether something holds, does not, or is not decided, and the facts that say so."""

    holds: bool | None
    behind: Behind


_NEVER = _Standing(holds=False, behind=())


class _Deriving:
    """Works out what is derived for one case."""

    def __init__(self, case: Case) -> None:
        self._patient = case.patient
        self._logic = CaseLogic(case)

    def of(self, prepared: _Prepared) -> tuple[Properties, Basis]:
        """What is known of a derived fact, as properties, and on what it rests."""
        derived = prepared.derived
        name = derived.file.name
        if derived.kind == "days_since":
            days = days_since(derived.date, self._patient)
            return ({} if days is None else {name: float(days)}), Basis()
        if derived.compared is not None:
            return self._compared(derived, derived.compared)
        if derived.kind == "counts":
            return self._counted(prepared)
        standings = [self._group(group) for group in prepared.groups]
        if held := [standing for standing in standings if standing.holds]:
            return {name: True}, Basis(_each_once(held))
        behind = _each_once(standings)
        if all(standing.holds is False for standing in standings):
            return {name: False}, Basis(behind)
        return {}, Basis(behind, self._logic.of(derived.when)[1], is_open=True)

    def beside(self, wanted: Iterable[tuple[str, str, _Part]]) -> dict[str, dict[str, Basis]]:
        """Say in each fact about a medicine what other medicines are taken beside it; on what that rests, where on any.

        The facts are those of this case alone, and nobody has read them yet.
        """
        medicines = self._logic.known_facts("medicine")
        bases: dict[str, dict[str, Basis]] = {}
        for name, field, part in wanted:
            pattern = part.pattern
            stood = [(fact, each) for fact in medicines if (each := part.stands(fact)) is not False]
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

    def _group(self, group: _Group) -> _Standing:
        if len(group) == 1 and not group[0].many:
            # Most look at one fact, of which every patient has one.
            part = group[0]
            behind = tuple([(part.pattern, fact) for fact in self._logic.known_facts(part.kind)])
            return _Standing(part.stands(behind[0][1]), behind) if behind else _NEVER
        holds: bool | None = True
        true: list[tuple[Pattern, Fact]] = []
        answered: list[tuple[Pattern, Fact]] = []
        for part in group:
            held: bool | None = False
            if part.many and self._logic.list_is_missing(part.kind):
                held = self._logic.of_missing(part.pattern)
            else:
                facts = self._logic.known_facts(part.kind)
                if not part.many:
                    answered += [(part.pattern, fact) for fact in facts]
                # Once one pattern does not hold, nothing that the others say changes that.
                for fact in facts if holds is not False else ():
                    each = part.stands(fact)
                    if each:
                        true.append((part.pattern, fact))
                    held = True if held or each else None if held is None or each is None else False
            holds = False if holds is False or held is False else None if holds is None or held is None else True
        return _Standing(holds, tuple(true if holds else answered))

    def _line(self, line: Sequence[_Group]) -> _Standing:
        """Whether one of the groups of a line holds."""
        if len(line) == 1:
            return self._group(line[0])
        standings = [self._group(group) for group in line]
        holds = some([each.holds for each in standings])
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

    def _counted(self, prepared: _Prepared) -> tuple[Properties, Basis]:
        """How many there are, from the least to the most that there can be by what is known."""
        part, name = prepared.counted, prepared.derived.file.name
        if part is not None and self._logic.list_is_missing(part.kind):
            return {least_of(name): 0.0}, Basis((), frozenset({list_pointer(part.kind)}), is_open=True)
        pointers: list[frozenset[str]] = []
        if part is None:
            standings = [self._line(groups) for _, groups in prepared.lines]
            for (line, _), standing in zip(prepared.lines, standings, strict=True):
                if standing.holds is None:
                    pointers.append(self._logic.of(line)[1])
        else:
            things = self._countable(part)
            standings = [self._thing(part, facts) for facts in things]
            for facts, standing in zip(things, standings, strict=True):
                if standing.holds is None:
                    pointers += [self._logic.of_fact(part.pattern, fact)[1] for fact in facts]
        least = len([standing for standing in standings if standing.holds])
        most = least + len([standing for standing in standings if standing.holds is None])
        properties: Properties = {least_of(name): float(least), most_of(name): float(most)}
        counted = [standing for standing in standings if standing.holds] or ([] if part else standings)
        return properties, Basis(_each_once(counted), NOTHING.union(*pointers), is_open=least != most)

    def _countable(self, part: _Part) -> Sequence[list[Fact]]:
        """The facts that a pattern could fit, those of one thing together: most medicines fit none by their row alone."""
        things: dict[str, list[Fact]] = {}
        for fact in self._logic.known_facts(part.kind):
            if fact.ingredient is None:
                things.setdefault(str(fact.properties["name"]), []).append(fact)
            elif fact.ingredient.ingredient in part.fitting:
                things.setdefault(fact.ingredient.ingredient, []).append(fact)
        return list(things.values())

    def _thing(self, part: _Part, facts: Sequence[Fact]) -> _Standing:
        """Whether something that was sent once or more often is counted."""
        stood = [(fact, part.stands(fact)) for fact in facts]
        return _Standing(some([each for _, each in stood]), tuple((part.pattern, fact) for fact, each in stood if each))


def days_since(name: str, patient: Patient) -> int | None:
    """The days from a date of the request to the day of the plan; None where one of them is not known, or comes before."""
    kind, _, field = name.partition(".")
    sent = getattr(getattr(patient, kind), field)
    today = day_of_plan(patient, by_sessions=False)
    if sent is None or today is None:
        return None
    then: date = sent.date()
    return (today - then).days if then <= today else None


def _each_once(standings: Iterable[_Standing]) -> Behind:
    return tuple({(id(pattern), fact.id): (pattern, fact) for one in standings for pattern, fact in one.behind}.values())
