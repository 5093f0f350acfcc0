"""Which rules are still open for a case, and on which answers they hang; the same as `three_valued` says, worked out once.

What an answer leaves open follows from its fact alone, so it is remembered for facts that are alike.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import NamedTuple

import msgspec

from careplan.facts.build import Case, Fact
from careplan.facts.likeness import Likeness
from careplan.inference.relevance import Numbered, Relevance
from careplan.inference.three_valued import Certainty, Verdict
from careplan.memo import Memo
from careplan.rulebook.conditions import Group, Pattern, When
from careplan.rulebook.factors import KINDS, SESSION_COUNTS

MOST_REMEMBERED = 1_024


class _Seen(NamedTuple):
    """What one fact, or one list that was not sent, says of the patterns of its kind.

    `alone` has the rules that ask for nothing else and hang on an answer, by its pointer. Of patterns that rules ask for
    among others, `holds` has those that hold, `open` those that hang on answers. Of a kind of which there can be many
    facts, each is a subject by itself: what holds for one leaves another one open.
    """

    number: int
    many: bool
    alone: tuple[tuple[str, frozenset[int]], ...]
    holds: frozenset[int]
    open: tuple[tuple[int, frozenset[str]], ...]


_Verdict = tuple[int, Verdict]
"""The number of a pattern with what can be said of it."""

_Group = tuple[tuple[int, ...], int | None]
"""The numbers of a group's patterns of which there is one fact, and of the one of which there can be many."""

_OnSubjects = dict[int, list[tuple[int, frozenset[str] | None]]]
"""By pattern the subjects for which it holds, or with the answers on which it hangs."""

_ALL = -1
"""The subject of a group that is about the patient as a whole."""


_THE_HOLD = frozenset({"hold"})
"""Stands for the answers that the question of a hold waits for."""

_LISTED = {"regimen": "medicine", "history": "condition"}
"""A fact about a list as a whole, with the kind of the facts about its entries."""


