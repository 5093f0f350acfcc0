"""What would change it: the smallest changes of a patient's changeable factors by which an item would go away or come up.

Found from the conditions themselves. What the rulebook does not call changeable (medicines, conditions, red flags, age)
is left alone, and where it stands in the way that is said.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import combinations, product
from typing import Any, TypeAlias

import msgspec

from careplan.explain.plan_diff import ItemRef
from careplan.explain.smallest_change import Answers, Changed, Factor, candidates, smallest
from careplan.facts.case import Case, Fact
from careplan.inference.case_logic import CaseLogic
from careplan.inference.three_valued import as_it_stands
from careplan.plan.phrases import FactPhrases
from careplan.plan.wording import Words
from careplan.rulebook.conditions import (
    COMPARISONS,
    Either,
    Every,
    Expression,
    Group,
    Operation,
    Pattern,
    Test,
    Value,
    When,
)
from careplan.rulebook.conditions_in_words import Prose
from careplan.rulebook.derived import Compared, Derived
from careplan.rulebook.factors import KINDS, OF_DERIVED, least_of, most_of
from careplan.rulebook.model import Level, Rule, Rulebook
from careplan.rulebook.validity import out_of_force

MOST_FOUND = 15
"""As many ways are found, the smallest first, for `side_effects` to choose among."""
_MOST_TRIED = 4_000
_OPPOSITE: Mapping[Operation, Operation] = {
    "at_least": "less_than",
    "less_than": "at_least",
    "at_most": "more_than",
    "more_than": "at_most",
}
_MIRRORED: Mapping[Operation, Operation] = {
    "at_least": "at_most",
    "at_most": "at_least",
    "less_than": "more_than",
    "more_than": "less_than",
}


class Demand(msgspec.Struct, frozen=True):
    """A test of a factor that must hold, or must not, for the item to go away or come up."""

    kind: str
    test: Test
    wanted: bool
    surely: bool = False
    """Whether an answer must say so: then it is not enough that the test does not hold for want of one."""


Demands: TypeAlias = frozenset[Demand]


class Part(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The base of what is answered."""


class Change(Part, frozen=True, kw_only=True):
    """One factor as it is and as it would have to be, in words."""

    pointer: str
    now: str
    then: str


class Way(Part, frozen=True, kw_only=True):
    """Changes that together do it. `patch` is a JSON Merge Patch of the request.

    `adds` and `removes` are the other items that come and go with them, `besides` says so in words. `brings_up` is the most
    serious level of a stop or hold that such a way would bring into the plan.
    """

    patch: dict[str, Any]
    changes: list[Change]
    adds: list[ItemRef] = []
    removes: list[ItemRef] = []
    besides: list[str] = []
    brings_up: Level | None = None


class WhatWouldChange(Part, frozen=True, kw_only=True):
    """How an item could go away (if it is there) or come up (if not). `fixed` names what stands in the way and stays."""

    rule: str
    title: str
    there: bool
    ways: list[Way]
    fixed: list[str] = []


class Counterfactuals:
    """Finds the ways for the rules of one rulebook."""

    def __init__(self, book: Rulebook, phrases: FactPhrases) -> None:
        self._book = book
        self._phrases = phrases
        self._prose = Prose(book)

    def what_would_change(
        self, case: Case, rule: Rule, *, there: bool, subject: Iterable[Fact] | None = None
    ) -> WhatWouldChange:
        """The ways for one rule; of an item about one medicine, condition or goal, `subject` are its facts."""
        if out_of_force({rule.id: rule.term}, case.patient.as_of):
            fixed = [f"it is in force {rule.term.in_words()}"]
            return WhatWouldChange(rule=rule.id, title=rule.title.bare(), there=False, ways=[], fixed=fixed)
        logic = CaseLogic(case)
        finder = _Finder(self._book, logic, subject)
        if there:
            options = _all_of([finder.group_fails(group) for group in rule.when])
        else:
            options = [demands for group in rule.when for demands in finder.group_holds(group)]
        words = Words(self._book, case, self._phrases)
        found = smallest(map(finder.assignment, options), finder.now)[:MOST_FOUND]
        ways = [self._way(changed, finder.now, words) for changed in found]
        title = rule.title.bare()
        return WhatWouldChange(rule=rule.id, title=title, there=there, ways=ways, fixed=[] if ways else self._fixed(finder))

    def _way(self, changed: Changed, before: Answers, words: Words) -> Way:
        patch: dict[str, Any] = {}
        changes = []
        for (kind, field), value in sorted(changed.items()):
            whole = isinstance(value, float) and value.is_integer()
            patch.setdefault(kind, {})[field] = int(value) if whole else value
            says = self._book.vocabulary.fields[f"{kind}.{field}"]
            now = before[kind, field]
            changes.append(
                Change(
                    pointer=f"/{kind}/{field}",
                    now=says.unknown if now is None else words.said(kind, field, now),
                    then=words.said(kind, field, value),
                )
            )
        return Way(patch=patch, changes=changes)

    def _fixed(self, finder: _Finder) -> list[str]:
        return list(
            dict.fromkeys(
                "it is for every patient" if kind == "everyone" else self._prose.pattern(Pattern(kind, _every(part)))
                for kind, part in finder.fixed
            )
        )


