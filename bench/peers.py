"""The same rules on other engines: the part of the rulebook in which a rule looks at one fact, which all can express.

Each engine takes the facts of one patient and gives the rules that hold. No time counts unless all agree on every patient,
and each is asked once for each, so that none of them has seen anybody before.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any

import clips
import json_logic
import msgspec
import zen
from durable import lang

from careplan.facts.case import Fact
from careplan.inference.durable_rules import Engine
from careplan.rulebook.conditions import Either, Expression, Group, Test, When, tests_of
from careplan.rulebook.factors import KINDS, OF_DERIVED, OF_MEASURES, member
from careplan.rulebook.model import Rulebook

Json = dict[str, Any]
Peer = Callable[[Sequence[Fact]], frozenset[str]]


def single_fact_rules(book: Rulebook) -> dict[str, When]:
    """The rules whose every group looks at one fact, and at no measure, nothing derived and no number from least to most."""
    return {rule.id: rule.when for rule in book.rules.values() if all(map(_is_shared, rule.when))}


def _is_shared(group: Group) -> bool:
    if len(group) > 1 or group[0].kind in OF_MEASURES | OF_DERIVED:
        return False
    fields, tests = KINDS[group[0].kind].fields, tests_of(group[0].tests)
    return not any(fields[test.field].between or test.field == "beside" for test in tests)


class Ours:
    """The engine of the service, as loading leaves it: nothing is filled in that a patient brings up first."""

    def __init__(self, rules: Mapping[str, When]) -> None:
        self._engine = Engine(rules)

    def __call__(self, facts: Sequence[Fact]) -> frozenset[str]:
        return frozenset(finding.rule for finding in self._engine.evaluate(facts))

    def close(self) -> None:
        """Free its memory."""
        self._engine.close()


def durable_host(rules: Mapping[str, When]) -> Peer:
    """durable-rules by its own Python interface, one ruleset a kind of fact, sessions that end after each patient."""
    from careplan.inference.ruleset_compiler import compile_pattern

    host = lang.get_host()
    held: set[str] = set()
    kinds: dict[str, Json] = {}
    for name, when in rules.items():
        for at, (pattern,) in enumerate(when):
            kinds.setdefault(pattern.kind, {})[f"{name}_{at}"] = {
                "all": [{"m": compile_pattern(pattern)}],
                "run": _adding(held, name),
            }
    spread: dict[str, list[str]] = {}
    for kind, ruleset in kinds.items():
        names = list(ruleset)
        for part in range(0, len(names), 60):
            title = f"{kind}{part}"
            host.set_rulesets({title: {name: ruleset[name] for name in names[part : part + 60]} | _always()})
            spread.setdefault(kind, []).append(title)
    sessions = iter(range(10**9))

    def found(facts: Sequence[Fact]) -> frozenset[str]:
        held.clear()
        session = str(next(sessions))
        for fact in facts:
            for title in spread.get(fact.kind, ()):
                body = {"sid": session, "id": fact.id, "kind": fact.kind, **fact.properties}
                with suppress(lang.engine.MessageNotHandledException):
                    host.assert_fact(title, body)
        for title in {title for fact in facts for title in spread.get(fact.kind, ())}:
            # A session in which no rule ever held cannot be deleted: the engine then frees memory that was never set.
            host.assert_fact(title, {"sid": session, "id": _ALWAYS, "kind": _ALWAYS})
            host.delete_state(title, session)
        return frozenset(held)

    return found


_ALWAYS = "always"


def _always() -> Json:
    return {_ALWAYS: {"all": [{"m": {"kind": _ALWAYS}}], "run": lambda _: None}}


def _adding(held: set[str], name: str) -> Callable[[Any], None]:
    def run(_: Any) -> None:
        held.add(name)

    return run


def plain_python(rules: Mapping[str, When]) -> Peer:
    """Every condition as an `if` of Python, compiled once."""
    by_kind: dict[str, list[str]] = {}
    for name, when in rules.items():
        for (pattern,) in when:
            source = " and ".join(f"({_python(part)})" for part in pattern.tests.parts) or "True"
            by_kind.setdefault(pattern.kind, []).append(f"  if {source}: found.add({name!r})")
    compiled: dict[str, Callable[[Json, set[str]], None]] = {}
    for kind, lines in by_kind.items():
        space: Json = {}
        tree = ast.parse("def match(p, found):\n  g = p.get\n" + "\n".join(lines))
        exec(compile(tree, kind, "exec"), space)  # noqa: S102 - made here, from a checked rulebook
        compiled[kind] = space["match"]

    def found(facts: Sequence[Fact]) -> frozenset[str]:
        held: set[str] = set()
        for fact in facts:
            match = compiled.get(fact.kind)
            if match:
                match(fact.properties, held)
        return frozenset(held)

    return found


_SIGNS = {"at_least": ">=", "at_most": "<=", "less_than": "<", "more_than": ">"}


def _python(expression: Expression) -> str:
    if not isinstance(expression, Test):
        word = " or " if isinstance(expression, Either) else " and "
        return word.join(f"({_python(part)})" for part in expression.parts)
    get = f"g({expression.field!r})"
    values = expression.values
    match expression.operation:
        case "one_of":
            return f"{get} in {values!r}"
        case "one_of_or_unknown":
            return f"{get} in {(*values, None)!r}"
        case "none_of":
            return f"{get} is not None and {get} not in {values!r}"
        case "known":
            return f"{get} is not None"
        case "unknown":
            return f"{get} is None"
        case "has_any" | "has_all":
            word = " or " if expression.operation == "has_any" else " and "
            return word.join(f"g({member(expression.field, str(token))!r})" for token in values)
        case "has_none":
            return " and ".join(f"g({member(expression.field, str(token))!r}) is False" for token in values)
        case sign:
            return f"{get} is not None and {get} {_SIGNS[sign]} {values[0]!r}"


def with_json_logic(rules: Mapping[str, When]) -> Peer:
    """json-logic, one expression a rule and kind."""
    logic = [
        (name, pattern.kind, {"and": [True, *(_json_logic(part) for part in pattern.tests.parts)]})
        for name, when in rules.items()
        for (pattern,) in when
    ]
    fields = _fields(rules)

    def found(facts: Sequence[Fact]) -> frozenset[str]:
        held = set()
        for fact in facts:
            data = fields[fact.kind] | fact.properties if fact.kind in fields else fact.properties
            for name, kind, expression in logic:
                if kind == fact.kind and json_logic.jsonLogic(expression, data):
                    held.add(name)
        return frozenset(held)

    return found


def _json_logic(expression: Expression) -> Json:
    if not isinstance(expression, Test):
        return {"or" if isinstance(expression, Either) else "and": [_json_logic(part) for part in expression.parts]}
    var = {"var": _flat(expression.field)}
    known = {"!==": [var, None]}
    values = list(expression.values)
    match expression.operation:
        case "one_of":
            return {"in": [var, values]}
        case "one_of_or_unknown":
            return {"in": [var, [*values, None]]}
        case "none_of":
            return {"and": [known, {"!": [{"in": [var, values]}]}]}
        case "known":
            return known
        case "unknown":
            return {"!": [known]}
        case "has_any" | "has_all":
            held = [{"===": [{"var": _flat(member(expression.field, str(token)))}, True]} for token in values]
            return {"or" if expression.operation == "has_any" else "and": held}
        case "has_none":
            return {"and": [{"===": [{"var": _flat(member(expression.field, str(token)))}, False]} for token in values]}
        case sign:
            return {"and": [known, {_SIGNS[sign]: [var, values[0]]}]}


def _flat(name: str) -> str:
    """A property as a name without dots, which other engines take for a path."""
    return name.replace(".", "__")


def _fields(rules: Mapping[str, When]) -> dict[str, dict[str, None]]:
    """By kind, every property that is tested, unknown."""
    found: dict[str, dict[str, None]] = {}
    for pattern in (pattern for when in rules.values() for group in when for pattern in group):
        known = found.setdefault(pattern.kind, {})
        for test in tests_of(pattern.tests):
            if KINDS[pattern.kind].fields[test.field].type == "tokens":
                known |= {_flat(member(test.field, str(token))): None for token in test.values}
            else:
                known[test.field] = None
    return found


def flattened(peer: Peer) -> Peer:
    """A peer that gets facts whose properties have no dots in their names."""

    def found(facts: Sequence[Fact]) -> frozenset[str]:
        return peer([Fact(fact.id, fact.kind, {_flat(k): v for k, v in fact.properties.items()}) for fact in facts])

    return found


def with_zen(rules: Mapping[str, When]) -> Peer:
    """zen-engine: a decision with one expression node a kind of fact, compiled once."""
    by_kind: dict[str, list[Json]] = {}
    for name, when in rules.items():
        for at, (pattern,) in enumerate(when):
            source = " and ".join(f"({_zen(part)})" for part in pattern.tests.parts) or "true"
            by_kind.setdefault(pattern.kind, []).append({"id": f"{name}.{at}", "key": f"{name}__{at}", "value": source})
    fields = _fields(rules)
    engine = zen.ZenEngine()
    decisions = {}
    for kind, expressions in by_kind.items():
        nodes: list[Json] = [
            {"id": "in", "name": "in", "type": "inputNode", "position": {"x": 0, "y": 0}},
            {
                "id": "rules",
                "name": "rules",
                "type": "expressionNode",
                "position": {"x": 1, "y": 0},
                "content": {"expressions": expressions},
            },
            {"id": "out", "name": "out", "type": "outputNode", "position": {"x": 2, "y": 0}},
        ]
        edges = [
            {"id": "a", "type": "edge", "sourceId": "in", "targetId": "rules"},
            {"id": "b", "type": "edge", "sourceId": "rules", "targetId": "out"},
        ]
        decisions[kind] = engine.create_decision(msgspec.json.encode({"nodes": nodes, "edges": edges}).decode())

    def found(facts: Sequence[Fact]) -> frozenset[str]:
        held: set[str] = set()
        for fact in facts:
            decision = decisions.get(fact.kind)
            if decision is not None:
                result = decision.evaluate({**fields[fact.kind], **fact.properties})["result"]
                held.update(key.rpartition("__")[0] for key, true in result.items() if true is True)
        return frozenset(held)

    return found


def _zen(expression: Expression) -> str:
    if not isinstance(expression, Test):
        word = " or " if isinstance(expression, Either) else " and "
        return word.join(f"({_zen(part)})" for part in expression.parts)
    field = _flat(expression.field)
    listed = f"[{', '.join(_literal(value) for value in expression.values)}]"
    match expression.operation:
        case "one_of":
            return f"{field} in {listed}"
        case "one_of_or_unknown":
            return f"{field} == null or {field} in {listed}"
        case "none_of":
            return f"{field} != null and {field} not in {listed}"
        case "known":
            return f"{field} != null"
        case "unknown":
            return f"{field} == null"
        case "has_any" | "has_all" | "has_none":
            word = " or " if expression.operation == "has_any" else " and "
            wanted = "false" if expression.operation == "has_none" else "true"
            names = [_flat(member(expression.field, str(token))) for token in expression.values]
            return word.join(f"{name} == {wanted}" for name in names)
        case sign:
            return f"{field} != null and {field} {_SIGNS[sign]} {_literal(expression.values[0])}"


def _literal(value: object) -> str:
    return "true" if value is True else "false" if value is False else repr(value)


def with_clips(rules: Mapping[str, When]) -> Peer:
    """CLIPS by clipspy: a template a kind of fact, a rule a group, facts asserted and taken back."""
    environment = clips.Environment()
    fields = _fields(rules)
    for kind in sorted({pattern.kind for when in rules.values() for group in when for pattern in group}):
        slots = "".join(f" (slot {_slot(name)} (default nil))" for name in fields[kind])
        environment.build(f"(deftemplate {_slot(kind)} (slot id){slots})")
    held: set[str] = set()
    environment.define_function(held.add, "held")
    for name, when in rules.items():
        for at, (pattern,) in enumerate(when):
            used = sorted({slot for test in tests_of(pattern.tests) for slot in _slots(test)})
            slots = "".join(f" ({_slot(slot)} ?{_slot(slot)})" for slot in used)
            conditions = " ".join(_clips(part) for part in pattern.tests.parts)
            test = f"(test (and TRUE {conditions}))" if used else ""
            environment.build(f'(defrule r-{name}-{at} ({_slot(pattern.kind)}{slots}) {test} => (held "{name}"))')
    templates = {template.name: template for template in environment.templates()}

    def found(facts: Sequence[Fact]) -> frozenset[str]:
        held.clear()
        for fact in facts:
            template = templates.get(_slot(fact.kind))
            if template is not None:
                known = fields[fact.kind]
                values = {
                    _slot(_flat(name)): clips.Symbol("TRUE" if value else "FALSE") if isinstance(value, bool) else value
                    for name, value in fact.properties.items()
                    if _flat(name) in known
                }
                template.assert_fact(id=fact.id, **values)
        environment.run()
        environment.reset()
        return frozenset(held)

    return found


def _slot(name: str) -> str:
    return name


def _slots(test: Test) -> Iterable[str]:
    if test.operation.startswith("has_"):
        return [_flat(member(test.field, str(token))) for token in test.values]
    return [test.field]


def _clips(expression: Expression) -> str:
    if not isinstance(expression, Test):
        word, rest = ("or", "FALSE") if isinstance(expression, Either) else ("and", "TRUE")
        return f"({word} {rest} {' '.join(_clips(part) for part in expression.parts)})"
    variable = f"?{_slot(expression.field)}"
    known = f"(neq {variable} nil)"
    values = " ".join(_clips_value(value) for value in expression.values)
    match expression.operation:
        case "one_of":
            return f"(or {' '.join(f'(eq {variable} {_clips_value(value)})' for value in expression.values)} FALSE)"
        case "one_of_or_unknown":
            same = " ".join(f"(eq {variable} {_clips_value(value)})" for value in expression.values)
            return f"(or (not {known}) {same})"
        case "none_of":
            return f"(and {known} (neq {variable} {values}))"
        case "known":
            return known
        case "unknown":
            return f"(not {known})"
        case "has_any" | "has_all" | "has_none":
            word = "or" if expression.operation == "has_any" else "and"
            wanted = "FALSE" if expression.operation == "has_none" else "TRUE"
            names = [_slot(_flat(member(expression.field, str(token)))) for token in expression.values]
            return f"({word} {' '.join(f'(eq ?{name} {wanted})' for name in names)} {'FALSE' if word == 'or' else 'TRUE'})"
        case sign:
            return f"(and {known} ({_SIGNS[sign]} {variable} {expression.values[0]!r}))"


def _clips_value(value: object) -> str:
    return (
        "TRUE" if value is True else "FALSE" if value is False else f'"{value}"' if isinstance(value, str) else repr(value)
    )


OURS, UNFILLED, PYTHON = "this service", "this service, nothing filled", "plain Python ifs"
PEERS: Mapping[str, Callable[[Mapping[str, When]], Peer]] = {
    OURS: Ours,
    UNFILLED: Ours,
    "durable-rules by its Host": durable_host,
    "CLIPS (clipspy)": with_clips,
    "zen-engine": lambda rules: flattened(with_zen(rules)),
    "json-logic": lambda rules: flattened(with_json_logic(rules)),
    PYTHON: plain_python,
}
"""All engines by name. The one with nothing filled is made anew for each patient; the making is not timed."""