class Openness:
    """Knows the rules of one rulebook by their numbers."""

    def __init__(self, rules: Sequence[When]) -> None:
        patterns: dict[Pattern, int] = {}

        def numbered(group: Group) -> _Group:
            numbers = [(patterns.setdefault(one, len(patterns)), KINDS[one.kind].many) for one in group]
            return tuple(at for at, many in numbers if not many), next((at for at, many in numbers if many), None)

        self._rules = [tuple(map(numbered, when)) for when in rules]
        self._by_kind: dict[str, list[Numbered]] = {}
        for pattern, number in patterns.items():
            self._by_kind.setdefault(pattern.kind, []).append((number, pattern))
        self._relevance = Relevance(patterns)
        self._alone: dict[int, list[int]] = {}
        self._together: dict[int, list[int]] = {}
        for at, when in enumerate(rules):
            alone = len(when) == 1 and len(when[0]) == 1
            for number in {patterns[pattern] for group in when for pattern in group}:
                (self._alone if alone else self._together).setdefault(number, []).append(at)
        self._only = {at: when[0][0] for at, when in enumerate(self._rules) if len(when) == 1 and when[0][1] is None}
        self._likeness = Likeness(patterns)
        self._seen: Memo[Hashable, _Seen] = Memo(MOST_REMEMBERED)
        self._bundled: Memo[Hashable, list[_Verdict]] = Memo(MOST_REMEMBERED)
        self._anywhere: Memo[Hashable, list[_Verdict]] = Memo(MOST_REMEMBERED)
        self._made = 0

    def seen(self, case: Case) -> list[_Seen]:
        """What each fact and each list that was not sent leaves open; equal cases get equal numbers."""
        certainty = Certainty(case)
        found = [self._of_fact(case, certainty, fact) for fact in case.facts]
        for kind, described in KINDS.items():
            if described.many and kind in self._by_kind and certainty.list_is_missing(kind):
                found.append(self._of_missing(case, certainty, kind))
        return found

    def hanging(self, seen: Iterable[_Seen]) -> dict[str, set[int]]:
        """By the JSON Pointer of an answer that is missing, the numbers of the rules that hang on it."""
        holds: set[int] = set()
        waits: dict[int, frozenset[str]] = {}
        subjects: _OnSubjects = {}
        found: dict[str, set[int]] = {}
        for at, one in enumerate(seen):
            for pointer, rules in one.alone:
                if pointer in found:
                    found[pointer] |= rules
                else:
                    found[pointer] = set(rules)
            for pattern, pointers in one.open:
                before = waits.get(pattern)
                waits[pattern] = pointers if before is None else before | pointers
                if one.many:
                    subjects.setdefault(pattern, []).append((at, pointers))
            if one.many:
                for pattern in one.holds:
                    subjects.setdefault(pattern, []).append((at, None))
            else:
                holds |= one.holds
        for rule in {rule for pattern in waits for rule in self._together[pattern]}:
            only = self._only.get(rule)
            for pointer in self._rule(rule, holds, waits, subjects) if only is None else _all_of(only, holds, waits):
                found.setdefault(pointer, set()).add(rule)
        return found

    def _rule(self, rule: int, holds: set[int], waits: Mapping[int, frozenset[str]], subjects: _OnSubjects) -> Iterable[str]:
        """The answers on which a rule hangs for any of the subjects for which it does not hold yet."""
        sure: set[int] = set()
        open_: dict[int, set[str]] = {}
        for singles, many in self._rules[rule]:
            opened = [pattern for pattern in singles if pattern not in holds]
            if not all(waits.get(pattern) for pattern in opened):
                continue
            pointers = set().union(*(waits[pattern] for pattern in opened))
            for subject, more in ((_ALL, None),) if many is None else subjects.get(many, ()):
                if more is not None and not more:
                    continue  # open for a reason that no answer could mend
                if opened or more is not None:
                    open_.setdefault(subject, set()).update(pointers, more or ())
                else:
                    sure.add(subject)
        return set().union(*(found for subject, found in open_.items() if subject not in sure))

    def _of_fact(self, case: Case, certainty: Certainty, fact: Fact) -> _Seen:
        key: Hashable = fact.like
        if fact.kind == "medicine" and fact.ingredient:
            key = (key, fact.indexes, case.holds[fact.ingredient.ingredient])
        elif fact.kind == "treatment":
            key = (key, "treatment", *_counts(case))
        elif fact.kind == "protocol" and case.doubts:
            key = (key, *(doubt.pointer for doubt in case.doubts))
        elif not fact.whole:
            key = (key, certainty.list_is_missing(_LISTED[fact.kind]), "not whole")
        found = self._seen.get(key)
        if found is None:
            of_medicine = fact.kind == "medicine" and fact.ingredient
            verdicts = self._of_medicine(case, fact) if of_medicine else self._verdicts(case, certainty, fact)
            found = self._keep(key, fact.kind, verdicts)
        return found

    def _of_medicine(self, case: Case, fact: Fact) -> Iterable[_Verdict]:
        """The same for every place in the list, and whatever the question of a hold waits for, but for the pointers."""
        assert fact.ingredient
        ingredient, at = fact.ingredient.ingredient, fact.indexes[0]
        hold = case.holds[ingredient]
        key = (fact.like, hold.stance, hold.may_open, bool(hold.waits_for))
        verdicts = self._anywhere.get(key)
        if verdicts is None:
            supposed = msgspec.structs.replace(hold, waits_for=_THE_HOLD if hold.waits_for else frozenset())
            certainty = Certainty(msgspec.structs.replace(case, holds={ingredient: supposed}))
            first = msgspec.structs.replace(fact, indexes=(0,))
            verdicts = self._anywhere.keep(key, list(self._verdicts(case, certainty, first)))
        here: dict[frozenset[str], frozenset[str]] = {}
        found: list[_Verdict] = []
        for number, (holds, pointers) in verdicts:
            if pointers and pointers not in here:
                own = frozenset(pointer.replace("/0/", f"/{at}/", 1) for pointer in pointers - _THE_HOLD)
                here[pointers] = own | hold.waits_for if pointers & _THE_HOLD else own
            found.append((number, (holds, here.get(pointers, pointers))))
        return found

    def _verdicts(self, case: Case, certainty: Certainty, fact: Fact) -> Iterable[_Verdict]:
        """What can be said of the patterns of a fact's kind; those that are ruled out may be left out."""
        if KINDS[fact.kind].many:
            return [(number, certainty.of_fact(pattern, fact)) for number, pattern in self._relevance.could_be_about(fact)]
        found: list[_Verdict] = []
        for bundle in self._relevance.bundles(fact.kind):
            given = {name: fact.properties[name] for name in bundle.properties if name in fact.properties}
            key: Hashable = (bundle.number, self._likeness.of(fact.kind, given))
            if not fact.whole:
                key = (key, certainty.list_is_missing(_LISTED[fact.kind]))
            elif fact.kind == "protocol" and case.doubts:
                key = (key, *(doubt.pointer for doubt in case.doubts))
            elif not SESSION_COUNTS.isdisjoint(bundle.properties):
                key = (key, *_counts(case))
            verdicts = self._bundled.get(key)
            if verdicts is None:
                verdicts = [(number, certainty.of_fact(pattern, fact)) for number, pattern in bundle.patterns]
                self._bundled.keep(key, verdicts)
            found += verdicts
        return found

    def _of_missing(self, case: Case, certainty: Certainty, kind: str) -> _Seen:
        key = (kind, *case.of_any_medicine.items())
        found = self._seen.get(key)
        if found is None:
            verdicts = [(number, certainty.of_pattern(pattern)) for number, pattern in self._by_kind[kind]]
            found = self._keep(key, kind, verdicts)
        return found

    def _keep(self, key: Hashable, kind: str, verdicts: Iterable[_Verdict]) -> _Seen:
        self._made += 1
        alone: dict[str, set[int]] = {}
        holds: list[int] = []
        waits: list[tuple[int, frozenset[str]]] = []
        for number, (verdict, pointers) in verdicts:
            if verdict is None:
                for rule in self._alone.get(number, ()):
                    for pointer in pointers:
                        alone.setdefault(pointer, set()).add(rule)
            if number in self._together:
                if verdict is None:
                    waits.append((number, pointers))
                elif verdict:
                    holds.append(number)
        listed = tuple([(pointer, frozenset(rules)) for pointer, rules in alone.items()])
        return self._seen.keep(key, _Seen(self._made, KINDS[kind].many, listed, frozenset(holds), tuple(waits)))


def _all_of(patterns: Iterable[int], holds: set[int], waits: Mapping[int, frozenset[str]]) -> frozenset[str]:
    """The answers on which patterns hang that must all hold; none if no answers could make them."""
    found: frozenset[str] = frozenset()
    for pattern in patterns:
        if pattern not in holds:
            pointers = waits.get(pattern)
            if not pointers:
                return frozenset()
            found |= pointers
    return found


def _counts(case: Case) -> tuple[object, ...]:
    """What verdicts on counts of sessions follow from besides the fact: where one is missing, on the other one."""
    planned, completed = case.patient.treatment.sessions_planned, case.patient.treatment.sessions_completed
    return (planned is None,) if (planned is None) == (completed is None) else (planned, completed)