class _Finder:
    """Turns conditions into demands on changeable factors. `fixed` gathers the conditions that could not be turned."""

    def __init__(self, book: Rulebook, logic: CaseLogic, subject: Iterable[Fact] | None) -> None:
        self._book = book
        self._logic = logic
        self._subject = None if subject is None else {fact.id for fact in subject}
        self.fixed: list[tuple[str, Expression]] = []
        self.now: dict[Factor, Value | None] = {}

    def group_holds(self, group: Group) -> list[Demands]:
        """Every way for all patterns of a group to find a fact."""
        return _all_of([self._pattern_holds(pattern) for pattern in group])

    def group_fails(self, group: Group) -> list[Demands]:
        """Every way for some pattern of a group to find no fact."""
        return _minimal(demands for pattern in group for demands in self._pattern_fails(pattern))

    def _facts(self, pattern: Pattern) -> list[Fact]:
        facts = self._logic.known_facts(pattern.kind)
        if self._subject is None or not KINDS[pattern.kind].many:
            return list(facts)
        return [fact for fact in facts if fact.id in self._subject]

    def _pattern_holds(self, pattern: Pattern) -> list[Demands]:
        found = [demands for fact in self._facts(pattern) for demands in self._demands(pattern.tests, fact, wanted=True)]
        if not found:
            failing = [part for part in pattern.tests.parts if self._fails_for_good(pattern, part)]
            self.fixed += [(pattern.kind, part) for part in failing or [pattern.tests]]
        return _minimal(found)

    def _pattern_fails(self, pattern: Pattern) -> list[Demands]:
        found = _all_of([self._demands(pattern.tests, fact, wanted=False) for fact in self._facts(pattern)])
        if not found:
            self.fixed.append((pattern.kind, pattern.tests))
        return found

    def _fails_for_good(self, pattern: Pattern, part: Expression) -> bool:
        return not any(self._demands(part, fact, wanted=True) for fact in self._facts(pattern))

    def _demands(self, expression: Expression, fact: Fact, *, wanted: bool, surely: bool = False) -> list[Demands]:
        """The ways to make an expression hold or fail on a fact; [frozenset()] if it does already and stays so."""
        if isinstance(expression, Test):
            return self._demand(expression, fact, wanted=wanted, surely=surely)
        parts = [self._demands(part, fact, wanted=wanted, surely=surely) for part in expression.parts]
        # To make a choice between alternatives fail, all of them must fail; to make all of several fail, one is enough.
        one_is_enough = isinstance(expression, Either) == wanted
        return _minimal(demands for options in parts for demands in options) if one_is_enough else _all_of(parts)

    def _demand(self, test: Test, fact: Fact, *, wanted: bool, surely: bool) -> list[Demands]:
        words = self._book.vocabulary.fields.get(f"{fact.kind}.{test.field}")
        if words is not None and words.changeable:
            return [frozenset({Demand(fact.kind, test, wanted, surely)})]
        if fact.kind in OF_DERIVED:
            return self._derived(test, fact, wanted=wanted)
        stands = as_it_stands(fact.kind, test, fact.properties, whole=fact.whole)
        return [frozenset()] if (stands is wanted if surely else (stands is True) == wanted) else []

    def _derived(self, test: Test, fact: Fact, *, wanted: bool) -> list[Demands]:
        """The ways by which what is derived comes to be as a test wants it, from what it rests on."""
        derived = self._book.derived[test.field]
        stands = as_it_stands(fact.kind, test, fact.properties)
        found: list[Demands] = [frozenset()] if (stands is True) == wanted else []
        if derived.kind == "derived" and test.operation == "one_of" and len(test.values) == 1:
            becomes = test.values[0] is True
            found += self._becomes(derived, becomes if wanted else not becomes)
        elif derived.kind == "counts" and derived.when and test.operation in COMPARISONS:
            found += self._count(derived.lines, test, wanted=wanted)
        return _minimal(found)

    def _becomes(self, derived: Derived, holds: bool) -> list[Demands]:  # noqa: FBT001 - what it is to become
        if derived.compared is not None:
            return list(self._compare(derived.compared, holds))
        return self._one_of(derived.when, wanted=holds)

    def _one_of(self, groups: When, *, wanted: bool) -> list[Demands]:
        """The ways for one of several groups to hold, or for each of them to be known not to."""
        if wanted:
            return [demands for group in groups for demands in self._group(group, wanted=True)]
        return _all_of([self._group(group, wanted=False) for group in groups])

    def _group(self, group: Group, *, wanted: bool) -> list[Demands]:
        """The ways for a group behind a derived fact to hold, or to be known not to."""
        if any(self._logic.list_is_missing(pattern.kind) for pattern in group):
            return []
        parts = [
            [
                demands
                for fact in self._logic.known_facts(pattern.kind)
                for demands in self._surely(pattern.tests, fact, wanted)
            ]
            if wanted or not KINDS[pattern.kind].many
            else _all_of([self._surely(pattern.tests, fact, wanted) for fact in self._logic.known_facts(pattern.kind)])
            for pattern in group
        ]
        return _all_of(parts) if wanted else _minimal(demands for part in parts for demands in part)

    def _surely(self, expression: Expression, fact: Fact, wanted: bool) -> list[Demands]:  # noqa: FBT001 - as above
        return self._demands(expression, fact, wanted=wanted, surely=True)

    def _compare(self, compared: Compared, holds: bool) -> Iterator[Demands]:  # noqa: FBT001 - as above
        """The ways to change one of two numbers so that they compare as wanted, with the other as it is now."""
        values = [self._logic.known_facts(kind)[0].properties.get(field) for kind, field in (compared.left, compared.right)]
        operation = compared.operation if holds else _OPPOSITE[compared.operation]
        for at, (kind, field) in enumerate((compared.left, compared.right)):
            words, other = self._book.vocabulary.fields[f"{kind}.{field}"], values[1 - at]
            if not words.changeable or other is None:
                continue
            limit = float(other) + compared.plus if at == 0 else float(other) - compared.plus
            if limit >= 0:
                test = Test(field, operation if at == 0 else _MIRRORED[operation], (limit,))
                yield frozenset({Demand(kind, test, wanted=True, surely=True)})

    def _count(self, lines: Sequence[When], test: Test, *, wanted: bool) -> list[Demands]:
        """The ways for so many of several lines to hold, or not to, that a test of their number comes out as wanted."""
        found: list[Demands] = []
        for many in range(len(lines) + 1):
            counted = {least_of(test.field): float(many), most_of(test.field): float(many)}
            if as_it_stands("counts", test, counted) is not wanted:
                continue
            for chosen in combinations(range(len(lines)), many):
                parts = [self._one_of(line, wanted=at in chosen) for at, line in enumerate(lines)]
                found += _all_of(parts)
        return _minimal(found)

    def assignment(self, demands: Demands) -> Changed | None:
        """Values, as near as may be to those of now, by which all demands are met; None if there are none."""
        by_field: dict[Factor, list[Demand]] = {}
        for demand in demands:
            by_field.setdefault((demand.kind, demand.test.field), []).append(demand)
        changed: Changed = {}
        for (kind, field), concerned in by_field.items():
            (fact,) = self._logic.known_facts(kind)
            if all(_met(demand, fact) for demand in concerned):
                continue
            now = self.now[kind, field] = fact.properties.get(field)
            limits = [value for demand in concerned for value in demand.test.values]
            tried = candidates((kind, field), limits, now)
            value = next((one for one in tried if _would_meet(concerned, one)), None)
            if value is None:
                self.fixed += [(kind, demand.test) for demand in concerned]
                return None
            changed[kind, field] = value
        return changed


def _every(part: Expression) -> Every:
    return part if isinstance(part, Every) else Every((part,))


def _met(demand: Demand, fact: Fact) -> bool:
    stands = as_it_stands(fact.kind, demand.test, fact.properties, whole=fact.whole)
    return stands is demand.wanted if demand.surely else (stands is True) == demand.wanted


def _would_meet(demands: Iterable[Demand], value: Value) -> bool:
    return all(_met(demand, Fact("", demand.kind, {demand.test.field: value})) for demand in demands)


def _all_of(options: Iterable[Sequence[Demands]]) -> list[Demands]:
    """Every way to take one of each; the ways that ask for least."""
    ways: list[Demands] = [frozenset()]
    for part in options:
        ways = _minimal(before | more for before, more in product(ways, part))
        if len(ways) > _MOST_TRIED:
            ways = sorted(ways, key=len)[:_MOST_TRIED]
    return ways


def _minimal(ways: Iterable[Demands]) -> list[Demands]:
    """The ways that ask for nothing that another one shows to be needless."""
    kept: list[Demands] = []
    for way in sorted(dict.fromkeys(ways), key=lambda one: (len(one), sorted(map(repr, one)))):
        if not any(other <= way for other in kept):
            kept.append(way)
    return kept
