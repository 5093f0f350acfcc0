"""What a request costs is bounded by what was sent, and while it is worked on others have their turn."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from functools import partial
from itertools import groupby, pairwise
from typing import Any

import msgspec
import pytest

from careplan.errors import MOST_FAULTS, InvalidPatient
from careplan.planner import Planner
from careplan.request.decode import LISTS
from careplan.rulebook.model import Rulebook
from careplan.web.limits.turns import Turns
from careplan.web.routes import what_if
from tests.everyday import one_in
from tests.in_process import Service, in_process
from tests.long_record import long_record
from tests.shipped import reader_of
from tests.work import calls

Json = dict[str, Any]
encode = msgspec.json.encode
HELD = 20_000
"""Calls of functions in the thread that answers, between two turns of others: some thousandths of a second of work."""
FHIR = {"content-type": "application/fhir+json"}


@pytest.fixture(scope="module")
def service(book: Rulebook) -> Iterator[Service]:
    with in_process(book, request_seconds=120) as found:
        found.ask("POST", "/v1/care-plans", b"{}")
        yield found


def fullest(book: Rulebook) -> Json:
    """A patient with lists as long as they may be, of all that rules look at."""
    names = [row.name for row in book.catalogue.ingredients.values()][: LISTS["/medications"]]
    return {
        "medications": [
            {"name": name, "text": f"{name} and aspirin and a herb of number {at}"} for at, name in enumerate(names)
        ],
        "conditions": sorted(book.conditions)[: LISTS["/conditions"]],
        "other_conditions": [f"an illness of number {at}" for at in range(LISTS["/other_conditions"])],
        "expectations": {"goals": [f"walk {at} minutes every day" for at in range(LISTS["/expectations/goals"])]},
        "treatment": {"session_times": [f"2026-{1 + at // 28:02d}-{1 + at % 28:02d}T09:30:00-05:00" for at in range(60)]},
    }


def entries(kind: str, count: int) -> list[Json]:
    """A record of a patient with many entries of a kind, each with its weak spot: one id, one name, one code for all."""
    about = {"subject": {"reference": "Patient/a"}}
    made: dict[str, Callable[[int], Json]] = {
        "medicines": lambda at: {
            "resourceType": "MedicationStatement",
            "status": "active",
            **about,
            "medicationCodeableConcept": {"text": f"drug {at}"},
        },
        "one id": lambda at: made["medicines"](at) | {"id": "same"},
        "illnesses": lambda at: {"resourceType": "Condition", "code": {"text": f"illness {at}"}, **about},
        "readings": lambda at: {
            "resourceType": "Observation",
            "status": "final",
            "effectiveDateTime": "2026-01-01",
            **about,
            "code": {"coding": [{"system": "http://loinc.org", "code": "8480-6"}]},
            "valueQuantity": {"value": 100 + at % 60, "unit": "mmHg"},
        },
        "patients": lambda at: {"resourceType": "Patient", "id": f"p{at}"},
        "faults": lambda at: {"resourceType": "MedicationStatement", "status": at},
        "references": lambda at: (
            {"resourceType": "Medication", "id": f"m{at // 2}", "code": {"text": f"drug {at}"}}
            if at % 2
            else {
                "resourceType": "MedicationRequest",
                "status": "active",
                "intent": "order",
                **about,
                "medicationReference": {"reference": f"Medication/m{count // 2 - 1 - at // 2}"},
            }
        ),
        "answers": lambda at: {
            "resourceType": "QuestionnaireResponse",
            "status": "completed",
            **about,
            "item": [{"linkId": "medications", "answer": [{"valueString": f"drug {at}"}]}],
        },
    }
    patient = {"resourceType": "Patient", "id": "a", "birthDate": "1980-01-01"}
    return [patient, *(made[kind](at) for at in range(count))]


def bundle(resources: list[Json]) -> Json:
    return {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": one} for one in resources]}


KINDS = ["medicines", "one id", "illnesses", "readings", "patients", "faults", "references", "answers"]


@pytest.mark.parametrize("kind", one_in(4, KINDS))
def test_reading_four_times_as_many_entries_is_about_four_times_the_work(planner: Planner, kind: str) -> None:
    reader = reader_of(planner)

    def read(body: Json) -> None:
        try:
            reader.read(body)
        except InvalidPatient as error:
            assert len(error.faults) <= MOST_FAULTS

    few, many = (calls(partial(read, bundle(entries(kind, count)))) for count in (400, 1_600))
    assert many < 5 * few


HOSTILE: dict[str, Callable[[Rulebook], tuple[str, bytes, dict[str, str]]]] = {
    "json": lambda book: ("/v1/care-plans", encode(fullest(book)), {}),
    "fhir": lambda book: ("/v1/care-plans", encode(fullest(book)), {"accept": "application/fhir+json"}),
    "page": lambda book: ("/v1/care-plans?detail=full", encode(fullest(book)), {"accept": "text/html"}),
    "calendar": lambda book: ("/v1/care-plans?details=all", encode(fullest(book)), {"accept": "text/calendar"}),
    "explained": lambda book: ("/v1/care-plans?explain=full", encode(fullest(book)), {}),
    "record": lambda book: ("/v1/care-plans?explain=record", encode(fullest(book)), {}),
    "compare": lambda book: (
        "/v1/care-plans/compare",
        encode({"patient": fullest(book), "changes": [{"age_years": 20 + at, "conditions": None} for at in range(2)]}),
        {},
    ),
    "compare faults": lambda _: (
        "/v1/care-plans/compare",
        encode({"patient": {}, "changes": [{"medications": [{"nam": at} for at in range(100)]}] * 20}),
        {},
    ),
    "what would change": lambda book: (
        "/v1/care-plans/what-would-change",
        encode({"patient": fullest(book), "item": "response-not-yet-recorded"}),
        {},
    ),
    "apply": lambda _: ("/fhir/PlanDefinition/$apply", long_record(3_000_000), FHIR),
    "hook": lambda _: (
        "/cds-services/ketamine-care-plan",
        encode(
            {
                "hook": "patient-view",
                "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
                "context": {"userId": "Practitioner/x", "patientId": "a"},
                "prefetch": {"statements": bundle(entries("medicines", 2_000)[1:])},
            }
        ),
        {},
    ),
}


@pytest.mark.parametrize("name", one_in(2, HOSTILE))
def test_no_request_keeps_others_from_their_turn_however_much_is_in_it(service: Service, book: Rulebook, name: str) -> None:
    path, body, headers = HOSTILE[name](book)
    found = service.lag("POST", path, body, headers)
    assert found.answer.status in (200, 422), found.answer.body[:300]
    assert max(found.held, found.health) < HELD


def test_a_long_answer_is_of_a_size_that_follows_from_the_request(service: Service, book: Rulebook) -> None:
    body = encode({"patient": fullest(book), "changes": [{"medications": None, "conditions": None}] * 20})
    assert len(service.ask("POST", "/v1/care-plans/compare", body).body) < 8_000_000
    faulty = encode(bundle(entries("faults", 3_000)))
    answer = service.ask("POST", "/fhir/PlanDefinition/$apply", faulty, FHIR)
    issues = answer.json()["issue"]
    assert answer.status == 422
    assert len(issues) == MOST_FAULTS + 1
    assert issues[-1]["details"]["text"] == "There are more faults than are named here."


@pytest.mark.long
def test_of_long_comparisons_that_come_at_once_one_is_finished_before_the_next_begins(
    service: Service, book: Rulebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In turns, all would be as late as the last: of eight that each had time enough for itself, none was answered."""
    order: list[int | None] = []
    compared = what_if._differs

    def noting(edition: Any, before: Any, patient: Any) -> Any:
        order.append(patient.age_years)
        return compared(edition, before, patient)

    monkeypatch.setattr(what_if, "_differs", noting)
    long = fullest(book) | {"conditions": None}

    def asked(patient: Json, age: int, changes: int) -> tuple[str, str, bytes]:
        varied = [{"age_years": age, "lifestyle": {"alcohol_drinks_per_week": at}} for at in range(changes)]
        return "POST", "/v1/care-plans/compare", encode({"patient": patient, "changes": varied})

    answers = service.ask_at_once(*(asked(long, age, 3) for age in (30, 40, 50)), asked({}, 60, 3))
    assert {answer.status for answer in answers} == {200}
    assert [age for age, _ in groupby(age for age in order if age != 60)] == [30, 40, 50]
    assert max(at for at, age in enumerate(order) if age == 60) < 6, "a short one waited for all long ones"


def test_of_sixty_plans_that_are_ready_at_once_one_is_made_between_two_looks_at_the_rest() -> None:
    order: list[str] = []

    async def plan(turns: Turns, number: int) -> None:
        await turns.take()
        order.append(f"plan {number}")

    async def health() -> None:
        for _ in range(61):
            order.append("health")
            await asyncio.sleep(0)

    async def all_at_once() -> None:
        turns = Turns()
        await asyncio.gather(*(plan(turns, number) for number in range(60)), health())

    asyncio.run(all_at_once())
    plans = [what for what in order if what != "health"]
    assert plans == [f"plan {number}" for number in range(60)]
    assert not any(one != "health" and other != "health" for one, other in pairwise(order))
