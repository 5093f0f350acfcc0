"""Samples in the contract are what the service answers today, for every operation and problem, and fit their schemas."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner
from jsonschema import Draft202012Validator

from careplan.cli.main import main
from careplan.rulebook.load import load
from careplan.rulebook.model import Rulebook
from careplan.settings import Settings
from careplan.web.app import build
from careplan.web.openapi.contract import contract_of
from careplan.web.openapi.one_form import in_one_form
from careplan.web.openapi.samples import Sample, contents_of, is_json, operations_of, with_samples, with_samples_of
from careplan.web.samples.collecting import Unanswered, good_samples, samples_of
from tests.contract.serving import ROOT
from tests.shipped import few_rules_in

pytestmark = pytest.mark.long

Json = dict[str, Any]
DOCUMENT: Json = msgspec.json.decode((ROOT / "openapi" / "openapi.json").read_bytes())
BINARY = "application/pdf"
"""Of which a document in JSON can have no sample."""
UNREACHABLE = {("getLiveness", "503")}


@pytest.fixture(scope="module")
def samples(book: Rulebook) -> list[Sample]:
    return samples_of(book)


@pytest.fixture(scope="module")
def bare(book: Rulebook) -> Json:
    return contract_of(build(book, Settings(), {}), book, bare=True)


def resolved(example: Json) -> Json:
    if "$ref" in example:
        found: Json = DOCUMENT["components"]["examples"][example["$ref"].rpartition("/")[2]]
        return found
    return example


def examples_of(operation: Json) -> Iterator[tuple[str, str, Json, str, Any]]:
    """Place, form, schema, name and value of each example of an operation."""
    for place, content in contents_of(operation):
        for form, media in content.items():
            for name, example in media.get("examples", {}).items():
                yield place, form, media["schema"], name, resolved(example)["value"]


OPERATIONS = {operation["operationId"]: operation for _, _, operation in operations_of(DOCUMENT)}


def test_the_samples_in_the_contract_are_what_the_service_answers_today(samples: list[Sample], bare: Json) -> None:
    assert with_samples(bare, samples) == DOCUMENT, "run `make openapi` and look at the difference"


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_form_of_a_body_and_of_an_answer_has_a_sample(name: str) -> None:
    for place, content in contents_of(OPERATIONS[name]):
        for form, media in content.items():
            assert media.get("examples") or form == BINARY, f"{place} as {form}"
    for parameter in OPERATIONS[name].get("parameters", ()):
        assert parameter.get("examples") or not parameter.get("required"), parameter["name"]


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_sample_fits_its_schema(name: str) -> None:
    for place, form, schema, example, value in examples_of(OPERATIONS[name]):
        validator = Draft202012Validator(schema | {"components": DOCUMENT["components"]})
        assert [error.message for error in validator.iter_errors(value)] == [], (place, form, example)
    for parameter in OPERATIONS[name].get("parameters", ()):
        for example in parameter.get("examples", {}).values():
            Draft202012Validator(parameter["schema"]).validate(example["value"])


def test_a_sample_that_does_not_fit_would_be_found() -> None:
    schema = {"$ref": "#/components/schemas/Problem", "components": DOCUMENT["components"]}
    assert not Draft202012Validator(schema).is_valid({"title": "Not Found", "status": "404"})


def test_what_the_service_answers_is_in_the_contract(samples: list[Sample]) -> None:
    for sample in samples:
        status = str(int(sample.answered.status))
        if (sample.operation, status) not in UNREACHABLE:
            assert sample.answered.form in OPERATIONS[sample.operation]["responses"][status]["content"], sample


def test_an_answer_and_its_request_stand_under_the_same_name(samples: list[Sample]) -> None:
    good = [one for one in samples if one.answered.status == 200]
    assert {one.operation for one in good} == OPERATIONS.keys()
    for sample in good:
        found = {(place, name) for place, _, _, name, _ in examples_of(OPERATIONS[sample.operation])}
        assert ("200", sample.name) in found
        assert not sample.sent.body or ("body", sample.name) in found


def test_a_refusal_says_what_the_caller_is_to_do(samples: list[Sample]) -> None:
    wanted = {401: "www-authenticate", 403: "www-authenticate", 429: "retry-after", 503: "retry-after"}
    for sample in samples:
        header = wanted.get(sample.answered.status)
        assert header is None or header in sample.answered.headers, sample


def test_no_sample_is_so_long_that_nobody_reads_it() -> None:
    for operation in OPERATIONS.values():
        for place, _, _, name, value in examples_of(operation):
            assert len(json.dumps(value)) < 15_000, (operation["operationId"], place, name)
    assert len(msgspec.json.encode(DOCUMENT)) < 500_000


def test_a_service_with_another_rulebook_shows_no_answers_of_this_one(tmp_path: Path, bare: Json) -> None:
    other = load(few_rules_in(tmp_path / "rules"))
    served = contract_of(build(other, Settings(), {}), other)
    assert served["info"]["x-rulebook"]["digest"] == other.digest
    assert "examples" not in served["components"]
    made = good_samples(other)
    shown = with_samples(served, made)
    digests = [one["value"]["digest"] for one in answers(shown, "getRulebook").values()]
    assert digests == [other.digest]
    assert with_samples_of(bare, DOCUMENT) == DOCUMENT


def answers(document: Json, name: str) -> Json:
    operation = next(one for _, _, one in operations_of(document) if one["operationId"] == name)
    found: Json = operation["responses"]["200"]["content"]["application/json"]["examples"]
    return found


def test_in_one_form_every_body_and_answer_has_one_type() -> None:
    document = in_one_form(DOCUMENT)
    for (_, _, whole), (_, _, operation) in zip(operations_of(DOCUMENT), operations_of(document), strict=True):
        for (place, content), (_, before) in zip(contents_of(operation), contents_of(whole), strict=True):
            assert len(content) == min(1, len(before)), (operation["operationId"], place)
            assert "application/json" in content or not any(form == "application/json" for form in before)
    assert is_json(next(iter(document["paths"]["/v1/care-plans"]["post"]["requestBody"]["content"])))


def test_a_service_that_has_no_time_gives_no_contract_with_a_sample_less(
    book: Rulebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("careplan.web.samples.collecting._WITH_TIME", Settings(request_seconds=1e-9))
    with pytest.raises(Unanswered, match="was answered with 503"):
        good_samples(book)


def test_the_command_shows_requests_and_answers_of_one_operation(
    samples: list[Sample], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("careplan.web.samples.collecting.samples_of", lambda _: samples)
    done = CliRunner().invoke(main, ["openapi", "--example", "findMedications"])
    assert done.exit_code == 0, done.output
    assert "curl -si 'http://127.0.0.1:8000/v1/medications?q=xanax&limit=1'" in done.stdout
    assert "HTTP/1.1 200" in done.stdout and '"alprazolam"' in done.stdout
    assert "HTTP/1.1 401" in done.stdout and "www-authenticate: Bearer" in done.stdout


def test_the_command_names_the_operations_and_statuses_that_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    none: list[Sample] = []
    monkeypatch.setattr("careplan.web.samples.collecting.samples_of", lambda _: none)
    done = CliRunner().invoke(main, ["openapi", "--example", "nobody"])
    assert done.exit_code == 2 and "there is no operation of this name" in done.output
    done = CliRunner().invoke(main, ["openapi", "--status", "200"])
    assert done.exit_code == 2 and "goes with --example" in done.output
