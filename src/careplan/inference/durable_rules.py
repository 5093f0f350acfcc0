"""The only module that knows durable-rules: patterns in, matches out, inside the subset in which the engine is exact.

Patterns compare only with constants, so which of them a fact matches depends on that fact alone. The engine therefore
matches single patterns; how the matches of a group go together is one product.

Outside that subset the engine loses results, hangs or crashes, so the limits are checked before anything is compiled:
- one pattern a rule of the engine, `kind` tested first; a group has few patterns, each of a different kind of fact;
- no node of its network comes near the fixed tables inside it, so rules are spread over several rulesets (shards);
- one constant session, deleted after every evaluation; a sentinel fact that always matches, without which deleting
  a session frees memory that was never set; every action drained; results de-duplicated.
Whichever thread asks: only one is inside the engine at a time.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from itertools import count, product
from typing import Any

import msgspec

from careplan.facts.case import Fact, Value
from careplan.inference.clauses import properties_of
from careplan.inference.ruleset_compiler import Apart, EngineError, Named, check_group, compile_pattern, shards, taken_apart
from careplan.rulebook.conditions import Pattern, When

# The extension names a CPython function that 3.13 dropped, in a path that is never used here. Bound lazily, it loads.
_flags = sys.getdlopenflags()
sys.setdlopenflags(os.RTLD_LAZY | os.RTLD_LOCAL)
try:
    import durable_rules_engine as _durable
finally:
    sys.setdlopenflags(_flags)

_SESSION = "0"
_SENTINEL = "sentinel"
_ASSERTED = (0, 1)
_numbers = count()
_inside = threading.Lock()
"""Held by whoever is inside the engine, whose parts share tables of their own. What it is asked is answered at once."""


class Finding(msgspec.Struct, frozen=True, order=True, gc=False):
    """A rule that holds, and the ids of the facts that one of its groups matched."""

    rule: str
    group: int
    facts: tuple[str, ...]


class _MatchedFact(msgspec.Struct, gc=False):
    id: str


_action = msgspec.json.Decoder(dict[str, dict[str, _MatchedFact]])
_encode = msgspec.json.Encoder().encode
Json = dict[str, Any]


class PatternMatcher:
    """Compiled patterns, known by their numbers."""

    def __init__(self, patterns: Sequence[Pattern]) -> None:
        """Compile the patterns, those with long lists in parts. Raises `EngineError` for one that cannot be taken."""
        self._closed = False
        self._wide: list[tuple[int, Apart]] = []
        taken: list[Pattern] = list(patterns)
        for number, pattern in enumerate(patterns):
            apart = taken_apart(pattern)
            if isinstance(apart, Apart):
                self._wide.append((number, apart))
                taken += apart.narrow()
        self._taken = taken
        whole = {number for number, _ in self._wide}
        engine = {str(at): ((one,),) for at, one in enumerate(taken) if at not in whole}
        self._narrow_from = len(patterns)
        with _inside:
            self._shards = [_Shard(named) for named in shards(engine)]

    def matches(self, facts: Sequence[Fact]) -> dict[str, list[int]]:
        """The numbers of the patterns that each fact matches, in order, by the id of the fact.

        Raises `EngineError` if the engine lost any fact.
        """
        found: dict[str, set[int]] = {fact.id: set() for fact in facts}
        with _inside:
            self.enter()
            for shard in self._shards:
                for number, fact_id in shard.evaluate(facts):
                    found[fact_id].add(number)
        if self._wide:
            for numbers in found.values():
                self._put_together(numbers)
        return {name: sorted(numbers) for name, numbers in found.items()}

    def _put_together(self, numbers: set[int]) -> None:
        """Put wide patterns in the place of the narrow ones that they were taken apart into."""
        narrow = {number for number in numbers if number >= self._narrow_from}
        matched = {self._taken[number] for number in narrow}
        numbers -= narrow
        numbers |= {number for number, apart in self._wide if apart.matches(matched)}

    def check(self) -> None:
        """Run every shard with nothing but its sentinel. Raises `EngineError` if one does not come back."""
        with _inside:
            self.enter()
            for shard in self._shards:
                shard.evaluate(())

    def close(self) -> None:
        """Free the engine's memory; it cannot be used afterwards."""
        with _inside:
            self._closed = True
            for shard in self._shards:
                shard.close()
            self._shards = []

    def enter(self) -> None:
        """Raise `EngineError` if it was closed."""
        if self._closed:
            raise EngineError("the engine was closed")


