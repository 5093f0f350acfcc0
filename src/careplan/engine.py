"""The only module that knows durable-rules: rules in, findings out, inside the subset in which the engine is exact.

Patterns compare only with constants, so which of them a fact matches depends on that fact alone. The engine therefore
matches single patterns; how the matches of a group go together is one product. Facts that no pattern can tell apart match
the same patterns, and are matched once.

Outside that subset the engine loses results, hangs or crashes, so the limits are checked before anything is compiled:
- one pattern a rule of the engine, `kind` tested first; one to three patterns a group, each of a different kind of fact;
- no node of its network comes near the fixed tables inside it, so rules are spread over several rulesets (shards);
- one constant session, deleted after every evaluation; a sentinel fact that always matches, without which deleting
  a session frees memory that was never set; every action drained; results de-duplicated.
An engine belongs to one thread.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Hashable, Iterable, Mapping, Sequence
from itertools import count, product
from typing import Any, NamedTuple

import msgspec

from careplan.facts import Fact
from careplan.likeness import Likeness
from careplan.memo import Memo
from careplan.rulebook.conditions import Pattern, When
from careplan.rulesets import EngineError, Named, check_group, compile_pattern, shards

# The extension names a CPython function that 3.13 dropped, in a path that is never used here. Bound lazily, it loads.
_flags = sys.getdlopenflags()
sys.setdlopenflags(os.RTLD_LAZY | os.RTLD_LOCAL)
try:
    import durable_rules_engine as _durable
finally:
    sys.setdlopenflags(_flags)

MOST_REMEMBERED = 2_048
"""Kinds of facts, told apart as far as any pattern does, whose matches are remembered."""

_SESSION = "0"
_SENTINEL = "sentinel"
_ASSERTED = (0, 1)
_numbers = count()


class Finding(msgspec.Struct, frozen=True, order=True, gc=False):
    """A rule that holds, and the ids of the facts that one of its groups matched."""

    rule: str
    group: int
    facts: tuple[str, ...]


_Ranked = tuple[int, tuple[str, ...], Finding]
"""A finding behind what sorts it: the place of its rule and group, and its facts."""


class _MatchedFact(msgspec.Struct, gc=False):
    id: str


_action = msgspec.json.Decoder(dict[str, dict[str, _MatchedFact]])
_encode = msgspec.json.Encoder().encode
Json = dict[str, Any]


class _Group(NamedTuple):
    """One group of one rule, its patterns by their numbers."""

    rule: str
    number: int
    patterns: tuple[int, ...]


class _Match(NamedTuple):
    """What a fact matches: groups of one pattern, and patterns of groups that ask for more."""

    number: int
    alone: tuple[_Group, ...]
    together: tuple[int, ...]


class Engine:
    """Compiled rules. `evaluate` must be entered by the thread that made the engine."""

    def __init__(self, rules: Mapping[str, When]) -> None:
        self._thread = threading.get_ident()
        self._closed = False
        patterns: dict[Pattern, int] = {}
        groups = [
            _Group(rule, at, tuple(patterns.setdefault(pattern, len(patterns)) for pattern in group))
            for rule, when in rules.items()
            for at, group in enumerate(when)
            if check_group(rule, group)
        ]
        self._alone: dict[int, list[_Group]] = {}
        self._first: dict[int, list[tuple[str, int, tuple[tuple[int, ...], frozenset[int]]]]] = {}
        for group in groups:
            if len(group.patterns) == 1:
                self._alone.setdefault(group.patterns[0], []).append(group)
            else:
                wanted = (group.patterns, frozenset(group.patterns))
                self._first.setdefault(group.patterns[0], []).append((group.rule, group.number, wanted))
        self._together = {number for group in groups if len(group.patterns) > 1 for number in group.patterns}
        self._likeness = Likeness(patterns)
        self._shards = [_Shard(named) for named in shards({str(at): ((pattern,),) for pattern, at in patterns.items()})]
        self._made = 0
        self._matches: Memo[Hashable, _Match] = Memo(MOST_REMEMBERED)
        self._rank = {key: at for at, key in enumerate(sorted((group.rule, group.number) for group in groups))}
        self._found: Memo[tuple[str, int], list[_Ranked]] = Memo(MOST_REMEMBERED)

    def evaluate(self, facts: Sequence[Fact]) -> list[Finding]:
        """Every finding for these facts, in order, each once. Raises `EngineError` if the engine lost any."""
        self._enter()
        found: list[_Ranked] = []
        matched: dict[int, list[str]] = {}
        for fact, match in zip(facts, self._match(facts), strict=True):
            alone = self._found.get((fact.id, match.number))
            if alone is None:
                named = (fact.id,)
                alone = [self._ranked(rule, number, named) for rule, number, _ in match.alone]
                self._found.keep((fact.id, match.number), alone)
            found += alone
            for pattern in match.together:
                if pattern in matched:
                    matched[pattern].append(fact.id)
                else:
                    matched[pattern] = [fact.id]
        for pattern in matched.keys() & self._first.keys():
            for rule, number, patterns in self._first[pattern]:
                if matched.keys() >= patterns[1]:
                    found += [self._ranked(rule, number, ids) for ids in product(*[matched[other] for other in patterns[0]])]
        found.sort()
        return [finding for _, _, finding in found]

    def _ranked(self, rule: str, group: int, facts: tuple[str, ...]) -> _Ranked:
        return self._rank[rule, group], facts, Finding(rule, group, facts)

    def check(self) -> None:
        """Run every shard with nothing but its sentinel. Raises `EngineError` if one does not come back."""
        self._enter()
        for shard in self._shards:
            list(shard.evaluate(()))

    def forget(self) -> None:
        """Forget what facts matched before, so that the next ones are matched afresh."""
        self._matches.clear()

    def close(self) -> None:
        """Free the engine's memory; it cannot be used afterwards."""
        self._closed = True
        for shard in self._shards:
            shard.close()
        self._shards = []

    def _enter(self) -> None:
        if threading.get_ident() != self._thread:
            raise EngineError("the engine was entered by a second thread")
        if self._closed:
            raise EngineError("the engine was closed")

    def _match(self, facts: Sequence[Fact]) -> list[_Match]:
        """What each fact matches, the unknown ones in one go."""
        keys = [fact.like or self._likeness.of(fact.kind, fact.properties) for fact in facts]
        found = [self._matches.get(key) for key in keys]
        missing = {key: fact for key, fact, match in zip(keys, facts, found, strict=True) if match is None}
        if not missing:
            return [match for match in found if match is not None]
        asked = list(missing.values())
        patterns: dict[str, list[int]] = {fact.id: [] for fact in asked}
        for shard in self._shards:
            for name, fact_id in shard.evaluate(asked):
                patterns[fact_id].append(int(name))
        made = {}
        for key, fact in missing.items():
            numbers = tuple(sorted(set(patterns[fact.id])))
            alone = tuple(group for number in numbers for group in self._alone.get(number, ()))
            together = tuple(number for number in numbers if number in self._together)
            self._made += 1
            made[key] = self._matches.keep(key, _Match(self._made, alone, together))
        return [made[key] if match is None else match for key, match in zip(keys, found, strict=True)]


