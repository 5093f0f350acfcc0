"""Explanations agree with the engine: why not, undecided, and what would change it, for random patients."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import Any

import msgspec
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from careplan.authoring.rule_examples import holds
from careplan.explain.nearest_miss import nearest
from careplan.explain.smallest_change import grain_of
from careplan.inference.case_logic import CaseLogic
from careplan.inference.derived import CaseMaker
from careplan.plan.model import items_of
from careplan.planner import Planner
from careplan.request.patient import Patient
from careplan.request.what_if_request import merge_patch
from careplan.rulebook.conditions import Every, Group, Pattern, Test, When, tests_of
from careplan.rulebook.factors import GROUPS, KINDS, LIMITS, MAY_BE_CHANGED, OF_DERIVED
from careplan.rulebook.model import Rulebook
from tests.answers import completed
from tests.patients import ANSWERED, has_no_sense, patients
from tests.reference import findings as by_reference
from tests.reference import in_force
from tests.sizes import cases


def read(planner: Planner, body: dict[str, Any]) -> Patient:
    return planner.intake.decode(msgspec.json.encode(body))


Places = tuple[int, tuple[int, ...]]
"""A condition by the number of its pattern in the group and of its parts in the pattern, none for all of them."""


def without(group: Group, unmet: frozenset[Places]) -> Group:
    """The group without some conditions."""
    left = []
    for at, pattern in enumerate(group):
        gone = {place for number, places in unmet if number == at for place in places}
        parts = tuple(part for place, part in enumerate(pattern.tests.parts) if place not in gone)
        whole = (at, ()) in unmet
        left.append(Pattern("everyone", Every(())) if whole else Pattern(pattern.kind, Every(parts)))
    return tuple(left)


@given(st.data())
@settings(max_examples=cases(4))
def test_a_rule_that_did_not_fire_fires_once_exactly_the_named_conditions_are_mended(
    planner: Planner, book: Rulebook, data: st.DataObject
) -> None:
    patient = read(planner, data.draw(patients(book)))
    case = CaseMaker(book).case(patient)
    logic = CaseLogic(case)
    explanation = planner.explained(patient).explanation
    assert explanation is not None
    report = {entry.rule.id: entry for entry in explanation.rules}
    fired = {finding.rule for finding in by_reference({rule.id: rule.when for rule in book.rules.values()}, case.facts)}
    for rule in book.rules.values():
        entry = report[rule.id]
        if not in_force(rule.term, patient.as_of):
            assert entry.outcome == "not_fired"
            continue
        assert (entry.outcome == "fired") == (rule.id in fired)
        assert (entry.because_not == []) == (rule.id in fired)
        if rule.id in fired:
            continue
        open_ = [one for one in logic.alternatives(rule.when) if one.verdict[0] is None]
        group, standing = nearest(rule.when, logic, open_)
        unmet = frozenset(
            (at, one.places) for at, pattern in enumerate(group) for one in standing.unmet if one.pattern is pattern
        )
        assert len(unmet) == len(entry.because_not)
        assert by_reference({"mended": (without(group, unmet),)}, case.facts), rule.id
        for left in unmet:
            assert not by_reference({"mended": (without(group, unmet - {left}),)}, case.facts), (rule.id, left)


@given(st.data())
@settings(max_examples=cases(7))
def test_what_is_said_of_the_conditions_bears_the_outcome_out(planner: Planner, book: Rulebook, data: st.DataObject) -> None:
    explanation = planner.explained(read(planner, data.draw(patients(book)))).explanation
    assert explanation is not None
    for entry in explanation.rules:
        held = {condition.holds for condition in entry.because_not}
        if entry.outcome == "undecided":
            assert held == {"unknown"}, entry
        elif entry.outcome == "not_fired":
            assert "false" in held, entry
        assert not entry.near or (entry.missing == 1 and entry.met)


@pytest.mark.parametrize(
    ("body", "rule", "outcome", "given", "pointers"),
    [
        (
            {
                "red_flags": {"psychosis_now": False, "mania_now": False},
                "conditions": [],
                "other_conditions": ["a rare disease"],
            },
            "psychosis-right-now",
            "not_fired",
            "has no signs of psychosis now",
            ["/red_flags/psychosis_now"],
        ),
        (
            {"conditions": ["seizure_disorder"]},
            "lamotrigine-plan-for-sessions",
            "not_fired",
            "the question of a hold is closed",
            ["/conditions/0"],
        ),
    ],
)
def test_what_rules_an_alternative_out_is_named(
    planner: Planner, body: dict[str, Any], rule: str, outcome: str, given: str, pointers: list[str]
) -> None:
    explanation = planner.explained(read(planner, body)).explanation
    assert explanation is not None
    report = next(entry for entry in explanation.rules if entry.rule.id == rule)
    assert report.outcome == outcome
    assert any(given in one.given and one.pointers == pointers for one in report.because_not), report.because_not


@pytest.mark.parametrize(
    ("more", "pointer", "words"),
    [
        ({"conditions": ["seizure_disorder"]}, "/conditions/0", "has "),
        ({"lifestyle": {"alcohol_drinks_per_week": 30}}, "/lifestyle/alcohol_drinks_per_week", "drinks a week: 30"),
        ({"red_flags": {"intoxicated_now": True}}, "/red_flags/intoxicated_now", ""),
        ({"schedule": "daily"}, "/medications/0/schedule", "daily"),
        ({"other": {"name": "valproate", "indication": "epilepsy"}}, "/medications/1/indication", "valpro"),
        ({"other": {"name": "Zyxwvut"}}, "/medications/1", "medicine 2 was not recognized"),
        ({"other_conditions": ["Zyxwvut"]}, "/other_conditions/0", "a condition that was not recognized"),
    ],
)
def test_a_hold_question_that_is_not_open_is_led_back_to_the_answers_that_keep_it_so(
    planner: Planner, more: dict[str, Any], pointer: str, words: str
) -> None:
    more = dict(more)
    medicine = {"name": "clonazepam", "schedule": more.pop("schedule", "as_needed"), "indication": "anxiety"}
    others = [more.pop("other")] if "other" in more else []
    body = ANSWERED | {"medications": [medicine, *others]} | more
    explanation = planner.explained(read(planner, body)).explanation
    assert explanation is not None
    found = [
        condition
        for entry in explanation.rules
        for condition in entry.because_not
        if "the question of a hold is open" in condition.words and condition.given[0].startswith("clonazepam")
    ]
    assert found
    for condition in found:
        assert condition.holds == "false"
        assert pointer in condition.pointers
        assert any(words in given for given in condition.given)
        assert "Zyxwvut" not in str(condition)


@given(st.data())
@settings(max_examples=cases(2))
def test_a_rule_one_answer_away_fires_once_the_patient_has_another_one_there(
    planner: Planner, book: Rulebook, data: st.DataObject
) -> None:
    body = data.draw(patients(book, medicines=2))
    explanation = planner.explained(read(planner, body)).explanation
    assert explanation is not None
    facts = CaseMaker(book)
    answered = {
        entry.rule.id: entry
        for entry in explanation.rules
        if len(entry.because_not) == 1
        and entry.missing == 1
        and entry.rule.id != "indication-read-off-the-list"  # It hangs on the list of illnesses as well.
        and OF_DERIVED.isdisjoint(pattern.kind for group in book.rules[entry.rule.id].when for pattern in group)  # a sum
        and all(is_one_answer(pointer) for pointer in entry.because_not[0].pointers)
    }
    assume(answered)
    for name in data.draw(st.lists(st.sampled_from(sorted(answered)), min_size=1, max_size=20, unique=True)):
        entry, rule = answered[name], book.rules[name]
        pointers = entry.because_not[0].pointers
        whole = list(completed(book, rule, body, pointers))
        # What is asked for to be unknown is met by taking the answer away, of all or of one beside others.
        tried = [
            *whole,
            *(merge_patch(one, taken_away(away)) for one in [body, *whole] for away in [pointers, *zip(pointers)]),
        ]
        assert any(holds(rule.when, facts.case(read(planner, one)).facts) for one in tried), entry


def is_one_answer(pointer: str) -> bool:
    """Whether a pointer is that of a factor of a group, and not of a list or of an entry of one."""
    _, kind, *field = pointer.split("/")
    return kind in GROUPS and len(field) == 1 and field[0] in KINDS[kind].fields


def taken_away(pointers: Sequence[str]) -> dict[str, Any]:
    return {kind: {field: None} for kind, field in (pointer.strip("/").split("/") for pointer in pointers)}


@given(st.data())
@settings(max_examples=cases(4))
def test_every_rule_is_explained_once_and_counted(planner: Planner, book: Rulebook, data: st.DataObject) -> None:
    patient = read(planner, data.draw(patients(book)))
    plan = planner.explained(patient)
    explanation = plan.explanation
    assert explanation is not None
    assert sorted(entry.rule.id for entry in explanation.rules) == sorted(book.rules)
    assert explanation.fired + explanation.not_fired + explanation.undecided == len(book.rules)
    assert {item for entry in explanation.rules for item in entry.items} == {item.id for item in items_of(plan)}
    assert msgspec.structs.replace(plan, explanation=None) == planner.plan(patient)
    away = [(not entry.near, entry.missing) for entry in explanation.rules if entry.outcome != "fired"]
    assert away == sorted(away)
    for entry in explanation.rules:
        assert all(condition.words and condition.given for condition in entry.because_not), entry
        if entry.outcome == "undecided":
            asked = {question.pointer for question in plan.information_needed}
            assert all(pointer in asked or has_no_sense(book, patient, pointer) for pointer in entry.questions)


@given(st.data())
@settings(max_examples=cases(5))
def test_a_counterfactual_applied_does_what_it_says_and_no_part_of_it_does(
    planner: Planner, book: Rulebook, data: st.DataObject
) -> None:
    body = data.draw(patients(book, medicines=2))
    patient = read(planner, body)
    rules = data.draw(st.lists(st.sampled_from(sorted(book.rules)), min_size=3, max_size=3, unique=True))
    there = {item.rule.id for item in items_of(planner.plan(patient))}
    some = data.draw(st.lists(st.sampled_from(sorted(there)), min_size=4, max_size=4, unique=True))
    for name in [*rules, *some]:
        found = planner.what_would_change(patient, name)
        assert found.there == (name in there)
        assert found.ways or found.fixed, name
        for way in found.ways:
            assert planned(planner, merge_patch(body, way.patch), name) != found.there, (name, way)
            single = [(kind, field) for kind, fields in way.patch.items() for field in fields]
            for fewer in combinations(single, len(single) - 1):
                partly: dict[str, dict[str, Any]] = {}
                for kind, field in fewer:
                    partly.setdefault(kind, {})[field] = way.patch[kind][field]
                assert planned(planner, merge_patch(body, partly), name) == found.there, (name, way)


@given(st.data())
@settings(max_examples=cases(2))
def test_an_item_that_one_changed_answer_flips_has_a_way_of_one_change(
    planner: Planner, book: Rulebook, data: st.DataObject
) -> None:
    body = data.draw(patients(book, medicines=2))
    there = {item.rule.id for item in items_of(planner.plan(read(planner, body)))}
    factor = data.draw(st.sampled_from(sorted(name for name, words in book.vocabulary.fields.items() if words.changeable)))
    kind, field = factor.split(".")
    concerned = [
        rule
        for rule in book.rules.values()
        if any((one.kind, test.field) == (kind, field) for one, test in tests_in(rule.when))
    ]
    for rule in concerned:
        for answered in completed(book, rule, body, [f"/{kind}/{field}"]):
            if planned(planner, answered, rule.id) != (rule.id in there):
                ways = planner.what_would_change(read(planner, body), rule.id).ways
                assert ways and len(ways[0].changes) == 1, (rule.id, answered)
                break


@given(st.data())
@settings(max_examples=cases(2))
def test_a_rule_that_is_undecided_hangs_on_its_questions_and_can_still_go_both_ways(
    planner: Planner, book: Rulebook, data: st.DataObject
) -> None:
    body = data.draw(patients(book, medicines=2))
    explanation = planner.explained(read(planner, body)).explanation
    assert explanation is not None
    undecided = {entry.rule.id: entry.questions for entry in explanation.rules if entry.questions}
    assume(undecided)
    facts = CaseMaker(book)
    for name in data.draw(st.lists(st.sampled_from(sorted(undecided)), min_size=1, max_size=25, unique=True)):
        rule = book.rules[name]
        seen = set()
        for answered in completed(book, rule, body, undecided[name]):
            seen.add(holds(rule.when, facts.case(read(planner, answered)).facts))
            if len(seen) == 2:
                break
        assert seen == {True, False}, (name, undecided[name], seen)


@given(st.data())
@settings(max_examples=cases(5))
def test_no_number_of_a_counterfactual_could_be_nearer_to_the_one_of_now(
    planner: Planner, book: Rulebook, data: st.DataObject
) -> None:
    body = data.draw(patients(book, medicines=1))
    there = {item.rule.id for item in items_of(planner.plan(read(planner, body)))}
    numeric = [
        rule.id for rule in book.rules.values() if any(one.kind in MAY_BE_CHANGED for one, _ in numbers_in(rule.when))
    ]
    for name in data.draw(st.lists(st.sampled_from(numeric), min_size=8, max_size=8, unique=True)):
        for way in planner.what_would_change(read(planner, body), name).ways:
            for (kind, field), then in numbers_of(way.patch).items():
                now = body.get(kind, {}).get(field)
                for nearer in between(f"{kind}.{field}", now, then) if now is not None else ():
                    patch = way.patch | {kind: way.patch[kind] | {field: nearer}}
                    assert planned(planner, merge_patch(body, patch), name) == (name in there), (name, now, then, nearer)


def numbers_of(patch: dict[str, dict[str, Any]]) -> dict[tuple[str, str], float]:
    return {
        (kind, field): value
        for kind, fields in patch.items()
        for field, value in fields.items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    }


def between(name: str, now: float, then: float) -> list[float]:
    """Values that are nearer to now than the one offered by at least the step in which they are counted."""
    grain = grain_of(LIMITS[name])
    steps = int(round(abs(then - now) / grain, 6))
    sign = 1 if then > now else -1
    near = [round(then - sign * grain * step, 4) for step in (1, 2, 3, 5, steps // 4, steps // 2, 3 * steps // 4, steps - 1)]
    return [one for one in near if (now < one < then) or (then < one < now)]


def numbers_in(when: When) -> Iterator[tuple[Pattern, Test]]:
    return (
        (pattern, test)
        for pattern, test in tests_in(when)
        if pattern.kind in MAY_BE_CHANGED and KINDS[pattern.kind].fields[test.field].type == "number"
    )


@pytest.mark.parametrize(
    ("rule", "factor", "now", "then"),
    [
        ("sleep-under-five-hours", "lifestyle.sleep_hours_per_night", 8, 4.9),
        ("sleep-under-five-hours", "lifestyle.sleep_hours_per_night", 4, 5),
        ("sleep-five-to-six-hours", "lifestyle.sleep_hours_per_night", 9, 5.9),
        ("sleep-ten-hours-or-more", "lifestyle.sleep_hours_per_night", 10.5, 9.9),
    ],
)
def test_the_value_offered_is_the_nearest_that_people_would_name(
    planner: Planner, rule: str, factor: str, now: float, then: float
) -> None:
    kind, field = factor.split(".")
    first = planner.what_would_change(read(planner, {kind: {field: now}}), rule).ways[0]
    assert first.patch == {kind: {field: then}}


@given(st.data())
@settings(max_examples=cases(4))
def test_a_way_says_what_else_it_does_and_is_no_remedy_if_that_is_a_stop_or_hold(
    planner: Planner, book: Rulebook, data: st.DataObject
) -> None:
    body = data.draw(patients(book, medicines=2))
    before = {item.id: item for item in items_of(planner.plan(read(planner, body)))}
    for name, item in before.items():
        if item.level not in ("stop", "hold"):
            continue
        found = planner.what_would_change(read(planner, body), name)
        for way in found.ways:
            after = {item.id: item for item in items_of(planner.plan(read(planner, merge_patch(body, way.patch))))}
            assert {one.id for one in way.adds} == after.keys() - before.keys()
            assert {one.id for one in way.removes} == before.keys() - after.keys() - {name}
            assert len(way.besides) == len(way.adds) + len(way.removes)
            levels = {after[one.id].level for one in way.adds} & {"stop", "hold"}
            assert (way.brings_up is None) == (not levels)
            assert way.brings_up != "hold" or levels == {"hold"}
        assert len({way.brings_up is None for way in found.ways}) <= 1


def test_a_product_that_brings_up_the_same_contraindication_is_not_offered_as_if_nothing_else_happened(
    planner: Planner,
) -> None:
    body = {
        "treatment": {"product": "racemic", "preferred_route": "iv"},
        "conditions": ["aneurysmal_vascular_disease"],
    }
    found = planner.what_would_change(read(planner, body), "blood-vessel-condition-and-ketamine")
    assert [way.brings_up for way in found.ways] == ["stop"]
    assert any(words.startswith("brings up [act first]") for words in found.ways[0].besides)


def tests_in(when: When) -> Iterator[tuple[Pattern, Test]]:
    return ((pattern, test) for group in when for pattern in group for test in tests_of(pattern.tests))


def planned(planner: Planner, body: dict[str, Any], rule: str) -> bool:
    return rule in {item.rule.id for item in items_of(planner.plan(read(planner, body)))}


@given(st.data())
@settings(max_examples=cases(4))
def test_what_would_change_an_item_never_touches_medicine_condition_red_flag_or_alcohol(
    planner: Planner, book: Rulebook, data: st.DataObject
) -> None:
    patient = read(planner, data.draw(patients(book)))
    items = [item.id for item in items_of(planner.plan(patient))]
    assume(items)
    for name in data.draw(st.lists(st.sampled_from(items), min_size=1, max_size=12, unique=True)):
        for way in planner.what_would_change(patient, name).ways:
            assert way.patch.keys() <= MAY_BE_CHANGED
            assert "alcohol_drinks_per_week" not in way.patch.get("lifestyle", {})
            assert "home_environment" not in way.patch.get("lifestyle", {})
