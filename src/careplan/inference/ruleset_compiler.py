"""Rules as the engine takes them: in its JSON, and spread over rulesets so that none comes near a limit of the engine."""

from __future__ import annotations

import math
from collections.abc import Container, Iterator, Mapping
from typing import Any, Literal

import msgspec

from careplan.rulebook.conditions import MOST_KINDS, Every, Expression, Group, Pattern, Test, When, as_decided
from careplan.rulebook.factors import KINDS, member

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
    if len({pattern.kind for pattern in group}) != len(group) or not 1 <= len(group) <= MOST_KINDS:
        raise EngineError(f"{rule} does not have one to {MOST_KINDS} patterns of different kinds")
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


class _Node:
    """A node of the engine's network: the tests under it, and how many nodes could wait below it at most."""

    __slots__ = ("below", "tests")

    def __init__(self) -> None:
        self.tests: dict[str, _Node] = {}
        self.below = 0


class _Network:
    """A model of the engine's discrimination network, to know its width before the engine builds it."""

    def __init__(self) -> None:
        self._kinds = _Node()

    def takes(self, group: Group) -> bool:
        """Add a group; False if a node gets too wide by it, and then the network is of no more use."""
        return all(self._adds(pattern.kind, path) for pattern in group for path in _paths(pattern))

    def _adds(self, kind: str, path: list[str]) -> bool:
        way = [self._kinds]
        for step in (kind, *path):
            way.append(way[-1].tests.setdefault(step, _Node()))
        # Widths only grow, and only on this way: so what is below a node need not be counted anew.
        for node, after in zip(way[-2::-1], way[:0:-1], strict=True):
            node.below = max(node.below, len(after.tests) + after.below)
        # Of the kinds, which exclude each other, only one can wait.
        return all(len(node.tests) <= MOST_CHILDREN_PER_NODE for node in way) and 1 + self._kinds.below <= MOST_PENDING_NODES


MOST_AT_ONCE = 16
"""Values of one test that is taken apart."""


class Apart(msgspec.Struct, frozen=True):
    """A pattern that is too wide for the engine as narrower ones: it matches where all of them do, or any of them."""

    needs: Literal["all", "any"]
    parts: tuple[Apart | Pattern, ...]

    def narrow(self) -> Iterator[Pattern]:
        """The patterns that the engine takes, in order."""
        for part in self.parts:
            if isinstance(part, Pattern):
                yield part
            else:
                yield from part.narrow()

    def matches(self, matched: Container[Pattern]) -> bool:
        """Whether the wide pattern matches what these narrow ones match."""
        found = (part in matched if isinstance(part, Pattern) else part.matches(matched) for part in self.parts)
        return all(found) if self.needs == "all" else any(found)


def taken_apart(pattern: Pattern) -> Apart | Pattern:
    """The pattern, taken apart where it is too wide for the engine, however long its lists are."""
    tests = pattern.tests
    if _ways(tests) <= MOST_CHILDREN_PER_NODE and _Network().takes((pattern,)):
        return pattern
    return _apart(pattern.kind, tests)


def _apart(kind: str, expression: Expression) -> Apart | Pattern:
    if not isinstance(expression, Test) and len(expression.parts) == 1:
        return _apart(kind, expression.parts[0])
    if not isinstance(expression, Test):
        needs: Literal["all", "any"] = "all" if isinstance(expression, Every) else "any"
        return Apart(needs, tuple(taken_apart(Pattern(kind, _as_every(part))) for part in expression.parts))
    values = expression.values
    pieces = [values[at : at + MOST_AT_ONCE] for at in range(0, len(values), MOST_AT_ONCE)]
    operation = expression.operation
    each = [msgspec.structs.replace(expression, values=piece) for piece in pieces]
    return Apart(
        "any" if operation in ("one_of", "one_of_or_unknown", "has_any") else "all",
        tuple(Pattern(kind, Every((one,))) for one in each),
    )


def _as_every(expression: Expression) -> Every:
    return expression if isinstance(expression, Every) else Every((expression,))


def _ways(expression: Expression) -> int:
    """How many chains of tests an expression becomes, counted without making them."""
    if isinstance(expression, Test):
        several = expression.operation in ("one_of", "one_of_or_unknown", "has_any")
        return len(expression.values) + 1 if several else 1
    counts = [_ways(part) for part in expression.parts]
    return math.prod(counts) if isinstance(expression, Every) else sum(counts)


def _paths(pattern: Pattern) -> list[list[str]]:
    """The chains of tests that a pattern becomes: one for each way of choosing among its alternatives."""
    return _alternatives(compile_expression(as_decided(pattern.kind, pattern.tests)))


def _alternatives(condition: Json) -> list[list[str]]:
    if "$and" in condition:
        paths: list[list[str]] = [[]]
        for part in condition["$and"]:
            paths = [path + more for path in paths for more in _alternatives(part)]
        return paths
    if "$or" in condition:
        return [path for part in condition["$or"] for path in _alternatives(part)]
    return [[_encode(condition).decode()]]


def compile_pattern(pattern: Pattern) -> Json:
    """A pattern in the engine's JSON, the kind of fact tested first."""
    tests = compile_expression(as_decided(pattern.kind, pattern.tests))
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
