"""Which rules are still open for a case, and on which answers they hang; the same as `certainty` says, worked out once.

What an answer leaves open follows from its fact alone, so it is remembered for facts that are alike.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import NamedTuple

from careplan.certainty import Certainty, Verdict
from careplan.facts import Case, Fact
from careplan.fields import KINDS, SESSION_COUNTS
from careplan.likeness import Likeness
from careplan.memo import Memo
from careplan.relevance import Numbered, Relevance
from careplan.rulebook.conditions import Group, Pattern, When

MOST_REMEMBERED = 1_024


class _Seen(NamedTuple):
    """What one fact, or one list that was not sent, says of the patterns of its kind: those that hold, and those open.

    Of a kind of which there can be many facts, each is a subject by itself: what holds for one leaves another one open.
    """

    number: int
    many: bool
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
        self._likeness = Likeness(patterns)
        self._seen: Memo[Hashable, _Seen] = Memo(MOST_REMEMBERED)
        self._bundled: Memo[Hashable, list[_Verdict]] = Memo(MOST_REMEMBERED)
        self._made = 0

    def seen(self, case: Case) -> list[_Seen]:
        """What each fact and each list that was not sent leaves open; equal cases get equal numbers."""
        certainty = Certainty(case)
        found = [self._of_fact(case, certainty, fact) for fact in case.facts]
        for kind, described in KINDS.items():
            if described.many and kind in self._by_kind and certainty.list_is_missing(kind):
                found.append(self._of_missing(case, certainty, kind))
        return found

    def hanging(self, seen: Iterable[_Seen]) -> dict[str, list[int]]:
        """By the JSON Pointer of an answer that is missing, the numbers of the rules that hang on it."""
        holds: set[int] = set()
        waits: dict[int, frozenset[str]] = {}
        subjects: _OnSubjects = {}
        for at, one in enumerate(seen):
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
        found: dict[str, list[int]] = {}
        candidates: set[int] = set()
        for pattern, pointers in waits.items():
            for rule in self._alone.get(pattern, ()):
                for pointer in pointers:
                    found.setdefault(pointer, []).append(rule)
            candidates.update(self._together.get(pattern, ()))
        for rule in candidates:
            for pointer in self._rule(rule, holds, waits, subjects):
                found.setdefault(pointer, []).append(rule)
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
            key = (fact.mark, "treatment")
        elif fact.kind == "protocol" and case.doubts:
            key = (key, *(doubt.pointer for doubt in case.doubts))
        elif not fact.whole:
            key = (key, certainty.list_is_missing(_LISTED[fact.kind]), "not whole")
        found = self._seen.get(key)
        if found is None:
            found = self._keep(key, fact.kind, self._verdicts(case, certainty, fact))
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
                treatment = case.patient.treatment
                key = (bundle.number, *given.items(), treatment.sessions_planned, treatment.sessions_completed)
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
        listed, many = list(verdicts), KINDS[kind].many
        # Whether a pattern holds for one of many matters only to rules that have it among others.
        holds = frozenset(
            number for number, (verdict, _) in listed if verdict and not (many and number not in self._together)
        )
        waits = tuple((number, pointers) for number, (verdict, pointers) in listed if verdict is None)
        return self._seen.keep(key, _Seen(self._made, many, holds, waits))
