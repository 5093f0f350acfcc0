"""Samples in the contract: for every operation a request with its answer, and each problem that it can answer with.

A sample is an exchange as it took place, so that a mock or a test made from the contract has what the service answers. Long
answers are shortened, and say so.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from careplan.media_types import FHIR_JSON, PROBLEM_JSON

Json = dict[str, Any]

LONGEST = 8_000
"""Bytes of an answer that is shown whole."""
MOST = 2
"""Entries of each list in an answer that is shortened; one where it would still be too long."""
LONGEST_TEXT = 1_200
_SHORTENED = "shortened: the first entries of each list"
_CUT = "cut after the first lines"


class Sent(NamedTuple):
    """A request. `parameters` are those of path and query, by name; `form` is the media type of the body."""

    method: str
    path: str
    parameters: Mapping[str, str] = {}
    body: bytes = b""
    form: str = "application/json"
    headers: Mapping[str, str] = {}


class Answered(NamedTuple):
    """What came back; the media type without its parameters, names of headers in small letters."""

    status: int
    form: str
    body: bytes
    headers: Mapping[str, str] = {}


class Sample(NamedTuple):
    """One exchange. Request and answer stand in the contract under the same name."""

    operation: str
    name: str
    summary: str
    sent: Sent
    answered: Answered


def with_samples(contract: Json, samples: Sequence[Sample]) -> Json:
    """The contract with samples, for each operation and each form of its answers."""
    document: Json = msgspec.json.decode(msgspec.json.encode(contract))  # in which no two operations share a part
    shown = [(sample, _shown(sample)) for sample in _without_twins(samples)]
    often = Counter(_key(example) for sample, example in shown if sample.answered.status >= 400)
    shared: dict[bytes, str] = {}
    for sample, example in shown:
        operation = _operation(document, sample.operation)
        _put_request(operation, sample)
        answer = operation["responses"].get(str(sample.answered.status), {}).get("content", {}).get(sample.answered.form)
        if answer is None:
            continue
        if often[_key(example)] > 1:
            reference = shared.setdefault(_key(example), _name_of(sample, len(shared)))
            document["components"].setdefault("examples", {})[reference] = example
            answer.setdefault("examples", {}).setdefault(sample.name, {"$ref": f"#/components/examples/{reference}"})
        else:
            answer.setdefault("examples", {}).setdefault(sample.name, example)
    return document


def with_shipped_samples(contract: Json) -> Json:
    """The contract with the samples of the one that lies beside the program, if this is of the same rulebook and version."""
    inside = Path(__file__).parents[2] / "openapi.json"
    place = inside if inside.is_file() else Path(__file__).parents[4] / "openapi" / "openapi.json"
    try:
        shipped = msgspec.json.decode(place.read_bytes())
    except (OSError, msgspec.DecodeError):
        return contract
    return with_samples_of(contract, shipped) if _which(shipped) == _which(contract) else contract


def _which(contract: Json) -> tuple[object, object]:
    return contract["info"].get("version"), contract["info"].get("x-rulebook")


def with_samples_of(contract: Json, other: Json) -> Json:
    """The contract with the samples of another one, which is of the same operations."""
    document: Json = msgspec.json.decode(msgspec.json.encode(contract))
    if "examples" in other["components"]:
        document["components"]["examples"] = other["components"]["examples"]
    for path, method, operation in operations_of(document):
        source = other["paths"].get(path, {}).get(method, {})
        for place, content in contents_of(operation):
            found = dict(contents_of(source)).get(place, {})
            for form, media in content.items():
                if "examples" in found.get(form, {}):
                    media["examples"] = found[form]["examples"]
        for own, theirs in zip(operation.get("parameters", ()), source.get("parameters", ()), strict=False):
            if own["name"] == theirs["name"] and "examples" in theirs:
                own["examples"] = theirs["examples"]
    return document


def operations_of(document: Json) -> Iterator[tuple[str, str, Json]]:
    """Each operation with its path and method."""
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def contents_of(operation: Json) -> Iterator[tuple[str, Json]]:
    """Each content of an operation: that of its body, and of its answers by their status."""
    if "requestBody" in operation:
        yield "body", operation["requestBody"].get("content", {})
    for status, answer in operation.get("responses", {}).items():
        yield status, answer.get("content", {})


def shortened(value: Any) -> Any:
    """The value with the first one or two entries of each list in it."""
    short = _first(value, MOST)
    return short if len(msgspec.json.encode(short)) <= LONGEST else _first(value, 1)


def _first(value: Any, most: int) -> Any:
    if isinstance(value, list):
        return [_first(one, most) for one in value[:most]]
    if isinstance(value, dict):
        return {name: _first(one, most) for name, one in value.items()}
    return value


def is_json(form: str) -> bool:
    """Whether a body of this media type is one JSON value."""
    return form.endswith(("/json", "+json"))


def _without_twins(samples: Sequence[Sample]) -> list[Sample]:
    """One sample of each status and form: the first, which is the most particular. Of good answers all stay."""
    seen: set[tuple[str, int, str]] = set()
    found = []
    for sample in samples:
        key = (sample.operation, sample.answered.status, sample.answered.form)
        if sample.answered.status >= 400 and key in seen:
            continue
        seen.add(key)
        found.append(sample)
    return found


def _shown(sample: Sample) -> Json:
    body, form = sample.answered.body, sample.answered.form
    if is_json(form):
        value = msgspec.json.decode(body)
        if len(body) <= LONGEST:
            return {"summary": sample.summary, "value": value}
        return {"summary": f"{sample.summary} ({_SHORTENED})", "value": shortened(value)}
    if form.endswith("ndjson"):
        lines = [msgspec.json.encode(shortened(msgspec.json.decode(line))).decode() for line in body.splitlines()]
        return {"summary": f"{sample.summary} ({_SHORTENED})", "value": "".join(f"{line}\n" for line in lines)}
    text = body.decode()
    if len(text) <= LONGEST_TEXT:
        return {"summary": sample.summary, "value": text}
    return {"summary": f"{sample.summary} ({_CUT})", "value": text[: text.rfind("\n", 0, LONGEST_TEXT) + 1]}


def _put_request(operation: Json, sample: Sample) -> None:
    if sample.answered.status >= 400:
        return
    for parameter in operation.get("parameters", ()):
        value = sample.sent.parameters.get(parameter["name"])
        if value is not None:
            shown: Any = int(value) if parameter["schema"].get("type") == "integer" else value
            parameter.setdefault("examples", {}).setdefault(sample.name, {"value": shown})
    contents = operation.get("requestBody", {}).get("content", {})
    if sample.sent.form not in contents or not sample.sent.body:
        return
    if is_json(sample.sent.form):
        body = msgspec.json.decode(sample.sent.body)
        is_long = len(sample.sent.body) > LONGEST
        summary = f"{sample.summary} ({_SHORTENED})" if is_long else sample.summary
        example = {"summary": summary, "value": shortened(body) if is_long else body}
    else:
        example = {"summary": sample.summary, "value": sample.sent.body.decode()}
    schema = contents[sample.sent.form].get("schema")
    for form, content in contents.items():
        # What is taken under two names, such as application/json and application/fhir+json, is the same under both.
        if form == sample.sent.form or (is_json(form) and content.get("schema") == schema):
            content.setdefault("examples", {}).setdefault(sample.name, example)


def _operation(document: Json, name: str) -> Json:
    return next(operation for _, _, operation in operations_of(document) if operation["operationId"] == name)


def _key(example: Json) -> bytes:
    return msgspec.json.encode(example, order="sorted")


def _name_of(sample: Sample, number: int) -> str:
    phrase = re.sub(r"[^A-Za-z]", "", HTTPStatus(sample.answered.status).phrase.title())
    form = {FHIR_JSON: "Outcome", PROBLEM_JSON: "Problem"}.get(sample.answered.form, "Answer")
    return f"{phrase}{form}{number + 1}"
