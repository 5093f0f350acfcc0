"""The benchmarks run, and compare like with like. What they measure is read by people, not asserted."""

from __future__ import annotations

import json
import os
import shutil
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import pytest
from bench import fixed, regression, work
from bench.cds_calls import YEAR, call_of
from bench.growth import growth_of_medicines, growth_of_requests, growth_of_rules, rulebook
from bench.inside import FIXED, PLAN, READING, engines, few_and_many, patients, shares, views
from bench.manual import MANUAL, Target, put_between, tables, targets
from bench.measure import Figure, NeverSeen, golden_bodies, planned, ratios, table
from bench.memory import growth_of
from bench.peers import PEERS, PYTHON, UNFILLED, single_fact_rules
from bench.ready_plans import install
from bench.regression import (
    BASELINE,
    CHEAPER,
    COUNTED,
    DEARER,
    GROWTH,
    WAITING,
    Baseline,
    Entry,
    counted,
    requests_in,
    this_python,
    too_long,
    verdicts,
    waits,
    written_bodies,
)
from bench.revisions import ROOT

from careplan.fhir.cds_hooks.call import read_call
from careplan.fhir.read.bundle import FhirReader
from careplan.planner import Planner
from careplan.rulebook.load import load

UNTESTED = {"plain Python ifs", "durable-rules by its Host"}
"""What the others are held against; and what may crash the process that has it, which only a benchmark may risk."""


@pytest.fixture(scope="module")
def plain(planner: Planner) -> list[tuple[object, frozenset[str]]]:
    peer = PEERS[PYTHON](single_fact_rules(planner.book))
    bodies = golden_bodies() + NeverSeen(9, planner.book).some(15)
    facts = [planner.traced(planner.intake.decode(body))[0].facts for body in bodies]
    return [(one, peer(one)) for one in facts]


@pytest.mark.long
@pytest.mark.parametrize("name", [name for name in PEERS if name not in UNTESTED])
def test_every_engine_finds_the_same_before_its_time_counts(planner: Planner, name: str, plain: list) -> None:  # type: ignore[type-arg]
    rules = single_fact_rules(planner.book)
    assert len(rules) > 0.6 * len(planner.book.rules)
    peer = PEERS[name](rules)
    for facts, found in plain:
        assert peer(facts) == found
    assert any(found for _, found in plain)


@pytest.mark.long
def test_growth_is_measured_for_each_size() -> None:
    assert set(growth_of_medicines(1)) == {"1", "2", "5", "10", "20", "50"}
    requests = growth_of_requests(1)
    assert requests["all of these at once"]["bytes"] > requests["an age"]["bytes"]
    found = growth_of_rules([50], rounds=1, fresh=2)["50"]
    assert found["rules"] == 50
    assert found["load_ms"] > 0 < found["ready_ms"]


@pytest.mark.long
def test_a_synthetic_rulebook_has_as_many_rules_as_asked_for_and_patterns_of_its_own(
    tmp_path: Path, planner: Planner
) -> None:
    rulebook(tmp_path / "rules", 2 * len(planner.book.rules))
    book = load(tmp_path / "rules")
    assert len(book.rules) == 2 * len(planner.book.rules)

    def patterns(of: object) -> set[object]:
        return {pattern for rule in of.rules.values() for group in rule.when for pattern in group}  # type: ignore[attr-defined]

    assert len(patterns(book)) > 1.7 * len(patterns(planner.book))


def test_nobody_is_handed_out_twice_and_golden_patients_are_not_among_them(planner: Planner) -> None:
    new = NeverSeen(9, planner.book)
    bodies = [*new.some(500), *new.some(500)]
    assert len(set(bodies)) == 1_000
    assert {msgspec.json.encode(msgspec.json.decode(body)) for body in golden_bodies()}.isdisjoint(bodies)


@pytest.mark.long
def test_a_plan_is_measured_against_fixed_work() -> None:
    found = patients(1, fresh=2)
    assert found["rows"][FIXED]["of_fixed"].middle == 1.0
    assert found["rows"][PLAN]["of_fixed"].middle > found["rows"][READING]["of_fixed"].middle
    assert abs(sum(found["shares"].values()) - 1) < 1e-9


def test_the_fixed_work_is_a_request_and_eighty_kilobytes_and_always_the_same() -> None:
    request, answer = fixed.request(), json.dumps(fixed.answer())
    assert 1_000 < len(request) < 3_000
    assert 80_000 <= len(answer) < 82_500
    assert fixed.fixed_work()() == (json.loads(request), answer)
    assert not any(name.startswith("careplan") for name in fixed.__dict__)


