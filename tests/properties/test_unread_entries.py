"""An entry that nobody can read takes nothing away: adding one changes no other item, only what the items assume."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from careplan.plan.model import Item, items_of
from careplan.planner import Planner
from tests.patients import Json, patients
from tests.shipped import BOOK
from tests.sizes import cases

NAMES_UNREAD = "entries-not-read"
LISTS = {"medications": "/medications", "conditions": "/other_conditions", "goals": "/expectations/goals"}
UNREAD = st.text("bcdfghjklmnpqrstvwxz", min_size=9, max_size=14).map(lambda word: f"q{word}")
"""Words without vowels, which are near no name of any list."""


def sent_lists(body: Json) -> Json:
    """The same patient with every list sent."""
    expectations = body.get("expectations", {})
    return body | {
        "medications": body.get("medications", []),
        "conditions": body.get("conditions", []),
        "expectations": expectations | {"goals": expectations.get("goals", [])},
    }


def with_unread(body: Json, of: str, word: str) -> Json:
    """The patient with an entry more that nobody can read, at the end of one list."""
    if of == "medications":
        return body | {"medications": [*body["medications"], {"name": word}]}
    if of == "conditions":
        return body | {"other_conditions": [*body.get("other_conditions", []), word]}
    return body | {"expectations": body["expectations"] | {"goals": [*body["expectations"]["goals"], word]}}


def certain(item: Item) -> bool:
    return BOOK.rules[item.rule.id].file.certain


def waits_for_a_reader(item: Item) -> bool:
    """An item that stands in for one which asks for logic: about a hold that is not open."""
    tests = [
        test
        for group in BOOK.rules[item.rule.id].when
        for pattern in group
        for test in pattern.tests.parts
        if getattr(test, "field", "") == "hold_question"
    ]
    return any("unclear" in getattr(test, "values", ()) for test in tests)


def wants_a_list(item: Item) -> bool:
    """An item that is there because a list is not empty any more."""
    tests = [test for group in BOOK.rules[item.rule.id].when for pattern in group for test in pattern.tests.parts]
    return any(getattr(test, "field", "") == "list" and "given" in getattr(test, "values", ()) for test in tests)


@settings(max_examples=cases(25))
@given(patients(BOOK), st.sampled_from(sorted(LISTS)), UNREAD)
def test_an_unread_entry_more_takes_nothing_away_and_is_named_in_one_line(
    planner: Planner, body: Json, of: str, word: str
) -> None:
    before = sent_lists(body)
    after = with_unread(before, of, word)
    plans = [planner.plan(planner.intake.convert(one)) for one in (before, after)]
    old, new = ({item.id: item for item in items_of(plan)} for plan in plans)
    gone = [item for name, item in old.items() if name not in new]
    assert all(map(certain, gone)), gone
    more = [item for name, item in new.items() if name not in old]
    assert all(item.rule.id == NAMES_UNREAD or waits_for_a_reader(item) or wants_a_list(item) for item in more), more
    assert {name: item.level for name, item in old.items() if name in new} == {
        name: new[name].level for name in old if name in new
    }
    assert plans[0].status == plans[1].status
    (named,) = [item for item in new.values() if item.rule.id == NAMES_UNREAD]
    assert f"“{word}”" in named.clinician_text
    assert word in named.patient_text
    pointers = [about.pointer for about in named.about]
    assert len(pointers) == len(set(pointers))
    assert any(pointer.startswith(f"{LISTS[of]}/") for pointer in pointers)


@settings(max_examples=cases(17))
@given(patients(BOOK), st.sampled_from(sorted(LISTS)))
def test_a_list_known_to_be_incomplete_counts_as_one_with_an_unread_entry(planner: Planner, body: Json, of: str) -> None:
    before = sent_lists(body)
    incomplete = planner.plan(planner.intake.convert(before | {"incomplete": [of]}))
    unread = planner.plan(planner.intake.convert(with_unread(before, of, "qwrtpsdfgh")))
    assert {item.id for item in items_of(incomplete)} == {item.id for item in items_of(unread)}


@settings(max_examples=cases(17))
@given(patients(BOOK), UNREAD)
def test_an_item_says_what_an_unread_entry_must_not_be_wherever_it_presumes_something(
    planner: Planner, body: Json, word: str
) -> None:
    before = sent_lists(body) | {"other_conditions": []}
    after = planner.plan(planner.intake.convert(with_unread(before, "conditions", word)))
    for item in items_of(after):
        of_illnesses = [one for one in item.assumes if any(p.startswith("/other_conditions") for p in one.pointers)]
        presumes = any(
            getattr(test, "operation", "") == "has_none" and pattern.kind == "history"
            for group in BOOK.rules[item.rule.id].when
            for pattern in group
            for test in pattern.tests.parts
        )
        if of_illnesses:
            assert f"assumes that “{word}” is no " in of_illnesses[0].words
        if presumes and not certain(item) and len(BOOK.rules[item.rule.id].when) == 1:
            assert of_illnesses, item.id


@settings(max_examples=cases(17))
@given(patients(BOOK))
def test_every_item_of_a_plan_has_an_id_of_its_own(planner: Planner, body: Json) -> None:
    ids = [item.id for item in items_of(planner.plan(planner.intake.convert(body)))]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize(
    "names",
    [
        ["ibuprofen and famotidine"],
        ["ibuprofen and famotidine", "aspirin and omeprazole"],
        ["vitamin D, omeprazole and metformin", "vitamin D"],
        ["aspirin and mystery root"],
    ],
)
def test_items_about_several_parts_of_one_entry_are_told_apart(planner: Planner, names: list[str]) -> None:
    plan = planner.plan(planner.intake.convert({"medications": [{"name": name} for name in names]}))
    ids = [item.id for item in items_of(plan)]
    assert len(ids) == len(set(ids))


ADVICE: dict[str, Any] = {
    "conditions": ["hypertension"],
    "lifestyle": {"alcohol_drinks_per_week": 6, "nutrition": "poor"},
    "medications": [{"name": "sertraline", "schedule": "daily", "indication": "depression"}],
}


@pytest.mark.parametrize("illness", ["seasonal allergies", "major depressive disorder", "reflux", "a rare disease"])
def test_an_illness_beside_it_leaves_the_word_on_blood_pressure_and_on_alcohol(planner: Planner, illness: str) -> None:
    plan = planner.plan(planner.intake.convert(ADVICE | {"other_conditions": [illness]}))
    rules = {item.rule.id for item in items_of(plan)}
    assert {"hypertension-known", "alcohol-around-the-session", "nutrition-poor"} <= rules


@pytest.mark.parametrize("medicine", ["buspirone", "vitamin D", "prednisone", "zzqblorptan"])
def test_a_medicine_beside_it_leaves_the_word_on_an_antidepressant(planner: Planner, medicine: str) -> None:
    body = ADVICE | {"medications": [*ADVICE["medications"], {"name": medicine}]}
    found = {item.rule.id: item for item in items_of(planner.plan(planner.intake.convert(body)))}
    assert "antidepressant-continues" in found
    assumed = [one.words for one in found["antidepressant-continues"].assumes]
    assert assumed == (["assumes that “zzqblorptan” is no MAO inhibitor"] if medicine == "zzqblorptan" else [])
