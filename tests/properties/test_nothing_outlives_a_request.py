"""Nothing of a request outlives it: what a planner holds afterwards follows from its rulebook, whoever was planned for."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from types import FunctionType, ModuleType
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from careplan.planner import Planner
from careplan.rulebook.model import Rulebook
from tests.patients import patients
from tests.sizes import cases

encode = msgspec.json.Encoder().encode
MARK = "Zyxwvut"
NUMBER = 37.31317


@pytest.fixture(scope="module")
def busy(book: Rulebook) -> Iterator[Planner]:
    """A planner that sees every patient of these tests."""
    made = Planner(book)
    yield made
    made.close()


def held(root: object) -> Iterator[object]:
    """Every object that can be reached from one, itself among them."""
    seen: set[int] = set()
    waiting = [root]
    while waiting:
        one = waiting.pop()
        # Functions lead to the modules that define them, and so to these tests.
        if id(one) in seen or isinstance(one, type | FunctionType | ModuleType):
            continue
        seen.add(id(one))
        yield one
        waiting += gc.get_referents(one)


def planted() -> dict[str, Any]:
    signed = f"Doctor {MARK}"
    return {
        "medications": [{"name": f"alprazolam and {MARK}"}, {"name": MARK, "dose_mg": NUMBER}, {"name": "Xanax"}],
        "expectations": {"goals": [f"I want to walk to {MARK} every day", f"stop my Xanax {MARK}"]},
        "conditions": ["hypertension"],
        "other_conditions": [MARK],
        "allergies": [MARK],
        "lifestyle": {"sleep_hours_per_night": 3.31317, "exercise_minutes_per_week": NUMBER},
        "protocol": {
            "driving_hours": 24,
            "approved_by": signed,
            "holds": [{"drug_class": "benzodiazepine", "before_hours": 8, "after_hours": 2, "approved_by": signed}],
        },
        "clearances": [
            {"what": "pregnancy", "by": signed, "at": "2026-11-20T10:00:00Z", "arranged": f"a talk with {MARK}"},
        ],
        "pregnancy": "pregnant",
        "treatment": {"preferred_route": "iv", "product": "racemic"},
    }


def test_no_word_and_no_number_of_a_request_can_be_reached_after_it(busy: Planner) -> None:
    body = encode(planted())
    patient = busy.intake.decode(body)
    plan = encode(busy.plan(patient))
    assert MARK.encode() in plan
    assert MARK.encode() in encode(busy.explained(patient))
    busy.what_would_change(patient, "sleep-under-five-hours")
    del patient, plan, body
    gc.collect()
    kept = [one for one in held(busy) if isinstance(one, str | bytes | float)]
    assert len(kept) > 10_000
    assert not [one for one in kept if isinstance(one, str) and MARK in one]
    assert not [one for one in kept if isinstance(one, bytes) and MARK.encode() in one]
    assert not {NUMBER, 3.31317}.intersection(one for one in kept if isinstance(one, float))


@settings(max_examples=cases(8))
@given(st.data())
def test_a_plan_is_the_same_whoever_was_planned_for_before(busy: Planner, book: Rulebook, data: st.DataObject) -> None:
    patient = busy.intake.convert(data.draw(patients(book)))
    first = encode(busy.plan(patient))
    explained = encode(busy.explained(patient))
    for _ in range(2):
        other = busy.intake.convert(data.draw(patients(book)))
        busy.plan(other)
        busy.explained(other)
    assert encode(busy.plan(patient)) == first
    assert encode(busy.explained(patient)) == explained


def test_a_planner_that_has_just_begun_gives_the_same_bytes(busy: Planner, book: Rulebook) -> None:
    fresh = Planner(book)
    try:
        patient = fresh.intake.convert(planted())
        assert encode(fresh.plan(patient)) == encode(busy.plan(patient))
    finally:
        fresh.close()


def test_zero_is_written_the_same_whatever_its_sign(busy: Planner) -> None:
    bodies = [b'{"lifestyle": {"exercise_minutes_per_week": %s}}' % number for number in (b"-0.0", b"0.0", b"0", b"-0")]
    assert len({encode(busy.plan(busy.intake.decode(body))) for body in bodies}) == 1


@settings(max_examples=cases(40))
@given(st.integers(0, 10**9), st.floats(0.01, 23.99, allow_nan=False))
def test_more_patients_make_no_more_cells_than_the_rulebook_has(busy: Planner, seed: int, sleep: float) -> None:
    body = planted() | {"lifestyle": {"sleep_hours_per_night": sleep, "exercise_minutes_per_week": seed % 10_000}}
    busy.plan(busy.intake.convert(body))
    assert busy.cells < 6_000
