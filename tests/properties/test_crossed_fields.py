"""Wherever fields of an entry meet, the answer is a plan or the names of faults, and nothing of the entry is lost."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from itertools import islice
from typing import Any, TypeAlias

import msgspec
import pytest

from careplan.batch.answer_lines import Answering
from careplan.batch.ndjson import Line
from careplan.errors import InvalidPatient
from careplan.fhir.read.bundle import with_unmapped
from careplan.plan.model import CarePlan, items_of
from careplan.planner import Planner
from tests.contract.records import problem, statement
from tests.crossed_fields import Crossing, crossed_parts
from tests.crossed_resources import ODD, crossed_resources
from tests.shipped import BOOK, reader_of

Json = dict[str, Any]
ROUNDS = int(os.environ.get("CAREPLAN_TEST_CROSSINGS", "2"))
EVERY_DAY = 8
"""Of so many crossings one is tried every day, in the long tests all of them, round after round."""
SEED = int(os.environ.get("CAREPLAN_TEST_SEED", "1"))
UNREAD, NAMES_UNREAD = "qwrtpsdfgh", "entries-not-read"
_encode = msgspec.json.Encoder().encode


def with_lists(body: Json) -> Json:
    """The same request with every list sent, to which an entry can be added."""
    goals = {"goals": []} | (body.get("expectations") or {})
    return {"medications": [], "conditions": []} | body | {"expectations": goals}


def sent_in(body: Json) -> Iterator[str]:
    """The pointers of all entries of lists."""
    for name in ("medications", "conditions", "other_conditions"):
        yield from (f"/{name}/{at}" for at in range(len(body.get(name) or ())))
    yield from (f"/expectations/goals/{at}" for at in range(len(body["expectations"]["goals"])))


def told_of(plan: CarePlan) -> set[str]:
    """The pointers of all that a plan says something of."""
    return {about.pointer for item in items_of(plan) for about in item.about} | {one.pointer for one in plan.not_considered}


def kept(plan: CarePlan) -> Counter[tuple[str, str, frozenset[str]]]:
    """The items that must be there though an entry more cannot be read: their rules, levels and whom they are about."""
    return Counter(
        (item.rule.id, item.level, frozenset(about.name for about in item.about))
        for item in items_of(plan)
        if not BOOK.rules[item.rule.id].file.certain and item.rule.id != NAMES_UNREAD
    )


def judged(planner: Planner, crossing: Crossing) -> str:
    """What became of a request, after all that must hold of it was looked at."""
    body = with_lists(crossing.body)
    try:
        patient = planner.intake.convert(body)
    except InvalidPatient as error:
        assert error.faults
        assert all(fault.detail for fault in error.faults)
        return "refused"
    plan = planner.plan(patient)
    made = _encode(plan)
    assert made == _encode(planner.plan(planner.intake.decode(json.dumps(body).encode())))
    assert set(sent_in(body)) <= told_of(plan)
    assert [read.index for read in plan.medications] == list(range(len(body["medications"])))
    for more in (
        {"medications": [*body["medications"], {"name": UNREAD}]},
        {"other_conditions": [*(body.get("other_conditions") or ()), UNREAD]},
    ):
        assert not kept(plan) - kept(planner.plan(planner.intake.convert(body | more)))
    return plan.status


def judged_record(planner: Planner, crossing: Crossing) -> str:
    """What became of a record, after all that must hold of it was looked at."""
    reader = reader_of(planner)
    try:
        read = reader.read(crossing.body)
    except InvalidPatient as error:
        assert error.faults
        return "refused"
    plan = with_unmapped(planner.plan(read.patient), read)
    made = _encode(plan)
    assert made == _encode(with_unmapped(planner.plan((again := reader.read(crossing.body)).patient), again))
    told = {*read.origins.values(), *(one.pointer for one in read.unmapped)}
    # What is left out under one name for one reason is told once, by the place of the first.
    for place in places_of(crossing.body) if not any(one.number for one in read.unmapped) else ():
        whole = place.partition("/resource")[0] + "/resource"
        assert whole in told or any(f"{one}/".startswith(f"{place}/") for one in told), f"nothing is said of {place}"
    in_both_forms(planner, json.dumps(crossing.body).encode())
    for more in UNREAD_RESOURCES:
        entries = [*crossing.body["entry"], {"resource": more}]
        assert not kept(plan) - kept(planner.plan(reader.read(crossing.body | {"entry": entries}).patient))
    return plan.status


UNREAD_RESOURCES: list[Json] = [
    statement("u", UNREAD)["resource"],
    problem("u", UNREAD)["resource"],
    statement("u", "sertraline", modifierExtension=ODD)["resource"],
]


def places_of(record: Json) -> Iterator[str]:
    """The places of all resources, and of all parts of them that hold a value of their own."""
    for at, entry in enumerate(record["entry"]):
        resource, place = entry["resource"], f"/entry/{at}/resource"
        if resource["resourceType"] != "Patient":
            yield place
        yield from (f"{place}/component/{number}" for number in range(len(resource.get("component", ()))))
        if resource["resourceType"] == "QuestionnaireResponse" and resource.get("status") in ("completed", "amended"):
            yield from _answered(resource, place)


def _answered(within: Json, place: str, seen: list[Json] | None = None) -> Iterator[str]:
    """The places of all items of a form that have an answer, but for one that says only what another one says."""
    seen = [] if seen is None else seen
    for at, item in enumerate(within.get("item", ())):
        answers = [{name: value for name, value in one.items() if name != "item"} for one in item.get("answer", ())]
        if any(one not in seen for one in answers):
            yield f"{place}/item/{at}"
        seen += answers
        yield from _answered(item, f"{place}/item/{at}", seen)
        for number, answer in enumerate(item.get("answer", ())):
            yield from _answered(answer, f"{place}/item/{at}/answer/{number}", seen)


def in_both_forms(planner: Planner, body: bytes) -> None:
    """No form of the answer fails on a line of a batch."""
    for answering in answerings(planner):
        assert b"failed on this line" not in answering.answer(Line(1, body)).body


def raising(error: Exception) -> None:
    raise error


@cache
def answerings(planner: Planner) -> tuple[Answering, ...]:
    return tuple(Answering(planner, as_fhir=as_fhir, on_failure=raising) for as_fhir in (False, True))


Judge: TypeAlias = Callable[[Planner, Crossing], str]


def outcomes_of(judge: Judge, planner: Planner, crossings: Iterable[Crossing], rounds: int) -> Counter[str]:
    """What becomes of the crossings, every so many of them where there is one round; a failure shows its body."""
    outcomes = Counter[str]()
    for crossing in islice(crossings, 0, None, EVERY_DAY if rounds == 1 else 1):
        try:
            outcomes[judge(planner, crossing)] += 1
        except Exception as error:
            error.add_note(f"{crossing.kind} {crossing.fields}: {json.dumps(crossing.body)}")
            raise
    return outcomes


@pytest.mark.parametrize("rounds", [1, pytest.param(ROUNDS, marks=pytest.mark.long)])
def test_any_two_fields_of_a_request_together_give_a_plan_that_loses_nothing(planner: Planner, rounds: int) -> None:
    outcomes = outcomes_of(judged, planner, crossed_parts(SEED, rounds), rounds)
    assert outcomes["draft"] > outcomes["refused"]
    assert outcomes["blocked"]


@pytest.mark.parametrize("rounds", [1, pytest.param(ROUNDS, marks=pytest.mark.long)])
def test_any_two_elements_of_a_resource_together_give_a_plan_that_loses_nothing(planner: Planner, rounds: int) -> None:
    outcomes = outcomes_of(judged_record, planner, crossed_resources(SEED, rounds), rounds)
    assert outcomes["draft"] > outcomes["refused"]
    assert outcomes["blocked"]
