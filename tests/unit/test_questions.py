"""What to ask next: the order of the questions, and when asking stops."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from itertools import pairwise
from typing import Any, get_args

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from careplan.inference.derived import CaseMaker
from careplan.plan.model import CarePlan, Question, items_of
from careplan.plan.visit import asked_first, grouped, in_order, visit_at
from careplan.planner import Planner
from careplan.request.what_if_request import merge_patch
from careplan.rulebook.asking import Visit
from careplan.rulebook.conditions import tests_of
from careplan.rulebook.factors import GROUPS, KINDS, LIMITS
from careplan.rulebook.model import LEVELS, Rulebook
from tests.patients import ANSWERED, has_no_sense, patients
from tests.plans import plan_of
from tests.sizes import cases

Json = dict[str, Any]


@pytest.fixture(scope="module")
def facts(book: Rulebook) -> CaseMaker:
    return CaseMaker(book)


def weight(book: Rulebook, question: Question) -> tuple[int, ...]:
    levels = [book.rules[rule].file.level for change in question.could_change for rule in change.rules]
    return tuple(-levels.count(level) for level in LEVELS)


def any_answer(question: Question) -> object:
    match question.form.type:
        case "yes_no":
            return False
        case "number" | "whole_number":
            return question.form.least
        case "choice":
            return question.form.choices[0].value
        case _:
            return []


def put(body: Json, pointer: str, value: object) -> Json:
    first, *rest = pointer.strip("/").split("/")
    if first == "medications" and rest:
        entries = [dict(entry) for entry in body["medications"]]
        entries[int(rest[0])][rest[1]] = value
        return body | {"medications": entries}
    for key in reversed([first, *rest]):
        value = {key: value}
    merged: Json = merge_patch(body, value)
    return merged


@given(st.data())
@settings(max_examples=40)
def test_the_questions_on_which_the_most_of_the_most_serious_rules_hang_come_first(
    planner: Planner, book: Rulebook, data: st.DataObject
) -> None:
    asked = plan_of(planner, data.draw(patients(book))).information_needed
    weights = [weight(book, question) for question in asked]
    assert weights == sorted(weights)
    assert len({question.pointer for question in asked}) == len(asked)
    assert all(question.could_change and all(change.rules for change in question.could_change) for question in asked)


def test_every_question_of_an_empty_request_can_be_answered_from_its_form_until_none_is_left(planner: Planner) -> None:
    body: Json = {}
    asked: list[str] = []
    while questions := [
        one for one in plan_of(planner, body).information_needed if not one.pointer.startswith("/protocol/")
    ]:
        question = questions[0]
        assert question.pointer not in asked
        asked.append(question.pointer)
        body = put(body, question.pointer, any_answer(question))
        assert len(asked) < 80
    assert plan_of(planner, body).status in ("draft", "blocked")


def test_an_answer_takes_its_question_away_brings_its_follow_ons_and_changes_the_order(planner: Planner) -> None:
    before = [question.pointer for question in plan_of(planner, {}).information_needed]
    sent: Json = {"medications": [{"name": "Xanax"}], "conditions": [], "treatment": {"product": "esketamine"}}
    after = [question.pointer for question in plan_of(planner, sent).information_needed]
    assert {"/medications", "/conditions", "/treatment/product"} <= set(before)
    assert {"/medications", "/conditions", "/treatment/product"}.isdisjoint(after)
    assert {"/medications/0/schedule", "/medications/0/indication"} <= set(after)
    assert [one for one in before if one in after] != [one for one in after if one in before]


def test_a_question_whose_rules_an_answer_has_ruled_out_is_not_asked_again(planner: Planner) -> None:
    open_ = {question.pointer for question in plan_of(planner, {}).information_needed}
    male = {question.pointer for question in plan_of(planner, {"medications": [], "conditions": []}).information_needed}
    assert male < open_
    assert not any(pointer.startswith("/protocol/holds") for pointer in male)


@pytest.mark.parametrize("name", ["clonazepam", "lamotrigine"])
def test_a_medicine_waits_for_the_answers_about_another_one_that_may_protect(planner: Planner, name: str) -> None:
    other = {"name": "valproate", "schedule": "daily"}
    body: Json = {
        "conditions": [],
        "medications": [{"name": name, "schedule": "as_needed", "indication": "anxiety"}, other],
    }
    open_ = {question.pointer: question for question in plan_of(planner, body).information_needed}
    rules = {rule for change in open_["/medications/1/indication"].could_change for rule in change.rules}
    assert any(rule.startswith(("benzodiazepine-", "lamotrigine-")) for rule in rules), rules


def test_a_question_about_one_medicine_is_asked_though_the_answer_about_another_one_brought_the_same_rule(
    planner: Planner,
) -> None:
    body: Json = {
        "conditions": [],
        "medications": [
            {"name": "valproate", "schedule": "daily", "indication": "epilepsy"},
            {"name": "gabapentin", "schedule": "daily"},
        ],
    }
    assert "/medications/1/indication" in {question.pointer for question in plan_of(planner, body).information_needed}


MOST_FIRST = 8
ACUTE = {"/red_flags/intoxicated_now", "/red_flags/chest_pain_now", "/red_flags/new_neurological_symptom"}


def asked_of(planner: Planner, body: Json) -> dict[str, Question]:
    return {question.pointer: question for question in plan_of(planner, body).information_needed}


@pytest.mark.parametrize(
    ("sent", "asked"),
    [
        ({}, {"/sex", "/pregnancy", "/age_years"}),
        ({"sex": "female"}, {"/pregnancy", "/age_years"}),
        ({"sex": "female", "age_years": 55}, {"/pregnancy"}),
        ({"age_years": 55}, {"/sex", "/pregnancy"}),
        ({"sex": "male"}, {"/age_years"}),
        ({"sex": "male", "age_years": 20}, set()),
        ({"sex": "female", "age_years": 56}, set()),
        ({"age_years": 80}, set()),
    ],
)
def test_sex_and_age_decide_whether_pregnancy_is_asked_about(planner: Planner, sent: Json, asked: set[str]) -> None:
    assert {"/sex", "/pregnancy", "/age_years"} & asked_of(planner, sent).keys() == asked


@pytest.mark.parametrize("sent", [{"sex": "male"}, {"age_years": 70}])
def test_a_pregnancy_that_nobody_asked_about_counts_and_is_said_to_contradict(planner: Planner, sent: Json) -> None:
    ids = {item.rule.id for item in items_of(plan_of(planner, sent | {"pregnancy": "pregnant"}))}
    assert "pregnancy-known-before-the-series" in ids
    assert any(name.startswith("answers-pregnancy") for name in ids)


@pytest.mark.parametrize(("done", "is_asked"), [(0, False), (1, True), (None, True)])
def test_the_response_is_asked_about_only_where_a_session_may_have_been(
    planner: Planner, done: int | None, *, is_asked: bool
) -> None:
    sent = {} if done is None else {"treatment": {"sessions_completed": done}}
    assert ("/treatment/response_so_far" in asked_of(planner, sent)) is is_asked


@pytest.mark.parametrize("response", ["none", "partial", "good", "worse"])
def test_a_response_before_any_session_is_never_passed_over(planner: Planner, response: str) -> None:
    plan = plan_of(planner, {"treatment": {"sessions_completed": 0, "response_so_far": response}})
    about = {"answers-no-response-before-any-session", "answers-a-response-before-any-session"}
    assert about & {item.rule.id for item in items_of(plan)}


@pytest.mark.parametrize("name", ["melatonin", "atorvastatin", "sertraline", "metformin", "levothyroxine", "buspirone"])
def test_nobody_is_asked_what_a_medicine_is_for_on_whose_reason_no_rule_hangs(planner: Planner, name: str) -> None:
    body: Json = {"medications": [{"name": name}]}
    assert "/medications/0/indication" not in asked_of(planner, body)
    assert "/medications/0/indication" not in asked_of(planner, body | {"conditions": []})


@pytest.mark.parametrize("name", ["valproate", "clonazepam", "gabapentin", "phenobarbital", "zolpidem", "lithium"])
def test_the_reason_is_asked_of_a_medicine_that_may_protect(planner: Planner, name: str) -> None:
    assert "/medications/0/indication" in asked_of(planner, {"medications": [{"name": name}], "conditions": []})


@given(data=st.data(), visit=st.sampled_from(get_args(Visit)))
@settings(max_examples=40)
def test_at_most_eight_questions_come_first_none_of_the_clinic_and_nothing_is_lost(
    planner: Planner, book: Rulebook, data: st.DataObject, visit: Visit
) -> None:
    plan = plan_of(planner, data.draw(patients(book)))
    asked = asked_first(plan.information_needed, visit)
    first = [one for one in asked if one.first]
    own = [one for one in asked if one.asked_of == "patient" and (one.pointer not in ACUTE or visit == "session_day")]
    assert len(first) == min(MOST_FIRST, len(own))
    assert {one.asked_of for one in first} <= {"patient"}
    assert [one.pointer for one in asked] == [one.pointer for one in plan.information_needed]
    assert sorted(one.place for one in asked) == list(range(len(asked)))
    assert sorted(one.pointer for _, group in grouped(asked) for one in group) == sorted(one.pointer for one in asked)
    assert {one.pointer for one in asked if one.asked_of == "clinic"} == {
        one.pointer for one in asked if one.pointer.startswith(("/protocol/", "/clinic/"))
    }
    acute = {one.pointer for one in first} & ACUTE
    assert acute == ({one.pointer for one in asked} & ACUTE if visit == "session_day" else set())


NEEDED = [
    "/red_flags/suicidal_thoughts", "/pregnancy", "/conditions", "/medications", "/treatment/product",
    "/lifestyle/alcohol_drinks_per_week", "/support/escort_available",
]  # fmt: skip
"""What every visit needs to know, in its order: danger, illnesses, medicines, what is given, and the way home."""


@pytest.mark.parametrize(
    ("sent", "answered"),
    [
        ({}, []),
        ({"treatment": {"indication": "depression"}, "medications": [{"name": "lorazepam"}]}, ["/medications"]),
        ({"sex": "male", "age_years": 40, "conditions": []}, ["/pregnancy", "/conditions"]),
        ({"treatment": {"product": "racemic"}, "support": {"escort_available": True}}, [NEEDED[4], NEEDED[6]]),
    ],
)
def test_what_every_visit_needs_is_among_the_eight_however_much_hangs_on_others(
    planner: Planner, sent: Json, answered: list[str]
) -> None:
    asked = [one.pointer for one in plan_of(planner, sent).front.ask]
    assert len(asked) == 8
    assert [pointer for pointer in asked if pointer in NEEDED] == [one for one in NEEDED if one not in answered]


def test_a_visit_takes_its_questions_in_the_order_that_the_rulebook_gives(planner: Planner, book: Rulebook) -> None:
    body: Json = {"medications": [{"name": "clonazepam"}, {"name": "lamotrigine"}]}
    in_turn = [one.pointer for one in in_order(plan_of(planner, body).information_needed)]
    groups = {"goals": "expectations/goals", "medicine": "medications/", "patient": ""}
    of_group = [
        [at for at, pointer in enumerate(in_turn) if pointer.startswith(f"/{groups.get(group, group)}") and group in pointer]
        for group in book.vocabulary.order_of_a_visit
        if group not in ("patient", "medicine", "medications", "expectations", "goals")
    ]
    assert all(before[-1] < after[0] for before, after in pairwise(filter(None, of_group)))
    of_medicines = [pointer for pointer in in_turn if pointer.startswith("/medications/")]
    assert of_medicines == sorted(of_medicines, key=lambda pointer: int(pointer.split("/")[2]))


@pytest.mark.parametrize(
    ("at", "visit"),
    [
        ("2027-03-12T08:00:00-05:00", "session_day"),
        ("2027-03-13T04:30:00+00:00", "session_day"),  # Still the evening before, where the session is.
        ("2027-03-13T12:00:00-05:00", "intake"),
    ],
)
def test_the_day_of_a_session_is_known_from_its_time(planner: Planner, at: str, visit: str) -> None:
    body: Json = {"treatment": {"session_times": ["2027-03-12T10:00:00-05:00"]}}
    patient = planner.intake.decode(msgspec.json.encode(body))
    assert visit_at(patient, datetime.fromisoformat(at)) == visit


def essence(plan: CarePlan) -> tuple[object, ...]:
    """What a plan says, but for what it says of the answers behind it."""
    return plan.status, sorted((item.id, item.level) for item in items_of(plan)), plan.decisions


@settings(max_examples=cases(3))
@given(st.data())
def test_no_answer_to_a_question_that_is_not_asked_changes_the_items(
    planner: Planner, book: Rulebook, data: st.DataObject
) -> None:
    body = data.draw(patients(book, medicines=3))
    plan = plan_of(planner, body)
    asked = {question.pointer for question in plan.information_needed}
    if any(item.rule.id == "indication-read-off-the-list" for item in items_of(plan)):
        asked.add("/treatment/indication")  # The list of illnesses has answered it, which the plan asks to confirm.
    for pointer, answers in unanswered(book, body):
        if pointer not in asked and not has_no_sense(book, planner.intake.convert(body), pointer):
            for answer in answers:
                assert essence(plan_of(planner, put(body, pointer, answer))) == essence(plan), (pointer, answer)


def unanswered(book: Rulebook, body: Json) -> Iterator[tuple[str, list[Any]]]:
    """Every factor without an answer, with every answer that could make a difference.

    The reason for a medicine is left out: it is asked only where a rule on that medicine needs it, and counts all the same.
    """
    numbers: dict[str, set[float]] = {}
    for rule in book.rules.values():
        for pattern, test in ((one, test) for group in rule.when for one in group for test in tests_of(one.tests)):
            numbers.setdefault(f"{pattern.kind}.{test.field}", set()).update(
                float(value) for value in test.values if isinstance(value, float)
            )
    numbers["lifestyle.alcohol_drinks_per_week"].add(book.about.drinks_that_close_holds)
    for kind in ("patient", *GROUPS):
        holder = body if kind == "patient" else body.get(kind, {})
        for name, field in KINDS[kind].fields.items():
            if field.sent and holder.get(name) is None:
                pointer = f"/{name}" if kind == "patient" else f"/{kind}/{name}"
                yield pointer, _values(f"{kind}.{name}", numbers)
    for at, entry in enumerate(body.get("medications", [])):
        if entry.get("schedule") is None:
            yield f"/medications/{at}/schedule", list(KINDS["medicine"].fields["schedule"].tokens)
    if "conditions" not in body:
        yield "/conditions", [[], *([name] for name in book.conditions)]


def _values(name: str, numbers: dict[str, set[float]]) -> list[Any]:
    kind, _, field = name.partition(".")
    described = KINDS[kind].fields[field]
    if described.type == "boolean":
        return [True, False]
    if described.type == "token":
        return list(described.tokens)
    if field.startswith("sessions_"):
        return list(range(1, 26))
    near = sorted({limit + step for limit in numbers.get(name, ()) for step in (-1, 0, 1)})
    return [int(one) if one.is_integer() else one for one in near if LIMITS[name].least <= one <= LIMITS[name].most]


OTHERS = st.lists(
    st.fixed_dictionaries(
        {
            "name": st.sampled_from(
                ["clonazepam", "phenobarbital", "lorazepam", "zolpidem", "lamotrigine", "quetiapine", "tramadol"]
            )
        },
        optional={
            "schedule": st.sampled_from(["as_needed", "weekly", "daily"]),
            "indication": st.sampled_from(["anxiety", "bipolar", "other"]),
        },
    ),
    max_size=3,
)


@pytest.mark.long
@settings(max_examples=cases(20))
@given(others=OTHERS, missing=st.sampled_from([None, "conditions", "lifestyle", "red_flags"]))
def test_an_open_hold_question_is_closed_by_no_answer_that_is_still_missing(
    planner: Planner, facts: CaseMaker, book: Rulebook, others: list[Json], missing: str | None
) -> None:
    first = {"name": "clonazepam", "schedule": "as_needed", "indication": "anxiety"}
    body: Json = ANSWERED | {"medications": [first, *others]}
    if missing is not None:
        del body[missing]
    opened = stances(planner, facts, body, "open")
    # What is neither an antiseizure medicine nor calming is not asked for its reason.
    unrelated = {
        f"/medications/{at}/indication"
        for at, entry in enumerate(body["medications"])
        if entry["name"] in ("quetiapine", "tramadol")
    }
    for pointer, answers in unanswered(book, body):
        for answer in answers if pointer not in unrelated else ():
            assert stances(planner, facts, put(body, pointer, answer), "closed").isdisjoint(opened), (body, pointer, answer)


def stances(planner: Planner, facts: CaseMaker, body: Json, stance: str) -> set[str]:
    holds = facts.case(planner.intake.convert(body)).holds
    return {name for name, question in holds.items() if question.stance == stance}


def test_a_hold_is_not_shown_before_the_schedule_that_could_close_it_is_known(planner: Planner, facts: CaseMaker) -> None:
    body: Json = ANSWERED | {
        "medications": [
            {"name": "clonazepam", "schedule": "as_needed", "indication": "anxiety"},
            {"name": "phenobarbital", "indication": "bipolar"},
            {"name": "quetiapine", "schedule": "daily", "indication": "bipolar"},
        ],
    }
    assert "/medications/1/schedule" in {question.pointer for question in plan_of(planner, body).information_needed}
    assert stances(planner, facts, body, "open") == set()
    assert "clonazepam" in stances(planner, facts, put(body, "/medications/1/schedule", "as_needed"), "open")
    assert "clonazepam" in stances(planner, facts, put(body, "/medications/1/schedule", "daily"), "closed")
