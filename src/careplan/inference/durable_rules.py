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
from operator import attrgetter
from typing import Any, NamedTuple

import msgspec

from careplan.facts.build import Fact
from careplan.facts.likeness import Likeness
from careplan.inference.ruleset_compiler import EngineError, Named, check_group, compile_pattern, shards
from careplan.memo import Memo
from careplan.rulebook.conditions import Group, Pattern, When
from careplan.rulebook.factors import KINDS

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


_in_order = attrgetter("rule", "group", "facts")


class _MatchedFact(msgspec.Struct, gc=False):
    id: str


_action = msgspec.json.Decoder(dict[str, dict[str, _MatchedFact]])
_encode = msgspec.json.Encoder().encode
Json = dict[str, Any]


class MatchedGroup(NamedTuple):
    """One group of one rule, its patterns by their numbers.

    `sole` is its only possible finding, where there can be only one fact of each of its kinds.
    """

    rule: str
    number: int
    patterns: tuple[int, ...]
    sole: Finding | None


class Match(NamedTuple):
    """What a fact matches by itself: groups of one pattern, and patterns of groups that ask for more.

    Of the latter, `together` has the patterns, with the fact's id if it is the only one of its kind; `begins` has the groups
    that begin with one of them.
    """

    number: int
    alone: list[MatchedGroup]
    together: dict[int, tuple[str, ...]]
    begins: list[MatchedGroup]


class Found(NamedTuple):
    """What holds for the facts of one case: what each matches, in their order, and what several of them match together."""

    matches: list[Match]
    joined: list[Finding]


class Engine:
    """Compiled rules. `evaluate` must be entered by the thread that made the engine."""

    def __init__(self, rules: Mapping[str, When]) -> None:
        self._thread = threading.get_ident()
        self._closed = False
        patterns: dict[Pattern, int] = {}
        groups = [
            MatchedGroup(rule, at, tuple(patterns.setdefault(one, len(patterns)) for one in group), _sole(rule, at, group))
            for rule, when in rules.items()
            for at, group in enumerate(when)
            if check_group(rule, group)
        ]
        self._alone: dict[int, list[MatchedGroup]] = {}
        self._first: dict[int, list[MatchedGroup]] = {}
        for group in groups:
            if len(group.patterns) == 1:
                self._alone.setdefault(group.patterns[0], []).append(group)
            else:
                self._first.setdefault(group.patterns[0], []).append(group)
        self._together = {number for group in groups if len(group.patterns) > 1 for number in group.patterns}
        self._likeness = Likeness(patterns)
        self._shards = [_Shard(named) for named in shards({str(at): ((pattern,),) for pattern, at in patterns.items()})]
        self._made = 0
        self._matches: Memo[Hashable, Match] = Memo(MOST_REMEMBERED)

    def evaluate(self, facts: Sequence[Fact]) -> list[Finding]:
        """Every finding for these facts, in order, each once. Raises `EngineError` if the engine lost any."""
        return self.findings(facts, self.found(facts))

    def found(self, facts: Sequence[Fact]) -> Found:
        """The same, fact by fact and in no order, for who remembers what follows from a match."""
        self._enter()
        matches = self._match(facts)
        matched: dict[int, tuple[str, ...]] = {}
        begun: list[MatchedGroup] = []
        for fact, match in zip(facts, matches, strict=True):
            if not KINDS[fact.kind].many:
                matched.update(match.together)
                begun += match.begins
                continue
            for pattern in match.together:
                if pattern in matched:
                    matched[pattern] += (fact.id,)
                else:
                    matched[pattern] = (fact.id,)
                    begun += self._first.get(pattern, ())
        joined: list[Finding] = []
        for rule, number, patterns, sole in begun:
            # Two or three patterns, of which the first one is there.
            if patterns[1] in matched and patterns[-1] in matched:
                if sole is not None:
                    joined.append(sole)
                else:
                    joined += [Finding(rule, number, ids) for ids in product(*[matched[one] for one in patterns])]
        return Found(matches, joined)

    def findings(self, facts: Sequence[Fact], found: Found) -> list[Finding]:
        """What was found, in the order of rules, groups and facts."""
        alone = [finding for fact, match in zip(facts, found.matches, strict=True) for finding in alone_of(fact, match)]
        return sorted([*alone, *found.joined], key=_in_order)

    def check(self) -> None:
        """Run every shard with nothing but its sentinel. Raises `EngineError` if one does not come back."""
        self._enter()
        for shard in self._shards:
            shard.evaluate(())

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

    def _match(self, facts: Sequence[Fact]) -> list[Match]:
        """What each fact matches, the unknown ones in one go."""
        keys = [fact.like or self._likeness.of(fact.kind, fact.properties) for fact in facts]
        found = [self._matches.get(key) for key in keys]
        if None not in found:
            return found  # type: ignore[return-value]
        missing = {key: fact for key, fact, match in zip(keys, facts, found, strict=True) if match is None}
        asked = list(missing.values())
        patterns: dict[str, list[int]] = {fact.id: [] for fact in asked}
        for shard in self._shards:
            for number, fact_id in shard.evaluate(asked):
                patterns[fact_id].append(number)
        made = {}
        for key, fact in missing.items():
            alone: list[MatchedGroup] = []
            begins: list[MatchedGroup] = []
            together: dict[int, tuple[str, ...]] = {}
            for number in sorted(set(patterns[fact.id])):
                alone += self._alone.get(number, ())
                if number in self._together:
                    together[number] = (fact.id,)
                    begins += self._first.get(number, ())
            self._made += 1
            made[key] = self._matches.keep(key, Match(self._made, alone, together, begins))
        return [made[key] if match is None else match for key, match in zip(keys, found, strict=True)]


def alone_of(fact: Fact, match: Match) -> list[Finding]:
    """What holds for a fact by itself."""
    return [Finding(group.rule, group.number, (fact.id,)) for group in match.alone]


def _sole(rule: str, at: int, group: Group) -> Finding | None:
    # The only fact of a kind is called by it.
    return None if any(KINDS[one.kind].many for one in group) else Finding(rule, at, tuple([one.kind for one in group]))


class _Shard:
    """One ruleset of the engine."""

    def __init__(self, groups: Iterable[Named]) -> None:
        ruleset: Json = {}
        self._patterns: dict[str, tuple[int, str]] = {}
        for at, named in enumerate(groups):
            (pattern,) = named.group
            ruleset[f"r{at}"] = {"all": [{pattern.kind: compile_pattern(pattern)}]}
            self._patterns[f"r{at}"] = (int(named.rule), pattern.kind)
        self._kinds = frozenset(kind for _, kind in self._patterns.values())
        ruleset[_SENTINEL] = {"all": [{"fact": {"kind": _SENTINEL}}]}
        self._handle = _durable.create_ruleset(f"careplan-{next(_numbers)}", _encode(ruleset).decode())

    def evaluate(self, facts: Sequence[Fact]) -> list[tuple[int, str]]:
        """Each pattern by its number with the id of a fact that it matches."""
        relevant = [
            {"sid": _SESSION, "id": fact.id, "kind": fact.kind, **fact.properties}
            for fact in facts
            if fact.kind in self._kinds
        ]
        found: list[tuple[int, str]] = []
        if facts and not relevant:
            return found
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
            number, kind = self._patterns[name]
            found.append((number, matched[kind].id))
        if not seen_sentinel:
            raise EngineError("the engine lost facts: its sentinel did not come back")
        return found

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
