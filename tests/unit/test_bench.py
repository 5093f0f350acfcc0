"""The benchmarks run, and compare like with like. What they measure is read by people, not asserted."""

from __future__ import annotations

import json

import msgspec
import pytest
from bench.inside import growth_of_patients, growth_of_rules
from bench.measure import Figure, golden_bodies, made_up_bodies, ratios, table
from bench.peers import PEERS, single_fact_rules
from bench.regression import BASELINE, WORK

from careplan.planner import Planner

UNTESTED = {"plain Python ifs", "durable-rules by its Host"}
"""What the others are held against; and what may crash the process that has it, which only a benchmark may risk."""


@pytest.fixture(scope="module")
def plain(planner: Planner) -> list[tuple[object, frozenset[str]]]:
    peer = PEERS["plain Python ifs"](single_fact_rules(planner.book))
    bodies = golden_bodies() + made_up_bodies(planner.book, 15)
    facts = [planner.traced(planner.intake.decode(body))[0].facts for body in bodies]
    return [(one, peer(one)) for one in facts]


@pytest.mark.parametrize("name", [name for name in PEERS if name not in UNTESTED])
def test_every_engine_finds_the_same_before_its_time_counts(planner: Planner, name: str, plain: list) -> None:  # type: ignore[type-arg]
    rules = single_fact_rules(planner.book)
    assert len(rules) > 0.6 * len(planner.book.rules)
    peer = PEERS[name](rules)
    for facts, found in plain:
        assert peer(facts) == found
    assert any(found for _, found in plain)


def test_growth_is_measured_for_each_size() -> None:
    assert set(growth_of_patients(2)) == {"1", "2", "5", "10", "20", "50"}
    assert growth_of_rules([50])["50"]["compile_ms"] > 0


def test_figures_are_ratios_of_one_run() -> None:
    found = ratios({"base": [1.0, 2.0, 4.0], "other": [2.0, 4.0, 4.0]}, "base")
    assert found["other"] == Figure(middle=2.0, lowest=1.0, highest=2.0)
    assert found["base"].middle == 1.0
    assert "| a " in table([["x", 1]], ["a", "b"])
    assert msgspec.json.decode(msgspec.json.encode(found["other"])) == {"middle": 2.0, "lowest": 1.0, "highest": 2.0}


def test_the_baseline_of_the_regression_check_names_what_is_counted() -> None:
    assert set(json.loads(BASELINE.read_text())) == set(WORK)