def test_the_time_of_a_plan_is_shared_out_to_the_packages_of_the_service(planner: Planner) -> None:
    bodies = NeverSeen(15, planner.book).some(3)
    found = shares(lambda: [planned(planner, body) for body in bodies])
    assert {"request", "recognition", "facts", "inference", "plan"} <= found.keys()


def test_few_patients_are_measured_in_turns_with_many() -> None:
    found = few_and_many(1, few=2)
    assert (found["few"], found["many"]) == (2, 4)
    assert set(found["microseconds"]) == {"few", "many"}


@pytest.mark.long
def test_other_answers_are_multiples_of_a_plan_of_the_same_patient() -> None:
    found = views(2)
    assert found["plan"].middle == 1.0
    assert found["CDS Hooks call"].middle > 0 < found["FHIR Bundle"].middle


@pytest.mark.long
def test_engines_are_asked_for_the_same_patients_in_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bench.inside.PEERS", {name: make for name, make in PEERS.items() if "Host" not in name})
    found = engines(1, patients=2)
    assert found["patients"] == 2
    assert found["rows"][UNFILLED]["of_unfilled"].middle == found["rows"][PYTHON]["of_python"].middle == 1.0


def test_calls_of_cds_hooks_carry_all_medicines_and_conditions(planner: Planner) -> None:
    book = planner.book
    reader = FhirReader(book, planner.intake)
    for at, body in enumerate(NeverSeen(9, planner.book).some(20)):
        patient = planner.intake.decode(body)
        read = read_call(json.loads(call_of(body, planner.book, at)), reader, date(YEAR, 1, 1)).read.patient
        names = [entry.name for entry in patient.medications or ()]
        assert [entry.name for entry in read.medications or ()] == names
        had = len(patient.conditions or ()) + len(patient.other_conditions)
        assert len({*(read.conditions or ()), *read.other_conditions}) >= had / 2


def test_the_growth_of_memory_is_the_slope_for_a_hundred_thousand_patients() -> None:
    assert growth_of([(0, 90.0), (50_000, 90.5), (100_000, 91.0)]) == pytest.approx(1.0)
    assert growth_of([(0, 90.0), (10, 90.0)]) == 0


def test_a_target_holds_only_for_what_was_measured_within_its_bound() -> None:
    assert Target.at_most("a", 1.2, 1.19).reached
    assert not Target.at_most("a", 1.2, 1.21).reached
    assert Target.at_most("a", 1.0, 1.04, slack=1.05).reached
    assert Target.at_least("a", 5, 5).reached
    assert not Target.at_least("a", 5, 4.9).reached
    assert not Target.at_most("a", 1.2, None).reached


def found_by_a_run() -> dict[str, Any]:
    """The form of what a run finds, with figures that are all 1."""
    one = {"middle": 1.0, "lowest": 1.0, "highest": 1.0}
    http = dict.fromkeys(("a_second", "of_ceiling", "of_hello", "p50_ms", "p99_ms", "processor_us", "of_fixed"), one)
    engine = dict.fromkeys(("microseconds", "of_python", "of_unfilled"), one)
    megabytes = {"rss": 70.0, "pss": 60.0}
    rule = {"load_ms": 1.0, "ready_ms": 1.0, "items": 30, "never_seen": one}
    names = ("plan", "full explanation", "decision record", "what would change one item", "FHIR Bundle", "CDS Hooks call")
    return {
        "machine": {"python": "3", "cores": 2, "when": "today", "quick": False},
        "engines": {"rules": 1, "patients": 1, "rows": dict.fromkeys(PEERS, engine)},
        "patients": {
            "rows": {name: {"microseconds": one, "of_fixed": one} for name in (FIXED, READING, PLAN)},
            "shares": {"plan": 1.0},
        },
        "few_and_many": {"few": 320, "many": 10_240, "microseconds": {"few": one, "many": one}, "many_to_few": one},
        "medicines": {str(count): {"never_seen": one, "request": 1, "bytes": 1} for count in (1, 50)},
        "requests": {"an age": {"never_seen": one, "request": 1, "bytes": 1}},
        "rules": {"100": rule, "300": rule},
        "starting": {"until ready": one},
        "memory": {"first": megabytes, "warm": megabytes, "last": megabytes, "met": 1, "plans": 1, "growth": megabytes},
        "views": dict.fromkeys(names, one),
        "http": {
            "rows": dict.fromkeys(("plans", "ceiling", "hello", "plans, two workers"), http),
            "two_workers": one,
            "two_by_processor": one,
            "half_load": {"a_second": 1, "p50_ms": one, "p99_ms": one},
        },
    }