class _Shard:
    """One ruleset of the engine."""

    def __init__(self, groups: Iterable[Named]) -> None:
        self._groups = {f"r{at}": named for at, named in enumerate(groups)}
        self._kinds = frozenset(pattern.kind for named in self._groups.values() for pattern in named.group)
        ruleset: Json = {
            name: {"all": [{pattern.kind: compile_pattern(pattern)} for pattern in named.group]}
            for name, named in self._groups.items()
        }
        ruleset[_SENTINEL] = {"all": [{"fact": {"kind": _SENTINEL}}]}
        self._handle = _durable.create_ruleset(f"careplan-{next(_numbers)}", _encode(ruleset).decode())

    def evaluate(self, facts: Sequence[Fact]) -> Iterable[tuple[str, str]]:
        """Each pattern by its name with the id of a fact that it matches."""
        relevant = [
            {"sid": _SESSION, "id": fact.id, "kind": fact.kind, **fact.properties}
            for fact in facts
            if fact.kind in self._kinds
        ]
        if facts and not relevant:
            return
        relevant.append({"sid": _SESSION, "id": _SENTINEL, "kind": _SENTINEL})
        try:
            actions = self._run(_encode(relevant).decode())
        finally:
            _durable.delete_state(self._handle, _SESSION)
        seen_sentinel = False
        for action in actions:
            ((name, matched),) = _action.decode(action).items()
            if name == _SENTINEL:
                seen_sentinel = True
                continue
            named = self._groups[name]
            (pattern,) = named.group
            yield named.rule, matched[pattern.kind].id
        if not seen_sentinel:
            raise EngineError("the engine lost facts: its sentinel did not come back")

    def _run(self, facts: str) -> list[str]:
        try:
            code, state = _durable.assert_facts(self._handle, facts)
            actions: list[str] = []
            started = _durable.start_action_for_state(self._handle, state)
            action = started[1] if started else None
            while action:
                actions.append(action)
                action = _durable.complete_and_start_action(self._handle, state)
        except Exception as error:  # noqa: BLE001 - the extension's own message quotes the fact
            raise EngineError(f"the engine failed with {type(error).__name__}") from None
        if code not in _ASSERTED:
            raise EngineError(f"the engine refused a fact with code {code}")
        return actions

    def close(self) -> None:
        _durable.delete_ruleset(self._handle)
