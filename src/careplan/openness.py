"""Which rules are still open for a case, and on which answers they hang; the same as `certainty` says, worked out once.

What an answer leaves open follows from its fact alone, so it is remembered for facts that are alike.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import NamedTuple

from careplan.certainty import Certainty
from careplan.facts import Case, Fact
from careplan.fields import KINDS
from careplan.memo import Memo
from careplan.rulebook.conditions import Pattern, When

MOST_REMEMBERED = 1_024


class _Seen(NamedTuple):
    """What one fact, or one list that was not sent, says of the patterns of its kind: those that hold, and those open."""

    number: int
    holds: frozenset[int]
    open: tuple[tuple[int, frozenset[str]], ...]


class Openness:
    """Knows the rules of one rulebook by their numbers."""

    def __init__(self, rules: Sequence[When]) -> None:
        patterns: dict[Pattern, int] = {}
        self._rules = [
            tuple(tuple(patterns.setdefault(pattern, len(patterns)) for pattern in group) for group in when)
            for when in rules
        ]
        self._by_kind: dict[str, list[tuple[int, Pattern]]] = {}
        for pattern, number in patterns.items():
            self._by_kind.setdefault(pattern.kind, []).append((number, pattern))
        self._alone: dict[int, list[int]] = {}
        self._together: dict[int, list[int]] = {}
        for at, groups in enumerate(self._rules):
            alone = len(groups) == 1 and len(groups[0]) == 1
            for number in {number for group in groups for number in group}:
                (self._alone if alone else self._together).setdefault(number, []).append(at)
        self._seen: Memo[Hashable, _Seen] = Memo(MOST_REMEMBERED)
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
        for one in seen:
            holds |= one.holds
            for pattern, pointers in one.open:
                before = waits.get(pattern)
                waits[pattern] = pointers if before is None else before | pointers
        found: dict[str, list[int]] = {}
        candidates: set[int] = set()
        for pattern, pointers in waits.items():
            if pattern not in holds:
                for rule in self._alone.get(pattern, ()):
                    for pointer in pointers:
                        found.setdefault(pointer, []).append(rule)
                candidates.update(self._together.get(pattern, ()))
        for rule in candidates:
            for pointer in self._rule(rule, holds, waits):
                found.setdefault(pointer, []).append(rule)
        return found

    def _rule(self, rule: int, holds: set[int], waits: Mapping[int, frozenset[str]]) -> Iterable[str]:
        pointers: set[str] = set()
        for group in self._rules[rule]:
            opened = [pattern for pattern in group if pattern not in holds]
            if not opened:
                return ()
            if all(pattern in waits for pattern in opened):
                pointers.update(*(waits[pattern] for pattern in opened))
        return pointers

    def _of_fact(self, case: Case, certainty: Certainty, fact: Fact) -> _Seen:
        key: Hashable = fact.like
        if fact.kind == "medicine" and fact.ingredient:
            key = (key, fact.indexes, case.holds[fact.ingredient.ingredient])
        elif fact.kind == "treatment":
            key = (fact.mark, "treatment")
        elif fact.kind == "protocol" and case.doubts:
            key = (key, *(doubt.pointer for doubt in case.doubts))
        elif not fact.whole:
            key = (key, certainty.list_is_missing("medicine" if fact.kind == "regimen" else "condition"), "not whole")
        found = self._seen.get(key)
        if found is None:
            patterns = self._by_kind.get(fact.kind, ())
            found = self._keep(key, [(number, certainty.of_fact(pattern, fact)) for number, pattern in patterns])
        return found

    def _of_missing(self, case: Case, certainty: Certainty, kind: str) -> _Seen:
        key = (kind, *case.of_any_medicine.items())
        found = self._seen.get(key)
        if found is None:
            found = self._keep(key, [(number, certainty.of_pattern(pattern)) for number, pattern in self._by_kind[kind]])
        return found

    def _keep(self, key: Hashable, verdicts: Iterable[tuple[int, tuple[bool | None, frozenset[str]]]]) -> _Seen:
        self._made += 1
        listed = list(verdicts)
        holds = frozenset(number for number, (verdict, _) in listed if verdict)
        waits = tuple((number, pointers) for number, (verdict, pointers) in listed if verdict is None)
        return self._seen.keep(key, _Seen(self._made, holds, waits))
