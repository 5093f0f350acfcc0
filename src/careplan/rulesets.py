"""Rules as the engine takes them: in its JSON, and spread over rulesets so that none comes near a limit of the engine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from careplan.fields import KINDS, member
from careplan.rulebook.conditions import Expression, Group, Pattern, Test, When

MOST_RULES_PER_SHARD = 120
"""The engine's own limit is 4,096 rules; it degrades long before."""
MOST_CHILDREN_PER_NODE = 128
"""Conditions under one node of the network: at about 511 the engine never returns from compiling."""
MOST_PENDING_NODES = 48
"""Nodes that one fact could leave waiting at once: at 64 the engine gives up on the fact."""

_encode = msgspec.json.Encoder().encode
Json = dict[str, Any]


class EngineError(Exception):
    """The engine refused rules or facts, or lost the sentinel. Says which code it gave, never a fact."""


def check_group(rule: str, group: Group) -> bool:
    """Raise `EngineError` for a group that is outside of what is exact."""
    if len({pattern.kind for pattern in group}) != len(group) or not 1 <= len(group) <= 3:
        raise EngineError(f"{rule} does not have one to three patterns of different kinds")
    return True


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
        check_group(named.rule, named.group)
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
