"""For any patient: an illness in words is the same as its token, and what is said not to be there sets nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from careplan.plan.model import CarePlan, items_of
from careplan.planner import Planner
from tests.shipped import BOOK

Json = dict[str, Any]

OWN = [
    (name, tokens)
    for source, name, tokens in BOOK.known_conditions.reader.names()
    if source == "conditions.yaml" and all("=" not in token for token in tokens)
]
BODIES: list[Json] = [
    {"conditions": []},
    {"conditions": ["hypertension", "major_depression"], "medications": [{"name": "clonazepam"}, {"name": "lamotrigine"}]},
    {
        "conditions": [],
        "medications": [{"name": "lorazepam", "schedule": "as_needed", "indication": "anxiety"}],
        "lifestyle": {"alcohol_drinks_per_week": 2},
        "red_flags": {"intoxicated_now": False, "new_neurological_symptom": False},
        "protocol": {
            "holds": [
                {"drug_class": "benzodiazepine", "before_hours": 12, "after_hours": 6, "approved_by": "Dr. A. Example, MD"}
            ]
        },
    },
]
bodies = st.sampled_from(BODIES)
own = st.sampled_from(OWN)


def planned(planner: Planner, body: Mapping[str, Any]) -> CarePlan:
    return planner.plan(planner.intake.convert(dict(body)))


def shown(plan: CarePlan) -> list[tuple[str, ...]]:
    # One entry that stands for two conditions is named once, with both behind one "has".
    texts = (
        (one.replace(" and has ", " and ") for one in (item.patient_text, item.clinician_text)) for item in items_of(plan)
    )
    return sorted((item.id, item.level, *both) for item, both in zip(items_of(plan), texts, strict=True))


@settings(max_examples=25)
@given(bodies, own)
def test_an_illness_in_words_makes_the_plan_that_its_token_makes(
    planner: Planner, body: Json, named: tuple[str, tuple[str, ...]]
) -> None:
    name, tokens = named
    in_words = planned(planner, body | {"other_conditions": [name]})
    by_token = planned(planner, body | {"conditions": [*dict.fromkeys([*body["conditions"], *tokens])]})
    assert shown(in_words) == shown(by_token)
    assert [one.pointer for one in in_words.information_needed] == [one.pointer for one in by_token.information_needed]
    assert in_words.status == by_token.status


@settings(max_examples=25)
@given(own)
def test_whoever_names_an_illness_in_words_only_was_asked_for_illnesses(
    planner: Planner, named: tuple[str, tuple[str, ...]]
) -> None:
    name, tokens = named
    assert shown(planned(planner, {"other_conditions": [name]})) == shown(planned(planner, {"conditions": list(tokens)}))


@settings(max_examples=25)
@given(bodies, own)
def test_an_item_names_the_entry_that_it_was_read_from(
    planner: Planner, body: Json, named: tuple[str, tuple[str, ...]]
) -> None:
    name, tokens = named
    fresh = set(tokens) - set(body["conditions"])
    plan = planned(planner, body | {"other_conditions": [name]})
    places = {one.pointer for item in items_of(plan) for one in item.about}
    silent = {one.pointer for one in plan.not_considered}
    assert "/other_conditions/0" in places | silent
    (read,) = plan.conditions
    assert read.recognition == "read"
    assert set(read.tokens) == set(tokens)
    assert fresh <= set(read.tokens)


@settings(max_examples=25)
@given(bodies, own, st.sampled_from(["denies {}", "no history of {}", "family history of {}"]))
def test_what_is_denied_or_of_the_family_changes_nothing_but_what_contradicts_it(
    planner: Planner, body: Json, named: tuple[str, tuple[str, ...]], said: str
) -> None:
    name, tokens = named
    if "schizophrenia" in tokens and "family" in said:
        return
    before, after = planned(planner, body), planned(planner, body | {"other_conditions": [said.format(name)]})
    come = [item for item in items_of(after) if item.id not in {one.id for one in items_of(before)}]
    assert {item.id for item in come} <= {"entries-contradict"}
    assert {item.id for item in items_of(before)} <= {item.id for item in items_of(after)}
    assert "/other_conditions/0" in {one.pointer for one in after.not_considered}


@settings(max_examples=25)
@given(bodies, own)
def test_a_token_and_its_denial_in_words_are_a_finding(
    planner: Planner, body: Json, named: tuple[str, tuple[str, ...]]
) -> None:
    name, tokens = named
    plan = planned(planner, body | {"conditions": list(tokens), "other_conditions": [f"denies {name}"]})
    (finding,) = [item for item in items_of(plan) if item.id == "entries-contradict"]
    assert [one.pointer for one in finding.about] == ["/other_conditions/0"]
    assert name in " ".join(finding.clinician_text.split()) or " ".join(name.split()) in finding.clinician_text


@pytest.mark.parametrize(
    ("written", "answered"),
    [
        ("suicidal ideation", {"red_flags": {"suicidal_thoughts": "active_no_plan"}}),
        ("passive SI", {"red_flags": {"suicidal_thoughts": "passive"}}),
        ("pregnant", {"pregnancy": "pregnant"}),
        ("domestic violence", {"lifestyle": {"home_environment": "abusive"}}),
    ],
)
def test_an_illness_that_is_an_answer_is_taken_for_it(planner: Planner, written: str, answered: Json) -> None:
    in_words = planned(planner, {"conditions": [], "other_conditions": [written]})
    by_answer = planned(planner, {"conditions": []} | answered)
    assert shown(in_words) == shown(by_answer)
    assert in_words.status == by_answer.status == "blocked"


def test_a_graver_answer_that_was_sent_stays_and_a_lesser_one_gives_way(planner: Planner) -> None:
    graver = {"conditions": [], "red_flags": {"suicidal_thoughts": "plan_or_intent"}, "other_conditions": ["passive SI"]}
    assert any("plan" in item.id for item in planned(planner, graver).alerts)
    lesser = {"conditions": [], "red_flags": {"suicidal_thoughts": "none"}, "other_conditions": ["suicidal ideation"]}
    assert planned(planner, lesser).status == "blocked"


def test_an_entry_that_is_read_in_part_takes_nothing_away_and_is_named(planner: Planner) -> None:
    body = {"conditions": ["major_depression"]}
    plan = planned(planner, body | {"other_conditions": ["HTN; zzqblorptan; GERD"]})
    without = planned(planner, body | {"conditions": ["major_depression", "hypertension"]})
    assert {item.id for item in items_of(without)} <= {item.id for item in items_of(plan)}
    (unread,) = [item for item in items_of(plan) if item.id == "entries-not-read"]
    assert "“zzqblorptan”" in unread.clinician_text
    assert "HTN" not in unread.clinician_text
    (known,) = [item for item in items_of(plan) if item.id == "known-entries-without-a-rule"]
    assert "“GERD”" in known.clinician_text


def test_what_an_unread_illness_may_mean_is_offered_and_never_taken(planner: Planner) -> None:
    plan = planned(planner, {"conditions": [], "other_conditions": ["?bipolar"]})
    (unread,) = [item for item in items_of(plan) if item.id == "entries-not-read"]
    assert "bipolar disorder" in unread.clinician_text
    assert not any("bipolar" in item.id for item in items_of(plan))
    assert plan.conditions[0].parts[0].suggestions == ["bipolar_disorder"]
