"""The only module that knows durable-rules: rules in, findings out, inside the subset in which the engine is exact.

Outside that subset the engine loses results, hangs or crashes, so the limits are checked before anything is compiled:
- one to three patterns a rule, each of a different kind of fact, `kind` tested first; only comparisons with constants;
- no node of its network comes near the fixed tables inside it, so rules are spread over several rulesets (shards);
- one constant session, deleted after every evaluation; a sentinel fact that always matches, without which deleting
  a session frees memory that was never set; every action drained; results de-duplicated.
An engine belongs to one thread.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterable, Mapping, Sequence
from itertools import count
from typing import Any

import msgspec

from careplan.facts import Fact
from careplan.fields import KINDS, member
from careplan.rulebook.conditions import Expression, Group, Pattern, Test, When

# The extension names a CPython function that 3.13 dropped, in a path that is never used here. Bound lazily, it loads.
_flags = sys.getdlopenflags()
sys.setdlopenflags(os.RTLD_LAZY | os.RTLD_LOCAL)
try:
    import durable_rules_engine as _durable
finally:
    sys.setdlopenflags(_flags)

MOST_RULES_PER_SHARD = 120
"""The engine's own limit is 4,096 rules; it degrades long before."""
MOST_CHILDREN_PER_NODE = 128
"""Conditions under one node of the network: at about 511 the engine never returns from compiling."""
MOST_PENDING_NODES = 48
"""Nodes that one fact could leave waiting at once: at 64 the engine gives up on the fact."""

_SESSION = "0"
_SENTINEL = "sentinel"
_ASSERTED = (0, 1)
_numbers = count()


class EngineError(Exception):
    """The engine refused rules or facts, or lost the sentinel. Says which code it gave, never a fact."""


class Finding(msgspec.Struct, frozen=True, order=True):
    """A rule that holds, and the ids of the facts that one of its groups matched."""

    rule: str
    group: int
    facts: tuple[str, ...]


class _MatchedFact(msgspec.Struct):
    id: str


_action = msgspec.json.Decoder(dict[str, dict[str, _MatchedFact]])
_encode = msgspec.json.Encoder().encode
Json = dict[str, Any]


class Engine:
    """Compiled rules. `evaluate` must be entered by the thread that made the engine."""

    def __init__(self, rules: Mapping[str, When]) -> None:
        self._thread = threading.get_ident()
        self._closed = False
        self._shards = [_Shard(groups) for groups in shards(rules)]

    def evaluate(self, facts: Sequence[Fact]) -> list[Finding]:
        """Every finding for these facts, in order, each once. Raises `EngineError` if the engine lost any."""
        if threading.get_ident() != self._thread:
            raise EngineError("the engine was entered by a second thread")
        if self._closed:
            raise EngineError("the engine was closed")
        found: set[Finding] = set()
        for shard in self._shards:
            found.update(shard.evaluate(facts))
        return sorted(found)

    def close(self) -> None:
        """Free the engine's memory; it cannot be used afterwards."""
        self._closed = True
        for shard in self._shards:
            shard.close()
        self._shards = []


class Named(msgspec.Struct, frozen=True):
    """One group of one rule, the unit that the engine runs."""

    rule: str
    number: int
    group: Group


def shards(rules: Mapping[str, When]) -> list[list[Named]]:
    """The groups of all rules spread so that no shard comes near a limit, those over the same kinds together.

    Raises `EngineError` for a group that no shard could take.
    """
    groups = [Named(name, at, group) for name, when in rules.items() for at, group in enumerate(when)]
    groups.sort(key=lambda named: (sorted(pattern.kind for pattern in named.group), named.rule, named.number))
    spread: list[list[Named]] = []
    network = _Network()
    for named in groups:
        if len({pattern.kind for pattern in named.group}) != len(named.group) or not 1 <= len(named.group) <= 3:
            raise EngineError(f"{named.rule} does not have one to three patterns of different kinds")
        if not spread or len(spread[-1]) >= MOST_RULES_PER_SHARD or not network.takes(named.group):
            spread.append([])
            network = _Network()
            if not network.takes(named.group):
                raise EngineError(f"{named.rule} is too wide for the engine")
        spread[-1].append(named)
    return spread


