"""Why, why not and what if over HTTP, on a really running server."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner

from careplan.cli.main import main
from tests.contract.serving import ROOT, running

PATIENT: dict[str, Any] = json.loads((ROOT / "examples" / "daily-benzodiazepine.json").read_text())
AT = "2026-03-01T09:30:00+01:00"


def pointers(answer: httpx.Response) -> set[str]:
    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    return {fault["pointer"] for fault in answer.json()["errors"]}


def test_a_full_explanation_speaks_of_every_rule_and_changes_nothing_else(address: str) -> None:
    plain = httpx.post(f"{address}/v1/care-plans", params={"detail": "full"}, json=PATIENT).json()
    full = httpx.post(f"{address}/v1/care-plans", params={"explain": "full"}, json=PATIENT).json()
    explanation = full.pop("explanation")
    assert full == plain
    rules = {entry["id"] for entry in httpx.get(f"{address}/v1/rules").json()["rules"]}
    assert {entry["rule"]["id"] for entry in explanation["rules"]} == rules


def test_a_record_made_by_the_service_replays_on_the_command_line(address: str, tmp_path: Path) -> None:
    answer = httpx.post(f"{address}/v1/care-plans", params={"explain": "record", "at": AT}, json=PATIENT)
    assert answer.json()["at"] == AT
    (tmp_path / "record.json").write_bytes(answer.content)
    done = CliRunner().invoke(main, ["replay", str(tmp_path / "record.json")])
    assert done.exit_code == 0, done.output


@pytest.mark.parametrize("query", [{"explain": "some"}, {"explain": "record", "at": "yesterday"}, {"at": "2026-13-01"}])
def test_a_query_that_cannot_be_used_is_refused(address: str, query: dict[str, str]) -> None:
    answer = httpx.post(f"{address}/v1/care-plans", params=query, json=PATIENT)
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("method", "path", "query", "said"),
    [
        ("POST", "/v1/care-plans", "explian=full", "did you mean explain?"),
        ("POST", "/v1/care-plans", "explain=full&explain=record", "The parameter explain stands more than once"),
        ("POST", "/v1/care-plans", f"at={AT.replace('+', '%2B')}", "At would do nothing here, as as_of names the day"),
        ("POST", "/v1/care-plans", "explain=record&visit=intake", "the same for every visit"),
        ("POST", "/v1/care-plans", "explain=record&at=2026-02-31T00:00:00Z", "at"),
        ("POST", "/v1/care-plans", "Zyxwvut=1&Qponmlk=2", "does not know 2 parameters"),
        ("POST", "/v1/care-plans/compare", "explain=full", "it takes none"),
        ("GET", "/v1/conditions", "Zyxwvut=1", "it takes none"),
        ("HEAD", "/v1/rules", "sektion=medications", ""),
        ("GET", "/v1/rules", "sektion=medications", "did you mean section?"),
        ("GET", "/v1/rules/sleep-under-five-hours", "rule_id=x", "it takes none"),
        ("GET", "/cds-services", "Zyxwvut=1", "it takes none"),
        ("GET", "/fhir/metadata", "Zyxwvut=1", "it takes _elements, _summary, mode"),
    ],
)
def test_a_parameter_that_would_do_nothing_is_refused(address: str, method: str, path: str, query: str, said: str) -> None:
    body = PATIENT | {"as_of": "2026-03-01"} if method == "POST" else None
    answer = httpx.request(method, f"{address}{path}?{query}", json=body)
    assert answer.status_code in ({400, 405} if method == "HEAD" else {400}), answer.text
    assert said in answer.text
    assert "Zyxwvut" not in answer.text
    assert "sektion" not in answer.text


@pytest.mark.parametrize(
    "path",
    [
        "/livez?t=1",
        "/readyz?t=1",
        "/docs?t=1",
        "/rulebook?t=1",
        "/fhir/metadata?_format=json&_pretty=true",
        "/v1/rules?section=medications&level=hold",
        "/v1/conditions?",
    ],
)
def test_what_browsers_probes_and_fhir_clients_add_by_themselves_is_let_pass(address: str, path: str) -> None:
    assert httpx.get(f"{address}{path}", follow_redirects=True).status_code == 200


def test_each_change_is_compared_with_the_patient_as_sent(address: str) -> None:
    changes = [{"support": {"escort_available": False}}, {"medications": None}, {}]
    answer = httpx.post(f"{address}/v1/care-plans/compare", json={"patient": PATIENT, "changes": changes})
    escort, medicines, none = answer.json()["differences"]
    assert any(item["rule"] == "no-one-to-take-you-home" for item in escort["added"])
    assert medicines["questions_added"]
    assert any("benzodiazepine" in item["rule"] for item in medicines["removed"])
    assert none["same"]
    assert "added" not in none


def test_every_factor_can_be_taken_away(address: str) -> None:
    gone = {
        "red_flags": {"suicidal_thoughts": None},
        "treatment": None,
        "medications": None,
        "other_conditions": None,
        "protocol": {"driving_hours": None, "holds": None},
    }
    answer = httpx.post(f"{address}/v1/care-plans/compare", json={"patient": PATIENT, "changes": [gone]})
    assert answer.status_code == 200, answer.text


def test_what_would_change_an_item_is_a_merge_patch_that_compare_confirms(address: str) -> None:
    asked = {"patient": PATIENT, "item": "no-adult-at-home-after"}
    found = httpx.post(f"{address}/v1/care-plans/what-would-change", json=asked).json()
    assert found["there"]
    assert found["ways"]
    changes = [way["patch"] for way in found["ways"]]
    compared = httpx.post(f"{address}/v1/care-plans/compare", json={"patient": PATIENT, "changes": changes}).json()
    for difference in compared["differences"]:
        assert any(item["rule"] == asked["item"] for item in difference["removed"])


def test_where_nothing_changeable_would_do_the_answer_says_what_stands_in_the_way(address: str) -> None:
    asked = {"patient": PATIENT, "item": "lamotrigine-plan-for-sessions"}
    found = httpx.post(f"{address}/v1/care-plans/what-would-change", json=asked).json()
    assert not found["there"]
    assert found["ways"] == []
    assert any("lamotrigine" in words for words in found["fixed"])


@pytest.mark.parametrize(
    ("path", "body", "expected"),
    [
        ("compare", {}, {"/patient", "/changes"}),
        ("compare", {"patient": {"age_years": -1}, "changes": []}, {"/patient/age_years", "/changes"}),
        ("compare", {"patient": {}, "changes": [1, {"age_years": "x"}]}, {"/changes/0", "/changes/1/age_years"}),
        ("compare", {"patient": [], "changes": [{}]}, {"/patient"}),
        ("compare", [], {""}),
        ("compare", {"patient": {}, "changes": [{}], "Zyxwvut": 1}, {""}),
        (
            "compare",
            {"patient": {"age_years": -1}, "changes": [{}, {"age_years": "x"}, {"lifestyle": {"sleeep": 1}}]},
            {"/patient/age_years", "/changes/1/age_years", "/changes/2/lifestyle/sleeep"},
        ),
        (
            "compare",
            {"patient": {}, "changes": [{"red_flags": {"suicidal_thougts": None}}, {"Zyxwvut": None}]},
            {"/changes/0/red_flags/suicidal_thougts", "/changes/1"},
        ),
        ("what-would-change", {}, {"/patient", "/item"}),
        ("what-would-change", {"patient": {}, "item": 7}, {"/item"}),
        ("compare", {"patient": {}, "changes": [{"protocol": {"driving_hours": 9}}]}, {"/changes/0/protocol/approved_by"}),
        ("compare", {"patient": {}, "changes": [{"protocol": {"approved_by": None}}]}, {"/changes/0/protocol/approved_by"}),
        ("what-would-change", {"patient": {"lifestyle": {"Zyxwvut": 1}}, "item": "x"}, {"/patient/lifestyle"}),
    ],
)
def test_every_fault_of_a_question_is_named_by_its_place(address: str, path: str, body: Any, expected: set[str]) -> None:
    answer = httpx.post(f"{address}/v1/care-plans/{path}", json=body)
    assert pointers(answer) == expected
    assert "Zyxwvut" not in answer.text


@pytest.mark.parametrize(
    "item",
    [
        "no-such-rule",
        "no-adult-at-home-after/x",
        "/",
        "sleep-under-five-hours/",
        "sleep-under-five-hours/alprazolam",
        "no-adult-at-home-after/hypertension",
    ],
)
def test_an_item_that_no_plan_for_the_patient_could_have_is_a_fault_of_the_body(address: str, item: str) -> None:
    patient = {"medications": [{"name": "Xanax"}], "conditions": ["hypertension"]}
    answer = httpx.post(f"{address}/v1/care-plans/what-would-change", json={"patient": patient, "item": item})
    assert pointers(answer) == {"/item"}


def test_the_questions_of_a_plan_are_enough_to_drive_a_form(address: str) -> None:
    body: dict[str, Any] = {"medications": [], "conditions": [], "expectations": {"goals": []}}
    asked = set()
    for _ in range(60):
        open_ = httpx.post(f"{address}/v1/care-plans?detail=full", json=body).json()["information_needed"]
        open_ = [question for question in open_ if not question["pointer"].startswith("/protocol/")]
        if not open_:
            break
        pointer, form = open_[0]["pointer"], open_[0]["answer"]
        assert pointer not in asked
        asked.add(pointer)
        choices = form.get("choices", [])
        value = choices[0]["value"] if choices else False if form["type"] == "yes_no" else form["least"]
        *kinds, field = pointer.strip("/").split("/")
        (body.setdefault(kinds[0], {}) if kinds else body)[field] = value
    assert open_ == []


def test_what_a_caller_asks_reaches_neither_log_nor_error(tmp_path: Path) -> None:
    planted = "Zyxwvut Qponmlk"
    with running(tmp_path / "log", CAREPLAN_LOG="json") as address:
        base = f"{address}/v1/care-plans"
        answers = [
            httpx.post(f"{base}/compare", json={"patient": {planted: planted}, "changes": [{planted: planted}]}),
            httpx.post(f"{base}/compare", json={"patient": {}, "changes": [{"conditions": [planted]}], planted: 1}),
            httpx.post(f"{base}/what-would-change", json={"patient": {}, "item": planted}),
            httpx.post(f"{base}/what-would-change", json={"patient": {"medications": [{planted: 1}]}, "item": planted}),
            httpx.post(base, params={"explain": planted}, json={}),
            httpx.post(base, params={"explain": "record", "at": planted}, json={}),
        ]
        record = httpx.post(base, params={"explain": "record"}, json={"medications": [{"name": planted}]})
        httpx.post(base, params={"explain": "full"}, json={"medications": [{"name": planted}]})
    assert record.status_code == 200
    assert planted in json.dumps(record.json()["input"])
    assert planted not in json.dumps([record.json()["facts"], record.json()["findings"]])
    assert all(planted not in answer.text for answer in answers)
    assert all(400 <= answer.status_code < 500 for answer in answers)
    log = (tmp_path / "log").read_text()
    assert log
    assert "Zyxwvut" not in log
    assert "Qponmlk" not in log
