"""What is measured says the same in any unit and order, and nothing that is unclear takes anything away."""

from __future__ import annotations

import json
from datetime import date, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from careplan.plan.model import CarePlan, items_of
from careplan.recognition.units import factor
from careplan.rulebook.measures import Measure
from tests.shipped import BOOK, shared_planner
from tests.sizes import cases

TODAY = date(2026, 11, 28)
MEASURES = BOOK.vocabulary.measures
NUMBERS = sorted(name for name, one in MEASURES.items() if one.type == "number")
PLANNER = shared_planner()
Json = dict[str, Any]


def planned(measures: Json, **more: Any) -> CarePlan:
    body = {"as_of": TODAY.isoformat(), "measures": measures, **more}
    return PLANNER.plan(PLANNER.intake.decode(json.dumps(body).encode()))


def said(plan: CarePlan) -> list[tuple[str, str, list[str]]]:
    """What a plan says, item by item, in its order."""
    items = items_of(plan)
    return [(item.id.partition("/")[0], item.clinician_text, item.because) for item in items]


def rules(plan: CarePlan) -> set[str]:
    return {name for name, _, _ in said(plan)}


def alerts(plan: CarePlan) -> set[str]:
    return {item.rule.id for item in plan.alerts}


def values(measure: Measure) -> st.SearchStrategy[Any]:
    if measure.type == "boolean":
        return st.booleans()
    if measure.type == "token":
        return st.sampled_from(sorted(measure.answers))
    limits = measure.limits
    ends = st.sampled_from([int(limits.least), int(limits.most)])
    return st.one_of(ends, st.integers(int(limits.least), int(limits.most)))


DAYS = st.one_of(st.none(), st.sampled_from([0, 1, 2, 20, 29, 31, 60, 100, 400, 5_000]))


@st.composite
def readings(draw: st.DrawFn, name: str) -> Json:
    found: Json = {"value": draw(values(MEASURES[name]))}
    ago = draw(DAYS)
    return found if ago is None else found | {"at": (TODAY - timedelta(days=ago)).isoformat()}


@st.composite
def measured(draw: st.DrawFn) -> dict[str, list[Json]]:
    names = draw(st.lists(st.sampled_from(sorted(MEASURES)), min_size=1, max_size=4, unique=True))
    return {name: draw(st.lists(readings(name), min_size=1, max_size=5)) for name in names}


OTHERS = st.sampled_from(
    [
        {},
        {"red_flags": {"suicidal_thoughts": "none"}, "pregnancy": "not_pregnant"},
        {"treatment": {"indication": "depression", "sessions_completed": 4}, "red_flags": {"suicidal_thoughts": "passive"}},
    ]
)


@settings(max_examples=cases(20), deadline=None)
@given(measured(), OTHERS, st.randoms(use_true_random=False))
def test_the_order_of_readings_changes_nothing(sent: dict[str, list[Json]], more: Json, chance: Any) -> None:
    shuffled = {name: chance.sample(listed, len(listed)) for name, listed in sent.items()}
    assert said(planned(shuffled, **more)) == said(planned(sent, **more))


@settings(max_examples=cases(20), deadline=None)
@given(st.sampled_from(NUMBERS).flatmap(lambda name: st.tuples(st.just(name), values(MEASURES[name]))), st.data())
def test_another_unit_says_the_same(named: tuple[str, int], data: st.DataObject) -> None:
    name, value = named
    measure = MEASURES[name]
    unit = data.draw(st.sampled_from(measure.form.units))
    times = factor(measure.units.get(unit, unit), measure.unit)
    assert times is not None
    in_another = planned({name: {"value": value / times, "unit": unit}})
    assert said(in_another) == said(planned({name: value}))


@settings(max_examples=cases(27), deadline=None)
@given(measured(), OTHERS, st.data())
def test_a_reading_that_cannot_be_meant_takes_nothing_away(
    sent: dict[str, list[Json]], more: Json, data: st.DataObject
) -> None:
    name = data.draw(st.sampled_from([*NUMBERS, *(name for name in sent if name in NUMBERS)]))
    ago = data.draw(DAYS)
    slip: Json = {"value": MEASURES[name].limits.most + 1}
    slip |= {} if ago is None else {"at": (TODAY - timedelta(days=ago)).isoformat()}
    before, after = planned(sent, **more), planned(sent | {name: [*sent.get(name, []), slip]}, **more)
    assert rules(before) <= rules(after)


BLOCKING = ["systolic", "diastolic", "pregnancy_test", *(name for name, one in sorted(MEASURES.items()) if one.assessed_as)]
RECENT = st.sampled_from([0, 1]).map(lambda ago: {"at": (TODAY - timedelta(days=ago)).isoformat()})
ONE_RECENT = st.sampled_from(BLOCKING).flatmap(
    lambda name: st.tuples(values(MEASURES[name]), RECENT).map(lambda one: {name: [{"value": one[0], **one[1]}]})
)


@settings(max_examples=cases(27), deadline=None)
@given(ONE_RECENT, OTHERS, st.data())
def test_a_reading_without_a_time_hides_no_alert(sent: dict[str, list[Json]], more: Json, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(sent)))
    undated = {"value": data.draw(values(MEASURES[name]))}
    before, after = planned(sent, **more), planned(sent | {name: [*sent[name], undated]}, **more)
    assert alerts(before) <= alerts(after)


@settings(max_examples=cases(20), deadline=None)
@given(measured(), OTHERS)
def test_every_reading_is_spoken_of_or_named_with_the_reason(sent: dict[str, list[Json]], more: Json) -> None:
    plan = planned(sent, **more)
    items = items_of(plan)
    named = {entry.pointer for entry in plan.not_considered} | {about.pointer for item in items for about in item.about}
    for name, listed in sent.items():
        places = {f"/measures/{name}/{at}" for at in range(len(listed))}
        assert f"/measures/{name}" in named or places <= named
