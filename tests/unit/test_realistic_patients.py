"""The realistic cohort: the same by its seed, admitted by the service, near to its data, held apart from the examples."""

from __future__ import annotations

import json
import random
import re
import tracemalloc
from collections import Counter
from itertools import islice
from math import isclose, prod, sqrt
from pathlib import Path
from typing import Any

import msgspec
import pytest
from bench.measure import golden_bodies
from click.testing import CliRunner

from careplan.authoring.composed_texts import Composed, Form, Weighted
from careplan.authoring.realistic_data import source
from careplan.authoring.realistic_patients import realistic
from careplan.authoring.rule_examples import examples_of
from careplan.cli.comparing import cohort
from careplan.planner import Planner
from careplan.rulebook.model import Rulebook

MANY = 8_000
Json = dict[str, Any]


@pytest.fixture(scope="module")
def everyone(book: Rulebook) -> list[Json]:
    return list(realistic(book, MANY, 1))


def goals_of(body: Json) -> list[str]:
    found: list[str] = body.get("expectations", {}).get("goals", [])
    return found


def test_the_seed_alone_decides_who_is_made_up(book: Rulebook) -> None:
    first = [msgspec.json.encode(body) for body in realistic(book, 300, 5)]
    assert first == [msgspec.json.encode(body) for body in realistic(book, 300, 5)]
    assert first == [msgspec.json.encode(body) for body in islice(realistic(book, 1_000_000, 5), 300)]
    assert not set(first) & {msgspec.json.encode(body) for body in realistic(book, 300, 6)}


def test_every_body_is_accepted_by_the_reader_at_once(planner: Planner, everyone: list[Json], book: Rulebook) -> None:
    for body in everyone:
        patient = planner.intake.decode(msgspec.json.encode(body))
        assert (
            msgspec.convert(body, type(patient)) == patient
        )  # without a second look, which whole numbers as 7.0 would take
    assert {token for body in everyone for token in body.get("conditions", ())} <= book.conditions.keys()


def test_nobody_and_no_goal_comes_twice(everyone: list[Json]) -> None:
    goals = [goal for body in everyone for goal in goals_of(body)]
    assert len(goals) > MANY
    assert len(set(goals)) == len(goals)
    assert len({msgspec.json.encode(body) for body in everyone}) == MANY


def test_no_goal_comes_twice_whoever_asks_for_hundreds_of_thousands() -> None:
    goals = source().goals
    composed = Composed(goals.forms, goals.parts, random.Random(3))  # noqa: S311
    assert composed.size > 100_000
    assert len({composed.next() for _ in range(300_000)}) == 300_000


def test_a_cohort_of_ten_millions_has_goals_enough_and_one_beyond_them_is_refused(book: Rulebook) -> None:
    assert next(realistic(book, 10_000_000))
    with pytest.raises(ValueError, match="too few"):
        realistic(book, 10**9)


def test_texts_are_given_once_each_and_then_no_more() -> None:
    forms = [Form("{a} {b}", 9), Form("{a}!", 1)]
    composed = Composed(forms, {"a": ["x", "y", "z"], "b": ["1", "2", "3", "4"]}, random.Random(1))  # noqa: S311
    assert len({composed.next() for _ in range(composed.size)}) == composed.size == 15
    with pytest.raises(ValueError, match="all 15"):
        composed.next()


def test_weights_say_how_often_a_value_is_drawn() -> None:
    drawn = Counter(map(Weighted([("a", 1.0), ("b", 3.0), ("c", 0.0)]).draw, [random.Random(2)] * 4_000))  # noqa: S311
    assert set(drawn) == {"a", "b"}
    assert isclose(drawn["b"] / 4_000, 0.75, abs_tol=0.03)
    with pytest.raises(ValueError, match="nothing"):
        Weighted([])


def near(share: float, wanted: float, of: int) -> bool:
    """Within five standard errors of a share of so many."""
    return abs(share - wanted) <= 5 * sqrt(max(wanted * (1 - wanted), 1e-4) / of)


def test_questions_are_answered_as_often_as_the_data_say_and_with_the_same_answers(everyone: list[Json]) -> None:
    for group, answers in source().answers.items():
        for name, answer in answers.items():
            values = [body[group][name] for body in everyone if name in body[group]]
            assert near(len(values) / MANY, answer.asked, MANY), name
            if answer.yes is not None:
                assert near(sum(values) / len(values), answer.yes, len(values)), name
            total = sum(answer.tokens.values())
            for token, weight in answer.tokens.items():
                assert near(values.count(token) / len(values), weight / total, len(values)), (name, token)


