"""The benchmarks run, and compare like with like. What they measure is read by people, not asserted."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import msgspec
import pytest
from bench.growth import growth_of_medicines, growth_of_requests, growth_of_rules, rulebook
from bench.inside import patients
from bench.manual import MANUAL, put_between
from bench.measure import Figure, golden_bodies, made_up_bodies, ratios, table
from bench.peers import PEERS, single_fact_rules
from bench.regression import (
    BASELINE,
    CHEAPER,
    COUNTED,
    DEARER,
    GROWTH,
    ROOT,
    WAITING,
    Baseline,
    counted,
    this_python,
    too_long,
    verdicts,
    waits,
    written_bodies,
)

from careplan.planner import Planner
from careplan.rulebook.load import load

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
    assert set(growth_of_medicines(1)) == {"1", "2", "5", "10", "20", "50"}
    assert "all of these at once" in growth_of_requests(1)
    found = growth_of_rules([50], rounds=1, fresh=2)["50"]
    assert found["rules"] == 50
    assert found["load_ms"] > 0 < found["ready_ms"]


def test_a_synthetic_rulebook_has_as_many_rules_as_asked_for_and_patterns_of_its_own(
    tmp_path: Path, planner: Planner
) -> None:
    rulebook(tmp_path / "rules", 2 * len(planner.book.rules))
    book = load(tmp_path / "rules")
    assert len(book.rules) == 2 * len(planner.book.rules)

    def patterns(of: object) -> set[object]:
        return {pattern for rule in of.rules.values() for group in rule.when for pattern in group}  # type: ignore[attr-defined]

    assert len(patterns(book)) > 1.8 * len(patterns(planner.book))


def test_patients_never_seen_are_measured_beside_golden_ones() -> None:
    found = patients(1, fresh=2)
    assert set(found["rows"]) == {"golden, seen before", "made up, never seen", "half of each"}
    assert 0.3 < sum(row["never_seen"] for row in found["shares"].values()) < 1


def test_figures_are_ratios_of_one_run() -> None:
    found = ratios({"base": [1.0, 2.0, 4.0], "other": [2.0, 4.0, 4.0]}, "base")
    assert found["other"] == Figure(middle=2.0, lowest=1.0, highest=2.0)
    assert found["base"].middle == 1.0
    assert "| a " in table([["x", 1]], ["a", "b"])
    assert msgspec.json.decode(msgspec.json.encode(found["other"])) == {"middle": 2.0, "lowest": 1.0, "highest": 2.0}


def test_figures_stand_between_the_marks_of_the_manual() -> None:
    text = MANUAL.read_text()
    assert put_between(put_between(text, "one"), "two") == put_between(text, "two")
    with pytest.raises(ValueError, match="marks"):
        put_between("no marks here", "x")


def test_the_baseline_of_the_regression_check_names_what_is_counted() -> None:
    baseline = msgspec.json.decode(BASELINE.read_bytes(), type=Baseline)
    assert all(set(entry.figures) == set(COUNTED) for entry in baseline.entries)
    known = baseline.entries[0]
    assert baseline.figures(known.of) == known.figures
    assert baseline.figures(("another build", *known.of[1:])) is None
    assert this_python()[0].startswith("3.")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (DEARER + 0.01, "costs"),
        (-CHEAPER - 0.01, "Keep the gain"),
        (DEARER - 0.01, None),
        (-CHEAPER + 0.01, None),
        (0.0, None),
    ],
)
def test_the_regression_check_fails_for_what_is_dearer_or_much_cheaper(change: float, says: str | None) -> None:
    wrong = verdicts({"golden": 2 * (1 + change), "afresh": 1.0}, {"golden": 2.0, "afresh": 1.0})
    assert set(wrong) == ({"golden"} if says else set())
    assert says is None or says in wrong["golden"]


def test_the_regression_check_fails_for_what_waits_or_is_not_counted() -> None:
    assert set(too_long({"golden": WAITING + 0.1, "explained": WAITING - 0.1})) == {"golden, by the clock"}
    assert set(verdicts({"new": 1.0}, {"old": 1.0})) == {"new", "old"}


def test_the_growth_may_vary_more_than_a_count() -> None:
    assert not verdicts({GROWTH: 4.5}, {GROWTH: 4.0})
    assert set(verdicts({GROWTH: 5.0}, {GROWTH: 4.0})) == {GROWTH}


SLOWDOWNS = {
    "a loop in the engine": ("engine.py", "        self._enter()\n        found:", "        sum(range(9_000))\n"),
    "the schema for every body": (
        "intake.py",
        "        try:\n            patient = msgspec.convert(data",
        "        list(self._faults(data))\n",
    ),
    "a pause": ("planner.py", "        case = self._facts.case(patient)\n        began", "        time.sleep(0.005)\n"),
}


@pytest.mark.deep
@pytest.mark.skipif("CAREPLAN_TEST_SLOWDOWNS" not in os.environ, reason="counts for minutes; scripts/long does it")
def test_made_slowdowns_are_noticed(tmp_path: Path) -> None:
    bodies = written_bodies(ROOT, tmp_path)
    before = counted(ROOT, bodies)
    assert not verdicts(counted(ROOT, bodies), before)
    for name, (file, place, added) in SLOWDOWNS.items():
        tree = tmp_path / name
        for folder in ("src", "rules"):
            shutil.copytree(ROOT / folder, tree / folder)
        path = tree / "src" / "careplan" / file
        text = path.read_text()
        assert text.count(place) >= 1, name
        path.write_text(text.replace(place, added + place))
        assert verdicts(counted(tree, bodies), before) or too_long(waits(bodies, tree)), name