class Engine:
    """Whole rules on the engine, each pattern as it stands: for examples of rules, and to hold other ways against."""

    def __init__(self, rules: Mapping[str, When]) -> None:
        patterns: dict[Pattern, int] = {}
        self._groups: dict[int, list[tuple[str, int, tuple[int, ...]]]] = {}
        for rule, when in rules.items():
            for at, group in enumerate(when):
                check_group(rule, group)
                numbers = tuple(patterns.setdefault(one, len(patterns)) for one in group)
                self._groups.setdefault(numbers[0], []).append((rule, at, numbers))
        self._matcher = PatternMatcher(list(patterns))

    def evaluate(self, facts: Sequence[Fact]) -> list[Finding]:
        """Every finding for these facts, in order, each once. Raises `EngineError` if the engine lost any."""
        matched: dict[int, list[str]] = {}
        for fact_id, numbers in self._matcher.matches(facts).items():
            for number in numbers:
                matched.setdefault(number, []).append(fact_id)
        return sorted(
            Finding(rule, at, ids)
            for first in matched
            for rule, at, numbers in self._groups.get(first, ())
            if all(number in matched for number in numbers)
            for ids in product(*[matched[number] for number in numbers])
        )

    def check(self) -> None:
        """Run the engine once. Raises `EngineError` if it does not answer."""
        self._matcher.check()

    def close(self) -> None:
        """Free the engine's memory; it cannot be used afterwards."""
        self._matcher.close()


class _Shard:
    """One ruleset of the engine."""

    def __init__(self, groups: Iterable[Named]) -> None:
        ruleset: Json = {}
        self._patterns: dict[str, tuple[int, str]] = {}
        looked_at: dict[str, set[str]] = {}
        for at, named in enumerate(groups):
            (pattern,) = named.group
            ruleset[f"r{at}"] = {"all": [{pattern.kind: compile_pattern(pattern)}]}
            self._patterns[f"r{at}"] = (int(named.rule), pattern.kind)
            looked_at.setdefault(pattern.kind, set()).update(properties_of(pattern.kind, pattern.tests))
        self._looked_at = looked_at
        ruleset[_SENTINEL] = {"all": [{"fact": {"kind": _SENTINEL}}]}
        self._handle = _durable.create_ruleset(f"careplan-{next(_numbers)}", _encode(ruleset).decode())

    def evaluate(self, facts: Sequence[Fact]) -> list[tuple[int, str]]:
        """Each pattern by its number with the id of a fact that it matches."""
        looked_at = self._looked_at
        relevant = [
            {"sid": _SESSION, "id": fact.id, "kind": fact.kind, **_only(fact.properties, looked_at[fact.kind])}
            for fact in facts
            if fact.kind in looked_at
        ]
        found: list[tuple[int, str]] = []
        if facts and not relevant:
            return found
        relevant.append({"sid": _SESSION, "id": _SENTINEL, "kind": _SENTINEL})
        try:
            actions = self._run(_encode(relevant).decode())
        except BaseException:
            # Where nothing was asserted there is no state, and this failure is not to hide the one before.
            with suppress(_durable.error):
                _durable.delete_state(self._handle, _SESSION)
            raise
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
        except MemoryError:
            raise MemoryError from None
        except Exception as error:  # noqa: BLE001 - the extension's own message quotes the fact
            raise EngineError(f"the engine failed with {type(error).__name__}") from None
        if code not in _ASSERTED:
            raise EngineError(f"the engine refused a fact with code {code}")
        return actions

    def close(self) -> None:
        _durable.delete_ruleset(self._handle)


def _only(properties: Mapping[str, Value], names: set[str]) -> dict[str, Value]:
    """The properties with these names: what no pattern looks at need not be written and read for the engine."""
    return {name: value for name, value in properties.items() if name in names}
