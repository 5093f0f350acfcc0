"""What is used up on the machine is answered with 503, and a line of a batch alone with it."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest

from careplan.planner import Planner
from careplan.rulebook.model import Rulebook
from careplan.web.exhaustion import is_exhaustion, is_spent
from tests.contract.serving import ROOT
from tests.everyday import one_in
from tests.in_process import Service, in_process

WORDS = "Zyxwvut Qponmlk"
RECORD = (ROOT / "examples" / "records" / "daily-benzodiazepine.json").read_bytes()
HOOK = (ROOT / "examples" / "hooks" / "patient-view.json").read_bytes()
DOORS: dict[str, tuple[str, bytes, str]] = {
    "a plan": ("/v1/care-plans", b"{}", "application/json"),
    "a plan beside the loop": ("/v1/care-plans", b"{" + b" " * 5_000 + b"}", "application/json"),
    "a comparison": ("/v1/care-plans/compare", b'{"patient": {}, "changes": [{"age_years": 80}]}', "application/json"),
    "FHIR": ("/fhir/PlanDefinition/$apply", RECORD, "application/fhir+json"),
    "CDS Hooks": ("/cds-services/ketamine-care-plan-patient-view", HOOK, "application/json"),
}


@pytest.fixture(scope="module")
def service(book: Rulebook) -> Iterator[Service]:
    with in_process(book) as found:
        yield found


def used_up(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def plan(*_: Any) -> Any:
        raise error

    monkeypatch.setattr(Planner, "plan", plan)


def exhausted(service: Service) -> float:
    page = service.ask("GET", "/metrics").body.decode()
    (line,) = [one for one in page.splitlines() if one.startswith("careplan_requests_exhausted_total ")]
    return float(line.split()[1])


USED_UP: dict[str, Exception] = {
    "memory": MemoryError(WORDS),
    "memory of the system": OSError(errno.ENOMEM, WORDS),
    "descriptors": OSError(errno.EMFILE, WORDS),
    "threads": RuntimeError("can't start new thread"),
}


@pytest.mark.parametrize("case", one_in(8, list(product(DOORS, USED_UP)), "-".join))
def test_what_is_used_up_is_a_503_that_says_when_to_ask_again(
    service: Service, monkeypatch: pytest.MonkeyPatch, case: tuple[str, str]
) -> None:
    door, error = case[0], USED_UP[case[1]]
    target, body, form = DOORS[door]
    before = exhausted(service)
    with monkeypatch.context() as patch:
        used_up(patch, error)
        answer = service.ask("POST", target, body, {"content-type": form})
    assert (answer.status, answer.header("retry-after")) == (503, "1")
    assert "json" in answer.header("content-type")
    assert b"no memory, thread or file" in answer.body
    assert WORDS.encode() not in answer.body and b"Traceback" not in answer.body
    assert exhausted(service) == before + 1
    assert service.ask("POST", target, body, {"content-type": form}).status == 200


def test_a_line_without_memory_is_the_problem_of_that_line_alone(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = Planner.plan

    def sometimes(self: Planner, patient: Any, *rest: Any) -> Any:
        if patient.age_years == 41:
            raise MemoryError(WORDS)
        return plan(self, patient, *rest)

    before = exhausted(service)
    monkeypatch.setattr(Planner, "plan", sometimes)
    lines = b'{"age_years": 40}\n{"age_years": 41}\n{"age_years": 42}\n'
    answer = service.ask("POST", "/v1/care-plans/batch", lines, {"content-type": "application/x-ndjson"})
    first, second, third = answer.body.splitlines()
    assert b'"plan"' in first and b'"plan"' in third
    assert b'"status":503' in second and b"no memory left for this line" in second
    assert exhausted(service) == before + 1


@pytest.mark.parametrize(
    "error", [ValueError(WORDS), RuntimeError(WORDS), OSError(errno.EACCES, WORDS), RecursionError(WORDS)]
)
def test_a_defect_is_none_of_it(service: Service, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    assert not is_exhaustion(error)
    used_up(monkeypatch, error)
    answer = service.ask("POST", "/v1/care-plans", b"{}")
    assert answer.status == 500
    assert WORDS.encode() not in answer.body


def test_the_engine_passes_on_that_there_is_no_memory(monkeypatch: pytest.MonkeyPatch, book: Rulebook) -> None:
    def failing(*_: Any) -> Any:
        raise MemoryError(WORDS)

    planner = Planner(book)
    with monkeypatch.context() as patch:
        patch.setattr("careplan.inference.durable_rules._durable.assert_facts", failing)
        with pytest.raises(MemoryError) as caught:
            planner.check()
    assert WORDS not in str(caught.value)
    planner.close()


@pytest.mark.long
def test_a_process_that_can_have_memory_again_is_not_spent() -> None:
    assert not is_spent()

    def none(_: int) -> object:
        raise MemoryError

    assert is_spent(none)