def test_the_tables_say_of_every_target_whether_it_is_reached() -> None:
    found = found_by_a_run()
    said = targets(found, None)
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in said.splitlines()[2:]]
    lines = {name: f"{at} {reached}" for name, _, at, reached in rows}
    assert {reached for *_, reached in rows} == {"yes", "**no**"}
    assert "yes" in lines["a request over HTTP, times the fixed work"]
    assert "**no**" in lines["two workers, times one, by time of the processor"]
    assert "not measured" in lines["the same over a million, MB (RSS)"]
    assert said in tables(found)


def test_no_table_tells_of_patients_seen_before() -> None:
    text = tables(found_by_a_run())
    assert "seen before" not in text
    assert "remembered" not in text


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
    assert all(set(COUNTED) == set(entry.figures) for entry in baseline.entries)
    known = baseline.entries[0]
    assert baseline.figures(known.of) == known.figures
    assert baseline.figures(("another build", *known.of[1:])) is None
    assert this_python()[0].startswith("3.")


def test_whoever_is_counted_was_met_by_nobody_before_and_is_counted_once(tmp_path: Path) -> None:
    work.write(tmp_path / "bodies.json", ROOT)
    bodies = msgspec.json.decode((tmp_path / "bodies.json").read_bytes(), type=work.Bodies)
    counted_ones = [
        *bodies.golden,
        *(body for some in (bodies.sample, bodies.medicines) for one in some.values() for body in one),
    ]
    assert len(set(counted_ones)) == len(counted_ones)
    assert set(counted_ones).isdisjoint([*bodies.met, *bodies.met_calls])
    done = requests_in(tmp_path / "bodies.json")
    assert sum(done.values()) - done["fixed"] == len(counted_ones)
    work.write(tmp_path / "again.json", ROOT)
    assert (tmp_path / "again.json").read_bytes() == (tmp_path / "bodies.json").read_bytes()


def test_the_baseline_is_written_for_this_python_beside_others_of_the_same_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "baseline.json"
    other = Entry(python="3.99", machine="abacus", packages="0", figures={})
    figures = dict.fromkeys(COUNTED, 1.5)
    monkeypatch.setattr(regression, "BASELINE", file)
    monkeypatch.setattr(regression, "written_bodies", lambda *_: file)
    monkeypatch.setattr(regression, "counted", lambda *_: figures)
    for code, kept in ((regression.code_digest(), 2), ("other code", 1)):
        file.write_bytes(msgspec.json.encode(Baseline(code=code, entries=[other])))
        regression.main(["--write"])
        written = msgspec.json.decode(file.read_bytes(), type=Baseline)
        assert written.figures(this_python()) == figures
        assert len(written.entries) == kept


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
    wrong = verdicts({"golden": 2 * (1 + change), "never seen": 1.0}, {"golden": 2.0, "never seen": 1.0})
    assert set(wrong) == ({"golden"} if says else set())
    assert says is None or says in wrong["golden"]


def test_the_regression_check_fails_for_what_waits_or_is_not_counted() -> None:
    assert set(too_long({"golden": WAITING + 0.1, "explained": WAITING - 0.1})) == {"golden, by the clock"}
    assert set(verdicts({"new": 1.0}, {"old": 1.0})) == {"new", "old"}


def test_the_growth_may_vary_more_than_a_count() -> None:
    assert not verdicts({GROWTH: 4.5}, {GROWTH: 4.0})
    assert set(verdicts({GROWTH: 5.0}, {GROWTH: 4.0})) == {GROWTH}


SLOWDOWNS = {
    "a loop in the engine": (
        "inference/durable_rules.py",
        "        self._enter()\n        matches",
        "        sum(range(9_000))\n",
    ),
    "the schema for every body": (
        "request/decode.py",
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


@pytest.mark.long
def test_plans_that_were_made_before_are_answered_however_the_service_asks(
    monkeypatch: pytest.MonkeyPatch, planner: Planner
) -> None:
    monkeypatch.setattr(Planner, "plan", Planner.plan)  # so that the planner is put back afterwards
    patient = planner.intake.convert({})
    empty = planner.plan(patient)
    install()
    assert empty not in (planner.plan(patient), planner.plan(patient, "en", "session_day"))
