"""No request is answered by a failure of the service, whatever is in it: thousands every day, a million in the long runs."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from typing import Any

import msgspec
import pytest

from careplan.batch.answer_lines import Answering
from careplan.batch.ndjson import Line
from careplan.planner import Planner
from careplan.rulebook.model import Rulebook
from tests.in_process import Service, in_process
from tests.requests_at_random import ANYTHING, NUMBERS, TEXTS, TIMES, Request, prints, record, requests

MANY = int(os.environ.get("CAREPLAN_TEST_REQUESTS", "250"))
SEED = int(os.environ.get("CAREPLAN_TEST_SEED", "1"))


@pytest.fixture(scope="module")
def service(book: Rulebook) -> Iterator[Service]:
    with in_process(book, request_seconds=120) as found:
        yield found


@pytest.fixture(scope="module")
def signed(service: Service) -> dict[str, Any]:
    """A body that can be signed."""
    made = service.ask("POST", "/v1/care-plans?explain=record&at=2026-06-01T00:00:00Z", b"{}").json()
    return {"record": made, "by": "Dr Ada Quill", "at": "2026-06-02T00:00:00Z", "choices": []}


def asked(service: Service, request: Request) -> int:
    answer = service.ask(request.method, request.target, request.body, request.headers)
    assert answer.status < 500, f"{answer.status} to {request}"
    if answer.status == 200 and request.target.endswith("/batch"):
        lines = answer.body.splitlines()
        assert b"failed on this line" not in answer.body, f"a line failed of {request}"
        assert len(lines) == sum(bool(line.strip()) for line in request.body.split(b"\n")), request
    elif answer.status >= 400 and request.method != "HEAD":
        told = answer.json()
        assert told.get("detail") or told.get("issue"), request
    return answer.status


@pytest.mark.parametrize("many", [MANY, pytest.param(8 * MANY, marks=pytest.mark.long)])
def test_no_request_at_random_is_answered_by_a_failure(service: Service, signed: dict[str, Any], many: int) -> None:
    answers = Counter(asked(service, one) for one in islice(requests(SEED, signed), many))
    assert {200, 400, 422} <= answers.keys(), "the requests must be good and bad ones"


@pytest.mark.parametrize("seed", [5, 22, 49])
def test_what_was_made_before_changes_no_request_that_is_made_later(seed: int, signed: dict[str, Any]) -> None:
    # Of these seeds one of the first fifty requests spoils an extreme that stands in it already.
    extremes = repr(ANYTHING)
    made = list(islice(requests(seed, signed), 60))
    assert repr(ANYTHING) == extremes
    assert list(islice(requests(seed, signed), 60)) == made


@pytest.mark.long
def test_no_pdf_at_random_is_a_failure(service: Service) -> None:
    many = 6 if MANY <= 10_000 else MANY // 500
    answers = [service.ask(one.method, one.target, one.body, one.headers) for one in islice(prints(SEED), many)]
    for request, answer in zip(islice(prints(SEED), many), answers, strict=True):
        assert answer.status < 500 or answer.header("retry-after"), request
        assert answer.status != 200 or answer.body.startswith(b"%PDF-"), request
    assert sum(answer.status == 200 for answer in answers) > many // 4


def places_of(body: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The places of all primitive values."""
    if isinstance(body, dict | list):
        for key, value in body.items() if isinstance(body, dict) else enumerate(body):
            yield from places_of(value, (*path, key))
    else:
        yield path


def with_value(body: Any, path: tuple[Any, ...], value: object) -> Any:
    copy = msgspec.json.decode(msgspec.json.encode(body))
    *before, last = path
    holder = copy
    for key in before:
        holder = holder[key]
    holder[last] = value
    return copy


WHOLE = record()


@pytest.mark.parametrize("kind", ["times", "numbers", "texts"])
def test_each_primitive_of_a_record_takes_each_extreme_of_its_type(planner: Planner, kind: str) -> None:
    lists: dict[str, list[Any]] = {"times": TIMES, "numbers": NUMBERS, "texts": [one for one in TEXTS if one.isprintable()]}
    extremes = lists[kind]
    types = (int, float) if kind == "numbers" else (str,)
    answering = Answering(planner, as_fhir=True)
    number = place = 0
    step = 1 if MANY > 10_000 else {"times": 24, "numbers": 6, "texts": 48}[kind]
    for path in places_of(WHOLE):
        value: Any = WHOLE
        for key in path:
            value = value[key]
        is_time = isinstance(value, str) and value[:2].isdigit() and value[4:5] == "-"
        if not isinstance(value, types) or isinstance(value, bool) or is_time != (kind == "times"):
            continue
        place += 1
        for extreme in extremes[place % step :: step]:
            number += 1
            answer = answering.answer(Line(number, encoded(with_value(WHOLE, path, extreme))))
            assert b"failed on this line" not in answer.body, (path, extreme)
    assert number > 20


def encoded(body: Any) -> bytes:
    return json.dumps(body).encode()  # which writes whole numbers of any length


def test_a_defect_on_one_line_is_the_problem_of_that_line_alone(planner: Planner, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[Exception] = []
    for as_fhir in (False, True):
        answering = Answering(planner, as_fhir=as_fhir, on_failure=told.append)
        whole = [answering.answer(Line(number, b"{}")) for number in (1, 3)]

        def plan(*_: Any) -> Any:
            raise RuntimeError("Zyxwvut")

        with monkeypatch.context() as patch:
            patch.setattr(planner, "plan", plan)
            failed = answering.answer(Line(2, b"{}"))
        assert failed.kind == "problem: failed"
        assert b"failed on this line" in failed.body
        assert b"Zyxwvut" not in failed.body
        assert [answering.answer(Line(number, b"{}")) for number in (1, 3)] == whole
    assert len(told) == 2