def test_illnesses_are_as_common_as_the_data_say(everyone: list[Json]) -> None:
    told = [body for body in everyone if "conditions" in body]
    assert near(len(told) / MANY, source().lists.conditions_asked, MANY)
    for illness in source().illnesses:
        if illness.token:
            found = sum(illness.token in body["conditions"] for body in told)
        else:
            found = sum(
                any(text.startswith(tuple(illness.said)) for text in body.get("other_conditions", ())) for body in told
            )
        assert near(found / len(told), illness.rate, len(told)), illness


def test_groups_of_medicines_are_taken_as_often_as_illnesses_bring_them(everyone: list[Json]) -> None:
    data = source()
    told = [body["medications"] for body in everyone if "medications" in body]
    for group in ("ssri", "statin", "thyroid", "benzodiazepine", "lamotrigine"):
        absent = prod(1 - illness.rate * illness.brings.get(group, 0.0) for illness in data.illnesses)
        wanted = 1 - (1 - data.groups[group].rate) * absent
        names = {name.casefold() for one in data.groups[group].medicines for name in (one.name, *one.brands)}
        found = sum(any(entry["name"].casefold().startswith(tuple(names)) for entry in entries) for entries in told)
        # A few names are misspelt.
        assert wanted * 0.92 < found / len(told) < wanted * 1.04, group


def test_lists_are_written_in_many_ways(everyone: list[Json]) -> None:
    lines = [entry for body in everyone for entry in body.get("medications", ())]
    assert len({entry["name"] for entry in lines}) > 5_000
    with_fields = sum("schedule" in entry for entry in lines) / len(lines)
    assert 0.5 < with_fields < 0.85


STRENGTH = re.compile(r" \d+(?:\.\d+)? ?(?:mg|mcg|IU)$")


def texts_of_examples(book: Rulebook) -> tuple[set[str], set[str], list[Json]]:
    """Goals, names of medicines and whole entries of all examples of rules and of the golden patients."""
    bodies = [
        example.patient for rule in (*book.rules.values(), *book.resting.values()) for _, _, example in examples_of(rule)
    ]
    bodies += [json.loads(body) for body in golden_bodies()]
    entries = [entry for body in bodies for entry in body.get("medications") or ()]
    goals = {goal for body in bodies for goal in goals_of(body)}
    return goals, {entry["name"] for entry in entries if "name" in entry}, entries


def test_no_goal_and_no_line_is_one_of_an_example(everyone: list[Json], book: Rulebook) -> None:
    goals, lines, entries = texts_of_examples(book)
    assert goals
    assert entries
    assert not goals & {goal for body in everyone for goal in goals_of(body)}
    written = [entry for body in everyone for entry in body.get("medications", ())]
    data = source()
    # The name of a medicine, alone or with its strength, is no line that only one list could have.
    names = {
        name.casefold() for group in data.groups.values() for one in group.medicines for name in (one.name, *one.brands)
    }
    shared = {entry["name"] for entry in written} & lines
    assert {line for line in shared if STRENGTH.sub("", line).casefold() not in names} == set()
    of_their_own = [entry for entry in entries if STRENGTH.sub("", entry.get("name", "")).casefold() not in names]
    whole = {msgspec.json.encode(entry, order="sorted") for entry in of_their_own if len(entry) > 1}
    assert whole & {msgspec.json.encode(entry, order="sorted") for entry in written} == set()


def test_a_cohort_is_not_held_in_memory(book: Rulebook) -> None:
    bodies = realistic(book, 1_000_000, 2)
    for _ in islice(bodies, 500):
        pass
    tracemalloc.start()
    for _ in islice(bodies, 3_000):
        pass
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert held < 100_000


def test_the_command_prints_them_one_a_line(book: Rulebook) -> None:
    done = CliRunner().invoke(cohort, ["9", "--realistic", "--seed", "3"])
    assert done.exit_code == 0
    assert [json.loads(line) for line in done.output.splitlines()] == list(realistic(book, 9, 3))


def test_its_data_travel_with_the_package() -> None:
    import careplan

    data = Path(careplan.__file__).parent / "authoring" / "realistic_patients.yaml"
    assert data.is_file()