class _Network:
    """A model of the engine's discrimination network, to know its width before the engine builds it."""

    def __init__(self) -> None:
        self._root: Json = {}

    def takes(self, group: Group) -> bool:
        """Add a group; False, with nothing added, if a node would get too wide."""
        before = _encode(self._root)
        for pattern in group:
            for path in _paths(pattern):
                node = self._root
                for step in path:
                    node = node.setdefault(step, {})
        if _widest(self._root) <= MOST_CHILDREN_PER_NODE and _pending(self._root) <= MOST_PENDING_NODES:
            return True
        self._root = msgspec.json.decode(before)
        return False


def _paths(pattern: Pattern) -> list[list[str]]:
    """The chains of tests that a pattern becomes: one for each way of choosing among its alternatives."""
    return [[f"kind={pattern.kind}", *path] for path in _alternatives(compile_expression(pattern.tests))]


def _alternatives(condition: Json) -> list[list[str]]:
    if "$and" in condition:
        paths: list[list[str]] = [[]]
        for part in condition["$and"]:
            paths = [path + more for path in paths for more in _alternatives(part)]
        return paths
    if "$or" in condition:
        return [path for part in condition["$or"] for path in _alternatives(part)]
    return [[_encode(condition).decode()]]


def _widest(node: Json) -> int:
    return max([len(node), *(_widest(child) for child in node.values())], default=0)


def _pending(node: Json) -> int:
    """The most nodes that can wait on the engine's stack below `node`, kinds excluding each other."""
    below = max((_pending(child) for child in node.values()), default=0)
    width = 1 if node and all(step.startswith("kind=") for step in node) else len(node)
    return width + below


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

    def evaluate(self, facts: Sequence[Fact]) -> Iterable[Finding]:
        relevant = [
            {"sid": _SESSION, "id": fact.id, "kind": fact.kind, **fact.properties}
            for fact in facts
            if fact.kind in self._kinds
        ]
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
            yield Finding(named.rule, named.number, tuple(matched[pattern.kind].id for pattern in named.group))
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


def compile_pattern(pattern: Pattern) -> Json:
    """A pattern in the engine's JSON, the kind of fact tested first."""
    tests = compile_expression(pattern.tests)
    return {"$and": [{"kind": pattern.kind}, *tests.get("$and", [tests])]}


def compile_expression(expression: Expression) -> Json:
    """An expression in the engine's JSON."""
    if isinstance(expression, Test):
        return _compile_test(expression)
    parts = [compile_expression(part) for part in expression.parts]
    name = "$and" if type(expression).__name__ == "Every" else "$or"
    if name == "$and":
        parts = [inner for part in parts for inner in part.get("$and", [part])]
    return parts[0] if len(parts) == 1 else {name: parts}


_COMPARE = {"at_least": "$gte", "at_most": "$lte", "less_than": "$lt", "more_than": "$gt"}


def _compile_test(test: Test) -> Json:
    field = test.field
    match test.operation:
        case "one_of" | "one_of_or_unknown":
            alternatives: list[Json] = [{field: value} for value in test.values]
            if test.operation == "one_of_or_unknown":
                alternatives.append({"$nex": {field: 1}})
            return alternatives[0] if len(alternatives) == 1 else {"$or": alternatives}
        case "none_of":
            return _every([{"$neq": {field: value}} for value in test.values])
        case "known":
            return {"$ex": {field: 1}}
        case "unknown":
            return {"$nex": {field: 1}}
        case "has_any":
            held: list[Json] = [{member(field, str(token)): True} for token in test.values]
            return held[0] if len(held) == 1 else {"$or": held}
        case "has_all":
            return _every([{member(field, str(token)): True} for token in test.values])
        case "has_none":
            return _every([{member(field, str(token)): False} for token in test.values])
        case compare:
            return {_COMPARE[compare]: {field: test.values[0]}}


def _every(parts: list[Json]) -> Json:
    return parts[0] if len(parts) == 1 else {"$and": parts}


assert all(kind.isidentifier() for kind in KINDS)
