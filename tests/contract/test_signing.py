"""Signing a plan and the standing protocol over HTTP, on a really running server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest
from click.testing import CliRunner

from careplan.cli.main import main
from tests.contract.serving import PATIENCE, ROOT, running
from tests.unit.test_signing import AT, BY, LATER, choices_of

PATIENT: dict[str, Any] = json.loads((ROOT / "examples" / "daily-benzodiazepine.json").read_text())
MARK = "Zyxwvut Qponmlk"


class Service(NamedTuple):
    address: str
    log: Path


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("server")
    assert CliRunner().invoke(main, ["signing-key", str(folder / "signing.pem")]).exit_code == 0
    (folder / "protocol.json").write_text('{"driving_hours": 30, "approved_by": "Dr. A. Example, MD"}')
    with running(
        folder / "log",
        CAREPLAN_SIGNING_KEY=str(folder / "signing.pem"),
        CAREPLAN_PROTOCOL=str(folder / "protocol.json"),
        CAREPLAN_BODY_LIMIT="20000",
    ) as address:
        yield Service(address, folder / "log")


def to_sign(address: str, patient: dict[str, Any] = PATIENT) -> dict[str, Any]:
    answer = httpx.post(f"{address}/v1/care-plans", params={"explain": "record", "at": AT}, json=patient)
    recorded = answer.json()
    return {"record": recorded, "by": BY, "at": LATER, "choices": choices_of(recorded)}


def test_a_record_is_signed_and_checked_by_the_key_that_the_service_publishes(service: Service, tmp_path: Path) -> None:
    answer = httpx.post(f"{service.address}/v1/care-plans/sign", json=to_sign(service.address))
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    assert answer.json()["card"]["notice"] == f"Signed by {BY} on Sunday, March 1."
    keys = httpx.get(f"{service.address}/v1/signing-keys")
    assert [key["kid"] for key in keys.json()["keys"]] == [answer.json()["signature"]["kid"]]
    (tmp_path / "keys.json").write_bytes(keys.content)
    (tmp_path / "signed.json").write_bytes(answer.content)
    done = CliRunner().invoke(main, ["replay", str(tmp_path / "signed.json"), "--public-key", str(tmp_path / "keys.json")])
    assert done.exit_code == 0, done.output
    assert "The signature is that of the given key." in done.output


def test_the_same_request_twice_is_answered_with_the_same_bytes(service: Service) -> None:
    body = to_sign(service.address)
    first, second = (httpx.post(f"{service.address}/v1/care-plans/sign", json=body).content for _ in range(2))
    assert first == second


def test_what_cannot_be_signed_is_a_problem_that_names_every_fault(service: Service) -> None:
    body = to_sign(service.address) | {"choices": [], "at": "2026-02-01T00:00:00Z"}
    answer = httpx.post(f"{service.address}/v1/care-plans/sign", json=body)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"] == "urn:careplan:problem:invalid-signing"
    assert [fault["pointer"] for fault in answer.json()["errors"]] == ["/at", "/record/plan/front/decisions/0/items/0"]


@pytest.mark.parametrize(
    ("content", "form", "status"),
    [(b"{", "application/json", 400), (b"{}", "application/json", 422), (b"{}", "text/plain", 415)],
)
def test_what_is_no_request_to_sign_is_refused(service: Service, content: bytes, form: str, status: int) -> None:
    answer = httpx.post(f"{service.address}/v1/care-plans/sign", content=content, headers={"Content-Type": form})
    assert answer.status_code == status


def test_nothing_of_what_is_signed_reaches_log_or_error(service: Service) -> None:
    body = to_sign(service.address, {"medications": [{"name": MARK}]})
    assert MARK in json.dumps(body)
    body["choices"] = [one | {"note": MARK} for one in body["choices"]]
    assert httpx.post(f"{service.address}/v1/care-plans/sign", json=body).status_code == 200
    faulty = [
        body | {"by": f"{MARK} 7"},
        body | {"at": MARK},
        body | {MARK: MARK},
        body | {"choices": [{"item": MARK, "option": MARK}]},
        body | {"record": {MARK: MARK}},
        body | {"record": body["record"] | {"engine": f"{MARK};"}},
        body | {"record": body["record"] | {"language": MARK}},
    ]
    answers = [httpx.post(f"{service.address}/v1/care-plans/sign", json=one) for one in faulty]
    assert {answer.status_code for answer in answers} == {422}
    assert not any("Zyxwvut" in answer.text for answer in answers)
    log = service.log.read_text()
    assert "/v1/care-plans/sign" in log
    assert "Zyxwvut" not in log
    assert "Example" not in log


@pytest.mark.long
def test_without_a_key_the_key_set_is_empty_and_the_digest_stands_alone(tmp_path: Path) -> None:
    with running(tmp_path / "log") as address:
        assert httpx.get(f"{address}/v1/signing-keys").json() == {"keys": []}
        answer = httpx.post(f"{address}/v1/care-plans/sign", json=to_sign(address)).json()
        assert "signature" not in answer
        assert answer["digest"]


def test_a_key_that_cannot_be_used_keeps_the_service_from_starting(tmp_path: Path) -> None:
    (tmp_path / "none.pem").write_text("nothing")
    done = CliRunner().invoke(main, ["serve", "--port", "0"], env={"CAREPLAN_SIGNING_KEY": str(tmp_path / "none.pem")})
    assert done.exit_code == 2
    assert "CAREPLAN_SIGNING_KEY cannot be used" in done.output


# The standing protocol.


@pytest.mark.parametrize(
    ("accept", "form", "begins"),
    [
        ("*/*", "application/json", b'{"id":'),
        ("text/html", "text/html", b"<!doctype html>"),
        ("text/markdown", "text/markdown", b"# Standing protocol"),
        ("application/pdf", "application/pdf", b"%PDF-"),
    ],
)
def test_the_protocol_comes_in_the_form_that_is_asked_for(service: Service, accept: str, form: str, begins: bytes) -> None:
    query: dict[str, str | int] = {"product": "racemic", "sessions_completed": 2}
    answer = httpx.get(f"{service.address}/v1/protocol", params=query, headers={"Accept": accept})
    assert answer.status_code == 200
    assert answer.headers["content-type"].partition(";")[0] == form
    assert answer.content.startswith(begins)


def test_another_form_is_refused_with_those_there_are(service: Service) -> None:
    answer = httpx.get(f"{service.address}/v1/protocol", headers={"Accept": "text/calendar"})
    assert answer.status_code == 406
    assert "application/json, text/html, text/markdown, application/pdf." in answer.json()["detail"]


def test_a_plan_cites_the_protocol_with_the_figures_of_the_settings(service: Service) -> None:
    query: dict[str, str | int] = {"product": "racemic", "sessions_completed": 2}
    protocol = httpx.get(f"{service.address}/v1/protocol", params=query).json()
    plan = httpx.post(f"{service.address}/v1/care-plans", json={"age_years": 44, "treatment": query}).json()
    assert plan["standing"]["digest"] == protocol["digest"]
    assert [(figure["name"], figure["value"]) for figure in protocol["figures"]] == [("driving_hours", 30)]


@pytest.mark.parametrize(
    "query",
    [
        {"product": "other"},
        {"sessions_completed": -1},
        {"sessions_completed": "x"},
        {"sessions_planned": "null"},
        {"stage": "1"},
    ],
)
def test_a_query_that_cannot_be_used_is_refused(service: Service, query: dict[str, str]) -> None:
    assert httpx.get(f"{service.address}/v1/protocol", params=query).status_code == 400


def previous_of(address: str, patient: dict[str, Any] = PATIENT) -> dict[str, Any]:
    signed: dict[str, Any] = httpx.post(f"{address}/v1/care-plans/sign", json=to_sign(address, patient)).json()
    return signed


def test_a_signed_plan_comes_back_with_the_next_request_as_it_was_answered(service: Service) -> None:
    signed = previous_of(service.address)
    assert len(json.dumps(signed)) > 20_000
    body = PATIENT | {"previous": signed}
    answer = httpx.post(f"{service.address}/v1/care-plans", json=body)
    assert answer.status_code == 200, answer.text
    course = answer.json()["course"]
    assert course["used"]
    assert course["decided"]
    assert "notes" not in course
    assert len(answer.content) < len(httpx.post(f"{service.address}/v1/care-plans", json=PATIENT).content) / 2
    for form in ("text/html", "text/markdown", "application/fhir+json"):
        page = httpx.post(f"{service.address}/v1/care-plans", json=body, headers={"Accept": form})
        assert page.status_code == 200
        assert course["line"].encode() in page.content
    record = httpx.post(f"{service.address}/v1/care-plans", params={"explain": "record", "at": LATER}, json=body).json()
    assert record["input"]["previous"]["signature"] == "genuine"
    choices = choices_of(record)
    again = {"record": record, "by": BY, "at": LATER, "choices": choices}
    assert httpx.post(f"{service.address}/v1/care-plans/sign", json=again).json()["reproduced"]


def test_an_earlier_plan_without_signature_or_changed_is_named_and_settles_nothing(service: Service) -> None:
    signed = previous_of(service.address)
    unsigned = {name: value for name, value in signed.items() if name != "signature"}
    changed = signed | {"signed": signed["signed"] | {"by": f"Dr. {MARK}, MD"}}
    for previous, used, words in (
        (unsigned, True, "has no signature of this service"),
        (changed, False, "not as it was made or signed"),
        ({"format": MARK, "plan": [MARK]}, False, "no plan, record or signed plan"),
    ):
        answer = httpx.post(f"{service.address}/v1/care-plans", json=PATIENT | {"previous": previous})
        assert answer.status_code == 200
        course = answer.json()["course"]
        assert course["used"] == used
        assert words in " ".join(answer.json()["front"]["course"])
        assert MARK not in answer.text
        assert not course.get("decided")
    assert MARK not in service.log.read_text()


def test_an_earlier_plan_that_is_too_long_is_refused(service: Service) -> None:
    body = PATIENT | {"previous": {"format": "x" * 1_100_000}}
    answer = httpx.post(f"{service.address}/v1/care-plans", json=body)
    assert answer.status_code == 413


def test_the_checklist_of_a_session_is_had_in_four_forms_and_no_other(service: Service) -> None:
    for form in ("application/json", "text/html", "text/markdown", "application/pdf"):
        answer = httpx.post(
            f"{service.address}/v1/care-plans",
            params={"for": "nurse"},
            json=PATIENT,
            headers={"Accept": form},
            timeout=PATIENCE,
        )
        assert (answer.status_code, answer.headers["content-type"].partition(";")[0]) == (200, form)
    for form in ("text/calendar", "application/fhir+json"):
        answer = httpx.post(
            f"{service.address}/v1/care-plans", params={"for": "nurse"}, json=PATIENT, headers={"Accept": form}
        )
        assert answer.status_code == 406
    answer = httpx.post(f"{service.address}/v1/care-plans", params={"for": "nurse", "detail": "full"}, json=PATIENT)
    assert answer.status_code == 400
