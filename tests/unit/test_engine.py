"""The engine against the reference evaluator, and the limits that keep it inside the subset where it is exact."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from careplan.facts.case import Fact, bounded
from careplan.facts.used_fields import Tested
from careplan.inference import ruleset_compiler
from careplan.inference.durable_rules import Engine
from careplan.inference.ruleset_compiler import EngineError, shards
from careplan.planner import Planner
from careplan.rulebook.conditions import COMPARISONS, Either, Every, Expression, Operation, Pattern, Test, When
from careplan.rulebook.factors import KINDS, Field, member
from tests import reference
from tests.sizes import cases

ROOT = Path(__file__).parents[2]

NUMBERS = st.one_of(
    st.sampled_from([0.0, 0.5, 5.0, 6.99, 7.0, 7.01, 150.0]), st.integers(0, 99_999).map(lambda cents: cents / 100)
)
FIELDS = {kind: described.fields for kind, described in KINDS.items() if described.fields}
TOKENS = ("alpha", "beta", "gamma")


def tokens_of(field: Field) -> st.SearchStrategy[str]:
    return st.sampled_from(field.tokens or TOKENS)


@st.composite
def tests(draw: st.DrawFn, kind: str) -> Test:
    name = draw(st.sampled_from(sorted(FIELDS[kind])))
    field = FIELDS[kind][name]
    operation: Operation
    if field.type == "tokens":
        members: list[Operation] = ["has_any", "has_all", "has_none"]
        operation = draw(st.sampled_from(members))
        return Test(name, operation, tuple(draw(st.lists(tokens_of(field), min_size=1, max_size=3, unique=True))))
    plain: list[Operation] = ["one_of", "one_of_or_unknown", "none_of", "known", "unknown"]
    if field.between:
        compared: list[Operation] = ["known", "unknown", *COMPARISONS]
        operation = draw(st.sampled_from(compared))
        return Test(name, operation, (draw(NUMBERS),) if operation in COMPARISONS else ())
    operation = draw(st.sampled_from(plain))
    if operation in ("known", "unknown"):
        return Test(name, operation)
    if field.type == "number":
        operation = draw(st.sampled_from([operation, *COMPARISONS]))
        size = 3 if operation in ("one_of", "one_of_or_unknown", "none_of") else 1
        return Test(name, operation, tuple(draw(st.lists(NUMBERS, min_size=1, max_size=size, unique=True))))
    values: st.SearchStrategy[Any] = st.booleans() if field.type == "boolean" else tokens_of(field)
    return Test(name, operation, tuple(draw(st.lists(values, min_size=1, max_size=3, unique=True))))


def expressions(kind: str) -> st.SearchStrategy[Expression]:
    leaves: st.SearchStrategy[Expression] = tests(kind)
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.lists(inner, min_size=1, max_size=3).map(lambda parts: Every(tuple(parts))),
            st.lists(inner, min_size=2, max_size=3).map(lambda parts: Either(tuple(parts))),
        ),
        max_leaves=4,
    )


@st.composite
def whens(draw: st.DrawFn) -> When:
    groups = []
    for _ in range(draw(st.integers(1, 2))):
        kinds = draw(st.lists(st.sampled_from(sorted(FIELDS)), min_size=1, max_size=3, unique=True))
        patterns = [Pattern(kind, Every(tuple(draw(st.lists(expressions(kind), min_size=1, max_size=3))))) for kind in kinds]
        groups.append(tuple(patterns))
    return tuple(groups)


@st.composite
def fact_sets(draw: st.DrawFn, tested: Tested) -> list[Fact]:
    facts = []
    for kind in sorted(FIELDS):
        for at in range(draw(st.integers(0, 3)) if KINDS[kind].many else 1):
            properties: dict[str, str | bool | float] = {}
            for name, field in FIELDS[kind].items():
                if field.type == "tokens":
                    for token in sorted(tested.members.get((kind, name), ())):
                        state = draw(st.sampled_from([None, True, False]))
                        if state is not None:
                            properties[member(name, token)] = state
                elif field.between:
                    ends = sorted(bounded(number) for number in draw(st.lists(NUMBERS, max_size=2)))
                    properties |= dict(zip((f"{name}_least", f"{name}_most"), ends, strict=False))
                elif draw(st.booleans()):
                    if field.type == "number":
                        properties[name] = bounded(draw(NUMBERS))
                    else:
                        values: st.SearchStrategy[Any] = st.booleans() if field.type == "boolean" else tokens_of(field)
                        properties[name] = draw(values)
            facts.append(Fact(f"{kind}{at}" if KINDS[kind].many else kind, kind, properties))
    return facts


@settings(max_examples=cases(20))
@given(st.data())
def test_the_engine_finds_what_the_reference_finds_for_any_rules_and_facts(data: st.DataObject) -> None:
    rules = {f"rule{at}": when for at, when in enumerate(data.draw(st.lists(whens(), min_size=1, max_size=8)))}
    engine = Engine(rules)
    try:
        for _ in range(4):
            facts = data.draw(fact_sets(Tested.by(rules.values())))
            assert engine.evaluate(facts) == reference.findings(rules, facts)
    finally:
        engine.close()


def when(kind: str, *parts: Expression) -> When:
    return ((Pattern(kind, Every(parts)),),)


def test_rules_are_spread_so_that_no_shard_comes_near_a_limit() -> None:
    rules = {f"r{at}": when("medicine", Test("ingredient", "one_of", (f"drug{at}",))) for at in range(1000)}
    spread = shards(rules)
    assert sum(map(len, spread)) == 1000
    assert max(map(len, spread)) <= ruleset_compiler.MOST_RULES_PER_SHARD
    engine = Engine(rules)
    fact = Fact("m0", "medicine", {"ingredient": "drug731"})
    assert [finding.rule for finding in engine.evaluate([fact])] == ["r731"]
    engine.close()


def test_a_fact_that_matches_every_rule_is_not_too_much() -> None:
    rules = {f"r{at}": when("lifestyle", Test("sleep_hours_per_night", "more_than", (at / 100,))) for at in range(400)}
    engine = Engine(rules)
    assert len(engine.evaluate([Fact("lifestyle", "lifestyle", {"sleep_hours_per_night": 9.0})])) == 400
    engine.close()


def test_a_rule_that_no_shard_could_take_is_refused_before_it_is_compiled() -> None:
    wide = Either(tuple(Test("ingredient", "one_of", (f"drug{at}",)) for at in range(600)))
    with pytest.raises(EngineError, match="too wide"):
        shards({"wide": when("medicine", wide)})


@pytest.mark.parametrize("length", [1, 16, 40, 41, 48, 300, 1000])
@pytest.mark.parametrize("operation", ["one_of", "one_of_or_unknown", "none_of"])
def test_a_list_of_any_length_is_matched_as_the_reference_matches_it(length: int, operation: Operation) -> None:
    test = Test("ingredient", operation, tuple(f"drug{at}" for at in range(length)))
    beside = Test("schedule", "one_of", ("daily", "as_needed"))
    rules = {
        "alone": when("medicine", test),
        "beside": when("medicine", test, beside),
        "either": when("medicine", Either((Every((test, beside)), Test("ingredient", "one_of", ("drug-1",))))),
    }
    engine = Engine(rules)
    try:
        for name in ("drug0", f"drug{length - 1}", f"drug{length}", "drug-1", None):
            for schedule in ("daily", "other"):
                named = {"ingredient": name} if name else {}
                facts = [Fact("m0", "medicine", {"schedule": schedule, **named})]
                assert engine.evaluate(facts) == reference.findings(rules, facts), (name, schedule)
    finally:
        engine.close()


def test_two_patterns_over_one_kind_are_refused() -> None:
    pattern = Pattern("medicine", Every((Test("schedule", "known"),)))
    with pytest.raises(EngineError, match="different kinds"):
        shards({"twice": ((pattern, pattern),)})


def test_an_engine_that_was_closed_is_refused() -> None:
    engine = Engine({"r": when("everyone")})
    engine.close()
    with pytest.raises(EngineError, match="closed"):
        engine.evaluate([])


@pytest.mark.long
def test_threads_that_plan_at_once_with_one_rulebook_get_what_each_would_get_alone(planner: Planner) -> None:
    bodies = [path.read_bytes() for path in sorted((ROOT / "tests" / "golden" / "patients").glob("*.json"))[::4]]

    def plans(with_it: Planner, order: list[bytes]) -> dict[bytes, bytes]:
        return {body: msgspec.json.encode(with_it.explained(with_it.intake.decode(body))) for body in order}

    alone = plans(planner, bodies)
    fresh = Planner(planner.book)  # Nothing is worked out yet, so that they meet wherever something is.
    before = sys.getswitchinterval()
    sys.setswitchinterval(0.0001)
    try:
        with ThreadPoolExecutor(4) as threads:
            orders = [bodies, bodies[::-1], bodies[len(bodies) // 2 :] + bodies, bodies]
            for found in threads.map(lambda order: plans(fresh, order), orders):
                assert found == alone
    finally:
        sys.setswitchinterval(before)
        fresh.close()


@pytest.mark.parametrize("tiny", [5e-324, 1e-300, 0.00001])
def test_numbers_too_small_to_write_without_an_exponent_keep_their_order(tiny: float) -> None:
    engine = Engine({"more": when("lifestyle", Test("alcohol_drinks_per_week", "more_than", (0.0,)))})
    fact = Fact("lifestyle", "lifestyle", {"alcohol_drinks_per_week": bounded(tiny)})
    assert [finding.rule for finding in engine.evaluate([fact])] == ["more"]
    engine.close()


def test_many_engines_made_and_freed_leave_the_process_alive_and_its_memory_flat() -> None:
    script = """
import resource
from careplan.inference.durable_rules import Engine
from careplan.facts.case import Fact
from careplan.rulebook.conditions import Every, Operation, Pattern, Test
rules = {f"r{i}": ((Pattern("lifestyle", Every((Test("nutrition", "one_of", ("poor",)),))),),) for i in range(60)}
def round():
    engine = Engine(rules)
    for value in ("poor", "good"):
        found = engine.evaluate([Fact("lifestyle", "lifestyle", {"nutrition": value})])
        assert len(found) == (60 if value == "poor" else 0)
    engine.close()
for _ in range(50): round()
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for _ in range(150): round()
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=Path.cwd())
    assert int(done.stdout) < 8_000
